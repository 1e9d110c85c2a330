"""What could not be read or handled: kept encrypted for an operator. And the breaker that stops a bad deploy."""

import base64
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
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
                "timestamp": record.timestamp,
                "key": _text(record.key),
                "headers": [[name, _text(value)] for name, value in record.headers],
                "value": _text(record.value),
            }
        )
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text, message_id.bytes)

    def try_open(self, message_id: UUID, payload: bytes) -> Record | None:
        """The record again; null: it is sealed with another key, or damaged."""
        try:
            return self.open(message_id, payload)
        except (InvalidTag, ValueError):  # ValueError: shorter than what every sealed record begins with
            return None

    def open(self, message_id: UUID, payload: bytes) -> Record:
        """The record again; raises InvalidTag and ValueError."""
        nonce, text = payload[:_NONCE_BYTES], payload[_NONCE_BYTES:]
        fields = orjson.loads(self._cipher.decrypt(nonce, text, message_id.bytes))
        return Record(
            topic=fields["topic"],
            key=_bytes(fields["key"]),
            headers=tuple((name, _bytes(value)) for name, value in fields["headers"]),
            value=_bytes(fields["value"]),
            partition=fields["partition"],
            offset=fields["offset"],
            timestamp=fields.get("timestamp"),
        )


@dataclass(frozen=True, slots=True)
class Failed:
    """A message to be put aside."""

    bad: Bad
    outcome: Quarantined
    received_at: datetime
    """Deciding time of its first receipt."""


async def insert_quarantined(db: Connection, seal: Seal, failed: Sequence[Failed]) -> None:
    """Put these messages aside; one that was tried again and failed again stays, with its new reason and time."""
    if failed:
        await db.execute(
            """insert into quarantine (message_id, reason, type, topic, partition, "offset", payload, error,
                                       received_at)
               select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[],
                                    $7::bytea[], $8::text[], $9::timestamptz[])
               on conflict (message_id) do update set
                 reason = excluded.reason, error = excluded.error, payload = excluded.payload, quarantined_at = now(),
                 retries = quarantine.retries + (quarantine.retry_requested_at is not null)::int,
                 retry_requested_at = null, resolved_at = null, resolution = null, resolved_by = null""",
            [one.bad.message_id for one in failed],
            [one.outcome.reason for one in failed],
            [one.bad.type for one in failed],
            [one.bad.record.topic for one in failed],
            [one.bad.record.partition for one in failed],
            [one.bad.record.offset for one in failed],
            [seal.close(one.bad.message_id, one.bad.record) for one in failed],
            [one.outcome.error for one in failed],
            [one.received_at for one in failed],
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
