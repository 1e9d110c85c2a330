"""Was everything that was said done once, and nothing lost? The answer decides the exit code.

Computed from what was sent, what Kafka holds and what lies in the databases (read through the role that may only read),
never from the services' own counters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from simulation.checks import cases, delivery, households, messages, supply
from simulation.evidence import Evidence

Check = Callable[[Evidence], list[str]]

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("every submission has exactly one outcome, and a right one", messages.submissions_have_their_outcome),
    ("every refusal was told once", messages.refusals_are_told_once),
    ("only what cannot be read is quarantined, and all of it", messages.what_cannot_be_read_is_quarantined),
    ("the versions of every aggregate are without gaps", messages.facts_are_gapless),
    ("every fact was applied by each consumer", messages.facts_are_applied),
    ("every row is what its newest fact says", messages.rows_are_what_was_stated),
    ("every row of the file became its own household", households.rows_became_households),
    ("every eligible household has one carer, or a reason", households.eligible_households_have_a_carer),
    ("carers who leave hand over within a working day", households.carers_who_leave_hand_over),
    ("nobody serves their own", households.nobody_serves_their_own),
    ("nobody has two packages in a round", supply.nobody_has_two_packages),
    ("every recipient has a package", supply.every_recipient_has_a_package),
    ("what was handed over is delivered, and nothing else", supply.what_was_handed_over_is_delivered),
    ("the ledger closes for every lot, in units and rupiah", supply.the_ledger_closes),
    ("the recalled lot's recipients are the true ones", supply.recalled_lots_name_their_recipients),
    ("every need seen has exactly one case", cases.needs_seen_have_one_case),
    ("every case stands for a need", cases.cases_stand_for_a_need),
    ("every case has a next date or an end", cases.cases_have_a_next_date_or_an_end),
    ("critical cases were told within their hours", cases.critical_cases_were_told_in_time),
    ("every answer reached its case", cases.answers_reached_their_case),
    ("nobody is named outside the vault", messages.nobody_is_named),
)

_ON_TIME: Final = frozenset({cases.critical_cases_were_told_in_time})
"""Who is away while days go by cannot be on time."""

UNDER_FAULTS: Final[tuple[tuple[str, Check], ...]] = (
    ("nothing that was acknowledged is missing", delivery.nothing_acknowledged_is_missing),
    ("a fact published again says the same", delivery.facts_are_stable),
    ("every fact comes from something that was said", delivery.facts_have_a_cause),
    ("nothing is left to be published or parked", delivery.nothing_is_left_over),
    ("what is over a limit is turned away", delivery.misuse_is_turned_away),
    ("every start of a case was to be told once", delivery.starts_of_cases_are_told_once),
    *(check for check in CHECKS if check[1] not in _ON_TIME),
)
"""What holds whatever was killed, stopped or cut off meanwhile."""

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and its broken lines."""

    check: str
    broken: tuple[str, ...]


def reconcile(evidence: Evidence, checks: Sequence[tuple[str, Check]] = CHECKS) -> Iterator[Finding]:
    """Every check, in order."""
    for name, check in checks:
        yield Finding(name, tuple(check(evidence)))


def show(findings: list[Finding], console: Console) -> None:
    """A tick for what holds; else how many lines are broken, and the first of them."""
    for finding in findings:
        console.print(f"[{'red' if finding.broken else 'green'}]{'✗' if finding.broken else '✓'}[/] {finding.check}")
        for line in finding.broken[:_SHOWN]:
            console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
        if len(finding.broken) > _SHOWN:
            console.print(f"    and {len(finding.broken) - _SHOWN} more")
