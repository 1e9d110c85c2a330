"""The registry on a fresh database, without Kafka: messages go through messaging's own transaction."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

import policies
from contracts.envelope import Envelope, to_headers
from contracts.events import Fact, Household, HouseholdProfiled
from contracts.submissions import Submission
from contracts.topics import MESSAGES, submissions_topic, topic_of
from messaging import Token
from messaging.apply import apply, read_all
from messaging.database import open_pool
from messaging.http import _pool, _token, add_routes
from messaging.messages import Answer
from messaging.quarantine import Seal, new_breaker
from messaging.reading import Record
from messaging.transaction import Context
from services.registry import CARD, api
from services.registry.handlers import handlers
from services.registry.vault import Vault
from tests.databases import Databases

KEY = bytes(32)


@dataclass
class Registry:
    """What a test says to the registry, and what comes of it."""

    context: Context
    vault: Vault
    sent: int = 0
    read: int = 0

    async def submit(self, *submissions: Submission, source: str = "dtsen", regency: str = "35.10") -> list[Answer]:
        """Send these in one batch, each under an id of its own."""
        records = []
        for submission in submissions:
            self.sent += 1
            records.append(_record(submission, f"s-{self.sent}", source, regency))
        return await self.carry_out(records)

    async def resend(self, submission: Submission, message_id: str, source: str = "dtsen") -> Answer:
        """Send this under a chosen id."""
        return (await self.carry_out([_record(submission, message_id, source)]))[0]

    async def tell(self, *facts: Fact) -> list[Answer]:
        """Facts of other services."""
        return await self.carry_out([_fact_record(fact) for fact in facts])

    async def carry_out(self, records: list[Record]) -> list[Answer]:
        return await apply(self.context, read_all(self.context, records))

    async def facts(self) -> list[Fact]:
        """Facts about households and carers stated since the last time this was asked."""
        rows = await self.context.pool.fetch(
            "select id, type, value from outbox where id > $1 and topic <> 'refusals' order by id", self.read
        )
        self.read = rows[-1]["id"] if rows else self.read
        found = []
        for row in rows:
            message = MESSAGES[row["type"]]
            assert issubclass(message, Fact)
            found.append(message.model_validate_json(row["value"]))
        return found

    async def household(self, household_id: UUID) -> Household:
        state = await self.context.pool.fetchval("select state from household where household_id = $1", household_id)
        return Household.model_validate_json(state)

    async def profile(self, household_id: UUID) -> HouseholdProfiled:
        text = await self.context.pool.fetchval("select profile from household where household_id = $1", household_id)
        return HouseholdProfiled.model_validate_json(text)


async def open_registry(database: str, *, development: bool = False) -> Registry:
    """The registry on this database; its pool is to be closed."""
    vault = Vault(KEY)
    context = Context(
        CARD,
        handlers(policies.load(), vault),
        await open_pool(database, size=4, name="tests"),
        Seal("A" * 43 + "="),
        new_breaker(),
        development=development,
        arrived=lambda _: None,
    )
    return Registry(context, vault)


@pytest.fixture
async def registry(databases: Databases) -> AsyncIterator[Registry]:
    opened = await open_registry(await databases.fresh("registry"))
    yield opened
    await opened.context.pool.close()


class Reader:
    """Asks the registry's API as somebody."""

    def __init__(self, registry: Registry) -> None:
        self.caller = Token("nobody", frozenset(), None, "35.10")
        app = FastAPI()
        app.state.vault = registry.vault
        app.include_router(api.router)
        add_routes(app)
        app.dependency_overrides = {_pool: lambda: registry.context.pool, _token: lambda: self.caller}
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry")

    async def get(
        self,
        path: str,
        subject: str = "somebody",
        scopes: str = "",
        claims: Mapping[str, str] | None = None,
        regency: str | None = "35.10",
    ) -> httpx.Response:
        self.caller = Token(subject, frozenset(scopes.split()), None, regency, claims or {})
        return await self.client.get(path)


@pytest.fixture
async def reader(registry: Registry) -> AsyncIterator[Reader]:
    asking = Reader(registry)
    yield asking
    await asking.client.aclose()


def _record(submission: Submission, message_id: str, source: str, regency: str = "35.10") -> Record:
    envelope = Envelope(message_id, source, submission.type, submission.subject, "", message_id, None, regency)
    topic = submissions_topic(submission.service).name
    return Record(
        topic, submission.subject.encode(), tuple(to_headers(envelope)), submission.model_dump_json().encode(), 0, 0
    )


def _fact_record(fact: Fact) -> Record:
    topic = topic_of(type(fact))
    key = str(getattr(fact, topic.key))
    message_id = f"{fact.aggregate_id}-{fact.type}-{fact.version}"
    time = datetime.now(UTC).isoformat()
    envelope = Envelope(message_id, topic.producers[0], fact.type, key, time, message_id, None, "35.10")
    return Record(topic.name, key.encode(), tuple(to_headers(envelope)), fact.model_dump_json().encode(), 0, 0)
