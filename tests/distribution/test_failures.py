"""Packages that do not arrive (rule 16): failed, returned, held, cancelled, ended with their round."""

import asyncio
from datetime import timedelta

import pytest

from contracts.events import (
    PackageCancelled,
    PackageDelivered,
    PackageFailed,
    PackagePlanned,
    PackageReturned,
    RoundClosed,
)
from contracts.vocabulary import FailureReason
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round, until_waiting
from tests.distribution.samples import DEPOT, LAUNCH


async def test_two_failed_attempts_are_final_and_a_third_may_still_succeed(distribution: Distribution) -> None:
    """Rule 16; an attempt told twice counts once."""
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    first = samples.failed(wanted.round_id, household, FailureReason.NOT_HOME)
    second = samples.failed(
        wanted.round_id, household, FailureReason.ADDRESS_NOT_FOUND, happened_at=samples.NOW - timedelta(hours=1)
    )

    for report in (first, first, second):
        await distribution.submit(report)
    await distribution.submit(samples.delivered(wanted.round_id, household))

    failures = await distribution.facts(PackageFailed)
    assert [(fact.attempts, fact.final) for fact in failures] == [(1, False), (2, True)]
    assert (await distribution.package(wanted.round_id, household)).status == "delivered"
    assert await distribution.ledger_breaks() == []


async def test_goods_that_come_back_are_on_the_shelf_again(distribution: Distribution) -> None:
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    await distribution.submit(samples.failed(wanted.round_id, household, FailureReason.REFUSED))

    await distribution.submit(samples.returned(wanted.round_id, household))
    await distribution.plan()

    package = await distribution.package(wanted.round_id, household)
    assert package.status == "returned"
    assert await distribution.balances(package.lots[0].lot_id) == {(DEPOT, "received"): 1, (DEPOT, "available"): 1}
    assert await distribution.ledger_breaks() == []


async def test_damaged_goods_are_written_off_and_replaced(distribution: Distribution) -> None:
    wanted, [household] = await open_round(distribution, households=1, packages=2)
    lot = (await distribution.package(wanted.round_id, household)).lots[0].lot_id
    await distribution.submit(samples.failed(wanted.round_id, household, FailureReason.DAMAGED))

    await distribution.submit(samples.returned(wanted.round_id, household, damaged=True))
    await distribution.plan()

    package = await distribution.package(wanted.round_id, household)
    assert (package.status, package.supply, package.version) == ("planned", "stock", 4)
    assert await distribution.balances(lot) == {
        (DEPOT, "received"): 2,
        (DEPOT, "written_off"): 1,
        (DEPOT, "reserved"): 1,
    }


async def test_brought_goods_that_come_back_are_new_lots_of_who_brought_them(distribution: Distribution) -> None:
    """Rule 16: goods not delivered come back into the ledger."""
    wanted, [household] = await open_round(distribution, households=1)
    await distribution.submit(samples.failed(wanted.round_id, household, FailureReason.REFUSED))
    await distribution.forget()

    await distribution.submit(samples.returned(wanted.round_id, household))

    facts = await distribution.all_facts()
    assert isinstance(facts[0], PackageReturned)
    assert len(facts) == 1 + len(samples.CONTENTS)
    assert await distribution.ledger_breaks() == []


async def test_moved_away_is_held_until_the_village_says_it_stayed(distribution: Distribution) -> None:
    """Rule 16."""
    carer, household, wanted = samples.carer(), samples.household(), samples.monthly()
    await distribution.tell(carer, household, samples.assigned(household, carer.carer_id))
    await distribution.settle_register()
    await distribution.submit(wanted)
    await distribution.plan()
    await distribution.submit(samples.failed(wanted.round_id, household.household_id, FailureReason.MOVED_AWAY))

    await distribution.tell(samples.assigned(household, carer.carer_id, version=2))
    await distribution.plan()
    held = await distribution.package(wanted.round_id, household.household_id)
    await distribution.tell(samples.updated(household))
    await distribution.plan()

    assert held.status == "held"
    assert (await distribution.package(wanted.round_id, household.household_id)).status == "planned"


