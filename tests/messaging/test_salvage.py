"""Records that no client can read: they harm no other, on a real broker."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.util import calc_crc32c
from prometheus_client import REGISTRY

from messaging.lag import Lag
from messaging.reading import Record
from messaging.settings import KafkaSettings
from tests.messaging.running import Toy, until
from tests.messaging.samples import household
from tests.messaging.test_delivery import unacknowledged
from tests.messaging.test_operator import run
from tests.operations.command import Answer

TOPIC = "household-events"
NAME, NO_NAME = "odd-name", b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe"
LAG, UNITS = "berbagi_messaging_lag", ("messages", "seconds")
CHECKSUM, CHECKED_FROM = slice(17, 21), 21  # of a record batch, format 2


async def send_in_one_go(service: Toy, producer: AIOKafkaProducer, partition: int, records: Sequence[Record]) -> None:
    """One batch of the producer; headers called NAME get a name that is not UTF-8."""
    batch: Any = producer.create_batch()
    for one in records:
        batch.append(key=one.key, value=one.value, timestamp=None, headers=list(one.headers))
    raw = bytearray(batch._build().replace(NAME.encode(), NO_NAME))  # noqa: SLF001  # a producer takes text only
    raw[CHECKSUM] = calc_crc32c(bytes(raw[CHECKED_FROM:])).to_bytes(4)
    batch._buffer = raw  # noqa: SLF001
    await (await producer.send_batch(batch, service.prefix + TOPIC, partition=partition))


@pytest.mark.parametrize("where", [0, 2])
async def test_a_record_no_client_can_read_is_quarantined_by_its_place_and_the_rest_goes_through(
    service: Toy, where: int
) -> None:
    """Only what its producer sent in one go with it, and after it, is put aside with it.

    Fails when: it ends the fetching, or a replay; `_one_by_one` stops at it; `salvage` does not go back in the others.
    """
    good = [household(uuid4()) for _ in range(60)]
    odd, after = household(uuid4()), household(uuid4())
    odd = odd._replace(headers=(*odd.headers, (NAME, b"")))
    async with AIOKafkaProducer(bootstrap_servers=service.stack.bootstrap_servers) as producer:
        for partition in range(3):
            await send_in_one_go(service, producer, partition, good[partition * 20 :][:10])
        await send_in_one_go(service, producer, where, [good[where * 20 + 10], odd, after])
        for partition in range(3):
            await send_in_one_go(service, producer, partition, good[partition * 20 + 11 :][:9])

    await service.start()

    await until(service, 58, "select count(*) from toy_assignments")
    rows = "select array_agg(partition || '/' || \"offset\" || ' ' || reason order by \"offset\") from quarantine"
    await until(service, [f"{where}/11 unreadable", f"{where}/12 unreadable"], rows)
    await service.send([household(uuid4())])
    await until(service, 59, "select count(*) from toy_assignments")
    assert await unacknowledged(service) == 0
    replayed = await run(service, "replay", "--topic", TOPIC, "--from", "1h", "--to-service", "assignment")
    assert replayed == Answer(0, f"assignment read 61 messages of {TOPIC}; 0 were missing.\n", "")


async def test_a_record_no_client_can_read_waits_as_others_do_and_ages_since_it_was_met(service: Toy) -> None:
    """Beside a message of another partition that came a second before it.

    Fails when: it ends the measuring, and what was measured before stands for ever; it counts for nothing; its age
    begins anew with each look.
    """
    odd = household(uuid4())
    odd = odd._replace(headers=(*odd.headers, (NAME, b"")))
    kafka, group, name = service.stack.bootstrap_servers, f"{service.prefix}x", service.prefix + TOPIC
    client = AIOKafkaConsumer(name, bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    lag = Lag(KafkaSettings(kafka=kafka), group)
    looks = []
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer, client:
        await send_in_one_go(service, producer, 1, [household(uuid4())])
        await asyncio.sleep(1)
        await send_in_one_go(service, producer, 0, [odd])
        try:
            for read in (0, 1, 1):
                await client.commit({TopicPartition(name, 1): read})
                await lag.measure(client)
                looks.append([REGISTRY.get_sample_value(f"{LAG}_{what}", {"topic": name}) for what in UNITS])
                await asyncio.sleep(1)
        finally:
            await lag.stop()

    assert [messages for messages, _ in looks] == [2, 1, 1]
    assert [seconds for _, seconds in looks] == [pytest.approx(since, abs=0.8) for since in (1, 1, 2)]
