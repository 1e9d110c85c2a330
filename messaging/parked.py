"""Submissions that wait: for what they need, or behind an earlier one of their subject."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from messaging.database import Connection
from messaging.inbox import Claim, Taken
from messaging.quarantine import Seal
from messaging.reading import Reading, Record

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission to be put aside; `waits_for` null: it goes behind the earlier ones of its subject."""

    taken: Taken
    type: str
    subject: str
    waits_for: UUID | None


@dataclass(frozen=True, slots=True)
class Due:
    """The first parked submission of a subject, to be tried again."""

    message_id: UUID
    record: Record | None
    """Null: it cannot be opened; sealed with another key, or damaged."""
    expired: bool


async def list_parked_subjects(db: Connection, subjects: Collection[str]) -> set[str]:
    """Which of these subjects have a parked submission: a new one goes behind it."""
    rows = await db.fetch("select distinct subject from parked where subject = any($1::text[])", list(subjects))
    return {row["subject"] for row in rows}


async def insert_parked(db: Connection, seal: Seal, waiting: Sequence[Waiting]) -> None:
    """Put submissions aside, in their order."""
    if waiting:
        await db.execute(
            """insert into parked (message_id, type, subject, waits_for, payload, received_at)
               select message_id, type, subject, waits_for, payload, received_at
               from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::timestamptz[])
                 with ordinality as new(message_id, type, subject, waits_for, payload, received_at, place)
               order by place""",
            [one.taken.reading.message_id for one in waiting],
            [one.type for one in waiting],
            [one.subject for one in waiting],
            [one.waits_for for one in waiting],
            [seal.close(one.taken.reading.message_id, one.taken.reading.record) for one in waiting],
            [one.taken.received_at for one in waiting],
        )


async def save_parked_again(db: Connection, waiting: Sequence[Waiting]) -> None:
    """These still wait: the next try is later, up to 5 minutes, unless what they wait for arrives."""
    if waiting:
        await db.execute(
            """update parked set waits_for = new.waits_for, attempts = attempts + 1,
                 due_at = now() + least(interval '5 minutes', interval '2 seconds' * power(2, least(attempts, 10)))
               from unnest($1::uuid[], $2::uuid[]) as new(message_id, waits_for)
               where parked.message_id = new.message_id""",
            [one.taken.reading.message_id for one in waiting],
            [one.waits_for for one in waiting],
        )


async def delete_parked(db: Connection, message_ids: Sequence[UUID]) -> None:
    """These are decided. The next of their subject is due at once."""
    await db.execute(
        """with decided as (delete from parked where message_id = any($1::uuid[]) returning subject)
           update parked set due_at = now() where subject in (select subject from decided)""",
        message_ids,
    )


async def wake_parked(db: Connection, arrived: Collection[UUID]) -> None:
    """Make due what waits for one of these, and tell the sweep when this transaction commits."""
    status = await db.execute("update parked set due_at = now() where waits_for = any($1::uuid[])", list(arrived))
    if status != "UPDATE 0":
        await db.execute("notify parked")


async def are_any_parked(db: Connection) -> bool:
    """Whether anything waits at all; most of the time nothing does."""
    return bool(await db.fetchval("select exists(select from parked)"))


async def put_off(db: Connection, message_ids: Sequence[UUID]) -> None:
    """These cannot be opened now: they stay, first of their subjects, and make room for those that can."""
    if message_ids:
        await db.execute(
            """update parked set attempts = attempts + 1, due_at = now() + interval '5 minutes'
               where message_id = any($1::uuid[])""",
            message_ids,
        )


async def list_due(db: Connection, seal: Seal) -> list[Due]:
    """The first of every subject that is due; at least every 5 minutes, so it expires soon after 7 days."""
    rows = await db.fetch(
        """select message_id, payload, parked_at < now() - interval '7 days' as expired from parked
           where due_at <= now()
             and not exists (select from parked earlier
                             where earlier.subject = parked.subject and earlier.position < parked.position)
           order by position limit $1""",
        PAGE,
    )
    return [Due(row["message_id"], seal.try_open(row["message_id"], row["payload"]), row["expired"]) for row in rows]


async def claim_parked(db: Connection, readings: Sequence[Reading], now: datetime) -> Claim:  # noqa: ARG001  # Claiming
    """Lock those still parked and not in another replica's hands; the others are not ours to decide."""
    rows = await db.fetch(
        """select message_id, received_at from parked
           where message_id = any($1::uuid[]) order by message_id for update skip locked""",
        [reading.message_id for reading in readings],
    )
    received = {row["message_id"]: row["received_at"] for row in rows}
    taken = [Taken(reading, received[reading.message_id]) for reading in readings if reading.message_id in received]
    return Claim(taken, ids=[one.reading.message_id for one in taken], stored={}, parked=True)


async def measure_parked(db: Connection) -> tuple[int, float]:
    """How many wait, and for how many seconds the oldest has."""
    row = await db.fetchrow(
        """select count(*) as waiting, coalesce(extract(epoch from now() - min(parked_at)), 0)::float8 as oldest
           from parked"""
    )
    return (row["waiting"], row["oldest"]) if row else (0, 0.0)
