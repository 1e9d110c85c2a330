"""When an office must have answered, when the next one is told, and how a clock stands still (rule 23). Pure.

Critical needs run in hours, nights and holidays included. The others run in working days of the government's
Monday-to-Friday week: public holidays and joint leave do not count; due at the policy's hour on the n-th working day
after the day of opening.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

import lokal

from policies import NeedRule, Policy

TOP_LEVEL: Final = 3  # the head of region's weekly list
_SATURDAY: Final = 5
_DRAWN_UP: Final = timedelta(hours=1)  # before the weekly list is sent: it is whole, and of what still stands


class ClockName(StrEnum):
    """The two clocks of a case."""

    FIRST_ANSWER = "first_answer"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of a case."""

    name: ClockName
    start: datetime
    due: datetime
    rule: NeedRule

    @property
    def length(self) -> int:
        """Hours when critical, else working days."""
        return self.rule.first_answer if self.name is ClockName.FIRST_ANSWER else self.rule.done


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to an unanswered clock at a time: `raises` false is at risk, true is one level up."""

    at: datetime
    raises: bool


def due_at(start: datetime, periods: int, rule: NeedRule, policy: Policy) -> datetime:
    """End of `periods` hours (critical needs) or working days counted from the working day after `start`."""
    if rule.critical:
        return start + timedelta(hours=periods)
    return _working_days_later(start.astimezone(policy.zone).date(), periods, policy)


def steps(clock: Clock, policy: Policy) -> Iterator[Step]:
    """At risk, breached, and then one further step each half period, without end."""
    yield Step(clock.start + (clock.due - clock.start) * policy.cases.at_risk_percent / 100, raises=False)
    at = clock.due
    while True:
        yield Step(at, raises=True)
        if clock.rule.critical:
            at += timedelta(hours=clock.length) / 2
        else:
            at = _working_days_later(at.astimezone(policy.zone).date(), (clock.length + 1) // 2, policy)


def first_date(clock: Clock, policy: Policy, now: datetime) -> datetime:
    """The first step that is still news: a breach that is over already, but not that it was at risk."""
    return next(step.at for step in steps(clock, policy) if step.raises or step.at > now)


def resumed(due: datetime, stood_still: timedelta, rule: NeedRule, policy: Policy) -> datetime:
    """A due time after its clock stood still: as much later, at the due hour of a working day unless critical."""
    later = due + stood_still
    if rule.critical:
        return later
    local = later.astimezone(policy.zone)
    day_before = local.date() - timedelta(days=1)
    at = _working_days_later(day_before, 1, policy)
    return at if at >= later else _working_days_later(local.date(), 1, policy)


def review_at(now: datetime, policy: Policy) -> datetime:
    """When something without a running clock is looked at again."""
    return now + timedelta(days=policy.cases.waiting_review_days)


def next_digest_at(now: datetime, policy: Policy) -> datetime:
    """The next daily digest after now."""
    today = now.astimezone(policy.zone).date()
    at = _local(today, policy.cases.digest_hour, policy)
    return at if at > now else _local(today + timedelta(days=1), policy.cases.digest_hour, policy)


def next_weekly_list_at(now: datetime, policy: Policy) -> datetime:
    """The next Monday's digest after now."""
    day = next_digest_at(now, policy).astimezone(policy.zone).date()
    return _local(day + timedelta(days=-day.weekday() % 7), policy.cases.digest_hour, policy)


def next_list_drawn_at(now: datetime, policy: Policy) -> datetime:
    """When the next weekly list is drawn up that has not been yet."""
    return next_weekly_list_at(now + _DRAWN_UP, policy) - _DRAWN_UP


def unknown_years(start: datetime, due: datetime, policy: Policy) -> tuple[int, ...]:
    """Years between two times whose holidays nobody has decreed yet: there only weekends were left out."""
    first, last = (at.astimezone(policy.zone).year for at in (start, due))
    return tuple(year for year in range(first, last + 1) if year not in lokal.HOLIDAY_YEARS)


def _working_days_later(day: date, days: int, policy: Policy) -> datetime:
    while days:
        day += timedelta(days=1)
        days -= _is_working_day(day)
    return _local(day, policy.cases.due_hour, policy)


@cache
def _is_working_day(day: date) -> bool:
    """A year without decreed holidays has its weekends only; `unknown_years` tells, and the operator is alarmed."""
    if day.year not in lokal.HOLIDAY_YEARS:
        return day.weekday() < _SATURDAY
    return lokal.is_working_day(day)


def _local(day: date, hour: int, policy: Policy) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=policy.zone).astimezone(UTC)
