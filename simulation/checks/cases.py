"""Every need seen has its one case, every case a next date or an end, and the critical ones were told at once."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from contracts import events as e
from simulation.evidence import Evidence
from simulation.history import Told

Key = tuple[str, str | None, str]
"""Household, person, need."""

_TOLD_WITHIN: Final = timedelta(hours=2)
_KNOWN_OTHERWISE: Final = frozenset({"documents", "eligibility_doubted", "not_on_list"})
"""From the register, from reviews, from neighbour checks: no carer has to see them."""


def needs_seen_have_one_case(evidence: Evidence) -> list[str]:
    """However often a need was reported; another case only after the one before was confirmed (rule 22).

    What the register says of a household is seen too: no valid NIK of its head, a review (rules 1 and 4).
    """
    by_key: dict[Key, list[list[Told]]] = defaultdict(list)
    for told in evidence.history.cases.values():
        state = told[0].state
        by_key[state["household_id"], state["person_id"], state["need"]].append(told)
    seen = _seen(evidence) | _said_by_the_register(evidence)
    broken = [f"need {key[2]} of household {key[0]}: seen, and no case" for key in seen if key not in by_key]
    for key, cases in by_key.items():
        ordered = sorted(cases, key=lambda told: datetime.fromisoformat(told[0].state["opened_at"]))
        for before, after in pairwise(ordered):
            if before[-1].state["status"] != "confirmed":
                broken.append(
                    f"need {key[2]} of household {key[0]}: two cases, {after[0].state['case_id']} and an open one"
                )
    return broken


def cases_stand_for_a_need(evidence: Evidence) -> list[str]:
    """None was opened for what nobody saw, or for what an enrolment met."""
    seen = {(household, need) for household, _, need in _seen(evidence)}
    if "notifications" in evidence.played.away:  # it met visits and enrolments at once, in whatever order
        known = evidence.played.outside.household
        seen |= {(known[sighting.number], sighting.need) for sighting in evidence.played.month.visits.seen}
    broken = []
    for case_id, told in evidence.history.cases.items():
        state = told[0].state
        if (state["household_id"], state["need"]) not in seen and state["need"] not in _KNOWN_OTHERWISE:
            broken.append(f"case {case_id}: nobody saw {state['need']} at household {state['household_id']}")
    return broken


def cases_have_a_next_date_or_an_end(evidence: Evidence) -> list[str]:
    """No open case is ever without one (rule 23)."""
    return [
        f"case {case_id}: {told.event.type} without a next date"
        for case_id, history in evidence.history.cases.items()
        for told in history
        if told.state["status"] != "confirmed" and told.state["next_date"] is None
    ]


def critical_cases_were_told_in_time(evidence: Evidence) -> list[str]:
    """To somebody, within the hours of the first answer (rule 25)."""
    broken = []
    for case_id, told in evidence.history.cases.items():
        opened_at = datetime.fromisoformat(told[0].state["opened_at"])
        sent = evidence.history.told.get(case_id, [])
        if told[0].state["critical"] and not any(at <= opened_at + _TOLD_WITHIN for at in sent):
            broken.append(f"case {case_id}: critical, opened at {opened_at}, told at {min(sent, default='no time')}")
    return broken


def answers_reached_their_case(evidence: Evidence) -> list[str]:
    """Whatever an office said, and was accepted, is in the history of its case."""
    events = {
        "accepted": e.CaseAccepted,
        "rejected": e.CaseRerouted,
        "waiting_budget": e.CaseWaiting,
        "resolved": e.CaseResolved,
    }
    broken = []
    for (source, claim_id), outcome in evidence.outcomes.items():
        if claim_id.startswith("case-") and outcome.outcome == "accepted":
            case_id, step = claim_id[len("case-") :].rsplit("-", 2)[0::2]
            if not any(told.event is events[step] for told in evidence.history.cases.get(case_id, ())):
                broken.append(f"case {case_id}: {source} said {step}, and it is not in its history")
    return broken


def _seen(evidence: Evidence) -> set[Key]:
    """Needs at doors and on neighbour checks that no enrolment meets."""
    played, policy = evidence.played, evidence.played.month.world.policy
    seen: set[Key] = set()
    for sighting in played.month.visits.seen:
        aid = played.month.fate.enrolments
        if not any(sighting.number in aid.get(programme, ()) for programme in policy.need[sighting.need].met_by):
            seen.add((played.outside.household[sighting.number], sighting.person_id, sighting.need))
    return seen


def _said_by_the_register(evidence: Evidence) -> set[Key]:
    """Needs of households as their newest facts say them."""
    needs: set[Key] = set()
    for household_id, state in evidence.history.households.items():
        if state["status"] == "registered":
            needs |= {(household_id, None, "documents")} if state["nik_status"] != "valid" else set()
            needs |= {(household_id, None, "eligibility_doubted")} if state["review_reason"] is not None else set()
    return needs
