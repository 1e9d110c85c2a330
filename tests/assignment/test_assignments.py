"""Rules 8 to 11 on a real database: who looks after whom, and what happens when that changes."""

from typing import Any
from uuid import uuid4

import pytest

from contracts.events import (
    AssignmentEnded,
    CarerUpdated,
    EligibilityEnded,
    HouseholdAssigned,
    HouseholdUnserved,
    HouseholdUpdated,
)
from tests.assignment.conftest import FIRST_OF_OCTOBER
from tests.assignment.world import World, by_hand, carer, days, gone, household, left, place, profile


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
