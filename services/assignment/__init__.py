"""assignment: who looks after whom, and whether the door was seen.

Decides: each household's one carer and why (rules 8 to 11), whose package a partner has promised (rule 12), which
visits count and which are missing (rules 20 and 21).
Consumes: household facts, profiles, carer facts; visits, pledges, confirmations and assignments by hand.
Emits: assignment and pledge facts; visit facts (sensitive).
Owns: assignments with their history, promises, visits.

`handlers.py`, `pledge_handlers.py`, `visit_handlers.py` what happens for each message; `jobs.py` the match, lapsing and
overdue; `domain.py`, `pledges.py`, `visits.py` the rules, `offers.py` and `matching.py` the match: all pure;
`*store.py` every statement; `api.py` reads and figures.
"""

from pathlib import Path

from contracts import events, submissions
from messaging import Card

CARD = Card(
    name="assignment",
    decides="Who looks after whom, whose package a partner has promised, and which visits are missing.",
    consumes=(
        events.CarerRegistered,
        events.CarerUpdated,
        events.CarerLeft,
        events.HouseholdRegistered,
        events.HouseholdUpdated,
        events.HouseholdLeft,
        events.HouseholdMerged,
        events.HouseholdSplit,
        events.EligibilityGranted,
        events.EligibilityEnded,
        events.HouseholdProfiled,
        submissions.HandAssignmentSubmitted,
        submissions.PledgeSubmitted,
        submissions.PledgeConfirmationSubmitted,
        submissions.VisitSubmitted,
    ),
    emits=(
        events.HouseholdAssigned,
        events.HouseholdUnserved,
        events.AssignmentEnded,
        events.HouseholdPledged,
        events.PledgeLapsed,
        events.VisitReported,
        events.VisitOverdue,
    ),
    migrations=Path(__file__).parent / "migrations",
)
