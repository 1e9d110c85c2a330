"""Rounds: opened with frozen recipients (rule 15), and what is done with a surplus (rule 19)."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from contracts.events import Round
from contracts.refusals import RefusalCode
from contracts.submissions import RoundSubmitted, SurplusDecisionSubmitted
from messaging import Accepted, Connection, Outcome, Parked, Received, Refused, Unchanged
from policies import Policies
from services.distribution import recipient_store, register_store, rounds, store
from services.distribution.register_store import KnownHousehold
from services.distribution.store import KnownRound

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
    if (before := known.get(wanted.round_id)) is not None:
        if before.regency != message.regency:
            return Refused(RefusalCode.WRONG_REGENCY, "round_id")
        return _known_already(wanted, before.round)
    if await store.find_round(db, message.regency, wanted.programme, wanted.period) is not None:
        return Refused(RefusalCode.ALREADY_EXISTS, "period")
    if not await register_store.is_register_settled(db, message.regency, _STILL_COMING):
        return Parked(wanted.round_id)
    programme = policy.programme[wanted.programme]
    frozen = await recipient_store.freeze_recipients(
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
    """Goods that are left go to named households, which become additions, or are kept.

    One household gets one package (rule 15): of those taken off the list, only who has had none may be named again.
    """
    known = await store.lock_rounds(db, {message.data.round_id for message in messages})
    wanted = [household_id for message in messages for household_id in message.data.household_ids]
    households = await register_store.get_households(db, wanted)
    pairs = [(message.data.round_id, one) for message in messages for one in message.data.household_ids]
    finished = await recipient_store.list_finished(db, pairs)
    outcomes: list[Outcome] = []
    for message in messages:
        outcome = _refuse_surplus(message, known.get(message.data.round_id), households)
        if outcome is None and any((message.data.round_id, one) in finished for one in message.data.household_ids):
            outcome = Refused(RefusalCode.WRONG_STATE, "household_ids")
        if outcome is None:
            await _decide_surplus(message, db)
        outcomes.append(outcome or Accepted())
    return outcomes


def _refuse_surplus(
    message: Received[SurplusDecisionSubmitted], known: KnownRound | None, households: Mapping[UUID, KnownHousehold]
) -> Parked | Refused | None:
    decision = message.data
    if known is None:
        return Parked(decision.round_id)
    if known.regency != message.regency:
        return Refused(RefusalCode.WRONG_REGENCY, "round_id")
    if known.round.status != "open":
        return Refused(RefusalCode.ROUND_CLOSED, "round_id")
    if (decision.use == "candidates") != bool(decision.household_ids):
        return Refused(RefusalCode.INVALID_FIELD, "household_ids")
    return _refuse_named(decision.household_ids, message.regency, households)


def _refuse_named(
    household_ids: Sequence[UUID], regency: str, households: Mapping[UUID, KnownHousehold]
) -> Parked | Refused | None:
    unknown = next((one for one in household_ids if one not in households), None)
    if unknown is not None:
        return Parked(unknown)
    named = [households[household_id] for household_id in household_ids]
    if any(household.regency != regency for household in named):
        return Refused(RefusalCode.WRONG_REGENCY, "household_ids")
    if not all(household.is_registered for household in named):
        return Refused(RefusalCode.HOUSEHOLD_GONE, "household_ids")
    return None


async def _decide_surplus(message: Received[SurplusDecisionSubmitted], db: Connection) -> None:
    decision = message.data
    await recipient_store.add_recipients(db, decision.round_id, decision.household_ids, decision.reason)
    await store.insert_surplus_decision(db, decision, message.decided_at)
