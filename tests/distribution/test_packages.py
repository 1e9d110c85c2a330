"""A package from its plan to the door, through handlers and jobs on a real PostgreSQL (rules 12 to 17)."""

from uuid import UUID

from contracts.events import (
    PackageDelivered,
    PackagePickedUp,
    PackagePlanned,
    RoundOpened,
)
from contracts.vocabulary import Goods
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import DEPOT


async def test_a_round_freezes_its_recipients_and_plans_a_package_for_each(distribution: Distribution) -> None:
    """Rules 15, 16: stock while the depot holds whole packages, else brought by the carer's office."""
    _, households = await open_round(distribution, households=5, packages=2)

    [opened] = await distribution.facts(RoundOpened)
    planned = await distribution.facts(PackagePlanned)

    assert (opened.recipients, opened.floor, opened.rule_version) == (5, 20_000, "bwi-2026-1")
    assert {(fact.household_id, fact.version) for fact in planned} == {(one, 1) for one in households}
    assert sorted((fact.supply, str(fact.giver_id)) for fact in planned) == [
        *[("brought", "sdn-1-kepatihan")] * 3,
        *[("stock", "None")] * 2,
    ]
    assert await distribution.plan() == 0
    assert await distribution.ledger_breaks() == []


async def test_a_package_goes_from_the_shelf_to_the_door_through_the_ledger(distribution: Distribution) -> None:
    """Rules 13, 16, 17."""
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    planned = await distribution.package(wanted.round_id, household)
    lot = planned.lots[0].lot_id
    assert await distribution.balances(lot) == {(DEPOT, "received"): 1, (DEPOT, "reserved"): 1}

    await distribution.submit(samples.picked_up(wanted.round_id, household))
    assert await distribution.balances(lot) == {(DEPOT, "received"): 1, (DEPOT, "with_holders"): 1}
    await distribution.submit(samples.delivered(wanted.round_id, household))

    assert await distribution.balances(lot) == {(DEPOT, "received"): 1, (DEPOT, "delivered"): 1}
    delivered = await distribution.package(wanted.round_id, household)
    assert (delivered.status, delivered.version, delivered.flags) == ("delivered", 3, ())
    assert await distribution.ledger_breaks() == []
    assert len(await distribution.facts(PackagePickedUp)) == len(await distribution.facts(PackageDelivered)) == 1


async def test_a_package_sent_three_times_leaves_the_depot_once(distribution: Distribution) -> None:
    """The same pick-up and delivery under the same id, and again under others: ignored the second time."""
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    pick_up, delivery = samples.picked_up(wanted.round_id, household), samples.delivered(wanted.round_id, household)

    outcomes = [(await distribution.submit_as("p1", pick_up)).outcome for _ in range(2)]
    outcomes += [(await distribution.submit_as("p2", pick_up)).outcome]
    outcomes += [(await distribution.submit_as("d1", delivery)).outcome for _ in range(2)]
    outcomes += [(await distribution.submit_as("d2", delivery)).outcome]

    assert outcomes == ["accepted", "accepted", "unchanged"] * 2
    assert (await distribution.package(wanted.round_id, household)).version == 3
    assert await distribution.ledger_breaks() == []


async def test_a_delivery_counts_without_a_pick_up_and_another_one_is_refused(distribution: Distribution) -> None:
    wanted, [household] = await open_round(distribution, households=1, packages=1)

    [first] = await distribution.submit(samples.delivered(wanted.round_id, household))
    [second] = await distribution.submit(samples.delivered(wanted.round_id, household, photo_sha256="f" * 64))

    assert (first.outcome, second.code) == ("accepted", "wrong_state")
    assert await distribution.ledger_breaks() == []


async def test_who_is_no_recipient_gets_nothing(distribution: Distribution) -> None:
    """Rule 15: the list is frozen; a household known later is refused, one in an unknown round waits."""
    wanted, _ = await open_round(distribution, households=1)
    late = samples.household()
    await distribution.tell(late)

    answers = await distribution.submit(
        samples.delivered(wanted.round_id, late.household_id), samples.delivered(UUID(int=9), UUID(int=8))
    )

    assert [(answer.outcome, answer.code) for answer in answers] == [("refused", "not_in_round"), ("parked", None)]


