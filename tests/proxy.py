"""A door in front of PostgreSQL or of Kafka's brokers that a test can shut, slow down, or make deaf to answers."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from operations.stacks.program import free_ports

_PIECE = 65_536
_HOST = "127.0.0.1"


class Mood(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    """Every connection is cut and none taken."""
    SLOW = "slow"
    """Everything takes a while."""
    DEAF = "deaf"
    """What is asked arrives, what is answered does not; the connection is cut when this ends."""


class Proxy:
    """Passes bytes on in the mood it is in."""

    delay = 0.0
    """Seconds for every piece when slow."""

    def __init__(self, behind: tuple[str, int], ports: Mapping[int, int] | None = None) -> None:
        """`ports`: Kafka's brokers say where they are; what they say of these ports is changed to those."""
        self.port = free_ports(1)[0]
        self.mood = Mood.OPEN
        self._behind = behind
        self.ports = ports
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, _HOST, self.port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def be(self, mood: Mood, seconds: float) -> None:
        """In this mood for a while."""
        self.mood = mood
        if mood is Mood.SHUT:
            self._cut()
        await asyncio.sleep(seconds)
        if mood is Mood.DEAF:
            self._cut()
        self.mood = Mood.OPEN

    def _is_shut(self) -> bool:
        return self.mood is Mood.SHUT

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_shut():
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(*self._behind)
        except OSError:
            writer.transport.abort()
            return
        if self._is_shut():  # by now
            back.transport.abort()
            writer.transport.abort()
            return
        pair = {writer, back}
        self._writers |= pair
        tasks = {asyncio.create_task(self._ask(reader, back)), asyncio.create_task(self._answer(there, writer))}
        self._tasks |= tasks
        with suppress(asyncio.CancelledError):  # the loop ends, and with it this connection
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for one in pair:
            one.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._writers -= pair
        self._tasks -= tasks

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                await self._hand_on(piece, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while piece := await self._next_answer(reader):
                if self.mood is not Mood.DEAF:
                    await self._hand_on(piece, writer)

    async def _next_answer(self, reader: asyncio.StreamReader) -> bytes:
        if self.ports is None:
            return await reader.read(_PIECE)
        head = await reader.readexactly(4)
        body = await reader.readexactly(int.from_bytes(head))
        for port, instead in self.ports.items():
            body = body.replace(_HOST.encode() + port.to_bytes(4), _HOST.encode() + instead.to_bytes(4))
        return head + body

    async def _hand_on(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        if self.mood is Mood.SLOW:
            await asyncio.sleep(self.delay)
        writer.write(piece)
        await writer.drain()


def proxy_of(url: str) -> Proxy:
    """A door in front of the server of a database."""
    parts = urlsplit(url)
    return Proxy((parts.hostname or "", parts.port or 5432))


def through(proxy: Proxy, url: str) -> str:
    """The same database, by this door."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{_HOST}:{proxy.port}"))
