"""Houses that need help, seen by civil servants: rule 6."""

from datetime import timedelta

from contracts.events import (
    HouseholdProfiled,
    HouseholdRegistered,
)
from contracts.submissions import HouseholdMoved
from contracts.vocabulary import MemberRole, Need
from messaging.messages import Answer
from tests.registry.conftest import Registry
from tests.registry.samples import (
    OTHER_VILLAGE,
    SEEN_AT,
    enrolment,
    household,
    member,
    neighbour_check,
)
from tests.registry.test_changes import change

LATER = SEEN_AT + timedelta(days=90)


async def test_a_neighbour_check_makes_a_provisional_household_with_its_needs_at_once(registry: Registry) -> None:
    """Rule 6: not eligible by that alone; the same house twice is one candidate, and its needs are said again."""
    anonymous = {"nik": None, "name": "Contoh Tanpa"}

    await registry.submit(neighbour_check(1, **anonymous))
    registered, profiled = await registry.facts()
    answers = await registry.submit(neighbour_check(2, **anonymous))

    assert isinstance(registered, HouseholdRegistered)
    assert (registered.provisional, registered.eligibilities, registered.residents) == (True, (), 3)
    assert isinstance(profiled, HouseholdProfiled)
    assert profiled.needs == ("not_on_list",)
    assert [(one.sex, one.birth_year) for one in profiled.members] == [("unknown", None)]
    again = await registry.facts()
    assert answers == [Answer("accepted", "updated")]
    assert [(fact.aggregate_id, fact.version) for fact in again] == [(registered.household_id, 2)]


async def test_a_house_that_is_on_the_list_only_gets_its_needs_told(registry: Registry) -> None:
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id

    await registry.submit(neighbour_check(1, residents=9))

    (profiled,) = await registry.facts()
    assert isinstance(profiled, HouseholdProfiled)
    assert (profiled.household_id, profiled.needs) == (household_id, ("not_on_list",))


async def test_a_candidate_found_on_the_list_is_a_household_like_any_other(registry: Registry) -> None:
    await registry.submit(neighbour_check(1))
    household_id = (await registry.facts())[0].aggregate_id

    await registry.submit(household(1, happened_at=LATER))

    state = await registry.household(household_id)
    assert (state.provisional, len(state.eligibilities), state.residents) == (False, 2, 1)


async def test_a_list_from_before_the_neighbour_s_visit_makes_a_candidate_eligible_too(registry: Registry) -> None:
    """Rules 4 and 9: lists are true as of an earlier day, and are more than what a neighbour saw.

    Fails when: a family card must be newer than a neighbour check.
    """
    await registry.submit(neighbour_check(1, happened_at=LATER))
    household_id = (await registry.facts())[0].aggregate_id
    child = member(2, MemberRole.CHILD)

    answers = await registry.submit(household(1, member(1)), household(1, member(1), child))

    state = await registry.household(household_id)
    assert [answer.code for answer in answers] == ["updated", "updated"]
    assert (state.provisional, len(state.eligibilities), state.residents) == (False, 2, 2)


async def test_a_list_from_before_a_candidate_moved_leaves_it_where_it_is(registry: Registry) -> None:
    """Fails when: a family card of whatever day is newer than what the village has said of a provisional household."""
    await registry.submit(neighbour_check(1))
    household_id = (await registry.facts())[0].aggregate_id
    moved = HouseholdMoved(kind="moved", village=OTHER_VILLAGE, address=None, place=None)
    await registry.submit(change(household_id, moved, happened_at=LATER))

    await registry.submit(household(1))

    assert (await registry.household(household_id)).village == OTHER_VILLAGE


async def test_a_profile_says_which_needs_were_seen_this_time(registry: Registry) -> None:
    """What was known before is no sighting (rule 22). Fails when: all needs are said to be seen."""
    food, alone = Need.NO_FOOD_TODAY, Need.ELDERLY_ALONE

    await registry.submit(household(1))
    await registry.facts()

    await registry.submit(*(neighbour_check(1, needs=needs) for needs in ((food,), (alone,))))
    await registry.submit(enrolment(1, card=1))
    await registry.submit(neighbour_check(1, needs=(food,)))

    profiles = [fact for fact in await registry.facts() if isinstance(fact, HouseholdProfiled)]
    both = ("elderly_alone", "no_food_today")
    assert [(fact.needs, fact.needs_seen) for fact in profiles] == [
        (("no_food_today",), ("no_food_today",)),
        (both, ("elderly_alone",)),
        (both, ()),
        (both, ("no_food_today",)),
    ]
