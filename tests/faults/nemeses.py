"""Who does harm, to what, and how it is healed again. Each is one fault of one seeded run."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil

from contracts.topics import SERVICES
from operations.stacks.program import find_process, stop_process
from tests.faults.launcher import SESSION_MILLISECONDS
from tests.faults.scene import Scene
from tests.proxy import Mood, Proxy

SESSION_SECONDS: Final = SESSION_MILLISECONDS / 1000
PAUSE_SECONDS: Final = (1.0, 3.0)
"""Between two faults."""
ARMED_SECONDS: Final = 15

Strike = Callable[[Scene, str, random.Random], Awaitable[None]]
"""Harm this target and heal it."""


class Missed(Exception):  # noqa: N818  # no error: there was nothing to do at that place
    """It did no harm after all."""


@dataclass(frozen=True, slots=True)
class Nemesis:
    """`targets`: what it may act on; `chance`: how many cards of the deck are its own."""

    kind: str
    targets: tuple[str, ...]
    strike: Strike
    chance: int = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """What happened; `at` in seconds from the start of the storm's run."""

    kind: str
    target: str
    at: float
    seconds: float


async def kill(scene: Scene, service: str, draws: random.Random) -> None:
    await scene.first[service].kill()
    await asyncio.sleep(draws.uniform(0.2, 2))
    await scene.first[service].start()
    await scene.first[service].wait_ready()


async def terminate(scene: Scene, service: str, draws: random.Random) -> None:
    await scene.first[service].stop()
    await asyncio.sleep(draws.uniform(0.2, 1))
    await scene.first[service].start()
    await scene.first[service].wait_ready()


async def make_zombie(scene: Scene, service: str, draws: random.Random) -> None:
    """Silent for longer than its session, while another has its partitions; then it goes on where it was."""
    await scene.second[service].start()
    await scene.second[service].wait_ready()
    process = find_process(scene.first[service].program.home)
    if process is not None:
        process.suspend()
        await asyncio.sleep(SESSION_SECONDS + draws.uniform(1.5, 4))
        process.resume()
        await asyncio.sleep(draws.uniform(1, 2))
    await scene.second[service].stop()


async def join_and_leave(scene: Scene, service: str, draws: random.Random) -> None:
    await scene.second[service].start()
    await scene.second[service].wait_ready()
    await asyncio.sleep(draws.uniform(1, 4))
    await (scene.second[service].stop() if draws.random() < 0.5 else scene.second[service].kill())


async def set_clock_wrong(scene: Scene, service: str, draws: random.Random) -> None:
    """Until it is started the next time.

    Only the registry's may be behind: the play shows tokens to assignment and notifications, the checker to
    distribution, and a token must not be of the future.
    """
    ahead = draws.randrange(2, 12)
    await scene.first[service].stop()
    await scene.first[service].start(hours=-ahead if service == "registry" else ahead)
    await scene.first[service].wait_ready()


def die_at(failpoint: str, probability: float) -> Strike:
    """Started with this failpoint armed, until it has died of it."""

    async def strike(scene: Scene, service: str, _: random.Random) -> None:
        replica = scene.first[service]
        await replica.stop()
        await replica.start(failpoints=f"{failpoint}:{probability}")
        deadline = time.monotonic() + ARMED_SECONDS
        while replica.runs and time.monotonic() < deadline:  # noqa: ASYNC110  # a process has no event
            await asyncio.sleep(0.1)
        has_died = not replica.runs
        if not has_died:
            await replica.stop()
        await replica.start()
        await replica.wait_ready()
        if not has_died:
            raise Missed

    return strike


async def kill_broker(scene: Scene, target: str, draws: random.Random) -> None:
    broker = scene.stack.brokers[int(target[-1]) - 1]
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(draws.uniform(0.2, 4))
    await asyncio.to_thread(broker.start)


def stop_broker(seconds: tuple[float, float]) -> Strike:
    """There, and silent."""

    async def strike(scene: Scene, target: str, draws: random.Random) -> None:
        broker = scene.stack.brokers[int(target[-1]) - 1]
        broker.pause()
        await asyncio.sleep(draws.uniform(*seconds))
        broker.resume()

    return strike


async def restart_postgres(scene: Scene, _: str, draws: random.Random) -> None:
    """At once, without putting anything away."""
    await asyncio.to_thread(stop_process, scene.postgres.home, signal.SIGQUIT)
    await asyncio.sleep(draws.uniform(0.1, 2))
    await asyncio.to_thread(scene.postgres.start)


async def hang_postgres(scene: Scene, _: str, draws: random.Random) -> None:
    server = find_process(scene.postgres.home)
    assert server is not None
    family = [server, *server.children(recursive=True)]
    _send(family, signal.SIGSTOP)
    await asyncio.sleep(draws.uniform(3, 12))
    _send(family, signal.SIGCONT)


