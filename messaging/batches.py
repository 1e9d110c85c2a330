"""Batches of records: the next one is fetched and read while the one before it is carried out."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError, TopicAuthorizationFailedError

from messaging.apply import read_all
from messaging.errors import describe
from messaging.logs import log
from messaging.reading import Ignored, Reading, Record
from messaging.salvage import Fetched, salvage
from messaging.transaction import Context

MAX_RECORDS: Final = 1_000
_POLL_MILLISECONDS: Final = 500
_READ_AT_ONCE: Final = 200  # the batch that commits meanwhile must not wait long for its turn


class Batch(tuple[ConsumerRecord, ...]):  # noqa: SLOT001  # a tuple with slots can hold nothing more
    """Records as FastStream hands them on, what they say, and where each partition goes on after them."""

    readings: list[Reading | Ignored]
    offsets: dict[TopicPartition, int]
    term: int


class Batches:
    """What a consumer gets. The client's position is ahead of the work: acknowledge a batch by its `offsets` only."""

    def __init__(self, context: Context, prefix: str) -> None:
        self._context = context
        self._prefix = prefix
        self._ahead: asyncio.Task[Batch] | None = None
        self._fetched: Fetched = {}
        self._term = 0
        self._is_astray = False
        """The client may have gone on behind records that nobody was given."""

    async def next(self, consumer: AIOKafkaConsumer) -> Batch:
        """The next records as soon as there are some; none after a while, or when they were taken from us meanwhile."""
        ahead, self._ahead = self._ahead, None
        batch = await (ahead or asyncio.create_task(self._fetch(consumer)))
        if not self.is_ours(batch):
            return Batch()
        self._fetched = {}
        if batch:
            self._ahead = asyncio.create_task(self._fetch(consumer))
        return batch

    def is_ours(self, batch: Batch) -> bool:
        """False when its partitions have been given away since it was fetched."""
        return batch.term == self._term

    def forget(self) -> None:
        """Partitions are given away: whoever gets them fetches what was fetched ahead."""
        self._term += 1
        if self._ahead is not None:
            self._ahead.cancel()
        self._ahead, self._fetched = None, {}

    def rewind(self, client: AIOKafkaConsumer) -> None:
        """A batch is going to be fetched again: what was fetched ahead comes after it, not before."""
        fetched = self._fetched
        self.forget()
        for place, records in fetched.items():
            with suppress(KafkaError):  # not ours any more
                client.seek(place, records[0].offset)

    async def _fetch(self, client: AIOKafkaConsumer) -> Batch:
        self._fetched = fetched = await self._get(client)
        batch = Batch(record for records in fetched.values() for record in records)
        batch.offsets = {place: records[-1].offset + 1 for place, records in fetched.items()}
        batch.readings, batch.term = [], self._term  # of now: what getmany waited for may have come in a newer one
        for start in range(0, len(batch), _READ_AT_ONCE):
            batch.readings += read_all(self._context, self._records(batch[start : start + _READ_AT_ONCE]))
            await asyncio.sleep(0)
        return batch

    async def _get(self, client: AIOKafkaConsumer) -> Fetched:
        if not self._is_astray:
            try:
                fetched: Fetched = await client.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=MAX_RECORDS)
            except ConsumerStoppedError:
                raise
            except Exception as error:
                log.error("fetch failed", error=describe(error))
                # Of a topic that may not be read nothing is lost: others are read on. Salvage would ask for it first.
                self._is_astray = not isinstance(error, TopicAuthorizationFailedError)
                if isinstance(error, KafkaError):  # FastStream comes again in 5 seconds
                    raise
            else:
                return fetched
        term = self._term
        fetched = await salvage(client, MAX_RECORDS)
        self._is_astray = term != self._term  # once more: what was got may have been given away meanwhile
        return {} if self._is_astray else fetched

    def _records(self, records: Iterable[ConsumerRecord]) -> list[Record]:
        return [
            Record(
                record.topic.removeprefix(self._prefix),
                record.key,
                record.headers,
                record.value,
                record.partition,
                record.offset,
                record.timestamp,
            )
            for record in records
        ]
