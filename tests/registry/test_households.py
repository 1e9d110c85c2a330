"""Family cards through the whole transaction: rules 1 to 4, 26 and 28."""

from datetime import date, timedelta
from uuid import UUID

from contracts.events import (
    EligibilityGranted,
    Enrolment,
    HouseholdProfiled,
    HouseholdRegistered,
    HouseholdUpdated,
)
from contracts.vocabulary import MemberRole, Place
from messaging.messages import Answer
from tests.registry.conftest import Registry
from tests.registry.samples import SEEN_AT, card_number, enrolment, household, member, neighbour_check, nik


async def register_one(registry: Registry, number: int = 1, **changes: object) -> UUID:
    await registry.submit(household(number, **changes))
    facts = await registry.facts()
    return facts[0].aggregate_id


async def test_a_family_card_becomes_an_eligible_household_with_a_profile(registry: Registry) -> None:
    """Rules 1, 4 and 27: three facts, none of which names anybody."""
    card = household(1, member(1), member(2, MemberRole.CHILD, birth_date=date(2015, 2, 3)))

    answers = await registry.submit(card)

    registered, granted, profiled = await registry.facts()
    assert answers == [Answer("accepted", "registered")]
    assert isinstance(registered, HouseholdRegistered)
    assert registered.place == Place(latitude=-8.227, longitude=114.362)
    assert (registered.version, registered.residents, registered.nik_status) == (1, 2, "valid")
    assert isinstance(granted, EligibilityGranted)
    assert granted.programmes == ("monthly_package", "weekly_protein")
    assert (
        await registry.household(registered.household_id) == granted.model_copy(update={})
        or (await registry.household(registered.household_id)).version == granted.version
    )
    assert isinstance(profiled, HouseholdProfiled)
    assert [(one.role, one.birth_year) for one in profiled.members] == [("head", 1980), ("child", 2015)]
