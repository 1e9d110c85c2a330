"""Rounds end with all that was planned in them, and nothing is planned in a closed one (rules 13, 16, 18)."""

import asyncio
from datetime import timedelta

from contracts.events import PackageFailed, RoundClosed
from services.distribution import rounds, store
from tests.distribution import samples
from tests.distribution.conftest import Distribution, until_waiting
from tests.distribution.samples import LAUNCH


async def test_who_waited_when_a_round_closed_gets_no_goods_of_it(distribution: Distribution) -> None:
    """What is heard of a household in that moment looks at a round that is open, and writes after it has closed.

    Fails when: who plans does not look whether the round is open, or who is not planned goes on waiting.
    """
    household, carer, wanted = samples.household(), samples.carer(), samples.monthly()
    await distribution.tell(household, carer)
    await distribution.settle_register()
    await distribution.submit(wanted)
    await distribution.plan()

    async with distribution.context.pool.acquire() as db, db.transaction():
        known = (await store.lock_rounds(db, [wanted.round_id]))[wanted.round_id]
        await store.save_round(db, known.regency, rounds.close_round(known.round, rounds.RoundCounts(0, 0, 0)))
        await store.forget_to_plan(db, wanted.round_id)
        telling = asyncio.create_task(distribution.tell(samples.assigned(household, carer.carer_id)))
        await until_waiting(distribution, 1)
    await telling
    await distribution.submit(*samples.packages_of_stock(1))
    await distribution.plan()

    assert await distribution.context.pool.fetch("select state from package") == []
    assert await distribution.context.pool.fetch("select turn from to_plan") == []


async def test_a_round_does_not_close_while_packages_are_planned_in_it(distribution: Distribution) -> None:
    """They would have no end. Fails when: closing does not wait for who plans."""
    household, carer, wanted = samples.household(), samples.carer(), samples.monthly()
    await distribution.tell(household, carer)
    await distribution.settle_register()
    await distribution.submit(wanted)
    await distribution.plan()
    await distribution.set_time(LAUNCH + timedelta(days=20))

    async with distribution.context.pool.acquire() as db, db.transaction():
        await store.lock_reserving(db)
        closing = asyncio.create_task(distribution.close_rounds())
        await until_waiting(distribution, 1)
        await distribution.tell(samples.assigned(household, carer.carer_id))
    await closing
    assert await distribution.facts(RoundClosed) == []
    await distribution.plan()
    await distribution.close_rounds()

    assert [fact.failure_reason for fact in await distribution.facts(PackageFailed)] == ["not_brought"]
    assert len(await distribution.facts(RoundClosed)) == 1


async def test_a_week_that_nobody_could_bring_counts_towards_a_supply_gap(distribution: Distribution) -> None:
    """Rule 18: a household without a carer had no package in the first week, and none came in the second.

    Fails when: only those weeks count for which a package was planned.
    """
    carer, household = samples.carer(), samples.household()
    await distribution.tell(carer, household)
    await distribution.settle_register()
    await distribution.submit(samples.weekly(1))
    await distribution.plan()
    await distribution.set_time(LAUNCH - timedelta(days=2))
    await distribution.close_rounds()
    await distribution.submit(samples.weekly(2))
    await distribution.tell(samples.assigned(household, carer.carer_id))
    await distribution.plan()
    await distribution.set_time(LAUNCH + timedelta(days=10))

    await distribution.close_rounds()

    assert len(await distribution.facts(RoundClosed)) == 2
    assert [(fact.period, fact.supply_gap) for fact in await distribution.facts(PackageFailed)] == [
        ("2026-10-w2", True)
    ]
