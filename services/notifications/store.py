"""Every statement on what other services' facts said of households and lots: only what decisions here need."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from contracts.events import Enrolment, Household, HouseholdProfiled, LotRecalled
from messaging import Connection

_ENROLMENTS: Final = TypeAdapter(tuple[Enrolment, ...])
_NEEDS: Final = TypeAdapter(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    """What is remembered of a household."""

    version: int
    gone: bool
    nik_status: str
    review_reason: str | None


@dataclass(frozen=True, slots=True)
class ProfileNeeds:
    """Needs of a profile that have not been looked at yet."""

    household_id: UUID
    district: str
    needs: tuple[str, ...]
    seen_at: datetime | None
    """When the newest of them was seen, as the report says; null where that was not said."""
    correlationid: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """A lot that is called back, as its newest fact here says."""

    lot_id: UUID
    version: int
    item: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who picked up or delivered units of a lot."""

    lot_id: UUID
    package_id: UUID
    holder_id: str


async def list_households(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, KnownHousehold]:
    """What is known of these households."""
    records = await db.fetch(
        """
        select household_id, version, gone, nik_status, review_reason
        from household
        where household_id = any($1::uuid[])
        """,
        list(household_ids),
    )
    return {
        record["household_id"]: KnownHousehold(
            record["version"], record["gone"], record["nik_status"], record["review_reason"]
        )
        for record in records
    }


async def save_households(db: Connection, households: Sequence[Household]) -> None:
    """Keep what is newer."""
    await db.execute(
        """
        insert into household (household_id, version, district, gone, nik_status, review_reason)
        select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::boolean[], $5::text[], $6::text[])
        on conflict (household_id) do update set
            version = excluded.version, district = excluded.district, gone = excluded.gone,
            nik_status = excluded.nik_status, review_reason = excluded.review_reason
        where household.version < excluded.version
        """,
        [household.household_id for household in households],
        [household.version for household in households],
        [household.district for household in households],
        [household.status != "registered" for household in households],
        [household.nik_status for household in households],
        [household.review_reason for household in households],
    )


async def insert_profiles(db: Connection, profiles: Sequence[HouseholdProfiled], correlationids: Sequence[str]) -> None:
    """Keep those of households without one; their needs wait until the household is known and a job has looked."""
    await db.execute(
        """
        insert into profile (household_id, version, needs, waiting_needs, seen_at, enrolments, correlationid)
        select household_id, version, needs, needs, seen_at, enrolments, correlationid
        from (
            select household_id, version, array(select jsonb_array_elements_text(needs)) as needs, seen_at, enrolments,
                   correlationid
            from unnest($1::uuid[], $2::integer[], $3::jsonb[], $4::timestamptz[], $5::jsonb[], $6::text[])
                 as given (household_id, version, needs, seen_at, enrolments, correlationid)
        ) as new
        on conflict (household_id) do nothing
        """,
        [profile.household_id for profile in profiles],
        [profile.version for profile in profiles],
        [_NEEDS.dump_json(profile.needs).decode() for profile in profiles],
        [profile.needs_seen_at for profile in profiles],
        [_ENROLMENTS.dump_json(profile.enrolments).decode() for profile in profiles],
        correlationids,
    )


async def save_newer_profiles(
    db: Connection, profiles: Sequence[HouseholdProfiled], correlationids: Sequence[str]
) -> None:
    """Keep what is newer; needs that it saw wait, and those it adds: older facts do not say what was seen."""
    await db.execute(
        """
        update profile
        set version = new.version, needs = new.needs, enrolments = new.enrolments, correlationid = new.correlationid,
            waiting_needs = profile.waiting_needs || array(
                select unnest(new.needs_seen) union (select unnest(new.needs) except select unnest(profile.needs))
            ),
            seen_at = case when profile.waiting_needs = '{}' then new.seen_at
                           else greatest(profile.seen_at, new.seen_at) end
        from (
            select household_id, version, array(select jsonb_array_elements_text(needs)) as needs,
                   array(select jsonb_array_elements_text(needs_seen)) as needs_seen, seen_at, enrolments, correlationid
            from unnest($1::uuid[], $2::integer[], $3::jsonb[], $4::jsonb[], $5::timestamptz[], $6::jsonb[], $7::text[])
                 as given (household_id, version, needs, needs_seen, seen_at, enrolments, correlationid)
        ) as new
        where profile.household_id = new.household_id and profile.version < new.version
        """,
        [profile.household_id for profile in profiles],
        [profile.version for profile in profiles],
        [_NEEDS.dump_json(profile.needs).decode() for profile in profiles],
        [_NEEDS.dump_json(profile.needs_seen).decode() for profile in profiles],
        [profile.needs_seen_at for profile in profiles],
        [_ENROLMENTS.dump_json(profile.enrolments).decode() for profile in profiles],
        correlationids,
    )


