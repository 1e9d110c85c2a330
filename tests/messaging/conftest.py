"""What tests of messaging share: a context on a fresh database, topics, records, a toy service as a process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messaging.transaction import Context
from operations.stacks import Stack
from tests.databases import Databases
from tests.messaging import toy
from tests.messaging.running import Toy, open_context, toy_of


@pytest.fixture
async def database(databases: Databases) -> str:
    return await databases.fresh("assignment", Path(toy.__file__).parent / "toy_migrations")


@pytest.fixture
async def context(database: str) -> AsyncIterator[Context]:
    """To decide batches without Kafka."""
    opened = await open_context(database)
    yield opened
    await opened.pool.close()


@pytest.fixture
async def service(database: str, stack: Stack, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Toy]:
    """The toy service's surroundings: topics, settings, ways to start it, to send and to read."""
    running = await toy_of(stack, database, topic_prefix, tmp_path)
    yield running
    await running.close()
