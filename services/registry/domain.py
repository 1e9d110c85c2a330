"""Households: what makes two pictures the same one, and what a newer picture changes (rules 1, 3, 4). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.events import (
    Enrolment,
    Fact,
    Household,
    HouseholdProfiled,
    HouseholdRegistered,
    HouseholdUpdated,
    Profile,
)
from contracts.vocabulary import PLACE_DECIMALS, Place
from policies import Policy
from services.registry import eligibility, people
from services.registry.eligibility import Listed
from services.registry.people import Contact, KeyedHash, Person
from services.registry.versions import HouseholdFact, is_same_state, next_version

REGISTERED: Final = "registered"
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # what a neighbour saw is older than any card
LEFT: Final = "left"


class CardKeys(NamedTuple):
    """Keyed hashes of a family card's number; null where it has none."""

    own: KeyedHash | None
    """By which the household is found, also by a carer who lives there."""
    relatives: KeyedHash | None
    """By which a carer finds the household of a relative."""


@dataclass(frozen=True, slots=True)
class Family:
    """Everything the registry keeps of one household."""

    household: Household
    profile: Profile
    people: tuple[Person, ...]
    contact: Contact
    pictured_at: datetime
    """When the newest card or change of it was so, as its sender says; an older one changes only the decile history."""
    decile_stated_at: datetime
    """When its decile was so, as the sender says."""
    reviews: Mapping[str, str]
    """Open reviews: programme to reason."""
    card: CardKeys

    @property
    def own_keys(self) -> tuple[KeyedHash, ...]:
        """By what a carer finds their own household."""
        niks = tuple(person.nik_key for person in people.members(self.people) if person.nik_key is not None)
        return niks if self.card.own is None else (self.card.own, *niks)


class Picture(NamedTuple):
    """A household as somebody outside sees it: a family card, or a house seen by a neighbour."""

    new_id: UUID
    """Taken when the household turns out to be new."""
    source_key: KeyedHash
    card: CardKeys
    door_key: KeyedHash | None
    """Keyed hash of village, rounded place and name: the same house reported twice is one candidate (rule 6)."""
    taken_at: datetime
    village: str
    place: Place | None
    residents: int
    people: tuple[Person, ...]
    contact: Contact
    decile: int | None = None
    decile_period: str | None = None
    provisional: bool = False
    needs: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[KeyedHash, ...]:
        """What it is recognised by besides the head's NIK, in the order in which they decide."""
        return tuple(key for key in (self.source_key, self.card.own, self.door_key) if key is not None)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of the register says about a household that is being decided."""

    conflicts: tuple[str, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    """Loaded under one of its cards before it was known (rule 26)."""
    houses_contributing_carer: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """A family as it is now, and the facts that say so."""

    family: Family
    facts: tuple[Fact, ...] = ()


def register(picture: Picture, around: Surroundings, policy: Policy, now: datetime) -> Decided:
    """A household met for the first time. A list makes it eligible by its decile, a neighbour check never does."""
    people_now = people.with_head(picture.people)
    registered = HouseholdRegistered(
        version=1,
        household_id=picture.new_id,
        status=REGISTERED,
        provisional=picture.provisional,
        district=picture.village[:8],
        village=picture.village,
        place=picture.place,
        residents=picture.residents,
        nik_status=nik_status(people_now),
        decile=picture.decile,
        decile_period=picture.decile_period,
        eligibilities=(),
        review_reason=None,
        conflicts=around.conflicts,
        registered_at=now,
    )
    profiled = HouseholdProfiled(
        version=1,
        household_id=picture.new_id,
        members=people.public_members(people_now),
        enrolments=around.enrolments,
        needs=picture.needs,
        needs_seen=picture.needs,
        needs_seen_at=picture.taken_at if picture.needs else None,
    )
    pictured_at, at = _NEVER if picture.provisional else picture.taken_at, picture.taken_at
    family = Family(registered, profiled, people_now, picture.contact, pictured_at, at, {}, picture.card)
    listed = eligibility.on_decile(Listed((registered,), registered, {}), policy, local_date(now, policy))
    return _finished(family, listed, (profiled,), around)


def update(family: Family, picture: Picture, around: Surroundings, policy: Policy, now: datetime) -> Decided:
    """A newer picture of a known household; an older one says at most something about its decile."""
    before = family.household
    if is_newer(picture, family):
        family = _pictured(family, picture)
    decile = _newer_decile(family, picture)
    if decile:
        family = replace(family, decile_stated_at=picture.taken_at)
    conflicts = tuple(sorted({*before.conflicts, *around.conflicts}))
    after = family.household.model_copy(update={"conflicts": conflicts, **decile})
    facts = () if is_same_state(after, before) else (next_version(before, HouseholdUpdated, after),)
    listed = Listed(facts, facts[-1] if facts else before, family.reviews)
    is_listed_now = before.provisional and not after.provisional
    if is_listed_now or (after.decile, after.decile_period) != (before.decile, before.decile_period):
        listed = eligibility.on_decile(listed, policy, local_date(now, policy))
    return _finished(family, listed, profile(family, around.enrolments, picture.needs, picture.taken_at), around)


def is_newer(picture: Picture, family: Family) -> bool:
    """Whether it says how the household is now; what a neighbour saw is less than a card, of whatever day."""
    return picture.taken_at >= family.pictured_at and (family.household.provisional or not picture.provisional)


def profile(
    family: Family, enrolments: Sequence[Enrolment] = (), needs: Sequence[str] = (), seen_at: datetime | None = None
) -> tuple[HouseholdProfiled, ...]:
    """The profile after a change of people, enrolments or needs.

    `needs` were seen this time, at `seen_at`. Seen again they are said again, also unchanged: after a confirmed case a
    new sighting is a new case (rule 22).
    """
    known = family.profile
    seen = known.model_copy(
        update={
            "members": people.public_members(family.people),
            "enrolments": merged_enrolments(known.enrolments, enrolments),
            "needs": tuple(sorted({*known.needs, *needs})),
        }
    )
    if not needs and is_same_state(seen, known):
        return ()
    return (seen.then(HouseholdProfiled, needs_seen=tuple(sorted(needs)), needs_seen_at=seen_at if needs else None),)


def merged_enrolments(known: Sequence[Enrolment], newer: Sequence[Enrolment]) -> tuple[Enrolment, ...]:
    """One a programme and first day; the newer one knows the last day."""
    found = {(enrolment.programme, enrolment.since): enrolment for enrolment in (*known, *newer)}
    return tuple(found[key] for key in sorted(found))


def is_same_family(one: Family, other: Family) -> bool:
    """True when nothing that is kept differs."""
    return (one.household, one.profile, one.people, one.contact, one.reviews) == (
        other.household,
        other.profile,
        other.people,
        other.contact,
        other.reviews,
    )


def with_conflict(family: Family, codes: Sequence[str]) -> Decided:
    """An identity found on this household and on another; a person decides, meanwhile both keep their aid (rule 3)."""
    conflicts = tuple(sorted({*family.household.conflicts, *codes}))
    if conflicts == family.household.conflicts:
        return Decided(family)
    return changed(family, HouseholdUpdated, conflicts=conflicts)


def changed(family: Family, fact: type[HouseholdFact], **changes: Any) -> Decided:
    """The household with these changes, as a fact of this type."""
    stated = next_version(family.household, fact, family.household, **changes)
    return Decided(replace(family, household=stated), (stated,))


def nik_status(people_now: Sequence[Person]) -> str:
    """The head's; missing where nobody is known."""
    head = people.head_of(people_now)
    return head.nik_status if head is not None else "missing"


