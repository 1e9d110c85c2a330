"""Who may be refused because word had not come to them yet."""

from uuid import UUID, uuid4

import orjson
import pytest
from aiokafka import ConsumerRecord

from contracts.events import Assignment, HouseholdAssigned, HouseholdUnserved, PackagePlanned
from contracts.refusals import RefusalCode
from contracts.submissions import PickUpSubmitted, VisitSubmitted
from simulation.claims import TAKEN, Claim, claim
from simulation.facts import Outside
from simulation.unheard import excused
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


def package(version: int, round_id: str, status: str) -> tuple[bytes, ConsumerRecord]:
    stated = orjson.loads((EXAMPLES / "package-planned.v1.json").read_bytes())["data"]
    value = orjson.dumps(
        stated | {"version": version, "household_id": str(HOUSEHOLD), "round_id": round_id, "status": status}
    )
    return PackagePlanned.type.encode(), ConsumerRecord("p", 0, 0, 0, 0, b"key", value, None, 3, len(value), ())


def visit(carer_id: UUID, household_id: UUID = HOUSEHOLD) -> Claim:
    return claim(VisitSubmitted, "field-app", f"visit-{carer_id}", household_id=household_id, carer_id=carer_id)


def told(claims: list[Claim], outside: Outside) -> dict[str, str]:
    """What else would be right, by id."""
    return {one.id: "".join(one.right - TAKEN) for one in excused(claims, outside)}


def test_a_relieved_carers_visit_may_be_refused_and_the_present_ones_may_not() -> None:
    """Fails when: every visit of a household that was handed over is excused."""
    outside = heard(fact(HouseholdAssigned, 1, FIRST), fact(HouseholdAssigned, 2, SECOND))

    assert told([visit(FIRST), visit(SECOND)], outside) == {f"visit-{FIRST}": RefusalCode.NOT_THE_CARER}


def test_who_was_relieved_while_the_household_was_unserved_may_be_refused() -> None:
    """Fails when: only a household that goes from one carer to another at once counts as handed over."""
    outside = heard(
        fact(HouseholdAssigned, 1, FIRST), fact(HouseholdUnserved, 2, None), fact(HouseholdAssigned, 3, SECOND)
    )

    assert told([visit(FIRST), visit(SECOND)], outside) == {f"visit-{FIRST}": RefusalCode.NOT_THE_CARER}


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

    assert told(visits, heard(*facts)) == {}


def test_visits_of_another_household_are_not_excused() -> None:
    outside = heard(fact(HouseholdAssigned, 1, FIRST), fact(HouseholdAssigned, 2, SECOND))

    assert told([visit(FIRST, uuid4())], outside) == {}


def test_a_pick_up_of_a_cancelled_package_may_be_refused_and_of_another_may_not() -> None:
    """Fails when: every pick-up of a household is excused, or one cancelled and delivered after all is forgotten."""
    rounds = {one: str(uuid4()) for one in ("cancelled", "delivered", "planned")}
    outside = Outside()
    for version, (round_name, status) in enumerate(
        [("cancelled", "cancelled"), ("delivered", "cancelled"), ("delivered", "delivered"), ("planned", "planned")], 1
    ):
        outside.hear(*package(version, rounds[round_name], status))

    pick_ups = [
        claim(PickUpSubmitted, "field-app", name, household_id=HOUSEHOLD, round_id=round_id)
        for name, round_id in rounds.items()
    ]

    assert told(pick_ups, outside) == dict.fromkeys(("cancelled", "delivered"), RefusalCode.WRONG_STATE)
