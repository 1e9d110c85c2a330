"""Wakes parts of this process when the database notifies."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import asyncpg

from messaging.database import open_connection
from messaging.errors import describe
from messaging.logs import log

_LOOK_SECONDS: Final = 5.0


async def listen(database_url: str, wakers: Mapping[str, Callable[[], None]]) -> None:
    """Call the waker of a channel at every NOTIFY, and all of them after a lost connection; until cancelled."""
    while True:
        try:
            await _listen_once(database_url, wakers)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("listener connects again", error=describe(error))
            await asyncio.sleep(1)


async def _listen_once(database_url: str, wakers: Mapping[str, Callable[[], None]]) -> None:
    db = await open_connection(database_url, name="berbagi-listen")
    try:
        for channel, waker in wakers.items():
            await db.add_listener(channel, lambda *_, waker=waker: waker())
        for waker in wakers.values():
            waker()
        while True:
            await db.execute("select 1")  # a connection that died in silence would hear nothing for ever
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        db.terminate()
