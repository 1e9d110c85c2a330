"""What tells from outside whether a service has anything left to do; and the clock, when databases come and go."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from messaging.clock import set_clock
from messaging.database import Connection, open_connection
from messaging.errors import is_transient

_AGAIN_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Work:
    """Of one service."""

    now: datetime
    """The database's real clock."""
    outbox: bool
    due: bool
    """A parked submission could be tried."""
    runs: dict[str, tuple[datetime, int, str | None]]
    """By job: when its last run started, how many of its transactions changed anything, how it failed."""
    stopped: bool
    """The breaker holds the consumer."""


async def get_work(db: Connection) -> Work:
    """One look."""
    row = await db.fetchrow(
        """select clock_timestamp() as looked_at,
                  exists(select from outbox) as outbox,
                  exists(select from parked where due_at <= now()
                         and not exists (select from parked earlier where earlier.subject = parked.subject
                                         and earlier.position < parked.position)) as due,
                  exists(select from breaker) as stopped,
                  (select array_agg(job order by job) from job_runs) as jobs,
                  (select array_agg(started_at order by job) from job_runs) as started,
                  (select array_agg(wrote order by job) from job_runs) as wrote,
                  (select array_agg(failed order by job) from job_runs) as failed"""
    )
    assert row is not None  # noqa: S101  # a select without a table has one row
    runs = zip(row["started"] or (), row["wrote"] or (), row["failed"] or (), strict=True)
    return Work(
        row["looked_at"], row["outbox"], row["due"], dict(zip(row["jobs"] or (), runs, strict=True)), row["stopped"]
    )


async def wake_jobs(db: Connection) -> datetime:
    """Ask every job to run now; the real time before which a run does not count."""
    asked_at: datetime = await db.fetchval("select clock_timestamp()")
    await db.execute("notify jobs")
    return asked_at


async def set_clocks(databases: Mapping[str, str], moment: datetime) -> None:
    """Programme time is this now, in every service, as soon as its database is there; wakes every job."""
    await asyncio.gather(*(_set_clock(url, moment) for url in databases.values()))


async def _set_clock(url: str, moment: datetime) -> None:
    while True:
        try:
            db = await open_connection(url, name="berbagi-play")
            try:
                return await set_clock(db, moment - datetime.now(UTC))
            finally:
                db.terminate()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_transient(error):
                raise
        await asyncio.sleep(_AGAIN_SECONDS)
