"""What an office answers (rule 24): accepted, rejected to the next one, waiting, resolved. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from contracts.events import Case, CaseAccepted, CaseRerouted, CaseResolved, CaseWaiting
from contracts.refusals import RefusalCode
from policies import NeedRule, Policy
from services.notifications import clocks
from services.notifications.cases import Held, fact_of, restart
from services.notifications.clocks import Clock, ClockName

Step = Literal["accepted", "rejected", "waiting_budget", "waiting_household", "resolved"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an office says of a case."""

    step: Step
    office_id: str
    reason: str | None
    received_at: datetime
    """When it reached us: this decides whether a deadline was met, and what "after the resolution" means."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Where cases wait for budget: an office's for one need."""

    regency: str
    office_id: str
    need: str


def queue_of(case: Case) -> Queue:
    """The queue a case stands in when it waits for budget."""
    return Queue(case.district[:5], case.responsible_office_id, case.need)


def answer(held: Held, given: Answer, queue_place: int, policy: Policy, now: datetime) -> Held | RefusalCode | None:
    """What an office's answer makes of a case (rule 24); None when the case is there already.

    `queue_place` is the one it gets if it waits for budget now.
    """
    case = held.case
    if given.office_id != case.responsible_office_id:
        return RefusalCode.NOT_THE_OFFICE
    if given.step in (case.status, f"waiting_{case.waiting_for}"):
        return None
    if case.status in ("resolved", "confirmed"):
        return RefusalCode.WRONG_STATE
    return _moved(held, given, queue_place, policy, now)


def route_from(case: Case, rule: NeedRule) -> tuple[str, int]:
    """The office after the one that rejected and the level it starts at: past the last, the first at level 1."""
    offices = list(rule.route)
    place = offices.index(case.responsible_office_id) if case.responsible_office_id in offices else len(offices) - 1
    return (offices[place + 1], 0) if place + 1 < len(offices) else (offices[0], 1)


def _moved(held: Held, given: Answer, queue_place: int, policy: Policy, now: datetime) -> Held | RefusalCode:
    match given.step:
        case "accepted":
            return _accepted(held, given, policy, now)
        case "rejected":
            return _rerouted(held, given, policy, now)
        case "resolved":
            return _resolved(held, given, policy, now)
        case "waiting_budget" | "waiting_household":
            return _waiting(held, given, queue_place, policy, now)


def _accepted(held: Held, given: Answer, policy: Policy, now: datetime) -> Held:
    """Its second clock runs; after waiting, later by as long as it stood still."""
    rule, started_at, done = policy.need[held.case.need], held.started_at, held.case.done_due_at
    if held.waiting_since is not None:
        stood_still = now - held.waiting_since
        started_at, done = started_at + stood_still, clocks.resumed(done, stood_still, rule, policy)
    accepted = fact_of(
        CaseAccepted,
        held,
        status="accepted",
        answered_at=held.case.answered_at or given.received_at,
        done_due_at=done,
        next_date=clocks.first_date(Clock(ClockName.DONE, started_at, done, rule), policy, now),
        escalation_level=0,
        waiting_for=None,
        queue_place=None,
    )
    return replace(held, case=accepted, started_at=started_at, waiting_since=None)


def _rerouted(held: Held, given: Answer, policy: Policy, now: datetime) -> Held | RefusalCode:
    if given.reason is None:
        return RefusalCode.REASON_NEEDED
    office_id, level = route_from(held.case, policy.need[held.case.need])
    return restart(
        CaseRerouted,
        held,
        policy,
        now,
        responsible_office_id=office_id,
        escalation_level=level,
        from_office_id=given.office_id,
        reason=given.reason,
    )


def _waiting(held: Held, given: Answer, queue_place: int, policy: Policy, now: datetime) -> Held:
    """The clock stands; it was stopped before when it only waits for something else now."""
    for_budget = given.step == "waiting_budget"
    waiting = fact_of(
        CaseWaiting,
        held,
        status="waiting",
        answered_at=held.case.answered_at or given.received_at,
        next_date=clocks.review_at(now, policy),
        escalation_level=0,
        waiting_for="budget" if for_budget else "household",
        queue_place=queue_place if for_budget else None,
    )
    return replace(held, case=waiting, waiting_since=held.waiting_since or now)


def _resolved(held: Held, given: Answer, policy: Policy, now: datetime) -> Held:
    """Done, says the office; the review date is for a next visit that does not come."""
    resolved = fact_of(
        CaseResolved,
        held,
        status="resolved",
        answered_at=held.case.answered_at or given.received_at,
        resolved_at=given.received_at,
        next_date=clocks.review_at(now, policy),
        escalation_level=0,
        waiting_for=None,
        queue_place=None,
    )
    return replace(held, case=resolved, waiting_since=None)
