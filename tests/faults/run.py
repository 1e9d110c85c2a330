"""One seeded run: a month told at a steady rate while things fail, and what the checker says of it."""

import asyncio
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from messaging.settings import KafkaSettings
from operations.demo import month_to_play, system_of
from operations.keys import development_keys
from operations.migrations import apply_migrations
from operations.stacks import Kind, Stack, local, running_stack
from operations.stacks.program import stop_process
from operations.topics import create_topics
from simulation.arrivals import read_arrivals
from simulation.evidence import gather
from simulation.reconciliation import UNDER_FAULTS, Finding, reconcile
from simulation.rest import NoRestError
from simulation.steady import Pace, play_steadily
from tests.faults.nemeses import Fault, Storms, deck
from tests.faults.scene import scene_on

MONTH = "2026-10"
BROKER_SESSION_MILLISECONDS = {1: 1_000, 3: 3_000}
"""By number of brokers: one alone should soon be back, of three none should be given up for being slow."""
LAST_DAY = 21
LONG_STOPS = (15.0, 25.0, 60.0, 35.0, 20.0)
"""Seconds of silence of a broker, by seed."""


@dataclass(frozen=True)
class Plan:
    """What is run."""

    seed: int
    districts: int = 3
    rate: int = 800
    brokers: int = 1
    at_once: int = 3
    """Faults at the same time, at most."""
    only: tuple[str, ...] = ()
    """Kinds of faults; none: all."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    plan: Plan
    faults: list[Fault]
    deaths: int
    """Services that ended, killed by nobody here; they were started again."""
    sent: int
    repeated: int
    spoilt: int
    facts: int
    longest_stall: float
    """Seconds in which no fact came out."""
    rests: list[float]
    """Seconds after the last fault of each storm until everything was done."""
    findings: list[Finding]
    seconds: float = 0.0

    @property
    def broken(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.broken]


def run(plan: Plan, folder: Path, tell: Callable[[Fault], None]) -> Outcome:
    """On a stack of its own, new every time."""
    clear_away(folder)
    shutil.rmtree(folder, ignore_errors=True)
    started = time.monotonic()
    with running_stack(Kind.LOCAL, folder, plan.brokers, BROKER_SESSION_MILLISECONDS[plan.brokers]) as stack:
        outcome = asyncio.run(_run(plan, stack, folder, tell))
        if stack.postgres is not None:
            stack.postgres.kill()  # its data goes anyway
    return replace(outcome, seconds=time.monotonic() - started)


def clear_away(folder: Path) -> None:
    """Stop what a run that was killed has left here."""
    local.down(folder)
    for process in folder.glob("services/*/*/process.json"):
        stop_process(process.parent, signal.SIGKILL)


async def _run(plan: Plan, stack: Stack, folder: Path, tell: Callable[[Fault], None]) -> Outcome:
    await apply_migrations(stack.databases)
    await create_topics(KafkaSettings(kafka=stack.bootstrap_servers))
    keys = development_keys(folder / "keys")
    month = await asyncio.to_thread(month_to_play, MONTH, plan.seed, plan.districts)
    pace = Pace(plan.rate, LAST_DAY, random.Random(plan.seed))  # noqa: S311  # chance for tests, not for secrets
    async with scene_on(stack, folder / "services", keys) as scene:
        fleet = scene.first["registry"].fleet
        system = system_of(stack, fleet, keys, folder / "services")
        nemeses = deck(plan.brokers, LONG_STOPS[plan.seed % len(LONG_STOPS)])
        chosen = [one for one in nemeses if not plan.only or one.kind in plan.only]
        storms = Storms(scene, random.Random(plan.seed), chosen, plan.at_once, tell)  # noqa: S311  # likewise
        try:
            played = await play_steadily(month, system, replace(system, kafka=scene.behind_doors), pace, storms.storm)
            evidence = await gather(played, system, await read_arrivals(system.kafka, system.topic_prefix))
        except NoRestError as error:
            sent, facts, findings = 0, 0, [Finding("everything is done in the end", (str(error),))]
        except ExceptionGroup as errors:
            if errors.split(KeyError)[1] is not None:
                raise
            sent, facts, findings = 0, 0, [Finding("what the play speaks of was stated", ("a fact never came",))]
        else:
            sent, facts = played.said.count, evidence.history.records
            findings = list(reconcile(evidence, UNDER_FAULTS))
        deaths = sum(replica.deaths for replica in scene.replicas())
    return Outcome(
        plan,
        storms.faults,
        deaths,
        sent,
        pace.repeated,
        pace.spoilt,
        facts,
        round(pace.longest_stall, 1),
        [round(rest, 1) for rest in pace.rests],
        findings,
    )
