"""The toy service in its surroundings: as a context without Kafka, and as processes with it."""

import asyncio
import base64
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import jwt
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.topics import TOPICS, consumed_by
from messaging.apply import apply, read_all
from messaging.database import open_pool
from messaging.messages import Answer
from messaging.quarantine import Seal, new_breaker
from messaging.reading import Record
from messaging.transaction import Context
from operations.stacks import Stack
from operations.stacks.program import free_ports
from tests.messaging import toy

KEY = base64.b64encode(bytes(32)).decode()
ISSUER = "https://tests.example"


async def open_context(database: str, **changes: Any) -> Context:
    """What a batch needs, with a pool of its own."""
    pool = await open_pool(database, size=4, name="tests")
    given: dict[str, Any] = {"handlers": toy.HANDLERS, "development": False, "arrived": lambda _: None} | changes
    return Context(toy.CARD, pool=pool, seal=Seal(KEY), breaker=new_breaker(), **given)


async def carry_out(context: Context, records: Sequence[Record]) -> list[Answer]:
    """Decide a batch as the consumer would."""
    return await apply(context, read_all(context, records))


async def toy_of(stack: Stack, database: str, prefix: str, folder: Path) -> "Toy":
    """Make the topics, a key for tokens, and a producer."""
    names = {topic.name for topic in consumed_by("assignment")}
    names |= {topic.name for topic in TOPICS if "assignment" in topic.producers}
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(prefix + name, 3, 1) for name in names])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, enable_idempotence=True)
    await producer.start()
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "test", "alg": "EdDSA", "x": text}]}))
    return Toy(stack, database, prefix, folder, producer, key)


@dataclass
class Process:
    """One replica of the toy service."""

    process: asyncio.subprocess.Process
    url: str
    log: Path

    def kill(self, how: int = signal.SIGKILL) -> None:
        self.process.send_signal(how)

    async def ended(self) -> int:
        async with asyncio.timeout(45):
            return await self.process.wait()

    async def ready(self) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            try:
                return dict((await client.get(f"{self.url}/health/ready")).json())
            except httpx.TransportError:
                return {"ready": False, "waiting_for": {"http": "not there"}}

    async def wait_ready(self) -> "Process":
        await until_async(lambda: _is_ready(self))
        return self


async def _is_ready(process: Process) -> bool:
    return bool((await process.ready())["ready"])


@dataclass
class Toy:
    """Everything around the toy service."""

    stack: Stack
    database: str
    prefix: str
    folder: Path
    producer: AIOKafkaProducer
    key: Ed25519PrivateKey
    processes: list[Process] = field(default_factory=list)

    def environment(self, **changes: str) -> dict[str, str]:
        settings = {
            "DATABASE_URL": self.database,
            "KAFKA": self.stack.bootstrap_servers,
            "DATA_KEY": KEY,
            "JWKS": str(self.folder / "jwks.json"),
            "TOKEN_ISSUER": ISSUER,
            "TOPIC_PREFIX": self.prefix,
            "PORT": str(free_ports(1)[0]),
        } | changes
        return {f"BERBAGI_{name}": value for name, value in settings.items()}

    async def start(self, *, wait: bool = True, **changes: str) -> Process:
        environment = self.environment(**changes)
        log = self.folder / f"toy-{len(self.processes)}.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.messaging.toy", stdout=out, stderr=out, env=os.environ | environment
            )
        replica = Process(process, f"http://127.0.0.1:{environment['BERBAGI_PORT']}", log)
        self.processes.append(replica)
        return await replica.wait_ready() if wait else replica

    async def close(self) -> None:
        for replica in self.processes:
            if replica.process.returncode is None:
                replica.kill()
                await replica.process.wait()
        await self.producer.stop()

    async def send(self, records: Sequence[Record]) -> None:
        futures = [
            await self.producer.send(self.prefix + one.topic, one.value, key=one.key, headers=list(one.headers))
            for one in records
        ]
        await asyncio.gather(*futures)

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """Everything on a topic, as it is now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.bootstrap_servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            await consumer._client.set_topics([self.prefix + topic])  # noqa: SLF001  # partitions before assigning
            numbers = consumer.partitions_for_topic(self.prefix + topic) or set()
            places = [TopicPartition(self.prefix + topic, number) for number in numbers]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            records: list[ConsumerRecord] = []
            while [place for place, end in ends.items() if await consumer.position(place) < end]:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records += batch
            return records
        finally:
            await consumer.stop()

    def token(self, scopes: str = "visits:submit pledges:submit", **changes: Any) -> str:
        claims = {
            "iss": ISSUER,
            "aud": "berbagi",
            "sub": "tests",
            "exp": datetime.now(UTC) + timedelta(hours=1),
            "source": "smart-kampung",
            "regency": "35.10",
            "scope": scopes,
        } | changes
        return jwt.encode(claims, self.key, algorithm="EdDSA", headers={"kid": "test"})

    async def value(self, query: str, *arguments: object) -> Any:
        return await value(self.database, query, *arguments)


async def value(database: str, query: str, *arguments: object) -> Any:
    """One value from the service's database."""
    db = await asyncpg.connect(database)
    try:
        return await db.fetchval(query, *arguments)
    finally:
        await db.close()


async def until(service: Toy, expected: object, query: str, *arguments: object, seconds: float = 20) -> None:
    """Wait until a query gives a value."""
    found = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await service.value(query, *arguments)
        if found == expected:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{query}: {found} instead of {expected}")


async def until_async(check: Callable[[], Any], seconds: float = 20) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


def placed(records: Collection[Record], topic_offset: int = 0) -> list[Record]:
    """Records as if they had come from Kafka: each with its place."""
    return [
        Record(one.topic, one.key, one.headers, one.value, 0, topic_offset + number)
        for number, one in enumerate(records)
    ]
