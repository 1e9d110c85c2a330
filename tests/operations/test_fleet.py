"""The four services as processes: one is killed, the others notice nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from contracts.topics import SERVICES
from messaging.settings import KafkaSettings
from operations.errors import CommandError
from operations.fleet import Fleet, Waiting
from operations.keys import development_keys
from operations.stacks import Stack
from operations.stacks.program import free_ports
from operations.topics import create_topics
from tests.databases import Databases
from tests.operations.command import berbagi_here

MEBIBYTE = 1024 * 1024
NOBODY: Waiting = {}


@pytest.fixture
async def prepared(stack: Stack, databases: Databases, topic_prefix: str) -> Stack:
    """The stack with a fresh database each, and this test's topics."""
    await create_topics(KafkaSettings(kafka=stack.bootstrap_servers, topic_prefix=topic_prefix))
    return replace(stack, databases={name: await databases.fresh(name) for name in SERVICES})


@pytest.fixture
async def fleet(prepared: Stack, tmp_path: Path, topic_prefix: str) -> AsyncIterator[Fleet]:
    """Nothing started yet; whatever runs is stopped."""
    fleet = Fleet(prepared, tmp_path / "services", development_keys(tmp_path / "keys"), topic_prefix)
    yield fleet
    await asyncio.to_thread(fleet.stop)


async def test_one_is_killed_and_started_again_and_the_others_stay(fleet: Fleet) -> None:
    told: list[Waiting] = []
    await asyncio.to_thread(fleet.start, tell=told.append)
    before = _pids(fleet)

    fleet.kill("distribution")
    without = (fleet.waiting(), fleet.ended(), set(fleet.memory()))
    await asyncio.to_thread(fleet.start, ["distribution"])

    after = _pids(fleet)
    assert told[0] == {name: {"http": "It does not answer yet."} for name in SERVICES}
    assert without == ({"distribution": {"http": "It does not answer yet."}}, (), set(SERVICES) - {"distribution"})
    assert fleet.waiting() == NOBODY
    assert {name for name in SERVICES if before[name] != after[name]} == {"distribution"}
    assert {name: memory.service < 200 * MEBIBYTE for name, memory in fleet.memory().items()} == dict.fromkeys(
        SERVICES, True
    )


async def test_a_death_is_noticed_and_a_new_fleet_ends_what_an_old_one_left(
    fleet: Fleet, prepared: Stack, tmp_path: Path
) -> None:
    await asyncio.to_thread(fleet.start, ["registry", "notifications"])
    left = psutil.Process(_pids(fleet)["registry"])

    psutil.Process(_pids(fleet)["notifications"]).kill()
    ended = await _until_ended(fleet)
    Fleet(prepared, tmp_path / "services", development_keys(tmp_path / "keys"))

    assert ended == ("notifications",)
    assert not left.is_running()


async def test_one_that_cannot_start_says_why(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "keys" / "jwks.json").write_text("no keys")

    with pytest.raises(CommandError, match=r"registry ended while it was starting: berbagi: BERBAGI_JWKS is not a"):
        await asyncio.to_thread(fleet.start, ["registry"])


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("regsitry", {}, "no service is called regsitry; there are registry, assignment"),
        ("registry", {"BERBAGI_KAFKA": ""}, "BERBAGI_KAFKA (bootstrap servers of Kafka"),
        ("registry", {"BERBAGI_PORT": "web"}, "BERBAGI_PORT (port HTTP listens on)"),
        ("registry", {"BERBAGI_DATA_KEY": "c2hvcnQ="}, "not 32 bytes"),
        ("registry", {"BERBAGI_DATABASE_URL": "127.0.0.1:5432/registry"}, "not postgresql://user:password@host:port"),
        (
            "registry",
            {"BERBAGI_HOST": "192.0.2.1", "BERBAGI_PORT": "20001"},
            "of 192.0.2.1: Cannot assign requested address",
        ),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(
    name: str, changes: Mapping[str, str], sentence: str, tmp_path: Path
) -> None:
    answer = berbagi_here("serve", name, **{**_settings(tmp_path), **changes})

    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.error
    assert "c2hvcnQ=" not in answer.error
    assert "Traceback" not in answer.error


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    (port,) = free_ports(1)

    with socket.create_server(("127.0.0.1", port)):
        answer = berbagi_here("serve", "registry", **_settings(tmp_path), BERBAGI_PORT=str(port))

    assert (answer.code, answer.out) == (2, "")
    assert answer.error == f"berbagi: cannot listen on port {port} of 127.0.0.1: Address already in use\n"


def _settings(folder: Path) -> dict[str, str]:
    """All that a service must be told but for its port; nothing answers there."""
    keys = development_keys(folder)
    return {
        "BERBAGI_DATABASE_URL": "postgresql://x",
        "BERBAGI_KAFKA": "127.0.0.1:1",
        "BERBAGI_DATA_KEY": keys.services["registry"],
        "BERBAGI_JWKS": str(keys.jwks),
        "BERBAGI_TOKEN_ISSUER": "x",
    }


def _pids(fleet: Fleet) -> dict[str, int]:
    return {name: process.pid for name, process in fleet.processes().items()}


async def _until_ended(fleet: Fleet) -> tuple[str, ...]:
    async with asyncio.timeout(5):
        while not fleet.ended():  # noqa: ASYNC110  # the system tells nobody
            await asyncio.sleep(0.02)
    return fleet.ended()
