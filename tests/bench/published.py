"""The same with the relay on, out to Kafka; beside it, the service as it is usually written."""

from collections.abc import Sequence

from tests.bench.figures import Figure, at_least, ratios
from tests.bench.filling import fill_assignment
from tests.bench.hot_path import FACTS, Work, drain, processor_figures
from tests.bench.looking import looking_at
from tests.bench.machinery import Ground, Plan, measure_on_ground, until
from tests.bench.submissions import VISITS, Message, put, visits


def measure(plan: Plan) -> list[Figure]:
    """One process of the assignment service, two, and the usual one."""
    return measure_on_ground(plan, _measure)


async def _measure(ground: Ground, plan: Plan) -> list[Figure]:
    messages = list(visits(plan.of(60_000, 5_000)))
    few = messages[: plan.of(3_000, 200)]
    one, two, usual = [], [], []
    for _ in range(plan.rounds):
        one.append(await drain(ground, Work(messages, replicas=1, published=True)))
        two.append(await drain(ground, Work(messages, replicas=2, published=True)))
        usual.append(await drain_usual(ground, few))
    ones, twos = [drained.rate for drained in one], [drained.rate for drained in two]
    bar = at_least(25)
    return [
        Figure("out to Kafka, one process", "events/s", tuple(ones)),
        Figure("out to Kafka, two processes", "events/s", tuple(twos)),
        Figure("the usual service", "events/s", tuple(usual), "one process; nothing of the promise"),
        Figure("one process of the usual service", "times", ratios(ones, usual), "within a round", bar),
        Figure("two processes of the usual service", "times", ratios(twos, usual), "within a round", bar),
        *processor_figures("one process", one),
        *processor_figures("two processes", two),
    ]


async def drain_usual(ground: Ground, messages: Sequence[Message]) -> float:
    """Facts a second of the usual service, by the broker's clock."""
    async with ground.site("assignment") as site, looking_at(site) as broker:
        await fill_assignment(site.stack.databases["assignment"])
        await site.settle()
        await put(site.stack.bootstrap_servers, site.prefix + VISITS, messages)
        await site.run("usual_service")

        async def is_published() -> bool:
            return await broker.count(FACTS) >= len(messages)

        await until(is_published, "the usual service publishes")
        first, last = await broker.appended(FACTS)
        return (await broker.count(FACTS) - 1) / (last - first)
