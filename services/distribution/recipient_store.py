"""Every statement on the recipients of rounds (rule 15)."""

from collections.abc import Sequence
from uuid import UUID

from messaging import Connection


async def freeze_recipients(
    db: Connection, round_id: UUID, regency: str, programme: str, excluded_by: Sequence[str]
) -> int:
    """Every household that may have the programme as known now is a recipient, and waits for its plan (rule 15)."""
    count: int = await db.fetchval(
        """
        with frozen as (
            insert into recipient (round_id, household_id, district, village)
            select $1, household_id, district, village
            from household
            where regency = $2 and status = 'registered' and $3 = any(programmes) and not programmes && $4::text[]
            returning household_id, village
        ), queued as (
            insert into to_plan (round_id, household_id, turn)
            select $1, household_id, village || md5(household_id::text) from frozen
        )
        select count(*) from frozen
        """,
        round_id,
        regency,
        programme,
        excluded_by,
    )
    await db.execute("analyze recipient, to_plan")  # statements planned when these were empty would read all of them
    return count


async def add_recipients(db: Connection, round_id: UUID, household_ids: Sequence[UUID], reason: str) -> None:
    """Named additions; who is on the list already stays as it is, who was taken off it is on it again.

    Also as part of a recipient: who has left its card since the list was frozen, or has left such a half, has no share
    of their own (rule 15), unless that recipient was removed.
    """
    await db.execute(
        """
        with recursive line as (
            select household_id as wanted, household_id, split_from, registered_at
            from household
            where household_id = any($2::uuid[])
            union all
            select wanted, whole.household_id, whole.split_from, whole.registered_at
            from line join household as whole on whole.household_id = line.split_from
            where line.registered_at > (
                select (state ->> 'recipients_as_of')::timestamptz from round where round_id = $1
            )
        ), added as (
            insert into recipient (round_id, household_id, district, village, added_because)
            select $1, household_id, district, village, $3
            from household
            where household_id = any($2::uuid[]) and not exists (
                select from line join recipient on recipient.household_id = line.household_id
                where recipient.round_id = $1 and removed_because is null
                    and line.wanted = household.household_id and line.household_id <> line.wanted
            )
            on conflict (round_id, household_id) do update set removed_because = null
            where recipient.removed_because is not null
            returning household_id, village
        )
        insert into to_plan (round_id, household_id, turn)
        select $1, household_id, village || md5(household_id::text) from added
        on conflict (round_id, household_id) do update set waiting = false
        """,
        round_id,
        household_ids,
        reason,
    )


async def remove_recipients(db: Connection, removed: Sequence[tuple[UUID, UUID, str]]) -> None:
    """Take households off a round's list, each with its reason; the row stays."""
    if removed:
        await db.execute(
            """
            update recipient set removed_because = gone.reason
            from unnest($1::uuid[], $2::uuid[], $3::text[]) as gone (round_id, household_id, reason)
            where recipient.round_id = gone.round_id and recipient.household_id = gone.household_id
            """,
            [round_id for round_id, _, _ in removed],
            [household_id for _, household_id, _ in removed],
            [reason for _, _, reason in removed],
        )


async def list_finished(db: Connection, pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of these (round, household) were taken off the list and have had their package, or given it back."""
    records = await db.fetch(
        """
        select recipient.round_id, recipient.household_id
        from recipient
        join unnest($1::uuid[], $2::uuid[]) as wanted (round_id, household_id)
            on recipient.round_id = wanted.round_id and recipient.household_id = wanted.household_id
        join package on package.round_id = wanted.round_id and package.household_id = wanted.household_id
        where removed_because is not null and package.status in ('delivered', 'returned')
        """,
        [round_id for round_id, _ in pairs],
        [household_id for _, household_id in pairs],
    )
    return {(record["round_id"], record["household_id"]) for record in records}


async def list_recipients(db: Connection, pairs: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of these (round, household) are recipients."""
    if not pairs:
        return set()
    records = await db.fetch(
        """
        select recipient.round_id, recipient.household_id
        from recipient
        join unnest($1::uuid[], $2::uuid[]) as wanted (round_id, household_id)
            on recipient.round_id = wanted.round_id and recipient.household_id = wanted.household_id
        where removed_because is null
        """,
        [round_id for round_id, _ in pairs],
        [household_id for _, household_id in pairs],
    )
    return {(record["round_id"], record["household_id"]) for record in records}
