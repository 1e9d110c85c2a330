"""What an operator does about quarantined messages: has them tried again, gives them up, looks into them."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag

from messaging.database import Connection
from messaging.quarantine import Seal
from messaging.reading import Record
from operations import quarantine_store as store
from operations.errors import CommandError
from operations.quarantine_store import Result, Wanted

_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says, as text that is safe to print."""

    key: str
    headers: Sequence[tuple[str, str]]
    value: str


async def retry(db: Connection, wanted: Wanted, who: str, patience_seconds: float) -> list[Result]:
    """Ask the service to try these again, and wait; what has become of them by then. Empty: there were none."""
    await _ensure_open(db, wanted)
    message_ids = await store.request_retry(db, wanted, who)
    deadline = time.monotonic() + patience_seconds
    untried = len(message_ids)
    while untried and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
        untried = await store.count_untried(db, message_ids)
    return await store.list_results(db, message_ids)


async def discard(db: Connection, wanted: Wanted, who: str, why: str) -> int:
    """Give these up; how many there were."""
    await _ensure_open(db, wanted)
    return len(await store.discard(db, wanted, who, why))


def open_payload(message_id: UUID, payload: bytes, key: str) -> Said:
    """What a message says, to whoever has the service's key."""
    try:
        record = Seal(key).open(message_id, payload)
    except InvalidTag:
        raise CommandError("BERBAGI_DATA_KEY is not the key this message was sealed with") from None
    except ValueError:
        raise CommandError("BERBAGI_DATA_KEY must be 32 bytes in base64") from None
    return _said(record)


async def _ensure_open(db: Connection, wanted: Wanted) -> None:
    if wanted.message_ids is not None and (others := await store.list_not_open(db, wanted.message_ids)):
        raise CommandError(f"nothing was done: {others[0]} is not in quarantine here, or is resolved")


def _said(record: Record) -> Said:
    headers = [(_printable(name.encode()), _printable(value)) for name, value in record.headers]
    return Said(_printable(record.key), headers, _pretty(record.value))


def _pretty(value: bytes | None) -> str:
    try:
        text = json.dumps(json.loads(value or b""), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _printable(value)
    return "\n".join(map(_escaped, text.split("\n")))


def _printable(value: bytes | None) -> str:
    return "(null)" if value is None else _escaped(value.decode(errors="backslashreplace"))


def _escaped(text: str) -> str:
    """Nothing in it can move the cursor of a terminal, or turn its text round."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
