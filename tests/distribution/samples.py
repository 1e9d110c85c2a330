"""Messages that tests of distribution begin with; each test changes what it is about."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.events import (
    CarerRegistered,
    Choice,
    Eligibility,
    EligibilityGranted,
    Household,
    HouseholdAssigned,
    HouseholdLeft,
    HouseholdPledged,
    HouseholdUpdated,
    Package,
    PledgeLapsed,
)
from contracts.submissions import (
    DeliverySubmitted,
    PickUpSubmitted,
    ReturnSubmitted,
    RoundSubmitted,
    StockSubmitted,
    TransferSubmitted,
)
from contracts.vocabulary import FailureReason, Goods, Place, ReceivedBy, SupplySource

NOW = datetime(2026, 10, 9, 3, tzinfo=UTC)  # D-5, ten in the morning
LAUNCH = datetime(2026, 10, 14, 2, tzinfo=UTC)
CENTRAL, DEPOT, DISTRICT, VILLAGE = "depot-35.10", "depot-35.10.16", "35.10.16", "35.10.16.1002"
CONTENTS = {"rice_5kg": 1, "oil_1l": 1, "sugar_1kg": 1, "noodles_85g": 5, "tea_box": 1}
DOOR = Place(latitude=-8.227, longitude=114.363)


def household(household_id: UUID | None = None, version: int = 2, **changes: Any) -> EligibilityGranted:
    """A registered household that may have both programmes."""
    return EligibilityGranted(**_household(household_id or uuid4(), version) | {"programmes": ()} | changes)


def updated(before: Household, **changes: Any) -> HouseholdUpdated:
    return HouseholdUpdated(**dict(before) | {"version": before.version + 1} | changes)


def left(before: Household, reason: str) -> HouseholdLeft:
    return HouseholdLeft(**dict(before) | {"version": before.version + 1, "status": "left", "reason": reason})


def carer(carer_id: UUID | None = None, office_id: str = "sdn-1-kepatihan") -> CarerRegistered:
    return CarerRegistered(
        version=1,
        carer_id=carer_id or uuid4(),
        status="active",
        employment="pns",
        office_id=office_id,
        competences=(),
        capacity=6,
        home=None,
        workplace=None,
        conflict_household_ids=(),
        contributes=True,
        registered_at=NOW,
    )


def assigned(to: Household, carer_id: UUID, version: int = 1) -> HouseholdAssigned:
    return HouseholdAssigned(
        version=version,
        assignment_id=UUID(int=to.household_id.int ^ 1),
        household_id=to.household_id,
        district=to.district,
        village=to.village,
        carer_id=carer_id,
        since=NOW,
        previous_carer_id=None,
        choice=Choice(way="matched", metres=900, competence_fits=False, load_before=0, nearest_not_chosen=None),
    )


def pledged(to: Household, version: int = 1, **changes: Any) -> HouseholdPledged:
    state: dict[str, Any] = {
        "version": version,
        "pledge_id": UUID(int=to.household_id.int ^ 2),
        "household_id": to.household_id,
        "promise_id": UUID(int=3),
        "giver_id": "bank-jatim",
        "programme": "monthly_package",
        "period": "2026-10",
        "status": "pledged",
        "lapses_at": NOW + timedelta(days=2),
    }
    return HouseholdPledged(**state | changes)


def lapsed(to: Household) -> PledgeLapsed:
    return PledgeLapsed(**dict(pledged(to, version=2, status="lapsed")) | {"reason": "not_confirmed"})


def monthly(**changes: Any) -> RoundSubmitted:
    state: dict[str, Any] = {
        "happened_at": NOW,
        "round_id": uuid4(),
        "programme": "monthly_package",
        "period": "2026-10",
        "opens_on": date(2026, 10, 14),
        "closes_on": date(2026, 10, 24),
        "decree": "188-2026",
    }
    return RoundSubmitted(**state | changes)


def weekly(week: int, **changes: Any) -> RoundSubmitted:
    first = 1 + 7 * (week - 1)
    last = first + 6 if week < 4 else 31
    window = {"opens_on": date(2026, 10, first), "closes_on": date(2026, 10, last)}
    return monthly(**{"programme": "weekly_protein", "period": f"2026-10-w{week}"} | window | changes)


def stock(item: str = "rice_5kg", units: int = 10, **changes: Any) -> StockSubmitted:
    state: dict[str, Any] = {
        "happened_at": NOW,
        "depot_id": DEPOT,
        "lot_id": uuid4(),
        "item": item,
        "units": units,
        "unit_value": 60_000,
        "source": SupplySource.HARI_BELANJA,
        "giver_id": None,
        "received_on": date(2026, 10, 8),
        "expires_on": date(2027, 8, 31),
    }
    return StockSubmitted(**state | changes)


def packages_of_stock(packages: int, **changes: Any) -> list[StockSubmitted]:
    """A lot of each item, for so many packages."""
    return [stock(item, packages * units, unit_value=1_000, **changes) for item, units in CONTENTS.items()]


def sent(lot: StockSubmitted, units: int, **changes: Any) -> TransferSubmitted:
    state: dict[str, Any] = {
        "happened_at": NOW,
        "depot_id": lot.depot_id,
        "transfer_id": uuid4(),
        "step": "sent",
        "other_depot_id": DEPOT if lot.depot_id == CENTRAL else CENTRAL,
        "lot_id": lot.lot_id,
        "units": units,
    }
    return TransferSubmitted(**state | changes)


def arrived(truck: TransferSubmitted, units: int) -> TransferSubmitted:
    ends = {"depot_id": truck.other_depot_id, "other_depot_id": truck.depot_id}
    return TransferSubmitted(**dict(truck) | ends | {"step": "received", "units": units})


def picked_up(round_id: UUID, household_id: UUID, collector_id: str = "sdn-1-kepatihan") -> PickUpSubmitted:
    return PickUpSubmitted(happened_at=NOW, household_id=household_id, round_id=round_id, collector_id=collector_id)


def delivered(round_id: UUID, household_id: UUID, **changes: Any) -> DeliverySubmitted:
    state: dict[str, Any] = {
        "happened_at": NOW,
        "household_id": household_id,
        "round_id": round_id,
        "carer_id": UUID(int=7),
        "delivered": True,
        "failure_reason": None,
        "received_by": ReceivedBy.SELF,
        "photo_sha256": f"{household_id.int ^ round_id.int:064x}",
        "place": DOOR,
        "mock_location": False,
        "brought": (),
    }
    return DeliverySubmitted(**state | changes)


def failed(round_id: UUID, household_id: UUID, reason: FailureReason, **changes: Any) -> DeliverySubmitted:
    said = {"delivered": False, "failure_reason": reason, "received_by": None, "photo_sha256": None}
    return delivered(round_id, household_id, **said | changes)


def returned(round_id: UUID, household_id: UUID, *, damaged: bool = False, depot_id: str = DEPOT) -> ReturnSubmitted:
    return ReturnSubmitted(
        happened_at=NOW, household_id=household_id, round_id=round_id, depot_id=depot_id, damaged=damaged
    )


def package(**changes: Any) -> Package:
    """Planned, to be brought by an office."""
    state: dict[str, Any] = {
        "version": 1,
        "package_id": uuid4(),
        "household_id": uuid4(),
        "round_id": uuid4(),
        "programme": "monthly_package",
        "period": "2026-10",
        "district": DISTRICT,
        "village": VILLAGE,
        "carer_id": uuid4(),
        "status": "planned",
        "supply": "brought",
        "depot_id": None,
        "giver_id": "sdn-1-kepatihan",
        "pledge_id": None,
        "collector_id": None,
        "contents": (Goods(item="rice_5kg", units=1),),
        "lots": (),
        "value": 60_000,
        "attempts": 0,
        "failure_reason": None,
        "proof": None,
        "flags": (),
    }
    return Package(**state | changes)


def _household(household_id: UUID, version: int) -> dict[str, Any]:
    programmes = ("monthly_package", "weekly_protein")
    return {
        "version": version,
        "household_id": household_id,
        "status": "registered",
        "provisional": False,
        "district": DISTRICT,
        "village": VILLAGE,
        "place": DOOR,
        "residents": 4,
        "nik_status": "valid",
        "decile": 1,
        "decile_period": "2026-q3",
        "eligibilities": tuple(
            Eligibility(programme=code, basis="dtsen", rule_version="bwi-2026-1", since=date(2026, 10, 1))
            for code in programmes
        ),
        "review_reason": None,
        "conflicts": (),
        "registered_at": NOW,
    }
