"""Households: what makes two rows the same one, what changes, and which programmes follow from a decile. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from contracts.events import Eligibility, EligibilityGranted, Household, HouseholdRegistered, HouseholdUpdated
from contracts.vocabulary import EligibilityBasis, Place
from policies import Policy
from services.registry.identity import NikStatus


@dataclass(frozen=True, slots=True)
class Key:
    """Something a household is recognised by (rule 3); `hash` is keyed."""

    kind: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class DatedDecile:
    """What a source said of a household's decile for a period; history is kept (rule 4)."""

    household_id: UUID
    period: str
    source: str
    decile: int


@dataclass(frozen=True, slots=True)
class Row:
    """A family card as a source has it, without identity: what the rules look at."""

    new_id: UUID
    """Taken when the household turns out to be new."""
    keys: tuple[Key, ...]
    """In the order in which they decide: source row, family card, valid NIK of the head."""
    village: str
    place: Place | None
    residents: int
    nik_status: NikStatus
    decile: int | None
    decile_period: str | None


def register(row: Row, policy: Policy, now: datetime, today: date) -> tuple[Household, ...]:
    """The facts of a household met for the first time; the last one is its state."""
    registered = HouseholdRegistered(
        version=1,
        household_id=row.new_id,
        status="registered",
        provisional=False,
        district=row.village[:8],
        village=row.village,
        place=row.place,
        residents=row.residents,
        nik_status=row.nik_status,
        decile=row.decile,
        decile_period=row.decile_period,
        eligibilities=(),
        review_reason=None,
        conflicts=(),
        registered_at=now,
    )
    return (registered, *grant(registered, policy, today))


def update(household: Household, row: Row, policy: Policy, today: date) -> tuple[Household, ...]:
    """The facts of a newer picture of a known household; none when it says nothing new."""
    newer_decile = row.decile_period is not None and row.decile_period >= (household.decile_period or "")
    seen = household.model_copy(
        update={
            "district": row.village[:8],
            "village": row.village,
            "place": row.place or household.place,
            "residents": row.residents,
            "nik_status": row.nik_status,
            "decile": row.decile if newer_decile else household.decile,
            "decile_period": row.decile_period if newer_decile else household.decile_period,
        }
    )
    seen = seen.model_copy(update={"review_reason": _review_reason(seen, policy)})
    if seen == household:
        return ()
    updated = HouseholdUpdated(**dict(seen) | {"version": household.version + 1})
    return (updated, *grant(updated, policy, today))


def grant(household: Household, policy: Policy, today: date) -> tuple[Household, ...]:
    """The programmes that a household's decile gives it and that it does not have yet (rule 4)."""
    held = {eligibility.programme for eligibility in household.eligibilities}
    granted = tuple(
        Eligibility(programme=programme.code, basis=EligibilityBasis.DTSEN, rule_version=policy.version, since=today)
        for programme in policy.programmes
        if household.decile is not None and household.decile <= programme.max_decile and programme.code not in held
    )
    if not granted or household.provisional:
        return ()
    state = dict(household) | {
        "version": household.version + 1,
        "eligibilities": (*household.eligibilities, *granted),
        "programmes": tuple(eligibility.programme for eligibility in granted),
    }
    return (EligibilityGranted(**state),)


def _review_reason(household: Household, policy: Policy) -> str | None:
    """Leaving the decile never stops aid by itself: a person decides (rule 4)."""
    left = any(
        eligibility.basis == EligibilityBasis.DTSEN
        and household.decile is not None
        and household.decile > policy.programme[eligibility.programme].max_decile
        for eligibility in household.eligibilities
    )
    return "decile_left" if left else household.review_reason


def same_household(keys: Sequence[Key], known: dict[Key, UUID]) -> UUID | None:
    """The household one of these keys belongs to, the first key deciding."""
    return next((known[key] for key in keys if key in known), None)
