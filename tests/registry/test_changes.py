"""Deaths, moves, split cards, and what people decide: rules 3, 4, 6, 15 and 16."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from contracts.events import (
    EligibilityEnded,
    EligibilityGranted,
    HouseholdLeft,
    HouseholdProfiled,
    HouseholdUpdated,
)
from contracts.submissions import (
    CandidateDecisionSubmitted,
    ExactPlace,
    HouseholdChange,
    HouseholdChangeSubmitted,
    HouseholdDied,
    HouseholdMoved,
    HouseholdMovedAway,
    HouseholdStayed,
    ReviewDecisionSubmitted,
)
from contracts.vocabulary import EligibilityBasis, MemberRole, Place
from messaging.messages import Answer
from tests.registry.conftest import Registry
from tests.registry.samples import (
    OTHER_VILLAGE,
    SEEN_AT,
    household,
    member,
    neighbour_check,
)

LATER = SEEN_AT + timedelta(days=10)


def change(household_id: UUID, what: HouseholdChange, **changes: Any) -> HouseholdChangeSubmitted:
    given: dict[str, Any] = {"happened_at": LATER, "household_id": household_id, "change": what}
    return HouseholdChangeSubmitted(**given | changes)


def decision(household_id: UUID, programme: str, verdict: Literal["keep", "end"]) -> ReviewDecisionSubmitted:
    return ReviewDecisionSubmitted(
        happened_at=LATER, household_id=household_id, programme=programme, decision=verdict, reason="income_checked"
    )


def candidate(household_id: UUID, verdict: Literal["verified", "rejected"]) -> CandidateDecisionSubmitted:
    return CandidateDecisionSubmitted(
        happened_at=LATER, household_id=household_id, decision=verdict, basis=EligibilityBasis.LOCAL_VERIFIED
    )


async def family(registry: Registry, *roles: MemberRole, number: int = 1) -> tuple[UUID, dict[str, UUID]]:
    """A household with these members, and their ids by role."""
    people = [member(number * 10 + place, role) for place, role in enumerate(roles)]
    await registry.submit(household(number, *people))
    household_id = (await registry.facts())[0].aggregate_id
    return household_id, {one.role: one.person_id for one in (await registry.profile(household_id)).members}


async def test_after_the_head_the_spouse_is_head(registry: Registry) -> None:
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.CHILD, MemberRole.SPOUSE)

    answers = await registry.submit(change(household_id, HouseholdDied(kind="died", person_id=people["head"])))

    updated, profiled = await registry.facts()
    assert answers == [Answer("accepted")]
    assert isinstance(updated, HouseholdUpdated)
    assert (updated.version, updated.residents) == (3, 2)
    assert isinstance(profiled, HouseholdProfiled)
    assert {one.role: one.person_id for one in profiled.members} == {
        "child": people["child"],
        "head": people["spouse"],
    }


async def test_the_last_one_to_die_leaves_the_household_empty_once(registry: Registry) -> None:
    """Rule 16: nobody is sent there again."""
    household_id, people = await family(registry, MemberRole.HEAD)
    death = change(household_id, HouseholdDied(kind="died", person_id=people["head"]))

    await registry.submit(death)
    left, profiled = await registry.facts()
    again = await registry.submit(death, change(household_id, HouseholdStayed(kind="stayed")))

    assert isinstance(left, HouseholdLeft)
    assert (left.status, left.reason, left.residents) == ("left", "deceased_alone", 0)
    assert isinstance(profiled, HouseholdProfiled)
    assert profiled.members == ()
    assert again == [Answer("unchanged"), Answer("refused", "household_gone", "household_id")]
    assert await registry.facts() == []


async def test_the_dead_stay_dead_when_an_old_list_still_has_them(registry: Registry) -> None:
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.SPOUSE)
    await registry.submit(change(household_id, HouseholdDied(kind="died", person_id=people["head"])))

    await registry.submit(household(1, member(11, MemberRole.HEAD), happened_at=LATER + timedelta(days=20)))
    await registry.submit(
        household(1, member(10), member(11, MemberRole.SPOUSE), happened_at=LATER + timedelta(days=30))
    )

    assert (await registry.household(household_id)).residents == 1
    assert [one.role for one in (await registry.profile(household_id)).members] == ["head"]


async def test_a_move_within_the_regency_is_not_undone_by_an_older_list(registry: Registry) -> None:
    household_id, _ = await family(registry, MemberRole.HEAD)
    place = ExactPlace(latitude=-8.43456, longitude=114.33456)
    move = HouseholdMoved(kind="moved", village=OTHER_VILLAGE, address="Jalan Baru 1", place=place)

    await registry.submit(change(household_id, move))
    again = await registry.submit(change(household_id, move), household(1, member(10), address="Jalan Lama 1"))

    state = await registry.household(household_id)
    assert (state.district, state.village) == ("35.10.05", OTHER_VILLAGE)
    assert state.place == Place(latitude=-8.435, longitude=114.335)
    assert [answer.outcome for answer in again] == ["unchanged", "unchanged"]


async def test_a_move_to_an_unknown_village_is_refused(registry: Registry) -> None:
    household_id, _ = await family(registry, MemberRole.HEAD)
    move = HouseholdMoved(kind="moved", village="35.10.05.9999", address=None, place=None)

    answers = await registry.submit(change(household_id, move))

    assert answers == [Answer("refused", "unknown_village", "change.village")]


async def test_who_moved_away_can_turn_out_to_have_stayed(registry: Registry) -> None:
    """Rule 16: what is planned is held until the village confirms; each answer is a new version."""
    household_id, _ = await family(registry, MemberRole.HEAD)

    await registry.submit(change(household_id, HouseholdStayed(kind="stayed")))
    await registry.submit(change(household_id, HouseholdMovedAway(kind="moved_away")))
    await registry.submit(change(household_id, HouseholdMovedAway(kind="moved_away")))
    await registry.submit(change(household_id, HouseholdStayed(kind="stayed")))

    facts = [fact for fact in await registry.facts() if isinstance(fact, HouseholdUpdated | HouseholdLeft)]
    assert [(type(fact), fact.version, fact.status) for fact in facts] == [
        (HouseholdUpdated, 3, "registered"),
        (HouseholdLeft, 4, "left"),
        (HouseholdUpdated, 5, "registered"),
    ]


async def test_what_is_said_of_an_unknown_household_waits_for_it(registry: Registry) -> None:
    unknown = uuid4()

    answers = [
        *await registry.submit(change(unknown, HouseholdMovedAway(kind="moved_away"))),
        *await registry.submit(decision(uuid4(), "monthly_package", "keep")),
        *await registry.submit(candidate(uuid4(), "verified")),
    ]

    assert answers == [Answer("parked")] * 3
    assert unknown in {row["waits_for"] for row in await registry.context.pool.fetch("select waits_for from parked")}


async def test_a_person_decides_each_programme_of_a_review_once(registry: Registry) -> None:
    """Rule 4: what is kept rests on that person's word from now on, what is ended says why."""
    household_id, _ = await family(registry, MemberRole.HEAD)
    await registry.submit(household(1, member(10), happened_at=LATER, decile=4, decile_period="2026-q4"))
    await registry.facts()

    kept = await registry.submit(decision(household_id, "monthly_package", "keep"))
    between = await registry.household(household_id)
    ended = await registry.submit(decision(household_id, "weekly_protein", "end"))
    again = await registry.submit(decision(household_id, "weekly_protein", "end"))

    updated, end = await registry.facts()
    assert [*kept, *ended, *again] == [
        Answer("accepted"),
        Answer("accepted"),
        Answer("refused", "nothing_to_decide", "programme"),
    ]
    assert isinstance(updated, HouseholdUpdated)
    assert between.review_reason == "decile_left"
    assert isinstance(end, EligibilityEnded)
    assert (end.programmes, end.reason, end.review_reason) == (("weekly_protein",), "income_checked", None)
    assert [(one.programme, one.basis) for one in end.eligibilities] == [("monthly_package", "local_verified")]


