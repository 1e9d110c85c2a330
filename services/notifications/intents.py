"""What has to be told to whom, and when (rules 18, 19, 21, 23, 25). Pure.

An intent is about a thing and an occasion: of a case the start of its clocks, or the fact that comes again while it
waits or stands on the weekly list; of anything else the version of the fact.
It is made in the transaction of the fact that causes it, exists once for ever, and says nothing that names a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from contracts.events import (
    Case,
    CaseAtRisk,
    CaseEscalated,
    CaseOpened,
    CaseReopened,
    CaseRerouted,
    PackageFailed,
)
from policies import Policy
from services.notifications import clocks
from services.notifications.cases import Held
from services.notifications.clocks import TOP_LEVEL
from services.notifications.watching import Passed

_CALENDARS: Final = UUID("6f1c7c62-52f4-4c0e-9d5e-0d4a3f0a7c11")  # namespace of calendar years as things


class Kind(StrEnum):
    """What is told; each has its texts."""

    CASE_OPENED = "case_opened"
    CASE_REROUTED = "case_rerouted"
    CASE_REOPENED = "case_reopened"
    FIRST_ANSWER_AT_RISK = "first_answer_at_risk"
    DONE_AT_RISK = "done_at_risk"
    FIRST_ANSWER_BREACHED = "first_answer_breached"
    DONE_BREACHED = "done_breached"
    CASE_WAITS = "case_waits"
    CASE_UNCONFIRMED = "case_unconfirmed"
    VISIT_OVERDUE = "visit_overdue"
    HOUSEHOLD_UNSERVED = "household_unserved"
    PACKAGE_FAILED = "package_failed"
    SUPPLY_GAP = "supply_gap"
    FLOOR_AT_RISK = "floor_at_risk"
    LOT_RECALLED = "lot_recalled"
    LOT_EXPIRING = "lot_expiring"
    STOCK_LOW = "stock_low"
    CALENDAR_UNKNOWN = "calendar_unknown"


_STARTS: Final[Mapping[type[Case], Kind]] = MappingProxyType(
    {CaseOpened: Kind.CASE_OPENED, CaseReopened: Kind.CASE_REOPENED, CaseRerouted: Kind.CASE_REROUTED}
)


class About(BaseModel):
    """Ids, codes and counts that a text may use; the recipient's own app asks the registry for names."""

    model_config = ConfigDict(frozen=True)

    case_id: UUID | None = None
    household_id: UUID | None = None
    need: str | None = None
    office_id: str | None = None
    district: str | None = None
    due_at: datetime | None = None
    period: str | None = None
    programme: str | None = None
    reason: str | None = None
    depot_id: str | None = None
    item: str | None = None
    lot_id: UUID | None = None
    percent: int | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing to be told to one recipient."""

    thing_id: UUID
    occasion: int
    kind: Kind
    level: int
    recipient_id: str
    regency: str
    channel: str
    urgent: bool
    """A message of its own, at once; else part of the recipient's digest."""
    due_at: datetime
    case_id: UUID | None
    correlationid: str
    about: About


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell, before it is said to whom."""

    thing_id: UUID
    occasion: int
    kind: Kind
    correlationid: str
    about: About
    level: int = 0
    urgent: bool = False


def tell(news: News, recipients: Iterable[str], policy: Policy, at: datetime) -> tuple[Intent, ...]:
    """One intent a recipient; what is not urgent waits for the next daily digest."""
    due_at = at if news.urgent else clocks.next_digest_at(at, policy)
    return tuple(_intent(news, recipient_id, policy, due_at) for recipient_id in dict.fromkeys(recipients))


def tell_of_start(held: Held, policy: Policy, now: datetime) -> tuple[Intent, ...]:
    """A case whose clocks start is told to its desk, and to the head of an office it came round to again."""
    kind = _STARTS.get(type(held.case))
    if kind is None:
        return ()
    office = policy.office[held.case.responsible_office_id]
    recipients = (office.desk, office.head) if held.case.escalation_level else (office.desk,)
    told = tuple(_case_intent(held, kind, recipient_id, policy, now) for recipient_id in recipients)
    return told + _tell_unknown_calendar(held, policy, now)


def tell_of_date(passed: Passed, policy: Policy, now: datetime) -> tuple[Intent, ...]:
    """A breach is told one level up, anything else to the desk.

    Nothing when the date is longer ago than an intent lives: after an absence the facts are stated, old alarms are not.
    The head of region gets a weekly list and never an alarm: of the cases that stand at the highest level when it is
    drawn up, not when they get there. Above the office restricted cases are only counted.
    """
    held, case = passed.held, passed.held.case
    if now - passed.at >= timedelta(hours=policy.cases.intent_hours):
        return ()
    if passed.raised and case.escalation_level == TOP_LEVEL:
        return ()
    office = policy.office[case.responsible_office_id]
    match case:
        case CaseEscalated(clock=clock):
            by_level = (office.desk, office.head, policy.regional_secretary, policy.head_of_region)
            return (_case_intent(held, Kind(f"{clock}_breached"), by_level[case.escalation_level], policy, passed.at),)
        case CaseAtRisk(clock=clock):
            return (_case_intent(held, Kind(f"{clock}_at_risk"), office.desk, policy, passed.at),)
    kind = Kind.CASE_WAITS if case.status == "waiting" else Kind.CASE_UNCONFIRMED
    return (_case_intent(held, kind, office.desk, policy, passed.at),)


def tell_of_failure(package: PackageFailed, correlationid: str, policy: Policy, now: datetime) -> tuple[Intent, ...]:
    """A supply gap or a package that finally failed, for the coordinator; a missed week is neither."""
    is_weekly = policy.programme[package.programme].period == "week"
    if not package.supply_gap and (is_weekly or not package.final):
        return ()
    kind = Kind.SUPPLY_GAP if package.supply_gap else Kind.PACKAGE_FAILED
    about = About(
        household_id=package.household_id,
        district=package.district,
        period=package.period,
        programme=package.programme,
        reason=package.failure_reason,
    )
    news = News(package.package_id, package.version, kind, correlationid, about)
    return tell(news, [policy.district[package.district].coordinator], policy, now)


def _tell_unknown_calendar(held: Held, policy: Policy, now: datetime) -> tuple[Intent, ...]:
    """An alarm for the operator: in a year without decreed holidays due dates leave out weekends only.

    Once a regency and year; when the decree is in, cases that start their clocks afterwards use it.
    """
    if held.case.critical:
        return ()
    intents: tuple[Intent, ...] = ()
    for year in clocks.unknown_years(held.started_at, held.case.done_due_at, policy):
        calendar_id = uuid5(_CALENDARS, f"{policy.regency}/{year}")
        news = News(calendar_id, year, Kind.CALENDAR_UNKNOWN, held.correlationid, About(year=year), urgent=True)
        intents += tell(news, [policy.operator], policy, now)
    return intents


def _case_intent(held: Held, kind: Kind, recipient_id: str, policy: Policy, at: datetime) -> Intent:
    case = held.case
    weekly = recipient_id == policy.head_of_region
    is_above = weekly or recipient_id == policy.regional_secretary
    news = News(
        thing_id=case.case_id,
        occasion=case.version if weekly or kind in (Kind.CASE_WAITS, Kind.CASE_UNCONFIRMED) else held.episode,
        kind=kind,
        correlationid=held.correlationid,
        about=About() if case.restricted and is_above else _about(case),
        level=case.escalation_level,
        urgent=case.critical and not weekly,
    )
    due_at = at if news.urgent else clocks.next_digest_at(at, policy)
    return _intent(news, recipient_id, policy, clocks.next_weekly_list_at(at, policy) if weekly else due_at)


def _about(case: Case) -> About:
    due = case.first_answer_due_at if case.answered_at is None else case.done_due_at
    return About(
        case_id=case.case_id,
        household_id=case.household_id,
        need=case.need,
        office_id=case.responsible_office_id,
        district=case.district,
        due_at=due,
    )


def _intent(news: News, recipient_id: str, policy: Policy, due_at: datetime) -> Intent:
    return Intent(
        thing_id=news.thing_id,
        occasion=news.occasion,
        kind=news.kind,
        level=news.level,
        recipient_id=recipient_id,
        regency=policy.regency,
        channel="webhook" if recipient_id in policy.webhook else "file",
        urgent=news.urgent,
        due_at=due_at,
        case_id=news.about.case_id,
        correlationid=news.correlationid,
        about=news.about,
    )
