"""What every state machine stands on: one event loop, databases that are emptied between examples, its lengths."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import asyncpg
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from messaging.database import Connection, Pool
from operations.stacks import url_of
from tests.databases import Databases

T = TypeVar("T")
KEPT = ("migrations", "clock")


class Length(StrEnum):
    SHORT = "short"
    LONG = "long"


def settings_of(length: Length, examples: int, steps: int) -> settings:
    """Short: the same examples each time, for the suite. Long: ten times as many, twice as long, new each time."""
    is_long = length is Length.LONG
    return settings(
        max_examples=examples * 10 if is_long else examples,
        stateful_step_count=steps * 2 if is_long else steps,
        derandomize=not is_long,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow,),  # a real database answers in milliseconds, not microseconds
        report_multiple_bugs=False,
    )


@dataclass
class Ground:
    """The loop and the databases under a machine.

    A copy of the template for each example would cost 50 ms, and dropping it 600 ms (a checkpoint); emptying the
    tables costs 2 ms when rows are deleted and 16 ms when they are truncated.
    """

    runner: asyncio.Runner
    databases: Databases
    emptying: list[Connection] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)
    """Closed at the end, also when an example failed."""

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def fresh(self, service: str, *folders: Any) -> str:
        """URL of a database for all examples of a machine."""
        url = await self.databases.fresh(service, *folders)
        name = self.databases.made[-1]
        administrator = await asyncpg.connect(url_of(self.databases.administrator, name))
        await administrator.execute(f'alter database "{name}" set deadlock_timeout = "50ms"')  # two at once: often
        await administrator.execute("set session_replication_role = replica")  # nothing keeps entries of the ledger
        self.emptying.append(administrator)
        return url

    async def empty(self) -> None:
        """Nothing has happened yet, in none of the databases."""
        for db in self.emptying:
            rows = await db.fetch("select format('%I', relname) as name from pg_stat_user_tables")
            names = [row["name"] for row in rows if row["name"] not in KEPT]
            await db.execute(";".join(f"delete from {name}" for name in names))  # noqa: S608  # names from the catalogue

    async def close(self) -> None:
        for pool in self.pools:
            pool.terminate()  # a failed example may have left a transaction open
        for db in self.emptying:
            await db.close()
        await self.databases.drop_made()


class Machine(RuleBasedStateMachine):
    """A machine whose rules wait for a database; every example begins on empty tables."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self._ground = ground
        self.do(ground.empty())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._ground.do(work)


async def at_once(*works: Coroutine[Any, Any, Any]) -> None:
    """Let all of these finish, and then fail as the first that failed."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def run_machine(kind: Callable[[], Machine], given: settings) -> None:
    """Try examples until one breaks; fails with the shortest program found that does."""
    run_state_machine_as_test(kind, settings=given)  # type: ignore[arg-type]  # it takes any function that makes one
