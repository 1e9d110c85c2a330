"""One, two and four processes of one service, out to Kafka: where it stops growing, and what is busy then."""

from collections.abc import Mapping
from typing import Final

from tests.bench.figures import Figure, ratios
from tests.bench.hot_path import Drained, Work, drain, processor_figures
from tests.bench.machinery import Ground, Plan, measure_on_ground
from tests.bench.submissions import visits

_REPLICAS: Final[Mapping[int, str]] = {1: "one replica", 2: "two replicas", 4: "four replicas"}


def measure(plan: Plan) -> list[Figure]:
    """Of the assignment service."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    messages = list(visits(plan.of(60_000, 5_000)))
    drained: dict[int, list[Drained]] = {replicas: [] for replicas in _REPLICAS}
    for _ in range(plan.rounds):
        for replicas, rounds in drained.items():
            rounds.append(await drain(ground, Work(messages, replicas, published=True)))
    figures = []
    for replicas, name in _REPLICAS.items():
        rates = tuple(one.rate for one in drained[replicas])
        figures += [
            Figure(name, "events/s", rates),
            Figure(f"{name} of one", "times", ratios(rates, [one.rate for one in drained[1]]), "within a round"),
            *processor_figures(name, drained[replicas]),
        ]
    return figures
