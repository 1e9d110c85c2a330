"""Notices what fails in silence."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from messaging.consumer import Consumer
from messaging.errors import describe
from messaging.health import Health
from messaging.lag import Lag
from messaging.logs import log
from messaging.relay import Relay

_EVERY_SECONDS: Final = 2.0
_MEASURE_EVERY_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5
_RELAY_STUCK_SECONDS: Final = 120


async def watch(consumer: Consumer, relay: Relay, lag: Lag, health: Health, fail: Callable[[str], None]) -> None:
    """Look until cancelled; `fail` is told why only a restart helps."""
    measured = 0.0
    try:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            client = consumer.kafka
            if reason := _dead_part(client):
                fail(reason)
            if time.monotonic() - relay.beat > _RELAY_STUCK_SECONDS:
                fail("the relay is stuck")
            if client is not None and time.monotonic() - measured > _MEASURE_EVERY_SECONDS:
                measured = time.monotonic()
                await _measure(client, lag, health)
    finally:
        await lag.stop()


def _dead_part(client: AIOKafkaConsumer | None) -> str | None:
    """A dead task of aiokafka shows nowhere else: polls return nothing, heartbeats go on."""
    if client is None or client._closed:  # noqa: SLF001  # told to stop, its tasks end one after the other
        return None
    fetcher, coordinator = getattr(client, "_fetcher", None), getattr(client, "_coordinator", None)
    parts = {
        "the consumer's fetch task died": getattr(fetcher, "_fetch_task", None),
        "the consumer's coordination task died": getattr(coordinator, "_coordination_task", None),
    }
    return next((reason for reason, task in parts.items() if task is not None and task.done()), None)


async def _measure(client: AIOKafkaConsumer, lag: Lag, health: Health) -> None:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await lag.measure(client)
    except Exception as error:  # noqa: BLE001  # a bug here must not stop a service; what was measured before stays
        await lag.stop()
        if isinstance(error, KafkaError | TimeoutError):
            health.wait("kafka", "Kafka does not answer.")
            return
        log.warning("lag not measured", error=describe(error))
    health.found("kafka")
