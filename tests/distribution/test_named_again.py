"""Who was taken off a round's list may be named again, and gets the one package (rule 15)."""

from uuid import UUID

import pytest

from contracts.events import Household, HouseholdUpdated
from contracts.submissions import PackageCancellationSubmitted, RecallSubmitted
from contracts.vocabulary import FailureReason
from services.distribution import store
from services.distribution.rounds import RoundCounts
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import DEPOT, NOW
from tests.distribution.test_one_package import merged, surplus


def back(household_id: UUID) -> Household:
    """The register says that it is there, after it had left."""
    return HouseholdUpdated(**dict(samples.updated(samples.household(household_id))) | {"version": 9})


async def gone_and_back(distribution: Distribution, round_id: UUID, household_id: UUID) -> None:
    await distribution.tell(samples.left(samples.household(household_id), "other_regency"))
    await distribution.plan()
    await distribution.tell(back(household_id))
    await distribution.plan()
    assert (await distribution.package(round_id, household_id)).status == "cancelled"


async def counts(distribution: Distribution, round_id: UUID) -> RoundCounts:
    async with distribution.context.pool.acquire() as db:
        return await store.count_round(db, round_id)


async def test_who_came_back_and_is_named_is_supplied_anew(distribution: Distribution) -> None:
    """As a recipient again, not as one more.

    Fails when: a removed recipient counts as being on the list, or what was cancelled is never planned again.
    """
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    await gone_and_back(distribution, wanted.round_id, household)

    answers = await distribution.submit(*[surplus(wanted.round_id, household)] * 2)
    await distribution.plan()

    package = await distribution.package(wanted.round_id, household)
    assert [answer.outcome for answer in answers] == ["accepted", "accepted"]
    assert (package.status, package.supply) == ("planned", "stock")
    assert await counts(distribution, wanted.round_id) == RoundCounts(0, 0, 0)
    assert await distribution.ledger_breaks() == []


async def test_who_left_before_its_plan_and_is_named_is_planned(distribution: Distribution) -> None:
    """Without a carer it waited."""
    household, wanted = samples.household(), samples.monthly()
    await distribution.tell(household)
    await distribution.settle_register()
    await distribution.submit(wanted)
    await distribution.tell(samples.left(household, "other_regency"))
    await distribution.plan()
    await distribution.tell(back(household.household_id))

    await distribution.submit(surplus(wanted.round_id, household.household_id), *samples.packages_of_stock(1))
    await distribution.plan()

    assert (await distribution.package(wanted.round_id, household.household_id)).status == "planned"


@pytest.mark.parametrize("status", ["picked_up", "held"])
async def test_what_is_out_for_who_is_named_again_goes_to_them(distribution: Distribution, status: str) -> None:
    """No other one is taken off the shelf; one whose lot is called back is held.

    Fails when: it is supplied anew while a holder has its goods.
    """
    wanted, [household] = await open_round(distribution, households=1, packages=2)
    rice = (await distribution.package(wanted.round_id, household)).lots[0].lot_id
    await distribution.submit(samples.picked_up(wanted.round_id, household))
    await gone_and_back(distribution, wanted.round_id, household)
    if status == "held":
        await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin"))

    await distribution.submit(surplus(wanted.round_id, household))
    await distribution.plan()

    assert (await distribution.package(wanted.round_id, household)).status == status
    assert (await distribution.balances(rice))[DEPOT, "with_holders"] == 1
    assert (DEPOT, "reserved") not in await distribution.balances(rice)


async def test_who_has_had_one_is_not_named_again(distribution: Distribution) -> None:
    """Delivered after it was cancelled, brought back, or had by who was merged into them.

    Fails when: nobody looks whether the package of who is named has an end.
    """
    wanted, [late, returned, stays, gone] = await open_round(distribution, households=4, packages=4)
    await distribution.submit(samples.picked_up(wanted.round_id, returned), samples.delivered(wanted.round_id, gone))
    await distribution.tell(merged(samples.household(gone), stays))
    for household in (late, returned):
        await gone_and_back(distribution, wanted.round_id, household)
    await distribution.submit(samples.delivered(wanted.round_id, late), samples.returned(wanted.round_id, returned))

    answers = await distribution.submit(*[surplus(wanted.round_id, one) for one in (late, returned, stays)])
    await distribution.plan()

    assert [answer.code for answer in answers] == ["wrong_state", "wrong_state", None]
    assert (await distribution.package(wanted.round_id, stays)).status == "cancelled"
    assert (await counts(distribution, wanted.round_id)).removals == 3


async def test_who_is_off_the_list_is_planned_nothing(distribution: Distribution) -> None:
    """Not even when a lot is called back of which it had some that came back damaged.

    Fails when: planning does not look whether a household is still a recipient.
    """
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    rice = (await distribution.package(wanted.round_id, household)).lots[0].lot_id
    await distribution.submit(samples.failed(wanted.round_id, household, FailureReason.DAMAGED))
    cancellation = PackageCancellationSubmitted(
        happened_at=NOW, household_id=household, round_id=wanted.round_id, reason="duplicate"
    )
    await distribution.submit(cancellation)
    await distribution.submit(samples.returned(wanted.round_id, household, damaged=True))

    await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin"))
    await distribution.plan()

    assert (await distribution.package(wanted.round_id, household)).status == "returned"