def rounded(latitude: float | None, longitude: float | None) -> Place | None:
    """The door as others may know it, about 110 m."""
    if latitude is None or longitude is None:
        return None
    return Place(latitude=round(latitude, PLACE_DECIMALS), longitude=round(longitude, PLACE_DECIMALS))


def local_date(now: datetime, policy: Policy) -> date:
    """Today in the regency."""
    return _local_date(now, policy.zone)


@lru_cache(16)
def _local_date(now: datetime, zone: ZoneInfo) -> date:
    """All messages of a batch are decided at one time."""
    return now.astimezone(zone).date()


def _pictured(family: Family, picture: Picture) -> Family:
    household = family.household
    if picture.provisional:  # a neighbour knows the house, not the card
        people_now = family.people or people.with_head(picture.people)
        residents = picture.residents
    else:
        people_now = people.seen_again(family.people, picture.people)
        residents = len(people.members(people_now))
    after = household.model_copy(
        update={
            "provisional": household.provisional and picture.provisional,
            "district": picture.village[:8],
            "village": picture.village,
            "place": picture.place or household.place,
            "residents": residents,
            "nik_status": nik_status(people_now),
        }
    )
    return replace(
        family,
        household=after,
        people=people_now,
        contact=people.newer_contact(family.contact, picture.contact),
        pictured_at=family.pictured_at if picture.provisional else picture.taken_at,
        card=picture.card if picture.card.own is not None else family.card,
    )


def _newer_decile(family: Family, picture: Picture) -> dict[str, Any]:
    """Periods compare as text (`2026-q3` before `2026-q4`): an older one never overrides a newer one (rule 4).

    Nor does, of one period, the older statement.
    """
    known = (family.household.decile_period or "", family.decile_stated_at)
    if picture.decile is None or (picture.decile_period or "", picture.taken_at) < known:
        return {}
    return {"decile": picture.decile, "decile_period": picture.decile_period}


def _finished(
    family: Family, listed: Listed, profile_facts: Sequence[HouseholdProfiled], around: Surroundings
) -> Decided:
    if around.houses_contributing_carer:
        listed = eligibility.re_verified(listed)
    after = replace(
        family,
        household=listed.household,
        reviews=listed.reviews,
        profile=profile_facts[-1] if profile_facts else family.profile,
    )
    return Decided(after, (*listed.facts, *profile_facts))
