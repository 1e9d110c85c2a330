"""Every statement on what happened at doors, and what a proof is compared with."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.submissions import DeliverySubmitted
from messaging import Connection
from services.distribution.proof import Delivery, Point


async def insert_attempts(db: Connection, attempts: Sequence[tuple[UUID, DeliverySubmitted, datetime]]) -> None:
    """What happened at doors: (package, report, received_at)."""
    if attempts:
        await db.execute(
            """
            insert into attempt
                (package_id, happened_at, carer_id, household_id, reason, latitude, longitude, photo, received_at)
            select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::float8[],
                $7::float8[], $8::bytea[], $9::timestamptz[])
            on conflict (package_id, happened_at) do update set
                carer_id = excluded.carer_id, reason = excluded.reason, latitude = excluded.latitude,
                longitude = excluded.longitude, photo = excluded.photo, received_at = excluded.received_at
            """,
            [package_id for package_id, _, _ in attempts],
            [report.happened_at for _, report, _ in attempts],
            [report.carer_id for _, report, _ in attempts],
            [report.household_id for _, report, _ in attempts],
            [None if report.delivered else report.failure_reason for _, report, _ in attempts],
            [report.place and report.place.latitude for _, report, _ in attempts],
            [report.place and report.place.longitude for _, report, _ in attempts],
            [report.photo_sha256 and bytes.fromhex(report.photo_sha256) for _, report, _ in attempts],
            [received_at for _, _, received_at in attempts],
        )


async def find_attempts(db: Connection, tried: Sequence[tuple[UUID, datetime]]) -> set[tuple[UUID, datetime]]:
    """Which of these (package, happened_at) were reported before."""
    if not tried:
        return set()
    records = await db.fetch(
        """
        select package_id, happened_at
        from attempt join unnest($1::uuid[], $2::timestamptz[]) as wanted (package_id, happened_at)
            using (package_id, happened_at)
        """,
        [package_id for package_id, _ in tried],
        [happened_at for _, happened_at in tried],
    )
    return {(record["package_id"], record["happened_at"]) for record in records}


async def list_deliveries_of(db: Connection, carers: Sequence[tuple[UUID, datetime, datetime]]) -> list[Delivery]:
    """What each of these (carer, from, until) delivered in that time."""
    records = await db.fetch(
        """
        select package_id, attempt.household_id, attempt.carer_id, happened_at, attempt.latitude, attempt.longitude,
            photo, household.latitude as door_latitude, household.longitude as door_longitude
        from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as wanted (carer_id, since, until)
        join attempt on attempt.carer_id = wanted.carer_id and happened_at between since and until
        left join household on household.household_id = attempt.household_id
        where reason is null
        """,
        [carer_id for carer_id, _, _ in carers],
        [since for _, since, _ in carers],
        [until for _, _, until in carers],
    )
    return [_delivery(record) for record in records]


async def list_deliveries_with(
    db: Connection, photos: Sequence[tuple[bytes, UUID, datetime, datetime]]
) -> list[Delivery]:
    """For each (photo, household, from, until): one delivery proven with that photo elsewhere, or not in that time."""
    records = await db.fetch(
        """
        select other.package_id, other.household_id, other.carer_id, other.happened_at, other.latitude, other.longitude,
            other.photo, null::float8 as door_latitude, null::float8 as door_longitude
        from unnest($1::bytea[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
            as wanted (photo, household_id, since, until)
        cross join lateral (
            select package_id, household_id, carer_id, happened_at, latitude, longitude, photo
            from attempt
            where attempt.photo = wanted.photo and reason is null
                and (attempt.household_id <> wanted.household_id or happened_at not between since and until)
            order by happened_at
            limit 1
        ) other
        """,
        [photo for photo, _, _, _ in photos],
        [household_id for _, household_id, _, _ in photos],
        [since for _, _, since, _ in photos],
        [until for _, _, _, until in photos],
    )
    return [_delivery(record) for record in records]


def point_of(latitude: float | None, longitude: float | None) -> Point | None:
    """A place, when both of its coordinates are known."""
    return None if latitude is None or longitude is None else Point(latitude, longitude)


def _delivery(record: asyncpg.Record) -> Delivery:
    return Delivery(
        record["package_id"],
        record["household_id"],
        record["carer_id"],
        record["happened_at"],
        point_of(record["latitude"], record["longitude"]),
        record["photo"],
        point_of(record["door_latitude"], record["door_longitude"]),
    )
