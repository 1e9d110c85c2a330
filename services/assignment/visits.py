"""Visits: which period one belongs to, who may report it, and which are missing. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.events import VisitOverdue, VisitReported
from contracts.refusals import RefusalCode
from contracts.submissions import VisitSubmitted
from services.assignment.domain import Tenure

PeriodKind = Literal["month", "week"]
_LAST_WEEK: Final = 4  # from day 22 to the end of the month


@dataclass(frozen=True, slots=True)
class Visited:
    """What deciding a report needs to know of its household."""

    household_id: UUID
    regency: str
    status: str
    district: str
    carer_id: UUID | None


@dataclass(frozen=True, slots=True)
class KnownVisit:
    """A visit reported before."""

    household_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A household without a visit that happened, at the end of a period."""

    household_id: UUID
    carer_id: UUID
    district: str


@dataclass(frozen=True, slots=True)
class Due:
    """A missing visit whose time to be told to the coordinator has come."""

    regency: str
    visit: VisitOverdue
    still_missing: bool
    """It has not been reported since, and the household is still served."""


@lru_cache(100)
def period_of(day: date, kind: PeriodKind) -> str:
    """`2026-10-w2`, or `2026-10` where visits are monthly."""
    month = f"{day:%Y-%m}"
    return month if kind == "month" else f"{month}-w{min((day.day - 1) // 7 + 1, _LAST_WEEK)}"


def first_day(period: str) -> date:
    """Of a week or a month."""
    year, month, *week = period.split("-")
    return date(int(year), int(month), 7 * int(week[0][1:]) - 6 if week else 1)


def day_after(period: str) -> date:
    """The first day of the next period."""
    start = first_day(period)
    if period[-2] == "w" and not period.endswith(f"w{_LAST_WEEK}"):
        return start + timedelta(days=7)
    return (start.replace(day=1) + timedelta(days=32)).replace(day=1)


def ended_periods(start: date, today: date, kind: PeriodKind) -> Iterator[str]:
    """Periods that are over, from the one of `start` on, in order."""
    period = period_of(start, kind)
    while (after := day_after(period)) <= today:
        yield period
        period = period_of(after, kind)


def refusal(
    report: VisitSubmitted, visited: Visited, known: KnownVisit | None, tenures: Iterable[Tenure]
) -> RefusalCode | None:
    """Why a report is not accepted.

    A correction may come by another way in than what it corrects, and overtake it: it says everything, so it is taken
    as the report, and the overtaken one is told that the visit has been reported. Where nobody is the carer, as of a
    provisional household, anybody may report (rule 6).
    """
    if known is not None and known.household_id != report.household_id:
        return RefusalCode.UNKNOWN_VISIT
    if known is not None and not report.correction:
        return RefusalCode.ALREADY_REPORTED
    if report.carer_id == visited.carer_id or _was_carer(report, tenures):
        return None
    if visited.carer_id is not None:
        return RefusalCode.NOT_THE_CARER
    return None if visited.status == "registered" else RefusalCode.HOUSEHOLD_GONE


def reported(
    report: VisitSubmitted, visited: Visited, known: KnownVisit | None, received_at: datetime, period: str
) -> VisitReported:
    """The visit as this report says it was."""
    return VisitReported.model_validate(
        {
            **vars(report),
            "version": known.version + 1 if known else 1,
            "district": visited.district,
            "period": period,
            "received_at": received_at,
            "answers": vars(report.answers),
            "needs": [vars(seen) for seen in report.needs],
        }
    )


def overdue(missing: Missing, period: str, visit_id: UUID) -> VisitOverdue:
    """Told to the carer first (rule 21)."""
    return VisitOverdue(
        version=1,
        visit_id=visit_id,
        household_id=missing.household_id,
        carer_id=missing.carer_id,
        district=missing.district,
        period=period,
        level="carer",
    )


def escalated(visit: VisitOverdue) -> VisitOverdue:
    """Then to the coordinator."""
    return visit.model_copy(update={"version": visit.version + 1, "level": "coordinator"})


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _was_carer(report: VisitSubmitted, tenures: Iterable[Tenure]) -> bool:
    return any(
        tenure.carer_id == report.carer_id and tenure.since <= report.happened_at < tenure.until for tenure in tenures
    )
