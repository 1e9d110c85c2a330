"""Small rows that the register keeps beside its aggregates, and what a call asks of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import Enrolment
from services.registry.people import KeyedHash


@dataclass(frozen=True, slots=True)
class DatedDecile:
    """What a source said of a household's decile for a period; history is kept (rule 4)."""

    household_id: UUID
    period: str
    source: str
    decile: int
    stated_at: datetime
    """When it was so, as the source says."""


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """Aid received, under the keyed hash of a family card that may not be known yet (rule 26)."""

    card_key: KeyedHash
    enrolment: Enrolment
    stated_at: datetime
    """When it was so, as its sender says."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A programme of a household under review; `decision` null while it is open."""

    household_id: UUID
    programme: str
    reason: str
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """An identity found twice that a person must decide; both ids are equal where it is twice on one card."""

    household_id: UUID
    other_household_id: UUID
    code: str
    district: str
    """Of the first household."""
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which households a call must have before it can decide."""

    household_ids: Collection[UUID] = ()
    keys: Collection[KeyedHash] = ()
    """Hashes of source rows, family cards, doors."""
    nik_keys: Collection[KeyedHash] = ()
    cards: Collection[KeyedHash] = ()
    """Family cards under which aid may have been entered."""
    ties: Collection[KeyedHash] = ()
    """Hashes by which carers find a household of their own or of a relative."""
