"""Doors do what the fault runs need of them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.proxy import Mood, Proxy

HEARD: list[bytes] = []


@pytest.fixture
async def door() -> AsyncIterator[Proxy]:
    """In front of somebody who says everything again."""
    HEARD.clear()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(100):
            HEARD.append(said)
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[:2])
    await proxy.open()
    yield proxy
    await proxy.close()
    server.close()


async def ask(door: Proxy, question: bytes = b"well?") -> bytes:
    """The answer; empty when the connection is cut."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(question)
            answer = await reader.read(100)
            writer.close()
    except OSError:
        return b""
    return answer


async def test_open_it_passes_on(door: Proxy) -> None:
    assert await ask(door) == b"well?"


async def test_deaf_it_lets_questions_in_and_no_answers_out(door: Proxy) -> None:
    being = asyncio.create_task(door.be(Mood.DEAF, 0.3))
    await asyncio.sleep(0.05)

    answer = await ask(door)

    await being
    assert (answer, HEARD) == (b"", [b"well?"])
    assert await ask(door) == b"well?"


async def test_shut_it_cuts_and_lets_nobody_in(door: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    await asyncio.sleep(0.05)
    being = asyncio.create_task(door.be(Mood.SHUT, 0.2))
    await asyncio.sleep(0.05)

    assert await ask(door) == b""
    async with asyncio.timeout(5):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    writer.close()
    await being
    assert HEARD == []
    assert await ask(door) == b"well?"


async def test_slow_it_takes_its_time(door: Proxy) -> None:
    door.delay = 0.1
    being = asyncio.create_task(door.be(Mood.SLOW, 0.5))
    await asyncio.sleep(0.05)
    begun = asyncio.get_running_loop().time()

    assert await ask(door) == b"well?"

    assert asyncio.get_running_loop().time() - begun >= 0.2
    await being


async def test_a_broker_is_said_to_be_where_its_door_is(door: Proxy) -> None:
    door.ports = {9092: 1234}
    said = b"127.0.0.1" + (9092).to_bytes(4)
    frame = len(said).to_bytes(4) + said

    assert await ask(door, frame) == frame.replace((9092).to_bytes(4), (1234).to_bytes(4))
