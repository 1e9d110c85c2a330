"""Every statement on intents and on the messages that tell them; sets in, sets out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from contracts.events import NotificationFailed, NotificationSent
from messaging import Connection
from services.notifications.delivery import LEASE, Waiting
from services.notifications.intents import About, Intent, Kind


async def insert_intents(db: Connection, intents: Sequence[Intent]) -> None:
    """Each once for ever: who wants to tell the same again changes nothing."""
    if not intents:
        return
    await db.execute(
        """
        insert into intent (thing_id, occasion, kind, level, recipient_id, regency, channel, urgent, due_at, case_id,
                            correlationid, about)
        select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
                             $8::boolean[], $9::timestamptz[], $10::uuid[], $11::text[], $12::jsonb[])
        on conflict do nothing
        """,
        [intent.thing_id for intent in intents],
        [intent.occasion for intent in intents],
        [intent.kind for intent in intents],
        [intent.level for intent in intents],
        [intent.recipient_id for intent in intents],
        [intent.regency for intent in intents],
        [intent.channel for intent in intents],
        [intent.urgent for intent in intents],
        [intent.due_at for intent in intents],
        [intent.case_id for intent in intents],
        [intent.correlationid for intent in intents],
        [intent.about.model_dump_json(exclude_none=True) for intent in intents],
    )


async def list_due_intents(db: Connection, channel: str, now: datetime, limit: int) -> list[Intent]:
    """Intents whose time has come and that are in no message yet, sorted by recipient and due time."""
    records = await db.fetch(
        """
        select thing_id, occasion, kind, level, recipient_id, regency, channel, urgent, due_at, case_id, correlationid,
               about
        from intent
        where channel = $1 and notification_id is null and due_at <= $2
        order by regency, recipient_id, due_at
        limit $3
        """,
        channel,
        now,
        limit,
    )
    return [_intent(record) for record in records]


async def insert_notifications(db: Connection, waiting: Sequence[Waiting], lives: Mapping[str, timedelta]) -> None:
    """New messages; `lives` says by regency how long after its due time one is still worth telling."""
    await db.execute(
        """
        insert into notification (notification_id, regency, recipient_id, kind, level, case_id, correlationid, channel,
                                  due_at, expires_at)
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::uuid[], $7::text[],
                             $8::text[], $9::timestamptz[], $10::timestamptz[])
        """,
        [one.notification_id for one in waiting],
        [one.regency for one in waiting],
        [one.recipient_id for one in waiting],
        [one.kind for one in waiting],
        [one.level for one in waiting],
        [one.case_id for one in waiting],
        [one.correlationid for one in waiting],
        [one.channel for one in waiting],
        [one.due_at for one in waiting],
        [one.due_at + lives[one.regency] for one in waiting],
    )


async def put_into_messages(db: Connection, members: Sequence[tuple[UUID, Intent]]) -> None:
    """Which message tells each of these intents."""
    await db.execute(
        """
        update intent set notification_id = new.notification_id
        from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::integer[], $6::text[])
             as new (notification_id, thing_id, occasion, kind, level, recipient_id)
        where intent.thing_id = new.thing_id and intent.occasion = new.occasion and intent.kind = new.kind
          and intent.level = new.level and intent.recipient_id = new.recipient_id and intent.notification_id is null
        """,
        [notification_id for notification_id, _ in members],
        [intent.thing_id for _, intent in members],
        [intent.occasion for _, intent in members],
        [intent.kind for _, intent in members],
        [intent.level for _, intent in members],
        [intent.recipient_id for _, intent in members],
    )


async def drop_expired(db: Connection, channel: str, now: datetime) -> list[Waiting]:
    """Messages in nobody's hands that are too old to be told; they are failed now."""
    records = await db.fetch(
        """
        update notification set status = 'failed', reason = 'too_old', settled_at = $2
        where notification_id in (
            select notification_id from notification
            where status = 'waiting' and channel = $1 and expires_at <= $2 and try_at <= clock_timestamp()
            limit 2000
            for update skip locked
        )
        returning notification_id, regency, recipient_id, kind, level, case_id, correlationid, channel, due_at, attempts
        """,
        channel,
        now,
    )
    return [_waiting(record) for record in records]


