"""What the registry does for each message: the table; the functions stand by subject in `*_handlers.py`."""

from functools import partial
from typing import Any

from contracts import events, submissions
from messaging import Handlers
from policies import Policies
from services.registry import carer_handlers, change_handlers, enrolment_handlers, household_handlers, right_handlers
from services.registry.vault import Vault


def handlers(policies: Policies, vault: Vault) -> Handlers:
    """Message type to handler. Submissions first: they lock the register before anything else is locked."""
    tools: dict[str, Any] = {"policies": policies, "vault": vault}
    return {
        submissions.HouseholdSubmitted: partial(household_handlers.on_household_submitted, **tools),
        submissions.NeighbourCheckSubmitted: partial(household_handlers.on_neighbour_check_submitted, **tools),
        submissions.HouseholdChangeSubmitted: partial(change_handlers.on_household_change_submitted, vault=vault),
        submissions.ReviewDecisionSubmitted: partial(change_handlers.on_review_decision_submitted, **tools),
        submissions.CandidateDecisionSubmitted: partial(change_handlers.on_candidate_decision_submitted, **tools),
        submissions.EnrolmentSubmitted: partial(enrolment_handlers.on_enrolment_submitted, vault=vault),
        submissions.CarerSubmitted: partial(carer_handlers.on_carer_submitted, **tools),
        **dict.fromkeys(
            (events.HouseholdAssigned, events.HouseholdUnserved, events.AssignmentEnded),
            right_handlers.on_assignment,
        ),
        **dict.fromkeys(
            (
                events.CaseOpened,
                events.CaseAccepted,
                events.CaseRerouted,
                events.CaseWaiting,
                events.CaseResolved,
                events.CaseReopened,
            ),
            right_handlers.on_case,
        ),
        events.CaseConfirmed: right_handlers.on_case_confirmed,
    }
