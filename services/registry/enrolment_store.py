"""Statements on aid that households receive already (rule 26)."""

from collections.abc import Collection

from contracts.events import Enrolment
from messaging import Connection
from services.registry.people import KeyedHash
from services.registry.rows import EnrolmentRow


async def list_enrolments(db: Connection, card_keys: Collection[KeyedHash]) -> list[EnrolmentRow]:
    """Aid received under these cards, oldest first."""
    records = await db.fetch(
        """
        select card_key, programme, since, until, stated_at
        from enrolment
        where card_key = any($1::bytea[])
        order by card_key, programme, since
        """,
        list(card_keys),
    )
    return [
        EnrolmentRow(
            record["card_key"],
            Enrolment(programme=record["programme"], since=record["since"], until=record["until"]),
            record["stated_at"],
        )
        for record in records
    ]


async def save_enrolments(db: Connection, enrolments: Collection[EnrolmentRow]) -> None:
    """Write aid received under a card; the newest row knows the last day."""
    await db.execute(
        """
        insert into enrolment (card_key, programme, since, until, stated_at)
        select card_key, programme, since, until, stated_at
        from unnest($1::bytea[], $2::text[], $3::date[], $4::date[], $5::timestamptz[])
          as new (card_key, programme, since, until, stated_at)
        on conflict (card_key, programme, since) do update set until = excluded.until, stated_at = excluded.stated_at
        """,
        [row.card_key for row in enrolments],
        [row.enrolment.programme for row in enrolments],
        [row.enrolment.since for row in enrolments],
        [row.enrolment.until for row in enrolments],
        [row.stated_at for row in enrolments],
    )
