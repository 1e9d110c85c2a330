"""The service on a fresh database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

import policies
from messaging.database import open_pool
from messaging.quarantine import Seal, new_breaker
from messaging.transaction import Context
from services.assignment import CARD
from services.assignment.handlers import handlers
from services.assignment.jobs import jobs
from tests.assignment.world import World
from tests.databases import Databases

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
FIRST_OF_OCTOBER = datetime(2026, 9, 30, 22, tzinfo=UTC)
"""05:00 in Banyuwangi."""


@pytest.fixture
async def world(databases: Databases) -> AsyncIterator[World]:
    pool = await open_pool(await databases.fresh("assignment"), size=6, name="tests")
    known = policies.load()
    context = Context(
        CARD,
        handlers=handlers(known),
        pool=pool,
        seal=Seal(KEY),
        breaker=new_breaker(),
        development=True,
        arrived=lambda _: None,
    )
    opened = World(context, {job.name: job for job in jobs(known)})
    await opened.set_time(FIRST_OF_OCTOBER)
    yield opened
    await pool.close()
