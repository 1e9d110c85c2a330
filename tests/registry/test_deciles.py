"""What a dated decile gives, and what it cannot take: rule 4."""

from datetime import timedelta

from contracts.events import (
    EligibilityGranted,
    HouseholdProfiled,
    HouseholdRegistered,
    HouseholdUpdated,
)
from contracts.submissions import HouseholdChangeSubmitted, HouseholdMoved
from messaging.messages import Answer
from tests.registry.conftest import Registry
from tests.registry.samples import (
    OTHER_VILLAGE,
    SEEN_AT,
    household,
)

BETWEEN = SEEN_AT + timedelta(days=10)
LATER = SEEN_AT + timedelta(days=90)


async def test_an_older_period_never_overrides_a_newer_one_and_is_kept(registry: Registry) -> None:
    """Rule 4: a decile is a dated fact with its source; history is kept."""
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id

    await registry.submit(household(1, happened_at=LATER, decile=7, decile_period="2026-q2"))

    rows = await registry.context.pool.fetch("select period, decile, source from decile order by period")
    assert [tuple(row) for row in rows] == [("2026-q2", 7, "dtsen"), ("2026-q3", 1, "dtsen")]
    assert (await registry.household(household_id)).decile == 1


async def test_an_older_row_of_the_same_period_corrects_nothing(registry: Registry) -> None:
    """Rule 4: neither the household nor the history.

    Fails when: deciles of one period are believed in the order in which they come, or what is said again is no news.
    """
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id
    await registry.submit(household(1, decile=4), household(1, decile=4, happened_at=LATER))
    await registry.facts()

    answers = await registry.submit(household(1, happened_at=BETWEEN, row_id="row-again"))

    assert answers == [Answer("unchanged", "same_household")]
    assert await registry.facts() == []
    assert (await registry.household(household_id)).decile == 4
    assert await registry.context.pool.fetchval("select decile from decile") == 4


async def test_a_correction_reaches_a_household_that_has_changed_since(registry: Registry) -> None:
    """Rule 4: a decile is as old as the list that gave it.

    Fails when: a decile must be newer than everything else that is known of the household.
    """
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id
    moved = HouseholdMoved(kind="moved", village=OTHER_VILLAGE, address=None, place=None)
    await registry.submit(HouseholdChangeSubmitted(happened_at=LATER, household_id=household_id, change=moved))

    await registry.submit(household(1, decile=4, happened_at=BETWEEN))

    state = await registry.household(household_id)
    assert (state.decile, state.review_reason, state.village) == (4, "decile_left", OTHER_VILLAGE)


async def test_leaving_the_decile_opens_a_review_and_takes_nothing(registry: Registry) -> None:
    """Rule 4: a person decides; back within the decile there is nothing left to decide."""
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id

    await registry.submit(household(1, happened_at=LATER, decile=4, decile_period="2026-q4"))
    left = await registry.household(household_id)
    await registry.submit(household(1, happened_at=LATER, decile=1, decile_period="2027-q1"))
    back = await registry.household(household_id)

    assert (left.review_reason, len(left.eligibilities)) == ("decile_left", 2)
    assert (back.review_reason, len(back.eligibilities)) == (None, 2)
    decisions = await registry.context.pool.fetch("select decision from review")
    assert [row["decision"] for row in decisions] == ["withdrawn", "withdrawn"]


async def test_another_decile_registers_without_eligibility_until_it_falls(registry: Registry) -> None:
    await registry.submit(household(1, decile=4))
    first = await registry.facts()

    await registry.submit(household(1, happened_at=LATER, decile=1, decile_period="2026-q4"))

    assert [type(fact) for fact in first] == [HouseholdRegistered, HouseholdProfiled]
    assert [type(fact) for fact in await registry.facts()] == [HouseholdUpdated, EligibilityGranted]
