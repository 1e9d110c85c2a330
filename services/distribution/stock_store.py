"""Every statement on lots, trucks, and what depots have."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from contracts.events import Lot, StockLow
from messaging import Connection
from services.distribution.lots import Stock, Transfer
from services.distribution.shelves import FreeLot
from services.distribution.stock import Account


async def get_stocks(db: Connection, lot_ids: Iterable[UUID]) -> dict[UUID, Stock]:
    """Lots as the books have them now, not locked: to see whether more must be locked before."""
    records = await db.fetch(
        "select lot_id, regency, state, warned from lot where lot_id = any($1::uuid[])", list(lot_ids)
    )
    return await _with_balances(db, records)


async def lock_stocks(db: Connection, lot_ids: Iterable[UUID]) -> dict[UUID, Stock]:
    """Lots and their balances, locked until the transaction ends."""
    records = await db.fetch(
        "select lot_id, regency, state, warned from lot where lot_id = any($1::uuid[]) order by lot_id for update",
        list(lot_ids),
    )
    await db.execute(
        """
        select from balance where lot_id = any($1::uuid[])
        order by lot_id, depot_id, account
        for update
        """,
        [record["lot_id"] for record in records],
    )
    return await _with_balances(db, records)


async def save_stocks(db: Connection, stocks: Collection[Stock]) -> None:
    """Write lots and where they are blocked."""
    if not stocks:
        return
    lot_ids = [stock.lot.lot_id for stock in stocks]
    await _insert_lots(db, [stock for stock in stocks if stock.lot.version == 1])
    await _update_lots(db, [stock for stock in stocks if stock.lot.version > 1])
    blocks = [(stock.lot.lot_id, depot_id) for stock in stocks for depot_id in stock.blocked_at]
    await db.execute("delete from lot_block where lot_id = any($1::uuid[])", lot_ids)
    await db.execute(
        "insert into lot_block (lot_id, depot_id) select * from unnest($1::uuid[], $2::text[])",
        [lot_id for lot_id, _ in blocks],
        [depot_id for _, depot_id in blocks],
    )


async def _insert_lots(db: Connection, new: Sequence[Stock]) -> None:
    """New ones; of two reports of one lot at the same time the second is refused here, tried again, and sees it."""
    await db.execute(
        """
        insert into lot (lot_id, regency, state, warned)
        select * from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::bool[])
        """,
        [stock.lot.lot_id for stock in new],
        [stock.regency for stock in new],
        [stock.lot.json_text for stock in new],
        [stock.warned for stock in new],
    )


async def _update_lots(db: Connection, stocks: Sequence[Stock]) -> None:
    """Those that are locked."""
    await db.execute(
        """
        update lot set state = new.state, warned = new.warned
        from unnest($1::uuid[], $2::jsonb[], $3::bool[]) as new (lot_id, state, warned)
        where lot.lot_id = new.lot_id
        """,
        [stock.lot.lot_id for stock in stocks],
        [stock.lot.json_text for stock in stocks],
        [stock.warned for stock in stocks],
    )


async def list_restocked(db: Connection) -> dict[int, str]:
    """Depots that have had more free stock since it was last offered: each time, by its number."""
    records = await db.fetch("select restocking, depot_id from restocked order by restocking")
    return {record["restocking"]: record["depot_id"] for record in records}


async def forget_restocked(db: Connection, restockings: Sequence[int]) -> None:
    """What came these times has been offered."""
    await db.execute("delete from restocked where restocking = any($1::bigint[])", restockings)


async def lock_free(db: Connection, depot_ids: Sequence[str], lasts_until: date) -> list[FreeLot]:
    """Free units of usable lots that last until a day, first expired first, locked."""
    records = await db.fetch(
        """
        select balance.lot_id, balance.depot_id, item, units, unit_value
        from balance join lot on lot.lot_id = balance.lot_id
        where balance.depot_id = any($1::text[]) and account = 'available' and units > 0
            and expires_on >= $2 and status not in ('recalled', 'expired')
            and not exists (
                select from lot_block where lot_block.lot_id = lot.lot_id and lot_block.depot_id = balance.depot_id
            )
        order by expires_on, balance.lot_id, balance.depot_id
        for update of balance
        """,
        depot_ids,
        lasts_until.isoformat(),
    )
    return [FreeLot(**dict(record)) for record in records]


async def lock_unusable(db: Connection, lot_ids: Iterable[UUID]) -> set[tuple[UUID, str]]:
    """As `list_unusable`; of these lots none is blocked or called back until the transaction ends."""
    await db.execute("select from lot where lot_id = any($1::uuid[]) order by lot_id for share", list(lot_ids))
    return await list_unusable(db)


async def list_unusable(db: Connection) -> set[tuple[UUID, str]]:
    """Lots with the depots they may not leave: blocked there, recalled or expired."""
    records = await db.fetch(
        """
        select lot_id, depot_id from lot_block
        union
        select lot_id, depot_id from balance join lot using (lot_id) where status in ('recalled', 'expired')
        """
    )
    return {(record["lot_id"], record["depot_id"]) for record in records}


async def list_recalled(db: Connection) -> set[UUID]:
    """Lots called back."""
    return {record["lot_id"] for record in await db.fetch("select lot_id from lot where status = 'recalled'")}


async def count_recipients(db: Connection, lot_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many households received units of these lots."""
    records = await db.fetch(
        """
        select lot_id, count(distinct household_id) as households
        from ledger_entry join package using (package_id)
        where lot_id = any($1::uuid[]) and to_account = 'delivered'
        group by lot_id
        """,
        lot_ids,
    )
    return {record["lot_id"]: record["households"] for record in records}


