"""What the services are sent: visits of known households by their carers, as Kafka records; and how they are sent."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import md5
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from aiokafka import AIOKafkaProducer

from contracts.envelope import Envelope, to_headers
from contracts.submissions import VisitSubmitted
from contracts.topics import HOUSEHOLD_PARTITIONS
from messaging.partitions import partition_of
from simulation.claims import Claim, claim
from tests.bench.filling import BANYUWANGI, REGENCY, carer_id, household_id

VISITS: Final = "assignment-submissions"
_SOURCE: Final = "smart-kampung"
_HAPPENED_AT: Final = "2026-10-14T18:30:00+07:00"
_STRIDE: Final = 7_919  # a prime: visits that follow each other are of households far apart
_IN_NEED: Final = 25  # one visit of so many sees a need, as in a month that was played
_BATCH_BYTES: Final = 512 * 1024
_TICK_SECONDS: Final = 0.01


Tell: TypeAlias = Callable[["Message", float], None]


class Message(NamedTuple):
    """A record on its way."""

    id: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def visits(count: int, start: int = 0, households: int = BANYUWANGI) -> Iterator[Message]:
    """So many visits, each reported once; with their value and headers made."""
    for number in range(start, start + count):
        household = number * _STRIDE % households
        yield message_of(
            claim(
                VisitSubmitted,
                _SOURCE,
                f"visit-{number}",
                happened_at=_HAPPENED_AT,
                household_id=household_id(household),
                visit_id=UUID(md5(b"visit %d" % number, usedforsecurity=False).hexdigest()),
                carer_id=carer_id(household),
                correction=False,
                happened=True,
                place={"latitude": -8.227, "longitude": 114.362},
                answers=_ANSWERS,
                needs=_NEEDS if number % _IN_NEED == 0 else (),
                programmes_received=(),
            )
        )


def message_of(said: Claim) -> Message:
    """A claim of an integrator as a Kafka record."""
    envelope = Envelope(said.id, said.source, said.message.type, said.subject, "", said.id, None, REGENCY)
    partition = partition_of(said.subject, HOUSEHOLD_PARTITIONS)
    return Message(said.id, partition, said.subject.encode(), said.value, to_headers(envelope))


async def put(kafka: str, topic: str, messages: Iterable[Message]) -> None:
    """All of them as quickly as they go; returns when Kafka has them."""
    shares: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        shares[message.partition].append(message)
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", compression_type="zstd", max_batch_size=_BATCH_BYTES
    )
    await producer.start()
    try:
        async with asyncio.TaskGroup() as group:
            for partition, share in shares.items():
                group.create_task(_put_share(producer, topic, partition, share))
    finally:
        await producer.stop()


@dataclass(frozen=True)
class Outside:
    """Integrators who report at a pace of their own, whatever becomes of it."""

    producer: AIOKafkaProducer
    topic: str

    async def send(self, messages: Iterable[Message], rate: float, tell: Tell = lambda *_: None) -> None:
        """All of these, so many a second, a few every 10 ms.

        `tell` hears when each should have been sent: a sender that is held up must not make what it measures look
        better than it is.
        """
        started, tick = time.time(), -1
        for number, message in enumerate(messages):
            due = started + tick * _TICK_SECONDS
            if number / rate // _TICK_SECONDS > tick:
                tick = int(number / rate // _TICK_SECONDS)
                due = started + tick * _TICK_SECONDS
                await asyncio.sleep(max(0.0, due - time.time()))
            tell(message, due)
            await self.producer.send(
                self.topic, message.value, key=message.key, partition=message.partition, headers=message.headers
            )
        await self.producer.flush()


@asynccontextmanager
async def outside_of(kafka: str, topic: str) -> AsyncIterator[Outside]:
    """Connected for as long."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", compression_type="zstd")
    await producer.start()
    try:
        yield Outside(producer, topic)
    finally:
        await producer.stop()


_ANSWERS: Final = {"lives_alone": "yes", "ill": "no", "dropout": "no", "receives_aid": "yes", "house_unfit": "unknown"}
_NEEDS: Final = ({"need": "documents", "person_id": None},)


async def _put_share(producer: AIOKafkaProducer, topic: str, partition: int, share: Iterable[Message]) -> None:
    batch = producer.create_batch()
    for message in share:
        given = {"key": message.key, "value": message.value, "timestamp": None, "headers": message.headers}
        if batch.append(**given) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**given)
    await (await producer.send_batch(batch, topic, partition=partition))
