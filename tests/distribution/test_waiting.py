"""Who waits for goods gets those that come free or come in, also while others are planned (rules 14, 16)."""

from uuid import UUID, uuid4

from contracts.events import EligibilityGranted
from contracts.submissions import RoundSubmitted
from services.distribution import ledger_store
from services.distribution.stock import Account, Move
from tests.distribution import samples
from tests.distribution.conftest import Distribution
from tests.distribution.samples import DEPOT, NOW
from tests.distribution.test_stock import counted


async def two_without_carers(distribution: Distribution) -> tuple[RoundSubmitted, list[EligibilityGranted]]:
    """A round of two households that nobody brings anything; the first is supplied first."""
    wanted, households = samples.monthly(), [samples.household() for _ in range(2)]
    await distribution.tell(*households)
    await distribution.settle_register()
    await distribution.submit(wanted)
    order = await distribution.context.pool.fetch("select household_id from to_plan order by turn")
    return wanted, sorted(households, key=lambda one: one.household_id != order[0]["household_id"])


async def planned(distribution: Distribution) -> set[UUID]:
    """Households whose package stands on a shelf."""
    rows = await distribution.context.pool.fetch("select household_id from package where account = 'reserved'")
    return {row["household_id"] for row in rows}


async def test_goods_that_come_free_while_planning_go_to_who_waits(distribution: Distribution) -> None:
    """Fails when: who waits is woken for the goods there were before, not for those that planning frees."""
    _, [first, second] = await two_without_carers(distribution)
    await distribution.submit(*samples.packages_of_stock(1))
    await distribution.plan()
    assert await planned(distribution) == {first.household_id}

    await distribution.tell(samples.left(first, "other_regency"))
    await distribution.plan()

    assert await planned(distribution) == {second.household_id}
    assert await distribution.plan() == 0


async def test_goods_that_come_in_while_planning_are_not_forgotten(distribution: Distribution) -> None:
    """Not even when that depot's were being offered already.

    Fails when: what has been offered takes off the list what is not committed yet.
    """
    await two_without_carers(distribution)
    rice, *others = samples.packages_of_stock(1)
    await distribution.submit(rice, counted(rice, 0), *others)
    found = Move(rice.lot_id, 1, Account.FOUND, DEPOT, Account.AVAILABLE, DEPOT, cause=uuid4())

    async with distribution.context.pool.acquire() as db, db.transaction():
        await ledger_store.post_moves(db, [found], NOW)
        await distribution.plan()
    assert await planned(distribution) == set()
    await distribution.plan()

    assert len(await planned(distribution)) == 1
    assert await distribution.plan() == 0
