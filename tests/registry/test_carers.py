"""Who can be a carer (rule 7), and whom a carer never looks after (rule 8), in whatever order they are told."""

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.events import Carer, CarerLeft, CarerRegistered, CarerUpdated, HouseholdUpdated
from contracts.submissions import CardSplit, HouseholdChangeSubmitted, ReviewDecisionSubmitted
from contracts.vocabulary import DutyStatus, Employment, MemberRole, Place, Sex
from messaging.messages import Answer
from services.registry import carer_store
from tests.registry.conftest import Registry
from tests.registry.samples import SEEN_AT, card_number, carer, household, member, nik

BETWEEN = SEEN_AT + timedelta(days=10)
LATER = SEEN_AT + timedelta(days=30)


async def carer_facts(registry: Registry) -> list[Carer]:
    return [fact for fact in await registry.facts() if isinstance(fact, Carer)]


async def test_a_civil_servant_on_duty_becomes_a_carer(registry: Registry) -> None:
    answers = await registry.submit(carer(1), source="staff-office")

    (registered,) = await registry.facts()
    assert answers == [Answer("accepted", "registered")]
    assert isinstance(registered, CarerRegistered)
    assert (registered.office_id, registered.capacity, registered.contributes) == ("sdn-1-kebalenan", 6, True)
    assert registered.home == Place(latitude=-8.211, longitude=114.378)


async def test_a_partner_member_needs_no_nip(registry: Registry) -> None:
    answers = await registry.submit(carer(1, nip=None, employment=Employment.PARTNER, office_id="kadin"))

    assert answers == [Answer("accepted", "registered")]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"employment": Employment.PPPK_PART_TIME}, "not_a_carer", "employment"),
        ({"duty_status": DutyStatus.INACTIVE}, "not_a_carer", "duty_status"),
        ({"duty_status": DutyStatus.LONG_LEAVE}, "not_a_carer", "duty_status"),
        ({"duty_status": DutyStatus.RETIRED}, "not_a_carer", "duty_status"),
        ({"duty_status": DutyStatus.TRANSFERRED_OUT}, "not_a_carer", "duty_status"),
        ({"nip": None}, "nip_invalid", "nip"),
        ({"birth_date": date(1985, 8, 18)}, "nip_invalid", "nip"),
        ({"sex": Sex.FEMALE}, "nip_invalid", "nip"),
    ],
)
async def test_who_cannot_be_a_carer_is_refused(
    registry: Registry, changes: dict[str, Any], code: str, field: str
) -> None:
    """Rules 2 and 7."""
    answers = await registry.submit(carer(1, **changes))

    assert answers == [Answer("refused", code, field)]
    assert await registry.facts() == []


async def test_the_same_row_or_the_same_person_again_changes_nothing(registry: Registry) -> None:
    await registry.submit(carer(1))
    await registry.facts()

    answers = await registry.submit(carer(1), carer(1, row_id="staff-again"))

    assert [answer.code for answer in answers] == ["unchanged", "same_carer"]
    assert await registry.facts() == []


async def test_numbers_that_are_nobody_s_make_nobody_the_same_carer(registry: Registry) -> None:
    """Rules 2 and 3.

    Fails when: a NIK is asked for before it is read.
    """
    answers = await registry.submit(*[carer(number, nik="0000000000000000") for number in (1, 2, 3)])

    assert [answer.code for answer in answers] == ["registered"] * 3
    assert await _names(registry) == {"Pegawai 1", "Pegawai 2", "Pegawai 3"}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"nip": None, "employment": Employment.PARTNER, "birth_date": date(1985, 8, 18)},
        {"nip": None, "employment": Employment.PARTNER, "sex": Sex.FEMALE},
    ],
    ids=["another NIP", "another birth date", "another sex"],
)
async def test_one_nik_on_two_carers_makes_them_no_one_carer(registry: Registry, other: dict[str, Any]) -> None:
    """Rule 3.

    Fails when: the NIK is believed against what else is said of the person.
    """
    one_nik = {"nik": nik(1, date(1985, 8, 17), Sex.MALE)}

    answers = await registry.submit(carer(1, **one_nik), carer(2, **one_nik | other))

    assert [answer.code for answer in answers] == ["registered", "registered"]
    assert await _names(registry) == {"Pegawai 1", "Pegawai 2"}


async def test_a_civil_servant_whom_a_partner_lists_too_is_one_carer(registry: Registry) -> None:
    """Fails when: a carer is known by source row and NIP alone."""
    await registry.submit(carer(1))

    answers = await registry.submit(carer(1, row_id="member-1", nip=None, employment=Employment.PARTNER))

    assert [answer.code for answer in answers] == ["updated"]
    assert await registry.context.pool.fetchval("select count(*) from carer") == 1


async def test_a_known_carer_who_cannot_be_one_any_more_leaves_once_and_can_return(registry: Registry) -> None:
    """Rule 11: one fact, from which hand-overs follow."""
    retired = carer(1, duty_status=DutyStatus.RETIRED)
    await registry.submit(carer(1))

    answers = [*await registry.submit(retired), *await registry.submit(retired), *await registry.submit(carer(1))]

    assert [answer.code for answer in answers] == ["left", "unchanged", "updated"]
    registered, left, back = await carer_facts(registry)
    assert isinstance(left, CarerLeft)
    assert (left.version, left.reason, left.status) == (2, "retired", "left")
    assert isinstance(back, CarerUpdated)
    assert (back.version, back.status, back.carer_id) == (3, "active", registered.carer_id)