async def test_reports_before_the_plan_wait_for_it(distribution: Distribution) -> None:
    carer, household = samples.carer(), samples.household()
    wanted = samples.monthly()
    delivery = samples.delivered(wanted.round_id, household.household_id)
    assert (await distribution.submit_as("d1", delivery)).outcome == "parked"
    await distribution.tell(carer, household, samples.assigned(household, carer.carer_id))
    await distribution.settle_register()
    await distribution.submit(wanted)

    await distribution.sweep()
    assert await distribution.facts(PackageDelivered) == []
    await distribution.plan()
    await distribution.sweep()

    assert len(await distribution.facts(PackageDelivered)) == 1


async def test_a_pledge_supplies_and_its_lapse_gives_the_plan_back_to_the_carer(distribution: Distribution) -> None:
    """Rule 12."""
    wanted, [household] = await open_round(distribution, households=1)
    fact = samples.household(household)

    await distribution.tell(samples.pledged(fact))
    await distribution.plan()
    promised = await distribution.package(wanted.round_id, household)
    await distribution.tell(samples.lapsed(fact))
    await distribution.plan()
    brought = await distribution.package(wanted.round_id, household)

    assert (promised.giver_id, promised.pledge_id is not None) == ("bank-jatim", True)
    assert (brought.giver_id, brought.pledge_id) == ("sdn-1-kepatihan", None)


async def test_goods_that_come_late_relieve_the_carers(distribution: Distribution) -> None:
    """A round opens before the trucks: who was to be supplied by an office gets the depot's goods, in order."""
    wanted, households = await open_round(distribution, households=4)

    await distribution.submit(*samples.packages_of_stock(3))
    await distribution.plan()

    supplies = [(await distribution.package(wanted.round_id, household)).supply for household in households]
    assert sorted(supplies) == ["brought", "stock", "stock", "stock"]
    assert await distribution.plan() == 0
    assert await distribution.ledger_breaks() == []


async def test_a_hand_over_takes_the_plan_along(distribution: Distribution) -> None:
    """Rule 11."""
    wanted, [household] = await open_round(distribution, households=1)
    successor = samples.carer(office_id="puskesmas-giri")

    await distribution.tell(successor, samples.assigned(samples.household(household), successor.carer_id, version=2))
    await distribution.plan()

    package = await distribution.package(wanted.round_id, household)
    assert (package.carer_id, package.giver_id) == (successor.carer_id, "puskesmas-giri")


async def test_what_was_brought_is_recorded_and_what_was_kept_for_it_is_free(distribution: Distribution) -> None:
    """Rule 18."""
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    lot = (await distribution.package(wanted.round_id, household)).lots[0].lot_id

    brought = (Goods(item="fish_1kg", units=2),)
    await distribution.submit(samples.delivered(wanted.round_id, household, brought=brought))

    package = await distribution.package(wanted.round_id, household)
    assert (package.supply, package.contents, package.lots, package.value) == ("brought", brought, (), 60_000)
    assert await distribution.balances(lot) == {(DEPOT, "received"): 1, (DEPOT, "available"): 1}


async def test_who_has_no_carer_and_no_goods_waits_until_one_comes(distribution: Distribution) -> None:
    household, carer, wanted = samples.household(), samples.carer(), samples.monthly()
    await distribution.tell(household)
    await distribution.settle_register()
    await distribution.submit(wanted)
    await distribution.plan()
    assert await distribution.facts(PackagePlanned) == []
    assert await distribution.plan() == 0

    await distribution.tell(samples.assigned(household, carer.carer_id))
    await distribution.plan()
    assert await distribution.facts(PackagePlanned) == []
    await distribution.tell(carer)
    await distribution.plan()

    assert len(await distribution.facts(PackagePlanned)) == 1
