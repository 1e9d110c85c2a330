"""Waits until the system has nothing left to do, seen from outside: from Kafka's offsets and one query a database.

At rest: every service that is up has committed all there is on its topics, no outbox holds a fact, no parked
submission could be tried, and each job has run since and written nothing.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import MESSAGES, TOPICS, topics_read
from messaging.clock import set_clock
from messaging.database import Connection, open_connection
from simulation.rest_store import Work, get_work, wake_jobs
from simulation.system import System

_FIRST_LOOK_SECONDS: Final = 0.01
_LATER_LOOK_SHARE: Final = 0.04  # of the time waited so far: looking is work too, for Kafka and the databases
_PATIENCE_SECONDS: Final = 180

Offsets = Mapping[TopicPartition, int]


class NoRestError(Exception):
    """The system does not come to rest."""


@dataclass(slots=True)
class Watch:
    """Connections to whatever tells."""

    system: System
    consumer: AIOKafkaConsumer
    admin: AIOKafkaAdminClient
    databases: dict[str, Connection]
    places: list[TopicPartition]
    waited: float = 0.0
    """Seconds, over all steps."""

    async def set_clocks(self, moment: datetime) -> None:
        """Programme time is this now, in every service; wakes every job."""
        ahead = moment - datetime.now(UTC)
        await asyncio.gather(*(set_clock(db, ahead) for db in self.databases.values()))

    async def rest(self) -> Offsets:
        """Wait; the end of every partition then."""
        started = time.monotonic()
        asked: dict[str, datetime] = {}
        while True:
            busy, ends = await self._busy(asked)
            if busy is None and asked:
                self.waited += time.monotonic() - started
                return ends
            if busy is None:
                asked = {name: await wake_jobs(self.databases[name]) for name in self.system.up()}
            elif busy.startswith("wrote"):
                asked = {}
            if (waited := time.monotonic() - started) > _PATIENCE_SECONDS:
                raise NoRestError(f"The system does not come to rest: {busy}.")
            await asyncio.sleep(max(_FIRST_LOOK_SECONDS, _LATER_LOOK_SHARE * waited))

    async def _busy(self, asked: Mapping[str, datetime]) -> tuple[str | None, Offsets]:
        """What is still to be done, and the ends of all partitions; nothing when it all holds at one moment."""
        names = sorted(self.system.up())
        if (busy := await self._busy_databases(names, asked)) is not None:  # the cheap question first
            return busy, {}
        before, *committed = await asyncio.gather(self.ends(), *map(self._committed, names))
        for name, offsets in zip(names, committed, strict=True):
            if (behind := self._behind(name, offsets, before)) is not None:
                return behind, before
        busy = await self._busy_databases(names, asked)
        ends = await self.ends()
        return busy or (None if ends == before else "new messages"), ends

    async def _busy_databases(self, names: Sequence[str], asked: Mapping[str, datetime]) -> str | None:
        works = await asyncio.gather(*(get_work(self.databases[name]) for name in names))
        told = (self._at_work(name, work, asked.get(name)) for name, work in zip(names, works, strict=True))
        return next((busy for busy in told if busy is not None), None)

    async def _committed(self, service: str) -> Offsets:
        committed = await self.admin.list_consumer_group_offsets(self.system.topic_prefix + service)
        return {place: known.offset for place, known in committed.items()}

    def _behind(self, service: str, committed: Offsets, ends: Offsets) -> str | None:
        for topic in topics_read(service, [MESSAGES[name] for name in self.system.consumes[service]]):
            for partition in range(topic.partitions):
                place = TopicPartition(self.system.topic_prefix + topic.name, partition)
                if committed.get(place, 0) < ends[place]:
                    return f"{service} reads {topic.name}"
        return None

    def _at_work(self, service: str, work: Work, asked: datetime | None) -> str | None:
        if work.stopped:
            raise NoRestError(f"Too many messages failed in {service}: its consumer has stopped.")
        if work.outbox:
            return f"{service} publishes"
        if work.due:
            return f"{service} tries parked submissions"
        if asked is None:
            return None
        for job, (started_at, wrote, failed) in work.runs.items():
            if started_at < asked:
                return f"{service} runs {job}"
            if failed is not None or wrote:
                return f"wrote: {service} {job} {failed or ''}"
        return None

    async def ends(self) -> Offsets:
        """One past the newest record of every partition."""
        ends: Offsets = await self.consumer.end_offsets(self.places)
        return ends


async def open_watch(system: System) -> Watch:
    """Connected; `close_watch` ends it."""
    consumer = AIOKafkaConsumer(bootstrap_servers=system.kafka, enable_auto_commit=False)
    admin = AIOKafkaAdminClient(bootstrap_servers=system.kafka)
    await consumer.start()
    await admin.start()
    databases = {name: await open_connection(url, name="berbagi-play") for name, url in system.databases.items()}
    places = [
        TopicPartition(system.topic_prefix + topic.name, partition)
        for topic in TOPICS
        for partition in range(topic.partitions)
    ]
    return Watch(system, consumer, admin, databases, places)


async def close_watch(watch: Watch) -> None:
    """Leave."""
    await watch.consumer.stop()
    await watch.admin.close()
    for db in watch.databases.values():
        await db.close()
