"""`python -m tests.bench`: measures what docs/performance.md is about, prints a table and keeps the figures."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console
from rich.table import Table

from tests.bench import chain, hot_path, imports, latency, memory, month, published, relay, replicas, scale
from tests.bench.figures import BenchError, Figure, shown
from tests.bench.machine import Machine, keep_to_two_cores, this_machine
from tests.bench.machinery import Plan

FOLDER: Final = Path(".berbagi/bench")
KEPT: Final = Path(".berbagi/bench.jsonl")  # one line a bench, the newest last
TERMINATED: Final = 143
WIDTH: Final = 160  # of the table in a file
BENCHES: Final[Mapping[str, Callable[[Plan], list[Figure]]]] = {
    "hot": hot_path.measure,
    "published": published.measure,
    "month": month.measure,
    "relay": relay.measure,
    "chain": chain.measure,
    "latency": latency.measure,
    "imports": imports.measure,
    "replicas": replicas.measure,
    "scale": scale.measure,
    "memory": memory.measure,
}
BY_NAME_ONLY: Final = frozenset({"memory"})  # it takes half an hour


def main() -> int:
    """Exit code 1: a bar is not met, or something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; none: all but memory")
    parser.add_argument("--rounds", type=int, default=3, help="every variant in turn, so many times")
    parser.add_argument("--quick", action="store_true", help="tiny amounts: only to see that the programs work")
    parser.add_argument("--minutes", type=float, default=30, help="of the bench memory")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHES):
        parser.error(f"there is no bench called {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # so that what was started is ended
    keep_to_two_cores()
    plan = Plan(given.rounds, given.quick, given.minutes, FOLDER)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    machine = this_machine()
    console.print(f"{machine.processor}, {machine.cores} cores, {machine.memory_gib} GiB, {machine.date}")
    names = given.names or [name for name in BENCHES if name not in BY_NAME_ONLY]
    met = [_run(name, plan, machine, console) for name in names]
    return 0 if all(met) else 1


def _run(name: str, plan: Plan, machine: Machine, console: Console) -> bool:
    """One bench, shown and kept; True when every bar is met."""
    try:
        figures = BENCHES[name](plan)
    except BenchError as error:
        console.print(f"{name} could not be measured: {error}")
        return False
    except Exception:  # noqa: BLE001  # a bug: the others are measured all the same
        console.print_exception()
        return False
    if plan.quick:
        figures = [replace(figure, bar=None) for figure in figures]  # what tiny amounts take says nothing
    console.print(table_of(name, figures))
    with KEPT.open("ab") as kept:
        kept.write(line_of(name, plan, machine, figures))
    return all(figure.is_met is not False for figure in figures)


def table_of(name: str, figures: Sequence[Figure]) -> Table:
    """For people."""
    table = Table("figure", "median", "unit", "bar", "met", "beside", title=name, title_justify="left")
    for figure in figures:
        met = {None: "", True: "yes", False: "NO"}[figure.is_met]
        table.add_row(figure.name, shown(figure.value), figure.unit, str(figure.bar or ""), met, figure.beside)
    return table


def line_of(name: str, plan: Plan, machine: Machine, figures: Sequence[Figure]) -> bytes:
    """For programs: everything, every round and the machine included."""
    kept = {
        "bench": name,
        "quick": plan.quick,
        "machine": asdict(machine),
        "figures": [asdict(one) | {"median": one.value, "met": one.is_met} for one in figures],
    }
    return orjson.dumps(kept) + b"\n"


if __name__ == "__main__":
    sys.exit(main())