async def list_recipients_of(db: Connection, lot_id: UUID) -> list[UUID]:
    """Who received this lot (rule 14)."""
    records = await db.fetch(
        """
        select distinct household_id
        from ledger_entry join package using (package_id)
        where lot_id = $1 and to_account = 'delivered'
        order by household_id
        """,
        lot_id,
    )
    return [record["household_id"] for record in records]


async def get_transfers(db: Connection, transfer_ids: Sequence[UUID]) -> dict[UUID, Transfer]:
    """Trucks by id; one whose lot is locked stays as it is."""
    records = await db.fetch(
        """select transfer_id, lot_id, from_depot_id, to_depot_id, sent, received
           from transfer where transfer_id = any($1::uuid[])""",
        transfer_ids,
    )
    return {record["transfer_id"]: Transfer(**dict(record)) for record in records}


async def insert_transfers(db: Connection, transfers: Sequence[Transfer]) -> None:
    """New trucks; raises UniqueViolationError where another transaction has written one of these ids meanwhile."""
    await db.execute(
        """
        insert into transfer (transfer_id, lot_id, from_depot_id, to_depot_id, sent, received)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
        """,
        [transfer.transfer_id for transfer in transfers],
        [transfer.lot_id for transfer in transfers],
        [transfer.from_depot_id for transfer in transfers],
        [transfer.to_depot_id for transfer in transfers],
        [transfer.sent for transfer in transfers],
        [transfer.received for transfer in transfers],
    )


async def save_arrivals(db: Connection, transfers: Sequence[Transfer]) -> None:
    """What was signed for."""
    await db.execute(
        """
        update transfer set received = new.received
        from unnest($1::uuid[], $2::bigint[]) as new (transfer_id, received)
        where transfer.transfer_id = new.transfer_id
        """,
        [transfer.transfer_id for transfer in transfers],
        [transfer.received for transfer in transfers],
    )


async def list_aging(db: Connection, regency: str, today: date, unusable_from: date) -> list[UUID]:
    """Lots with units on a shelf that have expired, or will not last until a day and have not been said to."""
    records = await db.fetch(
        """
        select lot_id
        from lot
        where regency = $1 and status in ('usable', 'blocked')
            and (expires_on < $2 or (expires_on < $3 and not warned))
            and exists (
                select from balance
                where balance.lot_id = lot.lot_id and account in ('available', 'reserved', 'in_transit') and units > 0
            )
        """,
        regency,
        today.isoformat(),
        unusable_from.isoformat(),
    )
    return [record["lot_id"] for record in records]


async def count_waiting(db: Connection, regency: str) -> dict[tuple[UUID, str], int]:
    """Recipients whom nobody can supply, by round and district."""
    records = await db.fetch(
        """
        select round_id, district, count(*) as households
        from to_plan join household using (household_id)
        where waiting and regency = $1
        group by round_id, district
        """,
        regency,
    )
    return {(record["round_id"], record["district"]): record["households"] for record in records}


async def sum_available(db: Connection) -> dict[tuple[str, str], int]:
    """Free units by depot and item."""
    records = await db.fetch(
        """
        select depot_id, item, sum(units)::bigint as units
        from balance join lot using (lot_id)
        where account = 'available'
        group by depot_id, item
        """
    )
    return {(record["depot_id"], record["item"]): record["units"] for record in records}


async def list_stock_items(db: Connection) -> dict[tuple[str, str], StockLow]:
    """What was last said about items that run low; one job alone writes it, under its lock."""
    records = await db.fetch("select depot_id, item, state from stock_item order by stock_id")
    return {(record["depot_id"], record["item"]): StockLow.model_validate_json(record["state"]) for record in records}


async def save_stock_item(db: Connection, state: StockLow) -> None:
    """Write what was said about an item of a depot."""
    await db.execute(
        """
        insert into stock_item (stock_id, depot_id, item, state) values ($1, $2, $3, $4)
        on conflict (stock_id) do update set state = excluded.state
        """,
        state.stock_id,
        state.depot_id,
        state.item,
        state.json_text,
    )


async def _with_balances(db: Connection, lots: Sequence[asyncpg.Record]) -> dict[UUID, Stock]:
    lot_ids = [one["lot_id"] for one in lots]
    balances: dict[UUID, dict[tuple[str, Account], int]] = defaultdict(dict)
    for one in await db.fetch(
        "select lot_id, depot_id, account, units from balance where lot_id = any($1::uuid[])", lot_ids
    ):
        balances[one["lot_id"]][one["depot_id"], Account(one["account"])] = one["units"]
    blocked: dict[UUID, set[str]] = defaultdict(set)
    for one in await db.fetch("select lot_id, depot_id from lot_block where lot_id = any($1::uuid[])", lot_ids):
        blocked[one["lot_id"]].add(one["depot_id"])
    return {
        one["lot_id"]: Stock(
            Lot.model_validate_json(one["state"]),
            one["regency"],
            balances[one["lot_id"]],
            frozenset(blocked[one["lot_id"]]),
            one["warned"],
        )
        for one in lots
    }
