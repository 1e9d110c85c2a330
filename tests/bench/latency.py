"""From a submission sent to its fact readable, all services at work; beside it, the broker alone in the same run."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import HOUSEHOLD_PARTITIONS, OTHER_PARTITIONS
from tests.bench.chain import Chain, chain_on, drain_rate
from tests.bench.figures import Bar, Figure, at_most, percentile, shown
from tests.bench.hot_path import FACTS
from tests.bench.machinery import Ground, Plan, measure_on_ground, until
from tests.bench.submissions import Message, outside_of

_ECHO: Final = "notification-events"  # no service reads it
_PROBES: Final = 20  # a second: of the broker alone, and of the chain when it is idle
_WARM_UP_SECONDS: Final = 3.0
_LOADS: Final[Mapping[str, float]] = {"idle": 0.0, "a tenth": 0.1, "half": 0.5}
"""Shares of the rate at which a backlog goes through the chain."""
_BARS: Final[Mapping[tuple[str, int], Bar]] = {
    ("idle", 50): at_most(20),
    ("idle", 99): at_most(60),
    ("a tenth", 99): at_most(150),
    ("half", 99): at_most(500),
}


@dataclass
class Seen:
    """When each message was sent and its answer read, by id."""

    sent: dict[bytes, float] = field(default_factory=dict)
    read: dict[bytes, float] = field(default_factory=dict)

    def tell(self, message: Message, due: float) -> None:
        self.sent[message.id.encode()] = due

    async def all_read(self) -> bool:
        return len(self.read) >= len(self.sent)

    def milliseconds(self) -> list[float]:
        """Of each message but those with which it began."""
        begin = min(self.sent.values()) + _WARM_UP_SECONDS
        return [1000 * (self.read[one] - sent) for one, sent in self.sent.items() if sent >= begin]


def measure(plan: Plan) -> list[Figure]:
    """Idle, at a tenth and at half of the chain's rate."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    chains: dict[str, list[list[float]]] = {load: [] for load in _LOADS}
    brokers: dict[str, list[list[float]]] = {load: [] for load in _LOADS}
    for _ in range(plan.rounds):
        async with chain_on(ground) as running:
            rate = await drain_rate(running, plan.of(60_000, 3_000))
            for load, share in _LOADS.items():
                seconds = _WARM_UP_SECONDS + plan.of(30, 2)
                through, echo = await _send(running, max(_PROBES, share * rate), seconds)
                chains[load].append(through.milliseconds())
                brokers[load].append(echo.milliseconds())
    return [
        figure
        for load in _LOADS
        for percent in (50, 99)
        for figure in _figures(load, percent, chains[load], brokers[load])
    ]


def _figures(load: str, percent: int, own: list[list[float]], broker: list[list[float]]) -> Iterable[Figure]:
    alone = tuple(percentile(one, percent) for one in broker)
    beside = f"the broker alone {shown(median(alone))}"
    rounds = tuple(percentile(one, percent) for one in own)
    yield Figure(f"sent to readable, {load}, p{percent}", "ms", rounds, beside, _BARS.get((load, percent)))
    yield Figure(f"the broker alone, {load}, p{percent}", "ms", alone)


async def _send(running: Chain, rate: float, seconds: float) -> tuple[Seen, Seen]:
    """What became of visits through the chain, and of records that only the broker had to do with."""
    site, through, echo = running.site, Seen(), Seen()
    kafka = site.stack.bootstrap_servers
    messages = running.take(round(rate * seconds))
    probes = [
        one._replace(partition=number % OTHER_PARTITIONS)
        for number, one in enumerate(running.take(round(_PROBES * seconds)))
    ]
    async with (
        reading(kafka, site.prefix + FACTS, HOUSEHOLD_PARTITIONS, "ce_causationid", through),
        reading(kafka, site.prefix + _ECHO, OTHER_PARTITIONS, "ce_id", echo),
        outside_of(kafka, site.prefix + _ECHO) as broker_alone,
    ):
        async with asyncio.TaskGroup() as group:
            group.create_task(running.outside.send(messages, rate, through.tell))
            await asyncio.sleep(0.5 / _PROBES)  # not at the same moments
            group.create_task(broker_alone.send(probes, _PROBES, echo.tell))
        await until(through.all_read, "every fact is read")
        await until(echo.all_read, "every echo is read")
    await until(running.is_through, "what was sent is through")
    return through, echo


@asynccontextmanager
async def reading(kafka: str, topic: str, partitions: int, header: str, seen: Seen) -> AsyncIterator[None]:
    """From now on, note when a record with this header could be read."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
    await consumer.seek_to_end()
    task = asyncio.create_task(_read(consumer, header, seen))
    try:
        yield
    finally:
        task.cancel()
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, header: str, seen: Seen) -> None:
    while True:
        batches = await consumer.getmany(timeout_ms=1_000)
        now = time.time()
        for batch in batches.values():
            for record in batch:
                answered = next((value for name, value in record.headers if name == header), b"")
                if answered in seen.sent:
                    seen.read.setdefault(answered, now)
