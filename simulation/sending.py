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
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from contracts.envelope import CONTENT_TYPE, SPEC_VERSION, Envelope, to_headers
from contracts.topics import HOUSEHOLD_PARTITIONS, submissions_topic
from messaging.partitions import partition_of
from messaging.reading import Record
from messaging.tokens import submit_scope
from simulation.claims import Claim
from simulation.rubbish import REQUESTS
from simulation.system import System

_BATCH_BYTES: Final = 512 * 1024
_HTTP_ITEMS: Final = 20
_AGAIN_SECONDS: Final = 0.5
_ANSWER_SECONDS: Final = 60
_PATIENCE_SECONDS: Final = 180
_BATCH_TYPE: Final = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class Sent:
    """What was said to whom; the reconciliation asks what became of it."""

    service: str
    right: frozenset[str]


@dataclass(slots=True)
class Said:
    """Everything that was submitted; `sent` is every claim by source and id."""

    sent: dict[tuple[str, str], Sent] = field(default_factory=dict)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """Outcomes told over HTTP."""
    let_in: list[str] = field(default_factory=list)
    """Requests that should have been turned away as a whole."""
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
        await self.send_records([record_of(claim, self.regency) for claim in claims])
        self.remember(claims)

    async def send_records(self, records: Sequence[Record]) -> None:
        """The same for what is ready to lie on a topic."""
        shares: dict[tuple[str, int], list[Record]] = defaultdict(list)
        for record in records:
            partition = partition_of((record.key or b"").decode(), HOUSEHOLD_PARTITIONS)
            shares[self.system.topic_prefix + record.topic, partition].append(record)
        async with asyncio.TaskGroup() as group:
            for (topic, partition), share in shares.items():
                group.create_task(self._send_share(topic, partition, share))

    async def submit(self, claims: Sequence[Claim]) -> None:
        """Over HTTP, several requests at once; answered item by item."""
        parts = [claims[at : at + _HTTP_ITEMS] for at in range(0, len(claims), _HTTP_ITEMS)]
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(self._submit_part(part))
        self.remember(claims)

    async def misuse(self, service: str, source: str, kind: str) -> None:
        """Over HTTP, a request that has to be turned away."""
        make, right = REQUESTS[kind]
        response = await self._post(service, source, (), make())
        if response.status_code != right:
            self.said.let_in.append(f"{service}: {kind} was answered {response.status_code} instead of {right}")

    def remember(self, claims: Collection[Claim]) -> None:
        """These are said, and whoever took them has answered for it."""
        self.said.count += len(claims)
        for claim in claims:
            self.said.sent[claim.source, claim.id] = Sent(claim.message.service, claim.right)

    async def _send_share(self, topic: str, partition: int, records: Sequence[Record]) -> None:
        """One batch after another, so that a subject's claims keep their order; again while Kafka is away."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while records:
            batch, count = self.producer.create_batch(), 0
            while count < len(records) and _append(batch, records[count]):
                count += 1
            try:
                await (await self.producer.send_batch(batch, topic, partition=partition))
            except KafkaError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                records = records[count:]

    async def _submit_part(self, claims: Sequence[Claim]) -> None:
        service, source = claims[0].message.service, claims[0].source
        scopes = tuple({submit_scope(claim.message) for claim in claims})
        content = orjson.dumps([self._structured(claim) for claim in claims])
        response = await self._post(service, source, scopes, content)
        for claim, answer in zip(claims, orjson.loads(response.raise_for_status().content), strict=True):
            self.said.answers[claim.source, claim.id] = answer["code"] or answer["outcome"]

    async def _post(self, service: str, source: str, scopes: tuple[str, ...], content: bytes) -> httpx.Response:
        """Again while the service or its database is away: under the same ids that does no harm."""
        url, token = f"{self.system.urls[service]}/submissions", self.system.token(source, scopes)
        headers = {"Content-Type": _BATCH_TYPE, "Authorization": f"Bearer {token}"}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            is_over = time.monotonic() > deadline
            try:
                response = await self.client.post(url, content=content, headers=headers)
            except httpx.TransportError:
                if is_over:
                    raise
            else:
                if is_over or response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return response
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


def record_of(claim: Claim, regency: str) -> Record:
    """A claim as it lies on its topic."""
    envelope = Envelope(claim.id, claim.source, claim.message.type, claim.subject, "", claim.id, None, regency)
    headers = tuple(to_headers(envelope))
    return Record(submissions_topic(claim.message.service).name, claim.subject.encode(), headers, claim.value)


async def open_sender(system: System, regency: str) -> Sender:
    """Connected; `close_sender` ends it."""
    producer = AIOKafkaProducer(
        bootstrap_servers=system.kafka, acks="all", compression_type="zstd", max_batch_size=_BATCH_BYTES
    )
    await producer.start()
    return Sender(system, regency, producer, httpx.AsyncClient(timeout=_ANSWER_SECONDS))


async def close_sender(sender: Sender) -> None:
    """Leave Kafka and HTTP."""
    await sender.producer.stop()
    await sender.client.aclose()


def _append(batch: BatchBuilder, record: Record) -> bool:
    """False when the batch is full."""
    added = batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
    return added is not None
