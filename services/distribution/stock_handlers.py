"""Goods at depots: received, blocked, called back (rules 13, 14); and how every decision about lots is carried out."""

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
from messaging import Accepted, Connection, Outcome, Received, Refused, Unchanged
from messaging.reading import digest
from policies import Policies
from services.distribution import ledger_store, lots, stock_store, store
from services.distribution.lots import Change, Stock
from services.distribution.stock import Move, post

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
        change = lots.receive(submitted, policy.item[submitted.item].shelf_life_days, cause_of(message))
        if stock is None:
            return change
        return Unchanged() if _is_same(stock, change.stock) else Refused(RefusalCode.ALREADY_EXISTS, "lot_id")

    return await decide_lots(messages, db, policies, decide)


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

    outcomes = await decide_lots(messages, db, policies, decide)
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

    outcomes = await decide_lots(messages, db, policies, decide)
    await store.plan_again_packages(db, [message.data.lot_id for message in messages])
    return outcomes


async def decide_lots(
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
    changed: dict[UUID, tuple[str, Stock]] = {}
    posted = list(moves)
    outcomes: list[Outcome] = []
    for message in messages:
        if message.data.depot_id not in policies[message.regency].depot:
            outcomes.append(Refused(RefusalCode.UNKNOWN_DEPOT, "depot_id"))
            continue
        decided = decide(message, stocks.get(message.data.lot_id))
        if isinstance(decided, Change):
            stocks[message.data.lot_id] = decided.stock
            changed[message.data.lot_id] = (message.regency, decided.stock)
            posted += decided.moves
            decided = Accepted((decided.stock.lot,))
        outcomes.append(decided)
    await stock_store.save_stocks(db, list(changed.values()))
    await ledger_store.post_moves(db, posted, messages[0].decided_at)
    return outcomes


def cause_of(message: Received[MessageT] | Received[ReversalSubmitted] | Received[ReturnSubmitted]) -> UUID:
    """What an entry of the ledger is there for: a hash of the submission's source and id."""
    return digest(message.source, message.id)


def _after(stock: Stock, moves: Sequence[Move]) -> Stock:
    own = [move for move in moves if move.lot_id == stock.lot.lot_id]
    return replace(stock, balances=post(stock.balances, own)) if own else stock


def _is_same(stock: Stock, again: Stock) -> bool:
    names = ("depot_id", "item", "source", "giver_id", "unit_value", "received_on", "expires_on", "received")
    return all(getattr(stock.lot, name) == getattr(again.lot, name) for name in names)
