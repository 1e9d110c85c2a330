"""The hot path, from the record read to the fact in the outbox; beside it, the least that can be done."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Final

import asyncpg

from tests.bench import raw_limit
from tests.bench.figures import BenchError, Figure, at_least, ratios, shown
from tests.bench.filling import BANYUWANGI, fill_assignment, fill_history
from tests.bench.looking import Broker, Size, decided, looking_at, relay_held, sizes_of
from tests.bench.machinery import Ground, Plan, Site, measure_on_ground, spent, until
from tests.bench.submissions import VISITS, Message, put, visits

FACTS: Final = "visit-events"
_SESSION_SECONDS: Final = 8  # of ten for which a silent service keeps its partitions
_TABLES: Final = ("inbox", "visit", "outbox")
_RAW_TIMES: Final = 2  # the raw limit is so quick that it gets more


@dataclass(frozen=True, slots=True)
class Work:
    """Visits that are there before the service begins."""

    messages: Sequence[Message]
    replicas: int
    published: bool
    """The relay is on, and its part belongs to the work."""
    households: int = BANYUWANGI
    history: bool = False
    """A month is in the tables already."""


@dataclass(frozen=True, slots=True)
class Drained:
    """Events a second from the first to the last, into the outbox or out to Kafka."""

    rate: float
    microseconds: dict[str, float]
    """Of processor time an event, by component."""
    busy_cores: dict[str, float]
    sizes: dict[str, Size]
    """Of the largest tables afterwards, what was in them before included."""


def measure(plan: Plan) -> list[Figure]:
    """Two processes of the assignment service without the relay, and two of the raw program."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    messages = list(visits(plan.of(100_000, 5_000)))
    own, raw = [], []
    for _ in range(plan.rounds):
        own.append(await drain(ground, Work(messages, replicas=2, published=False)))
        raw.append(await drain_raw(ground, messages * _RAW_TIMES))
    rates = [one.rate for one in own]
    beside = f"{shown(sum(len(one.value) for one in messages) / len(messages))} bytes of JSON an event"
    return [
        Figure("hot path, two processes", "events/s", tuple(rates), beside),
        Figure("raw limit, two processes", "events/s", tuple(raw), "one COPY and a one-row upsert a batch"),
        Figure("hot path of the raw limit", "times", ratios(rates, raw), "within a round", at_least(0.25, aim=0.33)),
        *processor_figures("hot path", own),
        *(
            Figure(f"{table}, a row with its indexes", "bytes", tuple(one.sizes[table].a_row for one in own))
            for table in _TABLES
        ),
    ]


async def drain(ground: Ground, work: Work) -> Drained:
    """Real processes of the assignment service decide what is there."""
    async with ground.site("assignment") as site, looking_at(site) as broker:
        url = site.stack.databases["assignment"]
        await fill_assignment(url, work.households)
        if work.history:
            await fill_history(url, work.households)
        await site.settle()
        async with nullcontext() if work.published else relay_held(url):
            await site.serve("assignment", replicas=work.replicas)
            return await _drain(site, broker, work)


async def drain_raw(ground: Ground, messages: Sequence[Message]) -> float:
    """Rows a second of two processes of the raw program."""
    async with ground.site("assignment") as site, looking_at(site) as broker:
        url = site.stack.databases["assignment"]
        db = await asyncpg.connect(url)
        await db.execute(raw_limit.TABLES)
        await site.settle()
        await site.run("raw_limit", processes=2)
        await put_paused(site, messages, within=raw_limit.SESSION_SECONDS)
        await _until_read(broker, raw_limit.GROUP)
        row = await db.fetchrow(
            """
            select sum(rows)::bigint as rows, extract(epoch from max(last_at) - min(first_at))::float8 as seconds,
                   (select last_rows from progress order by last_at desc limit 1) as last_rows
            from progress
            """
        )
        await db.close()
    if row is None or row["rows"] != len(messages):
        raise BenchError(f"the raw program copied {row and row['rows']} of {len(messages)} rows")
    return float((row["rows"] - row["last_rows"]) / row["seconds"])


async def put_paused(
    site: Site, messages: Sequence[Message], topic: str = VISITS, within: float = _SESSION_SECONDS
) -> None:
    """Before the eyes of all processes at once."""
    started = monotonic()
    async with site.paused():
        await put(site.stack.bootstrap_servers, site.prefix + topic, messages)
    if monotonic() - started > within:
        raise BenchError("Kafka took so long to take the messages that the services have lost their partitions")


def processor_figures(name: str, drained: Sequence[Drained]) -> list[Figure]:
    """Where the time goes, by component."""
    return [
        Figure(
            f"{name}: {component}",
            "µs/event",
            tuple(one.microseconds[component] for one in drained),
            f"{shown(sum(one.busy_cores[component] for one in drained) / len(drained))} cores busy",
        )
        for component in drained[0].microseconds
    ]


async def _drain(site: Site, broker: Broker, work: Work) -> Drained:
    await put_paused(site, work.messages)
    before, started = site.processor_seconds(), monotonic()
    await _until_read(broker, "assignment")
    if work.published:
        await _until_published(broker, len(work.messages))
    seconds, used = monotonic() - started, spent(before, site.processor_seconds())
    found = await decided(site.stack.databases["assignment"], len(work.messages))
    rate = found.rate
    if work.published:
        _, last = await broker.appended(FACTS)
        rate = found.count / (last - found.first.timestamp())
    await site.settle()
    sizes = await sizes_of(site.stack.databases["assignment"], _TABLES)
    return Drained(
        rate,
        {component: 1e6 * one / len(work.messages) for component, one in used.items()},
        {component: one / seconds for component, one in used.items()},
        sizes,
    )


async def _until_read(broker: Broker, group: str) -> None:
    async def is_read() -> bool:
        return await broker.behind(group, VISITS) == 0

    await until(is_read, f"{group} reads {VISITS}")


async def _until_published(broker: Broker, count: int) -> None:
    async def is_published() -> bool:
        return await broker.count(FACTS) >= count

    await until(is_published, f"the relay publishes {count} facts")
