"""Databases, migrations and topics: what `berbagi migrate`, `databases` and `topics` leave behind."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import SERVICES, TOPICS
from messaging import migrate
from messaging.settings import KafkaSettings
from operations.errors import CommandError
from operations.migrations import migrations_of
from operations.stacks import Stack, url_of
from operations.topics import create_topics
from tests.databases import Databases
from tests.operations.command import Answer, berbagi, berbagi_here
from tests.operations.described import topic_configs


async def test_every_topic_of_the_table_is_made_as_it_says(stack: Stack, topic_prefix: str) -> None:
    settings = KafkaSettings(kafka=stack.bootstrap_servers, topic_prefix=topic_prefix)

    first = await create_topics(settings)
    second = await create_topics(settings)

    assert first.created == tuple(topic_prefix + topic.name for topic in TOPICS)
    assert (first.differing, second.created, second.differing) == ((), (), ())
    assert await topic_configs(stack, f"{topic_prefix}household-events", 12) == {
        "retention.ms": "-1",
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "1",
    }
    assert (await topic_configs(stack, f"{topic_prefix}registry-submissions", 12))["retention.ms"] == "259200000"
    assert (await topic_configs(stack, f"{topic_prefix}refusals", 3))["retention.ms"] == "2592000000"


async def test_a_topic_that_differs_is_named_and_left_alone(stack: Stack, topic_prefix: str) -> None:
    name = f"{topic_prefix}round-events"
    await _create(stack, NewTopic(name, 5, 1, topic_configs={"cleanup.policy": "compact", "retention.ms": "-1"}))

    done = await create_topics(KafkaSettings(kafka=stack.bootstrap_servers, topic_prefix=topic_prefix))

    assert name not in done.created
    assert f"{name} has 5 partitions instead of 3" in done.differing
    assert f"{name} has cleanup.policy=compact instead of delete" in done.differing
    assert (await topic_configs(stack, name, 5))["cleanup.policy"] == "compact"


async def test_a_topic_that_cannot_be_made_is_said_though_kafka_raises_nothing(stack: Stack) -> None:
    settings = KafkaSettings(kafka=stack.bootstrap_servers, topic_prefix="no spaces allowed ")

    with pytest.raises(CommandError, match="could not be created: InvalidTopic"):
        await create_topics(settings)


async def test_a_service_has_messagings_tables_and_its_own(databases: Databases, tmp_path: Path) -> None:
    url = await databases.fresh("registry", tmp_path)

    first = berbagi("migrate", "registry", BERBAGI_DATABASE_URL=url)
    second = berbagi("migrate", "registry", BERBAGI_REGISTRY_DATABASE=url)

    own = [f"registry/{file.name}" for file in sorted(migrations_of("registry").glob("*.sql"))]
    assert first == Answer(0, f"registry: {', '.join(own)}\n", "")
    assert second == Answer(0, "registry: nothing to apply\n", "")
    assert await migrate.apply(url, (migrations_of("registry"),)) == []


async def test_databases_are_entered_with_the_password_of_their_address(stack: Stack) -> None:
    """Against a server that trusts everybody: that the password was set is seen in the catalogue."""
    assert stack.administrator is not None
    db = await asyncpg.connect(stack.administrator)
    try:
        await db.execute("alter role notifications password null")

        answer = berbagi(
            "databases",
            BERBAGI_ADMINISTRATOR_DATABASE=stack.administrator,
            BERBAGI_NOTIFICATIONS_DATABASE="postgresql://notifications:a%2Fb@127.0.0.1/notifications",
        )

        stored = await db.fetchval("select rolpassword from pg_authid where rolname = 'notifications'")
        assert answer == Answer(0, f"There are databases for {', '.join(SERVICES)}.\n", "")
        assert stored.startswith("SCRAM-SHA-256$")
        assert await _enters(url_of(stack.administrator, "notifications", user="notifications"))
    finally:
        await db.execute("alter role notifications password null")
        await db.close()


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["migrate", "regsitry"], {}, "no service is called regsitry; there are registry, assignment,"),
        (["migrate"], {"BERBAGI_DATABASE_URL": "postgresql://x"}, "is the database of one service: say of which"),
        (["migrate", "registry"], {"BERBAGI_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "does not answer for regi"),
        (["migrate", "registry"], {"BERBAGI_DATABASE_URL": "http://x"}, "address of registry is no URL of PostgreSQL"),
        (["migrate", "registry"], {"BERBAGI_DATABASE_URL": "postgresql://x:y/z"}, "registry is no URL of PostgreSQL"),
        (
            ["migrate", "registry"],
            {"BERBAGI_DATABASE_URL": "postgresql://x@127.0.0.1:99999/z"},
            "is no URL of PostgreSQL",
        ),
        (["migrate", "--folder", __file__], {}, "is a file"),
        (["migrate", "--folder", "/nowhere"], {}, "nothing runs in /nowhere: `berbagi dev` starts it"),
        (["topics", "--folder", "/nowhere"], {}, "nothing runs in /nowhere"),
        (["topics"], {"BERBAGI_KAFKA": "127.0.0.1:1"}, "berbagi: Kafka does not answer at 127.0.0.1:1\n"),
        (
            ["topics"],
            {"BERBAGI_KAFKA": "127.0.0.1:1", "BERBAGI_TOPIC_PREFIX": "x" * 65},
            "BERBAGI_TOPIC_PREFIX (put be",
        ),
        (["databases"], {}, "BERBAGI_ADMINISTRATOR_DATABASE must be the URL"),
        (
            ["databases"],
            {"BERBAGI_ADMINISTRATOR_DATABASE": "postgresql://x@127.0.0.1:1/x"},
            "does not answer for the ad",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    arguments: list[str], environment: Mapping[str, str], sentence: str
) -> None:
    answer = berbagi_here(*arguments, **environment)

    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.error
    assert "Traceback" not in answer.error


async def test_who_is_not_let_in_is_told_so(stack: Stack) -> None:
    assert stack.administrator is not None

    answer = berbagi("migrate", "registry", BERBAGI_DATABASE_URL=url_of(stack.administrator, "no_such_database"))

    assert (answer.code, answer.out) == (2, "")
    assert answer.error == "berbagi: PostgreSQL does not let us into registry: InvalidCatalogNameError\n"


async def _create(stack: Stack, topic: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        answer = await admin.create_topics([topic])
        assert [error[1] for error in answer.topic_errors] == [0]
        while (await admin.describe_topics([topic.name]))[0]["error_code"] != 0:  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(0.02)
    finally:
        await admin.close()


async def _enters(url: str) -> bool:
    db = await asyncpg.connect(url)
    await db.close()
    return True
