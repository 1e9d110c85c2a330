"""What a relay cannot do without: select a page, send it partition by partition, delete it. No lock, no recovery."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import asyncpg
import uvloop
from aiokafka import AIOKafkaProducer

from contracts.topics import HOUSEHOLD_PARTITIONS
from messaging.database import Connection, open_connection
from messaging.kafka import client_options
from messaging.partitions import partition_of
from messaging.relay import PAGE
from messaging.settings import Settings, read_settings
from tests.bench.machinery import say_ready

_BATCH_BYTES: Final = 512 * 1024
_IDLE_SECONDS: Final = 0.002


async def publish_for_ever(settings: Settings) -> None:
    """Until killed."""
    db = await open_connection(settings.database_url.get_secret_value(), name="bench-bare-relay")
    await db.execute("set enable_seqscan = off")  # as the relay does: a table that fills while it is read
    producer = AIOKafkaProducer(
        **client_options(settings),
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        max_batch_size=_BATCH_BYTES,
        max_request_size=2 * _BATCH_BYTES,
    )
    await producer.start()
    say_ready()
    while True:
        if not await _publish_page(db, producer, settings.topic_prefix):
            await asyncio.sleep(_IDLE_SECONDS)


async def _publish_page(db: Connection, producer: AIOKafkaProducer, prefix: str) -> int:
    rows = await db.fetch(
        """
        select id, topic, message_id, type, subject, regency, correlationid, causationid, value, created_at
        from outbox order by id limit $1
        """,
        PAGE,
    )
    if rows:
        shares: dict[tuple[str, int], list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            shares[prefix + row["topic"], partition_of(row["subject"], HOUSEHOLD_PARTITIONS)].append(row)
        await asyncio.gather(*(_publish_share(producer, *place, share) for place, share in shares.items()))
        await db.execute("delete from outbox where id = any($1::bigint[])", [row["id"] for row in rows])
    return len(rows)


async def _publish_share(
    producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[asyncpg.Record]
) -> None:
    batch = producer.create_batch()
    for row in rows:
        given = {"key": row["subject"].encode(), "value": row["value"], "timestamp": None, "headers": _headers(row)}
        if batch.append(**given) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**given)
    await (await producer.send_batch(batch, topic, partition=partition))


def _headers(row: asyncpg.Record) -> list[tuple[str, bytes]]:
    return [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_source", b"berbagi-assignment"),
        ("ce_type", row["type"].encode()),
        ("ce_regency", row["regency"].encode()),
        ("ce_id", str(row["message_id"]).encode()),
        ("ce_subject", row["subject"].encode()),
        ("ce_correlationid", row["correlationid"].encode()),
        ("ce_time", row["created_at"].isoformat().encode()),
        ("ce_causationid", row["causationid"].encode()),
    ]


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(publish_for_ever(read_settings()))
