"""Resident memory and connections of the four services at half of the chain's rate, for half an hour."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median
from typing import Final

import psutil

from contracts.topics import SERVICES
from operations.stacks.program import find_process
from tests.bench.chain import Chain, chain_on, drain_rate
from tests.bench.figures import BenchError, Figure, at_most, shown
from tests.bench.machinery import Ground, Plan, measure_on_ground

_SETTLED: Final = 1 / 6  # of the time: five minutes of half an hour, after which nothing may grow
_LOOKS: Final = 180  # in all: one every ten seconds of half an hour
_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Look:
    """At one service."""

    resident: int
    connections: int


def measure(plan: Plan) -> list[Figure]:
    """Once, whatever the number of rounds."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    async with chain_on(ground) as running:
        rate = _SHARE * await drain_rate(running, plan.of(60_000, 3_000))
        looks = await _watch(running, rate, 60 * plan.minutes)
        behind = await running.behind()
    return [
        Figure("visits that are not through at the end", "events", (behind,), f"at {shown(rate)} visits/s"),
        *(figure for name in SERVICES for figure in _figures(name, [look[name] for look in looks])),
    ]


async def _watch(running: Chain, rate: float, seconds: float) -> list[dict[str, Look]]:
    sending = asyncio.create_task(running.outside.send(running.messages, rate))
    looks, started = [], time.monotonic()
    while time.monotonic() < started + seconds:
        await asyncio.sleep(seconds / _LOOKS)
        looks.append({name: _look(running, name) for name in SERVICES})
        if sending.done():
            await sending
    sending.cancel()
    return looks


def _look(running: Chain, name: str) -> Look:
    process = find_process(running.site.programs[name][0].home)
    if process is None:
        raise BenchError(f"{name} is gone")
    connections = [one for one in process.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED]
    return Look(process.memory_info().rss, len(connections))


def _figures(name: str, looks: list[Look]) -> list[Figure]:
    """Since it had settled: the most memory; connections come and go, so the median of both halves."""
    later = looks[round(len(looks) * _SETTLED) :]
    growth = 100 * (max(look.resident for look in later) / later[0].resident - 1)
    open_ones = [look.connections for look in later]
    before, after = (median(half) for half in (open_ones[: len(later) // 2], open_ones[len(later) // 2 :]))
    beside = f"{shown(before)} in the first half; at the most {max(open_ones)}"
    return [
        Figure(f"{name}, resident at the end", "MiB", (looks[-1].resident / 2**20,)),
        Figure(f"{name}, resident since settled", "percent more", (growth,), "at the most", at_most(5)),
        Figure(f"{name}, connections", "more", (after - before,), beside, at_most(0)),
    ]
