"""The stack for measuring, and on it sites: fresh databases and topics, and processes that end with them."""

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

import asyncpg
import psutil
import uvloop
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import TOPICS
from messaging.settings import KafkaSettings
from operations.clock import move_clocks
from operations.fleet import Fleet
from operations.keys import KEYS_FOLDER, Keys, development_keys
from operations.stacks import Kind, Stack, local, running_stack
from operations.stacks.program import Program, find_process, stop_process
from operations.topics import create_topics
from tests.bench.figures import BenchError, Figure
from tests.databases import Databases, databases_of

MOMENT: Final = datetime(2026, 10, 14, 20, 30, tzinfo=timezone(timedelta(hours=7)))
"""Programme time on every site: an evening on which visits are reported."""
_READY: Final = b"ready"
_CALM_SECONDS: Final = 2.0  # after a start: first runs of jobs, first looks of the watchdog

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; `quick` tries the programs out and measures nothing worth a word."""

    rounds: int
    quick: bool
    minutes: float
    folder: Path

    def of(self, full: int, quick: int) -> int:
        """An amount of work."""
        return quick if self.quick else full


@dataclass
class Site:
    """What one variant runs on. `programs` are its processes by component."""

    stack: Stack
    prefix: str
    folder: Path
    keys: Keys
    programs: dict[str, list[Program]] = field(default_factory=dict)

    async def serve(self, *services: str, replicas: int = 1) -> None:
        """Start these services as they are, so many processes each, and wait until all are ready and calm."""
        fleets = [self._fleet(number) for number in range(1, replicas + 1)]
        for name in services:
            self.programs[name] = [fleet.replicas[name].program for fleet in fleets]
        await self._start([program for name in services for program in self.programs[name]])
        await asyncio.sleep(_CALM_SECONDS)

    async def run(self, module: str, processes: int = 1) -> None:
        """Start a program of the bench, `tests/bench/<module>.py`, with the settings of the assignment service."""
        environment = self._fleet(1).replicas["assignment"].program.environment
        command = [sys.executable, "-m", f"tests.bench.{module}"]
        homes = [self.folder / f"{module}-{number}" for number in range(1, processes + 1)]
        for home in homes:
            home.mkdir(parents=True)
        self.programs[module] = [Program(module, home, command, _says_ready, environment=environment) for home in homes]
        await self._start(self.programs[module])

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """All processes stand still, so that they begin together with what is put before them meanwhile.

        For a few seconds only: a service that is silent for ten loses its partitions.
        """
        programs = [program for together in self.programs.values() for program in together]
        for program in programs:
            program.pause()
        try:
            yield
        finally:
            for program in programs:
                program.resume()

    def end(self) -> None:
        """Whatever runs is killed: all it leaves behind goes too."""
        while self.programs:
            for program in self.programs.popitem()[1]:
                program.kill()

    def end_of(self, component: str) -> None:
        """The same for one component."""
        for program in self.programs.pop(component):
            program.kill()

    async def settle(self) -> None:
        """What was filled in is vacuumed, analysed and on the disk, so that nobody pays for it while measured."""
        for url in set(self.stack.databases.values()):
            db = await asyncpg.connect(url)
            await db.execute("vacuum analyze")
            await db.close()
        administrator = await asyncpg.connect(self.stack.administrator)
        await administrator.execute("checkpoint")
        await administrator.close()

    def processor_seconds(self) -> dict[str, float]:
        """Spent so far, by component."""
        return processor_seconds(self.programs | servers_of(self.stack))

    async def _start(self, programs: Sequence[Program]) -> None:
        await asyncio.gather(*(asyncio.to_thread(program.start) for program in programs))

    def _fleet(self, number: int) -> Fleet:
        fleet = Fleet(self.stack, self.folder / str(number), self.keys, self.prefix)
        for name, replica in fleet.replicas.items():
            given = dict(replica.program.environment or {})
            replica.program.environment = given | {"BERBAGI_REPLICA": f"{name}-{number}"}
        return fleet


@dataclass(frozen=True)
class Ground:
    """A stack with room for sites, one at a time."""

    stack: Stack
    folder: Path
    keys: Keys
    databases: Databases

    @asynccontextmanager
    async def site(self, *services: str) -> AsyncIterator[Site]:
        """With a fresh database of each of these services, its programme clock at MOMENT, and every topic."""
        prefix = f"bench-{uuid4().hex[:8]}-"
        fresh = {name: await self.databases.fresh(name) for name in services}
        await move_clocks(fresh, MOMENT - datetime.now(UTC))
        await create_topics(KafkaSettings(kafka=self.stack.bootstrap_servers, topic_prefix=prefix))
        stack = replace(self.stack, databases={**self.stack.databases, **fresh})
        site = Site(stack, prefix, self.folder / "sites" / prefix, self.keys)
        try:
            yield site
        finally:
            await asyncio.to_thread(site.end)
            await self.databases.drop_made()
            await _delete_topics(self.stack.bootstrap_servers, prefix)


def ground_on(stack: Stack, folder: Path) -> Ground:
    return Ground(stack, folder, development_keys(folder / KEYS_FOLDER), databases_of(stack))


def measure_on_ground(plan: Plan, measure: Callable[[Ground, Plan], Awaitable[list[Figure]]]) -> list[Figure]:
    """Measure on a stack of its own, new every time."""
    clear(plan.folder)
    with running_stack(Kind.LOCAL, plan.folder, measured=True) as stack:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(_awaited(measure(ground_on(stack, plan.folder), plan)))
        if stack.postgres is not None:
            stack.postgres.kill()  # its data goes anyway
    clear(plan.folder)
    return figures


def clear(folder: Path) -> None:
    """What a bench that was killed has left running here is ended; its data goes."""
    local.down(folder)
    for file in folder.rglob("process.json"):
        stop_process(file.parent, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


async def until(is_so: Callable[[], Awaitable[bool]], what: str, seconds: float = 300, look: float = 0.1) -> None:
    """Look for it every so often; BenchError when it does not come."""
    try:
        async with asyncio.timeout(seconds):
            while not await is_so():  # noqa: ASYNC110  # tables and brokers have no event
                await asyncio.sleep(look)
    except TimeoutError:
        raise BenchError(f"{what}: not within {seconds:.0f} s") from None


def say_ready() -> None:
    """By a program of the bench, once something may be put before it."""
    sys.stdout.buffer.write(_READY)
    sys.stdout.flush()


def servers_of(stack: Stack) -> dict[str, list[Program]]:
    """The servers by component, where we started them."""
    return {"PostgreSQL": [stack.postgres] if stack.postgres else [], "Kafka": list(stack.brokers)}


def processor_seconds(programs: Mapping[str, Sequence[Program]]) -> dict[str, float]:
    """Spent so far by these programs and their children, by component."""
    return {component: sum(map(_spent, together)) for component, together in programs.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """In between, by component."""
    return {component: seconds - before.get(component, 0.0) for component, seconds in after.items()}


def _spent(program: Program) -> float:
    """Children that have ended are counted by their parent."""
    process = find_process(program.home)
    if process is None:
        return 0.0
    total = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return total


def _says_ready(program: Program) -> bool:
    with program.log.open("rb") as log:
        log.seek(program.log_start)
        return _READY in log.read()


async def _awaited(work: Awaitable[T]) -> T:
    return await work


async def _delete_topics(kafka: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics([prefix + topic.name for topic in TOPICS])
    finally:
        await admin.close()
