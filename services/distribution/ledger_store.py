"""Every statement on the ledger: entries are added, balances follow, and both must agree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from messaging import Connection
from services.distribution.stock import Account, Entry, Move, deltas

_ENTRY_COLUMNS: Final = (
    "lot_id", "units", "from_account", "from_depot_id", "to_account", "to_depot_id", "cause", "package_id", "reverses",
    "decided_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Break:
    """A lot whose books do not close."""

    lot_id: UUID
    came_in: int
    accounted_for: int


async def post_moves(db: Connection, moves: Sequence[Move], decided_at: datetime) -> None:
    """Add entries to the ledger and to the balances, in one order, so that two who post do not wait for each other.

    Nothing goes below zero: the table refuses it, and with it the whole transaction.
    """
    if not moves:
        return
    await _insert_entries(db, moves, decided_at)
    changes: dict[tuple[UUID, str, Account], int] = defaultdict(int)
    for move in moves:
        for (depot_id, account), units in deltas(move):
            changes[move.lot_id, depot_id, account] += units
    keys = sorted(changes)
    columns = ([key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys])
    await db.execute(
        """
        insert into balance (lot_id, depot_id, account, units)
        select lot_id, depot_id, account, 0
        from unnest($1::uuid[], $2::text[], $3::text[]) as new (lot_id, depot_id, account)
        where not exists (
            select from balance
            where balance.lot_id = new.lot_id and balance.depot_id = new.depot_id and balance.account = new.account
        )
        on conflict do nothing
        """,
        *columns,
    )
    await db.execute(
        """
        with locked as (
            select lot_id, depot_id, account, change.units
            from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[]) as change (lot_id, depot_id, account, units)
            join balance using (lot_id, depot_id, account)
            order by lot_id, depot_id, account
            for update of balance
        )
        update balance set units = balance.units + locked.units
        from locked
        where balance.lot_id = locked.lot_id and balance.depot_id = locked.depot_id and balance.account = locked.account
        """,
        *columns,
        [changes[key] for key in keys],
    )
    restocked = {move.to_depot_id for move in moves if move.to_account is Account.AVAILABLE}
    if restocked:
        await db.execute("insert into restocked (depot_id) select * from unnest($1::text[])", sorted(restocked))


async def list_entries(db: Connection, causes: Sequence[UUID]) -> dict[UUID, list[Entry]]:
    """What submissions entered, by their cause."""
    records = await db.fetch(
        """
        select entry_id, lot_id, units, from_account, from_depot_id, to_account, to_depot_id, cause, reverses,
            exists (select from ledger_entry other where other.reverses = ledger_entry.entry_id) as is_reversed
        from ledger_entry
        where cause = any($1::uuid[]) and package_id is null
        order by entry_id
        """,
        causes,
    )
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    for one in records:
        move = Move(
            one["lot_id"],
            one["units"],
            Account(one["from_account"]),
            one["from_depot_id"],
            Account(one["to_account"]),
            one["to_depot_id"],
            cause=one["cause"],
            reverses=one["reverses"],
        )
        entries[one["cause"]].append(Entry(one["entry_id"], move, one["is_reversed"]))
    return entries


async def ledger_breaks(db: Connection) -> list[Break]:
    """Lots for which rule 13 does not hold, or whose balances are not what the entries add up to: none, ever."""
    records = await db.fetch(
        """
        with posted as (
            select lot_id, account, sum(units) as units from (
                select lot_id, from_account as account,
                    case when from_account in ('received', 'found') then units else -units end as units
                from ledger_entry
                union all
                select lot_id, to_account, case when to_account in ('received', 'found') then -units else units end
                from ledger_entry
            ) both_sides
            group by lot_id, account
        ), kept as (
            select lot_id, account, sum(units) as units from balance group by lot_id, account
        ), compared as (
            select lot_id, account, coalesce(posted.units, 0) as posted, coalesce(kept.units, 0) as kept
            from posted full join kept using (lot_id, account)
        )
        select lot_id,
            coalesce(sum(posted) filter (where account in ('received', 'found')), 0)::bigint as came_in,
            coalesce(sum(kept) filter (where account not in ('received', 'found')), 0)::bigint as accounted_for
        from compared
        group by lot_id
        having bool_or(posted <> kept)
            or coalesce(sum(posted) filter (where account in ('received', 'found')), 0)
                <> coalesce(sum(kept) filter (where account not in ('received', 'found')), 0)
        order by lot_id
        """
    )
    return [Break(**dict(record)) for record in records]


async def _insert_entries(db: Connection, moves: Sequence[Move], decided_at: datetime) -> None:
    await db.copy_records_to_table(
        "ledger_entry",
        columns=_ENTRY_COLUMNS,
        records=[
            (
                move.lot_id,
                move.units,
                move.from_account,
                move.from_depot_id,
                move.to_account,
                move.to_depot_id,
                move.cause,
                move.package_id,
                move.reverses,
                decided_at,
            )
            for move in moves
        ],
    )
