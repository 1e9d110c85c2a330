"""Work on a clock or over shared resources: reads, computes, then writes in one short transaction under a try-lock."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

from contracts.events import Fact
from messaging import metrics
from messaging.child import run_in_child
from messaging.clock import deciding_time
from messaging.database import ACQUIRE_SECONDS, Connection
from messaging.errors import describe
from messaging.failpoints import failpoint
from messaging.logs import log
from messaging.outbox import Outgoing, from_job, insert_outgoing
from messaging.reading import Message
from messaging.transaction import Context, wake

P = ParamSpec("P")
T = TypeVar("T")

_AGAIN_SECONDS = 2.0  # after a failure, or when another replica held the lock


class _HeldElsewhereError(Exception):
    """Another replica is writing this job's results."""


@dataclass(frozen=True, slots=True)
class Write:
    """A job's one short transaction."""

    db: Connection
    now: datetime
    """Deciding time of this transaction."""
    job: str
    outgoing: list[Outgoing] = field(default_factory=list)

    def emit(self, event: Fact, business_key: str, correlationid: str, regency: str) -> None:
        """Publish a fact after the commit; its id comes from job, business key and the version it states."""
        self.outgoing.append(from_job(event, self.job, business_key, correlationid, regency))


@dataclass(slots=True)
class JobRun:
    """One run of a job."""

    context: Context
    job: str
    now: datetime
    """Deciding time at the start of the run."""
    wrote: int = 0
    """Transactions that changed or locked a row so far. A run that finds nothing to do must do neither."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """One consistent picture of the database; read what is needed, compute after."""
        async with (
            self.context.pool.acquire(timeout=ACQUIRE_SECONDS) as db,
            db.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield db

    def writing(self) -> AbstractAsyncContextManager[Write]:
        """One short transaction; when another replica is writing the same job, the run ends here, quietly.

        The world may have changed since `reading`: update only `where still waiting`.
        """
        return self._write("select pg_try_advisory_xact_lock(hashtext('berbagi job'), hashtext($1))")

    def recording(self) -> AbstractAsyncContextManager[Write]:
        """As `writing`, of what has happened outside already: waits until the other replica is done."""
        return self._write("select pg_advisory_xact_lock(hashtext('berbagi job'), hashtext($1)) is not null")

    async def in_child(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a solver in a process of its own; cancelled with the job."""
        return await run_in_child(function, *args, **kwargs)

    @asynccontextmanager
    async def _write(self, lock: str) -> AsyncIterator[Write]:
        async with self.context.pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction():
            if not await db.fetchval(lock, self.job):
                raise _HeldElsewhereError
            write = Write(db, await deciding_time(db, development=self.context.development), self.job)
            yield write
            if write.outgoing:
                await insert_outgoing(db, write.outgoing)
                await wake(db, [fact.event for fact in write.outgoing])
            failpoint("inside_job_write")
            # A transaction has a number from its first row written or locked on.
            self.wrote += await db.fetchval("select pg_current_xact_id_if_assigned() is not null")


@dataclass(frozen=True, slots=True)
class Job:
    """What runs, and when: every so often, and when one of the messages that wake it has been applied."""

    name: str
    every: timedelta
    run: Callable[[JobRun], Awaitable[None]]
    woken_by: tuple[Message, ...] = ()
    settle: timedelta = timedelta(0)
    """Woken, it waits until none of these messages has come for this long, so that a file is seen as a whole ..."""
    settle_at_most: timedelta = timedelta(seconds=60)
    """... but no longer than this after the first."""


class Timer:
    """When a job is due, in seconds of the monotonic clock."""

    def __init__(self, job: Job, now: float) -> None:
        self.changed = asyncio.Event()
        self._job = job
        self._regular = now + job.settle.total_seconds()
        self._first: float | None = None
        self._last = now
        self._at_once = False

    def arrived(self, now: float) -> None:
        """A message that wakes the job was applied."""
        self._first = now if self._first is None else self._first
        self._last = now
        self.changed.set()

    def run_at_once(self) -> None:
        """Run without settling: the programme clock was moved, or somebody asked."""
        self._at_once = True
        self.changed.set()

    def due(self) -> float:
        """When the job has to run as things stand."""
        if self._at_once:
            return 0.0
        if self._first is not None:
            settled = self._last + self._job.settle.total_seconds()
            return min(settled, self._first + self._job.settle_at_most.total_seconds())
        return self._regular

    def started(self) -> None:
        """What has arrived so far is seen by the run that starts now."""
        self._first, self._at_once = None, False

    def finished(self, now: float, *, well: bool) -> None:
        """Set the next regular run."""
        every = self._job.every.total_seconds()
        self._regular = now + (every if well else min(every, _AGAIN_SECONDS))


