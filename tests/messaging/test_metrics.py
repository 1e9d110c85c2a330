"""Every sentence of the promise can be watched."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from messaging.lag import Lag
from messaging.metrics import REASONS
from messaging.retention import Pruning
from messaging.settings import KafkaSettings
from tests.messaging.running import Toy, until, until_async
from tests.messaging.samples import household, visit
from tests.messaging.test_bad_input import with_value
from tests.messaging.test_operator import metric
from tests.proxy import Mood, Proxy

WATCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "1. commits together or not at all": ("batch_seconds", "retries"),
    "2. delivered twice, one effect": ("repeats",),
    "3. published after its commit, by one relay": (
        "outbox_messages",
        "outbox_oldest_seconds",
        "published",
        "relay_failures",
        "relay_leader",
    ),
    "4. what needs something waits": ("parked_messages", "parked_oldest_seconds", "parked_unopened"),
    "5. refused to its sender or quarantined, with a reason": (
        "messages",
        "quarantined",
        "quarantine_open_messages",
    ),
    "6. tried again for as long as it takes; a bad deploy drains no topic": (
        "breaker_open",
        "lag_messages",
        "lag_seconds",
    ),
    "7. finished and acknowledged, however late": (
        "fact_latency_seconds",
        "message_age_seconds",
        "offset_commit_failures",
    ),
    "jobs": ("job_failures", "job_last_success_timestamp_seconds", "job_seconds"),
}


async def test_metrics_name_every_sentence_of_the_promise_and_nothing_else(service: Toy) -> None:
    """Fails when: a metric is renamed or dropped, or a new one is for no sentence; the first failure is no rise."""
    process = await service.start()
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{process.url}/metrics")).text

    families = {one.name for one in text_string_to_metric_families(text) if one.type != "unknown"}
    ours = {name.removeprefix("berbagi_messaging_") for name in families if name.startswith("berbagi_messaging_")}
    created = {name for name in ours if name.endswith("_created")}

    assert ours - created == {name for names in WATCHED.values() for name in names}
    assert await metric(process, "berbagi_messaging_messages_total", outcome="quarantined") == 0


async def test_lag_in_seconds_is_the_age_of_the_oldest_message_that_waits(service: Toy) -> None:
    """Of two messages of one partition that came three seconds apart. Fails when: `_ages` looks at the newest."""
    one, name = uuid4(), f"{service.prefix}household-events"
    await service.send([household(one)])
    sent_at = time.time()
    await asyncio.sleep(3)
    await service.send([household(one, 2)])
    kafka, group = service.stack.bootstrap_servers, f"{service.prefix}x"
    client = AIOKafkaConsumer(name, bootstrap_servers=kafka, group_id=group)
    lag = Lag(KafkaSettings(kafka=kafka), group)
    await client.start()

    try:
        await lag.measure(client)
        measured_at = time.time()
    finally:
        await lag.stop()
        await client.stop()

    assert REGISTRY.get_sample_value("berbagi_messaging_lag_messages", {"topic": name}) == 2
    seconds = REGISTRY.get_sample_value("berbagi_messaging_lag_seconds", {"topic": name})
    assert seconds == pytest.approx(measured_at - sent_at, abs=0.5)


async def test_a_transactions_marker_is_no_message_that_waits(service: Toy) -> None:
    """Two partitions have nothing else left, the third one message. Fails when: one is waited for behind the marker."""
    kafka, group = service.stack.bootstrap_servers, f"{service.prefix}x"
    name = f"{service.prefix}household-events"
    places = [TopicPartition(name, number) for number in range(3)]
    client = AIOKafkaConsumer(name, bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    lag = Lag(KafkaSettings(kafka=kafka), group)
    async with AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=group) as producer, producer.transaction():
        for place in places[:2]:
            await producer.send_and_wait(name, b"{}", partition=place.partition)
    await client.start()

    try:
        await client.commit(dict.fromkeys(places[:2], 1))
        async with asyncio.timeout(4):
            await lag.measure(client)
        nothing = [
            REGISTRY.get_sample_value(f"berbagi_messaging_lag_{what}", {"topic": name})
            for what in ("messages", "seconds")
        ]
        await service.producer.send_and_wait(name, b"{}", partition=2)
        async with asyncio.timeout(4):
            await lag.measure(client)
        ends = await client.end_offsets(places)
    finally:
        await lag.stop()
        await client.stop()

    assert [ends[place] for place in places] == [2, 2, 1]
    assert nothing == [0, 0]
    assert REGISTRY.get_sample_value("berbagi_messaging_lag_messages", {"topic": name}) == 1


class _Mute(Proxy):
    """Kafka that answers nothing any more from the first time it is asked for messages."""

    async def _hand_on(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        if piece[4:6] == b"\x00\x01":  # a fetch
            self.mood = Mood.DEAF
        await super()._hand_on(piece, writer)


async def test_a_broker_that_sends_no_messages_is_given_up(service: Toy) -> None:
    """It has one, and is no partition with a marker alone. Fails when: nothing for a while is taken for none."""
    kafka, group = service.stack.bootstrap_servers, f"{service.prefix}x"
    host, _, port = kafka.partition(":")
    name = f"{service.prefix}household-events"
    await service.send([household(uuid4())])
    client = AIOKafkaConsumer(name, bootstrap_servers=kafka, group_id=group)
    await client.start()

    async with _Mute((host, int(port)), {}) as proxy:
        proxy.ports = {int(port): proxy.port}
        await proxy.open()
        lag = Lag(KafkaSettings(kafka=f"{host}:{proxy.port}"), group)
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3):
                    await lag.measure(client)
        finally:
            await lag.stop()
            await client.stop()

    assert proxy.mood is Mood.DEAF


async def test_lag_is_measured_again_once_its_connections_were_given_up(service: Toy) -> None:
    """Also where there never was one. Fails when: `stop` keeps the clients it has closed."""
    kafka, group = service.stack.bootstrap_servers, f"{service.prefix}x"
    name = f"{service.prefix}household-events"
    client = AIOKafkaConsumer(name, bootstrap_servers=kafka, group_id=group)
    lag, nowhere = Lag(KafkaSettings(kafka=kafka), group), Lag(KafkaSettings(kafka="127.0.0.1:1"), group)
    await client.start()

    try:
        with pytest.raises(KafkaError):
            await nowhere.measure(client)
        await nowhere.stop()
        await lag.measure(client)
        await lag.stop()
        await service.send([household(uuid4())])
        await lag.measure(client)
    finally:
        await lag.stop()
        await client.stop()

    assert REGISTRY.get_sample_value("berbagi_messaging_lag_messages", {"topic": name}) == 1


async def test_metrics_say_what_has_happened(service: Toy) -> None:
    """One message each that is accepted, repeated, parked and unreadable; facts published; the job of every service.

    Fails when: what a metric is named after is counted nowhere.
    """
    process = await service.start()
    fact = household(uuid4())
    await service.send([fact])
    await until(service, 1, "select count(*) from toy_households")
    await service.send([fact, visit(uuid4()), with_value(b"{")(visit(uuid4()))])
    await until(service, 3, "select count(*) from inbox")
    await until(service, 0, "select count(*) from outbox")

    async def parked() -> bool:
        return await metric(process, "berbagi_messaging_parked_oldest_seconds") not in (None, 0)

    async def is_measured() -> bool:
        return await metric(process, "berbagi_messaging_lag_seconds") == 0

    await until_async(parked)
    await until_async(is_measured, seconds=30)
    by_name = {
        name: await metric(process, f"berbagi_messaging_{name}")
        for name in (
            "repeats_total",
            "parked_messages",
            "published_total",
            "relay_leader",
            "quarantine_open_messages",
            "lag_messages",
            "breaker_open",
            "outbox_messages",
            "outbox_oldest_seconds",
        )
    }
    by_reason = {
        reason: await metric(process, "berbagi_messaging_quarantine_open_messages", reason=reason) for reason in REASONS
    }

    assert by_name == {
        "repeats_total": 1,
        "parked_messages": 1,
        "published_total": 2,
        "relay_leader": 1,
        "quarantine_open_messages": 1,
        "lag_messages": 0,
        "breaker_open": 0,
        "outbox_messages": 0,
        "outbox_oldest_seconds": 0,
    }
    assert by_reason == {"unreadable": 1, "unknown_type": 0, "bad_data": 0, "bug": 0}
    assert await metric(process, "berbagi_messaging_quarantined_total", reason="unreadable") == 1
    assert (await metric(process, "berbagi_messaging_message_age_seconds_count") or 0) >= 2
    assert (await metric(process, "berbagi_messaging_job_seconds_count", job=Pruning().job.name) or 0) >= 1
    assert await metric(process, "berbagi_messaging_job_last_success_timestamp_seconds", job="prune") is not None
