"""Reads a topic once more when an operator asks, as far as the consumer has come: hands over what the inbox lacks."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import TopicAuthorizationFailedError, UnknownTopicOrPartitionError

from messaging.apply import apply, ensure_not_stopped, read_all
from messaging.batches import MAX_RECORDS
from messaging.database import ACQUIRE_SECONDS, Connection, alone
from messaging.errors import StoppedError, describe, is_transient
from messaging.kafka import client_options, find_acknowledged, missing_topics
from messaging.logs import log
from messaging.reading import Ignored, Reading, Record
from messaging.salvage import read_apart
from messaging.settings import Settings
from messaging.transaction import Context

_EVERY_SECONDS: Final = 2.0
_CLOSED: Final = (TopicAuthorizationFailedError, UnknownTopicOrPartitionError)


class _EndedError(Exception):
    """An operator has ended it meanwhile."""


@dataclass(slots=True)
class Replay:
    """What was asked for, and how far it is."""

    replay_id: int
    topic: str
    since: datetime
    messages_read: int
    outcomes: Counter[str]
    """Of what was missing; what an earlier try handed over stays counted."""


async def replay_forever(context: Context, settings: Settings, asked: asyncio.Event) -> None:
    """Replay what is asked for until cancelled; while the breaker is open it waits."""
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), _EVERY_SECONDS)
        asked.clear()
        try:
            await ensure_not_stopped(context)
            async with alone(context.pool, "replay") as db:
                while db is not None and (wanted := await _find_next(db)) is not None:
                    await _replay(context, settings, wanted)
        except StoppedError:
            continue
        except Exception as error:  # noqa: BLE001  # a bug here must not stop a service; the request stays and shows
            log.warning("replay tries again", error=describe(error), transient=is_transient(error))


async def _replay(context: Context, settings: Settings, wanted: Replay) -> None:
    """From the beginning whenever it is tried again: what was handed over is in the inbox by then."""
    failure: str | None = None
    try:
        await _read_through(context, settings, wanted)
    except Exception as error:
        if isinstance(error, StoppedError) or (is_transient(error) and not isinstance(error, _CLOSED)):
            raise
        failure = describe(error)
    async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await _finish(db, wanted, failure)
    outcomes = dict(wanted.outcomes)
    log.info("replayed", topic=wanted.topic, messages=wanted.messages_read, outcomes=outcomes, error=failure)


async def _read_through(context: Context, settings: Settings, wanted: Replay) -> None:
    """As far as the consumer has acknowledged: it may still have something in hand that is older than the rest."""
    wanted.messages_read = 0
    name = settings.topic_prefix + wanted.topic
    if await missing_topics(settings, [name]):
        raise UnknownTopicOrPartitionError
    consumer = AIOKafkaConsumer(
        name, **client_options(settings), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        acknowledged = await _find_ends(consumer, settings, settings.topic_prefix + context.card.name)
        ends = await _seek(consumer, wanted.since, acknowledged)
        while left := [place for place, end in ends.items() if await consumer.position(place) < end]:
            fetched = await read_apart(consumer, left[0], MAX_RECORDS)
            records = [one for one in fetched if one.offset < ends[left[0]]]
            await _hand_over(context, wanted, [_record(one, wanted.topic) for one in records])
    finally:
        await consumer.stop()


async def _find_ends(consumer: AIOKafkaConsumer, settings: Settings, group: str) -> dict[TopicPartition, int]:
    """How far the group has come in each partition, never beyond its end; -1 where it has acknowledged nothing."""
    places = list(consumer.assignment())
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        acknowledged = await find_acknowledged(admin, group, places)
    finally:
        await admin.close()
    ends = await consumer.end_offsets(places)
    return {place: min(acknowledged[place], ends[place]) for place in places}


async def _seek(
    consumer: AIOKafkaConsumer, since: datetime, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Put the partitions that have something from this time of the broker's clock to their ends there; those ends."""
    starts = await consumer.offsets_for_times(dict.fromkeys(ends, int(since.timestamp() * 1000)))
    begins = {place: start.offset for place, start in starts.items() if start and start.offset < ends[place]}
    for place, offset in begins.items():
        consumer.seek(place, offset)
    return {place: ends[place] for place in begins}


async def _hand_over(context: Context, wanted: Replay, records: Sequence[Record]) -> None:
    readings = [one for one in read_all(context, records) if not isinstance(one, Ignored)]
    async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        missing = await _list_missing(db, readings)
    answers = await apply(context, [one for one in readings if one.message_id in missing]) if missing else []
    wanted.messages_read += len(records)
    wanted.outcomes.update(answer.outcome for answer in answers)
    async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        await _save_progress(db, wanted)


async def _find_next(db: Connection) -> Replay | None:
    row = await db.fetchrow(
        """select replay_id, topic, since, messages_read, outcomes from replay
           where finished_at is null order by replay_id limit 1"""
    )
    if row is None:
        return None
    outcomes = Counter(json.loads(row["outcomes"]))
    return Replay(row["replay_id"], row["topic"], row["since"], row["messages_read"], outcomes)


async def _list_missing(db: Connection, readings: Sequence[Reading]) -> set[UUID]:
    rows = await db.fetch(
        """select message_id from unnest($1::uuid[]) as message_id
           where not exists (select from inbox where inbox.message_id = message_id.message_id)""",
        [reading.message_id for reading in readings],
    )
    return {row["message_id"] for row in rows}


async def _save_progress(db: Connection, wanted: Replay) -> None:
    saved = await db.fetchval(
        """update replay set messages_read = $2, outcomes = $3 where replay_id = $1 and finished_at is null
           returning replay_id""",
        wanted.replay_id,
        wanted.messages_read,
        json.dumps(wanted.outcomes),
    )
    if saved is None:
        raise _EndedError


async def _finish(db: Connection, wanted: Replay, failure: str | None) -> None:
    await db.execute(
        "update replay set finished_at = now(), failed = $2 where replay_id = $1 and finished_at is null",
        wanted.replay_id,
        failure,
    )


def _record(record: ConsumerRecord, topic: str) -> Record:
    return Record(topic, record.key, record.headers, record.value, record.partition, record.offset, record.timestamp)
