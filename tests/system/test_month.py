"""Three districts of Banyuwangi, a whole month: services are killed in the middle, everything reconciles, and bites."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from contracts.topics import SERVICES
from messaging.settings import KafkaSettings
from operations.demo import month_to_play, system_of
from operations.fleet import Fleet
from operations.keys import development_keys
from operations.stacks import AUDITOR, Stack, url_of
from operations.topics import create_topics
from simulation.evidence import Evidence, gather
from simulation.play import play
from simulation.reconciliation import reconcile
from simulation.system import System
from tests.databases import Databases

MONTH: Final = "2026-10"
DISTRICTS: Final = 3
KILLS: Final = {(1, 6): "registry", (6, 20): "assignment", (14, 11): "distribution", (20, 20): "notifications"}
"""Day and hour of the step during which a service is killed."""
AT_WORK_SECONDS: Final = 0.5
AWAY_SECONDS: Final = 1.0

ALTERED: Final = {
    "household_id": ("registry", "update household set state = jsonb_set(state, '{residents}', '39')"),
    "assignment_id": ("assignment", "update assignment set state = jsonb_set(state, '{district}', '\"35.10.99\"')"),
    "visit_id": ("assignment", "update visit set state = jsonb_set(state, '{district}', '\"35.10.99\"')"),
    "package_id": ("distribution", "update package set state = jsonb_set(state, '{value}', '1')"),
    "case_id": ("notifications", "update cases set state = jsonb_set(state, '{need}', '\"nothing\"')"),
}


@pytest.fixture
async def stack_of_its_own(stack: Stack, databases: Databases) -> Stack:
    """The session's Kafka and PostgreSQL, with databases that only this test uses."""
    assert stack.administrator is not None
    urls = {name: await databases.fresh(name) for name in SERVICES}
    names = {name: url.rsplit("/", 1)[1] for name, url in urls.items()}
    audited = {name: url_of(stack.administrator, database, user=AUDITOR) for name, database in names.items()}
    return replace(stack, databases=urls, audited_databases=audited)


@contextmanager
def fleet_on(stack: Stack, folder: Path, topic_prefix: str) -> Iterator[tuple[Fleet, System]]:
    keys = development_keys(folder / "keys")
    fleet = Fleet(stack, folder / "services", keys, topic_prefix)
    try:
        yield fleet, system_of(stack, fleet, keys, folder / "services", topic_prefix)
    finally:
        fleet.stop()


def broken_lines(evidence: Evidence) -> list[str]:
    return [f"{finding.check}: {line}" for finding in reconcile(evidence) for line in finding.broken]


async def alter(stack: Stack) -> dict[str, str]:
    """Change one row of each kind; which one, by kind."""
    altered = {}
    for kind, (service, statement) in ALTERED.items():
        db = await asyncpg.connect(stack.databases[service])
        table = statement.split()[1]
        altered[kind] = await db.fetchval(
            f"{statement} where {kind} = (select {kind} from {table} where state is not null limit 1)"  # noqa: S608
            f" returning {kind}::text"
        )
        await db.close()
    db = await asyncpg.connect(stack.databases["distribution"])
    await db.execute("alter table ledger_entry disable trigger ledger_entry_is_final")
    altered["lot"] = await db.fetchval(
        """update ledger_entry set units = units + 1
           where entry_id = (select max(entry_id) from ledger_entry) returning lot_id::text"""
    )
    await db.close()
    return altered


async def test_a_month_with_every_service_killed_once_reconciles_and_an_altered_row_is_named(
    stack_of_its_own: Stack, tmp_path: Path, topic_prefix: str
) -> None:
    month = month_to_play(MONTH, seed=1, districts=DISTRICTS)
    await create_topics(KafkaSettings(kafka=stack_of_its_own.bootstrap_servers, topic_prefix=topic_prefix))
    killings: list[asyncio.Task[None]] = []

    with fleet_on(stack_of_its_own, tmp_path, topic_prefix) as (fleet, system):
        await asyncio.to_thread(fleet.start)

        async def kill_and_start(name: str) -> None:
            await asyncio.sleep(AT_WORK_SECONDS)
            await asyncio.to_thread(fleet.kill, name)
            await asyncio.sleep(AWAY_SECONDS)
            await asyncio.to_thread(fleet.start, [name])

        async def interfere(_: int, now: datetime) -> None:
            name = KILLS.get((month.calendar.day_of(now), now.hour))
            if name is not None and not any(killing.get_name() == name for killing in killings):
                killings.append(asyncio.create_task(kill_and_start(name), name=name))

        played = await play(month, system, lambda _: None, interfere)
        await asyncio.gather(*killings)
        evidence = await gather(played, system)

        assert sorted(killing.get_name() for killing in killings) == sorted(SERVICES)
        assert broken_lines(evidence) == []

        altered = await alter(stack_of_its_own)
        lines = broken_lines(await gather(played, system))

        for kind, one in altered.items():
            assert any(kind in line and one in line for line in lines), kind


async def test_a_service_that_is_away_for_half_of_the_month_catches_up(
    request: pytest.FixtureRequest, stack_of_its_own: Stack, tmp_path: Path, topic_prefix: str
) -> None:
    """Each day another one, for each is a month to play: `pytest --away registry` plays it without the registry."""
    month = month_to_play(MONTH, seed=2, districts=1)
    away, steps = str(request.config.getoption("--away")), month.calendar.steps
    await create_topics(KafkaSettings(kafka=stack_of_its_own.bootstrap_servers, topic_prefix=topic_prefix))
    up = set(SERVICES) - {away}

    with fleet_on(stack_of_its_own, tmp_path, topic_prefix) as (fleet, system):
        await asyncio.to_thread(fleet.start, sorted(up))

        async def interfere(step: int, _: datetime) -> None:
            if step == len(steps) // 2:
                await asyncio.to_thread(fleet.start, [away])
                up.add(away)

        played = await play(month, replace(system, up=lambda: frozenset(up)), lambda _: None, interfere)

        assert (away, broken_lines(await gather(played, system))) == (away, [])
