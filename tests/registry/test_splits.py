"""Split cards: who leaves a family card has a household of their own, once (rules 3 and 15)."""

from datetime import date, timedelta
from uuid import UUID, uuid4

from contracts.events import HouseholdProfiled, HouseholdRegistered, HouseholdSplit
from contracts.submissions import CardSplit, HouseholdChangeSubmitted, HouseholdDied, HouseholdMovedAway
from contracts.vocabulary import MemberRole
from messaging.messages import Answer
from tests.registry.conftest import Registry
from tests.registry.samples import card_number, household, member
from tests.registry.test_changes import LATER, change, family


async def test_a_split_card_takes_its_members_and_their_programmes_along_once(registry: Registry) -> None:
    """Rule 15: said again under another id it does nothing."""
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.SPOUSE, MemberRole.CHILD)
    split = CardSplit(
        kind="split",
        family_card=card_number(77),
        person_ids=(people["spouse"], people["child"]),
        head_person_id=people["spouse"],
    )

    await registry.submit(change(household_id, split))
    old, old_profile, new, new_profile = await registry.facts()
    again = await registry.submit(change(household_id, split))
    listed = await registry.submit(household(78, member(11), family_card=card_number(77)))

    assert isinstance(old, HouseholdSplit)
    assert isinstance(new, HouseholdRegistered)
    assert (old.version, old.residents, old.split_into) == (3, 1, new.household_id)
    assert (new.version, new.residents, new.split_from, new.decile) == (1, 2, household_id, 1)
    assert new.eligibilities == old.eligibilities
    assert isinstance(old_profile, HouseholdProfiled)
    assert [one.person_id for one in old_profile.members] == [people["head"]]
    assert isinstance(new_profile, HouseholdProfiled)
    assert {one.role: one.person_id for one in new_profile.members} == {
        "head": people["spouse"],
        "child": people["child"],
    }
    assert again == [Answer("unchanged")]
    assert listed[0].code != "registered"


async def test_a_split_whose_card_is_on_the_list_already_only_takes_members_off(registry: Registry) -> None:
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.CHILD)
    await registry.submit(household(2, member(11), family_card=card_number(2)))
    new_id = (await registry.facts())[0].aggregate_id
    split = CardSplit(
        kind="split", family_card=card_number(2), person_ids=(people["child"],), head_person_id=people["child"]
    )

    await registry.submit(change(household_id, split))

    old, _ = await registry.facts()
    assert isinstance(old, HouseholdSplit)
    assert (old.split_into, old.residents) == (new_id, 1)


async def test_a_split_must_name_its_people(registry: Registry) -> None:
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.CHILD)
    everybody = tuple(people.values())

    def split(person_ids: tuple[UUID, ...], head: UUID) -> HouseholdChangeSubmitted:
        what = CardSplit(kind="split", family_card=None, person_ids=person_ids, head_person_id=head)
        return change(household_id, what)

    answers = [
        *await registry.submit(split((uuid4(),), people["child"])),
        *await registry.submit(split((people["child"],), people["head"])),
        *await registry.submit(split(everybody, people["head"])),
        *await registry.submit(change(household_id, HouseholdDied(kind="died", person_id=uuid4()))),
    ]

    assert answers == [
        Answer("refused", "unknown_person", "change.person_ids"),
        Answer("refused", "invalid_field", "change.head_person_id"),
        Answer("refused", "invalid_field", "change.person_ids"),
        Answer("refused", "unknown_person", "change.person_id"),
    ]


