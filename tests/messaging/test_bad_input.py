"""Sentences 5 and 6 of the promise: nothing is dropped, nobody else's message suffers, and no input is quoted."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.events import HouseholdRegistered
from messaging.errors import StoppedError
from messaging.messages import Accepted, Answer, Card, Handlers, Outcome, Refused
from messaging.quarantine import Seal
from messaging.reading import Bad, Good, Quarantined, Record, read
from messaging.transaction import Context
from tests.messaging import toy
from tests.messaging.running import KEY, carry_out, open_context, placed
from tests.messaging.samples import household, record, visit

NIK = "3510160101900001"
HOUSEHOLD = UUID("ad7140d9-2cc2-4134-8bae-6b90ba3dede2")
QUARANTINED = Answer("quarantined", "quarantined")
Change = Callable[[Record], Record]


def with_header(name: str, value: bytes | None) -> Change:
    return lambda one: one._replace(headers=tuple((key, value if key == name else old) for key, old in one.headers))


def without_header(name: str) -> Change:
    return lambda one: one._replace(headers=tuple((key, old) for key, old in one.headers if key != name))


def with_data(**changes: object) -> Change:
    return lambda one: one._replace(value=json.dumps(json.loads(one.value or b"") | changes).encode())


def with_value(value: bytes | None) -> Change:
    return lambda one: one._replace(value=value)


LATER = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
REFUSED = {
    "unknown type": (with_header("ce_type", b"id.berbagi.nothing-submitted.v1"), "unknown_type", "type"),
    "a fact's type": (with_header("ce_type", HouseholdRegistered.type.encode()), "unknown_type", "type"),
    "another service's": (with_header("ce_type", b"id.berbagi.stock-submitted.v1"), "wrong_service", "type"),
    "key and subject differ": (lambda one: one._replace(key=b"other"), "key_mismatch", "subject"),
    "no key": (lambda one: one._replace(key=None), "key_mismatch", "subject"),
    "subject and data differ": (with_data(household_id=str(uuid4())), "key_mismatch", "subject"),
    "missing field": (with_value(b"{}"), "missing_field", "happened_at"),
    "unknown field": (with_data(**{NIK: NIK}), "unknown_field", None),
    "unknown nested field": (with_data(answers={NIK: NIK}), "missing_field", "answers.lives_alone"),
    "wrong type": (with_data(happened=NIK), "invalid_field", "happened"),
    "wrong kind of JSON": (with_value(b"[1]"), "invalid_field", None),
    "out of range": (with_data(place={"latitude": 1e9, "longitude": 0}), "invalid_field", "place.latitude"),
    "a service's source": (with_header("ce_source", b"berbagi-registry"), "wrong_source", "source"),
    "NUL": (with_data(programmes_received=["a\x00b"]), "invalid_field", None),
    "in the future": (with_data(happened_at=LATER), "in_the_future", "happened_at"),
    "identity number as id": (with_header("ce_id", NIK.encode()), "identity_number", "id"),
    "identity number as subject": (with_header("ce_subject", NIK.encode()), "identity_number", "subject"),
}
UNREADABLE: dict[str, Change] = {
    "broken JSON": with_value(b'{"happened":'),
    "nested too deep": with_value(b"[" * 300 + b"]" * 300),
    "no value": with_value(None),
    "not UTF-8": with_value(b'{"a":"\xff"}'),
    "null header": with_header("ce_type", None),
    "header not UTF-8": with_header("ce_subject", b"\xff\xfe"),
    "missing header": without_header("ce_regency"),
    "no headers": lambda one: one._replace(headers=()),
    "NUL in a header": with_header("ce_id", b"a\x00b"),
    "source not a slug": with_header("ce_source", b"Not A Slug"),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_can_be_read_but_not_accepted_is_refused_to_its_sender(context: Context, kind: str) -> None:
    """Its neighbours go through, and neither code, path nor sentence quotes the input.

    Fails when: `_misfit` gives the whole path, `_sender_as_far_as_readable` repeats the id, or the check is left out.
    """
    change, code, field = REFUSED[kind]
    good = visit(uuid4())

    answers = await carry_out(context, placed([change(visit(HOUSEHOLD, "the-id")), good]))
    again = await carry_out(context, placed([change(visit(HOUSEHOLD, "the-id"))]))

    assert answers == [Answer("refused", code, field), Answer("parked")]
    assert again[0].outcome == "refused"
    told = await context.pool.fetch("select subject, value from outbox where topic = 'refusals'")
    source = "berbagi-registry" if code == "wrong_source" else "smart-kampung"
    assert [row["subject"] for row in told] == [source] * (1 if again == answers[:1] else 2)
    assert NIK.encode() not in b"".join(row["value"] for row in told)
    assert await context.pool.fetchval("select count(*) from quarantine") == 0


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_what_cannot_be_read_is_quarantined_encrypted_and_the_rest_goes_through(
    context: Context, kind: str
) -> None:
    """The sender is told when it could be read. Fails when: `from_headers` may raise, or the payload is not sealed."""
    bad, good = placed([UNREADABLE[kind](visit(HOUSEHOLD, "the-id")), visit(uuid4())])

    assert await carry_out(context, [bad, good]) == [QUARANTINED, Answer("parked")]
    assert await carry_out(context, [bad]) == [QUARANTINED]

    row = await context.pool.fetchrow("select message_id, reason, payload from quarantine")
    assert row is not None
    assert row["reason"] == "unreadable"
    assert str(HOUSEHOLD).encode() not in row["payload"]
    assert Seal(KEY).open(row["message_id"], row["payload"]) == bad
    is_known = kind not in {"no headers", "source not a slug"}
    assert await context.pool.fetchval("select count(*) from outbox where topic = 'refusals'") == is_known


async def test_a_refusal_of_the_wrong_service_names_the_right_one(context: Context) -> None:
    await carry_out(context, placed([with_header("ce_type", b"id.berbagi.stock-submitted.v1")(visit(HOUSEHOLD))]))

    assert b"Send it to distribution." in await context.pool.fetchval("select value from outbox")


async def test_unknown_and_unreadable_facts_are_quarantined_and_types_without_a_handler_passed_over(
    context: Context,
) -> None:
    """Fails when: an unknown type is ignored, or an ignored one gets an inbox row."""
    unknown = with_header("ce_type", b"id.berbagi.household-sang.v1")(household(uuid4()))
    misfit = with_data(residents="many")(household(uuid4()))
    ignored = with_header("ce_type", b"id.berbagi.household-left.v1")(household(uuid4()))

    answers = await carry_out(context, placed([unknown, misfit, ignored, household(uuid4())]))

    assert answers == [QUARANTINED, QUARANTINED, Answer("ignored"), Answer("accepted")]
    reasons = await context.pool.fetch("select reason from quarantine order by reason")
    assert [row["reason"] for row in reasons] == ["unknown_type", "unreadable"]
    assert await context.pool.fetchval("select count(*) from inbox") == 3
    assert await context.pool.fetchval("select count(*) from outbox") == 1


@pytest.mark.parametrize(("residents", "reason"), [(13, "bad_data"), (14, "bug"), (15, "bad_data")])
async def test_what_fails_is_quarantined_alone_with_its_reason(context: Context, residents: int, reason: str) -> None:
    """A constraint, a bug, a fact over 256 KiB; the text of the error is nowhere.

    Fails when: `_isolate` quarantines the whole half, or `describe` quotes the error or names a place in asyncpg.
    """
    records = placed([household(uuid4()) for _ in range(7)] + [household(uuid4(), residents=residents)])

    answers = await carry_out(context, records)

    assert answers == [Answer("accepted")] * 7 + [QUARANTINED]
    row = await context.pool.fetchrow("select reason, error from quarantine")
    assert row is not None
    assert row["reason"] == reason
    assert "secret" not in row["error"]
    assert re.search(r"Error at .+/(toy|outbox)\.py:\d+$", row["error"])
    assert await context.pool.fetchval("select count(*) from toy_households") == 7


@pytest.mark.parametrize("carer", [toy.BAD_CARER, toy.BUG_CARER])
async def test_the_sender_of_a_failed_submission_is_told_that_it_is_quarantined(context: Context, carer: UUID) -> None:
    """Fails when: `_outgoing` tells of refusals only."""
    one = uuid4()
    await carry_out(context, placed([household(one)]))

    assert await carry_out(context, placed([visit(one, carer_id=str(carer))])) == [QUARANTINED]

    assert b'"quarantined"' in await context.pool.fetchval("select value from outbox where topic = 'refusals'")


async def test_a_bug_is_tried_ten_times_before_the_message_is_blamed(database: str) -> None:
    """Fails when: `_BUG_TRIES` is not looked at."""
    tries = 0

    async def on_household(_: object, __: object) -> list[Outcome]:
        nonlocal tries
        tries += 1
        if tries < 10:
            raise toy.ToyBugError
        return [Accepted()]

    handlers: Handlers = {HouseholdRegistered: on_household}
    context = await open_context(database, handlers=handlers)

    assert await carry_out(context, placed([household(uuid4())])) == [Answer("accepted")]

    await context.pool.close()
    assert tries == 10


async def test_a_handler_that_answers_for_another_number_of_messages_is_a_bug(database: str) -> None:
    """Fails when: `zip` is not strict."""

    async def on_household(_: object, __: object) -> list[Outcome]:
        return [Accepted(), Accepted()]

    context = await open_context(database, handlers={HouseholdRegistered: on_household})

    assert await carry_out(context, placed([household(uuid4())])) == [QUARANTINED]
    await context.pool.close()


@pytest.mark.parametrize("spoilt", [{"residents": toy.BUG_RESIDENTS}, {"carer_id": str(toy.BAD_CARER)}])
async def test_too_many_failures_stop_the_consumer_until_an_operator_resumes(
    context: Context, spoilt: dict[str, Any]
) -> None:
    """A bad deploy must not drain a topic: 21 of 21, and no more. Facts with a bug, submissions that are refused.

    Fails when: the breaker's row is not written, the split goes on, or bad data counts in facts only.
    """
    spoil = household if "residents" in spoilt else visit
    records = placed([spoil(uuid4(), **spoilt) for _ in range(100)])

    with pytest.raises(StoppedError):
        await carry_out(context, records)
    assert await context.pool.fetchval("select count(*) from quarantine") == 21
    with pytest.raises(StoppedError):
        await carry_out(context, placed([household(uuid4())]))
    assert await context.pool.fetchval("select reason from breaker") == "21 of the last 21 messages failed"

    await context.pool.execute("delete from breaker")
    context.breaker.checked_at = 0.0
    assert await carry_out(context, placed([household(uuid4())])) == [Answer("accepted")]


async def test_failures_under_one_in_twenty_and_integrators_rubbish_do_not_stop_it(context: Context) -> None:
    """Fails when: unreadable submissions count as failures, or the share is not looked at."""
    fine = [household(uuid4()) for _ in range(460)]
    few = [household(uuid4(), residents=13) for _ in range(22)]
    rubbish = [with_value(b"{")(visit(uuid4())) for _ in range(60)]

    for records in (fine, few, rubbish):
        await carry_out(context, placed(records))

    assert await context.pool.fetchval("select count(*) from breaker") == 0
    assert await context.pool.fetchval("select count(*) from quarantine") == 82


async def test_a_transient_error_is_nobodys_fault(context: Context) -> None:
    """The connection is cut inside the handler: raised to be tried again, nothing is quarantined.

    Fails when: `is_transient` is always false.
    """
    cut = placed([household(uuid4(), residents=16)])

    working = asyncio.create_task(carry_out(context, cut))
    await asyncio.sleep(0.4)
    await context.pool.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and state like 'idle in%'"""
    )

    with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError)):
        await working
    assert await context.pool.fetchval("select count(*) from quarantine") == 0
    assert await carry_out(context, placed([household(uuid4())])) == [Answer("accepted")]


