"""Goods at depots on a real PostgreSQL: whatever happens to a lot, its books close (rule 13)."""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.events import (
    LotExpiring,
    LotRecalled,
    PackagePlanned,
    StockBlocked,
    StockLow,
    StockReceived,
    StockTransferred,
)
from contracts.submissions import (
    CountSubmitted,
    LotBlockSubmitted,
    RecallSubmitted,
    StockSubmitted,
)
from messaging import Token
from services.distribution import api
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round, until_waiting
from tests.distribution.samples import CENTRAL, DEPOT, NOW


def counted(lot: StockSubmitted, units: int) -> CountSubmitted:
    return CountSubmitted(happened_at=NOW, depot_id=lot.depot_id, lot_id=lot.lot_id, counted=units)


def recalled(lot: StockSubmitted) -> RecallSubmitted:
    return RecallSubmitted(happened_at=NOW, depot_id=lot.depot_id, lot_id=lot.lot_id, reason="aflatoxin")


def blocked(lot: StockSubmitted, *, is_blocked: bool) -> LotBlockSubmitted:
    return LotBlockSubmitted(
        happened_at=NOW, depot_id=lot.depot_id, lot_id=lot.lot_id, blocked=is_blocked, reason="wet"
    )


async def test_a_lot_comes_in_once(distribution: Distribution) -> None:
    lot = samples.stock(units=10, expires_on=None)

    outcomes = [(await distribution.submit(one))[0] for one in (lot, lot, samples.stock(units=9, lot_id=lot.lot_id))]

    assert [(one.outcome, one.code) for one in outcomes] == [
        ("accepted", None),
        ("unchanged", None),
        ("refused", "already_exists"),
    ]
    [received] = await distribution.facts(StockReceived)
    assert (received.received, received.holdings[0].available, received.expires_on) == (10, 10, date(2027, 10, 8))
    assert await distribution.balances(lot.lot_id) == {(DEPOT, "received"): 10, (DEPOT, "available"): 10}


async def test_a_truck_that_arrives_short_is_signed_for(distribution: Distribution) -> None:
    """Rule 13; the receiving depot may report before the sending one."""
    lot = samples.stock(units=10, depot_id=CENTRAL)
    truck = samples.sent(lot, 8)
    await distribution.submit(lot)

    early = await distribution.submit(samples.arrived(truck, 6))
    await distribution.submit(truck)
    await distribution.sweep()

    assert early[0].outcome == "parked"
    assert await distribution.balances(lot.lot_id) == {
        (CENTRAL, "received"): 10,
        (CENTRAL, "available"): 2,
        (DEPOT, "available"): 6,
        (DEPOT, "written_off"): 2,
    }
    transfers = await distribution.facts(StockTransferred)
    assert [(fact.units, fact.missing, fact.version) for fact in transfers] == [(8, 0, 2), (6, 2, 3)]
    assert await distribution.ledger_breaks() == []


async def test_nothing_goes_below_zero(distribution: Distribution) -> None:
    lot = samples.stock(units=10, depot_id=CENTRAL)
    await distribution.submit(lot)

    answers = [(await distribution.submit(samples.sent(lot, units)))[0].code for units in (6, 6, 4)]

    assert answers == [None, "not_enough_stock", None]
    assert await distribution.ledger_breaks() == []


async def test_entries_of_the_ledger_are_never_changed(distribution: Distribution) -> None:
    await distribution.submit(samples.stock())

    for statement in ("update ledger_entry set units = 1", "delete from ledger_entry", "truncate ledger_entry cascade"):
        with pytest.raises(asyncpg.RaiseError):
            await distribution.context.pool.execute(statement)


async def test_a_lot_reported_three_times_at_once_is_in_the_books_once(distribution: Distribution) -> None:
    """Rule 13; whoever comes second is refused by the key, tried again, and sees the first."""
    lot = samples.stock(units=10)

    answers = await asyncio.gather(*[distribution.submit(lot) for _ in range(3)])

    assert sorted(answer.outcome for [answer] in answers) == ["accepted", "unchanged", "unchanged"]
    assert await distribution.balances(lot.lot_id) == {(DEPOT, "received"): 10, (DEPOT, "available"): 10}
    assert await distribution.ledger_breaks() == []


async def test_two_trucks_under_one_id_at_once_leave_nothing_on_the_road(distribution: Distribution) -> None:
    """Rule 13; the second is refused by the key, tried again, and sees that the id is another truck's."""
    lots = [samples.stock(units=10, depot_id=depot_id) for depot_id in (CENTRAL, DEPOT)]
    await distribution.submit(*lots)
    trucks = [samples.sent(lot, 4, transfer_id=UUID(int=1)) for lot in lots]

    async with distribution.context.pool.acquire() as db, db.transaction():
        await db.execute("lock table transfer in share mode")
        sending = [asyncio.create_task(distribution.submit(truck)) for truck in trucks]
        await until_waiting(distribution, 2)
    answers = await asyncio.gather(*sending)

    assert sorted(answer.code or "" for [answer] in answers) == ["", "already_exists"]
    balances = [await distribution.balances(lot.lot_id) for lot in lots]
    on_the_road = [units for one in balances for (_, account), units in one.items() if account == "in_transit"]
    assert on_the_road == [4]
    assert await distribution.ledger_breaks() == []


async def test_an_altered_balance_is_named(distribution: Distribution) -> None:
    lot = samples.stock(units=10)
    await distribution.submit(lot)

    await distribution.context.pool.execute("update balance set units = 9 where account = 'available'")

    assert [one.lot_id for one in await distribution.ledger_breaks()] == [lot.lot_id]


