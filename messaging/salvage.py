"""After records could not be read: every partition for itself, from where it is acknowledged, so that none is lost.

aiokafka reads what it has fetched partition by partition. When one cannot be read (a header's name that is not UTF-8),
what it has read of others in the same call is gone, and it goes on behind that.
"""

from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

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
    waiting: list[TopicPartition] = []
    for place in places:
        committed = await client.committed(place)
        is_there = committed is not None and firsts[place] <= committed <= ends[place]  # unless it was made anew
        start = committed if is_there else firsts[place]
        client.seek(place, start)
        waiting += [place] if start < ends[place] else []
    fetched: dict[TopicPartition, list[ConsumerRecord]] = {}
    for number, place in enumerate(waiting):
        room = (most - sum(map(len, fetched.values()))) // (len(waiting) - number)
        try:
            records = await read_apart(client, place, max(room, 1))
        except KafkaError as error:  # a broken checksum: it may be whole elsewhere, so it stays; the others go on
            log.error("partition stands", topic=place.topic, partition=place.partition, error=describe(error))
            continue
        if records:
            fetched[place] = records
    return fetched


async def read_apart(client: AIOKafkaConsumer, place: TopicPartition, most: int) -> list[ConsumerRecord]:
    """The next records of one partition, as `salvage` gives them.

    Raises KafkaError where the first one is damaged.
    """
    start = await client.position(place)
    try:
        fetched: Fetched = await client.getmany(place, timeout_ms=_WAIT_MILLISECONDS, max_records=most)
        return fetched.get(place, [])
    except ConsumerStoppedError:
        raise
    except KafkaError:
        pass
    except Exception as error:  # noqa: BLE001  # whatever a record can be that cannot be read
        log.error("unreadable record", topic=place.topic, partition=place.partition, error=describe(error))
    client.seek(place, start)
    return await _one_by_one(client, place, most)


async def _one_by_one(client: AIOKafkaConsumer, place: TopicPartition, most: int) -> list[ConsumerRecord]:
    records: list[ConsumerRecord] = []
    while len(records) < most:
        try:
            one = (await client.getmany(place, timeout_ms=_WAIT_MILLISECONDS, max_records=1)).get(place, [])
        except ConsumerStoppedError:
            raise
        except KafkaError:
            if not records:
                raise
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
