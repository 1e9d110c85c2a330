"""Distribution on a fresh database, without Kafka: messages and jobs go through messaging's own transactions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

import pytest

import policies
from contracts.envelope import Envelope, to_headers
from contracts.events import Fact, Package
from contracts.submissions import RoundSubmitted, Submission
from contracts.topics import MESSAGES, submissions_topic, topic_of
from messaging.apply import apply, read_all
from messaging.clock import set_clock
from messaging.database import open_pool
from messaging.jobs import JobRun
from messaging.messages import Answer
from messaging.quarantine import Seal, new_breaker
from messaging.reading import Record
from messaging.sweep import sweep
from messaging.transaction import Context
from policies import Policies
from services.distribution import CARD, ledger_store, planning_jobs, stock_jobs
from services.distribution import jobs as distribution_jobs
from services.distribution.handlers import handlers
from tests.databases import Databases
from tests.distribution import samples

POLICIES = policies.load()
FactT = TypeVar("FactT", bound=Fact)


@dataclass
class Distribution:
    """What a test says to distribution, and what comes of it."""

    context: Context
    policies: Policies
    sent: int = 0
    read: int = 0

    async def submit(self, *submissions: Submission, regency: str = "35.10") -> list[Answer]:
        """Send these in one batch, each under an id of its own."""
        records = []
        for submission in submissions:
            self.sent += 1
            records.append(submission_record(submission, f"s-{self.sent}", regency))
        return await self.carry_out(records)

    async def submit_as(self, message_id: str, submission: Submission, regency: str = "35.10") -> Answer:
        return (await self.carry_out([submission_record(submission, message_id, regency)]))[0]

    async def tell(self, *facts: Fact) -> list[Answer]:
        """Facts of other services."""
        return await self.carry_out([_fact_record(fact) for fact in facts])

    async def carry_out(self, records: Sequence[Record]) -> list[Answer]:
        return await apply(self.context, read_all(self.context, records))

    async def sweep(self) -> None:
        """Try what is parked again."""
        await self.context.pool.execute("update parked set due_at = now()")
        while await sweep(self.context):
            pass

    async def facts(self, kind: type[FactT]) -> list[FactT]:
        """Facts of this kind stated since `forget`."""
        rows = await self.context.pool.fetch(
            "select value from outbox where id > $1 and type = $2 order by id", self.read, kind.type
        )
        return [kind.model_validate_json(row["value"]) for row in rows]

    async def all_facts(self) -> list[Fact]:
        rows = await self.context.pool.fetch("select type, value from outbox where id > $1 order by id", self.read)
        found = []
        for row in rows:
            message = MESSAGES[row["type"]]
            assert issubclass(message, Fact)
            found.append(message.model_validate_json(row["value"]))
        return found

    async def forget(self) -> None:
        """What was stated so far is of no interest."""
        self.read = await self.context.pool.fetchval("select coalesce(max(id), 0) from outbox")

    async def package(self, round_id: UUID, household_id: UUID) -> Package:
        text = await self.context.pool.fetchval(
            "select state from package where round_id = $1 and household_id = $2", round_id, household_id
        )
        return Package.model_validate_json(text)

    async def balances(self, lot_id: UUID) -> dict[tuple[str, str], int]:
        """Units by depot and account, without what is empty."""
        rows = await self.context.pool.fetch(
            "select depot_id, account, units from balance where lot_id = $1 and units > 0", lot_id
        )
        return {(row["depot_id"], row["account"]): row["units"] for row in rows}

    async def ledger_breaks(self) -> list[ledger_store.Break]:
        async with self.context.pool.acquire() as db:
            return await ledger_store.ledger_breaks(db)

    async def settle_register(self) -> None:
        """As if the last household had come in a while ago."""
        await self.context.pool.execute("update household set stored_at = now() - interval '1 minute'")

    async def set_time(self, now: datetime) -> None:
        async with self.context.pool.acquire() as db:
            await set_clock(db, now - datetime.now(UTC))

    async def plan(self) -> int:
        return await self._run("plan_packages", planning_jobs.plan_packages)

    async def close_rounds(self) -> int:
        return await self._run("close_rounds", distribution_jobs.close_rounds)

    async def watch_floor(self) -> int:
        return await self._run("watch_floor", distribution_jobs.watch_floor)

    async def watch_lots(self) -> int:
        return await self._run("watch_lots", stock_jobs.watch_lots)

    async def _run(self, name: str, job: Callable[..., Awaitable[None]]) -> int:
        """Transactions of the run that changed anything."""
        now = datetime.now(UTC) + await self.context.pool.fetchval("select ahead from clock")
        run = JobRun(self.context, name, now)
        await partial(job, policies=self.policies)(run)
        return run.wrote


async def open_distribution(database: str, known: Policies = POLICIES) -> Distribution:
    """Distribution on this database, in the morning five days before a launch; its pool is to be closed."""
    pool = await open_pool(database, size=4, name="tests")
    context = Context(
        CARD,
        handlers(known),
        pool,
        Seal("A" * 43 + "="),
        new_breaker(),
        development=True,
        arrived=lambda _: None,
    )
    opened = Distribution(context, known)
    await opened.set_time(samples.NOW)
    return opened


@pytest.fixture
async def distribution(databases: Databases) -> AsyncIterator[Distribution]:
    opened = await open_distribution(await databases.fresh("distribution"))
    yield opened
    await opened.context.pool.close()


async def open_round(
    distribution: Distribution, households: int, packages: int = 0
) -> tuple[RoundSubmitted, list[UUID]]:
    """A planned round: so many households with one carer, and goods for so many packages at their depot."""
    carer = samples.carer()
    facts = [samples.household() for _ in range(households)]
    await distribution.tell(carer, *facts)
    await distribution.tell(*[samples.assigned(fact, carer.carer_id) for fact in facts])
    if packages:
        await distribution.submit(*samples.packages_of_stock(packages))
    await distribution.settle_register()
    wanted = samples.monthly()
    [answer] = await distribution.submit(wanted)
    assert answer.outcome == "accepted"
    await distribution.plan()
    return wanted, [fact.household_id for fact in facts]


def submission_record(
    submission: Submission, message_id: str, regency: str = "35.10", source: str = "phones"
) -> Record:
    envelope = Envelope(message_id, source, submission.type, submission.subject, "", message_id, None, regency)
    topic = submissions_topic(submission.service).name
    return Record(
        topic, submission.subject.encode(), tuple(to_headers(envelope)), submission.model_dump_json().encode(), 0, 0
    )


def _fact_record(fact: Fact) -> Record:
    topic = topic_of(type(fact))
    key = str(getattr(fact, topic.key))
    message_id = f"{fact.aggregate_id}-{fact.type}-{fact.version}"
    source, time = f"berbagi-{topic.producers[0]}", (datetime.now(UTC) - timedelta(days=1)).isoformat()
    envelope = Envelope(message_id, source, fact.type, key, time, message_id, None, "35.10")
    return Record(topic.name, key.encode(), tuple(to_headers(envelope)), fact.model_dump_json().encode(), 0, 0)


async def until_waiting(distribution: Distribution, sessions: int) -> None:
    """So many wait for a row that another holds."""
    query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while await distribution.context.pool.fetchval(query) < sessions:  # noqa: ASYNC110  # a lock has no event
            await asyncio.sleep(0.02)
