"""Every statement on packages, attempts at doors, and what planning reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.events import Package, Round
from messaging import Connection
from services.distribution import ledger_store
from services.distribution.attempt_store import point_of
from services.distribution.domain import Parcel, Step
from services.distribution.planning import Household
from services.distribution.proof import Point
from services.distribution.stock import Account, Move


@dataclass(frozen=True, slots=True)
class Addressed:
    """A parcel, the registered door of its household, and the household's version known here."""

    parcel: Parcel
    door: Point | None
    household_version: int


async def lock_parcels(db: Connection, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Addressed]:
    """Packages by (round, household). Locks are taken in one order everywhere: packages, lots, balances, each by id.

    Only `to_plan` is taken before them by the planner and after them by who calls a lot back, who has to see what was
    planned by then: when they meet, PostgreSQL undoes one of them and it is tried again.
    """
    records = await db.fetch(
        """
        select package.round_id, package.household_id, state, account, held_version, latitude, longitude,
            coalesce(household.version, 0) as household_version
        from package
        join unnest($1::uuid[], $2::uuid[]) as wanted (round_id, household_id)
            on package.round_id = wanted.round_id and package.household_id = wanted.household_id
        left join household on household.household_id = package.household_id
        order by package_id
        for update of package
        """,
        [round_id for round_id, _ in pairs],
        [household_id for _, household_id in pairs],
    )
    return {
        (record["round_id"], record["household_id"]): Addressed(
            _parcel(record), point_of(record["latitude"], record["longitude"]), record["household_version"]
        )
        for record in records
    }


async def lock_reserved_parcels(db: Connection, lot_id: UUID, depot_id: str) -> list[Parcel]:
    """Packages whose goods stand on a shelf and for which units of this lot were reserved at this depot once."""
    records = await db.fetch(
        """
        select state, account, held_version
        from package
        where package_id in (
                select package_id from ledger_entry
                where lot_id = $1 and to_account = 'reserved' and to_depot_id = $2
            )
            and account = 'reserved'
        order by package_id
        for update
        """,
        lot_id,
        depot_id,
    )
    return [_parcel(record) for record in records]


async def lock_unfinished(db: Connection, round_id: UUID, missed_before: Sequence[UUID], limit: int) -> list[Parcel]:
    """Packages of a round whose end is not said: also failed ones with goods on a shelf or a gap not said.

    Found along the index of a round's households, then locked in the order in which all packages are.
    """
    records = await db.fetch(
        """
        select state, account, held_version
        from package
        where package_id in (
            select package_id
            from package
            where round_id = $1
                and (status in ('planned', 'picked_up', 'held')
                    or status = 'failed' and not coalesce((state ->> 'final')::boolean, false)
                    or status = 'failed' and account = 'reserved'
                    or status = 'failed' and household_id = any($2::uuid[])
                        and not coalesce((state ->> 'supply_gap')::boolean, false))
            order by household_id
            limit $3
        )
        order by package_id
        for update
        """,
        round_id,
        missed_before,
        limit,
    )
    return [_parcel(record) for record in records]


async def list_missed(db: Connection, regency: str, programme: str, period: str) -> set[UUID]:
    """Households that were to get a package in this period and did not, also for want of anybody to bring one."""
    records = await db.fetch(
        """
        select recipient.household_id
        from round
        join recipient using (round_id)
        left join package on package.round_id = recipient.round_id and package.household_id = recipient.household_id
        where regency = $1 and programme = $2 and period = $3
            and (package.status = 'failed'
                or package.package_id is null and removed_because is null and round.status = 'closed')
        """,
        regency,
        programme,
        period,
    )
    return {record["household_id"] for record in records}


async def lock_offerable(db: Connection, round_id: UUID, room: Mapping[str, int], limit: int) -> list[Parcel]:
    """Planned packages that carers' offices would bring, so many of each district, in the fair order of planning."""
    records = await db.fetch(
        """
        select state, account, held_version
        from package
        where package_id in (
            select package_id
            from (
                select package_id, packages, row_number() over (
                    partition by district order by state ->> 'village', md5(household_id::text)
                ) as turn
                from package
                join unnest($2::text[], $3::integer[]) as room (district, packages) on state ->> 'district' = district
                where round_id = $1 and status = 'planned' and state ->> 'supply' = 'brought'
                    and state ->> 'pledge_id' is null
            ) offerable
            where turn <= packages
            limit $4
        )
        order by package_id
        for update
        """,
        round_id,
        list(room),
        list(room.values()),
        limit,
    )
    return [_parcel(record) for record in records]


