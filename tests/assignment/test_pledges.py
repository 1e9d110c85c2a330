"""Rule 12 on a real database: partners promise packages."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.events import HouseholdPledged, PledgeLapsed
from tests.assignment.conftest import FIRST_OF_OCTOBER
from tests.assignment.world import World, confirmation, days, household, left, promise


async def test_a_village_is_promised_household_by_household_and_those_taken_are_passed_over(world: World) -> None:
    families = [household() for _ in range(3)]
    await world.send(*families, household(village="35.10.05.2009"))

    first = await world.outcomes(promise(FIRST_OF_OCTOBER, packages=2))
    second = await world.outcomes(promise(FIRST_OF_OCTOBER, packages=2, giver_id="hipmi"))
    third = await world.outcomes(promise(FIRST_OF_OCTOBER, packages=1, giver_id="hipmi"))

    facts = [fact for fact in await world.facts() if isinstance(fact, HouseholdPledged)]
    assert first + second + third == ["accepted", "not_enough_households", "accepted"]
    assert {fact.household_id for fact in facts} == {family.household_id for family in families}
    assert {fact.giver_id for fact in facts} == {"kadin-banyuwangi", "hipmi"}
    assert {fact.lapses_at - FIRST_OF_OCTOBER > timedelta(hours=47) for fact in facts} == {True}


async def test_a_named_household_promised_already_refuses_the_whole_promise(world: World) -> None:
    taken, free = household(), household()
    await world.send(taken, free)
    names: dict[str, Any] = {"village": None, "packages": 1, "household_ids": (taken.household_id,)}
    await world.send(promise(FIRST_OF_OCTOBER, **names))
    await world.facts()
    both = names | {"packages": 2, "household_ids": (taken.household_id, free.household_id)}

    outcomes = await world.outcomes(
        promise(FIRST_OF_OCTOBER, giver_id="hipmi", **both),
        promise(FIRST_OF_OCTOBER, giver_id="hipmi", **names | {"period": "2026-11"}),
    )

    assert outcomes == ["already_pledged", "accepted"]
    assert len(await world.facts()) == 1


async def test_of_two_promises_in_the_same_second_one_wins_and_the_other_is_told(world: World) -> None:
    family = household()
    await world.send(family)

    outcomes = await asyncio.gather(
        *[world.outcomes(promise(FIRST_OF_OCTOBER, giver_id=giver)) for giver in ("kadin", "hipmi", "idi")]
    )

    assert sorted(code for [code] in outcomes) == ["accepted", "not_enough_households", "not_enough_households"]
    assert await world.count("pledge") == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"programme": "free_lunch"}, "unknown_programme"),
        ({"period": "2026-10-w1"}, "invalid_field"),
        ({"village": None}, "invalid_field"),
        ({"village": None, "household_ids": (uuid4(), uuid4())}, "invalid_field"),
        ({"village": None, "household_ids": (uuid4(),)}, "parked"),
    ],
)
async def test_a_promise_that_does_not_fit_is_refused_and_one_for_somebody_unknown_waits(
    world: World, changes: dict[str, Any], code: str
) -> None:
    assert await world.outcomes(promise(FIRST_OF_OCTOBER, **changes)) == [code]


async def test_who_may_not_have_the_programme_is_not_promised(world: World) -> None:
    provisional, former = household(provisional=True, eligibilities=()), household()
    await world.send(provisional, former)
    await world.send(left(former))

    def named(household_id: UUID) -> dict[str, Any]:
        return {"village": None, "household_ids": (household_id,)}

    outcomes = await world.outcomes(
        promise(FIRST_OF_OCTOBER, **named(provisional.household_id)),
        promise(FIRST_OF_OCTOBER, **named(former.household_id)),
    )

    assert outcomes == ["wrong_state", "household_gone"]


async def test_a_promise_is_confirmed_as_a_whole_by_its_giver(world: World) -> None:
    await world.send(household(), household())
    made = promise(FIRST_OF_OCTOBER, packages=2)
    await world.send(made)
    await world.facts()

    outcomes = [
        *await world.outcomes(confirmation(made, giver_id="hipmi")),
        *await world.outcomes(confirmation(made)),
        *await world.outcomes(confirmation(made)),
        *await world.outcomes(confirmation(promise(FIRST_OF_OCTOBER))),
    ]
    await world.set_time(FIRST_OF_OCTOBER + days(3))

    assert outcomes == ["not_the_giver", "accepted", "unchanged", "unknown_pledge"]
    assert [(fact.status, fact.version) for fact in await world.facts() if isinstance(fact, HouseholdPledged)] == [
        ("confirmed", 2)
    ] * 2
    assert await world.run("lapse_pledges") == 0


async def test_the_same_promise_again_changes_nothing_and_another_under_its_id_is_refused(world: World) -> None:
    await world.send(household(), household())
    made = promise(FIRST_OF_OCTOBER)
    await world.send(made)

    outcomes = [
        *await world.outcomes(made),
        *await world.outcomes(made.model_copy(update={"packages": 2})),
    ]

    assert outcomes == ["unchanged", "already_exists"]
    assert await world.count("pledge") == 1


async def test_a_promise_lapses_after_48_hours_and_the_household_can_be_promised_again(world: World) -> None:
    await world.send(household())
    made = promise(FIRST_OF_OCTOBER)
    await world.send(made)
    await world.set_time(FIRST_OF_OCTOBER + timedelta(hours=47))
    early = await world.run("lapse_pledges")
    await world.set_time(FIRST_OF_OCTOBER + timedelta(hours=49))
    too_late = await world.outcomes(confirmation(made))

    await world.run("lapse_pledges")
    again = await world.run("lapse_pledges")

    lapsed = [fact for fact in await world.facts() if isinstance(fact, PledgeLapsed)]
    assert (early, too_late, again) == (0, ["pledge_lapsed"], 0)
    assert [(fact.status, fact.reason, fact.version) for fact in lapsed] == [("lapsed", "not_confirmed", 2)]
    assert await world.outcomes(confirmation(made)) == ["pledge_lapsed"]
    assert await world.outcomes(promise(FIRST_OF_OCTOBER)) == ["accepted"]


async def test_what_was_promised_to_a_household_that_left_lapses(world: World) -> None:
    family = household()
    await world.send(family)
    await world.send(promise(FIRST_OF_OCTOBER), promise(FIRST_OF_OCTOBER, period="2026-11"))
    await world.facts()

    await world.send(left(family))

    lapsed = [fact for fact in await world.facts() if isinstance(fact, PledgeLapsed)]
    assert [(fact.reason, fact.version) for fact in lapsed] == [("household_left", 2)] * 2
