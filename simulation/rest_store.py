"""What tells from outside whether a service has anything left to do."""

from dataclasses import dataclass
from datetime import datetime

from messaging.database import Connection


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
