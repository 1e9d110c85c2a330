"""What the other services found, and whom it is told (rules 9, 14, 16, 18, 19, 21)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.events import (
    Fact,
    FloorAtRisk,
    HouseholdUnserved,
    LotExpiring,
    LotRecalled,
    PackageDelivered,
    PackageFailed,
    PackagePickedUp,
    StockLow,
    VisitOverdue,
)
from tests.notifications.builders import DISTRICT, local
from tests.notifications.desk import Desk, example

NOW = local("2026-10-14 09:00")
CARER, LOT = uuid4(), uuid4()
COORDINATOR = "coordinator-35.10.16"
HOLDINGS = [{"depot_id": "depot-35.10.05", "available": 1, "reserved": 0, "in_transit": 0}]


def failed(**changes: Any) -> PackageFailed:
    given = {"package_id": uuid4(), "household_id": uuid4(), "district": DISTRICT, "attempts": 1, "version": 3}
    given |= {"programme": "monthly_package", "final": True, "supply_gap": False, "failure_reason": "not_home"}
    return example(PackageFailed, **(given | changes))


def with_lot(kind: type[PackagePickedUp] | type[PackageDelivered], **changes: Any) -> Fact:
    lots = [{"lot_id": LOT, "item": "rice_5kg", "units": 1}]
    given = {"package_id": uuid4(), "household_id": uuid4(), "lots": lots, "carer_id": CARER, "version": 2}
    return example(kind, **(given | changes))


def recalled(version: int = 5) -> LotRecalled:
    return example(LotRecalled, lot_id=LOT, version=version, depot_id="depot-35.10.16", holdings=HOLDINGS)


async def told(desk: Desk) -> Mapping[str, set[str]]:
    """Recipients by kind."""
    found: dict[str, set[str]] = {}
    for row in await desk.context.pool.fetch("select kind, recipient_id from intent"):
        found.setdefault(row["kind"], set()).add(row["recipient_id"])
    return found


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (
            example(VisitOverdue, carer_id=CARER, district=DISTRICT, level="carer"),
            {"visit_overdue": {str(CARER)}},
        ),
        (
            example(VisitOverdue, carer_id=CARER, district=DISTRICT, level="coordinator"),
            {"visit_overdue": {COORDINATOR}},
        ),
        (
            example(VisitOverdue, carer_id=None, district=DISTRICT, level="carer"),
            {"visit_overdue": {COORDINATOR}},
        ),
        (example(HouseholdUnserved, district=DISTRICT), {"household_unserved": {COORDINATOR}}),
        (failed(), {"package_failed": {COORDINATOR}}),
        (failed(final=False), {}),
        (failed(programme="weekly_protein", failure_reason="not_brought"), {}),
        (failed(programme="weekly_protein", supply_gap=True), {"supply_gap": {COORDINATOR}}),
        (example(FloorAtRisk), {"floor_at_risk": {"desk-dinsos", "regional-secretary"}}),
        (example(StockLow, depot_id="depot-35.10.05"), {"stock_low": {"coordinator-35.10.05"}}),
        (
            example(LotExpiring, depot_id="depot-35.10", holdings=HOLDINGS),
            {"lot_expiring": {"coordinator-35.10.05"}},
        ),
    ],
)
async def test_who_is_told_what(desk: Desk, fact: Fact, expected: Mapping[str, set[str]]) -> None:
    await desk.send(fact)

    assert await told(desk) == expected


async def test_a_recall_reaches_everybody_who_had_goods_of_the_lot_whichever_fact_comes_first(desk: Desk) -> None:
    """Rule 14."""
    driver, late = "dinsos-driver", uuid4()
    await desk.send(with_lot(PackagePickedUp, collector_id=driver), with_lot(PackageDelivered))
    await desk.send(recalled())

    await desk.send(with_lot(PackageDelivered, carer_id=late))
    await desk.send(recalled(version=6))

    everybody = {driver, str(CARER), str(late), COORDINATOR, "coordinator-35.10.05"}
    assert await told(desk) == {"lot_recalled": everybody}
    assert await desk.count("intent") == len(everybody)


async def test_packages_without_a_lot_leave_nothing_behind(desk: Desk) -> None:
    await desk.send(with_lot(PackageDelivered, lots=[]))

    assert await desk.count("lot_holder") == 0


async def test_the_floor_is_told_at_once_and_the_rest_in_the_digest(desk: Desk) -> None:
    """Rule 25."""
    await desk.send(example(FloorAtRisk), failed())
    await desk.run()

    assert {message["kind"] for message in desk.messages()} == {"floor_at_risk"}
    await desk.set_time(local("2026-10-15 07:00") + timedelta(minutes=1))
    await desk.run()
    assert {message["kind"] for message in desk.messages()} == {"floor_at_risk", "package_failed"}


async def test_a_year_without_holidays_alarms_the_operator_once(desk: Desk) -> None:
    """Rule 23: never guessed silently."""
    await desk.set_time(local("2027-12-20 09:00"))
    await desk.send(failed(attempts=2), failed(attempts=2))

    kinds = await told(desk)

    assert kinds["calendar_unknown"] == {"operator"}
    assert await desk.value("select count(*) from intent where kind = 'calendar_unknown'") == 1
