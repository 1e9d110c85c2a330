"""Wrong entries of the ledger are taken back: once, by who made them, and while the units are there (rule 13)."""

from contracts.events import StockAdjusted
from contracts.submissions import ReversalSubmitted
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round, submission_record
from tests.distribution.samples import CENTRAL, DEPOT, NOW
from tests.distribution.test_stock import blocked, counted, recalled


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


async def test_what_cannot_be_taken_back_is_refused(distribution: Distribution) -> None:
    """Named at another depot, and when its units are kept for a package: of a lot that nothing has changed since.

    Fails when: lots that stay as they are are saved too.
    """
    lots = samples.packages_of_stock(1)
    for number, lot in enumerate(lots):
        await distribution.submit_as(f"in-{number}", lot)
    reversal = ReversalSubmitted(happened_at=NOW, depot_id=CENTRAL, entry_submission_id="in-0", reason="typed_twice")
    [elsewhere] = await distribution.submit(reversal)
    await open_round(distribution, households=1)

    [kept] = await distribution.submit(reversal.model_copy(update={"depot_id": DEPOT}))

    assert (elsewhere.code, kept.code) == ("unknown_entry", "not_enough_stock")


async def test_two_senders_reverse_each_their_own_entry_under_one_id(distribution: Distribution) -> None:
    """An id is a sender's own. Fails when: what a reversal is about is remembered by its id alone."""
    here, there = samples.stock(units=10), samples.stock(units=10, depot_id="depot-35.10.01")
    await distribution.carry_out(
        [submission_record(here, "in", source="one"), submission_record(there, "in", source="other")]
    )
    await distribution.submit(blocked(here, is_blocked=True), blocked(there, is_blocked=True))
    back = ReversalSubmitted(happened_at=NOW, depot_id=DEPOT, entry_submission_id="in", reason="typed_twice")
    elsewhere = back.model_copy(update={"depot_id": there.depot_id})

    await distribution.carry_out(
        [submission_record(back, "r", source="one"), submission_record(elsewhere, "r", source="other")]
    )

    assert [await distribution.balances(lot.lot_id) for lot in (here, there)] == [{}, {}]


async def test_a_reversal_of_a_lot_called_back_is_of_what_is_blocked(distribution: Distribution) -> None:
    """Rule 14. Fails when: `reverse` takes the accounts as they were."""
    lot = samples.stock(units=10)
    await distribution.submit(lot)
    await distribution.submit_as("count", counted(lot, 7))
    await distribution.submit(recalled(lot))
    reversal = ReversalSubmitted(happened_at=NOW, depot_id=DEPOT, entry_submission_id="count", reason="miscounted")

    await distribution.submit(reversal)

    assert await distribution.balances(lot.lot_id) == {(DEPOT, "received"): 10, (DEPOT, "blocked"): 10}


async def test_a_reversal_of_a_lot_that_was_released_is_of_what_is_free(distribution: Distribution) -> None:
    lot = samples.stock(units=10)
    await distribution.submit(lot)
    await distribution.submit(blocked(lot, is_blocked=True))
    await distribution.submit_as("count", counted(lot, 7))
    await distribution.submit(blocked(lot, is_blocked=False))
    reversal = ReversalSubmitted(happened_at=NOW, depot_id=DEPOT, entry_submission_id="count", reason="miscounted")

    await distribution.submit(reversal)

    assert await distribution.balances(lot.lot_id) == {(DEPOT, "received"): 10, (DEPOT, "available"): 10}


async def test_an_arrival_of_nothing_is_no_entry_to_take_back(distribution: Distribution) -> None:
    """What was signed for as missing would be in transit again, for ever: only stock and counts are taken back.

    Fails when: `_is_of` does not look at where units come from.
    """
    lot = samples.stock(units=10, depot_id=CENTRAL)
    truck = samples.sent(lot, 4)
    await distribution.submit(lot, truck)
    await distribution.submit_as("arrival", samples.arrived(truck, 0))
    reversal = ReversalSubmitted(happened_at=NOW, depot_id=DEPOT, entry_submission_id="arrival", reason="typed_twice")

    [answer] = await distribution.submit(reversal)

    assert answer.code == "unknown_entry"
    assert (await distribution.balances(lot.lot_id))[DEPOT, "written_off"] == 4
