"""notifications: cases and whom they reach.

Decides: which needs are cases, which office answers them until when and who is told when it does not (rules 22 to 26);
and who hears of what the other services found: visits that are missing, households without a carer, packages, stock,
the month's floor (rules 9, 14, 16, 18, 19, 21).
Consumes: households and profiles, visits, unserved households, failed and moved packages, warnings about stock and the
floor; offices' answers as submissions. Other types of its topics (carers, assignments, plans) it does not need.
Emits: case facts (sensitive) and what became of every message.
Owns: cases, their clocks and history, the queues for budget; intents and messages.

`handlers.py` the table; `case_handlers.py` and `alarm_handlers.py` what happens for each message; `jobs.py` clocks;
`sending_jobs.py` messages. Pure: `domain.py` what somebody said of a household, `cases.py`, `answers.py`, `watching.py`
and `clocks.py` what follows for a case, `intents.py` who is told, `delivery.py` and `texts/` in which words.
`channels.py` is how messages leave; `case_store.py`, `look_store.py`, `intent_store.py`, `store.py`, `figure_store.py`
hold every statement; `api.py` and `figures_api.py` are what is read.
"""

from pathlib import Path

from contracts import events, submissions
from messaging import Card

CARD = Card(
    name="notifications",
    decides="Which needs are cases, who answers them until when, and who is told.",
    consumes=(
        events.HouseholdProfiled,
        events.HouseholdRegistered,
        events.HouseholdUpdated,
        events.HouseholdSplit,
        events.EligibilityGranted,
        events.EligibilityEnded,
        events.HouseholdLeft,
        events.HouseholdMerged,
        events.VisitReported,
        events.PackageFailed,
        submissions.CaseUpdateSubmitted,
        events.VisitOverdue,
        events.HouseholdUnserved,
        events.PackagePickedUp,
        events.PackageDelivered,
        events.LotRecalled,
        events.LotExpiring,
        events.StockLow,
        events.FloorAtRisk,
    ),
    emits=(
        events.CaseOpened,
        events.CaseAccepted,
        events.CaseRerouted,
        events.CaseWaiting,
        events.CaseAtRisk,
        events.CaseEscalated,
        events.CaseResolved,
        events.CaseConfirmed,
        events.CaseReopened,
        events.NotificationSent,
        events.NotificationFailed,
    ),
    migrations=Path(__file__).parent / "migrations",
)
