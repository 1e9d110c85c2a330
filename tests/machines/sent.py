"""What the machine of `messaging` sends to the toy service, what may become of it, and what the database has then."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from contracts.submissions import VisitSubmitted
from messaging import Accepted, Connection, Handlers, Outcome, Pool, Received
from messaging.messages import Answer
from messaging.reading import Record
from tests.messaging import toy
from tests.messaging.samples import household, visit

FACTS, SUBMISSIONS = "household-events", "assignment-submissions"
HOUSEHOLDS: Final = tuple(UUID(int=number) for number in (0xA, 0xB, 0xC))
LOGS: Final = tuple((topic, one) for one in HOUSEHOLDS for topic in (FACTS, SUBMISSIONS))

# The session that commits while somebody is to die ends with its transaction undone.
DYING: Final = """
    create table dying (singleton boolean primary key default true);
    create function die_when_told() returns trigger language plpgsql as $$
    begin
        if exists (select from dying) then perform pg_terminate_backend(pg_backend_pid()); end if;
        return null;
    end
    $$;
    create constraint trigger dies_at_commit after insert or update on inbox deferrable initially deferred
        for each row execute function die_when_told();
"""

ACCEPTED: Final = Answer("accepted")
PARKED: Final = Answer("parked")
EXPIRED: Final = Answer("refused", "expired")
REUSED: Final = Answer("refused", "id_reused", "id")
QUARANTINED: Final = Answer("quarantined", "quarantined")


Log = tuple[str, UUID]
"""The topic and household whose records it has."""


class Kind(StrEnum):
    """What a message is, and so what may become of it."""

    FACT = "fact"
    BAD_FACT = "bad fact"
    VISIT = "visit"
    REFUSED_VISIT = "refused visit"
    BAD_VISIT = "bad visit"


FATES: Final = {
    Kind.FACT: {ACCEPTED},
    Kind.BAD_FACT: {QUARANTINED},
    Kind.VISIT: {ACCEPTED, PARKED, EXPIRED},
    Kind.REFUSED_VISIT: {Answer("refused", "not_the_carer", "carer_id"), PARKED, EXPIRED},
    Kind.BAD_VISIT: {QUARANTINED, PARKED, EXPIRED},
}
CARERS: Final = {Kind.VISIT: UUID(int=9), Kind.REFUSED_VISIT: toy.REFUSED_CARER, Kind.BAD_VISIT: toy.BAD_CARER}


class Ending(StrEnum):
    """Whether a process dies, and where."""

    NONE = "none"
    IN_A_HANDLER = "in a handler"
    AT_COMMIT = "at commit"
    AFTER_COMMIT = "after commit"
    BEFORE_ACKNOWLEDGE = "before acknowledge"


class Beside(StrEnum):
    """What goes on at the same time."""

    A_ZOMBIE = "a zombie"
    ANOTHER_REPLICA = "another replica"
    TWO_SWEEPS = "two sweeps"


class Chore(StrEnum):
    """What a service does by itself, and where it dies over it."""

    SWEEP_TWICE_AT_ONCE = "sweep twice at once"
    SWEEP_AND_DIE_AT_COMMIT = "sweep and die at commit"
    SWEEP_AND_DIE_AFTER_COMMIT = "sweep and die after commit"
    RELAY = "relay"
    RELAY_AND_DIE = "relay and die"
    WAIT_A_WEEK = "wait a week"
    COME_TO_REST = "come to rest"


@dataclass(frozen=True)
class New:
    """A message comes in."""

    household_id: UUID
    kind: Kind


@dataclass(frozen=True)
class Again:
    """One of those that were sent comes again; altered: other content under its id."""

    which: int
    altered: bool


# What is drawn must not hang on what two transactions at once have made of the tables: Hypothesis tries prefixes again.
KINDS: Final = st.sampled_from([*Kind, Kind.VISIT, Kind.VISIT, Kind.REFUSED_VISIT, Kind.FACT])
NEW: Final = st.builds(New, household_id=st.sampled_from(HOUSEHOLDS), kind=KINDS)
CAME_IN: Final = st.lists(
    NEW | NEW | st.builds(Again, which=st.integers(0, 50), altered=st.booleans()), min_size=1, max_size=6
)
FETCHED: Final = st.lists(st.sampled_from(LOGS), min_size=4, max_size=12)
DELIVERED: Final = st.sampled_from([Ending.NONE, *Ending, *Beside])
CHORES: Final = st.lists(st.sampled_from(Chore), max_size=2)


@dataclass(frozen=True)
class Sent:
    """A message that somebody has sent."""

    kind: Kind
    household_id: UUID
    id: str
    record: Record
    visit_id: UUID | None = None


def fact(kind: Kind, household_id: UUID, version: int) -> Sent:
    """What the registry says of a household."""
    stated = household(
        household_id,
        version,
        kind="updated" if version > 1 else "registered",
        residents=toy.BAD_RESIDENTS if kind is Kind.BAD_FACT else 1,
    )
    return Sent(kind, household_id, f"{household_id}-{version}", stated)


def report(kind: Kind, household_id: UUID, number: int) -> Sent:
    """A visit, of a carer who may or may not."""
    name, visit_id = f"visit-{number}", UUID(int=number)
    said = visit(household_id, name, visit_id=str(visit_id), carer_id=str(CARERS[kind]))
    return Sent(kind, household_id, name, said, visit_id)


def altered(sent: Sent) -> Record:
    """The same visit, but nobody was met."""
    return sent.record._replace(value=(sent.record.value or b"").replace(b'"happened": true', b'"happened": false'))


async def on_visit(messages: Sequence[Received[VisitSubmitted]], db: Connection) -> list[Outcome]:
    """An accepted visit makes a version of its household's aggregate too: two handlers state one aggregate."""
    outcomes = await toy.on_visit_submitted(messages, db)
    households = [one.data.household_id for one in messages]
    accepted = [one for one, outcome in zip(households, outcomes, strict=True) if outcome == Accepted()]
    versions = await toy.count_up(db, accepted)
    return [
        Accepted((toy.unserved(one, versions[one]),)) if outcome == Accepted() else outcome
        for one, outcome in zip(households, outcomes, strict=True)
    ]


