"""Quarantined messages that an operator wants tried again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from messaging.database import Connection
from messaging.inbox import Claim, Taken, save_outcomes
from messaging.messages import Answer
from messaging.quarantine import Seal
from messaging.reading import Reading, Record

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Requested:
    """One of them."""

    message_id: UUID
    record: Record | None
    """Null: it cannot be opened; sealed with another key, or damaged."""


async def list_requested(db: Connection, seal: Seal) -> list[Requested]:
    """The next ones; those of a partition in their order."""
    rows = await db.fetch(
        """select message_id, payload from quarantine where retry_requested_at is not null
           order by topic, partition, "offset", quarantined_at limit $1""",
        PAGE,
    )
    return [Requested(row["message_id"], seal.try_open(row["message_id"], row["payload"])) for row in rows]


async def claim_requested(db: Connection, readings: Sequence[Reading], now: datetime) -> Claim:
    """Lock those still requested and not in another replica's hands; the others are not ours to decide."""
    rows = await db.fetch(
        """select message_id, received_at from quarantine
           where message_id = any($1::uuid[]) and retry_requested_at is not null
           order by message_id for update skip locked""",
        [reading.message_id for reading in readings],
    )
    received = {row["message_id"]: row["received_at"] or now for row in rows}
    taken = [Taken(reading, received[reading.message_id]) for reading in readings if reading.message_id in received]
    return Claim(taken, ids=[one.reading.message_id for one in taken], stored={}, quarantined=True)


async def settle_requested(db: Connection, message_ids: Sequence[UUID]) -> None:
    """These are decided; for those that failed again there is no request any more, so they stay open."""
    await db.execute(
        """update quarantine set resolved_at = now(), resolution = 'retried', resolved_by = retry_requested_by,
             retries = retries + 1, retry_requested_at = null
           where message_id = any($1::uuid[]) and retry_requested_at is not null""",
        message_ids,
    )


async def settle_elsewhere(db: Connection, answers: Mapping[UUID, Answer]) -> None:
    """Nothing is left of these under their ids: nobody handles them here now, or they were decided as other ones."""
    async with db.transaction():
        await settle_requested(db, list(answers))
        await save_outcomes(db, list(answers.items()))


async def give_back(db: Connection, message_ids: Sequence[UUID]) -> None:
    """These cannot be opened: they stay quarantined."""
    await db.execute(
        """update quarantine set error = 'InvalidTag', retries = retries + 1, retry_requested_at = null
           where message_id = any($1::uuid[])""",
        message_ids,
    )
