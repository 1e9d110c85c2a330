"""Every message seen, once: who claims the row does the work, everyone else gets its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from contracts.refusals import RefusalCode
from messaging.database import Connection
from messaging.messages import Answer, Refused
from messaging.reading import Reading, digest, failed


class Taken(NamedTuple):
    """A message this transaction has to decide."""

    reading: Reading
    received_at: datetime
    """Deciding time of its first receipt."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Which messages are ours, and what is known of the others."""

    taken: list[Taken]
    ids: list[UUID]
    """For each reading, in order, under which id its answer is found."""
    stored: dict[UUID, Answer]
    parked: bool = False
    """They were parked before."""
    quarantined: bool = False
    """They were quarantined before, and an operator wants them tried again."""

    @property
    def again(self) -> bool:
        """Their rows exist already, with an outcome that may change now."""
        return self.parked or self.quarantined


class Claiming(Protocol):
    """How a transaction gets hold of messages: `claim_new`, `parked.claim_parked`, `requested.claim_requested`."""

    async def __call__(self, db: Connection, readings: Sequence[Reading], now: datetime) -> Claim: ...


async def claim_new(db: Connection, readings: Sequence[Reading], now: datetime) -> Claim:
    """Mark as seen what was not; the same id with other content becomes a refusal with an id of its own."""
    first: dict[UUID, Reading] = {}
    for reading in readings:
        first.setdefault(reading.message_id, reading)
    new = await _insert_seen(db, first)
    stored, contents = await _get_answers(db, [message_id for message_id in first if message_id not in new])
    taken = [Taken(reading, now) for message_id, reading in first.items() if message_id in new]
    ids: list[UUID] = []
    reused: dict[UUID, Reading] = {}
    for reading in readings:
        message_id = reading.message_id
        if reading.content != (first[message_id].content if message_id in new else contents[message_id]):
            message_id = _reused_id(reading)
            reused[message_id] = replace(failed(reading, Refused(RefusalCode.ID_REUSED, "id")), message_id=message_id)
        ids.append(message_id)
    if reused:
        second = await claim_new(db, list(reused.values()), now)
        return Claim(taken + second.taken, ids, stored | second.stored)
    return Claim(taken, ids, stored)


async def save_outcomes(db: Connection, answers: Sequence[tuple[UUID, Answer]]) -> None:
    """Write down what became of these messages; without this a claimed message counts as accepted."""
    if answers:
        await db.execute(
            """update inbox set outcome = new.outcome, code = new.code, field = new.field
               from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as new(message_id, outcome, code, field)
               where inbox.message_id = new.message_id""",
            [message_id for message_id, _ in answers],
            [answer.outcome for _, answer in answers],
            [answer.code for _, answer in answers],
            [answer.field for _, answer in answers],
        )


async def _insert_seen(db: Connection, readings: dict[UUID, Reading]) -> set[UUID]:
    ids = sorted(readings)  # two replicas with the same messages meet in the same order: no deadlock
    rows = await db.fetch(
        """insert into inbox (message_id, content) select * from unnest($1::uuid[], $2::uuid[])
           on conflict do nothing returning message_id""",
        ids,
        [readings[message_id].content for message_id in ids],
    )
    return {row[0] for row in rows}


async def _get_answers(
    db: Connection, message_ids: Sequence[UUID]
) -> tuple[dict[UUID, Answer], dict[UUID, UUID | None]]:
    if not message_ids:
        return {}, {}
    rows = await db.fetch(
        "select message_id, content, outcome, code, field from inbox where message_id = any($1::uuid[])", message_ids
    )
    answers = {row["message_id"]: Answer(row["outcome"], row["code"], row["field"]) for row in rows}
    return answers, {row["message_id"]: row["content"] for row in rows}


def _reused_id(reading: Reading) -> UUID:
    return digest(reading.message_id.bytes, (reading.content or reading.message_id).bytes)
