"""Every statement on carers; sets in, sets out."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

import orjson

from contracts.events import Carer
from messaging import Connection
from services.registry.carers import Colleague
from services.registry.people import KeyedHash
from services.registry.vault import Vault


async def find_carers(db: Connection, keys: Collection[KeyedHash]) -> dict[KeyedHash, UUID]:
    """Which of these keys belong to a carer, and to which."""
    records = await db.fetch("select key, carer_id from carer_key where key = any($1::bytea[])", list(keys))
    return {record["key"]: record["carer_id"] for record in records}


async def list_ties(db: Connection, keys: Collection[KeyedHash]) -> dict[KeyedHash, tuple[UUID, ...]]:
    """Carers who find a household of their own or of a relative by these keys."""
    records = await db.fetch("select key, carer_id from carer_tie where key = any($1::bytea[])", list(keys))
    ties: dict[KeyedHash, tuple[UUID, ...]] = defaultdict(tuple)
    for record in records:
        ties[record["key"]] += (record["carer_id"],)
    return ties


async def list_carers(db: Connection, carer_ids: Collection[UUID]) -> dict[UUID, Carer]:
    """Their states."""
    records = await db.fetch(
        "select carer_id, state from carer where carer_id = any($1::uuid[])",
        sorted(carer_ids),
    )
    return {record["carer_id"]: Carer.model_validate_json(record["state"]) for record in records}


async def list_colleagues(db: Connection, vault: Vault, carer_ids: Collection[UUID]) -> dict[UUID, Colleague]:
    """All that is kept of these carers, opened."""
    records = await db.fetch(
        """
        select carer_id, state, sealed, stated_at,
          array(select key from carer_tie where carer_tie.carer_id = carer.carer_id) as ties
        from carer
        where carer_id = any($1::uuid[])
        """,
        sorted(carer_ids),
    )
    return {
        record["carer_id"]: Colleague(
            Carer.model_validate_json(record["state"]),
            vault.open_secret(record["carer_id"], record["sealed"]),
            frozenset(record["ties"]),
            record["stated_at"],
        )
        for record in records
    }


async def save_carers(db: Connection, carers: Collection[Carer]) -> None:
    """Write the states of known carers."""
    await db.execute(
        """
        update carer set state = new.state
        from unnest($1::uuid[], $2::jsonb[]) as new (carer_id, state)
        where carer.carer_id = new.carer_id
        """,
        [carer.carer_id for carer in carers],
        [carer.json_text for carer in carers],
    )


async def save_colleagues(db: Connection, vault: Vault, colleagues: Collection[Colleague]) -> None:
    """Write carers with who they are; a new one is inserted."""
    await db.execute(
        """
        insert into carer (carer_id, state, key_id, sealed, stated_at)
        select carer_id, state, $2, sealed, stated_at
        from unnest($1::uuid[], $3::jsonb[], $4::bytea[], $5::timestamptz[]) as new (carer_id, state, sealed, stated_at)
        on conflict (carer_id) do update
        set state = excluded.state, key_id = excluded.key_id, sealed = excluded.sealed, stated_at = excluded.stated_at
        """,
        [colleague.carer.carer_id for colleague in colleagues],
        vault.key_id,
        [colleague.carer.json_text for colleague in colleagues],
        [vault.seal(colleague.carer.carer_id, orjson.dumps(colleague.secret)) for colleague in colleagues],
        [colleague.stated_at for colleague in colleagues],
    )


async def save_carer_keys(db: Connection, keys: Iterable[tuple[KeyedHash, UUID]]) -> None:
    """Remember what carers are recognised by: key, carer."""
    pairs = list(keys)
    await db.execute(
        """
        insert into carer_key (key, carer_id)
        select key, carer_id from unnest($1::bytea[], $2::uuid[]) as new (key, carer_id)
        on conflict do nothing
        """,
        [key for key, _ in pairs],
        [carer_id for _, carer_id in pairs],
    )


async def save_ties(db: Connection, colleagues: Iterable[Colleague]) -> None:
    """Remember by which keys these carers find households that they must not look after."""
    pairs = [(key, colleague.carer.carer_id) for colleague in colleagues for key in colleague.ties]
    await db.execute(
        """
        insert into carer_tie (key, carer_id)
        select key, carer_id from unnest($1::bytea[], $2::uuid[]) as new (key, carer_id)
        on conflict do nothing
        """,
        [key for key, _ in pairs],
        [carer_id for _, carer_id in pairs],
    )
