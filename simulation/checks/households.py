"""Every eligible household has its one carer, always."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import lokal

from contracts import events as e
from simulation.evidence import Evidence

_SLACK: Final = timedelta(minutes=15)  # programme time goes on while a step is played


def rows_became_households(evidence: Evidence) -> list[str]:
    """Each clean row its own household, eligible for every programme of its decile that nobody ended; a repeat none."""
    month, outside = evidence.played.month, evidence.played.outside
    broken = []
    for row in month.world.rows:
        household_id = outside.household.get(row.number)
        state = evidence.history.households.get(household_id or "")
        if row.eligible and row.number not in month.fate.life:
            held = set() if state is None else {given["programme"] for given in state["eligibilities"]}
            ended = {programme for number, programme in month.decisions.ended if number == row.number}
            if held != set(month.world.policy.programme) - ended:
                broken.append(f"row {row.number}, household {household_id}: has {sorted(held)}")
        if row.kind == "other_decile" and (state is None or state["eligibilities"]):
            broken.append(f"row {row.number}, household {household_id}: is not poorest, yet eligible or not registered")
    known = len({*outside.household.values()})
    return broken if known == len(outside.household) else [*broken, "two rows became one household that are not one"]


def eligible_households_have_a_carer(evidence: Evidence) -> list[str]:
    """Exactly one, or a reason why not (rule 9)."""
    broken = []
    for household_id, state in evidence.history.households.items():
        told = evidence.history.assignments.get(household_id)
        newest = told[-1] if told else None
        served = newest is not None and (newest.state["carer_id"] is not None or newest.event is e.HouseholdUnserved)
        if state["status"] == "registered" and state["eligibilities"]:
            if not served:
                broken.append(f"household {household_id}: eligible, without a carer and without a reason")
        elif newest is not None and newest.event is not e.AssignmentEnded:
            broken.append(f"household {household_id}: is served, and should not be")
    return broken


def carers_who_leave_hand_over(evidence: Evidence) -> list[str]:
    """Within one working day, and nobody is left without a carer in between (rule 11)."""
    left, broken = evidence.played.left, []
    for household_id, told in evidence.history.assignments.items():
        for before, after in pairwise(told):
            carer_id = before.state["carer_id"]
            if carer_id in left:
                since = datetime.fromisoformat(after.state["since"])
                if since > _working_day_after(left[carer_id]) and after.event is e.HouseholdAssigned:
                    broken.append(f"household {household_id}: carer {carer_id} left, handed over only at {since}")
        newest = told[-1]
        if newest.event is e.HouseholdAssigned and newest.state["carer_id"] in left:
            broken.append(f"household {household_id}: still with carer {newest.state['carer_id']}, who left")
    return broken


def nobody_serves_their_own(evidence: Evidence) -> list[str]:
    """Neither their own household nor a relative's (rule 8)."""
    world, outside = evidence.played.month.world, evidence.played.outside
    broken: list[str] = []
    by_card = {household.family_card: number for number, household in world.households.items()}
    for carer in world.carers:
        for card in (carer.family_card, *carer.relatives_cards):
            household_id = outside.household.get(by_card.get(card, -1))
            carer_id = outside.carer.get(carer.number)
            broken.extend(
                f"household {household_id}: carer {carer_id} may not look after it"
                for told in evidence.history.assignments.get(household_id or "", ())
                if carer_id is not None and told.state["carer_id"] == carer_id
            )
    return broken


def _working_day_after(moment: datetime) -> datetime:
    day = moment + timedelta(days=1)
    while not lokal.is_working_day(day.date()):
        day += timedelta(days=1)
    return day + _SLACK
