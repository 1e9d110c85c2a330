"""Asks a service to read a topic once more, and watches it fill its gaps."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from contracts.topics import topics_read
from messaging.database import Connection
from operations.cards import card_of
from operations.errors import CommandError
from operations.replay_store import Asked, Progress, get_progress, request_replay

_LOOK_SECONDS: Final = 0.5


def ensure_read(service: str, topic: str) -> None:
    """A service is handed only what it reads anyway: not all that it may read has something it handles."""
    names = [one.name for one in topics_read(service, card_of(service).consumes)]
    if topic not in names:
        raise CommandError(f"{service} does not read {topic}; it reads {', '.join(names)}")


async def replay(db: Connection, asked: Asked, patience_seconds: float, tell: Callable[[Progress], None]) -> Progress:
    """Ask, and look until it is done or patience is over; it goes on without us."""
    replay_id = await request_replay(db, asked)
    deadline = time.monotonic() + patience_seconds
    progress = await get_progress(db, replay_id)
    while not progress.finished and time.monotonic() < deadline:
        tell(progress)
        await asyncio.sleep(_LOOK_SECONDS)
        progress = await get_progress(db, replay_id)
    return progress
