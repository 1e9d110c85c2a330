"""How cost grows with households and carers: at 1, 4 and 16 times Banyuwangi, which is a middling province.

A match is one regency's, so 16 times is a regency that does not exist; a province is as many matches as it has
regencies. The round and the hot path are measured on one database with all of them, as one cell would have it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Final

import asyncpg
import numpy as np

from messaging.child import run_in_child
from operations.stacks.program import find_process
from services.assignment.matching import NOBODY, Problem, match
from tests.assignment.synthetic import banyuwangi
from tests.bench.figures import BenchError, Figure
from tests.bench.filling import BANYUWANGI, fill_distribution
from tests.bench.hot_path import Drained, Work, drain
from tests.bench.looking import Size, looking_at, relay_held, sizes_of
from tests.bench.machinery import Ground, Plan, Site, measure_on_ground, until
from tests.bench.rounds import DISTRIBUTION, packages_of_stock, round_of_the_month
from tests.bench.submissions import put, visits

_TIMES: Final = (1, 4, 16)
_FEW: Final = 2_000  # households, to try the programs out
_STOCKED: Final = 3  # a third of the packages comes from depots
_PATIENCE_SECONDS: Final = 300
_LOOK_SECONDS: Final = 0.02
_TABLES: Final = ("package", "recipient", "ledger_entry", "outbox")


@dataclass(frozen=True, slots=True)
class Matched:
    """A match in a child process, its start included."""

    seconds: float
    peak_mib: float
    unserved: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A round of the month; NaN: it did not come to an end."""

    opening_seconds: float
    planning_seconds: float
    resident_mib: float
    sizes: Mapping[str, Size]


@dataclass(frozen=True, slots=True)
class Scaled:
    """One round at one size."""

    matched: Matched
    planned: Planned
    hot: Drained


def measure(plan: Plan) -> list[Figure]:
    """The match, a round, and the hot path of assignment."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    sizes = {times: times * BANYUWANGI for times in _TIMES} if not plan.quick else {1: _FEW}
    found: dict[int, list[Scaled]] = {times: [] for times in sizes}
    for _ in range(plan.rounds):
        for times, households in sizes.items():
            messages = list(visits(plan.of(60_000, 5_000), households=households))
            work = Work(messages, replicas=2, published=False, households=households, history=True)
            found[times].append(
                Scaled(await _match(times), await _plan_round(ground, households), await drain(ground, work))
            )
    return [figure for times, rounds in found.items() for figure in _figures(f"{times}x", rounds)]


def _figures(size: str, rounds: list[Scaled]) -> list[Figure]:
    last = rounds[-1]
    return [
        Figure(
            f"{size}: match",
            "s",
            tuple(one.matched.seconds for one in rounds),
            f"{last.matched.unserved} left over; the child's start included",
        ),
        Figure(f"{size}: match, most memory", "MiB", tuple(one.matched.peak_mib for one in rounds)),
        Figure(f"{size}: opening a round", "s", tuple(one.planned.opening_seconds for one in rounds)),
        Figure(f"{size}: planning it", "s", tuple(one.planned.planning_seconds for one in rounds)),
        Figure(f"{size}: distribution afterwards", "MiB", tuple(one.planned.resident_mib for one in rounds)),
        *(
            Figure(
                f"{size}: {table} after planning",
                "MiB",
                tuple(one.planned.sizes[table].bytes / 2**20 for one in rounds),
                f"{last.planned.sizes[table].rows:,} rows, {last.planned.sizes[table].a_row:.0f} bytes each",
            )
            for table in _TABLES
        ),
        Figure(
            f"{size}: hot path, two processes",
            "events/s",
            tuple(one.hot.rate for one in rounds),
            f"{last.hot.sizes['inbox'].rows:,} messages and {last.hot.sizes['visit'].rows:,} visits at its end",
        ),
    ]


def match_measured(problem: Problem) -> tuple[int, float]:
    """In a child process: how many nobody is left for, and the most MiB that were resident."""
    matching = match(problem)
    return int(np.count_nonzero(matching.chosen == NOBODY)), _peak_mib()


async def _match(times: int) -> Matched:
    problem = banyuwangi(seed=2026, times=times)
    started = time.monotonic()
    unserved, peak_mib = await run_in_child(match_measured, problem)
    return Matched(time.monotonic() - started, peak_mib, unserved)


async def _plan_round(ground: Ground, households: int) -> Planned:
    """Facts stay in the outbox, to be seen there."""
    async with ground.site("distribution") as site:
        url = site.stack.databases["distribution"]
        await fill_distribution(url, households)
        await site.settle()
        async with relay_held(url):
            await site.serve("distribution")
            opening, planning = await _open_and_plan(site, households)
            process = find_process(site.programs["distribution"][0].home)
            resident = process.memory_info().rss / 2**20 if process else nan
            await site.settle()
            return Planned(opening, planning, resident, await sizes_of(url, _TABLES))


async def _open_and_plan(site: Site, households: int) -> tuple[float, float]:
    """Seconds until the list is frozen, and from then on until every recipient has a package."""
    kafka, topic = site.stack.bootstrap_servers, site.prefix + DISTRIBUTION
    db = await asyncpg.connect(site.stack.databases["distribution"])

    async def is_opened() -> bool:
        return bool(await db.fetchval("select exists (select from round)"))

    async def is_planned() -> bool:
        return bool(await db.fetchval("select not exists (select from to_plan where not waiting)"))

    opened = planned = nan
    async with looking_at(site) as broker:

        async def is_stocked() -> bool:
            return await broker.behind("distribution", DISTRIBUTION) == 0

        await put(kafka, topic, packages_of_stock(households // _STOCKED))
        await until(is_stocked, "the depots are stocked")
    started = time.monotonic()
    await put(kafka, topic, [round_of_the_month()])
    try:
        await until(is_opened, "the round opens", _PATIENCE_SECONDS, _LOOK_SECONDS)
        opened = time.monotonic()
        await until(is_planned, "the round is planned", _PATIENCE_SECONDS, _LOOK_SECONDS)
        planned = time.monotonic()
    except BenchError:
        pass  # that it does not end at this size is the figure
    await db.close()
    return opened - started, planned - opened


def _peak_mib() -> float:
    """Linux tells a child's `ru_maxrss` from the parent it was forked from: there the kernel's own account is asked."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return getrusage(RUSAGE_SELF).ru_maxrss / 2**20  # bytes, where there is no /proc
