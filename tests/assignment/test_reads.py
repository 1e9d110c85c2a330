"""What offices, carers and the report read."""

from uuid import UUID

import pytest

from contracts.figures import Cell, Figure
from messaging import Problem, Token
from services.assignment import api
from tests.assignment.conftest import FIRST_OF_OCTOBER
from tests.assignment.test_visits import AFTER_THE_FIRST_WEEK, SECOND, assigned
from tests.assignment.world import World, carer, days, gone, household, place, promise, visit

OFFICE = Token(subject="office", scopes=frozenset({api.READ}), source=None, regency="35.10")


async def figures(world: World, *, district: str | None = None, month: str | None = None) -> dict[str, Figure]:
    answer = await api.get_figures(world.context.pool, district, month, public_view=False)
    return {figure.name: figure for figure in answer.figures}


def shares(figure: Figure, by: str) -> dict[str, tuple[int | None, int | None]]:
    return {key: (cell.numerator, cell.denominator) for key, cell in figure.by[by].items()}


async def test_who_looks_after_a_household_is_shown_with_the_reason(world: World) -> None:
    """Rule 10: the reason is kept and shown."""
    household_id, carer_id = await assigned(world)

    answer = await api.get_assignment(household_id, world.context.pool, OFFICE)
    mine = await api.get_households(carer_id, world.context.pool, carer_token(carer_id))

    assert (answer.status, answer.carer_id, answer.waiting_for) == ("assigned", carer_id, None)
    assert answer.choice is not None
    assert answer.choice.metres == 0
    assert mine.households == (answer,)


async def test_a_carer_reads_no_other_list_and_another_regency_finds_nothing(world: World) -> None:
    household_id, carer_id = await assigned(world)
    elsewhere = Token(subject="office", scopes=frozenset({api.READ}), source=None, regency="16.71")

    with pytest.raises(Problem, match="Forbidden"):
        await api.get_households(carer_id, world.context.pool, carer_token(household_id))
    with pytest.raises(Problem, match="Not found"):
        await api.get_assignment(household_id, world.context.pool, elsewhere)


async def test_a_household_is_waiting_then_unserved(world: World) -> None:
    family = household()
    await world.send(family)
    before = await api.get_assignment(family.household_id, world.context.pool, OFFICE)
    await world.run("match_households")
    after = await api.get_assignment(family.household_id, world.context.pool, OFFICE)

    assert (before.status, before.reason, before.waiting_for) == ("waiting", None, "new")
    assert (after.status, after.reason, after.carer_id) == ("unserved", "no_carer_with_room", None)


async def test_the_figures_count_who_is_served_and_how(world: World) -> None:
    """Rule 30."""
    await world.send(
        household(), household(), household(district="35.10.16", village="35.10.16.1002"), carer(capacity=2)
    )
    await world.run("match_households")
    await world.send(household(provisional=True, eligibilities=()), carer(capacity=0))

    found = await figures(world)
    town = await figures(world, district="35.10.16")

    served = found["households_with_carer"]
    assert (served.numerator, served.denominator, served.as_of >= FIRST_OF_OCTOBER) == (2, 3, True)
    assert served.by["district"].keys() == {"35.10.05", "35.10.16"}
    assert shares(found["households_without_carer"], "reason") == {"no_carer_with_room": (1, None)}
    assert shares(found["assignments_by_way"], "way") == {"matched": (2, None)}
    assert found["carers_with_households"].by["held"] == {"2": Cell(numerator=1)}
    assert (found["distance_p50"].numerator, found["distance_p95"].numerator) == (0, 0)
    assert (town["households_with_carer"].denominator, town["households_with_carer"].unit) == (1, "households")


async def test_the_figures_show_a_hand_over_that_took_too_long(world: World) -> None:
    """Rule 11, in hours: 0 is what is wanted."""
    await world.send(household(), leaver := carer())
    await world.run("match_households")
    await world.send(gone(leaver))
    await world.run("match_households")
    in_time = (await figures(world))["hand_overs_after_more_than_a_day"]
    await world.set_time(FIRST_OF_OCTOBER + days(2))
    waiting = (await figures(world))["hand_overs_after_more_than_a_day"]
    await world.send(carer(home=place(-8.5, 114.33)))
    await world.run("match_households")
    done = (await figures(world))["hand_overs_after_more_than_a_day"]

    assert (in_time.numerator, in_time.denominator) == (0, 0)
    assert (waiting.numerator, waiting.denominator) == (1, 1)
    assert (done.numerator, done.denominator) == (1, 1)


async def test_the_figures_follow_visits_and_promises_of_a_month(world: World) -> None:
    """A late report restates its week."""
    household_id, carer_id = await assigned(world)
    await world.send(promise(FIRST_OF_OCTOBER))
    await world.set_time(AFTER_THE_FIRST_WEEK)
    await world.run("watch_visits")
    missing = await figures(world, month="2026-10")
    await world.send(visit(household_id, carer_id, SECOND))
    reported = await figures(world, month="2026-10")
    other = await figures(world, month="2026-11")

    assert shares(missing["visits_overdue"], "period,district") == {"2026-10-w1,35.10.05": (1, 1)}
    assert (missing["visits_happened"].numerator, missing["visits_happened"].denominator) == (0, 1)
    assert shares(reported["visits_happened"], "office") == {"dispendik": (1, 1)}
    assert (reported["visits_overdue"].numerator, reported["visits_reported_late"].numerator) == (0, 1)
    assert shares(reported["pledges_made"], "giver,status") == {"kadin-banyuwangi,pledged": (1, None)}
    assert (reported["pledges_confirmed"].numerator, reported["pledges_confirmed"].denominator) == (0, 1)
    assert (other["visits_happened"].denominator, other["pledges_made"].denominator) == (0, 0)


def carer_token(carer_id: UUID) -> Token:
    return Token("carer", frozenset(), None, "35.10", {"carer_id": str(carer_id)})
