"""Statements on assignments and their history; sets in, sets out.

Locks are taken in this order: carers, assignments, pledges, visits.
"""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from contracts.events import Assignment, AssignmentEnded, HouseholdAssigned, HouseholdUnserved
from messaging import Connection
from services.assignment.domain import Row, Tenure, Wait

_FACTS: Final = {fact.type: fact for fact in (HouseholdAssigned, HouseholdUnserved, AssignmentEnded)}


async def lock_assignments(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, Row]:
    """The assignments of these households; those never eligible have none."""
    records = await db.fetch(
        """
        select household_id, assignment_id, regency, fact, state, waiting_for, served_since, carer_since
        from assignment
        where household_id = any($1::uuid[])
        order by household_id
        for update
        """,
        household_ids,
    )
    return {record["household_id"]: _row(record) for record in records}


async def lock_held(db: Connection, carer_ids: Collection[UUID]) -> list[Row]:
    """The assignments of everyone these carers look after."""
    records = await db.fetch(
        """
        select household_id, assignment_id, regency, fact, state, waiting_for, served_since, carer_since
        from assignment
        where carer_id = any($1::uuid[])
        order by household_id
        for update
        """,
        carer_ids,
    )
    return [_row(record) for record in records]


async def get_assignment(db: Connection, household_id: UUID) -> Row | None:
    """One household's, to be read."""
    record = await db.fetchrow(
        """
        select household_id, assignment_id, regency, fact, state, waiting_for, served_since, carer_since
        from assignment
        where household_id = $1
        """,
        household_id,
    )
    return _row(record) if record else None


async def list_held(db: Connection, carer_id: UUID) -> list[Row]:
    """Whom a carer looks after, to be read."""
    records = await db.fetch(
        """
        select household_id, assignment_id, regency, fact, state, waiting_for, served_since, carer_since
        from assignment
        where carer_id = $1
        order by household_id
        """,
        carer_id,
    )
    return [_row(record) for record in records]


async def count_held(db: Connection, carer_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many households these carers hold for good: those the next match looks at are not counted."""
    records = await db.fetch(
        """
        select carer_id, count(*) as held
        from assignment
        where carer_id = any($1::uuid[]) and waiting_for is null
        group by carer_id
        """,
        carer_ids,
    )
    return {record["carer_id"]: record["held"] for record in records}


async def save_assignments(db: Connection, rows: Sequence[Row]) -> None:
    """Write rows; the next match looks at those that wait."""
    await db.execute(
        """
        insert into assignment (
            household_id, assignment_id, regency, fact, state, waiting_for, served_since, carer_since
        )
        select household_id, assignment_id, regency, fact, state, waiting_for, served_since, carer_since
        from unnest(
            $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::timestamptz[],
            $8::timestamptz[]
        ) as new (household_id, assignment_id, regency, fact, state, waiting_for, served_since, carer_since)
        on conflict (household_id) do update
        set regency = excluded.regency, fact = excluded.fact, state = excluded.state,
            waiting_for = excluded.waiting_for, served_since = excluded.served_since,
            carer_since = excluded.carer_since, tried = null
        """,
        [row.household_id for row in rows],
        [row.assignment_id for row in rows],
        [row.regency for row in rows],
        [row.state and row.state.type for row in rows],
        [row.state and row.state.json_text for row in rows],
        [row.waiting_for for row in rows],
        [row.served_since for row in rows],
        [row.carer_since for row in rows],
    )


async def count_room_change(db: Connection, regencies: Collection[str]) -> None:
    """Carers or their room have changed: the next match looks again at those it found nobody for."""
    await db.execute(
        """
        insert into room_change (regency, changes)
        select regency, 1 from unnest($1::text[]) as new (regency)
        order by regency
        on conflict (regency) do update set changes = room_change.changes + 1
        """,
        regencies,
    )


async def insert_tenures(db: Connection, tenures: Sequence[Tenure]) -> None:
    """Remember who looked after whom; when a carer left is taken from what is known of the carer."""
    await db.execute(
        """
        insert into tenure (household_id, carer_id, since, until, next_carer_id, reason, left_at)
        select new.household_id, new.carer_id, new.since, new.until, new.next_carer_id, new.reason, carer.left_at
        from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::uuid[], $6::text[])
            as new (household_id, carer_id, since, until, next_carer_id, reason)
        left join carer on carer.carer_id = new.carer_id
        """,
        [tenure.household_id for tenure in tenures],
        [tenure.carer_id for tenure in tenures],
        [tenure.since for tenure in tenures],
        [tenure.until for tenure in tenures],
        [tenure.next_carer_id for tenure in tenures],
        [tenure.reason for tenure in tenures],
    )


async def list_tenures(db: Connection, household_ids: Collection[UUID]) -> list[Tenure]:
    """Who looked after these households before."""
    records = await db.fetch(
        """
        select household_id, carer_id, since, until, next_carer_id, reason
        from tenure
        where household_id = any($1::uuid[])
        """,
        household_ids,
    )
    return [Tenure(*record) for record in records]


def _row(record: asyncpg.Record) -> Row:
    state: Assignment | None = None
    if record["fact"] is not None:
        state = _FACTS[record["fact"]].model_validate_json(record["state"])
    return Row(
        household_id=record["household_id"],
        assignment_id=record["assignment_id"],
        regency=record["regency"],
        state=state,
        waiting_for=record["waiting_for"] and Wait(record["waiting_for"]),
        served_since=record["served_since"],
        carer_since=record["carer_since"],
    )