@pytest.mark.parametrize("newest", [DutyStatus.RETIRED, DutyStatus.ACTIVE])
async def test_an_older_row_of_a_carer_undoes_no_newer_one(registry: Registry, newest: DutyStatus) -> None:
    """Rule 11: a list of an earlier day that arrives late brings nobody back, and sends nobody away.

    Fails when: rows are believed in the order in which they come; or a row that changes nothing is no newer one.
    """
    older = DutyStatus.ACTIVE if newest is DutyStatus.RETIRED else DutyStatus.RETIRED
    await registry.submit(carer(1), carer(1, duty_status=newest), carer(1, duty_status=newest, happened_at=LATER))
    await registry.facts()

    answers = [
        *await registry.submit(carer(1, duty_status=older, happened_at=BETWEEN)),
        *await registry.submit(carer(1, duty_status=older, happened_at=BETWEEN, row_id="staff-again")),
    ]

    assert [answer.code for answer in answers] == ["unchanged", "same_carer"]
    assert await registry.facts() == []


async def test_relatives_in_an_older_row_are_relatives_too(registry: Registry) -> None:
    """Rule 8: they would have been kept, had the rows come in order, whichever of them are registered first.

    Fails when: an older row is left unread.
    """
    await registry.submit(household(1), carer(1, office_id="dinas-lain", happened_at=LATER))

    await registry.submit(carer(1, relatives_family_cards=(card_number(1), card_number(2))))
    await registry.submit(household(2))

    state = await _state(registry)
    assert (len(state.conflict_household_ids), state.office_id) == (2, "dinas-lain")


@pytest.mark.parametrize("carer_first", [True, False])
async def test_own_and_relatives_households_are_one_undivided_list(registry: Registry, carer_first: bool) -> None:  # noqa: FBT001
    """Rule 8: by family card or NIK, whoever is registered first."""
    clerk = carer(1, family_card=card_number(1), relatives_family_cards=(card_number(2),), nik=nik(31))
    homes = (household(1, decile=4), household(2), household(3, member(3), member(31, MemberRole.OTHER), decile=4))

    for submission in (clerk, *homes) if carer_first else (*homes, clerk):
        await registry.submit(submission)

    state = await _state(registry)
    households = await registry.context.pool.fetch("select household_id from household")
    assert set(state.conflict_household_ids) == {row["household_id"] for row in households}
    assert state.contributes


@pytest.mark.parametrize("carer_first", [True, False])
async def test_a_poor_carer_owes_nothing_and_nobody_is_told_why(registry: Registry, carer_first: bool) -> None:  # noqa: FBT001
    """Rule 7: the household is looked at again under a code that says nothing of the carer."""
    clerk = carer(1, family_card=card_number(1))

    for submission in (clerk, household(1)) if carer_first else (household(1), clerk):
        await registry.submit(submission)

    state = await _state(registry)
    review = await registry.context.pool.fetch("select distinct reason from review where decided_at is null")
    assert not state.contributes
    home = await registry.household(state.conflict_household_ids[0])
    assert (home.review_reason, len(home.eligibilities)) == ("re_verification", 2)
    assert [row["reason"] for row in review] == ["re_verification"]


async def test_whose_household_is_no_longer_eligible_may_be_asked_again(registry: Registry) -> None:
    await registry.submit(carer(1, family_card=card_number(1)))
    await registry.submit(household(1))
    home = (await _state(registry)).conflict_household_ids[0]

    for programme in ("monthly_package", "weekly_protein"):
        await registry.submit(
            ReviewDecisionSubmitted(
                happened_at=LATER, household_id=home, programme=programme, decision="end", reason="has_salary"
            )
        )

    assert (await _state(registry)).contributes


async def test_a_carer_s_row_opens_a_review_of_their_own_household_only_once(registry: Registry) -> None:
    await registry.submit(household(1))
    await registry.submit(carer(1, family_card=card_number(1)))
    await registry.facts()

    await registry.submit(carer(1, family_card=card_number(1), office_id="dinas-lain"))

    facts = await registry.facts()
    assert [type(fact) for fact in facts] == [CarerUpdated]
    assert not any(isinstance(fact, HouseholdUpdated) for fact in facts)


async def test_the_new_half_of_a_relative_s_card_is_a_conflict_too(registry: Registry) -> None:
    await registry.submit(carer(1, relatives_family_cards=(card_number(1),)))
    await registry.submit(household(1, member(10), member(11, MemberRole.SPOUSE)))
    home = (await _state(registry)).conflict_household_ids[0]
    people = {one.role: one.person_id for one in (await registry.profile(home)).members}
    split = CardSplit(
        kind="split",
        family_card=card_number(9),
        person_ids=(people["spouse"],),
        head_person_id=people["spouse"],
    )

    await registry.submit(HouseholdChangeSubmitted(happened_at=LATER, household_id=home, change=split))

    assert len((await _state(registry)).conflict_household_ids) == 2


async def _state(registry: Registry) -> Carer:
    text = await registry.context.pool.fetchval("select state from carer")
    return Carer.model_validate_json(text)


async def _names(registry: Registry) -> set[str | None]:
    async with registry.context.pool.acquire() as db:
        carer_ids = [row["carer_id"] for row in await db.fetch("select carer_id from carer")]
        colleagues = await carer_store.list_colleagues(db, registry.vault, carer_ids)
    return {colleague.secret.identity.name for colleague in colleagues.values()}
