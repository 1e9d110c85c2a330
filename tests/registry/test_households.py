"""Family cards through the whole transaction: rules 1 to 3, and the aid of rule 26."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from contracts.events import (
    EligibilityGranted,
    Enrolment,
    HouseholdProfiled,
    HouseholdRegistered,
    HouseholdUpdated,
)
from contracts.submissions import HouseholdSubmitted
from contracts.vocabulary import MemberRole, Place
from messaging.messages import Answer
from tests.registry.conftest import Registry
from tests.registry.samples import (
    SEEN_AT,
    VILLAGE,
    enrolment,
    household,
    member,
)

LATER = SEEN_AT + timedelta(days=90)


async def test_a_family_card_becomes_an_eligible_household_with_a_profile(registry: Registry) -> None:
    """Rules 1, 4: a state, what it may have, and who lives there."""
    card = household(1, member(1), member(2, MemberRole.CHILD, birth_date=date(2015, 2, 3)))

    answers = await registry.submit(card)

    registered, granted, profiled = await registry.facts()
    assert answers == [Answer("accepted", "registered")]
    assert isinstance(registered, HouseholdRegistered)
    assert isinstance(granted, EligibilityGranted)
    assert isinstance(profiled, HouseholdProfiled)
    assert registered.place == Place(latitude=-8.227, longitude=114.362)
    assert (registered.village, registered.residents, registered.nik_status) == (VILLAGE, 2, "valid")
    assert granted.programmes == ("monthly_package", "weekly_protein")
    assert [(fact.version, fact.aggregate_id) for fact in (registered, granted)] == [
        (1, registered.household_id),
        (2, registered.household_id),
    ]
    assert {(one.role, one.birth_year) for one in profiled.members} == {("head", 1980), ("child", 2015)}
    assert (await registry.household(registered.household_id)).version == granted.version


async def test_the_same_row_and_the_same_household_again_change_nothing(registry: Registry) -> None:
    """Rule 3: by source row, by card under another row id, by the head's NIK without a card."""
    await registry.submit(household(1))
    await registry.facts()

    answers = await registry.submit(
        household(1),
        household(1, row_id="row-other"),
        household(1, row_id="row-third", family_card=None),
    )
    from_village = await registry.submit(household(1), source="village-office")

    assert [answer.code for answer in [*answers, *from_village]] == [
        "unchanged",
        "same_household",
        "same_household",
        "same_household",
    ]
    assert await registry.facts() == []
    assert await registry.context.pool.fetchval("select count(*) from household") == 1


async def test_a_family_seen_again_is_the_same_in_whatever_order_it_is_kept(registry: Registry) -> None:
    """People are kept by their random ids: with six of them the order of the card is as good as lost."""
    roles = [MemberRole.HEAD, MemberRole.SPOUSE, *[MemberRole.CHILD] * 4]
    card = household(1, *[member(10 + at, role) for at, role in enumerate(roles)])
    await registry.submit(card)
    await registry.facts()

    answers = await registry.submit(card)

    assert answers == [Answer("unchanged", "unchanged")]
    assert await registry.facts() == []


async def test_a_message_delivered_twice_has_its_first_answer_and_no_second_effect(registry: Registry) -> None:
    first = await registry.resend(household(1), "dtsen-1")
    facts = await registry.facts()

    second = await registry.resend(household(1), "dtsen-1")

    assert first == second == Answer("accepted", "registered")
    assert len(facts) == 3
    assert await registry.facts() == []


async def test_two_rows_of_one_new_household_in_one_batch_are_one_household(registry: Registry) -> None:
    answers = await registry.submit(household(1), household(1, row_id="row-other"))

    assert [answer.code for answer in answers] == ["registered", "same_household"]


async def test_a_newer_picture_updates_the_household_and_keeps_the_ids_of_its_people(registry: Registry) -> None:
    await registry.submit(household(1, member(1), member(2, MemberRole.SPOUSE)))
    before = await registry.profile((await registry.facts())[0].aggregate_id)

    answers = await registry.submit(
        household(
            1,
            member(1, name="Contoh Satu"),
            member(2, MemberRole.SPOUSE),
            member(3, MemberRole.CHILD),
            happened_at=LATER,
        )
    )

    updated, profiled = await registry.facts()
    assert answers == [Answer("accepted", "updated")]
    assert isinstance(updated, HouseholdUpdated)
    assert (updated.version, updated.residents, len(updated.eligibilities)) == (3, 3, 2)
    assert isinstance(profiled, HouseholdProfiled)
    assert profiled.version == 2
    assert {one.person_id for one in before.members} < {one.person_id for one in profiled.members}


