"""How far a consumer is behind, asked of the broker: what the client believes is 0 when it is dead."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from messaging import metrics
from messaging.kafka import client_options, find_acknowledged
from messaging.settings import KafkaSettings

_PARTITION_BYTES: Final = 256 * 1024  # asked of each for its age; of larger first batches one comes an answer
_LOOK_MILLISECONDS: Final = 100
_STOP_SECONDS: Final = 3


class Lag:
    """Asks on connections of its own: on the service's, new messages would wait behind the answers."""

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._clients: tuple[AIOKafkaAdminClient, AIOKafkaConsumer] | None = None
        self._met: dict[tuple[TopicPartition, int], float] = {}
        """When the messages that nobody can read, and that wait still, were first met."""

    async def measure(self, client: AIOKafkaConsumer) -> None:
        """Messages of the partitions of this client that are not acknowledged, and the age of the oldest, by topic.

        A partition that has only a transaction's marker left has none; between messages a marker counts as one.
        After an error or when it was cut short, `stop`: a connection that hangs does not come back by itself.
        """
        admin, reader = self._clients or await self._open()
        mine = list(client.assignment())
        # In this order: what is acknowledged meanwhile must not be more than there is.
        acknowledged = await find_acknowledged(admin, self._group, mine)
        begins = await reader.beginning_offsets(mine)
        ends = await reader.end_offsets(mine)
        done = {place: max(begins[place], acknowledged[place]) for place in mine}
        ages = await self._ages(reader, done, ends)
        for gauge in (metrics.LAG, metrics.LAG_SECONDS):
            gauge.clear()  # what another replica has by now
        for topic in {place.topic for place in mine}:
            places = [place for place in ages if place.topic == topic]
            metrics.LAG.labels(topic).set(sum(ends[place] - done[place] for place in places))
            metrics.LAG_SECONDS.labels(topic).set(max((ages[place] for place in places), default=0.0))

    async def stop(self) -> None:
        """Disconnect; the next measure connects anew."""
        clients, self._clients = self._clients, None
        if clients is not None:
            admin, reader = clients
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):  # whatever they say: they are given up
                    await asyncio.gather(reader.stop(), admin.close(), return_exceptions=True)

    async def _open(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        options = client_options(self._settings)
        admin = AIOKafkaAdminClient(**options)
        reader = AIOKafkaConsumer(
            **options,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # a message that is deleted just now: the next one
            max_partition_fetch_bytes=_PARTITION_BYTES,
        )
        self._clients = admin, reader
        await admin.start()
        await reader.start()
        return admin, reader

    async def _ages(
        self, reader: AIOKafkaConsumer, done: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, float]:
        """For how many seconds the broker has had the first message after what is done, where there is one: it is read.

        Of one that cannot be read, for how many it is known. To search its time costs more: many questions, and for
        the answer to each the broker unpacks a batch.
        """
        waiting = {place: ends[place] for place, offset in done.items() if offset < ends[place]}
        if not waiting:
            self._met = {}
            return {}
        now = time.time()
        reader.assign(list(waiting))
        try:
            oldest = await _oldest(reader, waiting, done)
        finally:
            reader.unsubscribe()
        unread = [(place, done[place]) for place, came in oldest.items() if came is None]
        self._met = {message: self._met.get(message, now) for message in unread}
        return {
            place: max(now - (self._met[place, done[place]] if came is None else came), 0.0)
            for place, came in oldest.items()
        }


async def _oldest(
    reader: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int]
) -> dict[TopicPartition, float | None]:
    """When the next message of each came to the broker, null where it cannot be read."""
    times: dict[TopicPartition, float | None] = {}
    try:
        await _first_times(reader, ends, begins, times)
    except Exception:  # noqa: BLE001  # what was read of others in one go is gone: each of the rest for itself
        for place in ends.keys() - times.keys():
            reader.assign([place])
            try:
                await _first_times(reader, {place: ends[place]}, begins, times)
            except Exception:  # noqa: BLE001  # said by the consumer, when it comes to it
                times[place] = None
    return times


async def _first_times(
    reader: AIOKafkaConsumer,
    ends: Mapping[TopicPartition, int],
    begins: Mapping[TopicPartition, int],
    times: dict[TopicPartition, float | None],
) -> None:
    """Of none where the reader comes to the end without: the broker sent markers only."""
    for place in ends:
        reader.seek(place, begins[place])
    left = set(ends)
    while left:
        batches = await reader.getmany(*left, timeout_ms=_LOOK_MILLISECONDS, max_records=1)
        times.update({place: records[0].timestamp / 1000 for place, records in batches.items()})
        left -= batches.keys()
        if not batches:  # the reader passes over markers in silence
            left = {place for place in left if await reader.position(place) < ends[place]}
