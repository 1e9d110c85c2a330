"""How messages leave: a file of JSON lines, or one HTTP POST each with an idempotency key. At least once, both."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict

from services.notifications.intents import About, Kind

WEBHOOK_SECONDS: Final = 5
_AT_ONCE: Final = 20
_TRY_AGAIN: Final = frozenset({408, 425, 429})


class Item(BaseModel):
    """One thing told, with its ids and codes."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    level: int
    about: About


class Message(BaseModel):
    """What leaves; the recipient's side knows a repeat by its id."""

    model_config = ConfigDict(frozen=True)

    notification_id: UUID
    regency: str
    recipient_id: str
    kind: str
    due_at: datetime
    text: str
    items: tuple[Item, ...]


class Reply(StrEnum):
    """What a channel made of a message."""

    TAKEN = "taken"
    REFUSED = "refused"
    AWAY = "away"


class Channel(Protocol):
    """A way for messages to leave; says of each what became of it and raises nothing for the outside's sake."""

    async def send(self, messages: Sequence[Message]) -> list[Reply]: ...


@dataclass(frozen=True, slots=True)
class FileChannel:
    """Appends a line a message; without a path to standard output."""

    path: Path | None

    async def send(self, messages: Sequence[Message]) -> list[Reply]:
        """All or nothing; on disk before it counts as taken."""
        lines = "".join(f"{message.model_dump_json(exclude_none=True)}\n" for message in messages)
        try:
            await asyncio.to_thread(self._append, lines)
        except OSError:
            return [Reply.AWAY] * len(messages)
        return [Reply.TAKEN] * len(messages)

    def _append(self, lines: str) -> None:
        if self.path is None:
            sys.stdout.write(lines)
            sys.stdout.flush()
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts to the recipient's address of the policy: 2xx is taken, 4xx refused for good, the rest tried again."""

    addresses: Mapping[str, Mapping[str, str]]
    """By regency and recipient."""

    async def send(self, messages: Sequence[Message]) -> list[Reply]:
        """Some at a time, each on its own."""
        room = asyncio.Semaphore(_AT_ONCE)
        async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS) as client:
            return list(await asyncio.gather(*(self._post(client, room, message) for message in messages)))

    async def _post(self, client: httpx.AsyncClient, room: asyncio.Semaphore, message: Message) -> Reply:
        address = self.addresses[message.regency].get(message.recipient_id)
        if address is None:
            return Reply.REFUSED
        headers = {"Idempotency-Key": str(message.notification_id), "Content-Type": "application/json"}
        try:
            async with room, asyncio.timeout(WEBHOOK_SECONDS):
                response = await client.post(
                    address, content=message.model_dump_json(exclude_none=True), headers=headers
                )
        except (httpx.HTTPError, TimeoutError):
            return Reply.AWAY
        if response.is_success:
            return Reply.TAKEN
        return Reply.REFUSED if response.is_client_error and response.status_code not in _TRY_AGAIN else Reply.AWAY
