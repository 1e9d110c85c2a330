"""Jobs: when they run, what they leave behind, and that two replicas do not write at once."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from contracts.events import HouseholdRegistered
from messaging.child import ChildError
from messaging.clock import set_clock
from messaging.jobs import Job, JobRun, Jobs, Timer
from messaging.signals import listen
from messaging.transaction import Context
from tests.messaging import toy
from tests.messaging.running import carry_out, open_context, placed, until_async
from tests.messaging.samples import household

LONG = timedelta(hours=1)


@asynccontextmanager
async def running(context: Context, *jobs: Job) -> AsyncIterator[Jobs]:
    group = Jobs(jobs)
    task = asyncio.create_task(group.run(context))
    try:
        yield group
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def runs(context: Context, wrote: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return bool(await context.pool.fetchval("select exists(select from job_runs where wrote = $1)", wrote))

    return check


async def test_a_job_writes_and_publishes_in_one_transaction_and_its_run_is_recorded(context: Context) -> None:
    """Facts and rows of one transaction; the next run writes nothing, which somebody outside can see.

    Fails when: `writing` does not count, or `emit` is forgotten.
    """
    await carry_out(context, placed([household(uuid4()), household(uuid4())]))

    async with running(context, Job("serve", LONG, toy.serve_households)) as jobs:
        await until_async(runs(context, 1))  # seen before the next one takes its row
        jobs.run_at_once()
        await until_async(runs(context, 0))

    assert await context.pool.fetchval("select count(*) from outbox") == 4
    assert await context.pool.fetchval("select count(*) from toy_assignments where version = 2") == 2


async def test_a_job_that_never_ends_well_has_a_metric_to_say_so(context: Context) -> None:
    """Since the process began. Fails when: only a good run says when the last good one was, and no alarm goes off."""

    async def fail(_: JobRun) -> None:
        raise toy.ToyBugError

    began = time.time()
    async with running(context, Job("hopeless", LONG, fail)):
        await until_async(lambda: context.pool.fetchval("select exists(select from job_runs where failed is not null)"))

    ended_well = REGISTRY.get_sample_value("berbagi_messaging_job_last_success_timestamp_seconds", {"job": "hopeless"})
    assert ended_well == pytest.approx(began, abs=0.5)


async def test_a_job_killed_in_its_write_leaves_nothing(context: Context) -> None:
    """Fails when: `writing` has no transaction."""
    await carry_out(context, placed([household(uuid4())]))

    async def fail(run: JobRun) -> None:
        await toy.serve_households(run)
        async with run.writing() as write:
            await toy.count_up(write.db, [uuid4()])
            raise toy.ToyBugError

    async with running(context, Job("serve", LONG, fail)):

        async def failed() -> bool:
            return bool(await context.pool.fetchval("select failed like 'ToyBugError at %' from job_runs"))

        await until_async(failed)

    assert await context.pool.fetchval("select count(*) from toy_assignments") == 1


async def test_two_replicas_do_not_write_the_same_job_at_once(context: Context) -> None:
    """The second ends quietly. Fails when: the lock is not tried."""
    inside, most = 0, 0

    async def slow(run: JobRun) -> None:
        nonlocal inside, most
        async with run.writing():
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(0.3)
            finally:
                inside -= 1

    job = Job("slow", timedelta(milliseconds=10), slow)
    async with running(context, job), running(context, job):
        await asyncio.sleep(1)

    assert most == 1


async def test_what_has_happened_outside_is_recorded_when_another_replica_is_done(context: Context) -> None:
    """Fails when: `recording` takes no lock, or ends the run."""
    run = JobRun(context, "send", await context.pool.fetchval("select now()"))
    steps = []

    async def record() -> None:
        async with run.recording():
            steps.append("recorded")

    async with run.writing():
        recording = asyncio.create_task(record())
        await asyncio.sleep(0.3)
        steps.append("written")
    await recording

    assert steps == ["written", "recorded"]


async def test_the_programme_clock_runs_every_job_at_once_and_moves_deciding_time(database: str) -> None:
    """Fails when: `clock` is not listened to, or `deciding_time` looks at the real clock."""
    context = await open_context(database, development=True)
    seen = []

    async def look(run: JobRun) -> None:
        seen.append(run.now)

    async with running(context, Job("look", LONG, look, settle=LONG)) as jobs:
        listening = asyncio.create_task(listen(database, {"clock": jobs.run_at_once}))
        await until_async(lambda: _is_true(len(seen) == 1))
        async with context.pool.acquire() as db:
            await set_clock(db, timedelta(days=3))
        await until_async(lambda: _is_true(len(seen) == 2))
        listening.cancel()

    await context.pool.close()
    assert timedelta(days=3) < seen[1] - seen[0] < timedelta(days=3, minutes=1)


async def _is_true(fact: bool) -> bool:  # noqa: FBT001  # for `until_async`
    return fact


async def test_without_development_the_clock_cannot_be_moved(context: Context) -> None:
    """Fails when: the offset is always added."""
    await context.pool.execute("update clock set ahead = interval '3 days'")

    await carry_out(context, placed([household(uuid4())]))

    async with running(context, Job("look", LONG, _now_is_now)):
        await until_async(lambda: context.pool.fetchval("select exists(select from job_runs where failed is null)"))


async def _now_is_now(run: JobRun) -> None:
    assert abs(run.now.timestamp() - time.time()) < 60


def test_a_woken_job_settles_but_not_for_ever() -> None:
    """Fails when: the regular run does not wait for what still arrives, or nothing ends the waiting."""
    job = Job("j", timedelta(seconds=5), toy.serve_households, (HouseholdRegistered,), timedelta(seconds=3))
    timer = Timer(job, 0)

    assert timer.due() == 3
    timer.arrived(2)
    assert timer.due() == 5
    for second in range(3, 62):
        timer.arrived(second)
        assert timer.due() == min(second + 3, 62)
    timer.started()
    timer.finished(64, well=True)
    assert timer.due() == 69
    timer.run_at_once()
    assert timer.due() == 0


async def test_messages_wake_the_jobs_that_wait_for_them(database: str) -> None:
    """Fails when: `commit` does not tell `arrived`."""
    jobs = Jobs([Job("serve", LONG, toy.serve_households, (HouseholdRegistered,))])
    context = await open_context(database, arrived=jobs.arrived)
    task = asyncio.create_task(jobs.run(context))
    await until_async(runs(context, 0))

    await carry_out(context, placed([household(uuid4())]))

    await until_async(runs(context, 1))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await context.pool.close()


def in_another_process(parent: int) -> bool:
    print("what a solver prints is no answer")  # noqa: T201
    return os.getpid() != parent


def failing() -> None:
    raise toy.ToyBugError("secret")


def endless() -> None:
    time.sleep(60)


async def test_a_solver_runs_in_a_process_of_its_own_and_is_killed_with_its_job(context: Context) -> None:
    """Fails when: the function is called here, or the child is left alone."""
    run = JobRun(context, "solver", await context.pool.fetchval("select now()"))

    assert await run.in_child(in_another_process, os.getpid())
    with pytest.raises(ChildError, match="ToyBugError at "):
        await run.in_child(failing)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await run.in_child(endless)
