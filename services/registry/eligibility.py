"""Which programmes a household may have, and when a person must look again (rule 4). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final

from contracts.events import Eligibility, EligibilityEnded, EligibilityGranted, Household, HouseholdUpdated
from contracts.vocabulary import EligibilityBasis
from policies import Policy
from services.registry.versions import next_version

DECILE_LEFT: Final = "decile_left"
RE_VERIFICATION: Final = "re_verification"  # says nothing about why: nobody but HR may know (rule 7)


@dataclass(frozen=True, slots=True)
class Listed:
    """A household after a decision about its programmes."""

    facts: tuple[Household, ...]
    household: Household
    reviews: Mapping[str, str]
    """Open reviews: programme to reason."""


def is_eligible(household: Household) -> bool:
    """True when it is served under at least one programme."""
    return household.status == "registered" and not household.provisional and bool(household.eligibilities)


def on_decile(listed: Listed, policy: Policy, today: date) -> Listed:
    """What a new decile gives is granted; what it would take waits for a person, and aid goes on meanwhile.

    A programme that a person ended comes back only with the next decile fact that gives it.
    """
    household = listed.household
    if household.provisional or household.decile is None:
        return listed
    held = {eligibility.programme for eligibility in household.eligibilities}
    left = {
        eligibility.programme: DECILE_LEFT
        for eligibility in household.eligibilities
        if eligibility.basis == EligibilityBasis.DTSEN
        and eligibility.programme in policy.programme
        and household.decile > policy.programme[eligibility.programme].max_decile
    }
    kept = {programme: reason for programme, reason in listed.reviews.items() if reason != DECILE_LEFT}
    gained = [
        programme.code
        for programme in policy.programmes
        if household.decile <= programme.max_decile and programme.code not in held
    ]
    if gained:
        granted = grant(household, gained, EligibilityBasis.DTSEN, policy, today)
        listed = Listed((*listed.facts, granted), granted, listed.reviews)
    return reviewed(listed, left | kept)


def grant(
    household: Household, programmes: list[str], basis: EligibilityBasis, policy: Policy, today: date
) -> EligibilityGranted:
    """The fact that these programmes were granted; who has one is no candidate any more."""
    new = (_eligibility(programme, basis, policy.version, today) for programme in programmes)
    return next_version(
        household,
        EligibilityGranted,
        household,
        eligibilities=(*household.eligibilities, *new),
        programmes=tuple(programmes),
        provisional=False,
    )


@lru_cache(maxsize=1_000)
def _eligibility(programme: str, basis: EligibilityBasis, rule_version: str, since: date) -> Eligibility:
    return Eligibility(programme=programme, basis=basis, rule_version=rule_version, since=since)


def re_verified(listed: Listed) -> Listed:
    """A carer lives here: all its programmes are looked at again (need table: "a carer on the list")."""
    if not is_eligible(listed.household):
        return listed
    wanted = {eligibility.programme: RE_VERIFICATION for eligibility in listed.household.eligibilities}
    return reviewed(listed, {**wanted, **listed.reviews})


def decide(listed: Listed, programme: str, decision: str, reason: str, policy: Policy) -> Listed | None:
    """What a person decided about one programme under review; None when there is nothing to decide.

    What is kept rests on that person's word from now on and not on a decile.
    """
    if programme not in listed.reviews:
        return None
    household = listed.household
    reviews = {code: why for code, why in listed.reviews.items() if code != programme}
    if decision == "end":
        left = tuple(held for held in household.eligibilities if held.programme != programme)
        ended = next_version(
            household, EligibilityEnded, household, eligibilities=left, programmes=(programme,), reason=reason
        )
        return reviewed(Listed((ended,), ended, listed.reviews), reviews)
    verified = {"basis": EligibilityBasis.LOCAL_VERIFIED.value, "rule_version": policy.version}
    kept = tuple(
        held.model_copy(update=verified) if held.programme == programme else held for held in household.eligibilities
    )
    updated = next_version(household, HouseholdUpdated, household, eligibilities=kept)
    return reviewed(Listed((updated,), updated, listed.reviews), reviews)


def reviewed(listed: Listed, reviews: Mapping[str, str]) -> Listed:
    """These reviews are open now; the newest fact says so, or one more does."""
    reason = reviews[min(reviews)] if reviews else None
    if reason == listed.household.review_reason:
        return replace(listed, reviews=reviews)
    if listed.facts:
        stated = listed.household.model_copy(update={"review_reason": reason})
        return Listed((*listed.facts[:-1], stated), stated, reviews)
    updated = next_version(listed.household, HouseholdUpdated, listed.household, review_reason=reason)
    return Listed((updated,), updated, reviews)
