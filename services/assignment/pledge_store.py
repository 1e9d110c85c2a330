"""Statements on promises and pledges; sets in, sets out."""

from collections.abc import Collection, Sequence
from dataclasses import astuple
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.events import Pledge
from messaging import Connection
from services.assignment.domain import KnownHousehold
from services.assignment.pledges import Promise, Promised
from services.assignment.register_store import household_of


async def lock_promises(db: Connection) -> None:
    """One set of promises at a time: two partners in the same second must see each other."""
    await db.execute("select pg_advisory_xact_lock(hashtext('assignment.promises'))")


async def get_promises(db: Connection, promise_ids: Collection[UUID]) -> dict[UUID, Promise]:
    """Those made before."""
    records = await db.fetch(
        """
        select promise_id, regency, giver_id, programme, period, village, packages
        from promise
        where promise_id = any($1::uuid[])
        """,
        promise_ids,
    )
    return {record["promise_id"]: Promise(*record) for record in records}


async def insert_promises(db: Connection, promises: Sequence[Promise]) -> None:
    """Remember what was promised."""
    await db.executemany(
        """
        insert into promise (promise_id, regency, giver_id, programme, period, village, packages)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        [astuple(promise) for promise in promises],
    )


async def list_households_of(db: Connection, villages: Collection[str]) -> list[KnownHousehold]:
    """The households of these villages."""
    records = await db.fetch(
        """
        select household_id, version, regency, status, programmes, district, village, latitude, longitude
        from household
        where village = any($1::text[])
        """,
        villages,
    )
    return [household_of(record) for record in records]


async def list_promised(db: Connection, household_ids: Collection[UUID]) -> set[Promised]:
    """What is promised to these households and has not lapsed."""
    records = await db.fetch(
        """
        select household_id, programme, period
        from pledge
        where household_id = any($1::uuid[]) and status in ('pledged', 'confirmed')
        """,
        household_ids,
    )
    return {Promised(*record) for record in records}


async def insert_pledges(db: Connection, pledges: Sequence[Pledge], regency: str) -> None:
    """Each with the promise it is part of."""
    await db.execute(
        """
        insert into pledge (pledge_id, promise_id, regency, state, lapses_at)
        select pledge_id, promise_id, $5, state, lapses_at
        from unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::timestamptz[])
            as new (pledge_id, promise_id, state, lapses_at)
        """,
        [pledge.pledge_id for pledge in pledges],
        [pledge.promise_id for pledge in pledges],
        [pledge.json_text for pledge in pledges],
        [pledge.lapses_at for pledge in pledges],
        regency,
    )


async def save_pledges(db: Connection, pledges: Sequence[Pledge]) -> None:
    """Write the new states of pledges that are locked."""
    await db.execute(
        """
        update pledge
        set state = new.state
        from unnest($1::uuid[], $2::jsonb[]) as new (pledge_id, state)
        where pledge.pledge_id = new.pledge_id
        """,
        [pledge.pledge_id for pledge in pledges],
        [pledge.json_text for pledge in pledges],
    )


async def lock_promised(db: Connection, promise_ids: Collection[UUID]) -> dict[UUID, list[Pledge]]:
    """The pledges of these promises."""
    records = await db.fetch(
        "select promise_id, state from pledge where promise_id = any($1::uuid[]) order by pledge_id for update",
        promise_ids,
    )
    found: dict[UUID, list[Pledge]] = {}
    for record in records:
        found.setdefault(record["promise_id"], []).append(_pledge(record))
    return found


async def lock_open(db: Connection, household_ids: Collection[UUID]) -> list[Pledge]:
    """What is promised to these households and has not lapsed."""
    records = await db.fetch(
        """
        select state
        from pledge
        where household_id = any($1::uuid[]) and status in ('pledged', 'confirmed')
        order by pledge_id
        for update
        """,
        household_ids,
    )
    return [_pledge(record) for record in records]


async def lock_lapsing(db: Connection, now: datetime, limit: int) -> list[tuple[str, Pledge]]:
    """Some of those not confirmed in time, each with its regency."""
    records = await db.fetch(
        """
        select regency, state
        from pledge
        where status = 'pledged' and lapses_at <= $1
        order by lapses_at, pledge_id
        limit $2
        for update
        """,
        now,
        limit,
    )
    return [(record["regency"], _pledge(record)) for record in records]


def _pledge(record: asyncpg.Record) -> Pledge:
    return Pledge.model_validate_json(record["state"])
