"""Sentence 4 of the promise: what needs something not yet here waits, in order, and is not forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from messaging.apply import read_all
from messaging.messages import Answer
from messaging.parked import PAGE, claim_parked, list_due
from messaging.reading import Good
from messaging.sweep import sweep, sweep_forever
from messaging.transaction import Context
from tests.messaging import toy
from tests.messaging.running import carry_out, open_context, placed, until_async, value
from tests.messaging.samples import household, visit

PARKED = Answer("parked")


async def visits(context: Context) -> list[UUID]:
    return [row["visit_id"] for row in await context.pool.fetch("select visit_id from toy_visits order by number")]


async def test_a_submission_is_parked_and_woken_when_what_it_needs_arrives(context: Context) -> None:
    """Fails when: `wake` does nothing."""
    one, visit_id = uuid4(), uuid4()
    assert await carry_out(context, placed([visit(one, visit_id=str(visit_id))])) == [PARKED]
    await context.pool.execute("update parked set due_at = now() + interval '1 hour'")
    assert not await sweep(context)

    await carry_out(context, placed([household(one)]))
    assert await sweep(context)

    assert await visits(context) == [visit_id]
    assert await context.pool.fetchval("select count(*) from parked") == 0
    assert await context.pool.fetchval("select outcome from inbox order by received_at limit 1") == "accepted"


async def test_what_arrives_wakes_the_sweep_at_once(context: Context) -> None:
    """Fails when: `wake_parked` does not notify."""
    one = uuid4()
    await carry_out(context, placed([visit(one)]))
    heard = asyncio.Event()
    async with context.pool.acquire() as db:

        def listener(*_: object) -> None:
            heard.set()

        await db.add_listener("parked", listener)

        await carry_out(context, placed([household(one)]))

        async with asyncio.timeout(1):
            await heard.wait()
        await db.remove_listener("parked", listener)


async def test_later_submissions_of_a_subject_go_behind_a_parked_one_and_keep_their_order(context: Context) -> None:
    """Within a batch, in a later one, and when the household has come in between.

    Fails when: `_goes_behind` is always false.
    """
    one, ids = uuid4(), [uuid4() for _ in range(4)]
    assert await carry_out(context, placed([visit(one, visit_id=str(name)) for name in ids[:2]])) == [PARKED] * 2
    assert await carry_out(context, placed([visit(one, visit_id=str(ids[2]))])) == [PARKED]
    await carry_out(context, placed([household(one)]))

    assert await carry_out(context, placed([visit(one, visit_id=str(ids[3]))])) == [PARKED]
    while await sweep(context):
        pass

    assert await visits(context) == ids


async def test_what_could_be_decided_waits_for_the_parked_one_before_it(context: Context) -> None:
    """Fails when: `list_due` does not look for earlier ones of the subject."""
    one = uuid4()
    refused = visit(one, carer_id=str(toy.REFUSED_CARER))
    assert await carry_out(context, placed([visit(one), refused])) == [PARKED] * 2
    await context.pool.execute("update parked set due_at = now() + interval '1 hour' where waits_for is not null")

    assert not await sweep(context)

    assert await context.pool.fetchval("select count(*) from parked") == 2


async def test_the_sweep_is_a_net_under_a_lost_wake(context: Context) -> None:
    """The household comes in unseen. Fails when: the sweep waits for its wake only."""
    one = uuid4()
    await carry_out(context, placed([visit(one)]))
    await context.pool.execute("insert into toy_households values ($1, 1, 1)", one)

    sweeping = asyncio.create_task(sweep_forever(context, asyncio.Event()))
    await until_async(lambda: visits(context), seconds=10)
    sweeping.cancel()


async def test_what_is_parked_again_is_tried_later_and_later(context: Context) -> None:
    """Fails when: `save_parked_again` does not move `due_at`."""
    await carry_out(context, placed([visit(uuid4())]))

    assert await sweep(context)
    assert not await sweep(context)

    assert await context.pool.fetchval("select attempts from parked where due_at > now() + interval '1 second'") == 1


async def test_after_seven_days_it_is_refused_as_expired_and_its_sender_told(context: Context) -> None:
    """Over HTTP too: the answer was given long ago. Fails when: `expired` is not looked at."""
    await carry_out(context, [visit(uuid4(), "late")])
    await context.pool.execute("update parked set parked_at = now() - interval '7 days 1 minute'")

    assert await sweep(context)

    assert await context.pool.fetchval("select outcome || ' ' || code from inbox") == "refused expired"
    assert b'"expired"' in await context.pool.fetchval("select value from outbox where topic = 'refusals'")
    assert await context.pool.fetchval("select count(*) from parked") == 0


async def test_a_parked_submission_that_fails_is_quarantined_and_the_next_goes_on(context: Context) -> None:
    """Fails when: `claim_parked` is not used to isolate."""
    one = uuid4()
    bad = visit(one, carer_id="00000000-0000-0000-0000-000000000002")
    await carry_out(context, placed([visit(one, carer_id=str(uuid4())), bad, visit(one)]))
    await carry_out(context, placed([household(one)]))

    while await sweep(context):
        pass

    assert len(await visits(context)) == 2
    assert await context.pool.fetchval("select reason from quarantine") == "bad_data"


@pytest.mark.parametrize("payload", [b"damaged", bytes(60)], ids=["cut off", "sealed with another key"])
async def test_a_parked_submission_that_cannot_be_opened_holds_its_subject_and_no_other(
    context: Context, payload: bytes
) -> None:
    """It stays, and is decided first when it can be opened again.

    Fails when: `list_due` lets `seal.open` raise, or passes over what cannot be opened to the next of its subject.
    """
    one, two, ids = uuid4(), uuid4(), [uuid4() for _ in range(3)]
    first, second, other = (
        visit(subject, visit_id=str(name)) for subject, name in zip((one, one, two), ids, strict=True)
    )
    await carry_out(context, placed([first, second, other]))
    held_id = await context.pool.fetchval("select message_id from parked order by position limit 1")
    sealed = await context.pool.fetchval("select payload from parked where message_id = $1", held_id)
    await context.pool.execute("update parked set payload = $2 where message_id = $1", held_id, payload)
    await carry_out(context, placed([household(one), household(two)]))
    counted = REGISTRY.get_sample_value("berbagi_messaging_parked_unopened_total") or 0

    while await sweep(context):
        pass
    decided = await visits(context)
    await context.pool.execute("update parked set payload = $2, due_at = now() where message_id = $1", held_id, sealed)
    while await sweep(context):
        pass

    assert decided == [ids[2]]
    assert REGISTRY.get_sample_value("berbagi_messaging_parked_unopened_total") == counted + 1
    assert await visits(context) == [ids[2], ids[0], ids[1]]


async def test_pages_of_parked_submissions_that_cannot_be_opened_hide_no_other(context: Context) -> None:
    """However old they are. Fails when: `put_off` does nothing."""
    await context.pool.execute(
        """insert into parked (message_id, subject, waits_for, payload, received_at, parked_at)
           select id, id::text, id, ''::bytea, now(), now() - interval '8 days'
           from (select gen_random_uuid() as id from generate_series(1, $1)) as new""",
        PAGE + 1,
    )
    one, visit_id = uuid4(), uuid4()
    await carry_out(context, placed([visit(one, visit_id=str(visit_id))]))
    await carry_out(context, placed([household(one)]))

    async with asyncio.timeout(20):
        while await sweep(context):
            pass

    assert await visits(context) == [visit_id]
    assert await context.pool.fetchval("select count(*) from parked where due_at > now()") == PAGE + 1


async def test_deadlines_count_from_the_first_receipt_of_a_parked_submission(database: str) -> None:
    """Fails when: `claim_parked` gives the time of the new try."""
    context = await open_context(database, development=True)
    one = uuid4()
    await carry_out(context, placed([visit(one)]))
    await context.pool.execute("update clock set ahead = interval '3 days'")
    await carry_out(context, placed([household(one)]))
    await sweep(context)

    received_at = await value(database, "select received_at from toy_visits")
    await context.pool.close()

    assert abs(received_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_two_sweeps_at_once_decide_once(context: Context) -> None:
    """Fails when: `claim_parked` does not lock."""
    await carry_out(context, placed([visit(uuid4())]))
    now = datetime.now(UTC)
    async with context.pool.acquire() as db, context.pool.acquire() as other, db.transaction():
        due = await list_due(db, context.seal)
        records = [one.record for one in due if one.record is not None]
        readings = [one for one in read_all(context, records) if isinstance(one, Good)]

        first = await claim_parked(db, readings, now)
        second = await claim_parked(other, readings, now)

    assert (len(first.taken), len(second.taken)) == (1, 0)
