"""A month of Banyuwangi, played as `make demo` plays it: on a stack of its own with brokers that start quickly."""

import asyncio
from typing import Final

import uvloop

from contracts.topics import SERVICES
from operations.demo import month_to_play, played_on, system_of
from operations.stacks import Kind, running_stack
from simulation.play import Month, play
from simulation.rest import NoRestError
from tests.bench.figures import BenchError, Figure, at_most
from tests.bench.machinery import Plan, clear, processor_seconds, servers_of, spent

_MONTH: Final = "2026-10"
_SEED: Final = 1


def measure(plan: Plan) -> list[Figure]:
    """From the first step to the last."""
    districts = plan.of(25, 1)
    month, seconds = month_to_play(_MONTH, _SEED, districts), []
    used: list[dict[str, float]] = []
    for _ in range(plan.rounds):
        played, processors = _play(month, plan)
        seconds.append(played)
        used.append(processors)
    return [
        Figure("a month, first step to last", "s", tuple(seconds), f"{districts} districts", at_most(90, aim=60)),
        *(
            Figure(f"processor time of {component}", "s", tuple(one[component] for one in used))
            for component in used[0]
        ),
    ]


def _play(month: Month, plan: Plan) -> tuple[float, dict[str, float]]:
    """Seconds, and processor seconds by component."""
    clear(plan.folder)
    with running_stack(Kind.LOCAL, plan.folder) as stack, played_on(stack, plan.folder) as (fleet, keys):
        programs = {name: [fleet.replicas[name].program] for name in SERVICES} | servers_of(stack)
        system = system_of(stack, fleet, keys, plan.folder / "services")
        before = processor_seconds(programs)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                played = runner.run(play(month, system, lambda _: None))
        except NoRestError as error:
            raise BenchError(str(error)) from None
        used = spent(before, processor_seconds(programs))
    clear(plan.folder)
    return played.seconds, used
