"""Cases: what opens one, and what the next visit says of it (rules 22, 24, 26). Pure; answers are in `answers.py`.

Every function returns the case as it is held afterwards; its `case` is the fact that says so. A sighting alone is no
fact: it is counted here at once and stated with the case's next fact.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from contracts.events import (
    Case,
    CaseConfirmed,
    CaseOpened,
    CaseReopened,
)
from policies import NeedRule, Policy
from services.notifications import clocks
from services.notifications.clocks import Clock, ClockName

FactT = TypeVar("FactT", bound=Case)


@dataclass(frozen=True, slots=True)
class Need:
    """What is needed, and by whom; `person_id` null: by the household."""

    code: str
    person_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewCase:
    """What a case is about."""

    case_id: UUID
    household_id: UUID
    district: str
    need: Need
    correlationid: str


@dataclass(frozen=True, slots=True)
class Held:
    """A case with what only this service knows of it."""

    case: Case
    sightings: int
    started_at: datetime
    """Start of the clocks; later by what they stood still."""
    episode: int
    """How often the clocks have started: opening, rerouting, reopening."""
    waiting_since: datetime | None
    correlationid: str


def open_case(new: NewCase, policy: Policy, now: datetime) -> Held:
    """A need becomes a case of the first office of its route; its clocks start now, not when it was seen."""
    rule = policy.need[new.need.code]
    first, done = _due(now, rule, policy)
    opened = CaseOpened(
        version=1,
        case_id=new.case_id,
        household_id=new.household_id,
        person_id=new.need.person_id,
        district=new.district,
        need=new.need.code,
        critical=rule.critical,
        restricted=rule.restricted,
        responsible_office_id=rule.route[0],
        status="open",
        sightings=1,
        opened_at=now,
        first_answer_due_at=first,
        done_due_at=done,
        answered_at=None,
        resolved_at=None,
        next_date=clocks.first_date(Clock(ClockName.FIRST_ANSWER, now, first, rule), policy, now),
        escalation_level=0,
        waiting_for=None,
        queue_place=None,
    )
    return Held(opened, 1, now, 1, None, new.correlationid)


def reopen(held: Held, happened_at: datetime, policy: Policy, now: datetime) -> Held:
    """A visit that happened after the resolution saw the need again; seen before it, nothing follows."""
    if held.case.status != "resolved" or not _is_after(held.case, happened_at):
        return held
    return restart(CaseReopened, held, policy, now)


def confirm(held: Held, happened_at: datetime) -> Held:
    """A visit that happened after the resolution did not see the need: the end."""
    if held.case.status != "resolved" or not _is_after(held.case, happened_at):
        return held
    return _ended(held, None)


def end(held: Held, reason: str) -> Held:
    """The household is gone: nobody is there to be helped, or to be asked."""
    return _ended(held, reason)


def restart(kind: type[FactT], held: Held, policy: Policy, now: datetime, **changes: Any) -> Held:
    """The clocks start anew: with another office, or because the need is still there."""
    rule = policy.need[held.case.need]
    first, done = _due(now, rule, policy)
    restarted = {
        "status": "open",
        "first_answer_due_at": first,
        "done_due_at": done,
        "answered_at": None,
        "resolved_at": None,
        "next_date": clocks.first_date(Clock(ClockName.FIRST_ANSWER, now, first, rule), policy, now),
        "escalation_level": 0,
        "waiting_for": None,
        "queue_place": None,
    }
    fact = fact_of(kind, held, **(restarted | changes))
    return replace(held, case=fact, started_at=now, episode=held.episode + 1, waiting_since=None)


def fact_of(kind: type[FactT], held: Held, **changes: Any) -> FactT:
    """The next fact about a case: what it was, with these changes."""
    return held.case.then(kind, sightings=held.sightings, **changes)


def _ended(held: Held, reason: str | None) -> Held:
    confirmed = fact_of(
        CaseConfirmed,
        held,
        status="confirmed",
        next_date=None,
        escalation_level=0,
        waiting_for=None,
        queue_place=None,
        reason=reason,
    )
    return replace(held, case=confirmed, waiting_since=None)


def _due(now: datetime, rule: NeedRule, policy: Policy) -> tuple[datetime, datetime]:
    return clocks.due_at(now, rule.first_answer, rule, policy), clocks.due_at(now, rule.done, rule, policy)


def _is_after(case: Case, happened_at: datetime) -> bool:
    return case.resolved_at is not None and happened_at > case.resolved_at
