"""Connections to the service's own database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # asyncpg's classes take no parameters when running
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

COMMAND_SECONDS: Final = 15
ACQUIRE_SECONDS: Final = 5
_SESSION: Final = {
    # A stopped process inside a transaction blocks its successor's inbox: the server ends it after this.
    "idle_in_transaction_session_timeout": "15s",
    "tcp_user_timeout": "10s",
    # A host that vanished while idle holds its locks until it is asked.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
}


async def open_pool(url: str, *, size: int, name: str) -> Pool:
    """At most `size` connections, known to the server as `name`."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=ACQUIRE_SECONDS,
        command_timeout=COMMAND_SECONDS,
        max_inactive_connection_lifetime=60,
        max_cached_statement_lifetime=0,  # its timers would keep the batch alive in which a statement was first asked
        reset=_keep,
        server_settings=_SESSION | {"application_name": name},
    )


async def _keep(_: Connection) -> None:
    """No session of ours changes its settings or leaves a lock behind: asyncpg's own reset is a way to the server and
    back at every release.
    """


async def open_connection(url: str, *, name: str, patient: bool = False) -> Connection:
    """One connection of its own, for LISTEN and session locks; a patient one lets a statement take its time."""
    return await asyncpg.connect(
        url,
        timeout=ACQUIRE_SECONDS,
        command_timeout=None if patient else COMMAND_SECONDS,
        server_settings=_SESSION | {"application_name": name},
    )


@asynccontextmanager
async def alone(pool: Pool, work: str) -> AsyncIterator[Connection | None]:
    """A connection that holds the database's lock for this work; None while another replica is at it."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        try:
            is_ours = await db.fetchval("select pg_try_advisory_lock(hashtext('berbagi'), hashtext($1))", work)
            yield db if is_ours else None
            if is_ours:
                await db.execute("select pg_advisory_unlock(hashtext('berbagi'), hashtext($1))", work)
        except BaseException:
            db.terminate()  # the lock lives as long as its session: the pool must not get one that may hold it
            raise
