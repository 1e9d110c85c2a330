"""Every statement behind figures and reads: counts of cases and messages, open cases, histories, breaches."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import Case
from messaging import Connection


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases are counted: of one regency, of one district or all, opened in a span of time."""

    regency: str
    district: str | None
    opened_from: datetime
    opened_before: datetime


@dataclass(frozen=True, slots=True)
class CaseCount:
    """Cases of one need, office, district and status; the other numbers are how many of them."""

    need: str
    office_id: str
    district: str
    status: str
    waiting_for: str | None
    critical: bool
    cases: int
    sightings: int
    answer_due: int
    """First answer given, or its time over."""
    answered_in_time: int
    done: int
    """Resolved by an office, confirmed or not."""
    done_due: int
    """Resolved, or its time over."""
    done_in_time: int
    breached: int
    """Open and escalated now."""


@dataclass(frozen=True, slots=True)
class MessageCount:
    """Messages of one kind through one channel."""

    kind: str
    channel: str
    status: str
    messages: int


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One fact of a case."""

    version: int
    type: str
    decided_at: datetime
    office_id: str
    escalation_level: int
    reason: str | None


async def count_cases(db: Connection, scope: Scope, now: datetime) -> list[CaseCount]:
    """Everything that is published of cases, in one pass."""
    records = await db.fetch(
        """
        select need, office_id, state ->> 'district' as district, status, waiting_for, critical,
               count(*)::integer as cases, sum(sightings)::integer as sightings,
               (count(*) filter (where answered_at is not null or first_due <= $5))::integer as answer_due,
               (count(*) filter (where answered_at <= first_due))::integer as answered_in_time,
               (count(*) filter (where resolved_at is not null))::integer as done,
               (count(*) filter (where resolved_at is not null or done_due <= $5))::integer as done_due,
               (count(*) filter (where resolved_at <= done_due))::integer as done_in_time,
               (count(*) filter (where level > 0))::integer as breached
        from cases,
             jsonb_to_record(state) as told (critical boolean, answered_at timestamptz, resolved_at timestamptz,
                                             opened_at timestamptz),
             lateral (select (state ->> 'first_answer_due_at')::timestamptz as first_due,
                             (state ->> 'done_due_at')::timestamptz as done_due,
                             (state ->> 'escalation_level')::integer as level) as due
        where regency = $1 and ($2::text is null or state ->> 'district' = $2)
          and opened_at >= $3 and opened_at < $4
        group by need, office_id, state ->> 'district', status, waiting_for, critical
        order by need, office_id, state ->> 'district', status, waiting_for
        """,
        scope.regency,
        scope.district,
        scope.opened_from,
        scope.opened_before,
        now,
    )
    return [CaseCount(**dict(record)) for record in records]


async def count_facts(db: Connection, scope: Scope) -> dict[str, int]:
    """How many facts of each type say something of these cases."""
    records = await db.fetch(
        """
        select case_history.type, count(*)::integer as facts
        from case_history join cases using (case_id)
        where cases.regency = $1 and ($2::text is null or cases.state ->> 'district' = $2)
          and (cases.state ->> 'opened_at')::timestamptz >= $3 and (cases.state ->> 'opened_at')::timestamptz < $4
        group by case_history.type
        """,
        scope.regency,
        scope.district,
        scope.opened_from,
        scope.opened_before,
    )
    return {record["type"]: record["facts"] for record in records}


async def count_messages(db: Connection, scope: Scope) -> list[MessageCount]:
    """Messages due in the span, of the whole regency."""
    records = await db.fetch(
        """
        select kind, channel, case when status = 'failed' then reason else status end as status,
               count(*)::integer as messages
        from notification
        where regency = $1 and due_at >= $2 and due_at < $3
        group by 1, 2, 3
        order by 1, 2, 3
        """,
        scope.regency,
        scope.opened_from,
        scope.opened_before,
    )
    return [MessageCount(**dict(record)) for record in records]


async def list_breaches(db: Connection, regency: str, district: str | None, limit: int) -> list[Case]:
    """Open cases past a deadline, the oldest first; restricted ones are only counted."""
    records = await db.fetch(
        """
        select state
        from cases
        where regency = $1 and ($2::text is null or state ->> 'district' = $2)
          and status in ('open', 'accepted') and (state ->> 'escalation_level')::integer > 0
          and not (state ->> 'restricted')::boolean
        order by coalesce(
            case when state ->> 'answered_at' is null then (state ->> 'first_answer_due_at')::timestamptz end,
            (state ->> 'done_due_at')::timestamptz
        ), case_id
        limit $3
        """,
        regency,
        district,
        limit,
    )
    return [Case.model_validate_json(record["state"]) for record in records]


async def list_open_cases(db: Connection, regency: str, office_id: str, after: UUID | None, limit: int) -> list[Case]:
    """Cases an office is responsible for now, by id; `after` the last one of the page before."""
    records = await db.fetch(
        """
        select state
        from cases
        where regency = $1 and office_id = $2 and status <> 'confirmed' and ($3::uuid is null or case_id > $3)
        order by case_id
        limit $4
        """,
        regency,
        office_id,
        after,
        limit,
    )
    return [Case.model_validate_json(record["state"]) for record in records]


async def find_case(db: Connection, case_id: UUID) -> Case | None:
    """A case as its newest fact says."""
    state = await db.fetchval("select state from cases where case_id = $1", case_id)
    return None if state is None else Case.model_validate_json(state)


async def list_history(db: Connection, case_id: UUID) -> list[HistoryRow]:
    """What happened to a case, oldest first."""
    records = await db.fetch(
        """
        select version, type, decided_at, office_id, escalation_level, reason
        from case_history
        where case_id = $1
        order by version
        """,
        case_id,
    )
    return [HistoryRow(**dict(record)) for record in records]
