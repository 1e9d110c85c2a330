"""Statements on visits; sets in, sets out."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from contracts.events import VisitOverdue, VisitReported
from messaging import Connection
from services.assignment.visits import Due, KnownVisit, Missing, Visited


async def get_visited(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, Visited]:
    """These households as a report needs them."""
    records = await db.fetch(
        """
        select household.household_id, household.regency, status, district, carer_id
        from household
        left join assignment using (household_id)
        where household.household_id = any($1::uuid[])
        """,
        household_ids,
    )
    return {record["household_id"]: Visited(*record) for record in records}


async def lock_visits(db: Connection, visit_ids: Collection[UUID]) -> dict[UUID, KnownVisit]:
    """Those reported before."""
    records = await db.fetch(
        """
        select visit_id, household_id, version
        from visit
        where visit_id = any($1::uuid[])
        order by visit_id
        for update
        """,
        visit_ids,
    )
    return {record["visit_id"]: KnownVisit(record["household_id"], record["version"]) for record in records}


async def save_visits(db: Connection, visits: Sequence[VisitReported], regencies: Sequence[str]) -> None:
    """Write reports; a correction takes the place of what it corrects.

    Of two first reports at the same time the second is refused by the key, tried again, and sees the first.
    """
    new = [(visit, regency) for visit, regency in zip(visits, regencies, strict=True) if visit.version == 1]
    await db.copy_records_to_table(
        "visit",
        columns=("visit_id", "regency", "state", "first_received_at"),
        records=[(visit.visit_id, regency, visit.json_text, visit.received_at) for visit, regency in new],
    )
    corrections = [visit for visit in visits if visit.version > 1]
    if corrections:
        await _update_visits(db, corrections)


async def _update_visits(db: Connection, corrections: Sequence[VisitReported]) -> None:
    """Those that are locked."""
    await db.execute(
        """
        update visit set state = new.state
        from unnest($1::uuid[], $2::jsonb[]) as new (visit_id, state)
        where visit.visit_id = new.visit_id
        """,
        [visit.visit_id for visit in corrections],
        [visit.json_text for visit in corrections],
    )


async def get_last_watched(db: Connection, regency: str) -> str | None:
    """The newest period whose end has been dealt with."""
    period: str | None = await db.fetchval("select max(period) from watched_period where regency = $1", regency)
    return period


async def get_first_served(db: Connection, regency: str) -> datetime | None:
    """Since when anybody has been served without a gap."""
    since: datetime | None = await db.fetchval("select min(served_since) from assignment where regency = $1", regency)
    return since


async def insert_watched(db: Connection, regency: str, period: str) -> None:
    """This period has been dealt with."""
    await db.execute(
        "insert into watched_period (regency, period) values ($1, $2) on conflict do nothing", regency, period
    )


async def list_missing(db: Connection, regency: str, period: str, served_before: datetime, limit: int) -> list[Missing]:
    """Some of the households served for all of a period in which no visit happened, and nobody has been told."""
    records = await db.fetch(
        """
        select assignment.household_id, carer_id, household.district
        from assignment
        join household using (household_id)
        where assignment.regency = $1 and carer_id is not null and served_since < $3
          and not exists (
              select from visit
              where visit.household_id = assignment.household_id and visit.period = $2 and visit.happened
          )
          and not exists (
              select from overdue_visit
              where overdue_visit.household_id = assignment.household_id and overdue_visit.period = $2
          )
        order by assignment.household_id
        limit $4
        """,
        regency,
        period,
        served_before,
        limit,
    )
    return [Missing(*record) for record in records]


async def insert_overdue(
    db: Connection, regency: str, overdue: Sequence[VisitOverdue], escalates_at: datetime
) -> set[UUID]:
    """Remember whose visits are missing; returns those that were not remembered before."""
    records = await db.fetch(
        """
        insert into overdue_visit (visit_id, regency, state, escalates_at)
        select visit_id, $3, state, $4
        from unnest($1::uuid[], $2::jsonb[]) as new (visit_id, state)
        on conflict (household_id, period) do nothing
        returning visit_id
        """,
        [visit.visit_id for visit in overdue],
        [visit.json_text for visit in overdue],
        regency,
        escalates_at,
    )
    return {record["visit_id"] for record in records}


async def lock_due(db: Connection, now: datetime, limit: int) -> list[Due]:
    """Some of the visits that were still missing when the coordinator is to be told."""
    records = await db.fetch(
        """
        with due as materialized (
            select visit_id, regency, state, household_id, period
            from overdue_visit
            where not settled and escalates_at <= $1
            order by escalates_at, visit_id
            limit $2
            for update
        )
        select due.regency, due.state,
               assignment.carer_id is not null and not exists (
                   select from visit
                   where visit.household_id = due.household_id and visit.period = due.period and visit.happened
               ) as still_missing
        from due
        join assignment using (household_id)
        """,
        now,
        limit,
    )
    return [
        Due(record["regency"], VisitOverdue.model_validate_json(record["state"]), record["still_missing"])
        for record in records
    ]


async def save_due(db: Connection, due: Sequence[VisitOverdue]) -> None:
    """The coordinator has been told, or need not be."""
    await db.execute(
        """
        update overdue_visit
        set state = new.state, settled = true
        from unnest($1::uuid[], $2::jsonb[]) as new (visit_id, state)
        where overdue_visit.visit_id = new.visit_id
        """,
        [visit.visit_id for visit in due],
        [visit.json_text for visit in due],
    )
