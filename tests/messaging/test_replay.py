"""`berbagi replay` against a running service: a gap is filled, once, and no replay holds up another for ever."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from messaging.reading import digest
from tests.messaging.running import Process, Toy, until, until_async
from tests.messaging.samples import household, pledge, visit
from tests.messaging.test_operator import run
from tests.operations.command import Answer


async def test_replay_fills_exactly_the_gap_that_an_inbox_has(service: Toy) -> None:
    """Facts and submissions; from the time on that is said; what the inbox knows does nothing.

    Fails when: `_list_missing` gives every id or `apply` is given all, or `_seek` begins at the beginning.
    """
    await service.start()
    early, kept, lost = ([uuid4() for _ in range(number)] for number in (5, 20, 10))
    await service.send([household(one) for one in early])
    await until(service, 5, "select count(*) from toy_households")
    await asyncio.sleep(1.1)
    since = datetime.now(UTC).isoformat()
    await service.send([household(one) for one in (*kept, *lost)])
    await until(service, 35, "select count(*) from toy_households")
    await service.send([*(visit(one) for one in lost), *(pledge(one) for one in kept)])
    await until(service, 10, "select count(*) from toy_visits")
    await _until_acknowledged(service, 65)
    await _restore(service, [*early, *lost])

    facts = await _replay(service, "household-events", since)
    claims = await _replay(service, "assignment-submissions", "1h")
    again = await _replay(service, "household-events", since)

    assert facts == Answer(0, "assignment read 30 messages of household-events; 10 were missing: 10 accepted.\n", "")
    assert claims == Answer(
        0, "assignment read 30 messages of assignment-submissions; 10 were missing: 10 accepted.\n", ""
    )
    assert again == Answer(0, "assignment read 30 messages of household-events; 0 were missing.\n", "")
    assert await service.value("select count(*) from toy_households") == 30
    assert await service.value("select count(*) from toy_visits") == 10
    assert await service.value("select count(*) from toy_assignments where version <> 1") == 0
    assert await service.value("select count(*) from replay where finished_at is not null and failed is null") == 3


async def test_a_replay_takes_nothing_that_the_consumer_has_not_acknowledged(service: Toy) -> None:
    """It fills the gap below; what came behind the visit that the consumer has in hand stays behind it.

    Fails when: `_find_ends` gives the ends of the topic, or a partition in which nothing is acknowledged has
    no end.
    """
    await service.start()
    kept, *lost = (uuid4() for _ in range(6))
    await service.send([household(one) for one in (kept, *lost)])
    await _until_acknowledged(service, 6)
    await _restore(service, lost)
    holding = await asyncpg.connect(service.database)
    await holding.execute("begin; lock table toy_visits in exclusive mode")
    await service.send([visit(kept)])
    await until(service, 1, "select count(*) from pg_locks where not granted and relation = 'toy_visits'::regclass")
    await service.send([household(uuid4())])

    facts = await _replay(service, "household-events", "1h")
    claims = await _replay(service, "assignment-submissions", "1h", "--wait", "5")

    assert facts == Answer(0, "assignment read 6 messages of household-events; 5 were missing: 5 accepted.\n", "")
    assert claims == Answer(0, "assignment read 0 messages of assignment-submissions; 0 were missing.\n", "")
    assert await service.value("select count(*) from toy_households") == 6
    await holding.close()
    await until(service, 1, "select count(*) from toy_visits")
    await until(service, 7, "select count(*) from toy_households")


async def test_a_replay_waits_for_the_breaker_and_begins_again_after_a_kill(service: Toy) -> None:
    """Fails when: a replay is finished before it is read through, or does not care for the breaker."""
    process = await service.start(REPLICA="a")
    ids = [uuid4() for _ in range(10)]
    await service.send([household(one) for one in ids])
    await _until_acknowledged(service, 10)
    await _restore(service, ids)
    await service.value("insert into breaker (reason) values ('a test')")
    await until_async(lambda: _waits(process))

    asked = await _replay(service, "household-events", "1h", "--wait", "3")
    process.kill()
    await process.ended()
    await run(service, "quarantine", "resume", "--service", "assignment")
    dying = await service.start(REPLICA="a", FAILPOINTS="before_commit:1", wait=False)
    assert await dying.ended() == 137
    begun = await service.value("select count(*) from replay where finished_at is null")
    await service.start(REPLICA="a", wait=False)

    await until(service, '{"accepted": 10}', "select outcomes::text from replay where finished_at is not null")
    assert (asked.code, "It is not done after 3 s" in asked.out, begun) == (1, True, 1)
    assert await service.value("select count(*) from toy_households") == 10


async def test_an_operator_ends_a_replay_and_the_next_one_goes_on(service: Toy) -> None:
    """Ended while a batch is in hand: what was carried out stays, and no more is read.

    Fails when: `_save_progress` or `_finish` writes over what an operator has ended, or the command ends with 0 or 2.
    """
    await service.start()
    ids = [uuid4() for _ in range(10)]
    await service.send([household(one) for one in ids])
    await _until_acknowledged(service, 10)
    await _restore(service, ids)
    holding = await asyncpg.connect(service.database)
    await holding.execute("begin; lock table toy_households in exclusive mode")

    watching = asyncio.create_task(_replay(service, "household-events", "1h", "--wait", "30"))
    await until(service, 1, "select count(*) from pg_locks where not granted and relation = 'toy_households'::regclass")
    await service.value("update replay set finished_at = now(), failed = 'given up'")
    given_up = await watching
    await holding.close()
    again = await _replay(service, "household-events", "1h")

    assert given_up == Answer(
        1,
        "assignment read 0 messages of household-events; 0 were missing.\n",
        "berbagi: assignment did not read it to the end: given up\n",
    )
    assert again.code == 0
    assert await service.value("select count(*) from toy_households") == 10
    assert await service.value("select messages_read || failed from replay order by replay_id limit 1") == "0given up"


async def test_a_replay_of_a_topic_that_is_not_there_fails_and_holds_up_no_other(service: Toy) -> None:
    """Fails when: it is tried again like what Kafka mends by itself."""
    await service.start()
    await service.value("insert into replay (topic, since, requested_by) values ('song-events', now(), 'ratna')")

    done = await _replay(service, "household-events", "1h", "--wait", "20")

    assert done.code == 0
    failed = str(await service.value("select failed from replay order by replay_id limit 1"))
    assert failed.startswith("UnknownTopicOrPartitionError at ")


async def _restore(service: Toy, lost: Collection[UUID]) -> None:
    """As from a backup that does not have these households and their visits yet."""
    await service.value(
        """with gone as (delete from toy_households where household_id = any($1)),
                also_gone as (delete from toy_assignments where household_id = any($1)),
                unseen as (delete from toy_visits)
           delete from inbox where message_id = any($2) or (content is not null and outcome = 'accepted')""",
        list(lost),
        [digest("berbagi-registry", f"{household_id}-1") for household_id in lost],
    )


async def _until_acknowledged(service: Toy, messages: int) -> None:
    """So far a replay reads: a batch is acknowledged a little after its commit."""
    admin = AIOKafkaAdminClient(bootstrap_servers=service.stack.bootstrap_servers)

    async def are_acknowledged() -> bool:
        offsets = await admin.list_consumer_group_offsets(f"{service.prefix}assignment")
        return sum(int(one.offset) for one in offsets.values()) == messages

    await admin.start()
    try:
        await until_async(are_acknowledged)
    finally:
        await admin.close()


async def _replay(service: Toy, topic: str, since: str, *more: str) -> Answer:
    return await run(service, "replay", "--topic", topic, "--from", since, "--to-service", "assignment", *more)


async def _waits(process: Process) -> bool:
    return "breaker" in (await process.ready())["waiting_for"]
