"""Message type to handler, in the order in which their locks are taken."""

from functools import partial

from contracts import events, submissions
from messaging import Handlers
from policies import Policies
from services.distribution.delivery_handlers import on_delivery_submitted
from services.distribution.package_handlers import (
    on_package_cancellation_submitted,
    on_pick_up_submitted,
    on_return_submitted,
)
from services.distribution.register_handlers import on_assignment, on_carer, on_household, on_pledge
from services.distribution.round_handlers import on_round_submitted, on_surplus_decision_submitted
from services.distribution.stock_handlers import (
    on_count_submitted,
    on_lot_block_submitted,
    on_recall_submitted,
    on_reversal_submitted,
    on_stock_submitted,
    on_transfer_submitted,
)


def handlers(policies: Policies) -> Handlers:
    """The handlers of this service."""
    return {
        events.HouseholdRegistered: on_household,
        events.HouseholdUpdated: on_household,
        events.HouseholdLeft: on_household,
        events.HouseholdMerged: on_household,
        events.HouseholdSplit: on_household,
        events.EligibilityGranted: on_household,
        events.EligibilityEnded: on_household,
        events.CarerRegistered: on_carer,
        events.CarerUpdated: on_carer,
        events.CarerLeft: on_carer,
        events.HouseholdAssigned: on_assignment,
        events.HouseholdUnserved: on_assignment,
        events.AssignmentEnded: on_assignment,
        events.HouseholdPledged: on_pledge,
        events.PledgeLapsed: on_pledge,
        submissions.RoundSubmitted: partial(on_round_submitted, policies=policies),
        submissions.SurplusDecisionSubmitted: on_surplus_decision_submitted,
        submissions.PickUpSubmitted: on_pick_up_submitted,
        submissions.DeliverySubmitted: partial(on_delivery_submitted, policies=policies),
        submissions.ReturnSubmitted: partial(on_return_submitted, policies=policies),
        submissions.PackageCancellationSubmitted: on_package_cancellation_submitted,
        submissions.StockSubmitted: partial(on_stock_submitted, policies=policies),
        submissions.TransferSubmitted: partial(on_transfer_submitted, policies=policies),
        submissions.CountSubmitted: partial(on_count_submitted, policies=policies),
        submissions.RecallSubmitted: partial(on_recall_submitted, policies=policies),
        submissions.LotBlockSubmitted: partial(on_lot_block_submitted, policies=policies),
        submissions.ReversalSubmitted: on_reversal_submitted,
    }
