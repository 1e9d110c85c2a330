"""How to reach Kafka: address, authentication, topics."""

import asyncio
import ssl
from collections.abc import Collection
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from faststream.security import BaseSecurity, SASLScram512

from messaging.settings import KafkaSettings

REQUEST_SECONDS: Final = 10


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Arguments every aiokafka client takes."""
    secure = _tls(settings)
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka}
    if settings.kafka_user is not None and settings.kafka_password is not None:
        options |= {
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    protocol = ("SASL_" if "sasl_mechanism" in options else "") + ("SSL" if secure else "PLAINTEXT")
    return options | {"security_protocol": protocol, "ssl_context": secure}


def security(settings: KafkaSettings) -> BaseSecurity | None:
    """The same for FastStream."""
    secure = _tls(settings)
    if settings.kafka_user is not None and settings.kafka_password is not None:
        password = settings.kafka_password.get_secret_value()
        return SASLScram512(settings.kafka_user, password, ssl_context=secure, use_ssl=secure is not None)
    return BaseSecurity(ssl_context=secure, use_ssl=True) if secure else None


async def missing_topics(settings: KafkaSettings, wanted: Collection[str]) -> list[str]:
    """Which of these topics the broker does not have; a consumer of a missing topic would hang for 40 s."""
    client = AIOKafkaClient(**client_options(settings))
    async with asyncio.timeout(REQUEST_SECONDS):
        try:
            await client.bootstrap()
            cluster = await client.fetch_all_metadata()
            return sorted(set(wanted) - cluster.topics())
        finally:
            await client.close()


async def find_acknowledged(
    admin: AIOKafkaAdminClient, group: str, places: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """How far a group has come in each of these partitions; -1 where it has acknowledged nothing."""
    known = await admin.list_consumer_group_offsets(group, partitions=list(places))
    if not known.keys() >= set(places):  # aiokafka passes over an error that is about the whole group
        raise GroupCoordinatorNotAvailableError
    return {place: known[place].offset for place in places}


def _tls(settings: KafkaSettings) -> ssl.SSLContext | None:
    return None if settings.kafka_ca is None else ssl.create_default_context(cafile=str(settings.kafka_ca))
