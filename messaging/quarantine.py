"""What could not be read or handled: kept encrypted for an operator. And the breaker that stops a bad deploy."""

import base64
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from messaging.database import Connection
from messaging.reading import Bad, Quarantined, Record

_NONCE_BYTES: Final = 12
_WINDOW: Final = 1_000  # messages the breaker looks back on
_TOLERATED: Final = 20  # failed ones of them that are never too many
_TOLERATED_SHARE: Final = 0.05


class Seal:
    """Encrypts records at rest with AES-GCM; a sealed record opens only under its own message id."""

    def __init__(self, key: str) -> None:
        """`key`: 32 bytes in base64."""
        self._cipher = AESGCM(base64.b64decode(key))

    def close(self, message_id: UUID, record: Record) -> bytes:
        """The record, encrypted."""
        text = orjson.dumps(
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "key": _text(record.key),
                "headers": [[name, _text(value)] for name, value in record.headers],
                "value": _text(record.value),
            }
        )
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text, message_id.bytes)

    def open(self, message_id: UUID, payload: bytes) -> Record:
        """The record again."""
        nonce, text = payload[:_NONCE_BYTES], payload[_NONCE_BYTES:]
        fields = orjson.loads(self._cipher.decrypt(nonce, text, message_id.bytes))
        return Record(
            topic=fields["topic"],
            key=_bytes(fields["key"]),
            headers=tuple((name, _bytes(value)) for name, value in fields["headers"]),
            value=_bytes(fields["value"]),
            partition=fields["partition"],
            offset=fields["offset"],
        )


async def insert_quarantined(db: Connection, seal: Seal, rows: Sequence[tuple[Bad, Quarantined]]) -> None:
    """Put these messages aside."""
    if rows:
        await db.execute(
            """insert into quarantine (message_id, reason, type, topic, partition, "offset", payload, error)
               select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[],
                                    $7::bytea[], $8::text[])""",
            [bad.message_id for bad, _ in rows],
            [outcome.reason for _, outcome in rows],
            [bad.type for bad, _ in rows],
            [bad.record.topic for bad, _ in rows],
            [bad.record.partition for bad, _ in rows],
            [bad.record.offset for bad, _ in rows],
            [seal.close(bad.message_id, bad.record) for bad, _ in rows],
            [outcome.error for _, outcome in rows],
        )


@dataclass(slots=True)
class Breaker:
    """Counts failures over the last messages; the stop itself is a row, so that it survives a restart."""

    recent: deque[bool]
    reason: str | None = None
    """Why it is open; null: closed."""
    checked_at: float = 0.0
    """When the database was last asked, on the monotonic clock."""


def new_breaker() -> Breaker:
    """A breaker that has seen nothing yet."""
    return Breaker(deque(maxlen=_WINDOW))


def count_failures(breaker: Breaker, *, failed: int, fine: int) -> bool:
    """Remember a committed batch; True when too many of the last messages failed."""
    breaker.recent.extend([False] * fine + [True] * failed)
    failures = sum(breaker.recent)
    return failures > _TOLERATED and failures > _TOLERATED_SHARE * len(breaker.recent)


async def stop(db: Connection, breaker: Breaker) -> None:
    """Open the breaker for every replica, until an operator deletes the row."""
    reason = f"{sum(breaker.recent)} of the last {len(breaker.recent)} messages failed"
    await db.execute("insert into breaker (reason) values ($1) on conflict do nothing", reason)
    breaker.reason = reason


async def look_at_breaker(db: Connection, breaker: Breaker) -> None:
    """Learn whether the breaker is open; once an operator has closed it the count begins anew."""
    reason: str | None = await db.fetchval("select reason from breaker")
    if breaker.reason is not None and reason is None:
        breaker.recent.clear()
    breaker.reason = reason


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)
