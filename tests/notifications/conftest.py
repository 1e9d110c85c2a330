"""The service on a fresh database, without Kafka: messages go in as batches, facts are read from the outbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import policies
from messaging.database import open_pool
from messaging.quarantine import Seal, new_breaker
from messaging.transaction import Context
from services.notifications import CARD, texts
from services.notifications.channels import FileChannel
from services.notifications.handlers import handlers
from services.notifications.jobs import jobs
from tests.databases import Databases
from tests.notifications.builders import local
from tests.notifications.desk import Desk

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


async def open_desk(database: str, file: Path) -> Desk:
    """The service on this database, on a Wednesday morning; its pool is to be closed."""
    known = policies.load()
    context = Context(
        CARD,
        handlers=handlers(known),
        pool=await open_pool(database, size=6, name="tests"),
        seal=Seal(KEY),
        breaker=new_breaker(),
        development=True,
        arrived=lambda _: None,
    )
    named = {job.name: job for job in jobs(known, texts.load(), {"file": FileChannel(file)})}
    opened = Desk(context, named, file)
    await opened.set_time(local("2026-10-14 09:00"))
    return opened


@pytest.fixture
async def desk(databases: Databases, tmp_path: Path) -> AsyncIterator[Desk]:
    opened = await open_desk(await databases.fresh("notifications"), tmp_path / "messages.jsonl")
    yield opened
    await opened.context.pool.close()
