"""watch_lots: goods that will not last, and items of which depots have too little."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID, uuid4

from contracts.events import StockLow
from messaging import Connection, JobRun
from messaging.reading import digest
from policies import Policies, Policy
from services.distribution import ledger_store, lots, stock_store, store


async def watch_lots(run: JobRun, *, policies: Policies) -> None:
    """Lots that will not last, lots past their date, and items of which depots have too little: once per change."""
    for policy in policies.values():
        today = run.now.astimezone(policy.zone).date()
        usable_until = lots.lasts_until(today, policy.distribution)
        async with run.reading() as db:
            aging = await stock_store.list_aging(db, policy.regency, today, usable_until)
        if aging:
            await _age(run, policy, aging, today)
        await _tell_low_stock(run, policy)


async def _age(run: JobRun, policy: Policy, lot_ids: Sequence[UUID], today: date) -> None:
    async with run.writing() as write:
        stocks = await stock_store.lock_stocks(write.db, lot_ids)
        changes = [
            lots.expire(stock, digest("watch_lots", stock.lot.lot_id.bytes))
            if stock.lot.expires_on < today
            else lots.warn(stock)
            for stock in stocks.values()
            if stock.lot.status in {"usable", "blocked"} and (stock.lot.expires_on < today or not stock.warned)
        ]
        await stock_store.save_stocks(write.db, [change.stock for change in changes])
        await ledger_store.post_moves(write.db, [move for change in changes for move in change.moves], write.now)
        for change in changes:
            lot = change.stock.lot
            write.emit(lot, str(lot.lot_id), str(lot.lot_id), policy.regency)
        expired = [change.stock.lot.lot_id for change in changes if change.stock.lot.status == "expired"]
        await store.plan_again_packages(write.db, expired)


async def _tell_low_stock(run: JobRun, policy: Policy) -> None:
    """Recipients whom nobody supplies would need more of an item than the depot of their district has."""
    async with run.reading() as db:
        waiting = await stock_store.count_waiting(db, policy.regency)
        wanted = await _wanted(db, waiting, policy) if waiting else {}
    if not wanted:
        return
    async with run.writing() as write:
        available = await stock_store.sum_available(write.db)
        said = await stock_store.list_stock_items(write.db)
        for (depot_id, item), units in wanted.items():
            last, free = said.get((depot_id, item)), available.get((depot_id, item), 0)
            if free >= units or (last is not None and (last.available, last.wanted) == (free, units)):
                continue
            low = StockLow(
                version=last.version + 1 if last else 1,
                stock_id=last.stock_id if last else uuid4(),
                depot_id=depot_id,
                item=item,
                available=free,
                wanted=units,
            )
            await stock_store.save_stock_item(write.db, low)
            write.emit(low, str(low.stock_id), str(low.stock_id), policy.regency)


async def _wanted(
    db: Connection, waiting: Mapping[tuple[UUID, str], int], policy: Policy
) -> dict[tuple[str, str], int]:
    known = await store.get_rounds(db, list({round_id for round_id, _ in waiting}))
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    for (round_id, district), households in waiting.items():
        programme = policy.programme[known[round_id].round.programme]
        if programme.supply == "any" and district in policy.depot_of:
            for goods in programme.contents:
                wanted[policy.depot_of[district].depot_id, goods.item] += households * goods.units
    return wanted
