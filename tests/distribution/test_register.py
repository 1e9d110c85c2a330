"""What other services say is kept in whatever order it comes, and two who take the last goods cannot both have them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from contracts.events import PackagePickedUp
from contracts.submissions import CountSubmitted, PickUpSubmitted
from messaging import Connection, Outcome, Received, Token
from services.distribution import api
from services.distribution.package_handlers import on_pick_up_submitted
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import CENTRAL, DEPOT, NOW
from tests.messaging.running import until_async


async def test_an_older_fact_never_overrides_a_newer_one(distribution: Distribution) -> None:
    """The same fact twice, and version 3 before version 2."""
    second = samples.household()
    third = samples.updated(second, village="35.10.16.1001")

    outcomes = [(await distribution.tell(fact))[0].outcome for fact in (third, second, third)]
    await distribution.tell(samples.assigned(second, UUID(int=6), version=2))
    await distribution.tell(samples.assigned(second, UUID(int=5), version=1))

    villages = await distribution.context.pool.fetch("select village, version from household")
    assert outcomes == ["accepted", "unchanged", "accepted"]  # the third is answered from the inbox
    assert [tuple(record) for record in villages] == [("35.10.16.1001", 3)]
    assert await distribution.context.pool.fetchval("select carer_id from assignment") == UUID(int=6)


async def test_two_trucks_cannot_take_the_same_goods(distribution: Distribution) -> None:
    """Rule 13: nothing below zero, also at the same moment."""
    lot = samples.stock(units=10, depot_id=CENTRAL)
    await distribution.submit(lot)

    answers = await asyncio.gather(
        *[distribution.submit(samples.sent(lot, 4, other_depot_id=f"depot-35.10.0{place}")) for place in range(1, 5)]
    )

    assert sorted(str(answer.code) for [answer] in answers) == ["None", "None", "not_enough_stock", "not_enough_stock"]
    assert (await distribution.balances(lot.lot_id))[CENTRAL, "available"] == 2
    assert await distribution.ledger_breaks() == []


async def test_a_carer_and_a_depot_read_what_is_planned(distribution: Distribution) -> None:
    _, households = await open_round(distribution, households=3, packages=1)
    carer_id = await distribution.context.pool.fetchval("select carer_id from carer")
    carer = Token("x", frozenset(), None, "35.10", {"carer_id": str(carer_id)})

    mine = await api.get_my_packages(distribution.context.pool, carer)
    ready = await api.get_pick_list(samples.DEPOT, distribution.context.pool, carer)

    assert {package.household_id for package in mine} == set(households)
    assert [package.supply for package in ready] == ["stock"]


async def test_a_count_beside_a_pick_up_sees_what_is_left_on_the_shelf(distribution: Distribution) -> None:
    """Rule 13: it waits for who takes a package away, and asks again what is kept.

    Fails when: what is missing is not counted anew from the packages that are locked.
    """
    wanted, households = await open_round(distribution, households=2, packages=2)
    rice = (await distribution.package(wanted.round_id, households[0])).lots[0].lot_id
    await distribution.forget()
    taken, counting = asyncio.Event(), asyncio.Event()

    async def on_pick_up(messages: Sequence[Received[PickUpSubmitted]], db: Connection) -> list[Outcome]:
        outcomes = await on_pick_up_submitted(messages, db)
        taken.set()
        await counting.wait()
        return outcomes

    handlers = {**distribution.context.handlers, PickUpSubmitted: on_pick_up}
    slow = replace(distribution, context=replace(distribution.context, handlers=handlers), sent=100)
    picking_up = asyncio.create_task(slow.submit(samples.picked_up(wanted.round_id, households[1])))
    await taken.wait()
    count = CountSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, counted=1)
    counted = asyncio.create_task(distribution.submit(count))
    waits = "select exists(select from pg_locks where not granted)"
    await until_async(lambda: distribution.context.pool.fetchval(waits))
    counting.set()
    await asyncio.gather(picking_up, counted)

    assert [type(fact) for fact in await distribution.all_facts()] == [PackagePickedUp]
    assert (await distribution.balances(rice))[DEPOT, "reserved"] == 1
