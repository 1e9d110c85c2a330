"""registry: who is served, who serves, and who may have what; the only keeper of identities.

Decides: what is the same household (rule 3), eligibility from dated deciles (rule 4), who can be a carer (rule 7) and
whom a carer must not look after (rule 8).
Consumes: its submissions; where households are assigned and which cases they have, to know who may read a name.
Emits: household facts, profiles (sensitive), carer facts (sensitive).
Owns: the vault, where identities are kept encrypted, and the keyed hashes that find them.

Pure: `domain.py` households, `people.py` their members, `changes.py` deaths, moves and splits, `eligibility.py`
programmes and reviews, `carers.py` carers, `identity.py` what numbers say, `register.py` how one call's messages build
on each other. `*_handlers.py` one function a message, listed in `handlers.py`; `*_store.py` every statement;
`vault.py` encryption and keyed hashes; `api.py` reads.
"""

from pathlib import Path

from contracts import events, submissions
from messaging import Card

CARD = Card(
    name="registry",
    decides="Who is served, who serves, and who may have what; the only keeper of identities.",
    consumes=(
        submissions.HouseholdSubmitted,
        submissions.NeighbourCheckSubmitted,
        submissions.HouseholdChangeSubmitted,
        submissions.ReviewDecisionSubmitted,
        submissions.CandidateDecisionSubmitted,
        submissions.EnrolmentSubmitted,
        submissions.CarerSubmitted,
        events.HouseholdAssigned,
        events.HouseholdUnserved,
        events.AssignmentEnded,
        events.CaseOpened,
        events.CaseAccepted,
        events.CaseRerouted,
        events.CaseWaiting,
        events.CaseResolved,
        events.CaseReopened,
        events.CaseConfirmed,
    ),
    emits=(
        events.HouseholdRegistered,
        events.HouseholdUpdated,
        events.HouseholdLeft,
        events.HouseholdSplit,
        events.EligibilityGranted,
        events.EligibilityEnded,
        events.HouseholdProfiled,
        events.CarerRegistered,
        events.CarerUpdated,
        events.CarerLeft,
    ),
    migrations=Path(__file__).parent / "migrations",
)
