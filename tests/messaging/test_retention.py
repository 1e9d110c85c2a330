"""What is old goes, in small sets; nothing of it can come again, and nothing else goes."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from contracts.submissions import MAX_DAYS_LATE
from messaging.database import alone
from messaging.jobs import JobRun
from messaging.messages import Answer
from messaging.reading import Record
from messaging.retention import KEPT, Pruning, prune_in_sets, prune_inbox, prune_payloads
from messaging.transaction import Context
from tests.messaging.running import carry_out, open_context, placed
from tests.messaging.samples import household, pledge, visit
from tests.messaging.test_bad_input import with_value

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
LONG_AGO = timedelta(days=2_000)


def run_of(context: Context) -> JobRun:
    return JobRun(context, "prune", datetime.now(UTC))


async def ids(context: Context) -> set[UUID]:
    return {row["message_id"] for row in await context.pool.fetch("select message_id from inbox")}


async def seen(context: Context, records: Sequence[Record], ago: timedelta) -> set[UUID]:
    """Decide these, as if it had been so long ago; their ids."""
    before = await ids(context)
    await carry_out(context, records)
    new = await ids(context) - before
    await context.pool.execute(
        "update inbox set received_at = now() - $2::interval where message_id = any($1)", list(new), ago
    )
    return new


async def test_old_submissions_are_forgotten_and_facts_are_not(context: Context) -> None:
    """Nor what is parked or quarantined, nor what is young.

    Fails when: `prune_inbox` forgets one of its conditions.
    """
    one = uuid4()
    fact = await seen(context, placed([household(one)]), LONG_AGO)
    old = await seen(context, placed([pledge(uuid4()), visit(one)]), KEPT["inbox"] + timedelta(minutes=1))
    young = await seen(context, placed([pledge(uuid4()), visit(one)]), KEPT["inbox"] - timedelta(minutes=1))
    parked = await seen(context, placed([visit(uuid4())]), LONG_AGO)
    unreadable = await seen(context, placed([with_value(b"{")(visit(one))]), LONG_AGO)

    await prune_inbox(run_of(context), KEPT["inbox"])

    assert len(old) == len(young) == 2
    assert await ids(context) == fact | young | parked | unreadable


async def test_a_repeat_of_what_is_forgotten_has_no_effect(database: str) -> None:
    """At the last moment a report is taken, it is remembered for as long as a repeat of it would be taken.

    Fails when: `_decide` does not look how late a submission is, or the inbox is pruned before that.
    """
    context = await open_context(database, development=True)
    now = datetime.now(UTC)
    latest = pledge(uuid4(), happened_at=(now + timedelta(minutes=4)).isoformat())
    oldest = pledge(uuid4(), happened_at=(now - timedelta(days=MAX_DAYS_LATE) + timedelta(minutes=1)).isoformat())
    older = pledge(uuid4(), happened_at=(now - timedelta(days=MAX_DAYS_LATE, minutes=1)).isoformat())
    answers = await carry_out(context, [latest, oldest, older])

    await context.pool.execute("delete from inbox")
    await context.pool.execute("update clock set ahead = $1", KEPT["inbox"])
    again = await carry_out(context, [latest, oldest, older])

    await context.pool.close()
    too_old = Answer("refused", "too_old", "happened_at")
    assert answers == [Answer("unchanged"), Answer("unchanged"), too_old]
    assert again == [too_old] * 3


async def test_what_resolved_messages_said_is_deleted_and_their_rows_stay(context: Context) -> None:
    """Fails when: `prune_payloads` looks at what is open, or at no age."""
    await carry_out(context, placed([with_value(b"{")(visit(uuid4())) for _ in range(4)]))
    for offset, ago in enumerate((31, 29)):
        await context.pool.execute(
            """update quarantine set resolved_at = now() - make_interval(days => $2), resolution = 'retried',
                 resolved_by = 'ratna' where "offset" = $1""",
            offset,
            ago,
        )
    await context.pool.execute("update quarantine set quarantined_at = now() - interval '900 days'")

    await prune_in_sets(run_of(context), prune_payloads, KEPT["quarantine payloads"])

    rows = await context.pool.fetch('select payload is null as is_pruned from quarantine order by "offset"')
    assert [row["is_pruned"] for row in rows] == [True, False, False, False]


async def test_pruning_goes_in_small_transactions(context: Context) -> None:
    """Fails when: everything old goes at once."""
    await seen(context, placed([pledge(uuid4()) for _ in range(500)]), LONG_AGO)
    await carry_out(context, placed([with_value(b"{")(visit(uuid4())) for _ in range(7)]))
    await context.pool.execute(
        "update quarantine set resolved_at = now() - $1::interval, resolution = 'retried', resolved_by = 'r'", LONG_AGO
    )

    payloads, inbox = run_of(context), run_of(context)
    await prune_in_sets(payloads, prune_payloads, KEPT["quarantine payloads"], rows=3)
    await prune_inbox(inbox, KEPT["inbox"], pages=2)

    assert payloads.wrote == 3
    assert inbox.wrote > 2
    assert await context.pool.fetchval("select count(*) from quarantine where payload is not null") == 0
    assert len(await ids(context)) == 7


async def test_the_job_writes_nothing_when_nothing_is_old_and_walks_the_inbox_once_a_day(context: Context) -> None:
    """So that whoever waits for rest is not kept waiting, however often it wakes the jobs.

    Fails when: the job writes down that it has looked, or walks each time.
    """
    await seen(context, placed([pledge(uuid4()), household(uuid4())]), timedelta(days=1))
    job = Pruning().job
    first, second = run_of(context), run_of(context)

    await job.run(first)
    await context.pool.execute("update inbox set received_at = now() - $1::interval", LONG_AGO)
    await job.run(second)

    assert (first.wrote, second.wrote) == (0, 0)
    assert len(await ids(context)) == 2
    third = run_of(context)
    await Pruning().job.run(third)
    assert third.wrote == 1


async def test_two_replicas_do_not_throw_each_other_back(context: Context) -> None:
    """Fails when: the walk takes a lock anew for every set of pages."""
    await seen(context, placed([pledge(uuid4()) for _ in range(500)]), LONG_AGO)
    one, other = run_of(context), run_of(context)

    async with run_of(context).writing():  # prunes payloads
        await asyncio.gather(*(prune_inbox(run, KEPT["inbox"], pages=1) for run in (one, other)))

    assert await ids(context) == set()
    assert min(one.wrote, other.wrote) == 0


async def test_a_walk_is_left_to_the_replica_that_is_at_it(context: Context) -> None:
    """Fails when: two walk at once, or the second fails."""
    old = await seen(context, placed([pledge(uuid4())]), LONG_AGO)

    async with alone(context.pool, "prune inbox"):
        await Pruning().job.run(run_of(context))
        assert await ids(context) == old

    await Pruning().job.run(run_of(context))
    assert await ids(context) == set()


@pytest.mark.parametrize("what", KEPT)
def test_the_runbook_has_the_table(what: str) -> None:
    """Fails when: one is changed without the other."""
    assert f"| {what} | {KEPT[what].days} days |" in RUNBOOK.read_text("utf-8")
