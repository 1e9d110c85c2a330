"""As little as can be done with what is read: one binary COPY of the raw rows and a one-row upsert a batch."""

import asyncio
import gc
from itertools import chain
from typing import Final

import uvloop
from aiokafka import AIOKafkaConsumer

from messaging.batches import MAX_RECORDS
from messaging.database import open_connection
from messaging.kafka import client_options
from messaging.settings import Settings, read_settings
from tests.bench.machinery import say_ready
from tests.bench.submissions import VISITS

GROUP: Final = "raw"
SESSION_SECONDS: Final = 60  # it gets more than a service, and stands still while it is put on the topic
TABLES: Final = """
create table raw (partition integer not null, "offset" bigint not null, key bytea not null, value bytea not null);
create table progress (
    worker integer primary key,
    rows bigint not null,
    last_rows bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null
);
"""


async def copy_for_ever(settings: Settings) -> None:
    """Until killed; says so once it has partitions."""
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + VISITS,
        **client_options(settings),
        group_id=settings.topic_prefix + GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=1_000 * SESSION_SECONDS,
    )
    db = await open_connection(settings.database_url.get_secret_value(), name="bench-raw")
    worker = await db.fetchval("select pg_backend_pid()")
    await consumer.start()
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=100)
    say_ready()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as the services do
    while True:
        read = await consumer.getmany(timeout_ms=500, max_records=MAX_RECORDS)
        records = [(one.partition, one.offset, one.key, one.value) for one in chain.from_iterable(read.values())]
        if not records:
            continue
        async with db.transaction():
            await db.copy_records_to_table("raw", records=records)
            await db.execute(
                """
                insert into progress (worker, rows, last_rows, first_at, last_at) values ($1, $2, $2, now(), now())
                on conflict (worker) do update
                set rows = progress.rows + excluded.rows, last_rows = excluded.last_rows, last_at = now()
                """,
                worker,
                len(records),
            )
        await consumer.commit()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(copy_for_ever(read_settings()))