async def insert_parcels(db: Connection, parcels: Sequence[Parcel]) -> None:
    """Packages planned for the first time."""
    if parcels:
        await db.copy_records_to_table(
            "package",
            columns=("package_id", "state", "account"),
            records=[(parcel.package.package_id, parcel.package.json_text, parcel.account) for parcel in parcels],
        )


async def save_parcels(db: Connection, parcels: Sequence[Parcel]) -> None:
    """Write packages that were locked."""
    if parcels:
        await db.execute(
            """
            update package set state = new.state, account = new.account, held_version = new.held_version
            from unnest($1::uuid[], $2::jsonb[], $3::text[], $4::int[])
                as new (package_id, state, account, held_version)
            where package.package_id = new.package_id
            """,
            [parcel.package.package_id for parcel in parcels],
            [parcel.package.json_text for parcel in parcels],
            [parcel.account for parcel in parcels],
            [parcel.held_version for parcel in parcels],
        )


async def save_steps(db: Connection, steps: Sequence[Step], moves: Sequence[Move], decided_at: datetime) -> None:
    """Write packages that were locked, and what they moved in the ledger."""
    await save_parcels(db, [step.parcel for step in steps])
    await ledger_store.post_moves(db, moves, decided_at)


async def get_households(db: Connection, current: Round, household_ids: Sequence[UUID]) -> list[Household]:
    """What planning needs to know of these recipients of a round, in its fair order."""
    records = await db.fetch(
        """
        select household.household_id, household.version, household.status, left_because, household.district,
            household.village, assignment.carer_id, office_id, promise.pledge_id, promise.giver_id,
            exists (
                select from household as gone join package on package.household_id = gone.household_id
                where gone.merged_into = household.household_id and round_id = $4 and package.status = 'delivered'
            ) as is_served,
            exists (
                select from recipient
                where recipient.round_id = $4 and recipient.household_id = household.household_id
                    and removed_because is not null
            ) as is_removed
        from household
        left join assignment on assignment.household_id = household.household_id
        left join carer on carer.carer_id = assignment.carer_id
        left join lateral (
            select (array_agg(pledge_id order by pledge_id))[1] as pledge_id,
                (array_agg(giver_id order by pledge_id))[1] as giver_id
            from pledge
            where pledge.household_id = household.household_id and not lapsed
                and programme = $1 and period = $2
        ) promise on true
        where household.household_id = any($3::uuid[])
        order by household.village, md5(household.household_id::text)
        """,
        current.programme,
        current.period,
        household_ids,
        current.round_id,
    )
    return [Household(**dict(record)) for record in records]


async def list_planned_for(db: Connection, carer_id: UUID) -> list[Package]:
    """Packages of open rounds for the households this carer looks after."""
    records = await db.fetch(
        """
        select package.state
        from assignment
        join package using (household_id)
        join round on round.round_id = package.round_id and round.status = 'open'
        where assignment.carer_id = $1
        order by round.period, package.package_id
        """,
        carer_id,
    )
    return [Package.model_validate_json(record["state"]) for record in records]


async def list_pick_list(db: Connection, depot_id: str) -> list[Package]:
    """Packages of open rounds whose goods are reserved at a depot."""
    records = await db.fetch(
        """
        select package.state
        from package join round on round.round_id = package.round_id and round.status = 'open'
        where package.account = 'reserved' and package.state ->> 'depot_id' = $1
        order by package.state ->> 'village', package.package_id
        """,
        depot_id,
    )
    return [Package.model_validate_json(record["state"]) for record in records]


def _parcel(record: asyncpg.Record) -> Parcel:
    account = record["account"]
    package = Package.model_validate_json(record["state"])
    return Parcel(package, None if account is None else Account(account), record["held_version"])