class Jobs:
    """The jobs of one replica, each in a task of its own."""

    def __init__(self, jobs: Collection[Job]) -> None:
        self._timers = {job: Timer(job, time.monotonic()) for job in jobs}

    def arrived(self, types: Collection[Message]) -> None:
        """These types were applied: wake whoever waits for them."""
        for job, timer in self._timers.items():
            if any(message_type in types for message_type in job.woken_by):
                timer.arrived(time.monotonic())

    def run_at_once(self) -> None:
        """Run every job now."""
        for timer in self._timers.values():
            timer.run_at_once()

    async def announce(self, context: Context) -> None:
        """List every job in `job_runs`, so that one that has not run yet is known from outside too."""
        async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            await db.execute(
                """insert into job_runs (job, started_at)
                   select job, to_timestamp(0) from unnest($1::text[]) as job on conflict do nothing""",
                [job.name for job in self._timers],
            )

    async def run(self, context: Context) -> None:
        """Run the jobs until cancelled."""
        async with asyncio.TaskGroup() as group:
            for job, timer in self._timers.items():
                group.create_task(_run_forever(context, job, timer), name=f"job {job.name}")


async def _run_forever(context: Context, job: Job, timer: Timer) -> None:
    _ended_well(job)  # what never does would have no metric, and no alarm
    while True:
        while (seconds := timer.due() - time.monotonic()) > 0:
            timer.changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(timer.changed.wait(), seconds)
        timer.started()
        well = await _run_once(context, job)
        timer.finished(time.monotonic(), well=well)


async def _run_once(context: Context, job: Job) -> bool:
    """False when it has to be tried again soon."""
    started, wrote = time.perf_counter(), 0
    try:
        async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            started_at: datetime = await db.fetchval("select clock_timestamp()")
            run = JobRun(context, job.name, await deciding_time(db, development=context.development))
        failure = await _attempt(job, run)
        wrote = run.wrote
        async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            await _save_run(db, run, started_at, failure)
    except _HeldElsewhereError:
        return False
    except Exception as error:  # noqa: BLE001  # whatever it is, the job is tried again and the operator told
        failure = describe(error)
    seconds = time.perf_counter() - started
    metrics.JOB_SECONDS.labels(job.name).observe(seconds)
    if failure is not None:
        metrics.JOB_FAILURES.labels(job.name, failure.split()[0]).inc()
        log.error("job failed", job=job.name, error=failure, milliseconds=round(seconds * 1000))
        return False
    _ended_well(job)
    if wrote:
        log.info("job", job=job.name, wrote=wrote, milliseconds=round(seconds * 1000))
    return True


def _ended_well(job: Job) -> None:
    metrics.JOB_LAST_SUCCESS.labels(job.name).set(datetime.now(UTC).timestamp())


async def _attempt(job: Job, run: JobRun) -> str | None:
    """None when the run went well; else what went wrong, to be written down with it."""
    try:
        await job.run(run)
    except _HeldElsewhereError:
        raise
    except Exception as error:  # noqa: BLE001  # a bug of a job must not stop the others
        return describe(error)
    return None


async def _save_run(db: Connection, run: JobRun, started_at: datetime, failure: str | None) -> None:
    await db.execute(
        """insert into job_runs (job, started_at, finished_at, wrote, failed)
           values ($1, $2, clock_timestamp(), $3, $4)
           on conflict (job) do update set started_at = excluded.started_at, finished_at = excluded.finished_at,
             wrote = excluded.wrote, failed = excluded.failed
           where job_runs.started_at <= excluded.started_at""",
        run.job,
        started_at,
        run.wrote,
        failure,
    )
