"""Rounds (rules 15, 18, 19): what opens one, its window, its reporting month, its floor. Pure."""

from calendar import monthrange
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Final

from contracts.events import FloorAtRisk, Round, RoundClosed, RoundOpened
from contracts.refusals import RefusalCode
from contracts.submissions import RoundSubmitted
from policies import Policy

_WEEK_DAYS: Final = 7
_WEEKS: Final = 4


@dataclass(frozen=True, slots=True)
class RoundCounts:
    """What a round's next fact counts."""

    additions: int
    removals: int
    delivered: int


def refuse_round(submission: RoundSubmitted, policy: Policy) -> tuple[RefusalCode, str] | None:
    """Why this round cannot be opened, with the field; None when it can."""
    programme = policy.programme.get(submission.programme)
    if programme is None:
        return RefusalCode.UNKNOWN_PROGRAMME, "programme"
    if ("-w" in submission.period) != (programme.period == "week"):
        return RefusalCode.INVALID_FIELD, "period"
    if not first_day(submission.period) - timedelta(days=_WEEK_DAYS) <= submission.opens_on <= submission.closes_on:
        return RefusalCode.INVALID_FIELD, "opens_on"
    if submission.closes_on > last_day(submission.period[:7]):
        return RefusalCode.INVALID_FIELD, "closes_on"  # a round belongs to one reporting month
    return None


def open_round(submission: RoundSubmitted, policy: Policy, now: datetime, recipients: int) -> RoundOpened:
    """The recipients are frozen."""
    return RoundOpened(
        version=1,
        round_id=submission.round_id,
        programme=submission.programme,
        period=submission.period,
        month=submission.period[:7],
        status="open",
        opens_on=submission.opens_on,
        closes_on=submission.closes_on,
        recipients_as_of=now,
        rule_version=policy.version,
        decree=submission.decree,
        recipients=recipients,
        additions=0,
        removals=0,
        floor=policy.programme[submission.programme].floor,
        delivered=0,
    )


def close_round(current: Round, counts: RoundCounts) -> RoundClosed:
    """The window and its days of grace are over."""
    return current.then(RoundClosed, **asdict(counts), status="closed")


def warn_of_floor(current: Round, percent: int, counts: RoundCounts) -> FloorAtRisk | None:
    """At this percent of the window: an alarm when less than that share of the floor is delivered (rule 19)."""
    if counts.delivered * 100 >= current.floor * percent:
        return None
    return current.then(FloorAtRisk, **asdict(counts), at_percent=percent)


def percent_passed(current: Round, now: datetime, policy: Policy) -> int:
    """How much of the round's own window is over, by the regency's clock."""
    start = datetime.combine(current.opens_on, datetime.min.time(), policy.zone)
    end = datetime.combine(current.closes_on + timedelta(days=1), datetime.min.time(), policy.zone)
    return max(0, min(100, int((now - start) * 100 / (end - start))))


def is_over(current: Round, today: date, grace_days: int) -> bool:
    """Whether nothing more is expected but late proof."""
    return today > current.closes_on + timedelta(days=grace_days)


def is_late(period: str, received_on: date) -> bool:
    """Whether proof came after the month it belongs to had ended (rule 17)."""
    return received_on > last_day(period[:7])


def week_of(period: str) -> int:
    """1 to 4."""
    return int(period[-1])


def period_before(period: str) -> str:
    """The week before; of week 1 the last one of the month before."""
    if (week := week_of(period)) > 1:
        return f"{period[:-1]}{week - 1}"
    before = first_day(period[:7]) - timedelta(days=1)
    return f"{before:%Y-%m}-w{_WEEKS}"


def first_day(period: str) -> date:
    """Of a month, or of its week."""
    week = week_of(period) if "-w" in period else 1
    return date(int(period[:4]), int(period[5:7]), 1 + _WEEK_DAYS * (week - 1))


def last_day(month: str) -> date:
    """Of a month."""
    year, number = int(month[:4]), int(month[5:7])
    return date(year, number, monthrange(year, number)[1])