async def claim(db: Connection, channel: str, now: datetime, limit: int) -> list[Waiting]:
    """Messages to be sent now: ours for the lease, on the real clock; killed before it is said, they come again."""
    records = await db.fetch(
        """
        update notification set attempts = attempts + 1, try_at = clock_timestamp() + $2
        where notification_id in (
            select notification_id from notification
            where status = 'waiting' and channel = $1 and try_at <= clock_timestamp() and expires_at > $4
            order by try_at
            limit $3
            for update skip locked
        )
        returning notification_id, regency, recipient_id, kind, level, case_id, correlationid, channel, due_at, attempts
        """,
        channel,
        LEASE,
        limit,
        now,
    )
    return [_waiting(record) for record in records]


async def list_told(db: Connection, notification_ids: Collection[UUID]) -> dict[UUID, list[Intent]]:
    """The intents of these messages."""
    records = await db.fetch(
        """
        select thing_id, occasion, kind, level, recipient_id, regency, channel, urgent, due_at, case_id, correlationid,
               about, notification_id
        from intent
        where notification_id = any($1::uuid[])
        order by kind, due_at, thing_id
        """,
        list(notification_ids),
    )
    told: dict[UUID, list[Intent]] = {}
    for record in records:
        told.setdefault(record["notification_id"], []).append(_intent(record))
    return told


async def settle(db: Connection, ends: Sequence[NotificationSent | NotificationFailed], now: datetime) -> set[UUID]:
    """These are sent or failed; returns those that nobody had settled before."""
    records = await db.fetch(
        """
        update notification set status = new.status, reason = new.reason, settled_at = $4
        from unnest($1::uuid[], $2::text[], $3::text[]) as new (notification_id, status, reason)
        where notification.notification_id = new.notification_id and notification.status = 'waiting'
        returning notification.notification_id
        """,
        [end.notification_id for end in ends],
        ["sent" if isinstance(end, NotificationSent) else "failed" for end in ends],
        [end.reason if isinstance(end, NotificationFailed) else None for end in ends],
        now,
    )
    return {record["notification_id"] for record in records}


async def try_later(db: Connection, pauses: Mapping[UUID, timedelta]) -> None:
    """Their channel is away: tried again after a pause on the real clock."""
    await db.execute(
        """
        update notification set try_at = clock_timestamp() + new.pause
        from unnest($1::uuid[], $2::interval[]) as new (notification_id, pause)
        where notification.notification_id = new.notification_id and notification.status = 'waiting'
        """,
        list(pauses.keys()),
        list(pauses.values()),
    )


async def prune_settled(db: Connection, kept: timedelta, rows: int) -> int:
    """Delete messages whose last try is longer ago, on the real clock, and their intents; how many messages."""
    count: int = await db.fetchval(
        """
        with old as (
            select notification_id from notification
            where status <> 'waiting' and try_at < now() - $1::interval
            order by try_at
            limit $2
            for update skip locked
        ), told as (
            delete from intent using old where intent.notification_id = old.notification_id
        ), settled as (
            delete from notification using old where notification.notification_id = old.notification_id
            returning notification.notification_id
        )
        select count(*) from settled
        """,
        kept,
        rows,
    )
    return count


def _intent(record: Record) -> Intent:
    return Intent(
        thing_id=record["thing_id"],
        occasion=record["occasion"],
        kind=Kind(record["kind"]),
        level=record["level"],
        recipient_id=record["recipient_id"],
        regency=record["regency"],
        channel=record["channel"],
        urgent=record["urgent"],
        due_at=record["due_at"],
        case_id=record["case_id"],
        correlationid=record["correlationid"],
        about=About.model_validate_json(record["about"]),
    )


def _waiting(record: Record) -> Waiting:
    return Waiting(**dict(record))