async def test_a_kept_programme_is_not_reviewed_again_by_the_same_decile(registry: Registry) -> None:
    household_id, _ = await family(registry, MemberRole.HEAD)
    off_list = household(1, member(10), happened_at=LATER, decile=4, decile_period="2026-q4")
    await registry.submit(off_list)
    for programme in ("monthly_package", "weekly_protein"):
        await registry.submit(decision(household_id, programme, "keep"))

    later = {"happened_at": LATER + timedelta(days=20), "decile": 5, "decile_period": "2027-q1"}
    await registry.submit(off_list.model_copy(update=later))

    assert (await registry.household(household_id)).review_reason is None


async def test_a_verified_candidate_may_have_every_programme(registry: Registry) -> None:
    """Rule 6."""
    await registry.submit(neighbour_check(1))
    household_id = (await registry.facts())[0].aggregate_id

    first = await registry.submit(candidate(household_id, "verified"))
    again = await registry.submit(candidate(household_id, "verified"))

    (granted,) = await registry.facts()
    assert isinstance(granted, EligibilityGranted)
    assert (granted.provisional, granted.programmes) == (False, ("monthly_package", "weekly_protein"))
    assert {one.basis for one in granted.eligibilities} == {"local_verified"}
    assert [*first, *again] == [Answer("accepted"), Answer("refused", "nothing_to_decide", "household_id")]


async def test_a_rejected_candidate_stays_provisional_and_is_decided_once(registry: Registry) -> None:
    await registry.submit(neighbour_check(1))
    household_id = (await registry.facts())[0].aggregate_id

    first = await registry.submit(candidate(household_id, "rejected"))
    again = await registry.submit(candidate(household_id, "verified"))

    assert [answer.outcome for answer in [*first, *again]] == ["accepted", "refused"]
    assert (await registry.household(household_id)).provisional
    assert await registry.facts() == []
