"""A regency's file from Kafka through the registry, vault included, until every row is committed and every fact out."""

from collections.abc import Sequence
from dataclasses import dataclass

import policies
from simulation.claims import TAKEN
from simulation.register import household_rows
from simulation.world import make_world
from tests.bench.figures import Figure, at_least
from tests.bench.filling import REGENCY
from tests.bench.hot_path import put_paused
from tests.bench.looking import Broker, count_outbox, decided, looking_at
from tests.bench.machinery import MOMENT, Ground, Plan, Site, measure_on_ground, spent, until
from tests.bench.submissions import Message, message_of

_ROWS = "registry-submissions"
_FACTS = ("household-events", "household-profiles")


@dataclass(frozen=True, slots=True)
class Imported:
    """Rows a second."""

    committed: float
    published: float
    microseconds: dict[str, float]
    """Of processor time a row, by component."""


def measure(plan: Plan) -> list[Figure]:
    """The rows of Banyuwangi that are not to be refused, with one process of the registry and with two."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    world = make_world(policies.load()[REGENCY], 1, plan.of(25, 3))
    rows = [message_of(one) for one in household_rows(world, MOMENT) if one.right <= TAKEN]
    await _import(ground, rows, replicas=2)  # does not count: the broker is new, and compiles meanwhile
    imported: dict[str, list[Imported]] = {"one process": [], "two processes": []}
    for _ in range(plan.rounds):
        for replicas, rounds in enumerate(imported.values(), start=1):
            rounds.append(await _import(ground, rows, replicas))
    beside = f"{len(rows):,} family cards; the registry and its relay at work"
    figures = []
    for name, rounds in imported.items():
        figures += [
            Figure(f"household import, {name}", "rows/s", tuple(one.committed for one in rounds), beside, _BAR),
            Figure(f"the same with every fact out, {name}", "rows/s", tuple(one.published for one in rounds)),
            *(
                Figure(f"{name}: {component}", "µs/row", tuple(one.microseconds[component] for one in rounds))
                for component in rounds[0].microseconds
            ),
        ]
    return figures


_BAR = at_least(5_000, aim=10_000)


async def _import(ground: Ground, rows: Sequence[Message], replicas: int) -> Imported:
    async with ground.site("registry") as site, looking_at(site) as broker:
        await site.settle()
        await site.serve("registry", replicas=replicas)
        await put_paused(site, rows, _ROWS)
        before = site.processor_seconds()
        await until(lambda: _is_out(site, broker), "the file is imported")
        used = spent(before, site.processor_seconds())
        found = await decided(site.stack.databases["registry"], len(rows))
        last = max([(await broker.appended(topic))[1] for topic in _FACTS])
        return Imported(
            found.rate,
            found.count / (last - found.first.timestamp()),
            {component: 1e6 * seconds / len(rows) for component, seconds in used.items()},
        )


async def _is_out(site: Site, broker: Broker) -> bool:
    return await broker.behind("registry", _ROWS) == 0 and await count_outbox(site.stack.databases["registry"]) == 0
