"""What is published of cases and messages (rule 30), from counts. Pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from contracts.figures import Cell, Figure, Figures
from contracts.vocabulary import Need
from services.notifications.figure_store import CaseCount, MessageCount

_BY: Final[Mapping[str, Callable[[CaseCount], str]]] = MappingProxyType(
    {
        "need": lambda row: row.need,
        "office": lambda row: row.office_id,
        "district": lambda row: row.district,
        "status": lambda row: row.status,
        "need,status": lambda row: f"{row.need},{row.status}",
        "office,need": lambda row: f"{row.office_id},{row.need}",
    }
)


@dataclass(frozen=True, slots=True)
class _Measure:
    name: str
    definition: str
    counted: Callable[[CaseCount], int]
    out_of: Callable[[CaseCount], int]
    of: Callable[[CaseCount], bool] = lambda row: row.cases > 0


def _is(need: Need) -> Callable[[CaseCount], bool]:
    return lambda row: row.need == need


_MEASURES: Final = (
    _Measure(
        "cases_open",
        "Cases not confirmed yet, out of all opened in the span.",
        lambda row: row.cases if row.status != "confirmed" else 0,
        lambda row: row.cases,
    ),
    _Measure(
        "cases_answered_in_time",
        "First answers that reached us by their time, out of cases answered or past that time; "
        "of a rerouted case the present office's.",
        lambda row: row.answered_in_time,
        lambda row: row.answer_due,
    ),
    _Measure(
        "cases_done_in_time",
        "Cases resolved by their time, out of cases resolved or past that time.",
        lambda row: row.done_in_time,
        lambda row: row.done_due,
    ),
    _Measure(
        "critical_answered_in_time",
        "Critical cases answered within their hours, out of those answered or past them.",
        lambda row: row.answered_in_time,
        lambda row: row.answer_due,
        lambda row: row.critical,
    ),
    _Measure(
        "sick_reached",
        "Cases of acute illness that the office resolved, out of all.",
        lambda row: row.done,
        lambda row: row.cases,
        _is(Need.ACUTELY_ILL),
    ),
    _Measure(
        "hungry_answered_in_time",
        "Cases without food resolved within their 24 hours, out of those resolved or past them.",
        lambda row: row.done_in_time,
        lambda row: row.done_due,
        _is(Need.NO_FOOD_TODAY),
    ),
    _Measure(
        "children_back_to_school",
        "Dropout cases that the office resolved, out of all.",
        lambda row: row.done,
        lambda row: row.cases,
        _is(Need.SCHOOL_DROPOUT),
    ),
    _Measure(
        "cases_breached",
        "Open cases past a deadline and told above their desk, out of open cases.",
        lambda row: row.breached,
        lambda row: row.cases if row.status in ("open", "accepted") else 0,
    ),
    _Measure(
        "cases_waiting_for_budget",
        "Cases whose clock stands until there is a budget, out of open cases.",
        lambda row: row.cases if row.waiting_for == "budget" else 0,
        lambda row: row.cases if row.status != "confirmed" else 0,
    ),
)


def make_figures(
    rows: Sequence[CaseCount], facts: Mapping[str, int], messages: Sequence[MessageCount], as_of: datetime
) -> Figures:
    """All figures of this service."""
    cases = sum(row.cases for row in rows)
    counted = (
        Figure(
            name="sightings",
            unit="sightings",
            as_of=as_of,
            definition="Times a need that has a case was reported.",
            numerator=sum(row.sightings for row in rows),
        ),
        Figure(
            name="cases_reopened",
            unit="cases",
            as_of=as_of,
            definition="Times the next visit saw a resolved need again, out of the times one was resolved or reviewed.",
            numerator=facts.get("case-reopened", 0),
            denominator=facts.get("case-resolved", 0),
        ),
        Figure(
            name="cases_rerouted",
            unit="cases",
            as_of=as_of,
            definition="Times an office rejected a case, out of all cases.",
            numerator=facts.get("case-rerouted", 0),
            denominator=cases,
        ),
        _of_messages(messages, as_of),
    )
    return Figures(service="notifications", figures=(*(_figure(one, rows, as_of) for one in _MEASURES), *counted))


def _figure(measure: _Measure, rows: Sequence[CaseCount], as_of: datetime) -> Figure:
    measured = [row for row in rows if measure.of(row)]
    total = _cell(measure, measured)
    return Figure(
        name=measure.name,
        unit="cases",
        as_of=as_of,
        definition=measure.definition,
        numerator=total.numerator,
        denominator=total.denominator,
        by={name: _cells(measure, measured, key) for name, key in _BY.items()},
    )


def _cells(measure: _Measure, rows: Sequence[CaseCount], key: Callable[[CaseCount], str]) -> dict[str, Cell]:
    groups: defaultdict[str, list[CaseCount]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {name: _cell(measure, group) for name, group in sorted(groups.items())}


def _cell(measure: _Measure, rows: Sequence[CaseCount]) -> Cell:
    return Cell(
        numerator=sum(measure.counted(row) for row in rows), denominator=sum(measure.out_of(row) for row in rows)
    )


def _of_messages(messages: Sequence[MessageCount], as_of: datetime) -> Figure:
    by_channel: defaultdict[str, int] = defaultdict(int)
    by_kind: defaultdict[str, int] = defaultdict(int)
    for row in messages:
        by_channel[f"{row.channel},{row.status}"] += row.messages
        by_kind[row.kind] += row.messages
    return Figure(
        name="messages_sent",
        unit="messages",
        as_of=as_of,
        definition=(
            "Messages that their channel took, out of all that were due in the span; they are kept for 400 days."
        ),
        numerator=sum(row.messages for row in messages if row.status == "sent"),
        denominator=sum(row.messages for row in messages),
        by={
            "channel,status": {key: Cell(numerator=count) for key, count in sorted(by_channel.items())},
            "kind": {key: Cell(numerator=count) for key, count in sorted(by_kind.items())},
        },
    )
