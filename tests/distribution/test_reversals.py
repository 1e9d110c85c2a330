"""Entries of the ledger that were a mistake are taken back by linked ones (rule 13)."""

from contracts.events import StockAdjusted
from contracts.submissions import ReversalSubmitted
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import DEPOT, NOW


async def test_a_wrong_entry_is_taken_back_once(distribution: Distribution) -> None:
    lot = samples.stock(units=10)
    await distribution.submit_as("in-1", lot)
    reversal = ReversalSubmitted(happened_at=NOW, depot_id=DEPOT, entry_submission_id="in-1", reason="typed_twice")

    codes = [(await distribution.submit(one))[0].code for one in (reversal, reversal)]
    unknown = await distribution.submit(reversal.model_copy(update={"entry_submission_id": "in-2"}))

    assert codes == [None, "already_reversed"]
    assert unknown[0].code == "unknown_entry"
    assert await distribution.balances(lot.lot_id) == {}
    assert [fact.reason for fact in await distribution.facts(StockAdjusted)] == ["reversed"]
    assert await distribution.ledger_breaks() == []


async def test_goods_that_packages_are_kept_of_are_not_taken_back(distribution: Distribution) -> None:
    """Refused, though nothing has been said of the lot since it came in."""
    rice, *others = samples.packages_of_stock(1)
    await distribution.submit_as("in-1", rice)
    await distribution.submit(*others)
    await open_round(distribution, households=1)

    answer = await distribution.submit(
        ReversalSubmitted(happened_at=NOW, depot_id=DEPOT, entry_submission_id="in-1", reason="typed_twice")
    )

    assert [one.code for one in answer] == ["not_enough_stock"]
