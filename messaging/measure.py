"""Measures what only the tables and the broker know, and tells health and log of the breaker."""

import asyncio
import math
import time
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

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
_YOUNGEST_SECONDS: Final = 0.05
_OLDEST_SECONDS: Final = 10.0 * 365 * 86_400
_ROUNDS: Final = 2
_PARTS: Final = 16  # of the range between them, on a logarithmic scale


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


async def measure_lag(client: AIOKafkaConsumer) -> None:
    """What is not yet acknowledged, asked of the broker: what the client believes is 0 when it is dead."""
    mine = list(client.assignment())
    ends = await client.end_offsets(mine)
    begins = await client.beginning_offsets(mine)
    # A question each: in turn they would take seconds.
    acknowledged = await asyncio.gather(*map(client.committed, mine))
    done = {place: max(begins[place], offset or 0) for place, offset in zip(mine, acknowledged, strict=True)}
    ages = await _ages(client, {place: offset for place, offset in done.items() if offset < ends[place]})
    for gauge in (metrics.LAG, metrics.LAG_SECONDS):
        gauge.clear()  # what another replica has by now
    for topic in {place.topic for place in mine}:
        places = [place for place in mine if place.topic == topic]
        metrics.LAG.labels(topic).set(sum(ends[place] - done[place] for place in places))
        metrics.LAG_SECONDS.labels(topic).set(max(ages.get(place, 0.0) for place in places))


async def _ages(client: AIOKafkaConsumer, waiting: Mapping[TopicPartition, int]) -> dict[TopicPartition, float]:
    """For how many seconds, to within a tenth, the broker has had the message at each of these offsets.

    It finds offsets by time only, so the time is searched. Not by halving: on this connection every question may wait
    half a second behind the fetch of new messages, and many at once wait no longer than one.
    """
    if not waiting:
        return {}
    now = time.time()
    youngest, width = dict.fromkeys(waiting, math.log(_YOUNGEST_SECONDS)), math.log(_OLDEST_SECONDS / _YOUNGEST_SECONDS)
    for _ in range(_ROUNDS):
        width /= _PARTS
        tries = [{place: low + part * width for place, low in youngest.items()} for part in range(1, _PARTS)]
        times = [{place: int((now - math.exp(age)) * 1000) for place, age in ages.items()} for ages in tries]
        for ages, found in zip(tries, await asyncio.gather(*map(client.offsets_for_times, times)), strict=True):
            for place, first in found.items():
                if first is None or first.offset > waiting[place]:  # ours is older than the first of this age
                    youngest[place] = max(youngest[place], ages[place])
    return {place: math.exp(age) for place, age in youngest.items()}
