"""The one relay of a database: publishes the outbox in order, and deletes what the broker has."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.envelope import SERVICE_SOURCE, Envelope, to_headers
from messaging import metrics
from messaging.database import Connection, open_connection
from messaging.errors import describe, is_transient
from messaging.failpoints import failpoint
from messaging.kafka import client_options
from messaging.logs import log
from messaging.partitions import partition_of
from messaging.settings import Settings

PAGE: Final = 2_000
_POLL_SECONDS: Final = 1.0  # the net under NOTIFY
_PAUSE_SECONDS: Final = 0.5
_PUBLISH_SECONDS: Final = 30
_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 3
_BATCH_BYTES: Final = 512 * 1024  # under the topics' max.message.bytes, for a batch is refused as a whole


class Relay:
    """Only the replica that holds the database's lock publishes; the others stand by."""

    def __init__(self, settings: Settings, service: str) -> None:
        self.beat = time.monotonic()
        """When it last got on; the watchdog looks at it."""
        self._settings = settings
        self._source = SERVICE_SOURCE + service
        self._producer: AIOKafkaProducer | None = None

    async def run(self) -> None:
        """Publish until cancelled, whatever goes away in between."""
        try:
            while True:
                try:
                    await self._lead()
                except (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    metrics.RELAY_FAILURES.labels(type(error).__name__).inc()
                    log.warning("relay tries again", error=describe(error), transient=is_transient(error))
                    self.beat = time.monotonic()
                metrics.RELAY_LEADER.set(0)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await self._drop_producer()

    async def _lead(self) -> None:
        db = await open_connection(self._settings.database_url.get_secret_value(), name="berbagi-relay")
        try:
            # After an idle start the planner believes the table empty and reads it from end to end for every page.
            await db.execute("set enable_seqscan = off")
            while not await db.fetchval("select pg_try_advisory_lock(hashtext('berbagi relay'))"):
                self.beat = time.monotonic()
                await asyncio.sleep(_POLL_SECONDS)
            metrics.RELAY_LEADER.set(1)
            wake = asyncio.Event()
            await db.add_listener("outbox", lambda *_: wake.set())
            while True:
                self.beat = time.monotonic()
                wake.clear()
                if not await self._publish_page(db):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(wake.wait(), _POLL_SECONDS)
        finally:
            db.terminate()

    async def _publish_page(self, db: Connection) -> int:
        rows = await db.fetch(
            """select id, topic, message_id, type, subject, regency, correlationid, causationid, value, created_at
               from outbox order by id limit $1""",
            PAGE,
        )
        if rows:
            at_broker: list[int] = []
            try:
                await self._publish(rows, at_broker)
            finally:  # also when some were refused: the others would be published again and again
                failpoint("between_publish_and_delete")
                await db.execute("delete from outbox where id = any($1::bigint[])", at_broker)
                metrics.PUBLISHED.inc(len(at_broker))
        oldest = (datetime.now(UTC) - rows[0]["created_at"]).total_seconds() if len(rows) == PAGE else 0.0
        metrics.OUTBOX_OLDEST.set(max(oldest, 0.0))
        return len(rows)

    async def _publish(self, rows: Sequence[asyncpg.Record], at_broker: list[int]) -> None:
        """Returns when the broker has every row; partitions side by side, each in order.

        `at_broker` is given the ids of those it has, also when this raises: they are not published again.
        """
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                producer = await self._open_producer()
                shares = await self._by_partition(producer, rows)
                publishing = [self._publish_share(producer, place, share, at_broker) for place, share in shares.items()]
                outcomes = await asyncio.gather(*publishing, return_exceptions=True)
            if failures := [one for one in outcomes if one is not None]:
                raise failures[0]
        except (KafkaError, TimeoutError):
            # A producer that was refused once has its sequence numbers broken for ever; a new one costs 20 ms.
            await self._drop_producer()
            raise

    async def _by_partition(
        self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
    ) -> dict[tuple[str, int], list[asyncpg.Record]]:
        counts = {
            name: len(await producer.partitions_for(self._topic(name))) for name in {row["topic"] for row in rows}
        }
        shares: dict[tuple[str, int], list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            shares[self._topic(row["topic"]), partition_of(row["subject"], counts[row["topic"]])].append(row)
        return shares

    async def _publish_share(
        self, producer: AIOKafkaProducer, place: tuple[str, int], rows: Sequence[asyncpg.Record], at_broker: list[int]
    ) -> None:
        """One batch after another: were a later one sent while an earlier fails, versions would appear out of order."""
        topic, partition = place
        batch, ids = producer.create_batch(), list[int]()
        for row in rows:
            headers, key = self._headers(row), row["subject"].encode()
            if batch.append(key=key, value=row["value"], timestamp=None, headers=headers) is None:
                await (await producer.send_batch(batch, topic, partition=partition))
                at_broker += ids
                batch, ids = producer.create_batch(), []
                batch.append(key=key, value=row["value"], timestamp=None, headers=headers)
            ids.append(row["id"])
        await (await producer.send_batch(batch, topic, partition=partition))
        at_broker += ids

    def _headers(self, row: asyncpg.Record) -> list[tuple[str, bytes]]:
        # A row as `_publish_page` selects it, and an envelope by place: by name both take longer.
        _, _, message_id, event, subject, regency, correlationid, causationid, _, created_at = row
        said_at = _written(created_at)
        return to_headers(
            Envelope(str(message_id), self._source, event, subject, said_at, correlationid, causationid, regency)
        )

    def _topic(self, name: str) -> str:
        return self._settings.topic_prefix + name

    async def _open_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **client_options(self._settings),
                enable_idempotence=True,
                acks="all",
                compression_type="zstd",
                max_batch_size=_BATCH_BYTES,
                max_request_size=2 * _BATCH_BYTES,
                request_timeout_ms=10_000,
            )
            self._producer = producer
            async with asyncio.timeout(_START_SECONDS):
                await producer.start()
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await producer.stop()
        except (KafkaError, OSError, TimeoutError):  # it waits for what cannot be sent, and would try it for ever
            sending = producer._sender.sender_task  # noqa: SLF001  # aiokafka has no other way
            if sending is not None:
                sending.cancel()  # now it waits for what is in flight,
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await producer.client.close()  # which fails,
            if sending is not None:
                sending.cancel()  # and then for news of the cluster, which do not come


@lru_cache(1_000)
def _written(created_at: datetime) -> str:
    """Of a transaction's facts it is one time."""
    return created_at.isoformat()
