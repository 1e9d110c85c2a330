"""What is submitted for one regency touches no household of another."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from contracts.submissions import (
    CandidateDecisionSubmitted,
    HouseholdChangeSubmitted,
    HouseholdMovedAway,
    ReviewDecisionSubmitted,
    Submission,
)
from contracts.vocabulary import EligibilityBasis
from messaging.messages import Answer
from tests.registry.conftest import Registry
from tests.registry.samples import SEEN_AT, household, neighbour_check


def moved_away(household_id: UUID) -> HouseholdChangeSubmitted:
    return HouseholdChangeSubmitted(
        happened_at=SEEN_AT, household_id=household_id, change=HouseholdMovedAway(kind="moved_away")
    )


def ended(household_id: UUID) -> ReviewDecisionSubmitted:
    return ReviewDecisionSubmitted(
        happened_at=SEEN_AT,
        household_id=household_id,
        programme="monthly_package",
        decision="end",
        reason="income_checked",
    )


def verified(household_id: UUID) -> CandidateDecisionSubmitted:
    return CandidateDecisionSubmitted(
        happened_at=SEEN_AT, household_id=household_id, decision="verified", basis=EligibilityBasis.LOCAL_VERIFIED
    )


@pytest.mark.parametrize("naming", [moved_away, ended, verified])
async def test_a_household_of_another_regency_is_not_touched(
    registry: Registry, naming: Callable[[UUID], Submission]
) -> None:
    await registry.submit(household(1), household(1, decile=5, decile_period="2026-q4"), neighbour_check(2))
    listed, seen = {fact.aggregate_id for fact in await registry.facts()}
    named = [naming(household_id) for household_id in (listed, seen)]

    answers = await registry.submit(*named, naming(uuid4()), regency="16.71")

    assert answers == [*[Answer("refused", "wrong_regency", "household_id")] * 2, Answer("parked")]
    assert await registry.facts() == []
