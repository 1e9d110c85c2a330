"""Identities found twice: said on both households, and listed until somebody has corrected them (rule 3)."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest

from contracts.submissions import CardSplit, HouseholdChangeSubmitted, HouseholdMovedAway, Submission
from contracts.vocabulary import MemberRole, Sex
from messaging.messages import Answer
from services.registry import figure_store
from tests.registry.conftest import Reader, Registry
from tests.registry.samples import SEEN_AT, card_number, household, member, nik

LATER = SEEN_AT + timedelta(days=90)
SCOPE = "conflicts:read"


async def listed(reader: Reader, query: str = "") -> list[tuple[str, str, str]]:
    answer = await reader.get(f"/conflicts{query}", scopes=SCOPE)
    return [(one["household_id"], one["other_household_id"], one["code"]) for one in answer.json()]


async def counted(registry: Registry) -> int | None:
    async with registry.context.pool.acquire() as db:
        figures = (await figure_store.list_figures(db, None)).figures
    return next(figure.numerator for figure in figures if figure.name == "identity_conflicts_open")


async def two_cards(registry: Registry, number: int = 1) -> tuple[UUID, UUID]:
    """Two households with one child on both cards."""
    child = member(number + 8, MemberRole.CHILD)
    await registry.submit(household(number, member(number), child), household(number + 1, member(number + 1), child))
    first, second = dict.fromkeys(fact.aggregate_id for fact in await registry.facts())
    return min(first, second), max(first, second)


async def test_a_member_on_two_cards_is_a_conflict_and_both_keep_their_aid(registry: Registry) -> None:
    """Rule 3."""
    await registry.submit(household(1, member(1), member(9, MemberRole.CHILD)))
    first = (await registry.facts())[0].aggregate_id

    await registry.submit(household(2, member(2), member(9, MemberRole.CHILD)))

    facts = await registry.facts()
    second = facts[0].aggregate_id
    for household_id in (first, second):
        state = await registry.household(household_id)
        assert state.conflicts == ("member_on_two_cards",)
        assert len(state.eligibilities) == 2
    assert [fact.aggregate_id for fact in facts] == [second, second, second, first]
    assert await registry.context.pool.fetchval("select count(*) from conflict") == 2


async def test_one_nik_on_two_people_is_another_conflict(registry: Registry) -> None:
    """Rule 3: another year of birth is another person."""
    await registry.submit(
        household(1),
        household(2, member(2), member(3, MemberRole.OTHER, nik=nik(1), birth_date=date(1991, 1, 1))),
        household(4, member(4), member(5, MemberRole.CHILD), member(5, MemberRole.CHILD)),
    )

    states = await registry.context.pool.fetch("select state ->> 'conflicts' as conflicts from household")

    assert [row["conflicts"] for row in states] == ['["nik_on_two_people"]'] * 3


async def test_two_heads_with_one_nik_are_two_households_and_a_conflict(registry: Registry) -> None:
    """Rule 3: one of the two numbers is mistyped, and nobody leaves the register for it.

    Fails when: a head is known by the NIK alone.
    """
    other = member(2, nik=nik(1), birth_date=date(1961, 3, 9), sex=Sex.MALE)

    answers = await registry.submit(household(1, member(1), member(9, MemberRole.CHILD)), household(2, other))

    assert [answer.code for answer in answers] == ["registered", "registered"]
    states = await registry.context.pool.fetch("select state ->> 'conflicts' as conflicts from household")
    assert [row["conflicts"] for row in states] == ['["nik_on_two_people"]'] * 2
    assert await registry.context.pool.fetchval("select count(*) from person where status = 'gone'") == 0


async def test_a_head_on_a_new_card_is_still_the_same_head(registry: Registry) -> None:
    """Rule 3: a year of birth that nobody wrote down is the one that the NIK says.

    Fails when: a household is found by its source row and card alone, or a head without a birth date fits nobody.
    """
    await registry.submit(household(1))

    await registry.submit(household(2, member(1)), household(3, member(1, birth_date=None)))

    assert await registry.context.pool.fetchval("select count(*) from household") == 1


async def test_a_corrected_year_of_birth_is_found_by_the_card(registry: Registry) -> None:
    """Fails when: the card is no longer asked before the head."""
    await registry.submit(household(1))

    answers = await registry.submit(
        household(1, member(1, birth_date=date(1981, 5, 15)), row_id="row-other", happened_at=LATER)
    )

    assert [answer.code for answer in answers] == ["updated"]
    assert await registry.context.pool.fetchval("select count(*) from household") == 1


async def test_a_row_that_names_the_card_of_another_household_is_a_conflict(registry: Registry) -> None:
    await registry.submit(household(1), household(2))
    await registry.facts()

    await registry.submit(household(1, happened_at=LATER, family_card=card_number(2)))

    codes = await registry.context.pool.fetch("select distinct code from conflict")
    assert [row["code"] for row in codes] == ["card_on_two_households"]


async def test_conflicts_are_listed_once_by_ids_and_codes(registry: Registry, reader: Reader) -> None:
    """What they are about is asked of the vault, for a purpose."""
    one, other = await two_cards(registry)
    found_at = await registry.context.pool.fetchval("select min(found_at) from conflict")

    answer = await reader.get("/conflicts", scopes=SCOPE)

    assert answer.json() == [
        {
            "household_id": str(one),
            "other_household_id": str(other),
            "code": "member_on_two_cards",
            "district": "35.10.16",
            "found_at": found_at.isoformat().replace("+00:00", "Z"),
        }
    ]


async def test_conflicts_come_in_pages_of_households(registry: Registry, reader: Reader) -> None:
    pairs = sorted([await two_cards(registry, number) for number in (1, 21, 41)])

    first = await listed(reader, "?limit=2")
    second = await listed(reader, f"?limit=2&after={first[-1][0]}")

    assert [(one, other) for one, other, _ in first + second] == [(str(one), str(other)) for one, other in pairs]
    assert [len(page) for page in (first, second)] == [2, 1]


async def test_conflicts_are_for_those_who_decide_in_the_regency(registry: Registry, reader: Reader) -> None:
    await two_cards(registry)

    without_scope = await reader.get("/conflicts", scopes="figures:read")
    elsewhere = await reader.get("/conflicts", scopes=SCOPE, regency="16.71")
    nowhere = await reader.get("/conflicts", scopes=SCOPE, regency=None)

    assert [answer.status_code for answer in (without_scope, elsewhere, nowhere)] == [403, 200, 403]
    assert elsewhere.json() == []


def departure(household_id: UUID) -> Submission:
    change = HouseholdMovedAway(kind="moved_away")
    return HouseholdChangeSubmitted(happened_at=LATER, household_id=household_id, change=change)


@pytest.mark.parametrize(
    "correct",
    [
        lambda _, __: household(1, member(1), happened_at=LATER),
        lambda one, _: departure(one),
        lambda _, other: departure(other),
    ],
    ids=["a newer card", "departure", "the other's departure"],
)
async def test_what_corrects_a_conflict_takes_it_off_the_list(
    registry: Registry, reader: Reader, correct: Callable[[UUID, UUID], Submission]
) -> None:
    one, other = await two_cards(registry)
    before = (await listed(reader), await counted(registry))

    await registry.submit(correct(one, other))

    assert before == ([(str(one), str(other), "member_on_two_cards")], 1)
    assert (await listed(reader), await counted(registry)) == ([], 0)


async def test_a_list_from_before_a_split_finds_no_conflict(registry: Registry) -> None:
    """An integrator sends its whole file again: everybody stands where the file was right."""
    before = household(1, member(1), member(2, MemberRole.SPOUSE), member(3, MemberRole.CHILD))
    await registry.submit(before)
    household_id = (await registry.facts())[0].aggregate_id
    people = {one.role: one.person_id for one in (await registry.profile(household_id)).members}
    split = CardSplit(
        kind="split",
        family_card=card_number(9),
        person_ids=(people["spouse"], people["child"]),
        head_person_id=people["spouse"],
    )
    await registry.submit(HouseholdChangeSubmitted(happened_at=LATER, household_id=household_id, change=split))
    await registry.facts()

    answers = await registry.submit(before)

    assert answers == [Answer("unchanged", "unchanged")]
    assert await registry.facts() == []
    assert await registry.context.pool.fetchval("select count(*) from conflict") == 0


async def test_a_nik_twice_on_one_card_is_listed_with_the_household_alone(registry: Registry, reader: Reader) -> None:
    await registry.submit(household(4, member(4), member(5, MemberRole.CHILD), member(5, MemberRole.CHILD)))
    household_id = str((await registry.facts())[0].aggregate_id)

    assert await listed(reader) == [(household_id, household_id, "nik_on_two_people")]
