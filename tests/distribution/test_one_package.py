"""One household gets one package a round, whatever is split or merged (rule 15)."""

from datetime import timedelta
from uuid import UUID

from contracts.events import Household, HouseholdMerged, HouseholdRegistered, PackageCancelled
from contracts.submissions import SurplusDecisionSubmitted
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import NOW


def half(of: UUID, after: timedelta) -> HouseholdRegistered:
    """The new household of a split card, so long after five days before the launch."""
    state = dict(samples.household(version=1))
    return HouseholdRegistered(
        **{name: state[name] for name in Household.model_fields} | {"registered_at": NOW + after}, split_from=of
    )


def merged(gone: Household, stays: UUID) -> HouseholdMerged:
    state = dict(gone) | {"version": gone.version + 1, "status": "merged"}
    return HouseholdMerged(**{name: state[name] for name in Household.model_fields}, merged_into=stays)


def surplus(round_id: UUID, *household_ids: UUID) -> SurplusDecisionSubmitted:
    return SurplusDecisionSubmitted(
        happened_at=NOW, round_id=round_id, use="candidates", household_ids=household_ids, reason="surplus"
    )


async def additions(distribution: Distribution) -> set[UUID]:
    rows = await distribution.context.pool.fetch("select household_id from recipient where added_because is not null")
    return {row["household_id"] for row in rows}


async def test_who_leaves_a_recipients_card_is_no_addition(distribution: Distribution) -> None:
    """Nor who leaves the half again; but a half of before the list was frozen is.

    Fails when: `add_recipients` does not look where a household comes from, or looks one split back only.
    """
    wanted, [recipient] = await open_round(distribution, households=1)
    child = half(recipient, timedelta(days=1))
    grandchild = half(child.household_id, timedelta(days=2))
    older = half(recipient, -timedelta(days=1))
    await distribution.tell(child, grandchild, older)
    await distribution.tell(samples.updated(child))

    halves = (child.household_id, grandchild.household_id, older.household_id)
    [answer] = await distribution.submit(surplus(wanted.round_id, *halves))

    assert answer.outcome == "accepted"
    assert await additions(distribution) == {older.household_id}


async def test_who_left_the_card_of_a_removed_recipient_may_be_added(distribution: Distribution) -> None:
    """Nobody of them has had anything."""
    wanted, [recipient] = await open_round(distribution, households=1)
    child = half(recipient, timedelta(days=1))
    await distribution.tell(child, samples.left(samples.household(recipient), "other_regency"))
    await distribution.plan()

    await distribution.submit(surplus(wanted.round_id, child.household_id))

    assert await additions(distribution) == {child.household_id}


async def test_of_two_merged_households_the_one_that_stays_gets_what_the_other_has_not_had(
    distribution: Distribution,
) -> None:
    """Fails when: what was merged into a household is not looked at, or not when it is delivered late."""
    wanted, [first, second, third, fourth] = await open_round(distribution, households=4, packages=4)
    await distribution.submit(samples.delivered(wanted.round_id, first))

    await distribution.tell(merged(samples.household(first), second), merged(samples.household(third), fourth))
    await distribution.plan()
    before = [(await distribution.package(wanted.round_id, one)).status for one in (first, second, third, fourth)]
    await distribution.submit(samples.delivered(wanted.round_id, third))
    await distribution.plan()

    assert before == ["delivered", "cancelled", "cancelled", "planned"]
    assert (await distribution.package(wanted.round_id, fourth)).status == "cancelled"
    assert [fact.reason for fact in await distribution.facts(PackageCancelled)] == ["merged"] * 3
    assert await distribution.ledger_breaks() == []
