"""Whose visits may be refused in a month that is told at a steady rate."""

from uuid import UUID, uuid4

import orjson
import pytest
from aiokafka import ConsumerRecord

from contracts.events import Assignment, HouseholdAssigned, HouseholdUnserved
from contracts.submissions import VisitSubmitted
from simulation.claims import Claim, claim
from simulation.facts import Outside
from simulation.steady import relieved_carers_visits
from tests.simulation.story import EXAMPLES

HOUSEHOLD, FIRST, SECOND = uuid4(), uuid4(), uuid4()


def fact(kind: type[Assignment], version: int, carer_id: UUID | None) -> Assignment:
    name = kind.type.removeprefix("id.berbagi.")
    stated = kind.model_validate(orjson.loads((EXAMPLES / f"{name}.json").read_bytes())["data"])
    return stated.model_copy(update={"version": version, "household_id": HOUSEHOLD, "carer_id": carer_id})


def heard(*facts: Assignment) -> Outside:
    outside = Outside()
    for one in facts:
        value = one.json_text.encode()
        record = ConsumerRecord("assignment", 0, 0, 0, 0, b"key", value, None, 3, len(value), ())
        outside.hear(one.type.encode(), record)
    return outside


def visit(carer_id: UUID, household_id: UUID = HOUSEHOLD) -> Claim:
    return claim(VisitSubmitted, "field-app", f"visit-{carer_id}", household_id=household_id, carer_id=carer_id)


def test_a_relieved_carers_visit_may_be_refused_and_the_present_ones_may_not() -> None:
    """Fails when: every visit of a household that was handed over is excused."""
    outside = heard(fact(HouseholdAssigned, 1, FIRST), fact(HouseholdAssigned, 2, SECOND))

    assert list(relieved_carers_visits([visit(FIRST), visit(SECOND)], outside)) == [visit(FIRST)]


def test_who_was_relieved_while_the_household_was_unserved_may_be_refused() -> None:
    """Fails when: only a household that goes from one carer to another at once counts as handed over."""
    outside = heard(
        fact(HouseholdAssigned, 1, FIRST), fact(HouseholdUnserved, 2, None), fact(HouseholdAssigned, 3, SECOND)
    )

    assert list(relieved_carers_visits([visit(FIRST), visit(SECOND)], outside)) == [visit(FIRST)]


@pytest.mark.parametrize(
    "facts",
    [
        [fact(HouseholdAssigned, 1, FIRST)],
        [fact(HouseholdUnserved, 1, None), fact(HouseholdAssigned, 2, FIRST)],
        [fact(HouseholdAssigned, 1, FIRST), fact(HouseholdAssigned, 2, FIRST)],
        [fact(HouseholdAssigned, 2, FIRST), fact(HouseholdAssigned, 1, SECOND)],
    ],
    ids=["first carer", "unserved before", "same carer again", "older fact later"],
)
def test_nobodys_visit_is_excused_where_no_other_carer_was_before(facts: list[Assignment]) -> None:
    """Fails when: having had none counts as having had another."""
    visits = [visit(FIRST), visit(SECOND)]

    assert list(relieved_carers_visits(visits, heard(*facts))) == []


def test_visits_of_another_household_are_not_excused() -> None:
    outside = heard(fact(HouseholdAssigned, 1, FIRST), fact(HouseholdAssigned, 2, SECOND))

    assert list(relieved_carers_visits([visit(FIRST, uuid4())], outside)) == []
