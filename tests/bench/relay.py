"""The relay: rows a second warm and after an idle start, beside a bare loop; and how long a committed fact takes."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from messaging.database import Connection, open_connection
from tests.bench.figures import Figure, at_least, at_most, percentile, ratios
from tests.bench.filling import BANYUWANGI, REGENCY
from tests.bench.hot_path import FACTS
from tests.bench.looking import Broker, looking_at
from tests.bench.machinery import Ground, Plan, measure_on_ground, until

_FACT: Final = orjson.dumps(orjson.loads(Path("contracts/examples/visit-reported.v1.json").read_bytes())["data"])
_IDLE_SECONDS: Final = 5.0
_RATE: Final = 1_000  # rows a second while latency is measured ...
_ROWS: Final = 10  # ... in transactions of so many
_WARM_UP_SECONDS: Final = 2.0
_LATENESS_MILLISECONDS: Final = 0.5  # the broker tells whole milliseconds: half of one on average


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds until the broker had a row, counted from when COMMIT was sent and from when it was answered."""

    sent: list[float]
    answered: list[float]


def measure(plan: Plan) -> list[Figure]:
    """The relay as services run it, and a loop of select, send_batch, delete."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    rows = plan.of(100_000, 4_000)
    idle, warm, bare = [], [], []
    latencies: list[Latency] = []
    for _ in range(plan.rounds):
        async with ground.site("assignment") as site, looking_at(site) as broker:
            db = await open_connection(site.stack.databases["assignment"], name="bench-writer")
            await site.run("lone_relay")
            await asyncio.sleep(_IDLE_SECONDS)
            idle.append(await _publish(db, broker, rows))
            warm.append(await _publish(db, broker, rows))
            latencies.append(await _commit_steadily(db, broker, plan.of(20, 3)))
            site.end_of("lone_relay")
            await site.run("bare_relay")
            await _publish(db, broker, rows)
            bare.append(await _publish(db, broker, rows))
            await db.close()
    sent = [one.sent for one in latencies]
    answered = [one.answered for one in latencies]
    p50, p99 = 50, 99
    beside = f"{_RATE:,} rows/s, {_ROWS} a transaction; from COMMIT sent"
    return [
        Figure("relay, warm", "rows/s", tuple(warm), f"{len(_FACT)} bytes of JSON a row"),
        Figure("relay, backlog after an idle start", "rows/s", tuple(idle)),
        Figure("bare loop, warm", "rows/s", tuple(bare), "select, send_batch, delete"),
        Figure("relay, warm, of the bare loop", "times", ratios(warm, bare), "within a round", at_least(0.8)),
        Figure("relay, backlog, of the bare loop", "times", ratios(idle, bare), "within a round", at_least(0.8)),
        Figure("commit to Kafka, p50", "ms", tuple(percentile(one, p50) for one in sent), beside),
        Figure("commit to Kafka, p99", "ms", tuple(percentile(one, p99) for one in sent), beside, at_most(15)),
        Figure("the same from COMMIT answered, p99", "ms", tuple(percentile(one, p99) for one in answered)),
    ]


async def _publish(db: Connection, broker: Broker, rows: int) -> float:
    """Rows a second, from the commit of all to the last one at the broker."""
    await db.execute("vacuum outbox")  # the same for all: no dead rows of the one before
    before = await broker.count(FACTS)
    async with db.transaction():
        await _insert(db, rows, "backlog")
    committed = time.time()

    async def is_published() -> bool:
        return await broker.count(FACTS) >= before + rows

    await until(is_published, "the backlog is published")
    _, last = await broker.appended(FACTS)
    return rows / (last - committed)


async def _commit_steadily(db: Connection, broker: Broker, seconds: int) -> Latency:
    """A few rows every 10 ms."""
    start = await broker.ends(FACTS)
    commits: dict[str, tuple[float, float]] = {}
    started = time.time()
    for number in range(round((seconds + _WARM_UP_SECONDS) * _RATE / _ROWS)):
        await asyncio.sleep(max(0.0, started + number * _ROWS / _RATE - time.time()))
        name = f"commit {number}"
        async with db.transaction():
            await _insert(db, _ROWS, name)
            sent = time.time()
        if sent > started + _WARM_UP_SECONDS:
            commits[name] = (sent, time.time())

    async def is_published() -> bool:
        return await broker.count(FACTS) >= sum(start.values()) + (number + 1) * _ROWS

    await until(is_published, "the last rows are published")
    latency = Latency([], [])
    for record in await broker.read_since(FACTS, start):
        cause = dict(record.headers)["ce_causationid"].decode()
        if cause in commits:
            sent, answered = commits[cause]
            latency.sent.append(record.timestamp + _LATENESS_MILLISECONDS - 1000 * sent)
            latency.answered.append(record.timestamp + _LATENESS_MILLISECONDS - 1000 * answered)
    return latency


async def _insert(db: Connection, rows: int, cause: str) -> None:
    """As a transaction of a service writes and announces them."""
    await db.execute(
        """
        insert into outbox (topic, message_id, type, subject, regency, correlationid, causationid, value)
        select $2, gen_random_uuid(), 'id.berbagi.visit-reported.v1',
               md5('household ' || floor(random() * $3)::integer)::uuid::text, $4, $5, $5, $6
        from generate_series(1, $1)
        """,
        rows,
        FACTS,
        BANYUWANGI,
        REGENCY,
        cause,
        _FACT,
    )
    await db.execute("notify outbox")
