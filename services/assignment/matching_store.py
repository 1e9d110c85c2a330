"""What the match looks at, read in one picture of the database."""

from collections.abc import Sequence
from uuid import UUID

from messaging import Connection
from services.assignment.domain import Wait
from services.assignment.offers import Candidate, Point, Unmatched


async def list_regencies_to_match(db: Connection) -> list[str]:
    """Those in which a household waits, and has not been tried in vain since anything changed."""
    records = await db.fetch(
        """
        select distinct regency
        from assignment
        left join room_change using (regency)
        where waiting_for is not null and tried is distinct from coalesce(changes, 0)
        order by regency
        """
    )
    return [record["regency"] for record in records]


async def get_room_changes(db: Connection, regency: str) -> int:
    """How often carers or their room have changed."""
    changes: int = await db.fetchval("select coalesce(max(changes), 0) from room_change where regency = $1", regency)
    return changes


async def list_unmatched(db: Connection, regency: str) -> list[Unmatched]:
    """Every household of a regency that waits, tried before or not."""
    records = await db.fetch(
        """
        select assignment.household_id, assignment.carer_id, assignment.waiting_for, household.district,
               household.village, household.latitude, household.longitude,
               coalesce(profile.competences, '{}') as competences
        from assignment
        join household using (household_id)
        left join profile using (household_id)
        where assignment.regency = $1 and assignment.waiting_for is not null
        order by assignment.household_id
        """,
        regency,
    )
    return [
        Unmatched(
            household_id=record["household_id"],
            carer_id=record["carer_id"],
            waiting_for=Wait(record["waiting_for"]),
            district=record["district"],
            village=record["village"],
            door=_point(record["latitude"], record["longitude"]),
            competences=tuple(record["competences"]),
        )
        for record in records
    ]


async def list_candidates(db: Connection, regency: str) -> list[Candidate]:
    """The active carers of a regency and how many households each holds for good.

    Joined here: right after an import PostgreSQL knows nothing of its tables and would join row by row.
    """
    held = await _count_held(db, regency)
    records = await db.fetch(
        """
        select carer_id, capacity, competences, home_latitude, home_longitude, workplace_latitude, workplace_longitude,
               conflicts
        from carer
        where regency = $1 and status = 'active'
        order by carer_id
        """,
        regency,
    )
    return [
        Candidate(
            carer_id=record["carer_id"],
            capacity=record["capacity"],
            competences=tuple(record["competences"]),
            home=_point(record["home_latitude"], record["home_longitude"]),
            workplace=_point(record["workplace_latitude"], record["workplace_longitude"]),
            conflicts=tuple(record["conflicts"]),
            held=held.get(record["carer_id"], 0),
        )
        for record in records
    ]


async def _count_held(db: Connection, regency: str) -> dict[UUID, int]:
    records = await db.fetch(
        """
        select carer_id, count(*) as held
        from assignment
        where regency = $1 and carer_id is not null and waiting_for is null
        group by carer_id
        """,
        regency,
    )
    return {record["carer_id"]: record["held"] for record in records}


async def list_village_middles(db: Connection, villages: list[str]) -> dict[str, Point]:
    """The centroid of the doors known in each of these villages."""
    records = await db.fetch(
        """
        select village, avg(latitude) as latitude, avg(longitude) as longitude
        from household
        where village = any($1::text[]) and latitude is not null
        group by village
        """,
        villages,
    )
    return {record["village"]: (record["latitude"], record["longitude"]) for record in records}


async def save_tried(db: Connection, household_ids: Sequence[UUID], changes: int) -> None:
    """The match found nobody for these when so much had changed, and what it would say has been said."""
    await db.execute(
        """
        update assignment
        set tried = $2
        where household_id = any($1::uuid[]) and waiting_for is not null and tried is distinct from $2
        """,
        household_ids,
        changes,
    )


def _point(latitude: float | None, longitude: float | None) -> Point | None:
    return None if latitude is None or longitude is None else (latitude, longitude)
