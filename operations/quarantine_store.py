"""What an operator reads and writes of a service's quarantine and breaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messaging.database import Connection


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages; null: any."""

    message_ids: Sequence[UUID] | None = None
    reason: str | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Quarantined before this."""
    resolved: bool = False
    """Retried or discarded ones instead of those that are open."""


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that are alike."""

    state: str
    reason: str
    type: str
    error: str
    messages: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message, without what it says."""

    message_id: UUID
    state: str
    reason: str
    type: str
    error: str
    quarantined_at: datetime
    retries: int


@dataclass(frozen=True, slots=True)
class Details:
    """All that is known of one message."""

    state: str
    reason: str
    type: str
    error: str
    topic: str
    partition: int | None
    offset: int | None
    quarantined_at: datetime
    retries: int
    asked_by: str | None
    asked_at: datetime | None
    resolved_at: datetime | None
    resolved_by: str | None
    why: str | None
    outcome: str | None
    """What a repeat of it is answered."""
    code: str | None
    payload: bytes | None
    """Encrypted; null: pruned."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The breaker holds the consumer."""

    stopped_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of messages that were to be tried again."""

    outcome: str
    """Of the inbox (`quarantined`: under another id); `again`: failed again, `waiting`: not tried yet."""
    detail: str
    messages: int


async def list_groups(db: Connection, wanted: Wanted) -> list[Group]:
    """The largest first."""
    rows = await db.fetch(
        """select case when resolution is not null then resolution
                       when retry_requested_at is not null then 'retry asked' else 'open' end as state,
                  reason, coalesce(type, '') as type, coalesce(error, '') as error,
                  count(*) as messages, min(quarantined_at) as oldest, max(quarantined_at) as newest
           from quarantine
           where (resolved_at is not null) = $1 and ($2::uuid[] is null or message_id = any($2))
             and ($3::text is null or reason = $3) and ($4::text is null or type = $4)
             and ($5::timestamptz is null or quarantined_at >= $5)
             and ($6::timestamptz is null or quarantined_at < $6)
           group by 1, 2, 3, 4 order by messages desc, newest desc""",
        wanted.resolved,
        wanted.message_ids,
        wanted.reason,
        wanted.type,
        wanted.since,
        wanted.until,
    )
    return [Group(**dict(row)) for row in rows]


async def list_messages(db: Connection, wanted: Wanted, limit: int) -> list[Message]:
    """The newest first."""
    rows = await db.fetch(
        """select message_id,
                  case when resolution is not null then resolution
                       when retry_requested_at is not null then 'retry asked' else 'open' end as state,
                  reason, coalesce(type, '') as type, coalesce(error, '') as error, quarantined_at, retries
           from quarantine
           where (resolved_at is not null) = $1 and ($2::uuid[] is null or message_id = any($2))
             and ($3::text is null or reason = $3) and ($4::text is null or type = $4)
             and ($5::timestamptz is null or quarantined_at >= $5)
             and ($6::timestamptz is null or quarantined_at < $6)
           order by quarantined_at desc, message_id limit $7""",
        wanted.resolved,
        wanted.message_ids,
        wanted.reason,
        wanted.type,
        wanted.since,
        wanted.until,
        limit,
    )
    return [Message(**dict(row)) for row in rows]


async def find_message(db: Connection, message_id: UUID) -> Details | None:
    """Open or resolved."""
    row = await db.fetchrow(
        """select case when resolution is not null then resolution
                       when retry_requested_at is not null then 'retry asked' else 'open' end as state,
                  reason, coalesce(type, '') as type, coalesce(error, '') as error, topic, partition, "offset",
                  quarantined_at, retries, retry_requested_by as asked_by, retry_requested_at as asked_at,
                  resolved_at, resolved_by, why, inbox.outcome, inbox.code, payload
           from quarantine left join inbox using (message_id)
           where message_id = $1""",
        message_id,
    )
    return None if row is None else Details(**dict(row))


async def request_retry(db: Connection, wanted: Wanted, who: str) -> list[UUID]:
    """Ask the service to try these again; which ones were open."""
    async with db.transaction():
        rows = await db.fetch(
            """update quarantine set retry_requested_at = now(), retry_requested_by = $6
               where resolved_at is null and ($1::uuid[] is null or message_id = any($1))
                 and ($2::text is null or reason = $2) and ($3::text is null or type = $3)
                 and ($4::timestamptz is null or quarantined_at >= $4)
                 and ($5::timestamptz is null or quarantined_at < $5)
               returning message_id""",
            wanted.message_ids,
            wanted.reason,
            wanted.type,
            wanted.since,
            wanted.until,
            who,
        )
        await db.execute("notify quarantine")
    return [row["message_id"] for row in rows]


async def count_untried(db: Connection, message_ids: Sequence[UUID]) -> int:
    """How many of these the service has not tried yet."""
    count: int = await db.fetchval(
        "select count(*) from quarantine where message_id = any($1::uuid[]) and retry_requested_at is not null",
        message_ids,
    )
    return count


async def list_results(db: Connection, message_ids: Sequence[UUID]) -> list[Result]:
    """What became of these, the most frequent first."""
    rows = await db.fetch(
        """select case when retry_requested_at is not null then 'waiting'
                       when resolved_at is null then 'again' else coalesce(inbox.outcome, 'unknown') end as outcome,
                  case when resolved_at is not null then coalesce(nullif(inbox.code, inbox.outcome), '')
                       when retry_requested_at is not null then ''
                       else reason || coalesce(': ' || error, '') end as detail,
                  count(*) as messages
           from quarantine left join inbox using (message_id)
           where message_id = any($1::uuid[]) group by 1, 2 order by messages desc, 1, 2""",
        message_ids,
    )
    return [Result(**dict(row)) for row in rows]


async def discard(db: Connection, wanted: Wanted, who: str, why: str) -> list[UUID]:
    """Give these up: they stay, marked; which ones were open."""
    rows = await db.fetch(
        """update quarantine set resolved_at = now(), resolution = 'discarded', resolved_by = $6, why = $7,
             retry_requested_at = null
           where resolved_at is null and ($1::uuid[] is null or message_id = any($1))
             and ($2::text is null or reason = $2) and ($3::text is null or type = $3)
             and ($4::timestamptz is null or quarantined_at >= $4)
             and ($5::timestamptz is null or quarantined_at < $5)
           returning message_id""",
        wanted.message_ids,
        wanted.reason,
        wanted.type,
        wanted.since,
        wanted.until,
        who,
        why,
    )
    return [row["message_id"] for row in rows]


async def find_stop(db: Connection) -> Stop | None:
    """Whether the breaker is open."""
    row = await db.fetchrow("select stopped_at, reason from breaker")
    return None if row is None else Stop(row["stopped_at"], row["reason"])


async def end_stop(db: Connection, who: str) -> Stop | None:
    """Close the breaker and write down who did; null: it was not open."""
    row = await db.fetchrow(
        """with ended as (delete from breaker returning stopped_at, reason)
           insert into past_stop (stopped_at, reason, resumed_by)
           select stopped_at, reason, $1 from ended returning stopped_at, reason""",
        who,
    )
    return None if row is None else Stop(row["stopped_at"], row["reason"])


async def count_open(db: Connection) -> int:
    """Messages that wait for an operator."""
    count: int = await db.fetchval("select count(*) from quarantine where resolved_at is null")
    return count


async def list_not_open(db: Connection, message_ids: Sequence[UUID]) -> list[UUID]:
    """Which of these are not in quarantine, or resolved."""
    rows = await db.fetch(
        """select asked.message_id from unnest($1::uuid[]) as asked (message_id)
           where not exists (select from quarantine
                             where quarantine.message_id = asked.message_id and resolved_at is null)""",
        message_ids,
    )
    return [row["message_id"] for row in rows]
