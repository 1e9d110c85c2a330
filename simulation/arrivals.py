"""What lies on the topics of submissions after the play: all that was acknowledged, and rubbish with its places."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aiokafka import ConsumerRecord

from contracts.topics import TOPICS
from messaging.reading import digest
from simulation.history import read_topics
from simulation.rubbish import BY_PLACE, HEADER


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Of all topics of submissions together."""

    places: set[tuple[str, str]] = field(default_factory=set)
    """Source and id of every submission that has both."""
    unreadable: dict[bytes, str] = field(default_factory=dict)
    """Records that can be told by their place alone, by the id that is made of it."""
    unreadable_from: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many of them say whom to tell, by source and id."""


NONE: Final = Arrivals()


async def read_arrivals(bootstrap_servers: str, prefix: str) -> Arrivals:
    """From the first record to the last there is now."""
    arrivals = Arrivals()
    topics = [topic for topic in TOPICS if "integrators" in topic.producers]
    async for topic, record in read_topics(bootstrap_servers, prefix, topics):
        _take(arrivals, topic.name, record)
    return arrivals


def _take(arrivals: Arrivals, topic: str, record: ConsumerRecord) -> None:
    given = dict(_texts(record))
    source, sent_id = given.get("ce_source"), given.get("ce_id")
    if given.get(HEADER) in BY_PLACE:
        message_id = digest(topic, str(record.partition), str(record.offset), str(record.timestamp))
        arrivals.unreadable[message_id.bytes] = f"{topic} {record.partition}/{record.offset}: {given[HEADER]}"
        if source is not None and sent_id is not None:
            arrivals.unreadable_from[source, sent_id] += 1
    elif source is not None and sent_id is not None:
        arrivals.places.add((source, sent_id))


def _texts(record: ConsumerRecord) -> Iterator[tuple[str, str]]:
    """Headers that are text."""
    for name, value in record.headers:
        try:
            yield name, bytes(value or b"").decode()
        except UnicodeDecodeError:
            continue
