"""One batch, one transaction: inbox, waves of handlers, outbox, parked, quarantine. All of it commits, or nothing."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from contracts.events import Fact
from contracts.refusals import RefusalCode
from contracts.submissions import MAX_DAYS_LATE, MAX_MINUTES_AHEAD, Submission
from contracts.topics import topic_of
from messaging.clock import deciding_time
from messaging.database import ACQUIRE_SECONDS, Connection, Pool
from messaging.errors import HandlerError
from messaging.failpoints import failpoint
from messaging.inbox import Claim, Claiming, Taken, save_outcomes
from messaging.messages import Accepted, Answer, Card, Handlers, Outcome, Parked, Received, Refused, Unchanged
from messaging.outbox import Outgoing, from_message, from_refusal, insert_outgoing
from messaging.parked import (
    Waiting,
    are_any_parked,
    delete_parked,
    insert_parked,
    list_parked_subjects,
    save_parked_again,
    wake_parked,
)
from messaging.quarantine import Breaker, Failed, Seal, insert_quarantined
from messaging.reading import Bad, Good, Message, Quarantined, Reading, failed
from messaging.requested import settle_requested

_AHEAD: Final = timedelta(minutes=MAX_MINUTES_AHEAD)
_LATE: Final = timedelta(days=MAX_DAYS_LATE)
_ACCEPTED: Final = Answer("accepted")


@dataclass(frozen=True, slots=True)
class Context:
    """What deciding a batch needs to know of its service."""

    card: Card
    handlers: Handlers
    pool: Pool
    seal: Seal
    breaker: Breaker
    development: bool
    arrived: Callable[[Collection[Message]], None]
    """Told after the commit which types were in it: wakes jobs."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Parked behind an earlier submission of the same subject."""


Fate: TypeAlias = Outcome | Quarantined | Behind


class Decision(NamedTuple):
    """What becomes of one message."""

    taken: Taken
    fate: Fate
    answer: Answer
    """The decision as inbox and sender see it."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A finished transaction: an answer for each reading it claimed or knew, and what it decided itself."""

    answers: list[Answer]
    decisions: list[Decision]


async def commit(context: Context, readings: Sequence[Reading], claim: Claiming) -> Committed:
    """Decide these messages in one transaction."""
    async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction():
        now = await deciding_time(db, development=context.development)
        claimed = await claim(db, readings, now)
        decisions = await _decide(context, db, claimed, now)
        if len(decisions) != len(claimed.taken):
            raise HandlerError("A message has no handler.")
        await _store(context, db, decisions, claimed)
        failpoint("before_commit")
    failpoint("after_commit")
    context.arrived({type(one.taken.reading.data) for one in decisions if isinstance(one.taken.reading, Good)})
    answers = claimed.stored | {one.taken.reading.message_id: one.answer for one in decisions}
    return Committed([answers[message_id] for message_id in claimed.ids], decisions)


async def _decide(context: Context, db: Connection, claimed: Claim, now: datetime) -> list[Decision]:
    fates: dict[UUID, Fate] = {}
    goods: list[tuple[Taken, Good]] = []
    latest, earliest = now + _AHEAD, now - _LATE
    for taken in claimed.taken:
        reading = taken.reading
        if isinstance(reading, Bad):
            fates[reading.message_id] = reading.outcome
        elif (happened_at := _happened_at(reading)) is not None and happened_at > latest:
            fates[reading.message_id] = Refused(RefusalCode.IN_THE_FUTURE, "happened_at")
        elif happened_at is not None and happened_at < earliest:
            fates[reading.message_id] = Refused(RefusalCode.TOO_OLD, "happened_at")
        else:
            goods.append((taken, reading))
    subjects = {good.envelope.subject for _, good in goods if good.record.is_submission}
    waiting = await list_parked_subjects(db, subjects) if subjects and not claimed.parked else set()
    for wave in _waves(goods):
        for message_type, handler in context.handlers.items():
            group = [one for one in wave.get(message_type, ()) if not _goes_behind(one[1], waiting, fates)]
            if group:
                outcomes = await handler([_received(taken, good, now) for taken, good in group], db)
                _check(message_type, outcomes)
                for (_, good), fate in zip(group, outcomes, strict=True):  # another number of outcomes is a bug
                    fates[good.message_id] = fate
                    if isinstance(fate, Parked):
                        waiting.add(good.envelope.subject)
    # In the order they were decided, not in which they came: the versions of an aggregate that handlers of two types
    # have touched must be published in the order in which they were made.
    taken_by_id = {taken.reading.message_id: taken for taken in claimed.taken}
    return [Decision(taken_by_id[message_id], fate, _answer(fate)) for message_id, fate in fates.items()]


def _happened_at(good: Good) -> datetime | None:
    return good.data.happened_at if isinstance(good.data, Submission) else None


def _answer(fate: Fate) -> Answer:
    match fate:
        case Accepted(code=code):
            return _ACCEPTED if code is None else Answer("accepted", code)
        case Unchanged(code):
            return Answer("unchanged", code)
        case Refused(code, field):
            return Answer("refused", code, field)
        case Quarantined():
            return Answer("quarantined", RefusalCode.QUARANTINED)
        case Parked() | Behind():
            return Answer("parked")


