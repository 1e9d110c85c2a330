"""Every statement on the register; sets in, sets out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from contracts.events import Household
from messaging import Connection
from services.registry.domain import DatedDecile, Key


async def lock_register(db: Connection) -> None:
    """One registration at a time: two rows of one household in two transactions must see each other."""
    await db.execute("select pg_advisory_xact_lock(hashtext('registry.register'))")


async def find_households(db: Connection, keys: Sequence[Key]) -> dict[Key, UUID]:
    """Which of these keys belong to a household, and to which."""
    records = await db.fetch(
        """
        select kind, key, household_id
        from household_key
        where (kind, key) in (select * from unnest($1::text[], $2::bytea[]))
        """,
        [key.kind for key in keys],
        [key.hash for key in keys],
    )
    return {Key(record["kind"], record["key"]): record["household_id"] for record in records}


async def lock_households(db: Connection, household_ids: Iterable[UUID]) -> dict[UUID, Household]:
    """Their states, locked until the transaction ends."""
    records = await db.fetch(
        """
        select household_id, state
        from household
        where household_id = any($1::uuid[])
        order by household_id
        for update
        """,
        list(household_ids),
    )
    return {record["household_id"]: Household.model_validate_json(record["state"]) for record in records}


async def save_households(db: Connection, households: Sequence[Household]) -> None:
    """Write states; a new household is inserted."""
    await db.execute(
        """
        insert into household (household_id, state)
        select * from unnest($1::uuid[], $2::jsonb[])
        on conflict (household_id) do update set state = excluded.state
        """,
        [household.household_id for household in households],
        [household.model_dump_json() for household in households],
    )


async def save_keys(db: Connection, keys: Mapping[Key, UUID]) -> None:
    """Remember what households are recognised by; a key known already stays where it is."""
    await db.execute(
        """
        insert into household_key (kind, key, household_id)
        select * from unnest($1::text[], $2::bytea[], $3::uuid[])
        on conflict do nothing
        """,
        [key.kind for key in keys],
        [key.hash for key in keys],
        list(keys.values()),
    )


async def save_deciles(db: Connection, deciles: Sequence[DatedDecile], received_at: datetime) -> None:
    """Dated decile facts; the same again changes nothing."""
    await db.execute(
        """
        insert into decile (household_id, period, source, decile, received_at)
        select household_id, period, source, decile, $5
        from unnest($1::uuid[], $2::text[], $3::text[], $4::int[]) as new (household_id, period, source, decile)
        on conflict do nothing
        """,
        [dated.household_id for dated in deciles],
        [dated.period for dated in deciles],
        [dated.source for dated in deciles],
        [dated.decile for dated in deciles],
        received_at,
    )
