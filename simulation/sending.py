"""Brings claims to the system: over Kafka partition by partition, the partners' over HTTP with their token."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx
import orjson
from aiokafka import AIOKafkaProducer

from contracts.envelope import CONTENT_TYPE, SPEC_VERSION, Envelope, to_headers
from contracts.submissions import Submission
from contracts.topics import HOUSEHOLD_PARTITIONS, submissions_topic
from messaging.relay import partition_of
from messaging.tokens import submit_scope
from simulation.claims import Claim
from simulation.system import System

_BATCH_BYTES: Final = 512 * 1024
_HTTP_ITEMS: Final = 20
_AGAIN_SECONDS: Final = 0.5
_HTTP_SECONDS: Final = 60
_BATCH_TYPE: Final = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class Sent:
    """What was said to whom; the reconciliation asks what became of it."""

    message: type[Submission]
    right: frozenset[str]


@dataclass(slots=True)
class Said:
    """Everything that was submitted; `sent` is every claim by source and id."""

    sent: dict[tuple[str, str], Sent] = field(default_factory=dict)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """Outcomes told over HTTP."""
    count: int = 0
    """Messages, the repeated ones too."""


@dataclass(slots=True)
class Sender:
    """One producer for every integrator of the regency."""

    system: System
    regency: str
    producer: AIOKafkaProducer
    client: httpx.AsyncClient
    said: Said = field(default_factory=Said)

    async def send(self, claims: Sequence[Claim]) -> None:
        """Returns when Kafka has all of them."""
        shares: dict[tuple[str, int], list[Claim]] = defaultdict(list)
        for claim in claims:
            topic = self.system.topic_prefix + submissions_topic(claim.message.service).name
            shares[topic, partition_of(claim.subject, HOUSEHOLD_PARTITIONS)].append(claim)
        async with asyncio.TaskGroup() as group:
            for (topic, partition), share in shares.items():
                group.create_task(self._send_share(topic, partition, share))
        self._remember(claims)

    async def submit(self, claims: Sequence[Claim]) -> None:
        """Over HTTP, several requests at once; answered item by item."""
        parts = [claims[at : at + _HTTP_ITEMS] for at in range(0, len(claims), _HTTP_ITEMS)]
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(self._submit_part(part))
        self._remember(claims)

    async def _send_share(self, topic: str, partition: int, claims: Sequence[Claim]) -> None:
        """One batch after another, so that a subject's claims keep their order."""
        batch = self.producer.create_batch()
        for claim in claims:
            key, headers = claim.subject.encode(), self._headers(claim)
            if batch.append(key=key, value=claim.value, timestamp=None, headers=headers) is None:
                await (await self.producer.send_batch(batch, topic, partition=partition))
                batch = self.producer.create_batch()
                batch.append(key=key, value=claim.value, timestamp=None, headers=headers)
        await (await self.producer.send_batch(batch, topic, partition=partition))

    def _headers(self, claim: Claim) -> list[tuple[str, bytes]]:
        return to_headers(
            Envelope(claim.id, claim.source, claim.message.type, claim.subject, "", claim.id, None, self.regency)
        )

    async def _submit_part(self, claims: Sequence[Claim]) -> None:
        service, source = claims[0].message.service, claims[0].source
        token = self.system.token(source, tuple({submit_scope(claim.message) for claim in claims}))
        response = await self._post(
            f"{self.system.urls[service]}/submissions",
            orjson.dumps([self._structured(claim) for claim in claims]),
            {"Content-Type": _BATCH_TYPE, "Authorization": f"Bearer {token}"},
        )
        for claim, answer in zip(claims, orjson.loads(response.content), strict=True):
            self.said.answers[claim.source, claim.id] = answer["code"] or answer["outcome"]

    async def _post(self, url: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        """Again while the service or its database is away: under the same ids that does no harm."""
        deadline = time.monotonic() + _HTTP_SECONDS
        while True:
            is_over = time.monotonic() > deadline
            try:
                response = await self.client.post(url, content=content, headers=headers)
            except httpx.TransportError:
                if is_over:
                    raise
            else:
                if is_over or response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return response.raise_for_status()
            await asyncio.sleep(_AGAIN_SECONDS)

    def _structured(self, claim: Claim) -> dict[str, object]:
        return {
            "specversion": SPEC_VERSION,
            "id": claim.id,
            "source": claim.source,
            "type": claim.message.type,
            "subject": claim.subject,
            "regency": self.regency,
            "datacontenttype": CONTENT_TYPE,
            "data": orjson.Fragment(claim.value),
        }

    def _remember(self, claims: Collection[Claim]) -> None:
        self.said.count += len(claims)
        for claim in claims:
            self.said.sent[claim.source, claim.id] = Sent(claim.message, claim.right)


async def open_sender(system: System, regency: str) -> Sender:
    """Connected; `close_sender` ends it."""
    producer = AIOKafkaProducer(
        bootstrap_servers=system.kafka, acks="all", compression_type="lz4", max_batch_size=_BATCH_BYTES
    )
    await producer.start()
    return Sender(system, regency, producer, httpx.AsyncClient(timeout=_HTTP_SECONDS))


async def close_sender(sender: Sender) -> None:
    """Leave Kafka and HTTP."""
    await sender.producer.stop()
    await sender.client.aclose()
