"""Assignment on a real database, without Kafka: messages go in as batches, facts are read from the outbox."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import Envelope, to_headers
from contracts.events import (
    CarerLeft,
    CarerRegistered,
    Eligibility,
    EligibilityGranted,
    Fact,
    HouseholdLeft,
    HouseholdProfiled,
)
from contracts.submissions import (
    AnswersGiven,
    HandAssignmentSubmitted,
    PledgeConfirmationSubmitted,
    PledgeSubmitted,
    Submission,
    VisitSubmitted,
)
from contracts.topics import MESSAGES, topic_of
from contracts.vocabulary import Answer as Reply
from contracts.vocabulary import Place
from messaging import Job, JobRun, Write
from messaging.apply import apply, read_all
from messaging.clock import deciding_time, set_clock
from messaging.messages import Answer
from messaging.reading import Record
from messaging.transaction import Context

REGENCY = "35.10"
MUNCAR = "35.10.05"
VILLAGE = "35.10.05.2001"
ANSWERS = AnswersGiven(
    lives_alone=Reply.NO, ill=Reply.NO, dropout=Reply.NO, receives_aid=Reply.YES, house_unfit=Reply.UNKNOWN
)
PROGRAMMES = ("monthly_package", "weekly_protein")


@dataclass
class World:
    """The service's database, its jobs, and a programme clock."""

    context: Context
    jobs: Mapping[str, Job]
    read_up_to: int = 0

    async def send(
        self, *messages: Fact | Submission, ids: Mapping[int, str] | None = None, regency: str = REGENCY
    ) -> list[Answer]:
        """One batch; `ids` gives the message at a place its id."""
        records = [record(message, (ids or {}).get(place), regency) for place, message in enumerate(messages)]
        return await apply(self.context, read_all(self.context, records))

    async def outcomes(self, *messages: Fact | Submission) -> list[str]:
        """Of one batch: `accepted`, `parked` ... or the code of a refusal."""
        return [answer.code or answer.outcome for answer in await self.send(*messages)]

    async def run(self, job: str) -> int:
        """Run a job once; how many of its transactions changed anything."""
        async with self.context.pool.acquire() as db:
            run = JobRun(self.context, job, await deciding_time(db, development=True))
        await self.jobs[job].run(run)
        return run.wrote

    async def run_disturbed(self, job: str, *meanwhile: Fact | Submission) -> None:
        """Run a job; these messages are decided between its reading and its writing."""

        class Disturbed(JobRun):
            @asynccontextmanager
            async def writing(run) -> AsyncIterator[Write]:  # noqa: N805  # `self` is the world
                await self.send(*meanwhile)
                async with JobRun.writing(run) as write:
                    yield write

        async with self.context.pool.acquire() as db:
            now = await deciding_time(db, development=True)
        await self.jobs[job].run(Disturbed(self.context, job, now))

    async def facts(self) -> list[Fact]:
        """What was published since this was last asked, but for refusals."""
        rows = await self.context.pool.fetch(
            "select id, type, value from outbox where id > $1 and topic <> 'refusals' order by id", self.read_up_to
        )
        self.read_up_to = rows[-1]["id"] if rows else self.read_up_to
        return [MESSAGES[row["type"]].model_validate_json(row["value"]) for row in rows]  # type: ignore[misc]

    async def set_time(self, now: datetime) -> None:
        """Let it be this time."""
        async with self.context.pool.acquire() as db:
            await set_clock(db, now - datetime.now(UTC))

    async def count(self, table: str) -> int:
        """Rows of a table."""
        return int(await self.context.pool.fetchval(f'select count(*) from "{table}"'))  # noqa: S608  # a test's own


def record(message: Fact | Submission, message_id: str | None = None, regency: str = REGENCY) -> Record:
    """A message in its envelope, as it comes from Kafka."""
    topic = topic_of(type(message))
    if isinstance(message, Submission):
        source, key, number = "smart-kampung", message.subject, str(uuid4())
    else:
        source, key = "berbagi-registry", str(getattr(message, topic.key))
        number = f"{message.type}-{key}-{message.version}"
    envelope = Envelope(message_id or number, source, message.type, key, "", "c-1", None, regency)
    return Record(topic.name, key.encode(), tuple(to_headers(envelope)), message.model_dump_json().encode(), 0, 0)


