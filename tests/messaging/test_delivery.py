"""Sentences 3, 6 and 7 of the promise, on a real broker: published, waited for, left and taken up again."""

import asyncio
import json
import signal
from collections import defaultdict
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from messaging.batches import MAX_RECORDS, Batches
from messaging.transaction import Context
from operations.stacks.program import free_ports
from tests.messaging.running import Process, Toy, until, until_async
from tests.messaging.samples import household, visit
from tests.messaging.test_bad_input import UNREADABLE
from tests.proxy import proxy_of, through


def outcomes(*processes: Process) -> int:
    """How many messages the replicas answered for, by their logs: one more than sent was carried out twice."""
    lines = [json.loads(line) for one in processes for line in one.log.read_text().splitlines() if '"batch"' in line]
    return sum(sum(line["outcomes"].values()) for line in lines if line["event"] == "batch")


async def versions(service: Toy) -> dict[str, list[int]]:
    """By aggregate, the versions in the order in which they first appear."""
    seen: dict[str, list[int]] = defaultdict(list)
    for record in await service.read("assignment-events"):
        version = json.loads(record.value)["version"]
        if version not in seen[record.key.decode()]:
            seen[record.key.decode()].append(version)
    return seen


async def unacknowledged(service: Toy) -> int:
    """Records the group has not acknowledged, at the broker."""
    group = service.prefix + "assignment"
    consumer = AIOKafkaConsumer(bootstrap_servers=service.stack.bootstrap_servers, group_id=group)
    await consumer.start()
    try:
        places = [TopicPartition(service.prefix + "household-events", number) for number in range(3)]
        ends = await consumer.end_offsets(places)
        return sum([ends[place] - (await consumer.committed(place) or 0) for place in places])
    finally:
        await consumer.stop()


async def test_a_fact_is_published_at_least_once_though_the_relay_dies_between_publishing_and_deleting(
    service: Toy,
) -> None:
    """Fails when: the relay deletes before it publishes."""
    ids = [uuid4() for _ in range(20)]
    dying = await service.start(FAILPOINTS="between_publish_and_delete:1", REPLICA="a", wait=False)
    await service.send([household(one) for one in ids])
    assert await dying.ended() == 137
    waiting = await service.value("select count(*) from outbox")

    await service.start(REPLICA="a")
    await until(service, 0, "select count(*) from outbox")

    assert waiting > 0
    await until(service, 20, "select count(*) from toy_assignments")
    records = await service.read("assignment-events")
    assert {record.key.decode() for record in records} == {str(one) for one in ids}
    assert len(records) > len(ids)
    by_id = {dict(record.headers)["ce_id"] for record in records}
    assert len(by_id) == len(ids)


async def test_versions_appear_in_ascending_order_with_two_replicas_and_kills(service: Toy) -> None:
    """Nothing lost, nothing twice in effect, in order, whoever is killed.

    Fails when: `claim_new` claims twice, or the relay sends a page backwards.
    """
    ids = [uuid4() for _ in range(40)]
    first, second = await asyncio.gather(service.start(REPLICA="a"), service.start(REPLICA="b"))
    for version in range(1, 31):
        await service.send([household(one, version, kind="updated") for one in ids])
        if version == 10:
            first.kill(signal.SIGKILL)
        if version == 20:
            second.kill(signal.SIGKILL)
            await service.start(REPLICA="a")

    await until(service, 1200, "select coalesce(sum(version), 0)::int from toy_assignments", seconds=40)
    await until(service, 0, "select count(*) from outbox")

    assert await versions(service) == {str(one): list(range(1, 31)) for one in ids}


async def test_one_relay_publishes_for_a_database(service: Toy) -> None:
    """Two replicas, no fault: every fact once. Fails when: the relay works without its lock."""
    await asyncio.gather(service.start(REPLICA="a"), service.start(REPLICA="b"))
    for _ in range(20):
        await service.send([household(uuid4()) for _ in range(20)])

    await until(service, 400, "select count(*) from toy_assignments")
    await until(service, 0, "select count(*) from outbox")

    assert len(await service.read("assignment-events")) == 400


async def test_killed_before_it_acknowledges_a_batch_is_done_again_without_a_second_effect(service: Toy) -> None:
    """Fails when: the inbox does not remember."""
    for failpoint in ("before_acknowledge", "after_commit"):
        dying = await service.start(FAILPOINTS=f"{failpoint}:1", REPLICA="a", wait=False)
        await service.send([household(uuid4()) for _ in range(10)])
        assert await dying.ended() == 137

    await service.start(REPLICA="a")

    await until(service, 20, "select coalesce(sum(version), 0)::int from toy_assignments")
    await until(service, 0, "select count(*) from outbox")
    assert len({dict(record.headers)["ce_id"] for record in await service.read("assignment-events")}) == 20


async def test_on_sigterm_the_running_batch_finishes_and_is_acknowledged(service: Toy) -> None:
    """Fails when: `Engine.stop` cancels before `Consumer.stop`, or `_receive` raises when it has decided."""
    process = await service.start()
    await service.send([household(uuid4(), residents=16)])
    await asyncio.sleep(0.5)

    process.kill(signal.SIGTERM)

    assert await process.ended() == 0
    assert await service.value("select count(*) from toy_assignments") == 1
    assert outcomes(process) == 1
    assert await unacknowledged(service) == 0


async def test_on_rebalance_the_running_batch_finishes_and_nothing_is_done_twice(service: Toy) -> None:
    """Fails when: `_Drain` does not wait, or does not forget what was read ahead."""
    first = await service.start()
    second = await service.start(wait=False)

    sent = 0
    while not (await second.ready())["ready"]:  # always a slow batch in hand, whenever it joins
        await service.send([household(uuid4(), residents=16) for _ in range(3)])
        sent += 3
        await asyncio.sleep(0.8)

    await until(service, sent, "select count(*) from toy_assignments", seconds=60)
    assert outcomes(first, second) == sent


