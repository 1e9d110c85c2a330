"""A coordinator gives a household to a carer by hand."""

from uuid import uuid4

from contracts.events import (
    HouseholdAssigned,
)
from tests.assignment.conftest import FIRST_OF_OCTOBER
from tests.assignment.world import World, by_hand, carer, days, gone, household, place


async def test_a_coordinator_may_exceed_capacity_but_not_break_a_conflict(world: World) -> None:
    family, own = household(), household()
    first, second = carer(), carer(capacity=0, conflict_household_ids=(own.household_id,))
    await world.send(family, own, first, second)
    await world.run("match_households")
    await world.facts()

    outcomes = await world.outcomes(
        by_hand(family.household_id, second.carer_id, FIRST_OF_OCTOBER),
        by_hand(own.household_id, second.carer_id, FIRST_OF_OCTOBER),
        by_hand(uuid4(), second.carer_id, FIRST_OF_OCTOBER),
    )

    [fact] = await world.facts()
    assert outcomes == ["accepted", "carer_conflict", "parked"]
    assert isinstance(fact, HouseholdAssigned)
    assert (fact.carer_id, fact.previous_carer_id) == (second.carer_id, first.carer_id)
    assert (fact.choice.way, fact.choice.by) == ("by_hand", "coordinator-35.10.05")
    assert await world.run("match_households") == 0


async def test_a_carer_who_left_or_has_the_household_already_is_no_choice_by_hand(world: World) -> None:
    family, first, second = household(), carer(), carer(home=place(-8.5, 114.33))
    await world.send(family, first, second)
    await world.run("match_households")
    await world.send(gone(second))

    same = await world.outcomes(by_hand(family.household_id, first.carer_id, FIRST_OF_OCTOBER))
    parted = await world.outcomes(by_hand(family.household_id, second.carer_id, FIRST_OF_OCTOBER - days(1)))

    assert same + parted == ["unchanged", "unknown_carer"]
