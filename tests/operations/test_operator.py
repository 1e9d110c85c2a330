"""The operator's commands as people type them wrong, and what they print; tests/messaging has them at work."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from contracts.topics import SERVICES
from messaging import Connection
from messaging.quarantine import Seal
from messaging.reading import Record
from operations.asking import ask
from operations.errors import CommandError
from operations.moments import age_of, moment_of, shown
from operations.quarantine import open_payload
from operations.quarantine_store import find_stop
from tests.databases import Databases
from tests.operations.command import Answer, berbagi_here

NOW = datetime(2026, 10, 14, 5, tzinfo=UTC)
WIB = ZoneInfo("Asia/Jakarta")
KEY = base64.b64encode(bytes(32)).decode()
NOWHERE = {"BERBAGI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("quarantine list --service post", "no service is called post; there are registry, assignment,"),
        ("quarantine list", "BERBAGI_DATABASE_URL is the database of one service: say of which by --service NAME"),
        ("quarantine list --service registry", "PostgreSQL does not answer for registry"),
        ("quarantine list --service registry --reason bad", "--reason is one of unreadable, unknown_type, bad_data"),
        ("quarantine list --service registry --since noon", "a moment is written like 2026-10-14T07:30,"),
        ("quarantine show 1 --service registry", "Input should be a valid UUID"),
        ("quarantine retry --service registry", "say which messages: ids, --reason,"),
        ("quarantine retry --service registry --all --reason bug", "say which messages: ids, --reason,"),
        ("quarantine discard --service registry --all", "--why"),
        ("quarantine resume", "--service"),
        ("parked --service post", "no service is called post"),
        ("outbox --service registry", "PostgreSQL does not answer for registry"),
        ("replay --topic case-events --from 3d --to-service assignment", "assignment does not read case-events; it"),
        (
            "replay --topic visit-events --from 3d --to-service registry",
            "registry does not read visit-events; it reads",
        ),
        ("replay --topic case-events --from 2999-01-01 --to-service registry", "--from must be in the past"),
        ("replay --topic case-events --from 3d", "--to-service"),
    ],
)
def test_what_was_typed_wrong_is_said_in_a_sentence(arguments: str, sentence: str) -> None:
    answer = berbagi_here(*arguments.split(), **NOWHERE)

    assert answer.code == 2
    assert answer.out == ""
    assert sentence in answer.error
    assert "Traceback" not in answer.error


async def _dies(db: Connection) -> None:
    await db.execute("select pg_terminate_backend(pg_backend_pid())")


async def _is_closed(db: Connection) -> None:
    with suppress(asyncpg.PostgresError):
        await _dies(db)
    await db.execute("select 1")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_command_acts_on_no_other_services_database(databases: Databases, service: str) -> None:
    """Fails when: what `--service` says is believed, and the database is not asked whose it is."""
    url = await databases.fresh(service)
    other = next(name for name in SERVICES if name != service)
    db = await asyncpg.connect(url)
    await db.execute("insert into breaker (reason) values ('a test')")

    own = await _answer(url, "quarantine", "list", "--service", service)
    resumed = await _answer(url, "quarantine", "resume", "--service", other, "--by", "ratna")
    migrated = await _answer(url, "migrate", other)

    refused = Answer(2, "", f"berbagi: nothing was done: this is the database of {service}, not of {other}\n")
    assert own.out.startswith(f"{service} stopped ")
    assert (resumed, migrated) == (refused, refused)
    assert await db.fetchval("select count(*) from breaker") == 1
    assert await db.fetchval("select count(*) from migrations where starts_with(name, $1)", other) == 0
    await db.close()


@pytest.mark.parametrize("way", [_dies, _is_closed])
async def test_a_database_that_goes_away_meanwhile_is_said_in_a_sentence(
    databases: Databases, way: Callable[[Connection], Awaitable[None]]
) -> None:
    """Fails when: only the way into the database is looked after."""
    url = await databases.fresh("assignment")

    with pytest.raises(
        CommandError, match=r"does not answer for assignment any more: \w+; what was asked for by then goes on"
    ):
        await ask({"assignment": url}, way)


async def test_a_database_without_tables_is_said_in_a_sentence(databases: Databases) -> None:
    url = await databases.fresh("assignment")
    db = await asyncpg.connect(url)
    await db.execute("drop table migrations, outbox")
    await db.close()

    answer = await _answer(url, "outbox", "--service", "assignment")

    assert answer.error == "berbagi: tables of assignment are missing or of an older version: `berbagi migrate`\n"


async def test_a_database_of_an_older_version_is_said_in_a_sentence(databases: Databases) -> None:
    url = await databases.fresh("assignment")
    db = await asyncpg.connect(url)
    await db.execute("drop table breaker")
    await db.close()

    with pytest.raises(
        CommandError, match="tables of assignment are missing or of an older version: `berbagi migrate`"
    ):
        await ask({"assignment": url}, find_stop)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("12h", NOW - timedelta(hours=12)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-10-14", datetime(2026, 10, 14, tzinfo=WIB)),
        ("2026-10-14T07:30", datetime(2026, 10, 14, 7, 30, tzinfo=WIB)),
        ("2026-10-14T07:30+00:00", datetime(2026, 10, 14, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_people_write_it(text: str, moment: datetime) -> None:
    assert moment_of(text, NOW, WIB) == moment


@pytest.mark.parametrize("text", ["", "noon", "3", "3w", "-3d", "2026-13-01"])
def test_what_is_no_moment_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(CommandError, match="a moment is written like"):
        moment_of(text, NOW, WIB)


def test_moments_and_ages_are_written_for_people() -> None:
    ages = [timedelta(seconds=-3), timedelta(seconds=59), timedelta(minutes=59), timedelta(hours=23, minutes=59)]

    assert [age_of(age) for age in (*ages, timedelta(days=2, hours=3.5))] == [
        "0 s",
        "59 s",
        "59 min",
        "23 h 59 min",
        "2 d 3 h",
    ]
    assert (shown(NOW, WIB), shown(None, WIB)) == ("2026-10-14 12:00:00 WIB", "")


def test_what_a_message_says_is_opened_by_its_key_only_and_cannot_move_the_cursor() -> None:
    """Fails when: bytes are printed as they came."""
    message_id = uuid4()
    record = Record("x-submissions", None, (("ce_id", b"a\x1b[2J"), ("ce_type", None)), b'{"a": "\x1b[2J')
    payload = Seal(KEY).close(message_id, record)

    said = open_payload(message_id, payload, KEY)

    assert (said.key, said.headers) == ("(null)", [("ce_id", "a\\x1b[2J"), ("ce_type", "(null)")])
    assert said.value == '{"a": "\\x1b[2J'
    for wrong, sentence in ((base64.b64encode(b"1" * 32).decode(), "not the key"), ("secret", "32 bytes in base64")):
        with pytest.raises(CommandError, match=sentence) as raised:
            open_payload(message_id, payload, wrong)
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('{"a": "é\x9b2J\x7f\u202e"}'.encode(), '{\n  "a": "é\\x9b2J\\x7f\\u202e"\n}'),
        (b'["\\ud800\\u009b"]', '[\n  "\\ud800\\x9b"\n]'),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_json_is_printed_line_by_line_and_cannot_move_the_cursor_either(value: bytes, shown: str) -> None:
    """Fails when: what JSON has unescaped is printed as it is, or what is nested too deeply ends in a traceback."""
    message_id = uuid4()
    payload = Seal(KEY).close(message_id, Record("x-submissions", None, (), value))

    assert open_payload(message_id, payload, KEY).value == shown


async def _answer(url: str, *arguments: str) -> Answer:
    return await asyncio.to_thread(berbagi_here, *arguments, BERBAGI_DATABASE_URL=url)
