"""What was quarantined is tried again when an operator asks: as it came, through the same transaction."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.events import HouseholdRegistered
from contracts.submissions import VisitSubmitted
from messaging import Accepted, Connection, Outcome, Received
from messaging.apply import ensure_not_stopped
from messaging.database import alone
from messaging.errors import FactTooLargeError, StoppedError
from messaging.messages import Answer, Handlers
from messaging.quarantine import Seal, new_breaker
from messaging.retry import retry
from messaging.sweep import sweep
from messaging.transaction import Context
from operations.quarantine_store import Result, list_results
from tests.messaging import toy
from tests.messaging.running import KEY, carry_out, open_context, placed
from tests.messaging.samples import household, visit
from tests.messaging.test_bad_input import with_header, without_header

QUARANTINED = Answer("quarantined", "quarantined")


async def failing(_: Sequence[Received[VisitSubmitted]], __: Connection) -> list[Outcome]:
    raise FactTooLargeError


async def accepting(messages: Sequence[Received[HouseholdRegistered]], _: Connection) -> list[Outcome]:
    return [Accepted() for _ in messages]


def broken(context: Context) -> Context:
    """The same service as a bad deploy has it: visits fail."""
    return replace(context, handlers={**context.handlers, VisitSubmitted: failing}, breaker=new_breaker())


async def ask(context: Context, *message_ids: UUID) -> None:
    """As `berbagi quarantine retry` does."""
    await context.pool.execute(
        """update quarantine set retry_requested_at = now(), retry_requested_by = 'ratna'
           where $1::uuid[] = '{}' or message_id = any($1)""",
        list(message_ids),
    )


async def told(context: Context) -> list[tuple[str, str, int]]:
    """Code and id of each refusal, and its version."""
    rows = await context.pool.fetch("select message_id, value from outbox where topic = 'refusals' order by id")
    values = [json.loads(row["value"]) for row in rows]
    return [(value["code"], str(row["message_id"]), value["version"]) for row, value in zip(rows, values, strict=True)]


async def test_what_is_tried_again_and_works_has_its_effect_and_is_resolved(context: Context) -> None:
    """Fails when: `settle_requested` is not called, or `save_outcomes` leaves out what was quarantined."""
    bad = placed([household(uuid4(), residents=toy.BAD_RESIDENTS)])
    assert await carry_out(context, bad) == [QUARANTINED]
    await context.pool.execute("alter table toy_households drop constraint toy_households_residents_check")

    await ask(context)
    assert await retry(context)
    assert not await retry(context)

    assert await carry_out(context, bad) == [Answer("accepted")]
    assert await context.pool.fetchval("select count(*) from toy_households") == 1
    assert await context.pool.fetchval("select count(*) from outbox") == 1
    row = await context.pool.fetchrow("select resolution, resolved_by, retries, retry_requested_at from quarantine")
    assert tuple(row or ()) == ("retried", "ratna", 1, None)


@pytest.mark.parametrize("is_http", [False, True])
async def test_a_submission_that_is_refused_now_is_told_so_under_an_id_of_its_own(
    context: Context, *, is_http: bool
) -> None:
    """Over Kafka its sender heard `quarantined` before; over HTTP that was the answer.

    Fails when: `from_refusal` gives both the same id, or `_outgoing` tells nobody of what came over HTTP.
    """
    record = visit(uuid4(), carer_id=str(toy.REFUSED_CARER))
    assert await carry_out(broken(context), [record] if is_http else placed([record])) == [QUARANTINED]

    await ask(context)
    await retry(context)

    codes = await told(context)
    assert [(code, version) for code, _, version in codes] == [("quarantined", 1), ("not_the_carer", 1)][is_http:]
    assert len({message_id for _, message_id, _ in codes}) == len(codes)
    assert await carry_out(context, [record]) == [Answer("refused", "not_the_carer", "carer_id")]
    assert await context.pool.fetchval("select resolution from quarantine") == "retried"


async def test_what_fails_again_stays_with_its_new_reason_and_harms_no_other(context: Context) -> None:
    """Fails when: `insert_quarantined` does not write over what is there, or `settle_requested` looks at no request."""
    await carry_out(context, placed([household(uuid4()) for _ in range(40)]))
    bad = [household(uuid4(), residents=toy.BUG_RESIDENTS), household(uuid4(), residents=toy.BAD_RESIDENTS)]
    await carry_out(context, placed(bad))
    await context.pool.execute("update quarantine set quarantined_at = '2026-01-01', error = 'old'")

    handlers: Handlers = {HouseholdRegistered: toy.on_household}  # its bug is there still, the constraint is gone
    await context.pool.execute("alter table toy_households drop constraint toy_households_residents_check")
    await ask(context)
    await retry(replace(context, handlers=handlers))

    row = await context.pool.fetchrow("select * from quarantine where resolved_at is null")
    assert row is not None
    assert (row["reason"], row["retries"], row["retry_requested_at"]) == ("bug", 1, None)
    assert row["error"].startswith("ToyBugError at tests/messaging/toy.py:")
    assert row["quarantined_at"] > datetime.now(UTC) - timedelta(minutes=1)
    assert Seal(KEY).open(row["message_id"], row["payload"]).value == bad[0].value
    assert await context.pool.fetchval("select count(*) from toy_households where residents = 13") == 1
    assert await context.pool.fetchval("select count(*) from quarantine where resolution = 'retried'") == 1


async def test_tried_again_it_waits_like_any_other_and_behind_those_of_its_subject(context: Context) -> None:
    """It fails when it is woken, too: the same row is open again.

    Fails when: `_decide` does not ask for the parked, `_store` writes them as parked before, or a row is not reopened.
    """
    one, first, second = uuid4(), uuid4(), uuid4()
    await carry_out(broken(context), placed([visit(one, visit_id=str(second))]))
    await carry_out(context, placed([visit(one, visit_id=str(first))]))
    await ask(context)

    await retry(context)

    rows = await context.pool.fetch("select subject, type, waits_for from parked order by position")
    kind = VisitSubmitted.type
    assert [tuple(row) for row in rows] == [(str(one), kind, one), (str(one), kind, None)]
    assert await context.pool.fetchval("select outcome from inbox order by received_at limit 1") == "parked"

    await carry_out(context, placed([household(one)]))
    await sweep(context)
    assert await context.pool.fetchval("select count(*) from quarantine where resolved_at is null") == 0
    await sweep(broken(context))

    assert await context.pool.fetchval("select visit_id from toy_visits") == first
    row = await context.pool.fetchrow("select resolution, retries, reason from quarantine")
    assert tuple(row or ()) == (None, 1, "bad_data")


async def test_a_subjects_messages_are_tried_again_in_their_order(context: Context) -> None:
    """Fails when: `list_requested` does not go by partition and offset."""
    one = uuid4()
    await carry_out(context, placed([household(one)]))
    visits = placed([visit(one, visit_id=str(UUID(int=number))) for number in range(1, 10)])
    for record in reversed(visits):
        await carry_out(broken(context), [record])

    await ask(context)
    await retry(context)

    rows = await context.pool.fetch("select visit_id from toy_visits order by number")
    assert [row["visit_id"].int for row in rows] == list(range(1, 10))


async def test_deadlines_count_from_the_first_receipt_of_what_is_tried_again(database: str) -> None:
    """Fails when: `claim_requested` gives the time of the new try."""
    context = await open_context(database, development=True)
    one = uuid4()
    await carry_out(context, placed([household(one)]))
    await carry_out(broken(context), placed([visit(one)]))
    await context.pool.execute("update clock set ahead = interval '3 days'")

    await ask(context)
    await retry(context)

    received_at = await context.pool.fetchval("select received_at from toy_visits")
    await context.pool.close()
    assert abs(received_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_retries_work_while_the_breaker_is_open_and_never_open_it(context: Context) -> None:
    """30 of 30 fail again; then the cause is gone, which one retry shows before the consumer goes on.

    Fails when: `retry` counts for the breaker, or waits for it.
    """
    for _ in range(2):
        records = placed([household(uuid4(), residents=toy.BAD_RESIDENTS) for _ in range(15)])
        await carry_out(replace(context, breaker=new_breaker()), records)

    await ask(context)
    await retry(context)

    assert await context.pool.fetchval("select count(*) from quarantine where retries = 1") == 30
    assert await context.pool.fetchval("select count(*) from breaker") == 0

    await context.pool.execute("insert into breaker (reason) values ('too many')")
    with pytest.raises(StoppedError):
        await ensure_not_stopped(replace(context, breaker=new_breaker()))
    await ask(context)
    await retry(replace(context, handlers={HouseholdRegistered: accepting}))
    assert await context.pool.fetchval("select count(*) from quarantine where resolution = 'retried'") == 30


async def test_what_cannot_be_opened_stays_and_the_others_go_on(context: Context) -> None:
    """Fails when: `_open` lets the error out, or the request stays and is tried for ever."""
    one = uuid4()
    await carry_out(context, placed([household(one)]))
    await carry_out(broken(context), placed([visit(one), visit(one)]))
    damaged = await context.pool.fetchval(
        """update quarantine set payload = '\\x00' where "offset" = 0 returning message_id"""
    )

    await ask(context)
    await retry(context)

    rows = await context.pool.fetch("select message_id, error from quarantine where resolved_at is null")
    assert [(row["message_id"], row["error"]) for row in rows] == [(damaged, "InvalidTag")]
    assert not await retry(context)


async def test_what_this_version_passes_over_or_reads_as_another_message_is_resolved(context: Context) -> None:
    """A type that a newer version knows and does not handle; and two whose envelope could not be read before.

    Fails when: `retry` looks for them under ids they do not have, and finds none for ever, or the old id is not given
    the answer of the new one.
    """
    one, bad, other = uuid4(), uuid4(), uuid4()
    unknown = with_header("ce_type", b"id.berbagi.household-sang.v1")(household(other))
    unread = without_header("ce_regency")(household(one))
    assert await carry_out(context, placed([unknown, unread, unread])) == [QUARANTINED] * 3
    rows = await context.pool.fetch("""select message_id from quarantine order by "offset" """)
    ids = [row["message_id"] for row in rows]
    now = [household(other, kind="left"), household(one), household(bad, residents=toy.BAD_RESIDENTS)]
    await context.pool.executemany(
        "update quarantine set payload = $2 where message_id = $1",
        [(message_id, context.seal.close(message_id, record)) for message_id, record in zip(ids, now, strict=True)],
    )

    await ask(context)
    await retry(context)

    assert await context.pool.fetchval("select household_id from toy_households") == one
    async with context.pool.acquire() as db:
        assert [await list_results(db, [message_id]) for message_id in ids] == [
            [Result("unchanged", "", 1)],
            [Result("accepted", "", 1)],
            [Result("quarantined", "", 1)],
        ]
    rows = await context.pool.fetch("select reason from quarantine where resolved_at is null")
    assert [row["reason"] for row in rows] == ["bad_data"]


async def test_one_replica_retries_at_a_time(context: Context) -> None:
    """Fails when: `alone` takes no lock, or keeps it."""
    await carry_out(broken(context), placed([visit(uuid4())]))
    await ask(context)

    async with alone(context.pool, "retry"):
        assert not await retry(context)

    async with context.pool.acquire():  # the connection that had the lock
        assert await retry(context)


async def fail_with_the_lock(context: Context) -> None:
    async with alone(context.pool, "retry") as db:
        assert db is not None
        await db.execute("begin")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await db.execute("select 1 / 0")


async def test_a_lock_that_could_not_be_given_back_ends_with_its_session(context: Context) -> None:
    """Fails when: `alone` lets the pool keep the connection."""
    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await fail_with_the_lock(context)

    async with context.pool.acquire(), alone(context.pool, "retry") as again:
        assert again is not None
