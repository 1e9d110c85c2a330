"""Goods at depots: received, on trucks, counted, blocked, called back, corrected (rules 13, 14)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar
from uuid import UUID

from contracts.refusals import RefusalCode
from contracts.submissions import (
    CountSubmitted,
    LotBlockSubmitted,
    RecallSubmitted,
    ReturnSubmitted,
    ReversalSubmitted,
    StockSubmitted,
    TransferSubmitted,
)
from messaging import Accepted, Connection, Outcome, Parked, Received, Refused, Unchanged
from messaging.reading import digest
from policies import Policies
from services.distribution import ledger_store, lots, package_store, stock_store, store
from services.distribution.domain import Parcel, Step, lose_goods, lots_kept
from services.distribution.lots import Change, Stock, Transfer
from services.distribution.stock import SOURCES, Account, Entry, Move, post

MessageT = TypeVar("MessageT", StockSubmitted, TransferSubmitted, CountSubmitted, RecallSubmitted, LotBlockSubmitted)
Decide: TypeAlias = Callable[[Received[MessageT], Stock | None], Change | Outcome]
"""What a message makes of its lot, null when there is no such lot."""


async def on_stock_submitted(
    messages: Sequence[Received[StockSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A lot comes in."""

    def decide(message: Received[StockSubmitted], stock: Stock | None) -> Change | Outcome:
        submitted, policy = message.data, policies[message.regency]
        if submitted.item not in policy.item:
            return Refused(RefusalCode.UNKNOWN_ITEM, "item")
        change = lots.receive(
            submitted, message.regency, policy.item[submitted.item].shelf_life_days, cause_of(message)
        )
        if stock is None:
            return change
        return Unchanged() if _is_same(stock, change.stock) else Refused(RefusalCode.ALREADY_EXISTS, "lot_id")

    return await _decide_lots(messages, db, policies, decide)