async def test_a_new_telephone_number_is_kept_and_told_to_nobody(registry: Registry) -> None:
    await registry.submit(household(1))
    await registry.facts()

    answers = await registry.submit(household(1, happened_at=LATER, phone="+6281200000099"))

    assert answers == [Answer("accepted", "updated")]
    assert await registry.facts() == []


async def test_an_older_picture_does_not_undo_a_newer_one(registry: Registry) -> None:
    await registry.submit(household(1, happened_at=LATER))
    await registry.facts()

    answers = await registry.submit(household(1, happened_at=SEEN_AT, village="35.10.05.2003"))

    assert answers == [Answer("unchanged", "unchanged")]


async def test_what_a_newer_picture_says_again_no_older_one_undoes(registry: Registry) -> None:
    """Fails when: a picture that changes nothing is not remembered as the newest."""
    await registry.submit(household(1), household(1, happened_at=LATER))
    await registry.facts()

    answers = await registry.submit(household(1, happened_at=SEEN_AT + timedelta(days=1), village="35.10.05.2003"))

    assert answers == [Answer("unchanged", "unchanged")]


@pytest.mark.parametrize(
    ("number", "status"),
    [(None, "missing"), ("", "missing"), ("3510165505801", "unverified"), ("3510167205800001", "unverified")],
)
async def test_a_missing_or_odd_nik_never_blocks_aid(registry: Registry, number: str | None, status: str) -> None:
    """Rule 1."""
    await registry.submit(household(1, member(1, nik=number)))

    registered, granted, _ = await registry.facts()

    assert isinstance(registered, HouseholdRegistered)
    assert registered.nik_status == status
    assert isinstance(granted, EligibilityGranted)


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        (household(1, village="35.10.16.9999"), "unknown_village", "village"),
        (household(1, village="35.09.01.2001"), "unknown_village", "village"),
        (household(1, member(1, MemberRole.CHILD)), "no_head", "members"),
        (household(1, member(1), member(2)), "two_heads", "members"),
        (household(1, decile_period=None), "missing_field", "decile_period"),
    ],
)
async def test_a_row_that_cannot_be_is_refused_and_its_neighbours_go_in(
    registry: Registry, row: HouseholdSubmitted, code: str, field: str
) -> None:
    answers = await registry.submit(row, household(2))

    assert answers == [Answer("refused", code, field), Answer("accepted", "registered")]


async def test_aid_is_in_the_profile_whether_it_or_the_household_came_first(registry: Registry) -> None:
    """Rule 26."""
    pkh = Enrolment(programme="pkh", since=date(2024, 1, 1), until=None)
    sembako = Enrolment(programme="sembako", since=date(2024, 1, 1), until=None)

    early = await registry.submit(enrolment(1, card=1))
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id
    late = await registry.submit(enrolment(2, card=1, programme="sembako"), enrolment(3, card=1))
    ended = await registry.submit(enrolment(4, card=1, until=date(2026, 9, 30)))

    assert [answer.code for answer in [*early, *late, *ended]] == ["registered", "registered", "unchanged", "updated"]
    profiles = [fact for fact in await registry.facts() if isinstance(fact, HouseholdProfiled)]
    assert [(one.version, one.enrolments) for one in profiles] == [
        (2, (pkh, sembako)),
        (3, (pkh.model_copy(update={"until": date(2026, 9, 30)}), sembako)),
    ]
    assert await registry.profile(household_id) == profiles[-1]


async def test_an_older_row_reopens_no_aid_that_has_ended(registry: Registry) -> None:
    """Rule 26.

    Fails when: rows are believed in the order in which they come; or a row that changes nothing is no newer one.
    """
    ended = enrolment(1, card=1, until=date(2025, 9, 30))
    await registry.submit(household(1), enrolment(1, card=1), ended)
    await registry.submit(ended.model_copy(update={"happened_at": LATER}))
    await registry.facts()

    answers = await registry.submit(enrolment(2, card=1, happened_at=SEEN_AT + timedelta(days=1)))

    assert answers == [Answer("unchanged", "unchanged")]
    assert await registry.facts() == []
    assert await registry.context.pool.fetchval("select until from enrolment") == date(2025, 9, 30)


async def test_a_household_that_has_left_is_not_brought_back_by_an_old_list(registry: Registry) -> None:
    await registry.submit(household(1))
    household_id: UUID = (await registry.facts())[0].aggregate_id
    await registry.context.pool.execute(
        """update household set state = state || '{"status": "left"}' where household_id = $1""", household_id
    )

    answers = await registry.submit(household(1, happened_at=LATER, village="35.10.05.2003"))

    assert answers == [Answer("refused", "household_gone", "row_id")]
