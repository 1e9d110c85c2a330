"""A month, played: a stack of its own, the four services, the simulation, the reconciliation."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

import policies
from contracts.topics import SERVICES
from messaging.settings import KafkaSettings
from operations.cards import card_of
from operations.errors import CommandError
from operations.fleet import Fleet, running_fleet
from operations.keys import KEYS_FOLDER, Keys, development_keys, sign_token
from operations.migrations import apply_migrations
from operations.report import OF_THE_REGENCY, Scope, Source, make_report, text, words
from operations.stacks import Kind, Stack, local, running_stack
from operations.stacks.program import stop_process
from operations.topics import create_topics
from simulation.calendar import Calendar
from simulation.evidence import gather
from simulation.play import Month, Played, plan_month, play
from simulation.progress import shown
from simulation.reconciliation import Finding, reconcile, show
from simulation.rest import NoRestError
from simulation.system import System
from simulation.world import make_world

REGENCY: Final = "35.10"
_LOGS: Final = "services"


def month_to_play(month: str, seed: int, districts: int) -> Month:
    """The world and its fate."""
    policy = policies.load()[REGENCY]
    return plan_month(make_world(policy, seed, districts), Calendar(date.fromisoformat(f"{month}-01"), policy.zone))


def run_demo(month: Month, kind: Kind, folder: Path, console: Console) -> bool:
    """True when everything reconciles. Starts what it needs and stops it."""
    if kind is Kind.LOCAL:
        _clear(folder)
    with running_stack(kind, folder) as stack, played_on(stack, folder) as (fleet, keys):
        system = system_of(stack, fleet, keys, folder / _LOGS)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                played, findings = runner.run(_play(month, system, console))
        except NoRestError as error:
            raise CommandError(str(error)) from None
        _report(month, fleet, keys)
        _tell(played, fleet, console)
    return not any(finding.broken for finding in findings)


@contextmanager
def played_on(stack: Stack, folder: Path) -> Iterator[tuple[Fleet, Keys]]:
    """The four services on a fresh stack, ready."""
    asyncio.run(apply_migrations(stack.databases))
    asyncio.run(create_topics(KafkaSettings(kafka=stack.bootstrap_servers)))
    keys = development_keys(folder / KEYS_FOLDER)
    with running_fleet(stack, folder / _LOGS, keys) as fleet:
        yield fleet, keys


def system_of(stack: Stack, fleet: Fleet, keys: Keys, logs: Path, topic_prefix: str = "") -> System:
    """What the simulation needs to know of it."""

    def token(source: str, scopes: tuple[str, ...]) -> str:
        return sign_token(keys, subject=source, scopes=scopes, claims={"source": source, "regency": REGENCY})

    return System(
        kafka=stack.bootstrap_servers,
        topic_prefix=topic_prefix,
        databases=stack.databases,
        audited_databases=stack.audited_databases,
        urls={name: replica.url for name, replica in fleet.replicas.items()},
        logs=logs,
        consumes={name: _consumed_by(name) for name in SERVICES},
        token=token,
        up=lambda: frozenset(SERVICES),
    )


def _consumed_by(service: str) -> frozenset[str]:
    return frozenset(message.type for message in card_of(service).consumes)


def _clear(folder: Path) -> None:
    """What a killed play has left running here is stopped first."""
    local.down(folder)
    for name in SERVICES:
        stop_process(folder / _LOGS / name)
    shutil.rmtree(folder, ignore_errors=True)


async def _play(month: Month, system: System, console: Console) -> tuple[Played, list[Finding]]:
    with shown(console) as tell:
        played = await play(month, system, tell)
    findings = list(reconcile(await gather(played, system)))
    show(findings, console)
    return played, findings


def _report(month: Month, fleet: Fleet, keys: Keys) -> None:
    """The month for its readers, asked of the services as anybody would."""
    token = sign_token(keys, subject="report", scopes=("figures:read",), claims={"regency": REGENCY})
    source = Source({name: replica.url for name, replica in fleet.replicas.items()}, token, simulated=True)
    report = make_report(source, Scope(month.calendar.month), OF_THE_REGENCY, policies.load()[REGENCY])
    text.show(report, words.load(), text.wide_console())


def _tell(played: Played, fleet: Fleet, console: Console) -> None:
    facts = played.outside.counts.total()
    console.print(
        f"{played.seconds:.0f} s from the first step to the last: {played.said.count:,} submissions, {facts:,} facts"
    )
    for name, memory in fleet.memory().items():
        console.print(f"{name:14} {memory.service / 2**20:.0f} MiB")
