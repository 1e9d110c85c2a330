"""Message type to handler: the table. The order is the order in which their locks are taken."""

from functools import partial

from contracts.events import (
    EligibilityEnded,
    EligibilityGranted,
    FloorAtRisk,
    HouseholdLeft,
    HouseholdMerged,
    HouseholdProfiled,
    HouseholdRegistered,
    HouseholdSplit,
    HouseholdUnserved,
    HouseholdUpdated,
    LotExpiring,
    LotRecalled,
    PackageDelivered,
    PackageFailed,
    PackagePickedUp,
    StockLow,
    VisitOverdue,
    VisitReported,
)
from contracts.submissions import CaseUpdateSubmitted
from messaging import Handlers
from policies import Policies
from services.notifications import alarm_handlers as alarms
from services.notifications import case_handlers as cases


def handlers(policies: Policies) -> Handlers:
    """What notifications does for each message; types that are not here are passed over unread."""
    household_changed = partial(cases.on_household_changed, policies=policies)
    return {
        HouseholdProfiled: cases.on_household_profiled,
        HouseholdRegistered: household_changed,
        HouseholdUpdated: household_changed,
        HouseholdSplit: household_changed,
        EligibilityGranted: household_changed,
        EligibilityEnded: household_changed,
        HouseholdLeft: cases.on_household_gone,
        HouseholdMerged: cases.on_household_gone,
        VisitReported: partial(cases.on_visit_reported, policies=policies),
        PackageFailed: partial(cases.on_package_failed, policies=policies),
        CaseUpdateSubmitted: partial(cases.on_case_update_submitted, policies=policies),
        VisitOverdue: partial(alarms.on_visit_overdue, policies=policies),
        HouseholdUnserved: partial(alarms.on_household_unserved, policies=policies),
        PackagePickedUp: partial(alarms.on_package_moved, policies=policies),
        PackageDelivered: partial(alarms.on_package_moved, policies=policies),
        LotRecalled: partial(alarms.on_lot_recalled, policies=policies),
        LotExpiring: partial(alarms.on_lot_expiring, policies=policies),
        StockLow: partial(alarms.on_stock_low, policies=policies),
        FloorAtRisk: partial(alarms.on_floor_at_risk, policies=policies),
    }
