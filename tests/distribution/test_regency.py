"""What is submitted for one regency touches no round, household, package or lot of another."""

from dataclasses import replace
from uuid import UUID

from contracts.events import SubmissionRefused
from contracts.submissions import (
    CountSubmitted,
    LotBlockSubmitted,
    PackageCancellationSubmitted,
    RecallSubmitted,
    ReversalSubmitted,
    Submission,
    SurplusDecisionSubmitted,
)
from contracts.vocabulary import FailureReason
from messaging.messages import Answer
from services.distribution.handlers import handlers
from tests.distribution import samples
from tests.distribution.conftest import POLICIES, Distribution, open_round
from tests.distribution.samples import DEPOT, NOW

PALEMBANG = "16.71"
"""Here with the depots of Banyuwangi, so that nothing else tells them apart."""
BOTH = {**POLICIES, PALEMBANG: POLICIES["35.10"].model_copy(update={"regency": PALEMBANG})}


def in_both(distribution: Distribution) -> Distribution:
    """The same, for two regencies."""
    return replace(distribution, context=replace(distribution.context, handlers=handlers(BOTH)))


def surplus(round_id: UUID, household_id: UUID) -> SurplusDecisionSubmitted:
    return SurplusDecisionSubmitted(
        happened_at=NOW, round_id=round_id, use="candidates", household_ids=(household_id,), reason="surplus"
    )


async def test_a_round_and_the_packages_of_another_regency_are_not_touched(distribution: Distribution) -> None:
    wanted, [household_id] = await open_round(distribution, households=1)
    there = in_both(distribution)
    reports: list[Submission] = [
        samples.picked_up(wanted.round_id, household_id),
        samples.delivered(wanted.round_id, household_id),
        samples.failed(wanted.round_id, household_id, FailureReason.NOT_HOME),
        samples.returned(wanted.round_id, household_id),
        PackageCancellationSubmitted(
            happened_at=NOW, household_id=household_id, round_id=wanted.round_id, reason="asked"
        ),
        surplus(wanted.round_id, household_id),
        wanted,
    ]
    await distribution.forget()

    answers = [answer for report in reports for answer in await there.submit(report, regency=PALEMBANG)]

    assert answers == [Answer("refused", "wrong_regency", "round_id")] * len(reports)
    assert {type(fact) for fact in await distribution.all_facts()} == {SubmissionRefused}


async def test_a_lot_of_another_regency_is_not_touched(distribution: Distribution) -> None:
    """Nor are the packages that its units are kept for: a count is looked at before lots are locked."""
    await open_round(distribution, households=1, packages=1)
    there = in_both(distribution)
    lot_id = await distribution.context.pool.fetchval("select lot_id from lot where item = 'rice_5kg'")
    lot = samples.stock(lot_id=lot_id)
    submissions: list[Submission] = [
        lot,
        samples.sent(lot, 1),
        CountSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=lot_id, counted=0),
        RecallSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=lot_id, reason="aflatoxin"),
        LotBlockSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=lot_id, blocked=True, reason="wet"),
    ]
    before = await distribution.balances(lot_id)
    await distribution.forget()

    answers = [answer for one in submissions for answer in await there.submit(one, regency=PALEMBANG)]
    await distribution.plan()

    assert answers == [Answer("refused", "wrong_regency", "lot_id")] * len(submissions)
    assert await distribution.balances(lot_id) == before
    assert {type(fact) for fact in await distribution.all_facts()} == {SubmissionRefused}


async def test_an_entry_of_another_regency_is_not_reversed(distribution: Distribution) -> None:
    lot = samples.stock()
    await distribution.submit_as("wrong", lot)
    there = in_both(distribution)

    answer = await there.submit_as(
        "x",
        ReversalSubmitted(happened_at=NOW, depot_id=DEPOT, entry_submission_id="wrong", reason="typed_twice"),
        PALEMBANG,
    )

    assert answer == Answer("refused", "wrong_regency", "entry_submission_id")
    assert await distribution.balances(lot.lot_id) == {(DEPOT, "received"): 10, (DEPOT, "available"): 10}


async def test_a_household_of_another_regency_gets_no_surplus(distribution: Distribution) -> None:
    wanted, _ = await open_round(distribution, households=1)
    theirs = samples.household(district="16.71.01", village="16.71.01.1001")
    await distribution.tell(theirs)

    answers = await distribution.submit(surplus(wanted.round_id, theirs.household_id))

    assert answers == [Answer("refused", "wrong_regency", "household_ids")]