async def on_recall_submitted(
    messages: Sequence[Received[RecallSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A lot is called back everywhere; what is planned from it is planned again, who holds some is told."""
    lot_ids = [message.data.lot_id for message in messages]
    received = await stock_store.count_recipients(db, lot_ids)

    def decide(message: Received[RecallSubmitted], stock: Stock | None) -> Change | Outcome:
        if stock is None or stock.lot.depot_id != message.data.depot_id:
            return Refused(RefusalCode.UNKNOWN_LOT, "lot_id")
        recipients = received.get(message.data.lot_id, 0)
        return lots.recall(stock, message.data.reason, recipients, cause_of(message)) or Unchanged()

    outcomes = await _decide_lots(messages, db, policies, decide)
    await store.plan_again_packages(db, lot_ids)
    return outcomes


async def on_lot_block_submitted(
    messages: Sequence[Received[LotBlockSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A lot may not leave a depot, or may again."""

    def decide(message: Received[LotBlockSubmitted], stock: Stock | None) -> Change | Outcome:
        wanted, cause = message.data, cause_of(message)
        if stock is None or not any(depot_id == wanted.depot_id for depot_id, _ in stock.balances):
            return Refused(RefusalCode.UNKNOWN_LOT, "lot_id")
        if wanted.blocked:
            return lots.block(stock, wanted.depot_id, wanted.reason, cause) or Unchanged()
        released = lots.release(stock, wanted.depot_id, cause)
        return Refused(released, "lot_id") if isinstance(released, RefusalCode) else released or Unchanged()

    outcomes = await _decide_lots(messages, db, policies, decide)
    await store.plan_again_packages(db, [message.data.lot_id for message in messages])
    return outcomes


async def on_transfer_submitted(
    messages: Sequence[Received[TransferSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A truck leaves, or is signed for; its arrival waits for its departure, which another depot reports."""
    await stock_store.lock_stocks(db, [message.data.lot_id for message in messages])  # first: who waits sees the truck
    trucks = await stock_store.get_transfers(db, [message.data.transfer_id for message in messages])
    known = dict(trucks)

    def decide(message: Received[TransferSubmitted], stock: Stock | None) -> Change | Outcome:
        wanted = message.data
        if wanted.other_depot_id not in policies[message.regency].depot:
            return Refused(RefusalCode.UNKNOWN_DEPOT, "other_depot_id")
        if wanted.step == "sent":
            return _depart(message, stock, trucks)
        return _arrive(message, stock, trucks)

    outcomes = await _decide_lots(messages, db, policies, decide)
    await stock_store.insert_transfers(db, [truck for key, truck in trucks.items() if key not in known])
    await stock_store.save_arrivals(db, [truck for key, truck in trucks.items() if known.get(key, truck) != truck])
    return outcomes


def _depart(
    message: Received[TransferSubmitted], stock: Stock | None, trucks: dict[UUID, Transfer]
) -> Change | Outcome:
    wanted = message.data
    truck = Transfer(wanted.transfer_id, wanted.lot_id, wanted.depot_id, wanted.other_depot_id, wanted.units)
    if (known := trucks.get(wanted.transfer_id)) is not None:
        is_same = replace(known, received=None) == truck
        return Unchanged() if is_same else Refused(RefusalCode.ALREADY_EXISTS, "transfer_id")
    if stock is None:
        return Refused(RefusalCode.UNKNOWN_LOT, "lot_id")
    if wanted.units == 0 or wanted.depot_id == wanted.other_depot_id:
        return Refused(RefusalCode.INVALID_FIELD, "units" if wanted.units == 0 else "other_depot_id")
    sent = lots.send(stock, truck, cause_of(message))
    if isinstance(sent, RefusalCode):
        return Refused(sent, "lot_id" if sent is RefusalCode.LOT_NOT_USABLE else "units")
    trucks[wanted.transfer_id] = truck
    return sent


def _arrive(
    message: Received[TransferSubmitted], stock: Stock | None, trucks: dict[UUID, Transfer]
) -> Change | Outcome:
    wanted = message.data
    truck = trucks.get(wanted.transfer_id)
    if truck is None or stock is None:
        return Parked(wanted.lot_id)
    if (truck.lot_id, truck.from_depot_id, truck.to_depot_id) != (
        wanted.lot_id,
        wanted.other_depot_id,
        wanted.depot_id,
    ):
        return Refused(RefusalCode.UNKNOWN_TRANSFER, "transfer_id")
    if truck.received is not None:
        return Unchanged() if truck.received == wanted.units else Refused(RefusalCode.WRONG_STATE, "transfer_id")
    trucks[wanted.transfer_id] = replace(truck, received=wanted.units)
    return lots.arrive(stock, truck, wanted.units, cause_of(message))


async def on_count_submitted(
    messages: Sequence[Received[CountSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """What is on the shelf is true. Packages whose goods are not there are planned again."""
    unbacked = await _release_unbacked(messages, db, policies)
    freed = [move for steps in unbacked for step in steps for move in step.moves]

    def decide(message: Received[CountSubmitted], stock: Stock | None) -> Change | Outcome:
        counted = message.data
        if stock is None:
            return Refused(RefusalCode.UNKNOWN_LOT, "lot_id")
        return lots.count(stock, counted.depot_id, counted.counted, cause_of(message)) or Unchanged()

    outcomes = await _decide_lots(messages, db, policies, decide, freed)
    return [
        Accepted(outcome.events + tuple(fact for step in steps for fact in step.facts))
        if isinstance(outcome, Accepted)
        else outcome
        for outcome, steps in zip(outcomes, unbacked, strict=True)
    ]


async def _release_unbacked(
    messages: Sequence[Received[CountSubmitted]], db: Connection, policies: Policies
) -> list[list[Step]]:
    """Packages that each count leaves without goods; looked at before lots are locked."""
    await store.lock_reserving(db)
    seen = await stock_store.get_stocks(db, {message.data.lot_id for message in messages})
    lost: list[list[Parcel]] = []
    for message in messages:
        count, stock = message.data, seen.get(message.data.lot_id)
        parcels: list[Parcel] = []
        is_there = stock is not None and not _misplaced(message, stock, policies)
        if stock is not None and is_there and lots.unbacked_units(stock, count.depot_id, count.counted):
            parcels = await package_store.lock_reserved_parcels(db, count.lot_id, count.depot_id)
        lost.append(_unbacked([one for one in parcels if not any(one in before for before in lost)], count))
    unusable = await stock_store.lock_unusable(db, lots_kept(parcel for parcels in lost for parcel in parcels))
    released = [[lose_goods(parcel, unusable) for parcel in parcels] for parcels in lost]
    steps = [step for of_one in released for step in of_one]
    await package_store.save_parcels(db, [step.parcel for step in steps])
    await store.plan_again(db, [step.parcel.package.household_id for step in steps])
    return released


def _unbacked(parcels: Sequence[Parcel], count: CountSubmitted) -> list[Parcel]:
    """The last ones of these that a count leaves nothing for; all that have units of the lot reserved are among them,
    and others that had once and have other goods now.
    """
    units = [_units_of(parcel, count) for parcel in parcels]
    missing, lost = sum(units) - count.counted, []
    for parcel, reserved in reversed(list(zip(parcels, units, strict=True))):
        if missing > 0 and reserved:
            lost.append(parcel)
            missing -= reserved
    return lost


def _units_of(parcel: Parcel, count: CountSubmitted) -> int:
    if parcel.package.depot_id != count.depot_id:
        return 0
    return sum(part.units for part in parcel.package.lots if part.lot_id == count.lot_id)


async def on_reversal_submitted(messages: Sequence[Received[ReversalSubmitted]], db: Connection) -> list[Outcome]:
    """What a stock or count submission of the same sender entered is taken back."""
    causes = [digest(message.source, message.data.entry_submission_id) for message in messages]
    known = await ledger_store.list_entries(db, causes)
    stocks = await stock_store.lock_stocks(db, {one.move.lot_id for entries in known.values() for one in entries})
    known = await ledger_store.list_entries(db, causes)  # again, now that nobody else can reverse them
    outcomes: list[Outcome] = []
    changed: dict[UUID, Stock] = {}
    moves: list[Move] = []
    for message, cause in zip(messages, causes, strict=True):
        entries = known.get(cause, [])
        if not entries or not all(_is_of(entry, message.data.depot_id) for entry in entries):
            outcomes.append(Refused(RefusalCode.UNKNOWN_ENTRY, "entry_submission_id"))
            continue
        stock = stocks[entries[0].move.lot_id]
        if stock.regency != message.regency:
            outcomes.append(Refused(RefusalCode.WRONG_REGENCY, "entry_submission_id"))
            continue
        change = lots.reverse(stock, entries, cause_of(message))
        if isinstance(change, RefusalCode):
            outcomes.append(Refused(change, "entry_submission_id"))
            continue
        stocks[change.stock.lot.lot_id] = changed[change.stock.lot.lot_id] = change.stock
        moves += change.moves
        outcomes.append(Accepted((change.stock.lot,)))
    await stock_store.save_stocks(db, changed.values())
    await ledger_store.post_moves(db, moves, messages[0].decided_at)
    return outcomes


def _is_of(entry: Entry, depot_id: str) -> bool:
    """Whether a stock or count submission made it at this depot; goods on trucks are another's to speak of."""
    accounts = {entry.move.from_account, entry.move.to_account} if entry.move.to_depot_id == depot_id else set()
    return Account.IN_TRANSIT not in accounts and bool(accounts & (SOURCES | {Account.WRITTEN_OFF}))


async def _decide_lots(
    messages: Sequence[Received[MessageT]],
    db: Connection,
    policies: Policies,
    decide: Decide[MessageT],
    moves: Sequence[Move] = (),
) -> list[Outcome]:
    """Lock the lots of these messages, decide one after the other, save what changed.

    `moves` have been decided before, by the same call: the books are seen as they will be after them.
    """
    stocks = await stock_store.lock_stocks(db, {message.data.lot_id for message in messages})
    for lot_id, stock in stocks.items():
        stocks[lot_id] = _after(stock, moves)
    changed: dict[UUID, Stock] = {}
    posted = list(moves)
    outcomes: list[Outcome] = []
    for message in messages:
        if (misplaced := _misplaced(message, stocks.get(message.data.lot_id), policies)) is not None:
            outcomes.append(misplaced)
            continue
        decided = decide(message, stocks.get(message.data.lot_id))
        if isinstance(decided, Change):
            stocks[message.data.lot_id] = decided.stock
            changed[message.data.lot_id] = decided.stock
            posted += decided.moves
            decided = Accepted((decided.stock.lot,))
        outcomes.append(decided)
    await stock_store.save_stocks(db, changed.values())
    await ledger_store.post_moves(db, posted, messages[0].decided_at)
    return outcomes


def _misplaced(message: Received[MessageT], stock: Stock | None, policies: Policies) -> Refused | None:
    """Why a message has nothing to do with this depot, or with this lot."""
    if message.data.depot_id not in policies[message.regency].depot:
        return Refused(RefusalCode.UNKNOWN_DEPOT, "depot_id")
    if stock is not None and stock.regency != message.regency:
        return Refused(RefusalCode.WRONG_REGENCY, "lot_id")
    return None


def cause_of(message: Received[MessageT] | Received[ReversalSubmitted] | Received[ReturnSubmitted]) -> UUID:
    """What an entry of the ledger is there for: a hash of the submission's source and id."""
    return digest(message.source, message.id)


def _after(stock: Stock, moves: Sequence[Move]) -> Stock:
    own = [move for move in moves if move.lot_id == stock.lot.lot_id]
    return replace(stock, balances=post(stock.balances, own)) if own else stock


def _is_same(stock: Stock, again: Stock) -> bool:
    names = ("depot_id", "item", "source", "giver_id", "unit_value", "received_on", "expires_on", "received")
    return all(getattr(stock.lot, name) == getattr(again.lot, name) for name in names)
