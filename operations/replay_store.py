"""Replays that an operator asks a service for, and how far they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from messaging.database import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """A topic, from a time of the broker's clock on."""

    topic: str
    since: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one replay."""

    messages_read: int
    outcomes: Mapping[str, int]
    """What became of those that were missing."""
    finished: bool
    failed: str | None


async def request_replay(db: Connection, asked: Asked) -> int:
    """Ask the service; the id of the replay."""
    async with db.transaction():
        replay_id: int = await db.fetchval(
            "insert into replay (topic, since, requested_by) values ($1, $2, $3) returning replay_id",
            asked.topic,
            asked.since,
            asked.who,
        )
        await db.execute("notify replay")
    return replay_id


async def get_progress(db: Connection, replay_id: int) -> Progress:
    """How far it is."""
    row = await db.fetchrow(
        "select messages_read, outcomes, finished_at is not null as finished, failed from replay where replay_id = $1",
        replay_id,
    )
    assert row is not None  # noqa: S101  # nothing deletes a replay
    return Progress(row["messages_read"], json.loads(row["outcomes"]), row["finished"], row["failed"])
