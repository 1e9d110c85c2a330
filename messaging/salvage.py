"""After records could not be read: every partition for itself, from where it is acknowledged, so that none is lost.

aiokafka reads what it has fetched partition by partition. When one cannot be read (a header's name that is not UTF-8),
what it has read of others in the same call is gone, and it goes on behind that.
"""

from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from messaging.errors import describe
from messaging.logs import log

_WAIT_MILLISECONDS: Final = 500
_NO_TIME: Final = -1  # as Kafka says it

Fetched = Mapping[TopicPartition, list[ConsumerRecord]]


async def salvage(client: AIOKafkaConsumer, most: int) -> Fetched:
    """The next records. Of one that cannot be read there is its place and nothing else; so of what was sent with it
    and comes after it.

    Raises KafkaError: try again, whatever has been read by then.
    """
    places = sorted(client.assignment())
    firsts, ends = await client.beginning_offsets(places), await client.end_offsets(places)
    fetched: dict[TopicPartition, list[ConsumerRecord]] = {}
    starts: dict[TopicPartition, int] = {}
    for place in places:
        committed = await client.committed(place)
        starts[place] = firsts[place] if committed is None else committed
        client.seek(place, starts[place])
    for place, start in starts.items():
        room = most - sum(map(len, fetched.values()))
        if room and start < ends[place] and (records := await _of_one(client, place, start, room)):
            fetched[place] = records
    return fetched


async def _of_one(client: AIOKafkaConsumer, place: TopicPartition, start: int, most: int) -> list[ConsumerRecord]:
    try:
        fetched: Fetched = await client.getmany(place, timeout_ms=_WAIT_MILLISECONDS, max_records=most)
        return fetched.get(place, [])
    except Exception as error:  # noqa: BLE001  # whatever a record can be that cannot be read
        log.error("unreadable record", topic=place.topic, partition=place.partition, error=describe(error))
        if isinstance(error, KafkaError):  # a broken checksum: it may be whole elsewhere, so it stays; the others go on
            return []
    client.seek(place, start)
    return await _one_by_one(client, place, most)


async def _one_by_one(client: AIOKafkaConsumer, place: TopicPartition, most: int) -> list[ConsumerRecord]:
    records: list[ConsumerRecord] = []
    while len(records) < most:
        try:
            one = (await client.getmany(place, timeout_ms=_WAIT_MILLISECONDS, max_records=1)).get(place, [])
        except KafkaError:
            break
        except Exception:  # noqa: BLE001  # said by who has called
            offset = await client.position(place)
            one = [_unreadable(place, offset)]
            client.seek(place, offset + 1)
        if not one:
            break
        records += one
    return records


def _unreadable(place: TopicPartition, offset: int) -> ConsumerRecord:
    return ConsumerRecord(place.topic, place.partition, offset, _NO_TIME, 0, None, None, None, -1, -1, ())