HANDLERS: Final[Handlers] = {**toy.HANDLERS, VisitSubmitted: on_visit}


@dataclass(frozen=True)
class Out:
    """A row of the outbox: on its way to Kafka, or there."""

    message_id: UUID
    topic: str
    subject: str
    causationid: str
    value: bytes


@dataclass(frozen=True)
class Tables:
    """What the database has."""

    seen: dict[UUID, Answer]
    parked: dict[UUID, UUID]
    """Message to subject, in order."""
    outbox: list[Out]
    quarantined: set[UUID]
    served: dict[UUID, int]
    """Household to version of its aggregate."""
    visits: list[tuple[UUID, UUID]]
    """Each with its household, in order."""


async def look(pool: Pool) -> Tables:
    """Read all of it."""
    async with pool.acquire() as db:
        seen = await db.fetch("select message_id, outcome, code, field from inbox")
        parked = await db.fetch("select message_id, subject::uuid from parked order by position")
        outbox = await db.fetch("select message_id, topic, subject, causationid, value from outbox order by id")
        quarantined = await db.fetch("select message_id from quarantine")
        served = await db.fetch("select household_id, version from toy_assignments")
        visits = await db.fetch("select visit_id, household_id from toy_visits order by number")
    return Tables(
        seen={row["message_id"]: Answer(row["outcome"], row["code"], row["field"]) for row in seen},
        parked={row["message_id"]: row["subject"] for row in parked},
        outbox=[Out(**dict(row)) for row in outbox],
        quarantined={row["message_id"] for row in quarantined},
        served={row["household_id"]: row["version"] for row in served},
        visits=[(row["visit_id"], row["household_id"]) for row in visits],
    )
