"""Sentences 1 and 2 of the promise: all or nothing, and once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from contracts.events import HouseholdRegistered
from contracts.submissions import PledgeSubmitted
from messaging import Accepted, Connection, Outcome, Received
from messaging.apply import read_all
from messaging.inbox import claim_new
from messaging.messages import Answer
from messaging.reading import Good, Record
from messaging.transaction import Context, commit
from tests.messaging.running import Toy, carry_out, placed, until
from tests.messaging.samples import household, pledge, record, visit
from tests.messaging.toy import count_up, on_household, unserved

ACCEPTED = Answer("accepted")


def goods(context: Context, records: list[Record]) -> list[Good]:
    return [reading for reading in read_all(context, placed(records)) if isinstance(reading, Good)]


async def test_a_handlers_writes_its_events_and_the_mark_seen_commit_together_or_not_at_all(service: Toy) -> None:
    """Killed before the commit nothing is there, started again everything is.

    Fails when: `commit` has no `db.transaction()`, or the batch is acknowledged before it is decided.
    """
    dying = await service.start(FAILPOINTS="before_commit:1", REPLICA="a", wait=False)
    await service.send([household(uuid4()) for _ in range(10)])

    assert await dying.ended() == 137
    assert await service.value("select count(*) from toy_assignments") == 0
    assert await service.value("select count(*) from inbox") == 0
    assert await service.value("select count(*) from outbox") == 0

    await service.start(REPLICA="a")
    await until(service, 10, "select count(*) from toy_assignments where version = 1")
    await until(service, 10, "select count(*) from inbox")
    await until(service, 0, "select count(*) from outbox")
    assert len(await service.read("assignment-events")) == 10


async def test_a_message_delivered_twice_has_one_effect_in_one_batch_and_in_two(context: Context) -> None:
    """Fails when: `claim_new` takes what `_insert_seen` did not return, or every reading instead of each id once."""
    record = household(uuid4())

    twice = await carry_out(context, placed([record, record]))
    again = await carry_out(context, placed([record]))

    assert twice + again == [ACCEPTED] * 3
    assert await context.pool.fetchval("select version from toy_assignments") == 1
    assert await context.pool.fetchval("select count(*) from outbox") == 1


async def test_a_message_that_no_handler_gets_is_not_called_accepted(context: Context) -> None:
    """A fact with two types: the first is handled, by the last it is one that nobody handles.

    Fails when: the inbox row keeps the outcome it was inserted with.
    """
    one = uuid4()
    odd = record("household-events", "household-merged", str(one), "berbagi-registry", "m-1", household_id=str(one))
    odd = odd._replace(headers=(("ce_type", b"id.berbagi.household-registered.v1"), *odd.headers))

    answers = await carry_out(context, placed([odd]))

    assert [answer.outcome for answer in answers] == ["quarantined"]


async def test_a_message_in_two_transactions_at_once_has_one_effect(context: Context) -> None:
    """A zombie's late commit is fenced: whoever comes second waits, and finds the work done.

    Fails when: `_insert_seen` returns every id.
    """
    record = household(uuid4(), residents=16)

    await asyncio.gather(carry_out(context, placed([record])), carry_out(context, placed([record])))

    assert await context.pool.fetchval("select version from toy_assignments") == 1


async def test_a_repeat_gets_the_first_answer(context: Context) -> None:
    """Fails when: `save_outcomes` is not called."""
    parked, refused = visit(uuid4()), visit(uuid4(), carer_id="00000000-0000-0000-0000-000000000001")
    unchanged = pledge(uuid4())
    records = [parked, refused, unchanged]

    first = await carry_out(context, records)
    again = await carry_out(context, records)

    assert first == [Answer("parked"), Answer("refused", "not_the_carer", "carer_id"), Answer("unchanged")]
    assert again == first


async def test_other_content_under_the_same_id_is_refused_and_said_once(context: Context) -> None:
    """Fails when: contents are not compared, or a reused id has no inbox row of its own."""
    one = uuid4()
    await carry_out(context, placed([household(one)]))
    first, other = visit(one, "the-id"), visit(one, "the-id", happened=False)

    answers = await carry_out(context, placed([first, other, first]))
    again = await carry_out(context, placed([other]))

    assert answers == [ACCEPTED, Answer("refused", "id_reused", "id"), ACCEPTED]
    assert again == [Answer("refused", "id_reused", "id")]
    assert await context.pool.fetchval("select count(*) from toy_visits") == 1
    assert await context.pool.fetchval("select count(*) from outbox where topic = 'refusals'") == 1


async def test_the_same_content_written_otherwise_is_the_same_message(context: Context) -> None:
    """Fails when: the raw value is hashed instead of what was understood."""
    record = pledge(uuid4())
    spaced = record._replace(value=(record.value or b"").replace(b": ", b" :   "))

    assert await carry_out(context, [record]) == await carry_out(context, [spaced]) == [Answer("unchanged")]


async def test_a_subjects_messages_keep_their_order_and_meet_a_handler_one_at_a_time(context: Context) -> None:
    """Fails when: every message is in the first wave."""
    one, other = uuid4(), uuid4()
    records = [household(one, 1), household(one, 2, kind="updated"), household(other, 1), household(one, 3)]

    await commit(context, goods(context, records), claim_new)

    rows = await context.pool.fetch("select subject, causationid from outbox order by id")
    causes = [row["causationid"] for row in rows if row["subject"] == str(one)]
    assert causes == [f"{one}-1", f"{one}-2", f"{one}-3"]
    assert await context.pool.fetchval("select version from toy_assignments where household_id = $1", one) == 3


async def test_a_fact_made_again_has_the_same_id(context: Context) -> None:
    """Fails when: the id of a fact is random."""
    record = household(uuid4())

    await carry_out(context, placed([record]))
    first = await context.pool.fetchval("select message_id from outbox")
    await context.pool.execute("truncate inbox, outbox, toy_assignments")
    await carry_out(context, placed([record]))

    assert await context.pool.fetchval("select message_id from outbox") == first


async def test_versions_of_an_aggregate_leave_in_the_order_two_handlers_made_them(context: Context) -> None:
    """The pledge came first in the batch, and is decided after the household.

    Fails when: `_decide` returns its decisions in the order in which the messages came.
    """
    household_id = uuid4()

    async def on_pledge(messages: Sequence[Received[PledgeSubmitted]], db: Connection) -> list[Outcome]:
        versions = await count_up(db, [household_id])
        return [Accepted((unserved(household_id, versions[household_id]),)) for _ in messages]

    context = replace(context, handlers={HouseholdRegistered: on_household, PledgeSubmitted: on_pledge})

    await carry_out(context, placed([pledge(uuid4()), household(household_id)]))

    rows = await context.pool.fetch(
        "select convert_from(value, 'utf8')::jsonb ->> 'version' as v from outbox order by id"
    )
    assert [row["v"] for row in rows] == ["1", "2"]
