"""Promises of partners: one pledge for each household, one household promised once (rule 12). Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import HouseholdPledged, Pledge, PledgeLapsed
from contracts.refusals import RefusalCode
from contracts.submissions import PledgeSubmitted
from policies import Policy
from services.assignment.domain import KnownHousehold


@dataclass(frozen=True, slots=True)
class Promise:
    """What a partner promised; kept to recognise it when it comes again and when it is confirmed."""

    promise_id: UUID
    regency: str
    giver_id: str
    programme: str
    period: str
    village: str | None
    packages: int


@dataclass(frozen=True, slots=True)
class Promised:
    """A household's package that is promised already."""

    household_id: UUID
    programme: str
    period: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a promise is not taken, and the field that shows it."""

    code: RefusalCode
    field: str


def promise_of(submission: PledgeSubmitted, regency: str) -> Promise:
    """What is kept of the submission."""
    return Promise(
        submission.promise_id,
        regency,
        submission.giver_id,
        submission.programme,
        submission.period,
        submission.village,
        submission.packages,
    )


def misfit(submission: PledgeSubmitted, policy: Policy) -> Refusal | None:
    """What is wrong with a promise whoever it is for: a village or named households, and a period of the programme."""
    programme = policy.programme.get(submission.programme)
    if programme is None:
        return Refusal(RefusalCode.UNKNOWN_PROGRAMME, "programme")
    if (programme.period == "week") != ("w" in submission.period):
        return Refusal(RefusalCode.INVALID_FIELD, "period")
    if (submission.village is None) != bool(submission.household_ids):
        return Refusal(RefusalCode.INVALID_FIELD, "household_ids")
    if submission.household_ids and len(set(submission.household_ids)) != submission.packages:
        return Refusal(RefusalCode.INVALID_FIELD, "packages")
    return None


def choose(
    submission: PledgeSubmitted, households: Sequence[KnownHousehold], promised: Collection[Promised]
) -> tuple[UUID, ...] | Refusal:
    """The households of a promise: those named, or the first of the village that nobody has promised for.

    `households` are the named ones, or all of the village. A named household must be eligible for the programme.
    """
    free = [
        household
        for household in households
        if household.is_served
        and submission.programme in household.programmes
        and Promised(household.household_id, submission.programme, submission.period) not in promised
    ]
    if submission.village is not None:
        if len(free) < submission.packages:
            return Refusal(RefusalCode.NOT_ENOUGH_HOUSEHOLDS, "packages")
        chosen = sorted(household.household_id for household in free)
        return tuple(chosen[: submission.packages])
    if len(free) == len(households):
        return tuple(household.household_id for household in free)
    if any(household.status != "registered" for household in households):
        return Refusal(RefusalCode.HOUSEHOLD_GONE, "household_ids")
    if any(submission.programme not in household.programmes for household in households):
        return Refusal(RefusalCode.WRONG_STATE, "household_ids")
    return Refusal(RefusalCode.ALREADY_PLEDGED, "household_ids")


def pledge(promise: Promise, household_id: UUID, pledge_id: UUID, lapses_at: datetime) -> HouseholdPledged:
    """One household's part of a promise."""
    return HouseholdPledged(
        version=1,
        pledge_id=pledge_id,
        promise_id=promise.promise_id,
        household_id=household_id,
        giver_id=promise.giver_id,
        programme=promise.programme,
        period=promise.period,
        status="pledged",
        lapses_at=lapses_at,
    )


def confirm(pledges: Sequence[Pledge], now: datetime) -> tuple[HouseholdPledged, ...] | RefusalCode:
    """All that is open of a promise is confirmed at once; too late is too late, whether the job has been there or not.

    A pledge whose household has left stays lapsed and does not keep the others from being confirmed.
    """
    open_pledges = [one for one in pledges if one.status == "pledged"]
    if any(one.lapses_at <= now for one in open_pledges):
        return RefusalCode.PLEDGE_LAPSED
    if not open_pledges and not any(one.status == "confirmed" for one in pledges):
        return RefusalCode.PLEDGE_LAPSED
    return tuple(one.then(HouseholdPledged, status="confirmed") for one in open_pledges)


def lapse(one: Pledge, reason: str) -> PledgeLapsed:
    """It was not confirmed in time, or its household is served no more; the household can be promised again."""
    return one.then(PledgeLapsed, status="lapsed", reason=reason)
