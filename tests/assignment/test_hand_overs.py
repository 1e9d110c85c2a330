"""A household changes its carer, and why it does not: rules 10 and 11."""

import pytest

from contracts.events import (
    CarerUpdated,
    HouseholdAssigned,
    HouseholdUnserved,
    HouseholdUpdated,
)
from tests.assignment.world import World, carer, gone, household, place


async def test_a_leaver_is_responsible_until_the_hand_over_commits(world: World) -> None:
    """Rule 11: one fact names both; nobody is without a carer in between."""
    family, leaver = household(), carer()
    await world.send(family, leaver)
    await world.run("match_households")
    await world.send(gone(leaver))
    before = await world.facts()
    successor = carer(home=place(-8.5, 114.33))
    await world.send(successor)
    await world.run("match_households")

    [handed_over] = await world.facts()
    assert [type(fact) for fact in before] == [HouseholdAssigned]
    assert isinstance(handed_over, HouseholdAssigned)
    assert (handed_over.carer_id, handed_over.previous_carer_id) == (successor.carer_id, leaver.carer_id)
    assert (handed_over.choice.way, handed_over.choice.reason) == ("handed_over", "carer_left")
    assert (handed_over.version, await world.count("tenure")) == (2, 1)


async def test_without_a_successor_the_leaver_stays_named(world: World) -> None:
    family, leaver = household(), carer()
    await world.send(family, leaver)
    await world.run("match_households")
    await world.facts()

    await world.send(gone(leaver))
    await world.run("match_households")
    unserved = await world.facts()
    returned = CarerUpdated(**dict(leaver) | {"version": 3})
    await world.send(returned)
    await world.run("match_households")

    [fact] = unserved
    [again] = await world.facts()
    assert isinstance(fact, HouseholdUnserved)
    assert (fact.carer_id, fact.reason) == (leaver.carer_id, "no_carer_with_room")
    assert isinstance(again, HouseholdAssigned)
    assert (again.carer_id, again.previous_carer_id) == (leaver.carer_id, None)


async def test_a_new_conflict_moves_the_household_and_less_capacity_moves_some(world: World) -> None:
    """Rules 8 and 10: who is looked after stays unless there is a reason."""
    families = [household() for _ in range(4)]
    helper = carer()
    await world.send(*families, helper)
    await world.run("match_households")
    await world.facts()
    own = families[0].household_id
    await world.send(
        CarerUpdated(**dict(helper) | {"version": 2, "capacity": 2, "conflict_household_ids": (own,)}),
        carer(home=place(-8.5, 114.33)),
    )

    await world.run("match_households")

    moved = [fact for fact in await world.facts() if isinstance(fact, HouseholdAssigned)]
    assert {fact.choice.reason for fact in moved if fact.household_id == own} == {"conflict"}
    assert [fact.choice.reason for fact in moved if fact.household_id != own] == ["over_capacity"]


async def test_a_nearer_carer_who_comes_later_takes_nobody_over(world: World) -> None:
    """Continuity (rule 10)."""
    await world.send(household(), carer(home=place(-8.5, 114.33)))
    await world.run("match_households")
    await world.send(carer())

    assert await world.run("match_households") == 0


@pytest.mark.parametrize(("longitude", "way"), [(114.36, "kept"), (114.6, "handed_over")])
async def test_a_household_that_moves_keeps_its_carer_unless_another_is_5_km_nearer(
    world: World, longitude: float, way: str
) -> None:
    family, helper = household(), carer()
    await world.send(family, helper)
    await world.run("match_households")
    await world.facts()
    moved = dict(family) | {"version": 3, "village": "35.10.05.2002", "place": place(-8.43, longitude)}
    await world.send(HouseholdUpdated(**moved), carer(home=place(-8.43, longitude)))

    await world.run("match_households")

    [fact] = await world.facts()
    assert isinstance(fact, HouseholdAssigned)
    assert (fact.village, fact.choice.way, fact.choice.reason) == ("35.10.05.2002", way, "moved")
