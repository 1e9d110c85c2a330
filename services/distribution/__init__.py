"""distribution: which household gets what in which round, from which supply, and whether it arrived.

Decides: who is a recipient (frozen when a round opens, rule 15), what supplies a package (rules 12 to 14), what a
report makes of it (rule 16), whether proof looks odd (rule 17), and when a month's floor is at risk (rule 19).
Consumes: its submissions; household, carer and assignment facts.
Emits: round, stock and package facts.
Owns: the stock ledger: entries are added, never changed, and every lot's sum closes at every moment (rule 13).

`domain.py` a package's life, `planning.py` and `shelves.py` what supplies it, `lots.py` and `stock.py` goods and the
ledger, `rounds.py` windows and floors, `proof.py` suspicions: all pure. `*_handlers.py` what happens for each message,
by subject, listed in `handlers.py`; `jobs.py` closing and the floor, `planning_jobs.py` plans, `stock_jobs.py` goods
that do not last; `*store.py` every statement; `api.py` reads, `figures_api.py` and `figures_store.py` what is
published.
"""

from pathlib import Path

from contracts import events, submissions
from messaging import Card

CARD = Card(
    name="distribution",
    decides="Which household gets what in which round, from which supply, and whether it arrived.",
    consumes=(
        events.HouseholdRegistered,
        events.HouseholdUpdated,
        events.HouseholdLeft,
        events.HouseholdMerged,
        events.HouseholdSplit,
        events.EligibilityGranted,
        events.EligibilityEnded,
        events.CarerRegistered,
        events.CarerUpdated,
        events.CarerLeft,
        events.HouseholdAssigned,
        events.HouseholdUnserved,
        events.AssignmentEnded,
        events.HouseholdPledged,
        events.PledgeLapsed,
        submissions.RoundSubmitted,
        submissions.StockSubmitted,
        submissions.TransferSubmitted,
        submissions.CountSubmitted,
        submissions.RecallSubmitted,
        submissions.LotBlockSubmitted,
        submissions.ReversalSubmitted,
        submissions.PickUpSubmitted,
        submissions.DeliverySubmitted,
        submissions.ReturnSubmitted,
        submissions.PackageCancellationSubmitted,
        submissions.SurplusDecisionSubmitted,
    ),
    emits=(
        events.RoundOpened,
        events.RoundClosed,
        events.FloorAtRisk,
        events.StockReceived,
        events.StockAdjusted,
        events.StockTransferred,
        events.StockBlocked,
        events.LotExpiring,
        events.LotRecalled,
        events.StockLow,
        events.PackagePlanned,
        events.PackagePickedUp,
        events.PackageDelivered,
        events.PackageFailed,
        events.PackageReturned,
        events.PackageCancelled,
        events.ProofFlagged,
    ),
    migrations=Path(__file__).parent / "migrations",
)