@pytest.mark.parametrize("reason", ["deceased_alone", "other_regency"])
async def test_nobody_is_sent_to_a_household_that_is_gone(distribution: Distribution, reason: str) -> None:
    """Rule 16; its goods are free again and the removal is named (rule 15)."""
    carer, household, wanted = samples.carer(), samples.household(), samples.monthly()
    await distribution.tell(carer, household, samples.assigned(household, carer.carer_id))
    await distribution.submit(*samples.packages_of_stock(1))
    await distribution.settle_register()
    await distribution.submit(wanted)
    await distribution.plan()

    await distribution.tell(samples.left(household, reason))
    await distribution.plan()

    [cancelled] = await distribution.facts(PackageCancelled)
    assert (cancelled.reason, cancelled.status) == (reason, "cancelled")
    assert await distribution.balances(cancelled.lots[0].lot_id) == {(DEPOT, "received"): 1, (DEPOT, "available"): 1}
    assert await distribution.context.pool.fetchval("select removed_because from recipient") == reason
    assert await distribution.plan() == 0


async def test_proof_that_comes_after_a_cancellation_counts(distribution: Distribution) -> None:
    """Rule 17: the goods that the books had put back are found."""
    carer, household, wanted = samples.carer(), samples.household(), samples.monthly()
    await distribution.tell(carer, household, samples.assigned(household, carer.carer_id))
    await distribution.submit(*samples.packages_of_stock(1))
    await distribution.settle_register()
    await distribution.submit(wanted)
    await distribution.plan()
    await distribution.tell(samples.left(household, "deceased_alone"))
    await distribution.plan()

    await distribution.submit(samples.delivered(wanted.round_id, household.household_id))

    [delivered] = await distribution.facts(PackageDelivered)
    assert (await distribution.balances(delivered.lots[0].lot_id))[DEPOT, "found"] == 1
    assert await distribution.ledger_breaks() == []


async def test_a_closed_round_ends_every_package_and_late_proof_restates_it(distribution: Distribution) -> None:
    """Rules 16, 17."""
    wanted, [first, second] = await open_round(distribution, households=2, packages=1)
    await distribution.set_time(LAUNCH + timedelta(days=20))
    await distribution.forget()

    await distribution.close_rounds()
    failures = await distribution.facts(PackageFailed)
    again = await distribution.close_rounds()
    await distribution.submit(samples.delivered(wanted.round_id, first))

    assert {(fact.household_id, fact.failure_reason, fact.final) for fact in failures} == {
        (first, "not_brought", True),
        (second, "not_brought", True),
    }
    assert again == 0
    [delivered] = await distribution.facts(PackageDelivered)
    assert delivered.proof is not None
    assert delivered.proof.late
    assert await distribution.ledger_breaks() == []


async def test_a_package_that_is_delivered_while_its_round_closes_stays_delivered(distribution: Distribution) -> None:
    """The closing found it unfinished and waits for its row; the delivery is before it in the queue."""
    wanted, [household_id] = await open_round(distribution, households=1)
    await distribution.set_time(LAUNCH + timedelta(days=20))

    async with distribution.context.pool.acquire() as db, db.transaction():
        await db.execute("select from package for update")
        delivering = asyncio.create_task(distribution.submit(samples.delivered(wanted.round_id, household_id)))
        await until_waiting(distribution, 1)
        closing = asyncio.create_task(distribution.close_rounds())
        await until_waiting(distribution, 2)
    await asyncio.gather(delivering, closing)

    assert (await distribution.package(wanted.round_id, household_id)).status == "delivered"
    assert [fact.delivered for fact in await distribution.facts(RoundClosed)] == [1]


async def test_two_weeks_without_protein_are_a_supply_gap(distribution: Distribution) -> None:
    """Rule 18: told with the second week's failure."""
    carer, household = samples.carer(), samples.household()
    await distribution.tell(carer, household, samples.assigned(household, carer.carer_id))
    await distribution.settle_register()
    await distribution.submit(samples.weekly(1), samples.weekly(2))
    await distribution.plan()
    planned = await distribution.facts(PackagePlanned)
    await distribution.set_time(LAUNCH + timedelta(days=10))

    await distribution.close_rounds()

    failures = await distribution.facts(PackageFailed)
    assert {fact.period: fact.contents[0].item for fact in planned} == {
        "2026-10-w1": "eggs_1kg",
        "2026-10-w2": "chicken_1kg",
    }
    assert {fact.period: fact.supply_gap for fact in failures} == {"2026-10-w1": False, "2026-10-w2": True}