def test_an_odd_record_never_makes_reading_raise() -> None:
    """Fails when: anything in `read` trusts what it reads."""
    closed = [b"[" * depth + b"]" * depth for depth in (254, 255, 900, 1_025)]
    for value in (None, b"", b"null", b"1e999", *closed, b"[" * 100_000, b'{"a":' * 5_000, b"\x00", b"\xef\xbb\xbf{}"):
        for topic in ("assignment-submissions", "household-events"):
            one = record(topic, "visit-submitted", str(HOUSEHOLD), "smart-kampung", "an-id")
            read(one._replace(value=value), toy.CARD, toy.HANDLERS)
            odd = one._replace(value=value, headers=(("ce_id", None), ("ce_id", b"\xff"), ("x", None)))
            read(odd, toy.CARD, toy.HANDLERS)


def test_a_bug_in_reading_puts_one_record_aside() -> None:
    """It would take all that was fetched with it. Over HTTP the sender sees that it failed.

    Fails when: `read` lets it out.
    """
    no_card = cast("Card", None)
    [from_kafka] = placed([visit(HOUSEHOLD)])

    reading = read(from_kafka, no_card, toy.HANDLERS)

    assert isinstance(reading, Bad)
    assert isinstance(reading.outcome, Quarantined)
    assert reading.outcome.reason == "bug"
    with pytest.raises(AttributeError):
        read(visit(HOUSEHOLD), no_card, toy.HANDLERS)


def test_a_submission_for_a_regency_nobody_decides_here_is_refused() -> None:
    """Fails when: it reaches a handler, which would fail for want of a policy and count as a bug."""
    card = replace(toy.CARD, regencies=frozenset({"35.10"}))
    ours = visit(HOUSEHOLD)
    theirs = with_header("ce_regency", b"35.09")(ours)

    outcomes = [read(one, card, toy.HANDLERS) for one in (ours, theirs)]

    assert isinstance(outcomes[0], Good)
    assert isinstance(outcomes[1], Bad)
    assert outcomes[1].outcome == Refused("wrong_regency", "regency")
