"""The local stack: real processes, started, killed, left behind and found again."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import SERVICES
from messaging.settings import KafkaSettings
from operations.environment import cache_folder
from operations.errors import CommandError
from operations.stacks import Kind, Stack, jars, local, running_stack, stack_at
from operations.stacks.kafka import QUICK_START, prepare_cluster
from operations.stacks.program import Program, free_ports
from operations.topics import create_topics
from tests.databases import Databases
from tests.operations.described import topic_configs

PARTITION = 0
OWNER = """
import sys, time
from pathlib import Path
from operations.stacks import Kind, running_stack
with running_stack(Kind.LOCAL, Path(sys.argv[1])) as stack:
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Whatever a test leaves running here is stopped."""
    yield tmp_path / "stack"
    local.down(tmp_path / "stack")


@pytest.fixture
def one_broker(folder: Path) -> Iterator[Stack]:
    """Its own: the session's has thousands of partitions to recover after a kill -9."""
    with running_stack(Kind.LOCAL, folder, session_milliseconds=1_000) as stack:
        yield stack


@pytest.fixture
def three_brokers(folder: Path) -> Iterator[Stack]:
    with running_stack(Kind.LOCAL, folder, brokers=3, session_milliseconds=1_000) as stack:
        yield stack
        for broker in stack.brokers:
            broker.kill()  # quicker than two that wait for the third


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """Fails when: the reason is in its log alone, which may be gone with its folder."""
    said = "echo starting; echo 'FATAL: no room on the disk'; echo bye"
    server = Program("a server", tmp_path, ["sh", "-c", said], lambda _: False)

    with pytest.raises(CommandError, match="a server stopped while it was starting: FATAL: no room on the disk"):
        server.start()


async def test_what_was_acknowledged_is_there_after_the_broker_was_killed(one_broker: Stack) -> None:
    topic = "survivors"
    await _create_topic(one_broker, topic)
    await _produce(one_broker, topic, b"before")

    one_broker.brokers[0].kill()
    one_broker.brokers[0].start()
    await _produce(one_broker, topic, b"after")

    assert await _read(one_broker, topic, count=2) == [b"before", b"after"]


async def test_what_was_committed_is_there_after_postgresql_was_killed(stack: Stack, databases: Databases) -> None:
    url = await databases.fresh("registry")
    await _execute(url, "create table kept as select 7 as number")

    assert stack.postgres is not None
    stack.postgres.kill()
    stack.postgres.start()

    assert await _fetch_value(url, "select number from kept") == 7


async def test_a_service_cannot_enter_the_database_of_another(stack: Stack) -> None:
    registry = stack.databases["registry"]

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(registry.removesuffix("registry") + "assignment")


async def test_the_auditor_reads_every_database_and_writes_none(stack: Stack) -> None:
    for service in SERVICES:
        await _execute(stack.databases[service], "create table if not exists audited (number integer)")

        assert await _fetch_value(stack.audited_databases[service], "select count(*) from audited") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _execute(stack.audited_databases[service], "insert into audited values (1)")


async def test_a_failed_statement_is_not_quoted_in_the_log_of_postgresql(stack: Stack, databases: Databases) -> None:
    url = await databases.fresh("registry")

    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await _execute(url, "select 'secret-3510000000000001'::integer")

    assert stack.postgres is not None
    assert "3510000000000001" not in stack.postgres.log.read_text()


async def test_two_databases_of_one_template_know_nothing_of_each_other(databases: Databases) -> None:
    first, second = await databases.fresh("registry"), await databases.fresh("registry")

    await _execute(first, "create table mine ()")

    assert await _fetch_value(first, "select to_regclass('inbox') is not null")
    assert await _fetch_value(second, "select to_regclass('mine')") is None


def test_a_stack_is_its_owners_until_that_is_killed_then_it_is_stopped_and_its_data_used(folder: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with owner.stdout:
        assert owner.stdout.readline() == b"up\n"
    left = [psutil.Process(pid) for pid in _pids(folder)]
    second = running_stack(Kind.LOCAL, folder)
    with pytest.raises(CommandError, match="belongs to process"):
        second.__enter__()
    asyncio.run(_execute(_stack_in(folder).databases["registry"], "create table kept as select 7 as number"))

    owner.kill()
    owner.wait()
    with running_stack(Kind.LOCAL, folder) as stack:
        kept = asyncio.run(_fetch_value(stack.databases["registry"], "select number from kept"))

    assert len(left) == 2
    assert not any(process.is_running() for process in left)
    assert kept == 7
    assert local.find_stack(folder) is None


async def test_three_brokers_bear_the_loss_of_one(three_brokers: Stack) -> None:
    await create_topics(KafkaSettings(kafka=three_brokers.bootstrap_servers))

    three_brokers.brokers[2].kill()
    await _produce(three_brokers, "refusals", b"two are enough")

    assert await _read(three_brokers, "refusals", count=1) == [b"two are enough"]
    assert (await topic_configs(three_brokers, "refusals", 3))["min.insync.replicas"] == "2"


def test_brokers_start_quickly_unless_they_are_measured(tmp_path: Path) -> None:
    quick, measured = (
        prepare_cluster(tmp_path / str(measured), cache_folder(), 1, 9_000, measured=measured)
        for measured in (False, True)
    )

    assert QUICK_START in quick.brokers[0].command
    assert QUICK_START not in measured.brokers[0].command


def test_a_process_that_only_has_the_number_of_ours_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    home = folder / "postgres"
    home.mkdir()
    (home / "process.json").write_text(f'{{"pid": {bystander.pid}, "created": 1.0, "stop_signal": 15}}')
    (folder / "stack.json").write_text('{"bootstrap_servers": "", "administrator": "", "brokers": 1, "owner": null}')

    found = local.find_stack(folder)

    assert found is None
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_without_a_container_engine_one_sentence_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    with pytest.raises(CommandError, match="no container engine answers"):
        running_stack(Kind.DOCKER, folder).__enter__()


def test_ports_are_below_the_range_clients_connect_from() -> None:
    ports = free_ports(50)

    assert len(set(ports)) == 50
    assert max(ports) < 32_768


def test_a_jar_that_was_tampered_with_is_not_used(tmp_path: Path) -> None:
    jar = jars.Jar("group", "artifact", "1", sha256="0" * 64)
    (tmp_path / jar.file_name).write_bytes(b"not what was reviewed")

    assert not jars.is_genuine(tmp_path / jar.file_name, jar)


async def _create_topic(stack: Stack, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
        assert [error[1] for error in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def _produce(stack: Stack, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=PARTITION)
    finally:
        await producer.stop()


async def _read(stack: Stack, topic: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap_servers)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, PARTITION)])
        await consumer.seek_to_beginning()
        return [(await asyncio.wait_for(consumer.getone(), 10)).value for _ in range(count)]
    finally:
        await consumer.stop()


async def _execute(url: str, statement: str) -> None:
    db = await asyncpg.connect(url)
    try:
        await db.execute(statement)
    finally:
        await db.close()


async def _fetch_value(url: str, statement: str) -> object:
    db = await asyncpg.connect(url)
    try:
        return await db.fetchval(statement)
    finally:
        await db.close()


def _stack_in(folder: Path) -> Stack:
    record = local.find_stack(folder)
    assert record is not None
    return stack_at(record.bootstrap_servers, record.administrator)


def _pids(folder: Path) -> list[int]:
    return [json.loads(file.read_text())["pid"] for file in folder.glob("*/process.json")]
