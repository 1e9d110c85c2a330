"""Every statement on what other services have said: the newest version of each fact stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.events import Assignment, Carer, Household, Pledge
from messaging import Connection


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    """Where a household is, and whether it is still served."""

    regency: str
    is_registered: bool


async def save_households(db: Connection, households: Sequence[Household]) -> list[UUID]:
    """Keep what is newer; the ids of those that were."""
    records = await db.fetch(
        """
        insert into household
            (household_id, version, regency, status, left_because, district, village, latitude, longitude, programmes,
            registered_at, split_from, merged_into)
        select household_id, version, left(district, 5), status, left_because, district, village, latitude, longitude,
            string_to_array(programmes, ','), registered_at, split_from, merged_into
        from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::float8[],
            $9::text[], $10::timestamptz[], $11::uuid[], $12::uuid[])
            as new (household_id, version, status, left_because, district, village, latitude, longitude, programmes,
            registered_at, split_from, merged_into)
        order by household_id
        on conflict (household_id) do update set
            version = excluded.version, status = excluded.status, left_because = excluded.left_because,
            district = excluded.district, village = excluded.village, latitude = excluded.latitude,
            longitude = excluded.longitude, programmes = excluded.programmes, stored_at = excluded.stored_at,
            registered_at = excluded.registered_at, merged_into = excluded.merged_into,
            split_from = coalesce(excluded.split_from, household.split_from)
        where excluded.version > household.version
        returning household_id
        """,
        [household.household_id for household in households],
        [household.version for household in households],
        [household.status for household in households],
        [getattr(household, "reason", None) if household.status == "left" else None for household in households],
        [household.district for household in households],
        [household.village for household in households],
        [household.place and household.place.latitude for household in households],
        [household.place and household.place.longitude for household in households],
        [",".join(one.programme for one in household.eligibilities) for household in households],
        [household.registered_at for household in households],
        [getattr(household, "split_from", None) for household in households],
        [getattr(household, "merged_into", None) for household in households],
    )
    return [record["household_id"] for record in records]


async def list_stayed(db: Connection, household_ids: Sequence[UUID]) -> list[UUID]:
    """The households that these were merged into."""
    records = await db.fetch(
        "select merged_into from household where household_id = any($1::uuid[]) and merged_into is not null",
        household_ids,
    )
    return [record["merged_into"] for record in records]


async def save_carers(db: Connection, carers: Sequence[Carer]) -> list[UUID]:
    """Keep what is newer; the ids of carers met for the first time."""
    records = await db.fetch(
        """
        insert into carer (carer_id, version, office_id)
        select * from unnest($1::uuid[], $2::int[], $3::text[]) order by 1
        on conflict (carer_id) do update set version = excluded.version, office_id = excluded.office_id
        where excluded.version > carer.version
        returning carer_id, xmax = 0 as is_new
        """,
        [carer.carer_id for carer in carers],
        [carer.version for carer in carers],
        [carer.office_id for carer in carers],
    )
    return [record["carer_id"] for record in records if record["is_new"]]


async def save_assignments(db: Connection, assignments: Sequence[Assignment]) -> list[UUID]:
    """Keep what is newer; the households whose assignment changed."""
    records = await db.fetch(
        """
        insert into assignment (household_id, version, carer_id)
        select * from unnest($1::uuid[], $2::int[], $3::uuid[]) order by 1
        on conflict (household_id) do update set version = excluded.version, carer_id = excluded.carer_id
        where excluded.version > assignment.version
        returning household_id
        """,
        [assignment.household_id for assignment in assignments],
        [assignment.version for assignment in assignments],
        [assignment.carer_id for assignment in assignments],
    )
    return [record["household_id"] for record in records]


async def save_pledges(db: Connection, pledges: Sequence[Pledge]) -> list[UUID]:
    """Keep what is newer; the households whose promise changed."""
    records = await db.fetch(
        """
        insert into pledge (pledge_id, version, household_id, giver_id, programme, period, lapsed)
        select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bool[])
        order by 1
        on conflict (pledge_id) do update set version = excluded.version, lapsed = excluded.lapsed
        where excluded.version > pledge.version
        returning household_id
        """,
        [pledge.pledge_id for pledge in pledges],
        [pledge.version for pledge in pledges],
        [pledge.household_id for pledge in pledges],
        [pledge.giver_id for pledge in pledges],
        [pledge.programme for pledge in pledges],
        [pledge.period for pledge in pledges],
        [pledge.status == "lapsed" for pledge in pledges],
    )
    return [record["household_id"] for record in records]


async def list_households_of(db: Connection, carer_ids: Sequence[UUID]) -> list[UUID]:
    """Households assigned to these carers."""
    records = await db.fetch("select household_id from assignment where carer_id = any($1::uuid[])", carer_ids)
    return [record["household_id"] for record in records]


async def get_households(db: Connection, household_ids: Sequence[UUID]) -> dict[UUID, KnownHousehold]:
    """Known households among these."""
    records = await db.fetch(
        """
        select household_id, regency, status = 'registered' as is_registered
        from household
        where household_id = any($1::uuid[])
        """,
        household_ids,
    )
    return {record["household_id"]: KnownHousehold(record["regency"], record["is_registered"]) for record in records}


async def is_register_settled(db: Connection, regency: str, facts: int) -> bool:
    """Whether some household is known and fewer than `facts` came in during the last 3 seconds (real clock)."""
    settled: bool = await db.fetchval(
        """
        select count(*) > 0 and count(*) filter (where stored_at > now() - interval '3 seconds') < $2
        from household
        where regency = $1
        """,
        regency,
        facts,
    )
    return settled
