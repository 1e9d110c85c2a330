"""Rounds: opened with frozen recipients (rule 15), and what is done with a surplus (rule 19)."""

from collections.abc import Sequence
from typing import Final

from contracts.events import Round
from contracts.refusals import RefusalCode
from contracts.submissions import RoundSubmitted, SurplusDecisionSubmitted
from messaging import Accepted, Connection, Outcome, Parked, Received, Refused, Unchanged
from policies import Policies
from services.distribution import register_store, rounds, store

_STILL_COMING: Final = 100  # household facts in 3 seconds: a file or a backlog, not a day's changes


async def on_round_submitted(
    messages: Sequence[Received[RoundSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """Freeze who may have it as known now.

    While the register is still coming in (a file, a backlog after an absence, nothing at all yet) the submission is
    parked: a list frozen half would never be mended.
    """
    await store.lock_opening(db)
    return [await _open(message, db, policies) for message in messages]


async def _open(message: Received[RoundSubmitted], db: Connection, policies: Policies) -> Outcome:
    wanted, policy = message.data, policies[message.regency]
    if (refusal := rounds.refuse_round(wanted, policy)) is not None:
        return Refused(*refusal)
    known = await store.get_rounds(db, [wanted.round_id])
    if wanted.round_id in known:
        return _known_already(wanted, known[wanted.round_id].round)
    if await store.find_round(db, message.regency, wanted.programme, wanted.period) is not None:
        return Refused(RefusalCode.ALREADY_EXISTS, "period")
    if not await register_store.is_register_settled(db, message.regency, _STILL_COMING):
        return Parked(wanted.round_id)
    programme = policy.programme[wanted.programme]
    frozen = await store.freeze_recipients(
        db, wanted.round_id, message.regency, wanted.programme, programme.excluded_by
    )
    opened = rounds.open_round(wanted, policy, message.decided_at, frozen)
    await store.save_round(db, message.regency, opened)
    return Accepted((opened,))


def _known_already(wanted: RoundSubmitted, known: Round) -> Outcome:
    is_same = all(
        getattr(wanted, name) == getattr(known, name)
        for name in ("programme", "period", "opens_on", "closes_on", "decree")
    )
    return Unchanged() if is_same else Refused(RefusalCode.ALREADY_EXISTS, "round_id")


async def on_surplus_decision_submitted(
    messages: Sequence[Received[SurplusDecisionSubmitted]], db: Connection
) -> list[Outcome]:
    """Goods that are left go to named households, which become additions, or are kept."""
    known = await store.get_rounds(db, [message.data.round_id for message in messages])
    wanted = [household_id for message in messages for household_id in message.data.household_ids]
    registered = await register_store.find_registered(db, wanted)
    outcomes: list[Outcome] = []
    for message in messages:
        decision = message.data
        unknown = next((one for one in decision.household_ids if one not in registered), None)
        if decision.round_id not in known:
            outcomes.append(Parked(decision.round_id))
        elif known[decision.round_id].round.status != "open":
            outcomes.append(Refused(RefusalCode.ROUND_CLOSED, "round_id"))
        elif (decision.use == "candidates") != bool(decision.household_ids):
            outcomes.append(Refused(RefusalCode.INVALID_FIELD, "household_ids"))
        elif unknown is not None:
            outcomes.append(Parked(unknown))
        elif not all(registered[one] for one in decision.household_ids):
            outcomes.append(Refused(RefusalCode.HOUSEHOLD_GONE, "household_ids"))
        else:
            await _decide_surplus(message, db)
            outcomes.append(Accepted())
    return outcomes


async def _decide_surplus(message: Received[SurplusDecisionSubmitted], db: Connection) -> None:
    decision = message.data
    await store.add_recipients(db, decision.round_id, decision.household_ids, decision.reason)
    await store.insert_surplus_decision(db, decision, message.decided_at)
