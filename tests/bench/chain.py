"""The whole chain, all four services at work: visit submitted, assignment's fact, notifications' tables.

The backlog figure is how quickly what is there goes through; the steady one is the highest pace, tried downwards from
there, at which what is not through yet does not grow.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Final

from contracts.topics import SERVICES
from tests.bench.figures import Figure, at_least
from tests.bench.filling import fill_assignment, fill_notifications
from tests.bench.hot_path import FACTS, put_paused
from tests.bench.looking import Broker, count_outbox, decided, looking_at
from tests.bench.machinery import Ground, Plan, Site, measure_on_ground, spent, until
from tests.bench.submissions import VISITS, Message, Outside, outside_of, visits

_SHARES: Final = (1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)  # of the backlog's rate
_WARM_UP_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.25
_GROWTH: Final = 0.01  # of what is sent in between: less than that is not growing
_CHUNK: Final = 10_000


@dataclass(frozen=True)
class Chain:
    """Four services that have something to do, and those who give it to them."""

    site: Site
    broker: Broker
    outside: Outside
    messages: Iterator[Message]
    """Visits without end, none of them sent yet."""

    def take(self, number: int) -> list[Message]:
        """The next visits, made beforehand: sending them is all that is left to do while something is measured."""
        taken = list(islice(self.messages, number))
        gc.freeze()
        return taken

    async def behind(self) -> int:
        """Visits that are not in notifications' tables yet; asked in the order in which they go."""
        unread = await self.broker.behind("assignment", VISITS)
        unpublished = await count_outbox(self.site.stack.databases["assignment"])
        return unread + unpublished + await self.broker.behind("notifications", FACTS)

    async def is_through(self) -> bool:
        return await self.behind() == 0


def measure(plan: Plan) -> list[Figure]:
    """The rate of a backlog, and the highest steady one."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    backlog, steady = [], []
    used: list[dict[str, float]] = []
    messages = plan.of(60_000, 3_000)
    for _ in range(plan.rounds):
        async with chain_on(ground) as running:
            before = running.site.processor_seconds()
            backlog.append(await drain_rate(running, messages))
            used.append(spent(before, running.site.processor_seconds()))
            steady.append(await _steady_rate(running, backlog[-1], plan))
    return [
        Figure("whole chain, backlog", "events/s", tuple(backlog), "from assignment's first to notifications' last"),
        Figure("whole chain, steady", "events/s", tuple(steady), "all processes and the sender", at_least(5_000)),
        *(
            Figure(f"backlog: {component}", "µs/event", tuple(1e6 * one[component] / messages for one in used))
            for component in used[0]
        ),
    ]


@asynccontextmanager
async def chain_on(ground: Ground) -> AsyncIterator[Chain]:
    """All four services, ready, and a database each in which the households are known."""
    async with ground.site(*SERVICES) as site, looking_at(site) as broker:
        databases = site.stack.databases
        await fill_assignment(databases["assignment"])
        await fill_notifications(databases["notifications"])
        await site.settle()
        await site.serve(*SERVICES)
        async with outside_of(site.stack.bootstrap_servers, site.prefix + VISITS) as outside:
            yield Chain(site, broker, outside, _endless_visits())


async def drain_rate(running: Chain, messages: int) -> float:
    """Visits a second, of so many that are there at once; on a chain that has had none before."""
    await put_paused(running.site, running.take(messages))
    await until(running.is_through, "the backlog is through")
    databases = running.site.stack.databases
    first = (await decided(databases["assignment"], messages)).first
    there = await decided(databases["notifications"], messages)
    return there.before_last / (there.last - first).total_seconds()


async def _steady_rate(running: Chain, most: float, plan: Plan) -> float:
    """NaN when even the slowest pace is too quick."""
    half = plan.of(10, 2)
    for share in _SHARES:
        messages = running.take(round(share * most * (_WARM_UP_SECONDS + 2 * half)))
        looks: list[int] = []
        started = time.monotonic()
        sending = asyncio.create_task(running.outside.send(messages, share * most))
        await asyncio.sleep(_WARM_UP_SECONDS)
        while not sending.done():
            looks.append(await running.behind())
            await asyncio.sleep(_LOOK_SECONDS)
        await sending
        rate = len(messages) / (time.monotonic() - started)
        await until(running.is_through, "what was sent is through")
        if not grows(looks, rate * half):
            return rate
    return float("nan")


def grows(looks: Sequence[int], sent: float) -> bool:
    """Whether what is behind grows; `sent`: in the time between the middles of both halves of these looks."""
    half = len(looks) // 2
    early, late = looks[:half], looks[half:]
    return sum(late) / len(late) - sum(early) / len(early) > _GROWTH * sent


def _endless_visits() -> Iterator[Message]:
    return chain.from_iterable(visits(_CHUNK, start) for start in count(0, _CHUNK))
