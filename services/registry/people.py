"""The people of a family card: who is the same person, who has died or gone, who is the head. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from contracts.events import Member
from contracts.vocabulary import MemberRole
from services.registry.identity import NikStatus

KeyedHash: TypeAlias = bytes
"""16 bytes that are equal for equal identities and say nothing without the vault's key."""
PersonStatus = Literal["member", "deceased", "gone"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person is; leaves memory only sealed."""

    name: str | None
    nik: str | None
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a household lives exactly and how to reach it; leaves memory only sealed."""

    family_card: str | None
    address: str | None
    phone: str | None
    latitude: float | None
    longitude: float | None


class Person(NamedTuple):
    """Somebody who is or was on a family card. A tuple: a file makes a hundred thousand."""

    person_id: UUID
    role: str
    sex: str
    birth_year: int | None
    nik_status: NikStatus
    nik_key: KeyedHash | None
    """Keyed hash of a valid NIK."""
    status: PersonStatus
    identity: Identity


def members(people: Iterable[Person]) -> tuple[Person, ...]:
    """Those who live on the card now."""
    return tuple(person for person in people if person.status == "member")


def head_of(people: Iterable[Person]) -> Person | None:
    """The living head; None where nobody is known by name, as after a neighbour check without one."""
    return next((person for person in people if person.status == "member" and person.role == MemberRole.HEAD), None)


def seen_again(known: Sequence[Person], seen: Sequence[Person]) -> tuple[Person, ...]:
    """The known people as a newer picture of the card has them: ids stay, the dead stay dead, the missing are gone."""
    unmatched = list(seen)
    people = []
    for person in known:
        same = next((other for other in unmatched if _is_same(person, other)), None)
        if same is not None:
            unmatched.remove(same)
            people.append(_merged(person, same))
        else:
            people.append(person if person.status == "deceased" else person._replace(status="gone"))
    return with_head((*people, *unmatched))


def with_head(people: tuple[Person, ...]) -> tuple[Person, ...]:
    """Somebody living is head: when nobody is, the spouse, else the oldest."""
    living = members(people)
    if not living or any(person.role == MemberRole.HEAD for person in living):
        return people
    chosen = min(living, key=lambda person: (person.role != MemberRole.SPOUSE, person.birth_year or date.max.year))
    return tuple(person._replace(role=MemberRole.HEAD) if person is chosen else person for person in people)


def newer_contact(known: Contact, seen: Contact) -> Contact:
    """The newer contact; what it does not say is kept."""
    has_place = seen.latitude is not None
    return Contact(
        family_card=seen.family_card or known.family_card,
        address=seen.address or known.address,
        phone=seen.phone or known.phone,
        latitude=seen.latitude if has_place else known.latitude,
        longitude=seen.longitude if has_place else known.longitude,
    )


def public_members(people: Iterable[Person]) -> tuple[Member, ...]:
    """The living without anything that names them; by id, so that the same family is always said in the same way."""
    living = sorted(members(people), key=lambda person: person.person_id)
    return tuple(
        Member(person_id=person.person_id, role=person.role, sex=person.sex, birth_year=person.birth_year)
        for person in living
    )


def _is_same(known: Person, seen: Person) -> bool:
    """Same valid NIK; or same name and birth date, where not both have one."""
    if known.nik_key is not None and seen.nik_key is not None:
        return known.nik_key == seen.nik_key
    mine, theirs = known.identity, seen.identity
    if mine.birth_date is None or mine.name is None or theirs.name is None:
        return False
    return mine.birth_date == theirs.birth_date and mine.name.casefold() == theirs.name.casefold()


def _merged(known: Person, seen: Person) -> Person:
    has_nik = seen.identity.nik is not None
    return seen._replace(
        person_id=known.person_id,
        status="deceased" if known.status == "deceased" else "member",
        birth_year=seen.birth_year or known.birth_year,
        nik_status=seen.nik_status if has_nik else known.nik_status,
        nik_key=seen.nik_key if has_nik else known.nik_key,
        identity=Identity(
            name=seen.identity.name or known.identity.name,
            nik=seen.identity.nik or known.identity.nik,
            birth_date=seen.identity.birth_date or known.identity.birth_date,
        ),
    )
