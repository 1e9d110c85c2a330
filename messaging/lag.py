"""How far a consumer is behind, asked of the broker: what the client believes is 0 when it is dead."""

import time
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from messaging import metrics
from messaging.kafka import client_options
from messaging.settings import KafkaSettings

_PARTITION_BYTES: Final = 64 * 1024  # of each, when its age is asked: the first batch comes whole however large


class Lag:
    """Asks on connections of its own: on the service's, new messages would wait behind the answers."""

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        self._group = group
        self._admin = AIOKafkaAdminClient(**client_options(settings))
        self._reader = AIOKafkaConsumer(
            **client_options(settings), enable_auto_commit=False, max_partition_fetch_bytes=_PARTITION_BYTES
        )
        self._is_started = False

    async def measure(self, client: AIOKafkaConsumer) -> None:
        """Messages of the partitions of this client that are not acknowledged, and the age of the oldest, by topic."""
        if not self._is_started:
            await self._admin.start()
            await self._reader.start()
            self._is_started = True
        mine = list(client.assignment())
        ends = await self._reader.end_offsets(mine)
        begins = await self._reader.beginning_offsets(mine)
        acknowledged = await self._admin.list_consumer_group_offsets(self._group)
        done = {
            place: max(begins[place], acknowledged[place].offset) if place in acknowledged else begins[place]
            for place in mine
        }
        ages = await self._ages({place: offset for place, offset in done.items() if offset < ends[place]})
        for gauge in (metrics.LAG, metrics.LAG_SECONDS):
            gauge.clear()  # what another replica has by now
        for topic in {place.topic for place in mine}:
            places = [place for place in mine if place.topic == topic]
            metrics.LAG.labels(topic).set(sum(ends[place] - done[place] for place in places))
            metrics.LAG_SECONDS.labels(topic).set(max(ages.get(place, 0.0) for place in places))

    async def stop(self) -> None:
        """Disconnect."""
        await self._reader.stop()
        await self._admin.close()

    async def _ages(self, waiting: Mapping[TopicPartition, int]) -> dict[TopicPartition, float]:
        """For how many seconds the broker has had the message at each of these offsets: it is read.

        To ask which offset belongs to a time is no cheaper way: the broker unpacks a batch for each answer, and has to
        be asked for many times.
        """
        if not waiting:
            return {}
        self._reader.assign(list(waiting))
        try:
            for place, offset in waiting.items():
                self._reader.seek(place, offset)
            oldest = [await self._reader.getone(place) for place in waiting]
        finally:
            self._reader.unsubscribe()
        now = time.time()
        ages = (max(now - record.timestamp / 1000, 0.0) for record in oldest)
        return dict(zip(waiting, ages, strict=True))
