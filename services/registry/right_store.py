"""Statements on who may read a household's name and address, and who did."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from contracts.events import Assignment, Case
from messaging import Connection

_CONFIRMED: Final = "confirmed"


async def save_assigned(db: Connection, assignments: Iterable[Assignment]) -> None:
    """Keep the newest assignment of each household; it has one aggregate for ever."""
    newest = {one.household_id: one for one in sorted(assignments, key=lambda one: one.version)}
    await db.execute(
        """
        insert into assigned (household_id, version, carer_id)
        select household_id, version, carer_id
        from unnest($1::uuid[], $2::int[], $3::uuid[]) as new (household_id, version, carer_id)
        order by household_id
        on conflict (household_id) do update set version = excluded.version, carer_id = excluded.carer_id
        where excluded.version > assigned.version
        """,
        list(newest),
        [one.version for one in newest.values()],
        [one.carer_id for one in newest.values()],
    )


async def save_cases(db: Connection, cases: Iterable[Case]) -> set[UUID]:
    """Keep the newest state of each case; the ids of those for which it was news."""
    newest = {one.case_id: one for one in sorted(cases, key=lambda one: one.version)}
    records = await db.fetch(
        """
        insert into office_case (case_id, version, household_id, office_id, is_open)
        select case_id, version, household_id, office_id, is_open
        from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::bool[])
          as new (case_id, version, household_id, office_id, is_open)
        order by case_id
        on conflict (case_id) do update
        set version = excluded.version, office_id = excluded.office_id, is_open = excluded.is_open
        where excluded.version > office_case.version
        returning case_id
        """,
        list(newest),
        [one.version for one in newest.values()],
        [one.household_id for one in newest.values()],
        [one.responsible_office_id for one in newest.values()],
        [one.status != _CONFIRMED for one in newest.values()],
    )
    return {record["case_id"] for record in records}


async def is_in_regency(db: Connection, household_id: UUID, regency: str) -> bool:
    """Whether the register of this regency has the household."""
    return bool(
        await db.fetchval(
            "select exists(select from household where household_id = $1 and regency = $2)", household_id, regency
        )
    )


async def is_carer_of(db: Connection, household_id: UUID, carer_id: str) -> bool:
    """Whether this carer, as a token names it, looks after the household now."""
    return bool(
        await db.fetchval(
            "select exists(select from assigned where household_id = $1 and carer_id::text = $2)",
            household_id,
            carer_id,
        )
    )


async def has_open_case(db: Connection, household_id: UUID, office_id: str) -> bool:
    """Whether this office must answer a case of the household."""
    return bool(
        await db.fetchval(
            "select exists(select from office_case where household_id = $1 and office_id = $2 and is_open)",
            household_id,
            office_id,
        )
    )


async def insert_read(db: Connection, household_id: UUID, reader: str, purpose: str, *, granted: bool) -> None:
    """Record an attempt to read an identity."""
    await db.execute(
        "insert into vault_read (household_id, reader, purpose, granted) values ($1, $2, $3, $4)",
        household_id,
        reader,
        purpose,
        granted,
    )