def be(mood: Mood) -> Strike:
    """A door is shut, slow or deaf."""

    async def strike(scene: Scene, target: str, draws: random.Random) -> None:
        door = _door(scene, target)
        door.delay = draws.uniform(0.05, 0.4)
        await door.be(mood, draws.uniform(1, 5))

    return strike


def deck(brokers: int, long_stop: float) -> list[Nemesis]:
    """All there are; `long_stop`: seconds for which a broker is silent once."""
    nodes = tuple(f"broker {number}" for number in range(1, brokers + 1))
    kafka = tuple(f"door of broker {number}" for number in range(1, brokers + 1))
    postgres, postgres_door = ("postgres",), ("door of postgres",)
    with_jobs = SERVICES[1:]
    return [
        Nemesis("kill -9", SERVICES, kill, 3),
        Nemesis("SIGTERM", SERVICES, terminate, 2),
        Nemesis("zombie", SERVICES, make_zombie, 2),
        Nemesis("second replica", SERVICES, join_and_leave, 2),
        Nemesis("wrong clock", SERVICES, set_clock_wrong),
        Nemesis("dies before commit", SERVICES, die_at("before_commit", 0.3)),
        Nemesis("dies after commit", SERVICES, die_at("after_commit", 0.3)),
        Nemesis("dies before acknowledge", SERVICES, die_at("before_acknowledge", 0.3)),
        Nemesis("dies between publish and delete", SERVICES, die_at("between_publish_and_delete", 0.3)),
        Nemesis("dies between claim and send", ("notifications",), die_at("between_claim_and_send", 0.7)),
        Nemesis("dies inside a job's write", with_jobs, die_at("inside_job_write", 0.3)),
        Nemesis("broker kill -9", nodes, kill_broker, 2),
        Nemesis("broker silent", nodes, stop_broker((3, 10))),
        Nemesis("broker silent", nodes, stop_broker((long_stop, long_stop))),
        Nemesis("postgres restart", postgres, restart_postgres, 2),
        Nemesis("postgres hung", postgres, hang_postgres),
        Nemesis("kafka cut", kafka, be(Mood.SHUT)),
        Nemesis("kafka slow", kafka, be(Mood.SLOW)),
        Nemesis("kafka's answers lost", kafka, be(Mood.DEAF)),
        Nemesis("postgres cut", postgres_door, be(Mood.SHUT)),
        Nemesis("postgres slow", postgres_door, be(Mood.SLOW)),
        Nemesis("postgres's answers lost", postgres_door, be(Mood.DEAF)),
    ]


@dataclass(slots=True)
class Storms:
    """Deals the deck, shuffled, one card after the other, a few at once; `faults` is what it did."""

    scene: Scene
    draws: random.Random
    nemeses: Sequence[Nemesis]
    at_once: int
    tell: Callable[[Fault], None]
    faults: list[Fault] = field(default_factory=list)
    cards: list[Nemesis] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @asynccontextmanager
    async def storm(self) -> AsyncIterator[None]:
        """Harm is done until it is left; then everything is whole."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            if self.nemeses:
                group.create_task(self._deal(group, over))
            yield
            over.set()
        await self.scene.wait_whole()

    async def _deal(self, group: asyncio.TaskGroup, over: asyncio.Event) -> None:
        striking: set[asyncio.Task[None]] = set()
        while not over.is_set():
            card = self._draw()
            free = [target for target in card.targets if not self.scene.lock(_lock_of(target)).locked()]
            if free and len(striking) < self.at_once:
                task = group.create_task(self._strike(card, self.draws.choice(free)))
                striking.add(task)
                task.add_done_callback(striking.discard)
            else:
                self.cards.insert(self.draws.randrange(len(self.cards) + 1), card)
            try:
                async with asyncio.timeout(self.draws.uniform(*PAUSE_SECONDS)):
                    await over.wait()
            except TimeoutError:
                continue

    def _draw(self) -> Nemesis:
        if not self.cards:
            self.cards = [nemesis for nemesis in self.nemeses for _ in range(nemesis.chance)]
            self.draws.shuffle(self.cards)
        return self.cards.pop()

    async def _strike(self, nemesis: Nemesis, target: str) -> None:
        async with self.scene.lock(_lock_of(target)):
            at = time.monotonic()
            try:
                await nemesis.strike(self.scene, target, self.draws)
            except Missed:
                return
            fault = Fault(nemesis.kind, target, round(at - self.began, 1), round(time.monotonic() - at, 1))
            self.faults.append(fault)
            self.tell(fault)


def _lock_of(target: str) -> str:
    """One broker at a time is away: with three, two are enough to go on."""
    return target.rstrip(" 0123456789")


def _door(scene: Scene, target: str) -> Proxy:
    return scene.postgres_door if "postgres" in target else scene.kafka_doors[int(target[-1]) - 1]


def _send(family: Sequence[psutil.Process], how: int) -> None:
    for process in family:
        if process.is_running():
            process.send_signal(how)
