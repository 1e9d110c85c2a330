"""What assignment does for partners' promises (rule 12)."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from contracts.events import HouseholdPledged
from contracts.refusals import RefusalCode
from contracts.submissions import PledgeConfirmationSubmitted, PledgeSubmitted
from messaging import Accepted, Connection, Outcome, Parked, Received, Refused, Unchanged
from policies import Policies
from services.assignment import pledge_store, pledges, register_store
from services.assignment.domain import KnownHousehold
from services.assignment.pledges import Promise, Refusal


async def on_pledge_submitted(
    messages: Sequence[Received[PledgeSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """One after the other: what the first promises is taken when the second is looked at."""
    await pledge_store.lock_promises(db)
    known = await pledge_store.get_promises(db, [message.data.promise_id for message in messages])
    return [await _promise(message, known.get(message.data.promise_id), db, policies) for message in messages]


async def on_pledge_confirmation_submitted(
    messages: Sequence[Received[PledgeConfirmationSubmitted]], db: Connection
) -> list[Outcome]:
    """All of a promise is confirmed. One that is not known is refused, not parked: the promise itself has the same
    subject and would queue behind it."""
    promise_ids = [message.data.promise_id for message in messages]
    promises = await pledge_store.get_promises(db, promise_ids)
    promised = await pledge_store.lock_promised(db, promise_ids)
    outcomes: list[Outcome] = []
    confirmed: list[HouseholdPledged] = []
    for message in messages:
        promise = promises.get(message.data.promise_id)
        if promise is None:
            outcomes.append(Refused(RefusalCode.UNKNOWN_PLEDGE, "promise_id"))
        elif promise.regency != message.regency:
            outcomes.append(Refused(RefusalCode.WRONG_REGENCY, "promise_id"))
        elif promise.giver_id != message.data.giver_id:
            outcomes.append(Refused(RefusalCode.NOT_THE_GIVER, "giver_id"))
        else:
            facts = pledges.confirm(promised[promise.promise_id], message.received_at)
            if isinstance(facts, RefusalCode):
                outcomes.append(Refused(facts, "promise_id"))
            else:
                confirmed += facts
                outcomes.append(Accepted(facts) if facts else Unchanged())
    await pledge_store.save_pledges(db, confirmed)
    return outcomes


async def _promise(
    message: Received[PledgeSubmitted], known: Promise | None, db: Connection, policies: Policies
) -> Outcome:
    policy, submission = policies[message.regency], message.data
    promise = pledges.promise_of(submission, message.regency)
    if known is not None:
        return Unchanged() if known == promise else Refused(RefusalCode.ALREADY_EXISTS, "promise_id")
    if (wrong := pledges.misfit(submission, policy)) is not None:
        return Refused(wrong.code, wrong.field)
    households = await _households(submission, db)
    if isinstance(households, UUID):
        return Parked(households)
    if any(household.regency != message.regency for household in households):
        return Refused(RefusalCode.WRONG_REGENCY, "household_ids" if submission.village is None else "village")
    promised = await pledge_store.list_promised(db, [household.household_id for household in households])
    chosen = pledges.choose(submission, households, promised)
    if isinstance(chosen, Refusal):
        return Refused(chosen.code, chosen.field)
    lapses_at = message.received_at + timedelta(hours=policy.pledges.lapse_hours)
    facts = tuple(pledges.pledge(promise, household_id, uuid4(), lapses_at) for household_id in chosen)
    await pledge_store.insert_promises(db, [promise])
    await pledge_store.insert_pledges(db, facts, message.regency)
    return Accepted(facts)


async def _households(submission: PledgeSubmitted, db: Connection) -> list[KnownHousehold] | UUID:
    """Those a promise is about, or the first named one that is not known yet."""
    if submission.village is not None:
        return await pledge_store.list_households_of(db, [submission.village])
    known = await register_store.get_households(db, submission.household_ids)
    missing = [household_id for household_id in submission.household_ids if household_id not in known]
    return missing[0] if missing else list(known.values())
