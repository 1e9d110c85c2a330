"""What passes when a case's next date is reached: at risk, one level up, a list, a review (rule 23). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from contracts.events import Case, CaseAtRisk, CaseEscalated, CaseResolved, CaseWaiting
from policies import Policy
from services.notifications import clocks
from services.notifications.cases import Held, fact_of
from services.notifications.clocks import TOP_LEVEL, Clock, ClockName


@dataclass(frozen=True, slots=True)
class Passed:
    """One date that passed: the case afterwards, and when it was due."""

    held: Held
    at: datetime
    raised: bool
    """It went one level up."""


def watch(held: Held, queue_place: int | None, policy: Policy, now: datetime) -> Iterator[Passed]:
    """All dates that passed, one after the other: after an absence several, each a fact of its own.

    `queue_place` is the present one of a case that waits for budget.
    """
    while held.case.next_date is not None and held.case.next_date <= now:
        at, level = held.case.next_date, held.case.escalation_level
        held = replace(held, case=_after(held, at, queue_place, policy, now))
        yield Passed(held, at, raised=held.case.escalation_level > level)


def running_clock(case: Case) -> ClockName:
    """The one that is watched: the first until it is answered, then the second."""
    return ClockName.FIRST_ANSWER if case.answered_at is None else ClockName.DONE


def _after(held: Held, at: datetime, queue_place: int | None, policy: Policy, now: datetime) -> Case:
    case = held.case
    review = clocks.review_at(now, policy)
    match case.status:
        case "waiting":
            return fact_of(CaseWaiting, held, next_date=review, queue_place=queue_place)
        case "resolved":
            return fact_of(CaseResolved, held, next_date=review)
    name = running_clock(case)
    weekly = clocks.next_list_drawn_at(now, policy)
    if case.escalation_level >= TOP_LEVEL:
        return fact_of(CaseEscalated, held, next_date=weekly, clock=name)
    due = case.first_answer_due_at if name is ClockName.FIRST_ANSWER else case.done_due_at
    steps = clocks.steps(Clock(name, held.started_at, due, policy.need[case.need]), policy)
    step, following = next((step, following) for step, following in pairwise(steps) if step.at >= at)
    if not step.raises:
        return fact_of(CaseAtRisk, held, next_date=following.at, clock=name)
    level = case.escalation_level + 1
    next_date = weekly if level == TOP_LEVEL else following.at
    return fact_of(CaseEscalated, held, next_date=next_date, escalation_level=level, clock=name)