def household(household_id: UUID | None = None, **changes: Any) -> EligibilityGranted:
    """A household that may have everything."""
    state: dict[str, Any] = {
        "version": 2,
        "household_id": household_id or uuid4(),
        "status": "registered",
        "provisional": False,
        "district": MUNCAR,
        "village": VILLAGE,
        "place": place(-8.43, 114.33),
        "residents": 3,
        "nik_status": "valid",
        "decile": 1,
        "decile_period": "2026-q3",
        "eligibilities": tuple(
            Eligibility(programme=code, basis="dtsen", rule_version="bwi-2026-1", since=date(2026, 9, 30))
            for code in PROGRAMMES
        ),
        "review_reason": None,
        "conflicts": (),
        "registered_at": datetime(2026, 9, 30, tzinfo=UTC),
        "programmes": PROGRAMMES,
    }
    return EligibilityGranted(**state | changes)


def left(registered: EligibilityGranted, reason: str = "other_regency") -> HouseholdLeft:
    """The same household, gone."""
    state = dict(registered) | {"version": registered.version + 1, "status": "left", "reason": reason}
    return HouseholdLeft(**state)


def profile(household_id: UUID, **changes: Any) -> HouseholdProfiled:
    """Needs and aid of a household."""
    state: dict[str, Any] = {"version": 1, "household_id": household_id, "members": (), "enrolments": (), "needs": ()}
    return HouseholdProfiled(**state | changes)


def carer(carer_id: UUID | None = None, **changes: Any) -> CarerRegistered:
    """An active carer in Muncar."""
    state: dict[str, Any] = {
        "version": 1,
        "carer_id": carer_id or uuid4(),
        "status": "active",
        "employment": "pns",
        "office_id": "dispendik",
        "competences": (),
        "capacity": 6,
        "home": place(-8.43, 114.33),
        "workplace": None,
        "conflict_household_ids": (),
        "contributes": True,
        "registered_at": datetime(2026, 9, 30, tzinfo=UTC),
    }
    return CarerRegistered(**state | changes)


def gone(registered: CarerRegistered, reason: str = "retired") -> CarerLeft:
    """The same carer, left."""
    return CarerLeft(**dict(registered) | {"version": registered.version + 1, "status": "left", "reason": reason})


def visit(household_id: UUID, carer_id: UUID, happened_at: datetime, **changes: Any) -> VisitSubmitted:
    """A report that all is well."""
    state: dict[str, Any] = {
        "happened_at": happened_at,
        "household_id": household_id,
        "visit_id": uuid4(),
        "carer_id": carer_id,
        "correction": False,
        "happened": True,
        "place": place(-8.43, 114.33),
        "answers": ANSWERS,
        "needs": (),
        "programmes_received": (),
    }
    return VisitSubmitted(**state | changes)


def promise(happened_at: datetime, **changes: Any) -> PledgeSubmitted:
    """A partner promises one package in the village."""
    state: dict[str, Any] = {
        "happened_at": happened_at,
        "promise_id": uuid4(),
        "giver_id": "kadin-banyuwangi",
        "programme": "monthly_package",
        "period": "2026-10",
        "village": VILLAGE,
        "packages": 1,
        "household_ids": (),
    }
    return PledgeSubmitted(**state | changes)


def confirmation(promised: PledgeSubmitted, **changes: Any) -> PledgeConfirmationSubmitted:
    """The partner keeps its word."""
    state: dict[str, Any] = {
        "happened_at": promised.happened_at,
        "promise_id": promised.promise_id,
        "giver_id": promised.giver_id,
    }
    return PledgeConfirmationSubmitted(**state | changes)


def by_hand(household_id: UUID, carer_id: UUID, happened_at: datetime) -> HandAssignmentSubmitted:
    """A coordinator decides."""
    return HandAssignmentSubmitted(
        happened_at=happened_at,
        household_id=household_id,
        carer_id=carer_id,
        by="coordinator-35.10.05",
        reason="neighbours",
    )


def place(latitude: float, longitude: float) -> Place:
    """A door."""
    return Place(latitude=latitude, longitude=longitude)


def days(number: float) -> timedelta:
    """A time span."""
    return timedelta(days=number)
