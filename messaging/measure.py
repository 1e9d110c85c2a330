"""Measures what only the tables know, and tells health and log of the breaker."""

import asyncio
from typing import Final

from messaging import metrics
from messaging.apply import ensure_not_stopped
from messaging.database import ACQUIRE_SECONDS, Connection
from messaging.errors import StoppedError, describe, is_transient
from messaging.health import Health
from messaging.logs import log
from messaging.parked import measure_parked
from messaging.transaction import Context

EVERY_SECONDS: Final = 2.0
_LOOKS_A_MEASURE: Final = 5


async def measure_forever(context: Context, health: Health) -> None:
    """Look at the breaker every 2 seconds and at the tables every 10, until cancelled."""
    looks = 0
    while True:
        try:
            await _look_at_breaker(context, health)
            if looks % _LOOKS_A_MEASURE == 0:
                async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
                    await _measure_tables(db)
            looks += 1
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("measure tries again", error=describe(error))
        await asyncio.sleep(EVERY_SECONDS)


async def _look_at_breaker(context: Context, health: Health) -> None:
    try:
        await ensure_not_stopped(context)
    except StoppedError as error:
        if "breaker" not in health.waiting:
            log.critical("consumer stopped", reason=str(error))
        named = f"--service {context.card.name}"
        commands = f"`berbagi quarantine list {named}`, then `berbagi quarantine resume {named} --by YOU`"
        health.wait("breaker", f"Stopped: {error}. See {commands}.")
        return
    if "breaker" in health.waiting:
        log.warning("consumer goes on")
    health.found("breaker")


async def _measure_tables(db: Connection) -> None:
    outbox = await db.fetchrow(
        """select count(*) as rows, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest
           from outbox"""
    )
    if outbox is not None:
        metrics.OUTBOX_ROWS.set(outbox["rows"])
        metrics.OUTBOX_OLDEST.set(outbox["oldest"])
    waiting, oldest = await measure_parked(db)
    metrics.PARKED_ROWS.set(waiting)
    metrics.PARKED_OLDEST.set(oldest)
    rows = await db.fetch("select reason, count(*) as rows from quarantine where resolved_at is null group by reason")
    counts = {row["reason"]: row["rows"] for row in rows}
    for reason in metrics.REASONS:
        metrics.QUARANTINE_ROWS.labels(reason).set(counts.get(reason, 0))
