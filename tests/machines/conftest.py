"""The ground under each machine, and how long it runs: `pytest tests/machines --machines long`."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.databases import Databases
from tests.machines.machine import Ground, Length


@pytest.fixture
def ground(session_databases: Databases) -> Iterator[Ground]:
    with asyncio.Runner() as runner:
        made = Ground(runner, session_databases)
        yield made
        runner.run(made.close())


@pytest.fixture
def length(request: pytest.FixtureRequest) -> Length:
    return Length(request.config.getoption("--machines"))
