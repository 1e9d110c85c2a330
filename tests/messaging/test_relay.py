"""The relay beside a broker that takes only a part of what it is given, or does not answer."""

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError

from messaging import read_settings, relay
from messaging.relay import Relay
from tests.messaging.running import Toy, until, until_async
from tests.proxy import Mood, Proxy

TAKEN, REFUSED = "assignment-events", "visit-events"
FACTS = 60


async def test_what_a_topic_refuses_holds_no_other_up_and_comes_in_order_in_the_end(service: Toy) -> None:
    """Fails when: nothing is deleted before everything is at the broker, and the rest is published again each time."""
    households = [uuid4() for _ in range(6)]
    await let_take(service, REFUSED, 100)
    await until_async(lambda: refuses(service, REFUSED))
    await fill_outbox(service, [(topic, one) for one in households * 10 for topic in (REFUSED, TAKEN)])
    publishing = asyncio.create_task(Relay(read_settings(service.environment()), "assignment").run())

    try:
        await until(service, FACTS, "select count(*) from outbox")
        await asyncio.sleep(3)
        taken = await service.read(TAKEN)
        await let_take(service, REFUSED, 1_000_000)
        await until(service, 0, "select count(*) from outbox")
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)

    refused = await service.read(REFUSED)
    assert [len(taken), len(await service.read(TAKEN))] == [FACTS, FACTS]
    for one in households:
        values = [record.value for record in refused if record.key == str(one).encode()]
        assert list(dict.fromkeys(values)) == [str(number).encode() for number in range(10)]


async def test_a_producer_that_is_not_answered_does_not_go_on_beside_the_next_one(
    service: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when: one that does not stop in time is left alone: it would send what it has for ever."""
    monkeypatch.setattr(relay, "_PUBLISH_SECONDS", 0.5)
    monkeypatch.setattr(relay, "_STOP_SECONDS", 0.2)
    port = int(service.stack.bootstrap_servers.rpartition(":")[2])
    async with Proxy(("127.0.0.1", port)) as door:
        door.ports = {port: door.port}
        await door.open()
        settings = read_settings(service.environment(KAFKA=f"127.0.0.1:{door.port}"))
        publishing = asyncio.create_task(Relay(settings, "assignment").run())
        try:
            await fill_outbox(service, [(TAKEN, uuid4())])
            await until(service, 0, "select count(*) from outbox")
            await fill_outbox(service, [(TAKEN, uuid4())])
            deaf = asyncio.create_task(door.be(Mood.DEAF, 6))
            await asyncio.sleep(5)
            sending = [task for task in asyncio.all_tasks() if "_sender_routine" in str(task.get_coro())]
            await deaf
            await until(service, 0, "select count(*) from outbox")
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)

    assert len(sending) == 1  # the test's own


async def let_take(service: Toy, topic: str, size: int) -> None:
    """Batches of so many bytes at most."""
    admin = AIOKafkaAdminClient(bootstrap_servers=service.stack.bootstrap_servers)
    await admin.start()
    configs = {"max.message.bytes": str(size)}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, service.prefix + topic, configs)])
    await admin.close()


async def refuses(service: Toy, topic: str) -> bool:
    """A topic's new limit is not heard of at once."""
    async with AIOKafkaProducer(bootstrap_servers=service.stack.bootstrap_servers) as producer:
        try:
            await producer.send_and_wait(service.prefix + topic, b"x" * 500)
        except MessageSizeTooLargeError:
            return True
        return False


async def fill_outbox(service: Toy, facts: Sequence[tuple[str, UUID]]) -> None:
    """Facts of these topics about these households; what each says is how many were before it there."""
    numbers: dict[tuple[str, UUID], int] = {}
    rows = []
    for topic, one in facts:
        numbers[topic, one] = numbers.get((topic, one), -1) + 1
        rows.append((topic, str(one), str(numbers[topic, one])))
    topics, subjects, values = (list(column) for column in _columns(rows))
    await service.value(
        """insert into outbox (topic, message_id, type, subject, regency, correlationid, value)
           select topic, gen_random_uuid(), 'a fact', subject, '35.10', 'c-1', convert_to(value, 'UTF8')
           from unnest($1::text[], $2::text[], $3::text[]) with ordinality as fact (topic, subject, value, place)
           order by place""",
        topics,
        subjects,
        values,
    )


def _columns(rows: Iterable[tuple[str, str, str]]) -> Iterable[tuple[str, ...]]:
    return zip(*rows, strict=True)
