"""Cases: what opens one, and what the next visit says of it (rules 22, 24, 26). Pure; answers are in `answers.py`.

Every function returns the case as it is held afterwards; its `case` is the fact that says so. A sighting alone is no
fact: it is counted here at once and stated with the case's next fact.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from contracts.events import (
    Case,
    CaseConfirmed,
    CaseOpened,
    CaseReopened,
    Enrolment,
)
from policies import NeedRule, Policy
from services.notifications import clocks
from services.notifications.clocks import Clock, ClockName

FactT = TypeVar("FactT", bound=Case)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody said that a need is there."""

    source_id: UUID
    """The visit, household or package that says so."""
    household_id: UUID
    person_id: UUID | None
    need: str
    district: str
    seen_at: datetime
    at_the_door: bool
    """A visit that happened: only such a one reopens."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A source counted once for a case, however often it says the same."""

    source_id: UUID
    case_id: UUID


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


def open_case(sighting: Sighting, case_id: UUID, correlationid: str, policy: Policy, now: datetime) -> Held:
    """A need becomes a case of the first office of its route; its clocks start now, not when it was seen."""
    rule = policy.need[sighting.need]
    first, done = _due(now, rule, policy)
    opened = CaseOpened(
        version=1,
        case_id=case_id,
        household_id=sighting.household_id,
        person_id=sighting.person_id,
        district=sighting.district,
        need=sighting.need,
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
    return Held(opened, 1, now, 1, None, correlationid)


def is_met(need: str, enrolments: Iterable[Enrolment], policy: Policy, today: date) -> bool:
    """A running enrolment known now meets the need: no case opens (rule 26). One that comes later closes nothing."""
    return any(
        enrolment.programme in policy.need[need].met_by
        and enrolment.since <= today
        and (enrolment.until is None or today <= enrolment.until)
        for enrolment in enrolments
    )


def find_case(sighting: Sighting, cases: Iterable[Held]) -> Held | None:
    """The case a sighting belongs to: the open one, else one confirmed whose resolution came after the sighting."""
    same = [
        held
        for held in cases
        if (held.case.household_id, held.case.person_id, held.case.need)
        == (sighting.household_id, sighting.person_id, sighting.need)
    ]
    still_open = [held for held in same if held.case.status != "confirmed"]
    covered = [held for held in same if held.case.resolved_at and sighting.seen_at <= held.case.resolved_at]
    return next(iter(still_open + covered), None)


def look_again(held: Held, sighting: Sighting, policy: Policy, now: datetime) -> Held:
    """A need that has its case already: seen at the door after the resolution it reopens, else it changes nothing."""
    if held.case.status == "resolved" and sighting.at_the_door and _is_after(held.case, sighting.seen_at):
        return restart(CaseReopened, held, policy, now)
    return held


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
    counted = {"version": held.case.version + 1, "sightings": held.sightings}
    return kind(**(dict(held.case) | counted | changes))


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