async def test_a_recalled_lot_is_replaced_on_the_shelf_and_held_where_it_is_out(distribution: Distribution) -> None:
    """Rule 14: nothing of it leaves; who received it is one query."""
    wanted, households = await open_round(distribution, households=3, packages=3)
    packages = [await distribution.package(wanted.round_id, household) for household in households]
    rice = next(part.lot_id for part in packages[0].lots if part.item == "rice_5kg")
    await distribution.submit(samples.delivered(wanted.round_id, households[0]))
    await distribution.submit(samples.picked_up(wanted.round_id, households[1]))
    await distribution.forget()

    recall = RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin")
    await distribution.submit(recall)
    await distribution.plan()

    [fact] = await distribution.facts(LotRecalled)
    held, replaced = [await distribution.package(wanted.round_id, household) for household in households[1:]]
    recipients = await api.get_recipients(rice, distribution.context.pool, Token("x", frozenset(), None, "35.10", {}))
    assert (fact.recipients, recipients) == (1, [households[0]])
    assert (held.status, held.flags, replaced.supply) == ("held", ("lot_recalled",), "brought")
    assert (await distribution.balances(rice)) == {
        (DEPOT, "received"): 3,
        (DEPOT, "delivered"): 1,
        (DEPOT, "with_holders"): 1,
        (DEPOT, "blocked"): 1,
    }
    await distribution.submit(samples.returned(wanted.round_id, households[1]))
    await distribution.plan()
    assert (await distribution.package(wanted.round_id, households[1])).status == "planned"
    assert (await distribution.balances(rice))[DEPOT, "blocked"] == 2
    assert await distribution.ledger_breaks() == []


async def test_a_pick_up_reported_after_the_recall_is_in_the_ledger_and_held(distribution: Distribution) -> None:
    """Rule 14; the report tells of goods that are out already."""
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    package = await distribution.package(wanted.round_id, household)
    rice = next(part.lot_id for part in package.lots if part.item == "rice_5kg")
    await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin"))

    [answer] = await distribution.submit(samples.picked_up(wanted.round_id, household))
    await distribution.plan()

    held = await distribution.package(wanted.round_id, household)
    assert (answer.outcome, held.status, held.flags) == ("accepted", "held", ("lot_recalled",))
    assert (await distribution.balances(rice)) == {(DEPOT, "received"): 1, (DEPOT, "with_holders"): 1}


async def test_a_blocked_lot_stays_until_it_is_released(distribution: Distribution) -> None:
    lots = samples.packages_of_stock(1)
    await distribution.submit(*lots)
    await distribution.submit(blocked(lots[0], is_blocked=True))
    wanted, [household] = await open_round(distribution, households=1)
    before = await distribution.package(wanted.round_id, household)

    await distribution.submit(blocked(lots[0], is_blocked=False))
    await distribution.plan()

    assert before.supply == "brought"
    assert (await distribution.package(wanted.round_id, household)).supply == "stock"
    assert [fact.status for fact in await distribution.facts(StockBlocked)] == ["blocked"]


async def test_first_expired_leaves_first_and_what_will_not_last_stays(distribution: Distribution) -> None:
    """Rule 14: 3 days of delivery and 7 at home, counted from the round's first day."""
    old, new, short = date(2026, 12, 1), date(2027, 12, 1), date(2026, 10, 23)
    for expires_on in (new, short, old):
        await distribution.submit(*samples.packages_of_stock(1, expires_on=expires_on))

    wanted, [household] = await open_round(distribution, households=1)

    package = await distribution.package(wanted.round_id, household)
    expiries = await distribution.context.pool.fetch(
        "select distinct expires_on from lot where lot_id = any($1::uuid[])", [part.lot_id for part in package.lots]
    )
    assert [record["expires_on"] for record in expiries] == ["2026-12-01"]


async def test_lots_are_warned_of_once_and_blocked_when_they_expire(distribution: Distribution) -> None:
    lot = samples.stock(units=10, expires_on=date(2026, 10, 18))
    await distribution.submit(lot)

    await distribution.watch_lots()
    assert await distribution.watch_lots() == 0
    await distribution.set_time(NOW + timedelta(days=11))
    await distribution.watch_lots()
    assert await distribution.watch_lots() == 0

    assert len(await distribution.facts(LotExpiring)) == 1
    assert [fact.reason for fact in await distribution.facts(StockBlocked)] == ["expired"]
    assert await distribution.balances(lot.lot_id) == {(DEPOT, "received"): 10, (DEPOT, "blocked"): 10}


async def test_an_item_is_low_when_nobody_else_supplies_and_the_depot_has_too_little(
    distribution: Distribution,
) -> None:
    await distribution.tell(samples.household(), samples.household())
    await distribution.submit(*samples.packages_of_stock(1)[1:])
    await distribution.settle_register()
    await distribution.submit(samples.monthly())
    await distribution.plan()

    await distribution.watch_lots()
    again = await distribution.watch_lots()

    low = {fact.item: (fact.available, fact.wanted) for fact in await distribution.facts(StockLow)}
    assert low["rice_5kg"] == (0, 2)
    assert low["noodles_85g"] == (5, 10)
    assert again == 0
    assert await distribution.facts(PackagePlanned) == []


async def test_what_the_policy_does_not_know_is_refused(distribution: Distribution) -> None:
    lot = samples.stock(units=10)
    await distribution.submit(lot)
    answers = await distribution.submit(
        samples.stock(item="gold_1g"),
        samples.stock(depot_id="depot-99"),
    )
    answers += await distribution.submit(counted(samples.stock(lot_id=uuid4()), 1))

    assert [answer.code for answer in answers] == ["unknown_item", "unknown_depot", "unknown_lot"]
