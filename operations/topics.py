"""Makes every topic of the table in `contracts/topics.py`, and says where a topic that is there differs from it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from contracts.topics import TOPICS, Topic
from messaging.kafka import client_options
from messaging.settings import KafkaSettings
from operations.errors import CommandError

COPIES: Final = 3
ENOUGH: Final = 2  # of three copies; a message is acknowledged when these have it
MAX_MESSAGE_BYTES: Final = 1_048_588  # a record batch: the relay's has 512 KiB, an integrator's client sends 1 MiB


@dataclass(frozen=True, slots=True)
class Topics:
    """What was done; each of `differing` is a sentence."""

    created: tuple[str, ...]
    differing: tuple[str, ...]


async def create_topics(settings: KafkaSettings) -> Topics:
    """Create what is missing; what is there is never changed, least of all the number of its partitions."""
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what it has to say is in the sentence we raise
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        brokers = len((await admin.describe_cluster())["brokers"])
        wanted = [_new_topic(settings.topic_prefix, topic, brokers) for topic in TOPICS]
        created = await _create(admin, wanted)
        rest = [topic for topic in wanted if topic.name not in created]
        return Topics(created, await _differences(admin, rest) if rest else ())
    except KafkaConnectionError:
        raise CommandError(f"Kafka does not answer at {settings.kafka}") from None
    except KafkaError as error:
        raise CommandError(f"Kafka at {settings.kafka} refuses: {_words(error)}") from None
    finally:
        await admin.close()


def _new_topic(prefix: str, topic: Topic, brokers: int) -> NewTopic:
    copies = min(COPIES, brokers)
    kept = -1 if topic.retention is None else round(topic.retention.total_seconds() * 1000)
    return NewTopic(
        prefix + topic.name,
        topic.partitions,
        copies,
        topic_configs={
            "cleanup.policy": "delete",  # never compacted: a key carries several aggregates
            "retention.ms": str(kept),
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "min.insync.replicas": str(ENOUGH if copies == COPIES else 1),
        },
    )


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> tuple[str, ...]:
    """Names of the new ones. The errors are inside the answer: nothing is raised for us."""
    answer = await admin.create_topics(list(topics))
    created = []
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code == 0:
            created.append(name)
        elif error is not TopicAlreadyExistsError:
            raise CommandError(f"topic {name} could not be created: {_words(error())}")
    return tuple(created)


async def _differences(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> tuple[str, ...]:
    partitions = {
        topic["topic"]: len(topic["partitions"])
        for topic in await admin.describe_topics([topic.name for topic in topics])
    }
    configs = await _configs(admin, topics)
    sentences = []
    for topic in topics:
        if partitions[topic.name] != topic.num_partitions:
            sentences.append(f"{topic.name} has {partitions[topic.name]} partitions instead of {topic.num_partitions}")
        sentences += [
            f"{topic.name} has {name}={configs[topic.name][name]} instead of {value}"
            for name, value in topic.topic_configs.items()
            if configs[topic.name][name] != value
        ]
    return tuple(sentences)


async def _configs(admin: AIOKafkaAdminClient, topics: Sequence[NewTopic]) -> Mapping[str, Mapping[str, Any]]:
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(topic.topic_configs)) for topic in topics
    ]
    configs = {}
    for answer in await admin.describe_configs(resources):
        for code, _, _, name, entries in answer.resources:
            if code != 0:
                raise CommandError(f"topic {name} could not be read: {_words(for_code(code)())}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


def _words(error: KafkaError) -> str:
    return type(error).__name__.removesuffix("Error")
