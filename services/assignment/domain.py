"""Who looks after a household: what each fact changes, and what the match or a coordinator decides. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt
from typing import Final
from uuid import UUID

from contracts.events import (
    Assignment,
    AssignmentEnded,
    Carer,
    Choice,
    Household,
    HouseholdAssigned,
    HouseholdUnserved,
    Profile,
)
from contracts.submissions import HandAssignmentSubmitted
from contracts.vocabulary import Place
from policies import Policy

_EARTH_METRES: Final = 6_371_009  # mean radius


class Wait(StrEnum):
    """Why the next match looks at a household."""

    NEW = "new"
    CARER_LEFT = "carer_left"
    CONFLICT = "conflict"
    OVER_CAPACITY = "over_capacity"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    """What is kept of the registry's newest fact about a household."""

    household_id: UUID
    version: int
    regency: str
    status: str
    programmes: tuple[str, ...]
    district: str
    village: str
    place: Place | None

    @property
    def is_served(self) -> bool:
        """A household is to have a carer while it is registered and may have any programme (rule 9)."""
        return self.status == "registered" and bool(self.programmes)


@dataclass(frozen=True, slots=True)
class KnownCarer:
    """What is kept of the registry's newest fact about a carer."""

    carer_id: UUID
    version: int
    regency: str
    status: str
    office_id: str
    capacity: int
    competences: tuple[str, ...]
    home: Place | None
    workplace: Place | None
    conflicts: tuple[UUID, ...]
    left_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Only these are given households."""
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Row:
    """A household's assignment: what was last said of it, and whether the next match has to look at it."""

    household_id: UUID
    assignment_id: UUID
    regency: str
    state: Assignment | None = None
    waiting_for: Wait | None = None
    served_since: datetime | None = None
    """With one carer or another, without a gap."""
    carer_since: datetime | None = None

    @property
    def carer_id(self) -> UUID | None:
        """Who is responsible now."""
        return self.state.carer_id if self.state else None


@dataclass(frozen=True, slots=True)
class Tenure:
    """That somebody looked after a household, until when, and why no longer."""

    household_id: UUID
    carer_id: UUID
    since: datetime
    until: datetime
    next_carer_id: UUID | None
    reason: str


def known_household(fact: Household, regency: str) -> KnownHousehold:
    """What assignment keeps of a household fact."""
    return KnownHousehold(
        household_id=fact.household_id,
        version=fact.version,
        regency=regency,
        status=fact.status,
        programmes=tuple(eligibility.programme for eligibility in fact.eligibilities),
        district=fact.district,
        village=fact.village,
        place=fact.place,
    )


def known_carer(fact: Carer, regency: str, before: KnownCarer | None, now: datetime) -> KnownCarer:
    """What assignment keeps of a carer fact."""
    left_at = None if fact.status == "active" else (before and before.left_at) or now
    return KnownCarer(
        carer_id=fact.carer_id,
        version=fact.version,
        regency=regency,
        status=fact.status,
        office_id=fact.office_id,
        capacity=fact.capacity,
        competences=fact.competences,
        home=fact.home,
        workplace=fact.workplace,
        conflicts=fact.conflict_household_ids,
        left_at=left_at,
    )


def wanted_competences(profile: Profile, policy: Policy, today: date) -> tuple[str, ...]:
    """Competences that fit a need, known as such or from routine aid that is given for it (rule 10)."""
    aid = {one.programme for one in profile.enrolments if one.since <= today and (one.until or today) >= today}
    found = {
        rule.competence.value
        for rule in policy.needs
        if rule.competence and (rule.need in profile.needs or not aid.isdisjoint(rule.met_by))
    }
    return tuple(sorted(found))


def follow_household(row: Row, before: KnownHousehold | None, after: KnownHousehold, now: datetime) -> Row:
    """The assignment after a household fact.

    A move to another village lets the next match weigh whether the present carer is still the right one.
    """
    if not after.is_served:
        return _end(row, after, now)
    if row.carer_id is None:
        return replace(row, waiting_for=row.waiting_for or Wait.NEW)
    if before is not None and before.village != after.village:
        return replace(row, waiting_for=row.waiting_for or Wait.MOVED)
    return row


def follow_carer(row: Row, before: KnownCarer | None, after: KnownCarer, held: int) -> Row:
    """The assignment after a fact about its carer, who holds `held` households. Nobody is let go here (rule 11)."""
    why = None
    if row.household_id in after.conflicts or row.waiting_for is Wait.CONFLICT:
        why = Wait.CONFLICT
    elif not after.is_active:
        why = Wait.CARER_LEFT
    elif before is not None and after.capacity < min(before.capacity, held):
        why = Wait.OVER_CAPACITY
    return replace(row, waiting_for=why or row.waiting_for)


