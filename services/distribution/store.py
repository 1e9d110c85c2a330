"""Every statement on rounds, and who must be planned."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.events import Round
from contracts.submissions import SurplusDecisionSubmitted
from messaging import Connection
from services.distribution.rounds import RoundCounts


@dataclass(frozen=True, slots=True)
class KnownRound:
    """A round, its regency, and the percent of its window up to which its floor was looked at."""

    round: Round
    regency: str
    floor_checked: int


async def find_round(db: Connection, regency: str, programme: str, period: str) -> UUID | None:
    """The one round of a programme and period."""
    round_id: UUID | None = await db.fetchval(
        "select round_id from round where regency = $1 and programme = $2 and period = $3", regency, programme, period
    )
    return round_id


async def lock_opening(db: Connection) -> None:
    """One round opens at a time: two submissions for one period must see each other."""
    await db.execute("select pg_advisory_xact_lock(hashtext('distribution.open_round'))")


async def lock_reserving(db: Connection) -> None:
    """Nobody else reserves goods until the transaction ends."""
    await db.execute("select pg_advisory_xact_lock(hashtext('distribution.reserve'))")


async def save_round(db: Connection, regency: str, state: Round) -> None:
    """Write a round's state."""
    await db.execute(
        """
        insert into round (round_id, regency, state) values ($1, $2, $3)
        on conflict (round_id) do update set state = excluded.state
        """,
        state.round_id,
        regency,
        state.json_text,
    )


async def get_rounds(db: Connection, round_ids: Sequence[UUID]) -> dict[UUID, KnownRound]:
    """Rounds by id."""
    records = await db.fetch(
        "select state, regency, floor_checked from round where round_id = any($1::uuid[])", round_ids
    )
    return {known.round.round_id: known for known in map(_known_round, records)}


async def list_open_rounds(db: Connection) -> list[KnownRound]:
    """Rounds that are not closed, oldest window first."""
    records = await db.fetch(
        "select state, regency, floor_checked from round where status = 'open' order by state ->> 'closes_on', round_id"
    )
    return [_known_round(record) for record in records]


async def lock_rounds(db: Connection, round_ids: Collection[UUID]) -> dict[UUID, KnownRound]:
    """Rounds by id, locked until the transaction ends."""
    records = await db.fetch(
        """
        select state, regency, floor_checked
        from round
        where round_id = any($1::uuid[])
        order by round_id
        for update
        """,
        round_ids,
    )
    return {known.round.round_id: known for known in map(_known_round, records)}


async def count_round(db: Connection, round_id: UUID) -> RoundCounts:
    """Additions, removals and deliveries so far."""
    records = await db.fetch(
        """
        select
            (select count(*) from recipient where round_id = $1 and added_because is not null) as additions,
            (select count(*) from recipient where round_id = $1 and removed_because is not null) as removals,
            (select count(*) from package where round_id = $1 and status = 'delivered') as delivered
        """,
        round_id,
    )
    return RoundCounts(records[0]["additions"], records[0]["removals"], records[0]["delivered"])


async def save_floor_checked(db: Connection, round_id: UUID, percent: int) -> None:
    """The floor was looked at up to this percent of the window."""
    await db.execute("update round set floor_checked = $2 where round_id = $1", round_id, percent)


async def insert_surplus_decision(db: Connection, decision: SurplusDecisionSubmitted, decided_at: datetime) -> None:
    """What was decided about goods that are left."""
    await db.execute(
        """
        insert into surplus_decision (round_id, use, reason, households, decided_at)
        values ($1, $2, $3, $4, $5)
        """,
        decision.round_id,
        decision.use,
        decision.reason,
        len(decision.household_ids),
        decided_at,
    )


async def plan_again(db: Connection, household_ids: Sequence[UUID]) -> None:
    """Something changed for these households: look at what open rounds plan for them.

    A row that is there already is written all the same, so that a job which is taking it waits for this transaction.
    """
    if household_ids:
        await db.execute(
            """
            insert into to_plan (round_id, household_id, turn)
            select recipient.round_id, recipient.household_id, recipient.village || md5(recipient.household_id::text)
            from recipient join round using (round_id)
            where recipient.household_id = any($1::uuid[]) and removed_because is null and round.status = 'open'
            order by recipient.round_id, recipient.household_id
            on conflict (round_id, household_id) do update set waiting = false
            """,
            household_ids,
        )


async def plan_again_packages(db: Connection, lot_ids: Sequence[UUID]) -> None:
    """These lots may not move any more: look at the packages that have units of them."""
    await db.execute(
        """
        insert into to_plan (round_id, household_id, turn)
        select distinct recipient.round_id, recipient.household_id,
            recipient.village || md5(recipient.household_id::text)
        from ledger_entry join package using (package_id) join recipient using (round_id, household_id)
        where lot_id = any($1::uuid[]) and to_account = 'reserved' and status not in ('delivered', 'cancelled')
        order by 1, 2
        on conflict (round_id, household_id) do update set waiting = false
        """,
        lot_ids,
    )


async def take_to_plan(db: Connection, limit: int) -> list[tuple[UUID, UUID]]:
    """The next (round, household) pairs of one round to plan, in a fair and fixed order; taken off the list."""
    records = await db.fetch(
        """
        with next as (
            select round_id, household_id
            from to_plan
            where not waiting and round_id = (select round_id from to_plan where not waiting order by round_id limit 1)
            order by turn
            limit $1
            for update
        )
        delete from to_plan using next
        where to_plan.round_id = next.round_id and to_plan.household_id = next.household_id
        returning to_plan.round_id, to_plan.household_id
        """,
        limit,
    )
    return [(record["round_id"], record["household_id"]) for record in records]


async def put_waiting(db: Connection, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Nobody can supply these now; they are looked at again when something changes for them."""
    if pairs:
        await db.execute(
            """
            insert into to_plan (round_id, household_id, turn, waiting)
            select round_id, household_id, recipient.village || md5(household_id::text), true
            from unnest($1::uuid[], $2::uuid[]) as waiting (round_id, household_id)
            join recipient using (round_id, household_id)
            on conflict do nothing
            """,
            [round_id for round_id, _ in pairs],
            [household_id for _, household_id in pairs],
        )


async def wake_waiting(db: Connection, districts: Sequence[str]) -> None:
    """Goods came to the depots of these districts: who could not be supplied may be now."""
    await db.execute(
        """
        update to_plan set waiting = false
        from household
        where household.household_id = to_plan.household_id and waiting and district = any($1::text[])
        """,
        districts,
    )


async def is_planned(db: Connection, round_id: UUID) -> bool:
    """Whether every recipient has a package, or nobody who could supply it."""
    planned: bool = await db.fetchval(
        "select not exists (select from to_plan where round_id = $1 and not waiting)", round_id
    )
    return planned


async def forget_to_plan(db: Connection, round_id: UUID) -> None:
    """The round is closed: nothing more is planned in it."""
    await db.execute("delete from to_plan where round_id = $1", round_id)


def _known_round(record: asyncpg.Record) -> KnownRound:
    return KnownRound(Round.model_validate_json(record["state"]), record["regency"], record["floor_checked"])