async def test_what_was_fetched_before_partitions_are_given_away_is_nobodys_to_carry_out(
    service: Toy, context: Context
) -> None:
    """Neither what was handed on already nor what is read ahead. Fails when: a batch of an earlier term is ours."""
    name = f"{service.prefix}household-events"
    client = AIOKafkaConsumer(name, bootstrap_servers=service.stack.bootstrap_servers, auto_offset_reset="earliest")
    batches, one = Batches(context, service.prefix), uuid4()
    await client.start()
    try:
        await service.send([household(one)])
        while not (handed_on := await batches.next(client)):
            continue
        await service.send([household(one, 2)])
        await asyncio.sleep(1)  # it is read ahead
        was_ours = batches.is_ours(handed_on)

        batches.forget()

        assert (was_ours, batches.is_ours(handed_on)) == (True, False)
        assert await batches.next(client) == ()
    finally:
        batches.forget()
        await client.stop()


async def test_what_is_read_ahead_is_not_acknowledged_with_the_batch_before_it(service: Toy) -> None:
    """Fails when: `_receive` acknowledges the client's position."""
    process = await service.start(REPLICA="a")
    await service.send([household(uuid4(), residents=16)])
    await asyncio.sleep(0.3)  # the slow one is in hand
    await service.send([household(uuid4(), residents=16)])
    await until(service, 1, "select count(*) from toy_assignments")
    await asyncio.sleep(0.2)  # the first is acknowledged, the second in hand

    process.kill()
    await process.ended()
    await service.start(REPLICA="a")

    await until(service, 2, "select count(*) from toy_assignments")


async def test_unreadable_records_of_every_kind_harm_no_other_on_the_broker(service: Toy) -> None:
    """Fails when: FastStream's own parser reads the records."""
    good = [household(uuid4()) for _ in range(5)]
    await service.send([*good, *(change(visit(uuid4())) for change in UNREADABLE.values()), *good])
    await service.start()

    await until(service, 5, "select count(*) from toy_assignments")
    await until(service, len(UNREADABLE), "select count(*) from quarantine")


async def test_postgresql_absent_at_start_and_gone_in_the_middle_is_waited_for(service: Toy) -> None:
    """It says so, keeps answering HTTP, and goes on by itself, without trying in a busy loop.

    Fails when: `_until` gives up.
    """
    async with proxy_of(service.database) as proxy:
        process = await service.start(DATABASE_URL=through(proxy, service.database), wait=False)
        await until_async(lambda: _waits(process, "postgresql"))

        await proxy.open()
        await process.wait_ready()
        await service.send([household(uuid4()) for _ in range(10)])
        await until(service, 10, "select count(*) from toy_assignments")

        await proxy.close()
        await service.send([household(uuid4()) for _ in range(10)])
        await until_async(lambda: _waits(process, "postgresql"))
        await asyncio.sleep(1)
        await proxy.open()

        await until(service, 20, "select count(*) from toy_assignments")
        await until(service, 0, "select count(*) from quarantine")
        assert process.log.read_text().count("batch tries again") < 40


async def _waits(process: Process, what: str) -> bool:
    return what in (await process.ready())["waiting_for"]


async def test_kafka_absent_at_start_and_gone_in_the_middle_is_waited_for(service: Toy) -> None:
    """Fails when: `_until` lets an error of Kafka out, or the relay keeps a broken producer."""
    (broker,) = service.stack.brokers
    broker.kill()
    process = await service.start(wait=False)
    await until_async(lambda: _waits(process, "kafka"))

    await asyncio.to_thread(broker.start)
    await process.wait_ready()
    await _send_when_back(service, [uuid4() for _ in range(10)])
    await until(service, 10, "select count(*) from toy_assignments")

    broker.kill()
    await asyncio.sleep(1)
    await asyncio.to_thread(broker.start)
    await _send_when_back(service, [uuid4() for _ in range(10)])

    await until(service, 20, "select count(*) from toy_assignments", seconds=40)
    await until(service, 0, "select count(*) from outbox", seconds=40)
    assert len({record.key for record in await service.read("assignment-events")}) == 20


async def _send_when_back(service: Toy, ids: list[UUID]) -> None:
    while True:
        try:
            await service.send([household(one) for one in ids])
        except KafkaError:
            await asyncio.sleep(0.2)
        else:
            return


async def test_one_of_several_brokers_is_enough_to_start_with(service: Toy) -> None:
    """Fails when: the addresses are handed to FastStream as one text, which it takes for one address."""
    process = await service.start(KAFKA=f"127.0.0.1:{free_ports(1)[0]},{service.stack.bootstrap_servers}")
    await service.send([household(uuid4())])

    await until(service, 1, "select count(*) from toy_households")
    assert (await process.ready())["ready"]


async def test_a_missing_migration_keeps_a_service_unready_and_is_named(service: Toy) -> None:
    """Fails when: `missing` gives nothing."""
    await service.value("delete from migrations where name like '%001_toy.sql'")
    process = await service.start(wait=False)

    await until_async(lambda: _waits(process, "migrations"))

    assert "001_toy.sql" in (await process.ready())["waiting_for"]["migrations"]


async def test_a_batch_is_as_large_as_it_may_be(service: Toy) -> None:
    """Fails when: records are taken one by one."""
    await service.send([household(uuid4()) for _ in range(2 * MAX_RECORDS)])
    process = await service.start()

    await until(service, 2 * MAX_RECORDS, "select count(*) from toy_assignments")

    assert len([line for line in process.log.read_text().splitlines() if '"batch"' in line]) < 20
