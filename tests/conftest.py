"""One stack a session, a fresh database and topics of its own a test."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from contracts.topics import SERVICES
from operations.errors import CommandError
from operations.stacks import Kind, Stack, running_stack
from operations.stacks.local import find_stack
from tests.databases import Databases, databases_of

FOLDERS = Path(__file__).parents[1] / ".berbagi"
BROKER_SESSION_MILLISECONDS = 1_000  # a killed broker is let in again after this


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", choices=list(Kind), default=Kind.LOCAL, help="where Kafka and PostgreSQL come from")
    today = SERVICES[datetime.now(UTC).toordinal() % len(SERVICES)]
    parser.addoption("--away", choices=SERVICES, default=today, help="away for half of a month; each day another one")
    parser.addoption(
        "--machines", choices=["short", "long"], default="short", help="long: new examples each time, some 15 minutes"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole months first: beside them the rest is run."""
    items.sort(key=lambda item: "tests/system/" not in item.nodeid)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Kafka and PostgreSQL; `stack.brokers[0].kill()` and the like are for tests of faults."""
    kind = Kind(request.config.getoption("--stack"))
    folder = FOLDERS / f"tests-{os.getpid()}"
    _clear_away_killed_sessions()
    try:
        with running_stack(kind, folder, session_milliseconds=BROKER_SESSION_MILLISECONDS) as stack:
            yield stack
            if stack.postgres is not None:
                stack.postgres.kill()  # its data goes anyway: no need to wait for the last checkpoint
    except CommandError as error:
        pytest.exit(str(error), returncode=2)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def session_databases(stack: Stack) -> Databases:
    return databases_of(stack)


@pytest.fixture
async def databases(session_databases: Databases) -> AsyncIterator[Databases]:
    """`await databases.fresh("registry")`: the URL of a migrated database that is dropped after the test."""
    yield session_databases
    await session_databases.drop_made()


@pytest.fixture
def topic_prefix() -> str:
    """Put before every topic and consumer group, so that tests do not see each other's messages."""
    return f"t{uuid4().hex[:8]}-"


def _clear_away_killed_sessions() -> None:
    for folder in FOLDERS.glob("tests-*"):
        owner = int(folder.name.removeprefix("tests-"))
        if not psutil.pid_exists(owner) and find_stack(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
