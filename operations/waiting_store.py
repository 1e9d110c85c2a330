"""What waits in a service: submissions for what they need, facts for their way to Kafka."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from messaging.database import Connection


@dataclass(frozen=True, slots=True)
class Parked:
    """The first parked submission of a subject."""

    message_id: UUID
    type: str
    subject: str
    waits_for: UUID | None
    """Null: it was behind one that has been decided."""
    waited: timedelta
    attempts: int
    due_in: timedelta
    """Until it is tried again."""
    behind: int
    """Later ones of its subject."""


@dataclass(frozen=True, slots=True)
class Unpublished:
    """Facts of one type in the outbox."""

    type: str
    topic: str
    rows: int
    oldest: timedelta


async def list_parked(db: Connection, limit: int) -> list[Parked]:
    """The first of every subject, those that have waited longest first."""
    rows = await db.fetch(
        """select message_id, coalesce(type, '') as type, subject, waits_for, now() - parked_at as waited, attempts,
                  due_at - now() as due_in,
                  (select count(*) from parked later
                   where later.subject = parked.subject and later.position > parked.position) as behind
           from parked
           where not exists (select from parked earlier
                             where earlier.subject = parked.subject and earlier.position < parked.position)
           order by parked_at, position limit $1""",
        limit,
    )
    return [Parked(**dict(row)) for row in rows]


async def count_parked(db: Connection) -> tuple[int, int]:
    """How many submissions wait, of how many subjects."""
    row = await db.fetchrow("select count(*) as rows, count(distinct subject) as subjects from parked")
    return (row["rows"], row["subjects"]) if row else (0, 0)


async def list_unpublished(db: Connection) -> list[Unpublished]:
    """By type, the oldest first."""
    rows = await db.fetch(
        """select type, topic, count(*) as rows, now() - min(created_at) as oldest
           from outbox group by type, topic order by oldest desc"""
    )
    return [Unpublished(**dict(row)) for row in rows]
