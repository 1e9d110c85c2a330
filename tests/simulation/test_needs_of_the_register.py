"""The reconciliation also looks for cases of what the register says is needed, in a fact of whatever type."""

import pytest

from contracts import events as e
from contracts.vocabulary import Need
from simulation.checks.cases import needs_seen_have_one_case
from tests.simulation import story
from tests.simulation.story import FIRST


@pytest.mark.parametrize(
    ("event", "changes", "need"),
    [
        (e.EligibilityGranted, {"review_reason": "re_verification"}, Need.ELIGIBILITY_DOUBTED),
        (e.HouseholdSplit, {"nik_status": "missing"}, Need.DOCUMENTS),
    ],
)
async def test_what_the_register_says_is_needed_must_have_a_case(
    event: type[e.Household], changes: dict[str, str], need: Need
) -> None:
    """Fails when: only needs that were seen at doors are looked for."""
    evidence = await story.right_evidence()
    story.tell(evidence, event, 2, household_id=FIRST, **changes)

    without = needs_seen_have_one_case(evidence)
    story.open_case(evidence, story.id_of("case", 1), FIRST, need)

    assert without == [f"need {need} of household {FIRST}: seen, and no case"]
    assert needs_seen_have_one_case(evidence) == []


async def test_of_a_household_that_left_nothing_is_needed() -> None:
    """Fails when: a case is looked for where nobody is."""
    evidence = await story.right_evidence()
    story.tell(evidence, e.HouseholdLeft, 2, household_id=FIRST, status="left", nik_status="missing")

    assert needs_seen_have_one_case(evidence) == []
