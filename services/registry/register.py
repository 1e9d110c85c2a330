"""What one call has loaded of the register, and how it becomes while the call's messages are decided in order. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from contracts.events import Carer, Enrolment, Fact
from contracts.vocabulary import MemberRole
from policies import Policy
from services.registry import carers, domain, people
from services.registry.domain import CardKeys, Decided, Family, Picture, Surroundings
from services.registry.eligibility import is_eligible
from services.registry.people import KeyedHash, Person

CARD_ON_TWO_HOUSEHOLDS: Final = "card_on_two_households"
MEMBER_ON_TWO_CARDS: Final = "member_on_two_cards"
NIK_ON_TWO_PEOPLE: Final = "nik_on_two_people"


class Holder(NamedTuple):
    """Somebody on a card of the register, found by NIK."""

    household_id: UUID
    role: str
    sex: str
    birth_year: int | None


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """One identity on two households, or twice on one (then both ids are equal)."""

    household_id: UUID
    other_household_id: UUID
    code: str


@dataclass(slots=True)
class Register:
    """Lives as long as one call of a handler; the call has locked all of it."""

    known: dict[KeyedHash, UUID] = field(default_factory=dict)
    """Household by key."""
    new_keys: dict[KeyedHash, UUID] = field(default_factory=dict)
    holders: dict[KeyedHash, dict[UUID, Holder]] = field(default_factory=lambda: defaultdict(dict))
    """Who has a NIK, by its hash and by household."""
    before: Mapping[UUID, Family] = field(default_factory=dict)
    families: dict[UUID, Family] = field(default_factory=dict)
    enrolments: dict[KeyedHash, tuple[Enrolment, ...]] = field(default_factory=lambda: defaultdict(tuple))
    """By family card."""
    ties: Mapping[KeyedHash, tuple[UUID, ...]] = field(default_factory=dict)
    """Carers by the hash under which they find a household of their own or of a relative."""
    carers: dict[UUID, Carer] = field(default_factory=dict)
    changed_carers: set[UUID] = field(default_factory=set)
    conflicts: set[Conflict] = field(default_factory=set)


def find(register: Register, picture: Picture) -> UUID | None:
    """The household of a picture: by source row, family card, valid NIK of the head, or door (rules 3, 6).

    Another head with the same NIK is another household: one of the two numbers is wrong, and a person decides.
    """
    for key in (picture.source_key, picture.card.own):
        if key is not None and key in register.known:
            return register.known[key]
    if heads := _as_head(register, people.head_of(picture.people)):
        return heads[0].household_id
    return register.known.get(picture.door_key) if picture.door_key is not None else None


def find_half(register: Register, family: Family, keys: Iterable[KeyedHash], head_person_id: UUID) -> UUID | None:
    """Which other household the half of a split card is already: by these keys, or by its head's valid NIK (rule 3).

    One that has left is nobody's: who leaves this one would be served nowhere.
    """
    head = next((person for person in family.people if person.person_id == head_person_id), None)
    known = [register.known[key] for key in keys if key in register.known]
    served = [one for one in known if register.families[one].household.status == domain.REGISTERED]
    found = (*served, *(holder.household_id for holder in _as_head(register, head)))
    return next((household_id for household_id in found if household_id != family.household.household_id), None)


def admit(register: Register, picture: Picture, policy: Policy, now: datetime) -> tuple[str, tuple[Fact, ...]]:
    """Take a picture in: `registered`, `updated`, `unchanged` or `same_household`, and the facts that say so."""
    household_id = find(register, picture)
    family = register.families.get(household_id) if household_id is not None else None
    from_another_row = picture.source_key not in register.known
    is_now = family is None or domain.is_newer(picture, family)  # a list from before a split has people it took away
    found = _conflicts(register, picture.card, picture.people, household_id or picture.new_id) if is_now else set()
    around = Surroundings(
        conflicts=tuple(sorted({conflict.code for conflict in found})),
        enrolments=register.enrolments.get(picture.card.own, ()) if picture.card.own else (),
        houses_contributing_carer=_houses_contributing_carer(register, picture),
    )
    if family is None:
        decided, code = domain.register(picture, around, policy, now), "registered"
    else:
        decided, code = domain.update(family, picture, around, policy, now), "updated"
        if not decided.facts and domain.is_same_family(decided.family, family):
            if decided.family == family:  # else only how new it is: no older picture undoes what was said again
                decided = Decided(family)
            code = "same_household" if from_another_row else "unchanged"
    facts = keep(register, [(family, decided)])
    for key in picture.keys:
        if key not in register.known:
            register.known[key] = register.new_keys[key] = decided.family.household.household_id
    return code, (*facts, *_mark(register, found))


def keep(
    register: Register, decisions: Sequence[tuple[Family | None, Decided]], related: Iterable[UUID] = ()
) -> tuple[Fact, ...]:
    """Remember what was decided on these families; their facts, and those of carers whom it concerns.

    `related` are carers who must not look after any of them, whatever the cards say.
    """
    after = [decided.family for _, decided in decisions]
    for family in after:
        register.families[family.household.household_id] = family
        for person in family.people:
            if person.nik_key is not None:
                _place(register, family, person)
    facts = tuple(fact for _, decided in decisions for fact in decided.facts)
    return (*facts, *_tie(register, [(before, decided.family) for before, decided in decisions], related))


def keep_conflicts(register: Register, half: Family) -> None:
    """What the people of a new half have elsewhere is asked of it too; all of its households have said so before."""
    for one in _conflicts(register, half.card, half.people, half.household.household_id):
        register.conflicts |= {one, Conflict(one.other_household_id, one.household_id, one.code)}


def tied_carers(register: Register, family: Family) -> tuple[set[UUID], set[UUID]]:
    """Carers who live in this household, and carers who have relatives in it."""
    own = {carer_id for key in family.own_keys for carer_id in register.ties.get(key, ())}
    relatives = family.card.relatives
    return own, set(register.ties.get(relatives, ())) if relatives is not None else set()


def _as_head(register: Register, person: Person | None) -> tuple[Holder, ...]:
    """Where this person is head already, by a valid NIK."""
    if person is None or person.nik_key is None:
        return ()
    holders = register.holders.get(person.nik_key, {}).values()
    return tuple(one for one in holders if one.role == MemberRole.HEAD and _is_one_person(one, person))


def _is_one_person(holder: Holder, person: Person) -> bool:
    """Who has the same valid NIK is told by sex and year of birth; where a year is not said, the NIK says it."""
    return (holder.sex, holder.birth_year) == (person.sex, person.birth_year)


def _place(register: Register, family: Family, person: Person) -> None:
    household_id, nik_key = family.household.household_id, person.nik_key
    if nik_key is None:
        return
    if person.status == "member" and family.household.status == domain.REGISTERED:
        register.holders[nik_key][household_id] = Holder(household_id, person.role, person.sex, person.birth_year)
    else:
        register.holders[nik_key].pop(household_id, None)


def _tie(
    register: Register, families: Sequence[tuple[Family | None, Family]], related: Iterable[UUID]
) -> tuple[Fact, ...]:
    if not register.carers:
        return ()
    wanted: dict[UUID, set[UUID]] = defaultdict(set)
    poor: dict[UUID, bool] = {}
    for before, family in families:
        own, relatives = tied_carers(register, family)
        for carer_id in {*own, *relatives, *related}:
            wanted[carer_id].add(family.household.household_id)
        if is_eligible(family.household) or (before is not None and is_eligible(before.household)):
            poor |= dict.fromkeys(own, is_eligible(family.household))
    facts = []
    for carer_id in sorted(wanted):
        carer = register.carers[carer_id]
        contributes = not poor[carer_id] if carer_id in poor else carer.contributes
        after = carers.tied(carer, wanted[carer_id], contributes=contributes)
        if after is not carer:
            register.carers[carer_id] = after
            register.changed_carers.add(carer_id)
            facts.append(after)
    return tuple(facts)


def _houses_contributing_carer(register: Register, picture: Picture) -> bool:
    if not register.ties:
        return False
    niks = (person.nik_key for person in picture.people)
    tied = (register.ties.get(key, ()) for key in (picture.card.own, *niks) if key is not None)
    return any(register.carers[carer_id].contributes for carer_ids in tied for carer_id in carer_ids)


def _conflicts(register: Register, card: CardKeys, people_now: Iterable[Person], household_id: UUID) -> set[Conflict]:
    """What of this household the register has elsewhere."""
    found = set()
    holder = register.known.get(card.own) if card.own is not None else None
    if holder is not None and holder != household_id:
        found.add(Conflict(household_id, holder, CARD_ON_TWO_HOUSEHOLDS))
    niks = set()
    for person in people_now:
        if person.nik_key is None:
            continue
        if person.nik_key in niks:
            found.add(Conflict(household_id, household_id, NIK_ON_TWO_PEOPLE))
        niks.add(person.nik_key)
        for other in register.holders.get(person.nik_key, {}).values():
            if other.household_id != household_id:
                code = MEMBER_ON_TWO_CARDS if _is_one_person(other, person) else NIK_ON_TWO_PEOPLE
                found.add(Conflict(household_id, other.household_id, code))
    return found


def _mark(register: Register, found: Iterable[Conflict]) -> tuple[Fact, ...]:
    """Conflicts are said on both households."""
    codes: dict[UUID, list[str]] = defaultdict(list)
    for conflict in sorted(found):
        register.conflicts.add(conflict)
        if conflict.other_household_id != conflict.household_id:
            register.conflicts.add(Conflict(conflict.other_household_id, conflict.household_id, conflict.code))
            codes[conflict.other_household_id].append(conflict.code)
    facts: list[Fact] = []
    for household_id, of_it in codes.items():
        family = register.families[household_id]
        decided = domain.with_conflict(family, of_it)
        facts += keep(register, [(family, decided)]) if decided.facts else ()
    return tuple(facts)
