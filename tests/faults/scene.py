"""Everything that can be harmed: two replicas of each service behind doors, Kafka's brokers, PostgreSQL."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from contracts.topics import SERVICES
from operations.fleet import Fleet
from operations.keys import Keys
from operations.stacks import Stack
from operations.stacks.program import Program, find_process
from tests.proxy import Proxy, through

LOOK_SECONDS = 0.25
READY_SECONDS = 20


@dataclass
class Replica:
    """One replica of a service. While it is `wanted` it is started again whenever it is found dead."""

    service: str
    fleet: Fleet
    wanted: bool = False
    deaths: int = 0
    """How often it was found dead, killed by nobody here."""

    @property
    def program(self) -> Program:
        return self.fleet.replicas[self.service].program

    @property
    def runs(self) -> bool:
        return find_process(self.program.home) is not None

    async def start(self, failpoints: str = "", hours: int | None = None) -> None:
        """From now on it is wanted."""
        arguments = [] if hours is None else [str(hours)]
        self.program.command = [sys.executable, "-m", "tests.faults.launcher", self.service, *arguments]
        settings = dict(self.program.environment or {})
        self.program.environment = settings | {"BERBAGI_FAILPOINTS": failpoints}
        await asyncio.to_thread(self.program.launch)
        self.wanted = True

    async def stop(self) -> None:
        """SIGTERM, and wait."""
        self.wanted = False
        await asyncio.to_thread(self.program.stop)

    async def kill(self) -> None:
        """`kill -9`."""
        self.wanted = False
        await asyncio.to_thread(self.program.kill)

    async def is_ready(self) -> bool:
        return not await asyncio.to_thread(self.fleet.waiting, [self.service])

    async def wait_ready(self, seconds: float = READY_SECONDS) -> bool:
        """False when it does not become ready; something it needs may be away."""
        try:
            async with asyncio.timeout(seconds):
                while not await self.is_ready():  # noqa: ASYNC110  # a process has no event
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            return False
        return True


@dataclass
class Scene:
    """What the nemeses act on. A target is locked while it is broken."""

    stack: Stack
    first: dict[str, Replica]
    second: dict[str, Replica]
    kafka_doors: Sequence[Proxy]
    postgres_door: Proxy
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    @property
    def postgres(self) -> Program:
        assert self.stack.postgres is not None
        return self.stack.postgres

    @property
    def behind_doors(self) -> str:
        """Kafka's address for those whom the doors are closed on."""
        return _address(self.kafka_doors)

    def lock(self, target: str) -> asyncio.Lock:
        return self.locks.setdefault(target, asyncio.Lock())

    def replicas(self) -> Iterable[Replica]:
        return (*self.first.values(), *self.second.values())

    async def supervise(self) -> None:
        """Start again what died, as whoever runs services does; until cancelled."""
        while True:
            for replica in self.replicas():
                if replica.wanted and not self.lock(replica.service).locked() and not replica.runs:
                    replica.deaths += 1
                    await replica.start()
            await asyncio.sleep(LOOK_SECONDS)

    async def wait_whole(self) -> None:
        """One replica of every service, ready."""
        for replica in self.second.values():
            await replica.stop()
        for replica in self.first.values():
            assert await replica.wait_ready(90), f"{replica.service} is not ready again"


@asynccontextmanager
async def scene_on(stack: Stack, folder: Path, keys: Keys) -> AsyncIterator[Scene]:
    """The services ready, each talking through doors; all is stopped at the end."""
    brokers = [int(address.rpartition(":")[2]) for address in stack.bootstrap_servers.split(",")]
    kafka_doors = [Proxy(("127.0.0.1", port)) for port in brokers]
    for door in kafka_doors:
        door.ports = {port: other.port for port, other in zip(brokers, kafka_doors, strict=True)}
    postgres_door = Proxy(("127.0.0.1", int((stack.administrator or "").rpartition(":")[2].partition("/")[0])))
    by_doors = replace(
        stack,
        bootstrap_servers=_address(kafka_doors),
        databases={name: through(postgres_door, url) for name, url in stack.databases.items()},
    )
    fleets = [Fleet(by_doors, folder / number, keys) for number in ("first", "second")]
    for name in SERVICES:
        program = fleets[1].replicas[name].program
        program.environment = dict(program.environment or {}) | {"BERBAGI_REPLICA": f"{name}-2"}
    first, second = ({name: Replica(name, fleet) for name in SERVICES} for fleet in fleets)
    scene = Scene(stack, first, second, kafka_doors, postgres_door)
    async with AsyncExitStack() as doors:
        for door in (*kafka_doors, postgres_door):
            await door.open()
            doors.push_async_callback(door.close)
        supervising = asyncio.create_task(scene.supervise())
        try:
            for replica in first.values():
                await replica.start()
            await scene.wait_whole()
            yield scene
        finally:
            supervising.cancel()
            await asyncio.gather(*(replica.kill() for replica in scene.replicas()))


def _address(doors: Iterable[Proxy]) -> str:
    return ",".join(f"127.0.0.1:{door.port}" for door in doors)
