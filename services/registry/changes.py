"""What happens to a household after it is known: a death, a move, a split card. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.events import HouseholdLeft, HouseholdProfiled, HouseholdRegistered, HouseholdSplit, HouseholdUpdated
from contracts.refusals import RefusalCode
from contracts.submissions import CardSplit, HouseholdMoved
from contracts.vocabulary import MemberRole
from services.registry import people
from services.registry.domain import LEFT, REGISTERED, CardKeys, Decided, Family, changed, nik_status, profile, rounded
from services.registry.people import Person


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a change is not accepted."""

    code: RefusalCode
    field: str


def died(family: Family, person_id: UUID) -> Decided | Wrong:
    """The last one leaves the household empty (rule 16); after the head another member is head, spouse first."""
    dead = next((person for person in family.people if person.person_id == person_id), None)
    if dead is None:
        return Wrong(RefusalCode.UNKNOWN_PERSON, "change.person_id")
    if dead.status == "deceased":
        return Decided(family)
    if family.household.status != REGISTERED:
        return Wrong(RefusalCode.HOUSEHOLD_GONE, "household_id")
    residents = max(family.household.residents - (dead.status == "member"), 0)
    family = _with_people(family, {person_id: dead._replace(status="deceased")})
    if residents == 0:
        return _said(changed(family, HouseholdLeft, status=LEFT, residents=0, reason="deceased_alone"))
    return _said(changed(family, HouseholdUpdated, residents=residents, nik_status=nik_status(family.people)))


def moved(family: Family, change: HouseholdMoved) -> Decided | Wrong:
    """Within the regency. What is not said of the new door is not known: the old door would be wrong."""
    if family.household.status != REGISTERED:
        return Wrong(RefusalCode.HOUSEHOLD_GONE, "household_id")
    latitude, longitude = (change.place.latitude, change.place.longitude) if change.place else (None, None)
    contact = replace(family.contact, address=change.address, latitude=latitude, longitude=longitude)
    if change.village == family.household.village and contact == family.contact:
        return Decided(family)
    return changed(
        replace(family, contact=contact),
        HouseholdUpdated,
        district=change.village[:8],
        village=change.village,
        place=rounded(latitude, longitude),
    )


def moved_away(family: Family) -> Decided:
    """Out of the regency, confirmed by the village."""
    if family.household.status != REGISTERED:
        return Decided(family)
    return changed(family, HouseholdLeft, status=LEFT, reason="other_regency")


def stayed(family: Family) -> Decided | Wrong:
    """Still here, says the village. Always a new version, for those who hold what is planned until they hear it."""
    if family.household.residents == 0:
        return Wrong(RefusalCode.HOUSEHOLD_GONE, "household_id")
    return changed(family, HouseholdUpdated, status=REGISTERED)


@dataclass(frozen=True, slots=True)
class NewHalf:
    """What a card split brings with it: an id to take, and the hashes of the new card."""

    new_id: UUID
    card: CardKeys
    holder_id: UUID | None
    """The household that it is already: it has the new card, or the new head as its own."""


def split(family: Family, change: CardSplit, half: NewHalf, now: datetime) -> tuple[Decided, Decided | None] | Wrong:
    """Some members have a card of their own: the household they left, and theirs.

    The new household has the eligibilities and the decile of the old one; enrolments and needs stay behind, they were
    given on the old card. Where it is another household already, the members are on its card and only leave here.
    Said a second time, nothing is left to do.
    """
    leaving = tuple(person for person in family.people if person.person_id in change.person_ids)
    if len(leaving) < len(set(change.person_ids)):
        return Wrong(RefusalCode.UNKNOWN_PERSON, "change.person_ids")
    if change.head_person_id not in change.person_ids:
        return Wrong(RefusalCode.INVALID_FIELD, "change.head_person_id")
    moving = people.members(leaving)
    if not moving:
        return Decided(family), None
    if (wrong := _why_not(family, moving, change, half)) is not None:
        return wrong
    rest = _with_people(family, {person.person_id: person._replace(status="gone") for person in moving})
    new = None if half.holder_id is not None else _new_half(family, moving, change, half, now)
    stayed_behind = changed(
        rest,
        HouseholdSplit,
        residents=len(people.members(rest.people)),
        nik_status=nik_status(rest.people),
        split_into=half.holder_id or half.new_id,
    )
    return _said(stayed_behind), new


def _why_not(family: Family, moving: Sequence[Person], change: CardSplit, half: NewHalf) -> Wrong | None:
    """Nobody would be left here, or nobody head the half: its head has left before."""
    if family.household.status != REGISTERED:
        return Wrong(RefusalCode.HOUSEHOLD_GONE, "household_id")
    if len(moving) == len(people.members(family.people)):
        return Wrong(RefusalCode.INVALID_FIELD, "change.person_ids")
    if half.holder_id is None and change.head_person_id not in {person.person_id for person in moving}:
        return Wrong(RefusalCode.INVALID_FIELD, "change.head_person_id")
    return None


def _new_half(family: Family, moving: Iterable[Person], change: CardSplit, half: NewHalf, now: datetime) -> Decided:
    old = family.household
    movers = tuple(person._replace(role=_role(person, change.head_person_id)) for person in moving)
    registered = HouseholdRegistered(
        **dict(old)
        | {
            "version": 1,
            "household_id": half.new_id,
            "residents": len(movers),
            "nik_status": nik_status(movers),
            "registered_at": now,
            "split_from": old.household_id,
        }
    )
    profiled = HouseholdProfiled(
        version=1, household_id=half.new_id, members=people.public_members(movers), enrolments=(), needs=()
    )
    contact = replace(family.contact, family_card=change.family_card)
    return Decided(
        replace(family, household=registered, profile=profiled, people=movers, contact=contact, card=half.card),
        (registered, profiled),
    )


def _role(person: Person, head_id: UUID) -> str:
    if person.person_id == head_id:
        return MemberRole.HEAD
    return MemberRole.OTHER if person.role == MemberRole.HEAD else person.role


def _with_people(family: Family, newer: Mapping[UUID, Person]) -> Family:
    people_now = tuple(newer.get(person.person_id, person) for person in family.people)
    return replace(family, people=people.with_head(people_now))


def _said(decided: Decided) -> Decided:
    """With the profile that follows from it."""
    profiled = profile(decided.family)
    if not profiled:
        return decided
    return Decided(replace(decided.family, profile=profiled[-1]), (*decided.facts, *profiled))
