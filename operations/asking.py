"""Asks the databases of services, all at once, on behalf of an operator."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from messaging.database import ACQUIRE_SECONDS, Connection, open_connection
from operations.errors import CommandError
from operations.owner_store import ensure_owner
from operations.stacks.database_store import told_when_closed, told_when_lost, told_when_not_migrated

T = TypeVar("T")


async def ask(databases: Mapping[str, str], question: Callable[[Connection], Awaitable[T]]) -> dict[str, T]:
    """The answer of each, by service."""
    answers = await asyncio.gather(*(_ask(service, url, question) for service, url in databases.items()))
    return dict(zip(databases, answers, strict=True))


def operator(name: str | None) -> str:
    """Who does it: as said, else whoever is logged in."""
    if name:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        raise CommandError("say who you are: --by NAME") from None


async def _ask(service: str, url: str, question: Callable[[Connection], Awaitable[T]]) -> T:
    with told_when_closed(service):
        db = await open_connection(url, name="berbagi-operator")
    try:
        with told_when_lost(service), told_when_not_migrated(service):
            await ensure_owner(db, service)
            return await question(db)
    finally:
        with suppress(TimeoutError):  # of a server that hangs
            await db.close(timeout=ACQUIRE_SECONDS)
