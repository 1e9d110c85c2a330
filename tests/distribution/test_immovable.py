"""Lots that may not move: whatever comes free of them is blocked, however it comes free (rules 13, 14)."""

from datetime import timedelta

import pytest

from contracts.events import PackagePlanned
from contracts.submissions import (
    CountSubmitted,
    PackageCancellationSubmitted,
    RecallSubmitted,
)
from contracts.vocabulary import FailureReason, Goods
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import DEPOT, NOW


@pytest.mark.parametrize("way", ["cancelled", "brought", "closed", "counted"])
async def test_what_comes_free_of_a_lot_called_back_is_blocked(distribution: Distribution, way: str) -> None:
    """Rule 14: also before it was planned again, and where it never is.

    Fails when: `free_shelf` does not look at what may not move.
    """
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    rice, oil = (await distribution.package(wanted.round_id, household)).lots[:2]
    await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice.lot_id, reason="aflatoxin"))

    match way:
        case "cancelled":
            await distribution.submit(
                PackageCancellationSubmitted(
                    happened_at=NOW, household_id=household, round_id=wanted.round_id, reason="duplicate"
                )
            )
        case "brought":
            goods = (Goods(item="fish_1kg", units=1),)
            await distribution.submit(samples.delivered(wanted.round_id, household, brought=goods))
        case "closed":
            await distribution.context.pool.execute("delete from to_plan")
            await distribution.set_time(NOW + timedelta(days=30))
            await distribution.close_rounds()
        case _:
            await distribution.submit(CountSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=oil.lot_id, counted=0))

    assert await distribution.balances(rice.lot_id) == {(DEPOT, "received"): 1, (DEPOT, "blocked"): 1}


async def test_a_count_of_a_lot_called_back_finds_what_is_kept_for_packages(distribution: Distribution) -> None:
    """Rule 13: what is on the shelf is in the books once, and every version of a package is stated."""
    wanted, households = await open_round(distribution, households=2, packages=2)
    rice = (await distribution.package(wanted.round_id, households[0])).lots[0].lot_id
    await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin"))
    await distribution.forget()

    await distribution.submit(CountSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, counted=1))

    assert await distribution.balances(rice) == {
        (DEPOT, "received"): 2,
        (DEPOT, "reserved"): 1,
        (DEPOT, "written_off"): 1,
    }
    assert len(await distribution.facts(PackagePlanned)) == 1


async def test_a_held_package_of_a_lot_called_back_is_replaced_only_for_who_stayed(distribution: Distribution) -> None:
    """Rule 16. Fails when: its return forgets that the household is said to have moved away."""
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    rice = (await distribution.package(wanted.round_id, household)).lots[0].lot_id
    await distribution.submit(samples.failed(wanted.round_id, household, FailureReason.MOVED_AWAY))
    await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin"))
    await distribution.plan()
    await distribution.submit(samples.returned(wanted.round_id, household))
    await distribution.plan()
    back = await distribution.package(wanted.round_id, household)

    await distribution.tell(samples.updated(samples.household(household)))
    await distribution.plan()

    replaced = await distribution.package(wanted.round_id, household)
    assert (back.status, replaced.status) == ("returned", "planned")


async def test_a_held_package_of_a_lot_called_back_is_not_released(distribution: Distribution) -> None:
    """Rule 14: the village's word that they stayed sends nobody with it, and when it is back it is replaced.

    Fails when: a package that is held already is not looked at when its lot is called back.
    """
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    rice = (await distribution.package(wanted.round_id, household)).lots[0].lot_id
    await distribution.submit(samples.failed(wanted.round_id, household, FailureReason.MOVED_AWAY))
    await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin"))
    await distribution.plan()

    await distribution.tell(samples.updated(samples.household(household)))
    await distribution.plan()
    held = await distribution.package(wanted.round_id, household)
    await distribution.submit(samples.returned(wanted.round_id, household))
    await distribution.plan()

    assert (held.status, held.flags, held.version) == ("held", ("lot_recalled",), 3)
    replaced = await distribution.package(wanted.round_id, household)
    assert (replaced.status, replaced.supply, replaced.flags) == ("planned", "brought", ())
    assert await distribution.ledger_breaks() == []
