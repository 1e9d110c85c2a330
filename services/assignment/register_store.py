"""Statements on what is kept of the registry's facts; an older version never overwrites a newer one."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import asyncpg

from contracts.vocabulary import Place
from messaging import Connection
from services.assignment.domain import KnownCarer, KnownHousehold


async def get_households(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, KnownHousehold]:
    """What is known of these households."""
    records = await db.fetch(
        """
        select household_id, version, regency, status, programmes, district, village, latitude, longitude
        from household
        where household_id = any($1::uuid[])
        """,
        household_ids,
    )
    return {record["household_id"]: household_of(record) for record in records}


async def save_households(db: Connection, households: Sequence[KnownHousehold]) -> None:
    """Keep the newest of each."""
    await db.execute(
        """
        insert into household (
            household_id, version, regency, status, programmes, district, village, latitude, longitude
        )
        select household_id, version, regency, status, string_to_array(programmes, ' '), district, village,
               latitude, longitude
        from unnest(
            $1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::double precision[], $9::double precision[]
        ) as new (household_id, version, regency, status, programmes, district, village, latitude, longitude)
        on conflict (household_id) do update
        set version = excluded.version, regency = excluded.regency, status = excluded.status,
            programmes = excluded.programmes, district = excluded.district, village = excluded.village,
            latitude = excluded.latitude, longitude = excluded.longitude
        where excluded.version > household.version
        """,
        [household.household_id for household in households],
        [household.version for household in households],
        [household.regency for household in households],
        [household.status for household in households],
        [" ".join(household.programmes) for household in households],
        [household.district for household in households],
        [household.village for household in households],
        [household.place and household.place.latitude for household in households],
        [household.place and household.place.longitude for household in households],
    )


async def save_profiles(db: Connection, profiles: Sequence[tuple[UUID, int, tuple[str, ...]]]) -> int:
    """Keep the newest competences wanted by each household, from household, version, competences; how many were new."""
    status = await db.execute(
        """
        insert into profile (household_id, version, competences)
        select household_id, version, string_to_array(competences, ' ')
        from unnest($1::uuid[], $2::integer[], $3::text[]) as new (household_id, version, competences)
        on conflict (household_id) do update set version = excluded.version, competences = excluded.competences
        where excluded.version > profile.version
        """,
        [household_id for household_id, _, _ in profiles],
        [version for _, version, _ in profiles],
        [" ".join(competences) for _, _, competences in profiles],
    )
    return int(status.split()[-1])


async def get_competences(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """What fits the needs of these households, where anything does."""
    records = await db.fetch(
        "select household_id, competences from profile where household_id = any($1::uuid[])", household_ids
    )
    return {record["household_id"]: tuple(record["competences"]) for record in records}


async def lock_carers(db: Connection, carer_ids: Iterable[UUID]) -> dict[UUID, KnownCarer]:
    """What is known of these carers; nobody gives them a household or takes one while we decide."""
    records = await db.fetch(
        """
        select carer_id, version, regency, status, office_id, capacity, competences, home_latitude, home_longitude,
               workplace_latitude, workplace_longitude, conflicts, left_at
        from carer
        where carer_id = any($1::uuid[])
        order by carer_id
        for update
        """,
        list(carer_ids),
    )
    return {record["carer_id"]: carer_of(record) for record in records}


async def list_known_carers(db: Connection, carer_ids: Collection[UUID]) -> set[UUID]:
    """Which of these carers have been heard of."""
    records = await db.fetch("select carer_id from carer where carer_id = any($1::uuid[])", carer_ids)
    return {record["carer_id"] for record in records}


async def save_carers(db: Connection, carers: Sequence[KnownCarer]) -> None:
    """Keep the newest of each."""
    await db.executemany(
        """
        insert into carer (
            carer_id, version, regency, status, office_id, capacity, competences, home_latitude, home_longitude,
            workplace_latitude, workplace_longitude, conflicts, left_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (carer_id) do update
        set version = excluded.version, regency = excluded.regency, status = excluded.status,
            office_id = excluded.office_id, capacity = excluded.capacity, competences = excluded.competences,
            home_latitude = excluded.home_latitude, home_longitude = excluded.home_longitude,
            workplace_latitude = excluded.workplace_latitude, workplace_longitude = excluded.workplace_longitude,
            conflicts = excluded.conflicts, left_at = excluded.left_at
        where excluded.version > carer.version
        """,
        [
            (
                carer.carer_id,
                carer.version,
                carer.regency,
                carer.status,
                carer.office_id,
                carer.capacity,
                carer.competences,
                carer.home and carer.home.latitude,
                carer.home and carer.home.longitude,
                carer.workplace and carer.workplace.latitude,
                carer.workplace and carer.workplace.longitude,
                carer.conflicts,
                carer.left_at,
            )
            for carer in carers
        ],
    )


def household_of(record: asyncpg.Record) -> KnownHousehold:
    """A household from its columns."""
    return KnownHousehold(
        household_id=record["household_id"],
        version=record["version"],
        regency=record["regency"],
        status=record["status"],
        programmes=tuple(record["programmes"]),
        district=record["district"],
        village=record["village"],
        place=place_of(record["latitude"], record["longitude"]),
    )


def carer_of(record: asyncpg.Record) -> KnownCarer:
    """A carer from its columns."""
    return KnownCarer(
        carer_id=record["carer_id"],
        version=record["version"],
        regency=record["regency"],
        status=record["status"],
        office_id=record["office_id"],
        capacity=record["capacity"],
        competences=tuple(record["competences"]),
        home=place_of(record["home_latitude"], record["home_longitude"]),
        workplace=place_of(record["workplace_latitude"], record["workplace_longitude"]),
        conflicts=tuple(record["conflicts"]),
        left_at=record["left_at"],
    )


def place_of(latitude: float | None, longitude: float | None) -> Place | None:
    """A place that was checked when it came in."""
    if latitude is None or longitude is None:
        return None
    return Place.model_construct(latitude=latitude, longitude=longitude)
