"""Family cards through the whole transaction: rules 1 to 4, 26, 27 and 28."""

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
    card_number,
    enrolment,
    household,
    member,
    neighbour_check,
    nik,
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
    assert [(one.role, one.birth_year) for one in profiled.members] == [("head", 1980), ("child", 2015)]
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


async def test_an_older_period_never_overrides_a_newer_one_and_is_kept(registry: Registry) -> None:
    """Rule 4: a decile is a dated fact with its source; history is kept."""
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id

    await registry.submit(household(1, happened_at=LATER, decile=7, decile_period="2026-q2"))

    rows = await registry.context.pool.fetch("select period, decile, source from decile order by period")
    assert [tuple(row) for row in rows] == [("2026-q2", 7, "dtsen"), ("2026-q3", 1, "dtsen")]
    assert (await registry.household(household_id)).decile == 1


async def test_leaving_the_decile_opens_a_review_and_takes_nothing(registry: Registry) -> None:
    """Rule 4: a person decides; back within the decile there is nothing left to decide."""
    await registry.submit(household(1))
    household_id = (await registry.facts())[0].aggregate_id

    await registry.submit(household(1, happened_at=LATER, decile=4, decile_period="2026-q4"))
    left = await registry.household(household_id)
    await registry.submit(household(1, happened_at=LATER, decile=1, decile_period="2027-q1"))
    back = await registry.household(household_id)

    assert (left.review_reason, len(left.eligibilities)) == ("decile_left", 2)
    assert (back.review_reason, len(back.eligibilities)) == (None, 2)
    decisions = await registry.context.pool.fetch("select decision from review")
    assert [row["decision"] for row in decisions] == ["withdrawn", "withdrawn"]


async def test_another_decile_registers_without_eligibility_until_it_falls(registry: Registry) -> None:
    await registry.submit(household(1, decile=4))
    first = await registry.facts()

    await registry.submit(household(1, happened_at=LATER, decile=1, decile_period="2026-q4"))

    assert [type(fact) for fact in first] == [HouseholdRegistered, HouseholdProfiled]
    assert [type(fact) for fact in await registry.facts()] == [HouseholdUpdated, EligibilityGranted]


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


async def test_nobody_is_named_outside_the_ciphertexts(registry: Registry) -> None:
    """Rules 27, 28: not in facts, not in any column of any table."""
    named = household(1, member(1), member(2, MemberRole.CHILD))
    secrets = {nik(1), nik(2), "Contoh 1", "Contoh 2", "Jalan Contoh", card_number(1), "81200000001", "8.22731"}

    await registry.submit(named, neighbour_check(3), enrolment(1, card=1))

    text = await _every_row(registry)
    assert [secret for secret in secrets if secret in text] == []
    assert "nik_status" in text


async def _every_row(registry: Registry) -> str:
    tables = await registry.context.pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [
        await registry.context.pool.fetch(f"select t::text as line from {table['tablename']} t")  # noqa: S608  # ours
        for table in tables
    ]
    values = await registry.context.pool.fetch("select convert_from(value, 'utf-8') as line from outbox")
    contents = [row["line"] for found in [*rows, values] for row in found]
    return "\n".join(contents) + "\n".join(bytes.fromhex(word).decode("latin-1") for word in _hex_words(contents))


def _hex_words(lines: list[str]) -> list[str]:
    """What bytea columns hold, which `::text` shows as hexadecimal."""
    words = [word.strip('()"\\x,') for line in lines for word in line.split(",") if "\\x" in word]
    return [word[word.find("x") + 1 :] for word in words if len(word) % 2 == 0 and set(word) <= set("0123456789abcdef")]


async def test_a_household_that_has_left_is_not_brought_back_by_an_old_list(registry: Registry) -> None:
    await registry.submit(household(1))
    household_id: UUID = (await registry.facts())[0].aggregate_id
    await registry.context.pool.execute(
        """update household set state = state || '{"status": "left"}' where household_id = $1""", household_id
    )

    answers = await registry.submit(household(1, happened_at=LATER, village="35.10.05.2003"))

    assert answers == [Answer("refused", "household_gone", "row_id")]
