"""Notices what fails in silence, and measures what only the broker and the tables know."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from messaging import metrics
from messaging.consumer import Consumer
from messaging.database import ACQUIRE_SECONDS
from messaging.errors import is_transient
from messaging.health import Health
from messaging.relay import Relay
from messaging.transaction import Context

_EVERY_SECONDS: Final = 2.0
_MEASURE_EVERY_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5
_RELAY_STUCK_SECONDS: Final = 120


async def watch(
    consumer: Consumer, relay: Relay, context: Context, health: Health, fail: Callable[[str], None]
) -> None:
    """Look until cancelled; `fail` is told why only a restart helps."""
    measured = 0.0
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        client = consumer.kafka
        if reason := _dead_part(client):
            fail(reason)
        if time.monotonic() - relay.beat > _RELAY_STUCK_SECONDS:
            fail("the relay is stuck")
        if client is not None and time.monotonic() - measured > _MEASURE_EVERY_SECONDS:
            measured = time.monotonic()
            await _measure_lag(client, health)
            await _measure_tables(context)


def _dead_part(client: AIOKafkaConsumer | None) -> str | None:
    """A dead task of aiokafka shows nowhere else: polls return nothing, heartbeats go on."""
    fetcher, coordinator = getattr(client, "_fetcher", None), getattr(client, "_coordinator", None)
    parts = {
        "the consumer's fetch task died": getattr(fetcher, "_fetch_task", None),
        "the consumer's coordination task died": getattr(coordinator, "_coordination_task", None),
    }
    return next((reason for reason, task in parts.items() if task is not None and task.done()), None)


async def _measure_lag(client: AIOKafkaConsumer, health: Health) -> None:
    """Messages not yet acknowledged, asked of the broker: what the client believes is 0 when it is dead."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            mine = list(client.assignment())
            ends = await client.end_offsets(mine)
            begins = await client.beginning_offsets(mine)
            lags: dict[str, int] = defaultdict(int)
            for partition in mine:
                committed = await client.committed(partition)
                lags[partition.topic] += ends[partition] - (begins[partition] if committed is None else committed)
    except (KafkaError, TimeoutError):
        health.wait("kafka", "Kafka does not answer.")
        return
    health.found("kafka")
    for topic, lag in lags.items():
        metrics.LAG.labels(topic).set(lag)


async def _measure_tables(context: Context) -> None:
    try:
        async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            outbox = await db.fetchrow(
                """select count(*) as rows, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest
                   from outbox"""
            )
            metrics.QUARANTINE_ROWS.set(await db.fetchval("select count(*) from quarantine where resolved_at is null"))
    except Exception as error:
        if not is_transient(error):
            raise
        return
    if outbox is not None:
        metrics.OUTBOX_ROWS.set(outbox["rows"])
        metrics.OUTBOX_OLDEST.set(outbox["oldest"])