async def lock_waiting_needs(db: Connection, limit: int) -> list[ProfileNeeds]:
    """Needs of profiles whose household is known here by now."""
    records = await db.fetch(
        """
        select profile.household_id, household.district, profile.waiting_needs, profile.seen_at, profile.correlationid
        from profile join household using (household_id)
        where profile.waiting_needs <> '{}'
        order by profile.household_id
        limit $1
        for update of profile skip locked
        """,
        limit,
    )
    return [
        ProfileNeeds(
            record["household_id"],
            record["district"],
            tuple(record["waiting_needs"]),
            record["seen_at"],
            record["correlationid"],
        )
        for record in records
    ]


async def clear_waiting_needs(db: Connection, household_ids: Collection[UUID]) -> None:
    """They have been looked at."""
    await db.execute(
        "update profile set waiting_needs = '{}' where household_id = any($1::uuid[])", list(household_ids)
    )


async def list_enrolments(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, tuple[Enrolment, ...]]:
    """Routine aid of these households, as the newest profile here says it."""
    records = await db.fetch(
        "select household_id, enrolments from profile where household_id = any($1::uuid[])", list(household_ids)
    )
    return {record["household_id"]: _ENROLMENTS.validate_json(record["enrolments"]) for record in records}


async def insert_holders(db: Connection, holders: Collection[Holder]) -> None:
    """Remember who had units of a lot."""
    await db.execute(
        """
        insert into lot_holder (lot_id, package_id, holder_id)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[])
        on conflict do nothing
        """,
        [holder.lot_id for holder in holders],
        [holder.package_id for holder in holders],
        [holder.holder_id for holder in holders],
    )


async def list_holders(db: Connection, lot_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """Everybody who had units of these lots."""
    records = await db.fetch(
        "select distinct lot_id, holder_id from lot_holder where lot_id = any($1::uuid[])", list(lot_ids)
    )
    holders: dict[UUID, set[str]] = {}
    for record in records:
        holders.setdefault(record["lot_id"], set()).add(record["holder_id"])
    return holders


async def save_recalled(db: Connection, lots: Sequence[LotRecalled]) -> None:
    """These lots are called back; the first recall is the occasion that everybody is told of."""
    await db.execute(
        """
        insert into recalled_lot (lot_id, version, item)
        select * from unnest($1::uuid[], $2::integer[], $3::text[])
        on conflict (lot_id) do nothing
        """,
        [lot.lot_id for lot in lots],
        [lot.version for lot in lots],
        [lot.item for lot in lots],
    )


async def list_recalled(db: Connection, lot_ids: Collection[UUID]) -> dict[UUID, Recalled]:
    """Which of these lots are called back."""
    records = await db.fetch(
        "select lot_id, version, item from recalled_lot where lot_id = any($1::uuid[])", list(lot_ids)
    )
    return {record["lot_id"]: Recalled(record["lot_id"], record["version"], record["item"]) for record in records}


async def lock_recalls(db: Connection) -> None:
    """A recall and a pick-up in two transactions must see each other: recalls wait for pick-ups, and the other way."""
    await db.execute("select pg_advisory_xact_lock(hashtext('notifications.recalls'), 0)")


async def share_recalls(db: Connection) -> None:
    """Pick-ups do not wait for each other, only for a recall."""
    await db.execute("select pg_advisory_xact_lock_shared(hashtext('notifications.recalls'), 0)")
