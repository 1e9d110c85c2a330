"""The operator's commands against a running service: what is stuck is seen, tried again, given up."""

import asyncio
import json
import re
from datetime import UTC, datetime
from uuid import uuid4

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.messaging import toy
from tests.messaging.running import KEY, Process, Toy, until, until_async
from tests.messaging.samples import household, visit
from tests.messaging.test_bad_input import with_value
from tests.operations.command import Answer, berbagi_here

BREAK, MEND = "alter table toy_visits rename to toy_away", "alter table toy_away rename to toy_visits"
CURE = "alter table toy_households drop constraint toy_households_residents_check"


async def run(service: Toy, *arguments: str, **environment: str) -> Answer:
    """The command, with the address of the service's database."""
    return await asyncio.to_thread(berbagi_here, *arguments, BERBAGI_DATABASE_URL=service.database, **environment)


async def metric(process: Process, name: str, **labels: str) -> float | None:
    """The value of a metric; of those with other labels too, the sum."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{process.url}/metrics")).text
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name]
    found = [one.value for one in samples if labels.items() <= one.labels.items()]
    return sum(found) if found else None


def rows(answer: Answer) -> list[list[str]]:
    """Cells of a printed table, without its headings and the empty ones."""
    lines = answer.out.splitlines()
    below = next((at for at, line in enumerate(lines) if line.startswith("──")), len(lines))
    return [re.split(r"\s{2,}", line.strip()) for line in lines[below + 1 :]]


async def codes_told(service: Toy) -> list[str]:
    return sorted(json.loads(record.value)["code"] for record in await service.read("refusals"))


async def test_quarantined_messages_are_listed_shown_and_tried_again_by_the_service(service: Toy) -> None:
    """One is accepted now, one refused and its sender told, one fails again and stays.

    Fails when: `request_retry` does not notify and nothing polls, `settle_requested` is not called, or the table of
    outcomes is made before the service is done.
    """
    process = await service.start()
    one = uuid4()
    await service.send([household(one)])
    await until(service, 1, "select count(*) from toy_households")
    await service.value(BREAK)
    refused = visit(one, carer_id=str(toy.REFUSED_CARER))
    await service.send([visit(one), refused, visit(one, carer_id=str(toy.BUG_CARER))])
    await until(service, 3, "select count(*) from quarantine where reason = 'bug'")
    await service.value(MEND)

    listed = await run(service, "quarantine", "list", "--service", "assignment", "--type", "visit-submitted")
    each = await run(service, "quarantine", "list", "--service", "assignment", "--each", "--since", "1h")
    none = await run(service, "quarantine", "list", "--service", "assignment", "--reason", "unreadable")
    ids = {line[1] for line in rows(each)}
    shown = await run(service, "quarantine", "show", min(ids), "--service", "assignment")
    closed = await run(service, "quarantine", "show", min(ids), "--service", "assignment", "--payload")
    opened = await run(
        service, "quarantine", "show", min(ids), "--service", "assignment", "--payload", BERBAGI_DATA_KEY=KEY
    )
    assert sum(int(line[5]) for line in rows(listed)) == len(ids) == 3
    assert none == Answer(0, "Nothing like that is quarantined.\n", "")
    assert "assignment-submissions, partition" in shown.out
    assert str(one) not in shown.out + closed.out
    assert (closed.code, "set BERBAGI_DATA_KEY" in closed.error) == (2, True)
    assert f'"household_id": "{one}"' in opened.out

    retried = await run(service, "quarantine", "retry", "--service", "assignment", "--reason", "bug", "--by", "ratna")

    assert retried.code == 1
    assert sorted(line[0] for line in rows(retried)) == ["accepted", "quarantined again", "refused"]
    assert "quarantined again   bug: ToyBugError at tests/messaging/toy.py:" in retried.out
    assert "refused             not_the_carer " in retried.out
    assert await service.value("select count(*) from toy_visits") == 1
    assert await service.value("select count(*) from quarantine where resolved_by = 'ratna'") == 2
    assert await service.value("select retries from quarantine where resolved_at is null") == 1
    await until(service, 0, "select count(*) from outbox")
    assert await codes_told(service) == ["not_the_carer", "quarantined", "quarantined", "quarantined"]
    assert '"retried"' in process.log.read_text()


async def test_what_is_discarded_stays_marked_with_who_and_why_and_is_not_tried_again(service: Toy) -> None:
    """Fails when: `discard` deletes, or the service looks at discarded ones."""
    await service.start()
    await service.send([with_value(b"{")(visit(uuid4())), with_value(b"[")(visit(uuid4()))])
    await until(service, 2, "select count(*) from quarantine")
    message_id = str(await service.value("select message_id from quarantine limit 1"))
    named = ("--service", "assignment")

    unsaid = await run(service, "quarantine", "discard", message_id, *named, "--why", " ")
    done = await run(service, "quarantine", "discard", message_id, *named, "--why", "sent again", "--by", "ratna")
    again = await run(service, "quarantine", "retry", message_id, *named)
    listed = await run(service, "quarantine", "list", *named, "--resolved", "--each")
    shown = await run(service, "quarantine", "show", message_id, *named)

    assert (unsaid.code, unsaid.error) == (2, "berbagi: --why must say why\n")
    assert done == Answer(0, "Discarded 1.\n", "")
    assert (again.code, "is not in quarantine here, or is resolved" in again.error) == (2, True)
    assert [line[1:3] for line in rows(listed)] == [[message_id, "discarded"]]
    assert "by ratna" in shown.out
    assert "why          sent again" in shown.out
    assert await service.value("select count(*) from quarantine where payload is not null") == 2


async def test_a_request_waits_for_the_service(service: Toy) -> None:
    """Fails when: neither a new listener nor the clock makes the service look for what was asked while it was away."""
    process = await service.start()
    await service.send([household(uuid4(), residents=toy.BAD_RESIDENTS)])
    await until(service, 1, "select count(*) from quarantine")
    await service.value(CURE)
    process.kill()
    await process.ended()

    asked = await run(service, "quarantine", "retry", "--service", "assignment", "--all", "--wait", "0.5")
    assert (asked.code, rows(asked)[0]) == (1, ["not tried yet", "1"])
    assert "has not tried all of them in 0.5 s" in asked.out

    await service.start(wait=False)
    await until(service, "retried", "select resolution from quarantine")
    assert await service.value("select count(*) from toy_households") == 1


async def test_a_stopped_consumer_is_seen_in_health_metrics_and_log_and_goes_on_when_resumed(service: Toy) -> None:
    """Nobody but health, metrics and log is asked to see it; one retry shows that the cause is gone.

    Fails when: `measure_forever` does not look at the breaker, or `end_stop` deletes nothing.
    """
    process = await service.start()
    await service.send([household(uuid4(), residents=toy.BAD_RESIDENTS) for _ in range(60)])
    await until(service, 1, "select count(*) from breaker")
    stopped_at = datetime.now(UTC)
    late = uuid4()
    await service.send([household(late)])

    await until_async(lambda: _waits(process, "breaker"))
    sentence = (await process.ready())["waiting_for"]["breaker"]
    assert sentence.endswith("then `berbagi quarantine resume --service assignment --by YOU`.")
    assert await metric(process, "berbagi_messaging_breaker_open") == 1
    assert '"consumer stopped"' in process.log.read_text()
    place = {"topic": f"{service.prefix}household-events"}
    await until_async(lambda: _is_over(process, "berbagi_messaging_lag_seconds", 0.5, place), seconds=30)
    assert (await metric(process, "berbagi_messaging_lag_seconds", **place) or 0) < 2 * (
        datetime.now(UTC) - stopped_at
    ).total_seconds() + 2
    assert await metric(process, "berbagi_messaging_lag_messages", **place) == 61
    await until_async(
        lambda: _is_over(process, "berbagi_messaging_quarantine_open_messages", 20, {"reason": "bad_data"})
    )

    await service.value(CURE)
    message_id = str(await service.value("select message_id from quarantine limit 1"))
    listed = await run(service, "quarantine", "list", "--service", "assignment")
    tried = await run(service, "quarantine", "retry", message_id, "--service", "assignment")
    resumed = await run(service, "quarantine", "resume", "--service", "assignment", "--by", "ratna")
    again = await run(service, "quarantine", "resume", "--service", "assignment")

    assert listed.out.startswith("assignment stopped ")
    assert (tried.code, rows(tried)) == (0, [["accepted", "1"]])
    assert resumed.out.startswith("assignment goes on; it had stopped ")
    assert "Still quarantined: 20 " in resumed.out
    assert again == Answer(0, "assignment had not stopped.\n", "")
    await until(service, 41, "select count(*) from toy_households")
    assert await service.value("select resumed_by || ': ' || reason from past_stop") == (
        "ratna: 21 of the last 21 messages failed"
    )
    await process.wait_ready()
    await until_async(lambda: _says(process, '"consumer goes on"'))


async def test_what_is_parked_and_what_is_not_published_is_listed(service: Toy) -> None:
    """Fails when: a later one of a subject is a line of its own, or the outbox is counted after the relay."""
    process = await service.start()
    one = uuid4()
    await service.send([household(uuid4()), visit(one), visit(one), visit(uuid4())])
    await until(service, 3, "select count(*) from parked")
    await until(service, 0, "select count(*) from outbox")

    parked = await run(service, "parked", "--service", "assignment")
    published = await run(service, "outbox", "--service", "assignment")
    process.kill()
    await process.ended()
    await service.value(
        """insert into outbox (topic, message_id, type, subject, regency, correlationid, value, created_at)
           values ('assignment-events', gen_random_uuid(), 'id.berbagi.household-unserved.v1', 'x', '35.10', 'c', '',
                   now() - interval '3 hours')"""
    )
    outbox = await run(service, "outbox", "--service", "assignment")

    lines = {line[2]: line for line in rows(parked) if line[0] == "assignment"}
    assert len(lines) == 2
    assert lines[str(one)][1:4] == ["visit-submitted", str(one), str(one)]
    assert lines[str(one)][-1] == "1"
    assert parked.out.endswith("Parked: 3, of 2 subjects.\n")
    assert published == Answer(0, "Every fact is on Kafka.\n", "")
    assert rows(outbox) == [["assignment", "household-unserved", "assignment-events", "1", "3 h 0 min"]]


async def _waits(process: Process, what: str) -> bool:
    return what in (await process.ready())["waiting_for"]


async def _is_over(process: Process, name: str, bound: float, labels: dict[str, str]) -> bool:
    return (await metric(process, name, **labels) or 0) > bound


async def _says(process: Process, words: str) -> bool:
    return words in process.log.read_text()
