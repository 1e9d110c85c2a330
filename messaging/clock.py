"""Deciding time: the database's, and in development moved by the programme clock."""

from datetime import datetime, timedelta

from messaging.database import Connection


async def deciding_time(db: Connection, *, development: bool) -> datetime:
    """The time decisions are made at: `now()` of the transaction, plus how far the programme clock is ahead."""
    if development:
        moved: datetime = await db.fetchval("select now() + ahead from clock")
        return moved
    real: datetime = await db.fetchval("select now()")
    return real


async def set_clock(db: Connection, ahead: timedelta) -> None:
    """Move the programme clock and wake every job of the service; only a service in development looks at it."""
    async with db.transaction():
        await db.execute("update clock set ahead = $1", ahead)
        await db.execute("notify clock")
