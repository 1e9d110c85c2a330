"""Rules 8 to 11 on a real database: who looks after whom, and what happens when that changes."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.events import (
    AssignmentEnded,
    EligibilityEnded,
    HouseholdAssigned,
    HouseholdUnserved,
)
from tests.assignment.conftest import FIRST_OF_OCTOBER
from tests.assignment.world import World, by_hand, carer, gone, household, left, place, profile


async def test_an_eligible_household_is_given_its_nearest_carer_with_the_reason(world: World) -> None:
    """Rules 9 and 10."""
    family, near, far = household(), carer(), carer(home=place(-8.43, 114.4))
    await world.send(family, near, far)

    wrote = await world.run("match_households")

    [fact] = await world.facts()
    assert wrote > 0
    assert isinstance(fact, HouseholdAssigned)
    assert (fact.household_id, fact.carer_id, fact.version) == (family.household_id, near.carer_id, 1)
    assert (fact.choice.way, fact.choice.metres, fact.choice.load_before) == ("matched", 0, 0)
    assert fact.choice.nearest_not_chosen is None


async def test_a_match_with_nothing_to_do_writes_nothing(world: World) -> None:
    await world.send(household(), household(), carer(capacity=1))
    await world.run("match_households")

    assert await world.run("match_households") == 0


async def test_the_same_facts_again_change_nothing(world: World) -> None:
    """Ignored the second time, also under another id; an older version too."""
    family, helper = household(), carer()
    await world.send(family, helper)
    await world.run("match_households")
    await world.facts()

    await world.send(family, helper, ids={0: "again-1", 1: "again-2"})
    older = EligibilityEnded(**dict(family) | {"version": 1, "eligibilities": (), "reason": "moved_up"})
    await world.send(older)

    assert await world.run("match_households") == 0
    assert await world.facts() == []


async def test_who_cannot_be_given_a_carer_is_said_once_and_served_when_one_comes(world: World) -> None:
    """Rule 9: a fact with a reason code, once a change."""
    full = carer(capacity=0)
    await world.send(household(), full)
    await world.run("match_households")
    await world.run("match_households")
    await world.send(carer(capacity=0))
    await world.run("match_households")
    said = await world.facts()
    newcomer = carer()
    await world.send(newcomer)
    await world.run("match_households")

    [unserved] = said
    [assigned] = await world.facts()
    assert isinstance(unserved, HouseholdUnserved)
    assert (unserved.reason, unserved.carer_id, unserved.version) == ("no_carer_with_room", None, 1)
    assert isinstance(assigned, HouseholdAssigned)
    assert (assigned.carer_id, assigned.previous_carer_id, assigned.version) == (newcomer.carer_id, None, 2)


@pytest.mark.parametrize(
    ("carers", "changes", "reason"),
    [
        (0, {}, "no_carer_with_room"),
        (1, {"place": None, "district": "35.10.99", "village": "35.10.99.2001"}, "no_place_known"),
    ],
)
async def test_the_reason_says_why_nobody_was_found(
    world: World, carers: int, changes: dict[str, Any], reason: str
) -> None:
    await world.send(household(**changes), *[carer() for _ in range(carers)])

    await world.run("match_households")

    assert [fact.reason for fact in await world.facts() if isinstance(fact, HouseholdUnserved)] == [reason]


async def test_nobody_looks_after_their_own(world: World) -> None:
    """Rule 8; and the nearest carer not chosen is named with why."""
    own = uuid4()
    relative, other = carer(conflict_household_ids=(own,)), carer(home=place(-8.5, 114.33))
    await world.send(household(own), relative)
    await world.run("match_households")
    alone = await world.facts()
    await world.send(other)
    await world.run("match_households")

    [fact] = await world.facts()
    assert [one.reason for one in alone if isinstance(one, HouseholdUnserved)] == ["only_conflicting_carers"]
    assert isinstance(fact, HouseholdAssigned)
    assert fact.carer_id == other.carer_id
    assert fact.choice.nearest_not_chosen is not None
    assert fact.choice.nearest_not_chosen.why == "conflict"


async def test_competence_is_weighed_against_distance(world: World) -> None:
    """Rule 10: 2,000 m are given for a competence that fits a need."""
    family = household()
    near, nurse = carer(home=place(-8.43, 114.335)), carer(home=place(-8.43, 114.345), competences=("health",))
    await world.send(family, profile(family.household_id, needs=("underfed_child",)), near, nurse)

    await world.run("match_households")

    [fact] = await world.facts()
    assert isinstance(fact, HouseholdAssigned)
    assert (fact.carer_id, fact.choice.competence_fits) == (nurse.carer_id, True)
    assert fact.choice.nearest_not_chosen is not None
    assert fact.choice.nearest_not_chosen.why == "better_competence"


async def test_the_assignment_ends_with_the_household_and_lives_on_when_it_is_eligible_again(world: World) -> None:
    family, helper = household(), carer(capacity=1)
    await world.send(family, helper)
    await world.run("match_households")
    [assigned] = await world.facts()
    ended = EligibilityEnded(**dict(family) | {"version": 3, "eligibilities": (), "reason": "moved_up"})
    await world.send(ended)
    await world.send(EligibilityEnded(**dict(ended) | {"version": 4}))
    [end] = await world.facts()
    await world.send(family.model_copy(update={"version": 5}))
    await world.run("match_households")

    [again] = await world.facts()
    assert isinstance(assigned, HouseholdAssigned)
    assert isinstance(end, AssignmentEnded)
    assert (end.carer_id, end.reason, end.version) == (None, "not_eligible", 2)
    assert isinstance(again, HouseholdAssigned)
    assert (again.assignment_id, again.version) == (assigned.assignment_id, 3)


async def test_a_household_that_left_before_the_match_is_never_assigned(world: World) -> None:
    """Facts come late, and all at once after an absence."""
    family = household()
    await world.send(left(family), family, carer())

    await world.run("match_households")

    assert await world.facts() == []


async def test_what_changed_while_the_match_was_made_waits_for_the_next_one(world: World) -> None:
    """The chosen carer leaves, a household leaves, another is given away by hand: nothing of it is overwritten."""
    families = [household() for _ in range(3)]
    leaver, other = carer(), carer(home=place(-8.7, 114.33))
    await world.send(*families, leaver, other)

    await world.run_disturbed(
        "match_households",
        gone(leaver),
        left(families[0]),
        by_hand(families[1].household_id, other.carer_id, FIRST_OF_OCTOBER),
    )
    meanwhile = await world.facts()
    await world.run("match_households")

    given = [(fact.household_id, fact.carer_id) for fact in meanwhile if isinstance(fact, HouseholdAssigned)]
    [last] = await world.facts()
    assert given == [(families[1].household_id, other.carer_id)]
    assert isinstance(last, HouseholdAssigned)
    assert (last.household_id, last.carer_id) == (families[2].household_id, other.carer_id)


async def test_room_that_was_taken_meanwhile_is_not_given_twice(world: World) -> None:
    first, second = household(), household(place=place(-8.7, 114.33))
    near, distant = carer(capacity=1), carer(home=place(-8.7, 114.33))
    await world.send(first, second, near, distant)

    await world.run_disturbed("match_households", by_hand(second.household_id, near.carer_id, FIRST_OF_OCTOBER))
    await world.run("match_households")

    held = await world.context.pool.fetch("select household_id, carer_id from assignment")
    assert {tuple(row) for row in held} == {
        (first.household_id, distant.carer_id),
        (second.household_id, near.carer_id),
    }
