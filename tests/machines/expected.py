"""What rules 22 to 24 say of a case, computed from its dates alone: what the machine of the clocks compares with.

Nothing of the service is used here but its policy: working days are counted from a list of days off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count, islice
from typing import Final

from contracts.events import Case, CaseAtRisk, CaseEscalated, CaseResolved, CaseWaiting
from tests.notifications.builders import POLICY

TOP: Final = 3
REVIEW: Final = timedelta(days=30)
WEEKEND: Final = (5, 6)
# Weekdays from September 2026 on that nobody works: public holidays and joint leave, as decreed.
DAYS_OFF: Final = frozenset(
    date(2026, 12, day) for day in (24, 25)
) | {
    date(2027, month, day)
    for month, days in {
        1: (1, 5), 2: (5,), 3: (8, 9, 10, 11, 12, 15, 25, 26), 5: (6, 17, 18, 19, 20), 6: (1,), 8: (17,), 12: (24,)
    }.items()
    for day in days
}  # fmt: skip


@dataclass(frozen=True)
class Followed:
    """A case, and what its newest fact does not say."""

    case: Case
    started_at: datetime
    """Of its clocks; later by what they stood still."""
    watched_from: datetime
    """Since when the running clock is the one that counts: being at risk before is no news."""
    base_level: int = 0
    """Level it started from: 1 when all offices have rejected it."""
    waiting_since: datetime | None = None
    told_risk: bool = False

    @property
    def is_running(self) -> bool:
        return self.case.status in ("open", "accepted")

    @property
    def due(self) -> datetime:
        return self.case.first_answer_due_at if self.case.answered_at is None else self.case.done_due_at

    @property
    def risk_at(self) -> datetime:
        """80 % of the time from the start to the end."""
        return self.started_at + (self.due - self.started_at) * 4 / 5

    def raises(self) -> Iterator[datetime]:
        """When it goes one level up: at the end, then each half period."""
        rule, at = POLICY.need[self.case.need], self.due
        period = rule.first_answer if self.case.answered_at is None else rule.done
        yield at
        for number in count(1):
            half = -(-period // 2) * number
            yield at + timedelta(hours=period) / 2 * number if rule.critical else working_days_after(at, half)

    def level_at(self, now: datetime) -> int:
        passed = 0
        for at in self.raises():
            if at > now or self.base_level + passed >= TOP:
                break
            passed += 1
        return min(self.base_level + passed, TOP)

    def first_date(self, now: datetime) -> datetime:
        """What its clock looks at when it starts or goes on: what is over already too, but not that it was at risk."""
        return self.risk_at if self.risk_at > now else self.due

    def next_date(self, now: datetime) -> datetime:
        """What its clock looks at after all that has passed."""
        return self.risk_at if self.risk_at > now else next(at for at in self.raises() if at > now)

    def list_date(self, now: datetime) -> datetime:
        """At the highest level, when the next weekly list is drawn up: an hour before Monday's digest at 7."""
        local = now.astimezone(POLICY.zone)
        monday = datetime.combine(local.date() - timedelta(days=local.weekday()), time(6), POLICY.zone)
        return monday if monday > now else monday + timedelta(days=7)

    def dates(self) -> tuple[datetime, ...]:
        """Everything that may happen to it by itself."""
        review = (self.case.next_date,) if self.case.next_date else ()
        return (*review, self.risk_at, *islice(self.raises(), TOP))

    def passes(self, now: datetime) -> tuple[type[Case], ...]:
        """The facts of all that has happened to it by itself until now."""
        case = self.case
        if not self.is_running or case.escalation_level >= TOP:
            kinds: dict[str, type[Case]] = {"waiting": CaseWaiting, "resolved": CaseResolved}
            is_due = case.next_date is not None and case.next_date <= now
            return (kinds.get(case.status, CaseEscalated),) if is_due else ()
        risk = (CaseAtRisk,) if self.watched_from < self.risk_at <= now and not self.told_risk else ()
        return (*risk, *[CaseEscalated] * (self.level_at(now) - case.escalation_level))


def due(need: str, start: datetime, periods: int) -> datetime:
    """Hours when the need is critical, else working days after the day of the start."""
    if POLICY.need[need].critical:
        return start + timedelta(hours=periods)
    return working_days_after(start, periods)


def working_days_after(start: datetime, days: int) -> datetime:
    """16:00 local on the n-th working day after a day."""
    day = start.astimezone(POLICY.zone).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() not in WEEKEND and day not in DAYS_OFF
    return datetime.combine(day, time(16), POLICY.zone)


def later(need: str, due_at: datetime, stood_still: timedelta) -> datetime:
    """The end of a clock that stood still: exactly later when critical, else the first 16:00 of a working day then."""
    end = due_at + stood_still
    if POLICY.need[need].critical:
        return end
    day_before = end - timedelta(days=1)
    same_day = working_days_after(day_before, 1)
    return same_day if same_day >= end else working_days_after(end, 1)


def next_office(case: Case) -> tuple[str, int]:
    """Who has it after a rejection, and from which level on: past the last one, the first at level 1."""
    route = POLICY.need[case.need].route
    place = route.index(case.responsible_office_id) + 1
    return (route[place], 0) if place < len(route) else (route[0], 1)
