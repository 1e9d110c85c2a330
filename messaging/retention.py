"""How long is kept what nobody will look at again: one table, on the real clock, and the job that prunes by it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from contracts.submissions import MAX_DAYS_LATE
from messaging.database import Connection, alone
from messaging.jobs import Job, JobRun

KEPT: Final[Mapping[str, timedelta]] = MappingProxyType(
    {
        # Of submissions, since they came. A day longer than what is refused as too old: then no repeat has an effect.
        "inbox": timedelta(days=MAX_DAYS_LATE + 1),
        # What messages said that were retried or discarded, since then.
        "quarantine payloads": timedelta(days=30),
        # To people, with the intents they told, since the last try to send them.
        "messages": timedelta(days=400),
    }
)
EVERY: Final = timedelta(hours=1)
_WALK_EVERY_SECONDS: Final = 86_400.0
_PAGES: Final = 100  # of the inbox in one transaction, at most some 7,000 rows: no lock is held for long
_ROWS: Final = 1_000

Prune = Callable[[Connection, timedelta, int], Awaitable[int]]
"""Deletes at most so many rows that are older than this, and says how many they were."""


class Pruning:
    """The job of every service. The inbox has no index on its age, for that would cost every message: it is walked."""

    def __init__(self) -> None:
        self.job = Job("prune", EVERY, self._run)
        self._walk_at = 0.0

    async def _run(self, run: JobRun) -> None:
        await prune_in_sets(run, prune_payloads, KEPT["quarantine payloads"])
        if time.monotonic() >= self._walk_at:
            await prune_inbox(run, KEPT["inbox"])
            self._walk_at = time.monotonic() + _WALK_EVERY_SECONDS


async def prune_in_sets(run: JobRun, prune: Prune, kept: timedelta, rows: int = _ROWS) -> None:
    """Until nothing old is left, each set in a transaction of its own."""
    pruned = rows
    while pruned == rows:
        async with run.writing() as write:
            pruned = await prune(write.db, kept, rows)


async def prune_inbox(run: JobRun, kept: timedelta, pages: int = _PAGES) -> None:
    """Old submissions from the first page to the last; left to another replica that is at it.

    Not what is parked or quarantined: it may be tried again, and what was discarded must be known when it is replayed.
    """
    async with alone(run.context.pool, "prune inbox") as db:
        if db is None:
            return
        size: int = await db.fetchval("select pg_relation_size('inbox') / current_setting('block_size')::bigint")
        for page in range(0, size, pages):
            status = await db.execute(
                """delete from inbox
                   where ctid >= $2::text::tid and ctid < $3::text::tid
                     and content is not null and received_at < now() - $1::interval
                     and not exists (select from parked where parked.message_id = inbox.message_id)
                     and not exists (select from quarantine where quarantine.message_id = inbox.message_id)""",
                kept,
                f"({page},0)",
                f"({page + pages},0)",
            )
            run.wrote += status != "DELETE 0"


async def prune_payloads(db: Connection, kept: timedelta, rows: int) -> int:
    """What was retried or discarded stays as a row, without what it said."""
    status = await db.execute(
        """update quarantine set payload = null where message_id in (
             select message_id from quarantine
             where payload is not null and resolved_at < now() - $1::interval
             order by resolved_at limit $2 for update skip locked)""",
        kept,
        rows,
    )
    return int(status.removeprefix("UPDATE "))