def assign(row: Row, household: KnownHousehold, carer_id: UUID, choice: Choice, now: datetime) -> Row:
    """Give the household to this carer; whoever had it hands it over by the same fact."""
    fact = HouseholdAssigned(
        version=_next_version(row),
        assignment_id=row.assignment_id,
        household_id=row.household_id,
        district=household.district,
        village=household.village,
        carer_id=carer_id,
        since=now,
        previous_carer_id=row.carer_id if row.carer_id != carer_id else None,
        choice=choice,
    )
    return _say(row, fact, now)


def keep(row: Row) -> Row:
    """The match left the household where it is."""
    return replace(row, waiting_for=None)


def has_to_be_said(row: Row, carer_id: UUID) -> bool:
    """False when the match chose the present carer and the last fact still tells the truth."""
    return row.carer_id != carer_id or row.waiting_for is Wait.MOVED or not isinstance(row.state, HouseholdAssigned)


def leave_unserved(row: Row, household: KnownHousehold, reason: str, now: datetime) -> Row:
    """Nobody could be given it. One who has left stays named and responsible (rule 11), one in conflict does not.

    Said once: the same reason again changes nothing.
    """
    if row.waiting_for in (Wait.MOVED, Wait.OVER_CAPACITY):
        return keep(row)
    responsible = row.carer_id if row.waiting_for is Wait.CARER_LEFT else None
    said = row.state
    if isinstance(said, HouseholdUnserved) and (said.reason, said.carer_id) == (reason, responsible):
        return row
    fact = HouseholdUnserved(
        version=_next_version(row),
        assignment_id=row.assignment_id,
        household_id=row.household_id,
        district=household.district,
        village=household.village,
        carer_id=responsible,
        since=now,
        reason=reason,
    )
    return replace(_say(row, fact, now), waiting_for=row.waiting_for)


def closed_tenure(before: Row, after: Row, reason: str, now: datetime) -> Tenure | None:
    """The time somebody looked after the household, when that ended."""
    if before.carer_id is None or before.carer_since is None or before.carer_id == after.carer_id:
        return None
    return Tenure(before.household_id, before.carer_id, before.carer_since, now, after.carer_id, reason)


def competence_fits(wanted: Iterable[str], competences: Collection[str]) -> bool:
    """Whether a carer knows by profession what a need of the household asks for; which one is for nobody to read."""
    return any(competence in competences for competence in wanted)


def by_hand(
    household: KnownHousehold, carer: KnownCarer, held: int, submission: HandAssignmentSubmitted, *, fits: bool
) -> Choice:
    """The choice of a coordinator."""
    return Choice(
        way="by_hand",
        metres=metres_between(household.place, carer),
        competence_fits=fits,
        load_before=held,
        nearest_not_chosen=None,
        by=submission.by,
        reason=submission.reason,
    )


def metres_between(door: Place | None, carer: KnownCarer) -> int | None:
    """Along a great circle, from the carer's nearer place; null when a place is missing."""
    places = [place for place in (carer.home, carer.workplace) if place is not None]
    return min(_metres(door, place) for place in places) if door and places else None


def _metres(one: Place, other: Place) -> int:
    north = radians(one.latitude - other.latitude)
    east = radians(one.longitude - other.longitude)
    angle = sin(north / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return round(2 * _EARTH_METRES * asin(sqrt(angle)))


def _end(row: Row, household: KnownHousehold, now: datetime) -> Row:
    if row.state is None or isinstance(row.state, AssignmentEnded):
        return replace(row, waiting_for=None)
    reasons = {"left": "household_left", "merged": "household_merged"}
    fact = AssignmentEnded(
        version=_next_version(row),
        assignment_id=row.assignment_id,
        household_id=row.household_id,
        district=household.district,
        village=household.village,
        carer_id=None,
        since=now,
        reason=reasons.get(household.status, "not_eligible"),
    )
    return _say(row, fact, now)


def _next_version(row: Row) -> int:
    return row.state.version + 1 if row.state else 1


def _say(row: Row, fact: Assignment, now: datetime) -> Row:
    if fact.carer_id is None:
        return replace(row, state=fact, waiting_for=None, served_since=None, carer_since=None)
    carer_since = row.carer_since if fact.carer_id == row.carer_id else now
    return replace(
        row, state=fact, waiting_for=None, served_since=row.served_since or now, carer_since=carer_since or now
    )
