"""Settings, migrations, failpoints and logs: what happens before and beside the messages."""

import asyncio
import json
import logging
from pathlib import Path

import asyncpg
import pytest

from messaging import database, migrate
from messaging.errors import MigrationError, SettingsError
from messaging.failpoints import arm
from messaging.logs import configure_logs, log
from messaging.settings import read_settings
from tests.databases import Databases
from tests.messaging.running import KEY, value

ENVIRONMENT = {
    "BERBAGI_DATABASE_URL": "postgresql://secret@127.0.0.1/x",
    "BERBAGI_KAFKA": "127.0.0.1:9092",
    "BERBAGI_DATA_KEY": KEY,
    "BERBAGI_JWKS": "keys.json",
    "BERBAGI_TOKEN_ISSUER": "https://tests.example",
    "BERBAGI_PORT": "8001",
}


def test_settings_come_from_the_environment_with_a_prefix() -> None:
    settings = read_settings(ENVIRONMENT | {"BERBAGI_REPLICA": "", "PORT": "1"})

    assert (settings.port, settings.replica, settings.development) == (8001, None, False)
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("half", ["BERBAGI_KAFKA_USER", "BERBAGI_KAFKA_PASSWORD"])
def test_half_of_a_login_is_a_wrong_setting(half: str) -> None:
    """Fails when: a user without a password connects without any."""
    with pytest.raises(SettingsError, match="user and password come together"):
        read_settings(ENVIRONMENT | {half: "hunter2"})


@pytest.mark.parametrize(
    "wrong",
    [
        "hunter2",
        "127.0.0.1:5432/x",
        "mysql://hunter2@127.0.0.1/x",
        "postgresql:///x",
        "postgresql://hunter2@127.0.0.1:port/x",
        "postgresql://hunter2@127.0.0.1:99999/x",
        "postgresql://x:hunter2 #2@127.0.0.1/x",
        "postgresql://hunter2@127.0.0.1/x?sslmode=hunter2",
        "postgresql://hunter2@127.0.0.1/x?sslmode",
    ],
)
def test_an_address_that_is_none_of_postgresql_is_a_wrong_setting(wrong: str) -> None:
    """Fails when: it is left to asyncpg, which would be asked again and again."""
    with pytest.raises(SettingsError, match=r"^[^;]*BERBAGI_DATABASE_URL \([^;]*\): [^;]*$") as raised:
        read_settings(ENVIRONMENT | {"BERBAGI_DATABASE_URL": wrong})

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "right",
    [
        "postgresql://127.0.0.1",
        "postgres://x:a%2Fb@first:5432,second:5433/x",
        "postgresql://x@[::1]/x?sslmode=verify-full&sslrootcert=ca.pem",
    ],
)
def test_whatever_postgresql_can_be_reached_at_is_a_right_one(right: str) -> None:
    assert read_settings(ENVIRONMENT | {"BERBAGI_DATABASE_URL": right}).database_url.get_secret_value() == right


def test_wrong_settings_are_named_in_one_sentence_that_quotes_none() -> None:
    """Fails when: pydantic's own message is printed."""
    wrong = {name: text for name, text in ENVIRONMENT.items() if name != "BERBAGI_DATABASE_URL"}

    with pytest.raises(SettingsError) as raised:
        read_settings(wrong | {"BERBAGI_PORT": "hunter2", "BERBAGI_DATA_KEY": "hunter2"})

    sentence = str(raised.value)
    assert all(name in sentence for name in ("BERBAGI_DATABASE_URL", "BERBAGI_PORT", "BERBAGI_DATA_KEY"))
    assert "hunter2" not in sentence
    assert "\n" not in sentence


async def test_migrations_are_applied_once_and_a_changed_one_is_an_error(databases: Databases, tmp_path: Path) -> None:
    """Fails when: checksums are not compared, or a failing migration leaves half of itself behind."""
    url = await databases.fresh("assignment", tmp_path)
    folder = tmp_path / "toy" / "migrations"
    folder.mkdir(parents=True)
    first = folder / "001_first.sql"
    first.write_text("create table first (id int);")
    assert await migrate.apply(url, [folder]) == ["toy/001_first.sql"]
    assert await migrate.apply(url, [folder]) == []

    (folder / "002_broken.sql").write_text("create table second (id int); select wrong;")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate.apply(url, [folder])
    assert await value(url, "select to_regclass('second')::text") is None

    first.write_text("create table first (id bigint);")
    with pytest.raises(MigrationError, match=r"toy/001_first\.sql was changed"):
        await migrate.apply(url, [folder])


async def test_a_migration_takes_its_time_and_another_waits_for_it(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails when: a statement of `migrate` has the time that those of services have."""
    url = await databases.fresh("assignment", tmp_path)
    folder = tmp_path / "toy" / "migrations"
    folder.mkdir(parents=True)
    (folder / "001_slow.sql").write_text("select pg_sleep(1);")
    monkeypatch.setattr(database, "COMMAND_SECONDS", 0.3)

    applied = await asyncio.gather(*(migrate.apply(url, [folder]) for _ in range(2)))

    assert sorted(applied) == [[], ["toy/001_slow.sql"]]


@pytest.mark.parametrize("wrong", ["nowhere:1", "before_commit", "before_commit:often"])
def test_a_failpoint_that_is_nowhere_or_has_no_probability_cannot_be_armed(wrong: str) -> None:
    with pytest.raises(SettingsError, match="BERBAGI_FAILPOINTS is"):
        arm(wrong)


def test_logs_say_class_and_place_of_an_error_and_nothing_of_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Fails when: structlog's own traceback is written."""
    before = logging.getLogger().handlers[:]
    configure_logs("toy")
    try:
        int("secret 3510160101900001")
    except ValueError as error:
        log.error("failed", exc_info=error)
        logging.getLogger("library").exception("it said %s", "secret")
    finally:
        logging.getLogger().handlers[:] = before

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "secret" not in json.dumps(lines)
    assert all(line["error"].startswith("ValueError at ") and line["service"] == "toy" for line in lines)
    assert len(lines) == 2
