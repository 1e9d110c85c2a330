"""Packages whose collector never came: their goods are still on the shelf, and are treated so (rules 14, 16)."""

from datetime import timedelta
from uuid import UUID

import pytest

from contracts.events import PackagePickedUp
from contracts.submissions import CountSubmitted, LotBlockSubmitted, RecallSubmitted, RoundSubmitted
from contracts.vocabulary import FailureReason
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import DEPOT, NOW


async def left_behind(distribution: Distribution) -> tuple[RoundSubmitted, UUID, UUID]:
    """A round, a household whose package nobody fetched, and the lot of its rice."""
    wanted, [household] = await open_round(distribution, households=1, packages=1)
    await distribution.submit(samples.failed(wanted.round_id, household, FailureReason.NOT_BROUGHT))
    return wanted, household, (await distribution.package(wanted.round_id, household)).lots[0].lot_id


@pytest.mark.parametrize("way", ["recalled", "blocked", "expired"])
async def test_goods_not_brought_that_may_not_leave_are_replaced(distribution: Distribution, way: str) -> None:
    """Rule 14. Fails when: only packages that are planned lose what may not move."""
    wanted, household, rice = await left_behind(distribution)

    match way:
        case "recalled":
            await distribution.submit(RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, reason="aflatoxin"))
        case "blocked":
            block = LotBlockSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, blocked=True, reason="wet")
            await distribution.submit(block)
        case _:
            await distribution.set_time(NOW + timedelta(days=400))
            await distribution.watch_lots()
    await distribution.plan()

    package = await distribution.package(wanted.round_id, household)
    assert (package.status, package.supply, package.attempts) == ("planned", "brought", 1)
    assert await distribution.balances(rice) == {(DEPOT, "received"): 1, (DEPOT, "blocked"): 1}
    assert await distribution.ledger_breaks() == []


async def test_goods_not_brought_are_picked_up_on_the_second_try(distribution: Distribution) -> None:
    """Rule 16. Fails when: what has failed counts as out, wherever its goods are."""
    wanted, household, rice = await left_behind(distribution)

    answers = await distribution.submit(*[samples.picked_up(wanted.round_id, household)] * 2)

    assert [answer.outcome for answer in answers] == ["accepted", "unchanged"]
    assert [fact.attempts for fact in await distribution.facts(PackagePickedUp)] == [1]
    assert await distribution.balances(rice) == {(DEPOT, "received"): 1, (DEPOT, "with_holders"): 1}


async def test_goods_not_brought_that_a_count_misses_are_supplied_anew(distribution: Distribution) -> None:
    """Rule 13. Fails when: who lost its goods is still said to have failed, and is not planned again."""
    wanted, household, rice = await left_behind(distribution)

    await distribution.submit(CountSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, counted=0))
    await distribution.plan()

    package = await distribution.package(wanted.round_id, household)
    assert (package.status, package.supply, package.giver_id) == ("planned", "brought", "sdn-1-kepatihan")
    assert await distribution.ledger_breaks() == []
