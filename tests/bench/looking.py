"""What Kafka and the tables tell from outside of how far a service has come, and when."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from math import nan

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import HOUSEHOLD_PARTITIONS
from tests.bench.figures import BenchError
from tests.bench.machinery import Site

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Decided:
    """The messages of a run in a service's inbox. Times are those at which transactions began.

    The rate counts from the first transaction to the last one and leaves out what the last one decided, as it leaves
    out how long that took.
    """

    count: int
    before_last: int
    first: datetime
    last: datetime

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.before_last / (self.last - self.first).total_seconds()


@dataclass(frozen=True)
class Broker:
    """Asks about the household-keyed topics of a site."""

    consumer: AIOKafkaConsumer
    admin: AIOKafkaAdminClient
    prefix: str

    async def ends(self, topic: str) -> Offsets:
        """One past the newest record of every partition."""
        ends: Offsets = await self.consumer.end_offsets(self._places(topic))
        return ends

    async def count(self, topic: str) -> int:
        """Records there are."""
        return sum((await self.ends(topic)).values())

    async def behind(self, group: str, topic: str) -> int:
        """Records that a service, or a program with this group, has not acknowledged."""
        done = await self.admin.list_consumer_group_offsets(self.prefix + group)
        ends = await self.ends(topic)
        return sum(end - (done[place].offset if place in done else 0) for place, end in ends.items())

    async def appended(self, topic: str) -> tuple[float, float]:
        """When the broker took the first and the last record, in seconds; it says whole milliseconds."""
        ends = {place: end for place, end in (await self.ends(topic)).items() if end}
        firsts = await self._read_one_each(dict.fromkeys(ends, 0))
        lasts = await self._read_one_each({place: end - 1 for place, end in ends.items()})
        return min(one.timestamp for one in firsts) / 1000, max(one.timestamp for one in lasts) / 1000

    async def read_since(self, topic: str, start: Offsets) -> list[ConsumerRecord]:
        """Everything from these offsets to the present end."""
        ends = await self.ends(topic)
        self._assign(start)
        records: list[ConsumerRecord] = []
        while len(records) < sum(ends.values()) - sum(start.values()):
            for batch in (await self.consumer.getmany(timeout_ms=200)).values():
                records += batch
        return records

    async def _read_one_each(self, start: Offsets) -> list[ConsumerRecord]:
        self._assign(start)
        found: dict[TopicPartition, ConsumerRecord] = {}
        while len(found) < len(start):
            for place, batch in (await self.consumer.getmany(timeout_ms=200)).items():
                found.setdefault(place, batch[0])
        return list(found.values())

    def _assign(self, start: Offsets) -> None:
        self.consumer.assign(list(start))
        for place, offset in start.items():
            self.consumer.seek(place, offset)

    def _places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(self.prefix + topic, number) for number in range(HOUSEHOLD_PARTITIONS)]


@asynccontextmanager
async def looking_at(site: Site) -> AsyncIterator[Broker]:
    """Connected for as long."""
    consumer = AIOKafkaConsumer(bootstrap_servers=site.stack.bootstrap_servers, enable_auto_commit=False)
    admin = AIOKafkaAdminClient(bootstrap_servers=site.stack.bootstrap_servers)
    await consumer.start()
    await admin.start()
    try:
        yield Broker(consumer, admin, site.prefix)
    finally:
        await consumer.stop()
        await admin.close()


async def decided(url: str, expected: int | None = None) -> Decided:
    """Of the last hour; BenchError when it is another number of messages, or one of them was not taken well."""
    db = await asyncpg.connect(url)
    row = await db.fetchrow(
        """
        with run as (select outcome, received_at from inbox where received_at > now() - interval '1 hour')
        select count(*) as count, min(received_at) as first, max(received_at) as last,
               count(*) filter (where received_at < (select max(received_at) from run)) as before_last,
               count(*) filter (where outcome in ('refused', 'quarantined', 'parked')) as bad
        from run
        """
    )
    await db.close()
    if row is None or row["bad"] or (expected is not None and row["count"] != expected):
        raise BenchError(f"the inbox has {row and dict(row)}; {expected} messages were sent")
    if row["before_last"] == 0:
        raise BenchError("everything was decided at once: there is no rate of one transaction")
    return Decided(row["count"], row["before_last"], row["first"], row["last"])


@dataclass(frozen=True, slots=True)
class Size:
    """Of a table, with its indexes."""

    rows: int
    bytes: int

    @property
    def a_row(self) -> float:
        """Bytes; NaN when there is none."""
        return self.bytes / self.rows if self.rows else nan


async def sizes_of(url: str, tables: Sequence[str]) -> dict[str, Size]:
    """By table; right after a vacuum, for the rows are those it counted."""
    db = await asyncpg.connect(url)
    rows = await db.fetch(
        """
        select relname, greatest(reltuples, 0)::bigint as rows, pg_total_relation_size(oid) as bytes
        from pg_class where relkind = 'r' and relname = any($1::text[])
        """,
        tables,
    )
    await db.close()
    return {row["relname"]: Size(row["rows"], row["bytes"]) for row in rows}


async def count_outbox(url: str) -> int:
    """Facts that are committed and not published."""
    db = await asyncpg.connect(url)
    rows: int = await db.fetchval("select count(*) from outbox")
    await db.close()
    return rows


@asynccontextmanager
async def relay_held(url: str) -> AsyncIterator[None]:
    """No replica publishes: each waits for the lock that is held here."""
    db = await asyncpg.connect(url)
    await db.execute("select pg_advisory_lock(hashtext('berbagi relay'))")
    try:
        yield
    finally:
        await db.close()
