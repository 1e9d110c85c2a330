"""Counts and corrections: what is on the shelf is true, and a mistake is taken back by a linked entry (rule 13)."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from contracts.refusals import RefusalCode
from contracts.submissions import CountSubmitted, ReversalSubmitted
from messaging import Accepted, Connection, Outcome, Received, Refused, Unchanged
from messaging.reading import digest
from policies import Policies
from services.distribution import ledger_store, lots, package_store, stock_store, store
from services.distribution.domain import Step, lose_goods
from services.distribution.lots import Change, Stock
from services.distribution.stock import SOURCES, Account, Entry, Move
from services.distribution.stock_handlers import cause_of, decide_lots


async def on_count_submitted(
    messages: Sequence[Received[CountSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """What is on the shelf is true. Packages whose goods are not there are planned again."""
    unbacked = await _release_unbacked(messages, db)
    freed = [move for steps in unbacked.values() for step in steps for move in step.moves]

    def decide(message: Received[CountSubmitted], stock: Stock | None) -> Change | Outcome:
        counted = message.data
        if stock is None:
            return Refused(RefusalCode.UNKNOWN_LOT, "lot_id")
        return lots.count(stock, counted.depot_id, counted.counted, cause_of(message)) or Unchanged()

    outcomes = await decide_lots(messages, db, policies, decide, freed)
    return [
        Accepted(outcome.events + tuple(fact for step in unbacked[message.id] for fact in step.facts))
        if isinstance(outcome, Accepted)
        else outcome
        for message, outcome in zip(messages, outcomes, strict=True)
    ]


async def _release_unbacked(messages: Sequence[Received[CountSubmitted]], db: Connection) -> dict[str, list[Step]]:
    """Packages that a count leaves without goods, the last ones first; looked at before lots are locked."""
    await store.lock_reserving(db)
    seen = await stock_store.get_stocks(db, {message.data.lot_id for message in messages})
    released: dict[str, list[Step]] = defaultdict(list)
    done: set[UUID] = set()
    for message in messages:
        counted = message.data
        stock = seen.get(counted.lot_id)
        missing = lots.unbacked_units(stock, counted.depot_id, counted.counted) if stock else 0
        if not missing:
            continue
        for parcel in reversed(await package_store.lock_reserved_parcels(db, counted.lot_id, counted.depot_id)):
            if missing > 0 and parcel.package.package_id not in done:
                done.add(parcel.package.package_id)
                released[message.id].append(lose_goods(parcel))
                missing -= sum(part.units for part in parcel.package.lots if part.lot_id == counted.lot_id)
    steps = [step for steps in released.values() for step in steps]
    await package_store.save_parcels(db, [step.parcel for step in steps])
    await store.plan_again(db, [step.parcel.package.household_id for step in steps])
    return released


async def on_reversal_submitted(messages: Sequence[Received[ReversalSubmitted]], db: Connection) -> list[Outcome]:
    """What a stock or count submission of the same sender entered is taken back."""
    wrong = {message.id: digest(message.source, message.data.entry_submission_id) for message in messages}
    known = await ledger_store.list_entries(db, list(wrong.values()))
    stocks = await stock_store.lock_stocks(db, {one.move.lot_id for entries in known.values() for one in entries})
    known = await ledger_store.list_entries(db, list(wrong.values()))  # again, now that nobody else can reverse them
    outcomes: list[Outcome] = []
    moves: list[Move] = []
    for message in messages:
        entries = known.pop(wrong[message.id], [])
        if not entries or not all(_is_of(entry, message.data.depot_id) for entry in entries):
            outcomes.append(Refused(RefusalCode.UNKNOWN_ENTRY, "entry_submission_id"))
            continue
        change = lots.reverse(stocks[entries[0].move.lot_id], entries, cause_of(message))
        if isinstance(change, RefusalCode):
            outcomes.append(Refused(change, "entry_submission_id"))
            continue
        stocks[change.stock.lot.lot_id] = change.stock
        moves += change.moves
        outcomes.append(Accepted((change.stock.lot,)))
    await stock_store.save_stocks(db, [(messages[0].regency, stock) for stock in stocks.values()])
    await ledger_store.post_moves(db, moves, messages[0].decided_at)
    return outcomes


def _is_of(entry: Entry, depot_id: str) -> bool:
    """Whether a stock or count submission made it at this depot."""
    accounts = {entry.move.from_account, entry.move.to_account}
    return entry.move.to_depot_id == depot_id and bool(accounts & (SOURCES | {Account.WRITTEN_OFF}))