async def test_a_half_whose_head_has_left_before_and_moved_away_is_refused(registry: Registry) -> None:
    """It would be a household without a head.

    Fails when: only who is still there is looked at.
    """
    await registry.submit(
        household(1, member(10), member(11, MemberRole.SPOUSE, nik=None), member(12, MemberRole.CHILD))
    )
    household_id = (await registry.facts())[0].aggregate_id
    people = {one.role: one.person_id for one in (await registry.profile(household_id)).members}
    both = CardSplit(
        kind="split", family_card=None, person_ids=(people["spouse"], people["child"]), head_person_id=people["spouse"]
    )
    await registry.submit(change(household_id, alone(people["spouse"])))
    [half] = [fact for fact in await registry.facts() if isinstance(fact, HouseholdRegistered)]
    await registry.submit(change(half.household_id, HouseholdMovedAway(kind="moved_away")))
    await registry.facts()

    answers = await registry.submit(change(household_id, both))

    assert answers == [Answer("refused", "invalid_field", "change.head_person_id")]
    assert await registry.facts() == []


async def test_a_split_whose_head_has_a_household_already_only_takes_members_off(registry: Registry) -> None:
    """Rule 3: the same valid NIK of its head is the same household, with another card's number or with none.

    Fails when: a half is looked for by its card alone.
    """
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.SPOUSE)
    await registry.submit(household(2, member(11), family_card=card_number(2)))
    (new, *_) = await registry.facts()
    assert isinstance(new, HouseholdRegistered)

    await registry.submit(change(household_id, alone(people["spouse"])))

    facts = await registry.facts()
    assert [fact.split_into for fact in facts if isinstance(fact, HouseholdSplit)] == [new.household_id]
    assert [fact for fact in facts if isinstance(fact, HouseholdRegistered)] == []


async def test_a_half_whose_head_only_shares_a_nik_with_another_head_is_a_household_of_its_own(
    registry: Registry,
) -> None:
    """Rule 3: it would be served nowhere; who has the NIK is a person's to decide, and is asked of the half too.

    Fails when: the head of a half is known by the NIK alone, or what its people have elsewhere is not looked for.
    """
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.SPOUSE)
    await registry.submit(household(2, member(11, birth_date=date(1961, 3, 9))))
    (other, *_) = await registry.facts()

    await registry.submit(change(household_id, alone(people["spouse"])))

    [new] = [fact for fact in await registry.facts() if isinstance(fact, HouseholdRegistered)]
    assert new.split_from == household_id
    pairs = await registry.context.pool.fetch("select household_id, other_household_id from open_conflict")
    assert [set(pair) for pair in pairs] == [{new.household_id, other.aggregate_id}]


async def test_a_split_said_again_after_an_older_list_has_undone_it_makes_no_third_household(
    registry: Registry,
) -> None:
    """Rule 15: also of somebody without a NIK."""
    people = (member(10), member(11, MemberRole.SPOUSE, nik=None))
    await registry.submit(household(1, *people))
    household_id = (await registry.facts())[0].aggregate_id
    [spouse] = [one for one in (await registry.profile(household_id)).members if one.role == "spouse"]
    split = change(household_id, alone(spouse.person_id))
    await registry.submit(split)
    await registry.submit(household(1, *people, happened_at=LATER + timedelta(days=1)))
    await registry.facts()

    await registry.submit(split)

    assert [type(fact) for fact in await registry.facts()] == [HouseholdSplit, HouseholdProfiled]


async def test_who_leaves_for_the_card_of_a_household_that_is_gone_is_served_on(registry: Registry) -> None:
    """Fails when: a household that has left takes the half in."""
    household_id, people = await family(registry, MemberRole.HEAD, MemberRole.SPOUSE)
    await registry.submit(household(2, family_card=card_number(2)))
    gone_id = (await registry.facts())[0].aggregate_id
    await registry.submit(change(gone_id, HouseholdMovedAway(kind="moved_away")))
    await registry.facts()

    split = alone(people["spouse"]).model_copy(update={"family_card": card_number(2)})
    await registry.submit(change(household_id, split))

    [new] = [fact for fact in await registry.facts() if isinstance(fact, HouseholdRegistered)]
    assert new.split_from == household_id


def alone(person_id: UUID) -> CardSplit:
    """Somebody leaves, and nobody knows the number of the new card."""
    return CardSplit(kind="split", family_card=None, person_ids=(person_id,), head_person_id=person_id)
