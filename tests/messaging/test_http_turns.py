"""How many requests are carried out at once, and what becomes of those that wait for their turn."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from fastapi import FastAPI

from contracts.submissions import PledgeSubmitted
from messaging import Connection, Handlers, Outcome, Received, Unchanged, read_settings
from messaging.database import Pool, open_pool
from messaging.engine import Engine
from messaging.http import add_routes
from messaging.quarantine import Seal, new_breaker
from messaging.transaction import Context
from tests.messaging import toy
from tests.messaging.running import KEY, Toy, until_async
from tests.messaging.samples import pledge
from tests.messaging.test_http import structured

AT_ONCE = 4
REST = 8  # the sweep's connection, the measures', the one job's, that of health, two each of retry and replay
CONSUMERS = 1


@dataclass
class Gate:
    """A handler that waits until it is open; the first `failures` times the database is away for it."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    inside: int = 0

    async def on_pledge_submitted(self, messages: Sequence[Received[PledgeSubmitted]], _: Connection) -> list[Outcome]:
        self.inside += 1
        await self.opened.wait()
        self.inside -= 1
        if self.failures:
            self.failures -= 1
            raise ConnectionResetError
        return [Unchanged() for _ in messages]


@dataclass
class Door:
    """The HTTP side of a service that has nothing but its database."""

    engine: Engine
    pool: Pool
    gate: Gate
    client: httpx.AsyncClient
    token: str

    async def post(self) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/cloudevents+json"}
        body = orjson.dumps(structured(pledge(uuid4())))
        response = await self.client.post("/submissions", content=body, headers=headers)
        return response.status_code, response.json().get("outcome")


@pytest.fixture
async def door(service: Toy) -> AsyncIterator[Door]:
    gate = Gate()
    handlers: Handlers = {PledgeSubmitted: gate.on_pledge_submitted}
    engine = Engine(toy.CARD, handlers, [], read_settings(service.environment()))
    pool = await open_pool(service.database, size=engine.connections, name="tests")
    engine.context = Context(
        toy.CARD, handlers, pool, Seal(KEY), new_breaker(), development=False, arrived=lambda _: None
    )
    app = FastAPI()
    app.state.engine = engine
    add_routes(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://toy") as client:
        yield Door(engine, pool, gate, client, service.token())
    pool.terminate()


async def test_many_requests_at_once_are_all_answered_and_leave_the_consumer_its_connection(door: Door) -> None:
    """Everything else holds what it may. Fails when: nobody waits for a turn, or the pool does not count all turns."""
    for _ in range(REST):
        await door.pool.acquire()

    async with asyncio.TaskGroup() as group:
        posts = [group.create_task(door.post()) for _ in range(3 * AT_ONCE)]
        await until_async(lambda: _are_inside(door.gate, AT_ONCE), seconds=5)
        await asyncio.sleep(0.5)  # for those that would not wait
        inside = door.gate.inside
        for _ in range(CONSUMERS):
            await door.pool.acquire(timeout=1)
        door.gate.opened.set()

    assert inside == AT_ONCE
    assert [post.result() for post in posts] == [(200, "unchanged")] * len(posts)


async def test_the_five_seconds_of_a_request_count_from_its_turn(door: Door) -> None:
    """It came six seconds earlier, and is tried again all the same. Fails when: they count from when it came."""
    door.gate.opened.set()
    door.gate.failures = 1
    for _ in range(AT_ONCE):
        await door.engine.turns.acquire()

    posted = asyncio.create_task(door.post())
    await asyncio.sleep(6)
    for _ in range(AT_ONCE):
        door.engine.turns.release()

    assert await posted == (200, "unchanged")
    assert door.gate.failures == 0


async def test_who_has_no_turn_for_long_comes_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when: requests pile up behind a database that does not answer."""
    monkeypatch.setattr("messaging.http._TURN_SECONDS", 0.2)
    for _ in range(AT_ONCE):
        await door.engine.turns.acquire()

    assert await door.post() == (503, None)


async def test_who_reads_at_length_makes_no_service_unready(door: Door, service: Toy) -> None:
    """Fails when: health asks on a connection that others wait for, and blames PostgreSQL."""
    door.engine.readers = readers = await open_pool(service.database, size=1, name="tests")
    await readers.acquire()

    assert await door.engine.waiting() == {}
    readers.terminate()


async def _are_inside(gate: Gate, count: int) -> bool:
    return gate.inside >= count