def _waves(goods: Iterable[tuple[Taken, Good]]) -> list[dict[Message, list[tuple[Taken, Good]]]]:
    """A (topic, subject)'s k-th message is in wave k: one subject's order is kept, and no handler sees it twice."""
    waves: list[dict[Message, list[tuple[Taken, Good]]]] = []
    depths: dict[tuple[str, str], int] = defaultdict(int)
    for taken, good in goods:
        place = (good.record.topic, good.envelope.subject)
        depth = depths[place]
        depths[place] = depth + 1
        if depth == len(waves):
            waves.append(defaultdict(list))
        waves[depth][type(good.data)].append((taken, good))
    return waves


def _goes_behind(good: Good, waiting: set[str], fates: dict[UUID, Fate]) -> bool:
    if waiting and good.record.is_submission and good.envelope.subject in waiting:
        fates[good.message_id] = Behind()
        return True
    return False


def _received(taken: Taken, good: Good, now: datetime) -> Received[Fact | Submission]:
    envelope = good.envelope
    return Received(
        envelope.id,
        envelope.source,
        envelope.subject,
        envelope.regency,
        envelope.correlationid,
        envelope.causationid,
        good.data,
        taken.received_at,
        now,
    )


def _check(message_type: Message, outcomes: Sequence[Outcome]) -> None:
    if issubclass(message_type, Fact) and any(isinstance(outcome, Refused | Parked) for outcome in outcomes):
        raise HandlerError(f"A handler refused or parked the fact {message_type.type}.")


async def _store(context: Context, db: Connection, decisions: Sequence[Decision], claimed: Claim) -> None:
    outgoing = _outgoing(context.card.name, decisions, claimed)
    await insert_outgoing(db, outgoing)
    await insert_quarantined(db, context.seal, list(_quarantined(decisions)))
    if claimed.quarantined:
        await settle_requested(db, claimed.ids)
    waiting = list(_waiting(decisions))
    if claimed.parked:
        await save_parked_again(db, waiting)
        still = {one.taken.reading.message_id for one in waiting}
        await delete_parked(db, [message_id for message_id in claimed.ids if message_id not in still])
    else:
        await insert_parked(db, context.seal, waiting)
    await save_outcomes(
        db,
        [(one.taken.reading.message_id, one.answer) for one in decisions if claimed.again or _is_worth_saving(one)],
    )
    arrived = (one.taken.reading.data for one in decisions if isinstance(one.taken.reading, Good))
    await wake(db, chain(arrived, (one.event for one in outgoing)))


def _outgoing(service: str, decisions: Sequence[Decision], claimed: Claim) -> list[Outgoing]:
    """The facts of accepted messages; and refusals, unless an HTTP answer carries them or they were told before."""
    outgoing = []
    for one in decisions:
        reading = one.taken.reading
        if isinstance(one.fate, Accepted) and isinstance(reading, Good):
            outgoing += [from_message(event, reading.message_id, reading.envelope) for event in one.fate.events]
        elif isinstance(one.fate, Refused | Quarantined) and (claimed.again or reading.record.partition is not None):
            if claimed.quarantined and isinstance(one.fate, Quarantined):
                continue
            refused = one.fate if isinstance(one.fate, Refused) else Refused(RefusalCode.QUARANTINED)
            if (sender := failed(reading, refused).sender) is not None:
                outgoing.append(from_refusal(service, reading.message_id, sender, refused))
    return outgoing


def _quarantined(decisions: Sequence[Decision]) -> Iterable[Failed]:
    for one in decisions:
        if isinstance(one.fate, Quarantined) and isinstance(one.taken.reading, Bad):
            yield Failed(one.taken.reading, one.fate, one.taken.received_at)


def _waiting(decisions: Sequence[Decision]) -> Iterable[Waiting]:
    for one in decisions:
        if isinstance(one.fate, Parked | Behind) and isinstance(one.taken.reading, Good):
            waits_for = one.fate.waits_for if isinstance(one.fate, Parked) else None
            envelope = one.taken.reading.envelope
            yield Waiting(one.taken, envelope.type, envelope.subject, waits_for)


def _is_worth_saving(decision: Decision) -> bool:
    """Accepted is what the inbox row says already; whether a fact changed anything is asked by nobody."""
    is_fact = not decision.taken.reading.record.is_submission
    return decision.answer is not _ACCEPTED and not (is_fact and isinstance(decision.fate, Unchanged))


async def wake(db: Connection, arrived: Iterable[Fact | Submission]) -> None:
    """Wake what is parked for the key or the aggregate of one of the facts among these."""
    if await are_any_parked(db):
        facts = [one for one in arrived if isinstance(one, Fact)]
        ids = {fact.aggregate_id for fact in facts} | {key for fact in facts if (key := _key(fact)) is not None}
        await wake_parked(db, ids)


def _key(fact: Fact) -> UUID | None:
    key = getattr(fact, topic_of(type(fact)).key)
    return key if isinstance(key, UUID) else None
