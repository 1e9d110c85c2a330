"""`python -m tests.faults`: runs with seeds, one after the other, and says what was done and what holds."""

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from simulation.reconciliation import show
from tests.faults.nemeses import Fault
from tests.faults.run import Outcome, Plan, run

FOLDER = Path(".berbagi/faults")
RUN = FOLDER / "run"
BROKEN = 3  # exit code; Python itself ends with 1
TERMINATED = 143
SEEDS = (1, 2, 3, 4, 5)
THREE_BROKERS = Plan(seed=6, districts=1, rate=400, brokers=3, only=("broker kill -9", "broker silent"))
SMOKE = Plan(seed=10, districts=1, rate=500, at_once=2)


def main() -> int:
    """Exit code 3: something was lost, or happened twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="one short run instead of five and one with three brokers")
    parser.add_argument("--three", action="store_true", help="only the run with three brokers")
    parser.add_argument("--seeds", type=int, nargs="+", help="others; only runs with one broker unless with --three")
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND", help="of faults")
    given = parser.parse_args()
    plans = (*(Plan(seed) for seed in SEEDS), THREE_BROKERS)
    plans = (SMOKE,) if given.smoke else (THREE_BROKERS,) if given.three else plans
    if given.seeds:
        plans = tuple(replace(plans[0], seed=seed) for seed in given.seeds)
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # so that what was started is stopped
    outcomes = []
    for plan in plans:
        outcome = run(replace(plan, only=tuple(given.only) or plan.only), RUN, lambda fault: tell_fault(fault, console))
        outcomes.append(outcome)
        tell(outcome, console)
    summarise(outcomes, console)
    (FOLDER / "report.json").write_text(json.dumps(report(outcomes), indent=1))
    return BROKEN if any(outcome.broken for outcome in outcomes) else 0


def report(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The same for machines."""
    return {
        "verdict": "broken" if any(outcome.broken for outcome in outcomes) else "everything holds",
        "faults": sum(len(outcome.faults) for outcome in outcomes),
        "runs": [asdict(outcome) for outcome in outcomes],
    }


def tell(outcome: Outcome, console: Console) -> None:
    """One run."""
    recovery = max(outcome.rests, default=0)
    console.print(
        f"seed {outcome.plan.seed}: {len(outcome.faults)} faults, {outcome.sent:,} submissions "
        f"({outcome.repeated:,} said again), {outcome.spoilt:,} spoilt, {outcome.facts:,} facts; "
        f"longest stall {outcome.longest_stall:.0f} s, at rest {recovery:.0f} s after the last fault; "
        f"{outcome.deaths} deaths by themselves; {outcome.seconds:.0f} s; "
        f"{'BROKEN' if outcome.broken else 'everything holds'}"
    )
    show(outcome.broken, console)


def tell_fault(fault: Fault, console: Console) -> None:
    """As it goes."""
    console.print(f"  {fault.at:5.0f} s  {fault.kind} ({fault.target}), {fault.seconds:.0f} s")


def summarise(outcomes: Sequence[Outcome], console: Console) -> None:
    """All runs together."""
    counts = Counter(fault.kind for outcome in outcomes for fault in outcome.faults)
    table = Table("fault", "times")
    for kind, count in sorted(counts.items()):
        table.add_row(kind, str(count))
    table.add_row("all", str(counts.total()))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
