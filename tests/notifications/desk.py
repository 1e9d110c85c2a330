"""What a test does with the service: send, let time pass, run jobs, read facts and messages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from contracts.envelope import Envelope, to_headers
from contracts.events import Case, Fact, Household, HouseholdRegistered, VisitReported
from contracts.submissions import CaseUpdateSubmitted, Submission
from contracts.topics import MESSAGES, topic_of
from messaging import Job, JobRun
from messaging.apply import apply, read_all
from messaging.clock import deciding_time, set_clock
from messaging.reading import Record
from messaging.transaction import Context
from tests.notifications.builders import DISTRICT, local

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
NOW = local("2026-10-14 09:00")
MessageT = TypeVar("MessageT", bound=Fact | Submission)
HouseholdT = TypeVar("HouseholdT", bound=Household)


@dataclass
class Desk:
    """The service's database, its jobs, its file channel and a programme clock."""

    context: Context
    jobs: Mapping[str, Job]
    file: Path
    read_up_to: int = 0

    async def send(self, *messages: Fact | Submission, regency: str = "35.10") -> list[str]:
        """One batch; of each what became of it, or the code of its refusal."""
        return await self.send_records([record(message, regency=regency) for message in messages])

    async def send_records(self, records: Sequence[Record]) -> list[str]:
        answers = await apply(self.context, read_all(self.context, records))
        return [answer.code or answer.outcome for answer in answers]

    async def run(self, *names: str) -> int:
        """Run jobs once, all when none is named; how many of their transactions changed anything."""
        wrote = 0
        for name in names or self.jobs:
            async with self.context.pool.acquire() as db:
                run = JobRun(self.context, name, await deciding_time(db, development=True))
            await self.jobs[name].run(run)
            wrote += run.wrote
        return wrote

    async def facts(self) -> list[Fact]:
        """What was published since this was last asked, but for refusals."""
        rows = await self.context.pool.fetch(
            "select id, type, value from outbox where id > $1 and topic <> 'refusals' order by id", self.read_up_to
        )
        self.read_up_to = rows[-1]["id"] if rows else self.read_up_to
        return [MESSAGES[row["type"]].model_validate_json(row["value"]) for row in rows]  # type: ignore[misc]

    async def cases(self) -> list[Case]:
        """What was published of cases."""
        return [fact for fact in await self.facts() if isinstance(fact, Case)]

    async def set_time(self, now: datetime) -> None:
        """Let it be this time."""
        async with self.context.pool.acquire() as db:
            await set_clock(db, now - datetime.now(UTC))

    async def count(self, table: str) -> int:
        return int(await self.context.pool.fetchval(f'select count(*) from "{table}"'))  # noqa: S608  # a test's own

    async def value(self, query: str, *arguments: object) -> Any:
        return await self.context.pool.fetchval(query, *arguments)

    def messages(self) -> list[dict[str, Any]]:
        """What left by the file channel."""
        return [json.loads(line) for line in self.file.read_text("utf-8").splitlines()] if self.file.exists() else []


def record(message: Fact | Submission, message_id: str | None = None, regency: str = "35.10") -> Record:
    """A message in its envelope, as it comes from Kafka."""
    topic = topic_of(type(message))
    if isinstance(message, Submission):
        source, key, number = "dinsos", message.subject, str(uuid4())
    else:
        source, key = "berbagi-registry", str(getattr(message, topic.key))
        number = f"{message.type}-{message.aggregate_id}-{message.version}"
    envelope = Envelope(message_id or number, source, message.type, key, "", "c-1", None, regency)
    return Record(topic.name, key.encode(), tuple(to_headers(envelope)), message.model_dump_json().encode(), 0, 0)


def example(kind: type[MessageT], **changes: Any) -> MessageT:
    """The committed example of a message, changed."""
    content = json.loads((EXAMPLES / f"{kind.type.split('.')[2]}.v1.json").read_text("utf-8"))
    text = json.dumps(content.get("data", content) | changes, default=_text)
    return kind.model_validate_json(text)  # type: ignore[return-value]  # mypy joins the bound's two classes


def update(case: Case, step: str, **changes: Any) -> CaseUpdateSubmitted:
    """The responsible office's answer."""
    given = {
        "happened_at": "2026-01-01T00:00:00Z",
        "household_id": case.household_id,
        "case_id": case.case_id,
        "office_id": case.responsible_office_id,
        "step": step,
        "reason": "not_ours" if step == "rejected" else None,
    }
    return CaseUpdateSubmitted.model_validate_json(json.dumps(given | changes, default=_text))


def visit(household_id: UUID, *needs: str, at: datetime = NOW, **changes: Any) -> VisitReported:
    """A visit that happened and saw these needs of the household."""
    seen = [{"need": need, "person_id": None} for need in needs]
    given = {"version": 1, "visit_id": uuid4(), "household_id": household_id, "district": DISTRICT, "happened": True}
    return example(VisitReported, **(given | {"needs": seen, "happened_at": at} | changes))


def household(household_id: UUID, **changes: Any) -> HouseholdRegistered:
    """A household of which nothing is needed."""
    given = {"version": 1, "household_id": household_id, "district": DISTRICT, "nik_status": "valid"}
    return example(HouseholdRegistered, **(given | {"review_reason": None, "status": "registered"} | changes))


def then(before: Household, kind: type[HouseholdT], **changes: Any) -> HouseholdT:
    """What the registry says of it next; `changes` go before what the example of this type says."""
    said = example(kind).model_dump() | before.model_dump() | {"version": before.version + 1}
    return kind.model_validate(said | changes)


async def opened(desk: Desk, need: str = "documents", household_id: UUID | None = None) -> Case:
    """A case that a visit has opened."""
    await desk.send(visit(household_id or uuid4(), need))
    (case,) = await desk.cases()
    return case


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
