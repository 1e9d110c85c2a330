"""Carers: who can be one (rule 7), whom they must not look after (rule 8). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from contracts.events import Carer, CarerLeft, CarerRegistered, CarerUpdated
from contracts.refusals import RefusalCode
from contracts.submissions import CarerSubmitted
from contracts.vocabulary import DutyStatus, Employment, Place
from policies import Policy
from services.registry.domain import Family, rounded
from services.registry.eligibility import is_eligible
from services.registry.identity import nip_fits
from services.registry.people import Identity, KeyedHash
from services.registry.versions import is_same_state

ACTIVE: Final = "active"
LEFT: Final = "left"
PART_TIME: Final = "part_time"

CarerFact = TypeVar("CarerFact", bound=Carer)


@dataclass(frozen=True, slots=True)
class Secret:
    """Who a carer is; leaves memory only sealed."""

    identity: Identity
    nip: str | None
    phone: str | None
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Colleague:
    """Everything the registry keeps of one carer."""

    carer: Carer
    secret: Secret
    ties: frozenset[KeyedHash]
    """Keyed hashes of what a household of theirs or of a relative is found by."""
    stated_at: datetime
    """When the newest row of them was so, as its sender says."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a staff file or of a partner's member list."""

    new_id: UUID
    """Taken when the carer turns out to be new."""
    keys: tuple[KeyedHash, ...]
    """What the carer is recognised by, in the order in which they decide: source row, NIP, a NIK that fits the sex."""
    own_card: KeyedHash | None
    nik_key: KeyedHash | None
    relatives_cards: tuple[KeyedHash, ...]
    """Hashes under which households are registered: the carer's own card and valid NIK, the relatives' cards."""
    ties: frozenset[KeyedHash]
    """Hashes under which later ones will find the carer."""
    submitted: CarerSubmitted
    home: Place | None
    secret: Secret


@dataclass(frozen=True, slots=True)
class Kin:
    """The households of the register that belong to a carer or to relatives."""

    own: tuple[Family, ...]
    relatives: tuple[UUID, ...]

    @property
    def household_ids(self) -> tuple[UUID, ...]:
        """All of them, undivided."""
        return tuple(sorted({*self.relatives, *(family.household.household_id for family in self.own)}))

    @property
    def is_poor(self) -> bool:
        """A household of the carer's own is eligible."""
        return any(is_eligible(family.household) for family in self.own)


def may_be(known: Colleague, row: Row) -> bool:
    """Whether the same NIK can be the same person's: birth dates agree, and no other NIP is said."""
    mine, theirs = known.secret, row.secret
    return mine.identity.birth_date == theirs.identity.birth_date and (
        mine.nip is None or theirs.nip is None or mine.nip == theirs.nip
    )


def why_not(row: CarerSubmitted) -> str | None:
    """Why somebody cannot be a carer, or None."""
    if row.employment is Employment.PPPK_PART_TIME:
        return PART_TIME
    return None if row.duty_status is DutyStatus.ACTIVE else row.duty_status.value


def wrong_field(row: CarerSubmitted) -> tuple[RefusalCode, str] | None:
    """What a row must not say, whoever it is about. Civil servants have a NIP, partner members need none."""
    if row.nip is None and row.employment is not Employment.PARTNER:
        return RefusalCode.NIP_INVALID, "nip"
    if row.nip is not None and not nip_fits(row.nip, row.birth_date, row.sex):
        return RefusalCode.NIP_INVALID, "nip"
    return None


def not_a_carer(row: CarerSubmitted) -> tuple[RefusalCode, str]:
    """The refusal of somebody who is not known and cannot be a carer."""
    part_time = row.employment is Employment.PPPK_PART_TIME
    return RefusalCode.NOT_A_CARER, "employment" if part_time else "duty_status"


def register(row: Row, kin: Kin, policy: Policy, now: datetime) -> Colleague:
    """A carer met for the first time. Who is poor too may visit and owes nothing; the reason is said nowhere."""
    submitted = row.submitted
    registered = CarerRegistered(
        version=1,
        carer_id=row.new_id,
        status=ACTIVE,
        employment=submitted.employment,
        office_id=submitted.office_id,
        competences=submitted.competences,
        capacity=policy.carers.capacity,
        home=row.home,
        workplace=submitted.workplace,
        conflict_household_ids=kin.household_ids,
        contributes=not kin.is_poor,
        registered_at=now,
    )
    return Colleague(registered, row.secret, row.ties, submitted.happened_at)


def update(known: Colleague, row: Row, kin: Kin, policy: Policy) -> Colleague:
    """A newer row of a known carer; also the return of one who left. Conflicts are added, never forgotten."""
    submitted, before = row.submitted, known.carer
    after = before.model_copy(
        update={
            "status": ACTIVE,
            "employment": submitted.employment.value,
            "office_id": submitted.office_id,
            "competences": tuple(competence.value for competence in submitted.competences),
            "capacity": policy.carers.capacity,
            "home": row.home or before.home,
            "workplace": submitted.workplace or before.workplace,
            "conflict_household_ids": tuple(sorted({*before.conflict_household_ids, *kin.household_ids})),
            "contributes": not kin.is_poor,
        }
    )
    kept = replace(
        known,
        secret=_newer_secret(known.secret, row.secret),
        ties=known.ties | row.ties,
        stated_at=submitted.happened_at,
    )
    return kept if is_same_state(after, before) else replace(kept, carer=_next(before, CarerUpdated, after))


def update_from_older(known: Colleague, row: Row, kin: Kin) -> Colleague:
    """An older row undoes nothing; who are relatives is kept in whatever order the rows come (rule 8)."""
    carer = tied(known.carer, kin.household_ids, contributes=known.carer.contributes)
    return replace(known, carer=carer, ties=known.ties | row.ties)


def leave(known: Colleague, row: Row, reason: str) -> Colleague:
    """Nobody new from now on; responsible until each hand-over commits (rule 11)."""
    known = replace(known, stated_at=row.submitted.happened_at)
    if known.carer.status == LEFT:
        return known
    return replace(known, carer=_next(known.carer, CarerLeft, known.carer, status=LEFT, reason=reason))


def tied(carer: Carer, household_ids: Iterable[UUID], *, contributes: bool) -> Carer:
    """The carer after something about a household of theirs or a relative's changed; the same when nothing did."""
    after = carer.model_copy(
        update={
            "conflict_household_ids": tuple(sorted({*carer.conflict_household_ids, *household_ids})),
            "contributes": contributes,
        }
    )
    return carer if is_same_state(after, carer) else _next(carer, CarerUpdated, after)


def home_of(row: CarerSubmitted) -> Place | None:
    """The home as others may know it."""
    return rounded(row.home.latitude, row.home.longitude) if row.home else None


def _next(before: Carer, fact: type[CarerFact], after: Carer, **changes: Any) -> CarerFact:
    return after.then(fact, **changes | {"version": before.version + 1})


def _newer_secret(known: Secret, seen: Secret) -> Secret:
    has_place = seen.latitude is not None
    return Secret(
        identity=Identity(
            name=seen.identity.name, nik=seen.identity.nik or known.identity.nik, birth_date=seen.identity.birth_date
        ),
        nip=seen.nip or known.nip,
        phone=seen.phone or known.phone,
        latitude=seen.latitude if has_place else known.latitude,
        longitude=seen.longitude if has_place else known.longitude,
    )
