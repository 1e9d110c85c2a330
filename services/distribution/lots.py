"""Lots (rules 13, 14): received, sent, counted, blocked, recalled, expired, and what each makes of the books. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from contracts.events import (
    Holding,
    Lot,
    LotExpiring,
    LotRecalled,
    StockAdjusted,
    StockBlocked,
    StockReceived,
    StockTransferred,
)
from contracts.refusals import RefusalCode
from contracts.submissions import StockSubmitted
from policies import DistributionRules
from services.distribution.stock import Account, Balances, Entry, Move, post


@dataclass(frozen=True, slots=True)
class Transfer:
    """A truck with units of a lot; `received` null while it is on its way."""

    transfer_id: UUID
    lot_id: UUID
    from_depot_id: str
    to_depot_id: str
    sent: int
    received: int | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """A lot as its newest fact says it, and as the books have it now."""

    lot: Lot
    regency: str
    balances: Balances
    blocked_at: frozenset[str] = frozenset()
    warned: bool = False

    def at(self, depot_id: str, account: Account) -> int:
        """Units there."""
        return self.balances.get((depot_id, account), 0)


@dataclass(frozen=True, slots=True)
class Change:
    """A lot after a decision, and the moves that made it so; `stock.lot` is the fact to state."""

    stock: Stock
    moves: tuple[Move, ...] = ()


LotT = TypeVar("LotT", bound=Lot)


def receive(submission: StockSubmitted, regency: str, shelf_life_days: int, cause: UUID) -> Change:
    """A new lot; without a printed date it lasts from its reception for the item's shelf life (rule 14)."""
    lot = Lot(
        version=1,
        lot_id=submission.lot_id,
        depot_id=submission.depot_id,
        item=submission.item,
        status="usable",
        source=submission.source,
        giver_id=submission.giver_id,
        unit_value=submission.unit_value,
        received_on=submission.received_on,
        expires_on=submission.expires_on or submission.received_on + timedelta(days=shelf_life_days),
        received=0,
        found=0,
        holdings=(),
        with_holders=0,
        delivered=0,
        blocked=0,
        written_off=0,
        returned_to_giver=0,
    )
    moves = _moves(lot.lot_id, lot.depot_id, cause, (submission.units, Account.RECEIVED, Account.AVAILABLE))
    balances = post({}, moves)
    return Change(Stock(lot.then(StockReceived, **_sums(balances) | {"version": 1}), regency, balances), moves)


def send(stock: Stock, transfer: Transfer, cause: UUID) -> Change | RefusalCode:
    """Units leave for another depot."""
    if stock.lot.status in {"recalled", "expired"} or transfer.from_depot_id in stock.blocked_at:
        return RefusalCode.LOT_NOT_USABLE
    if transfer.sent > stock.at(transfer.from_depot_id, Account.AVAILABLE):
        return RefusalCode.NOT_ENOUGH_STOCK
    sent = (transfer.sent, Account.AVAILABLE, Account.IN_TRANSIT)
    moves = _moves(stock.lot.lot_id, transfer.from_depot_id, cause, sent)
    return _state(
        stock,
        tuple(replace(move, to_depot_id=transfer.to_depot_id) for move in moves),
        StockTransferred,
        from_depot_id=transfer.from_depot_id,
        to_depot_id=transfer.to_depot_id,
        units=transfer.sent,
        missing=0,
    )


def arrive(stock: Stock, transfer: Transfer, counted: int, cause: UUID) -> Change:
    """The receiver signs: what is missing is written off, what is too many was found."""
    depot_id = transfer.to_depot_id
    arrived, missing = min(counted, transfer.sent), max(transfer.sent - counted, 0)
    shelf = shelf_account(stock, depot_id)
    moves = _moves(
        stock.lot.lot_id,
        depot_id,
        cause,
        (arrived, Account.IN_TRANSIT, shelf),
        (missing, Account.IN_TRANSIT, Account.WRITTEN_OFF),
        (max(counted - transfer.sent, 0), Account.FOUND, shelf),
    )
    return _state(
        stock,
        moves,
        StockTransferred,
        from_depot_id=transfer.from_depot_id,
        to_depot_id=depot_id,
        units=counted,
        missing=missing,
    )


def count(stock: Stock, depot_id: str, counted: int, cause: UUID) -> Change | None:
    """What a count of the shelf changes: found, or missing from what is free and then from what is reserved.

    The packages whose goods are missing must have been released before (`unbacked_units`). A blocked lot's shelf is
    its blocked units. None when the books are right.
    """
    shelf = shelf_account(stock, depot_id)
    booked = stock.at(depot_id, shelf) + stock.at(depot_id, Account.RESERVED)
    found, missing = max(counted - booked, 0), max(booked - counted, 0)
    moves = _moves(
        stock.lot.lot_id,
        depot_id,
        cause,
        (found, Account.FOUND, shelf),
        (missing, shelf, Account.WRITTEN_OFF),
    )
    return _state(stock, moves, StockAdjusted, reason="counted") if moves else None


def unbacked_units(stock: Stock, depot_id: str, counted: int) -> int:
    """Units that packages have reserved at this depot and that a count did not see."""
    return max(stock.at(depot_id, Account.RESERVED) - counted, 0)


def recall(stock: Stock, reason: str, recipients: int, cause: UUID) -> Change | None:
    """Called back everywhere: free units are blocked at once, reserved ones when their packages are planned again."""
    if stock.lot.status == "recalled":
        return None
    moves = _block_free(stock, cause)
    return _state(stock, moves, LotRecalled, status="recalled", reason=reason, recipients=recipients)


def expire(stock: Stock, cause: UUID) -> Change:
    """Past its date: nothing of it leaves any more."""
    return _state(stock, _block_free(stock, cause), StockBlocked, status="expired", reason="expired")


def warn(stock: Stock) -> Change:
    """It will not survive delivery and the minimum shelf time: said once."""
    change = _state(stock, (), LotExpiring)
    return replace(change, stock=replace(change.stock, warned=True))


def block(stock: Stock, depot_id: str, reason: str, cause: UUID) -> Change | None:
    """Nothing of the lot leaves this depot; what is reserved there is given up when its packages are planned again."""
    if depot_id in stock.blocked_at:
        return None
    free = (stock.at(depot_id, Account.AVAILABLE), Account.AVAILABLE, Account.BLOCKED)
    moves = _moves(stock.lot.lot_id, depot_id, cause, free)
    status = "blocked" if stock.lot.status == "usable" else stock.lot.status
    stock = replace(stock, blocked_at=stock.blocked_at | {depot_id})
    return _state(stock, moves, StockBlocked, status=status, reason=reason)


def release(stock: Stock, depot_id: str, cause: UUID) -> Change | RefusalCode | None:
    """The lot may leave this depot again; a recalled or expired one may not."""
    if depot_id not in stock.blocked_at:
        return None
    if stock.lot.status in {"recalled", "expired"}:
        return RefusalCode.LOT_NOT_USABLE
    kept = (stock.at(depot_id, Account.BLOCKED), Account.BLOCKED, Account.AVAILABLE)
    moves = _moves(stock.lot.lot_id, depot_id, cause, kept)
    stock = replace(stock, blocked_at=stock.blocked_at - {depot_id})
    status = "blocked" if stock.blocked_at else "usable"
    return _state(stock, moves, StockAdjusted, status=status, reason="released")


def reverse(stock: Stock, entries: Iterable[Entry], cause: UUID) -> Change | RefusalCode:
    """Take back what a submission entered: linked opposite entries, once, and only while the units are still there.

    Units on a shelf are free or blocked as they are now, not as they were then.
    """
    moves = []
    for entry in entries:
        if entry.is_reversed:
            return RefusalCode.ALREADY_REVERSED
        wrong = entry.move
        moves.append(
            replace(
                wrong,
                from_account=_now(stock, wrong.to_account, wrong.to_depot_id),
                from_depot_id=wrong.to_depot_id,
                to_account=_now(stock, wrong.from_account, wrong.from_depot_id),
                to_depot_id=wrong.from_depot_id,
                cause=cause,
                reverses=entry.entry_id,
            )
        )
    if any(units < 0 for units in post(stock.balances, moves).values()):
        return RefusalCode.NOT_ENOUGH_STOCK
    return _state(stock, tuple(moves), StockAdjusted, reason="reversed")


def put_back(stock: Stock, moves: tuple[Move, ...], *, damaged: bool) -> Change:
    """Goods of a package that was not delivered are in the ledger again."""
    return _state(stock, moves, StockAdjusted, reason="written_off" if damaged else "returned")


def shelf_account(stock: Stock, depot_id: str) -> Account:
    """Where units that come to a depot go: free, unless the lot may not move there."""
    may_not_move = stock.lot.status in {"recalled", "expired"} or depot_id in stock.blocked_at
    return Account.BLOCKED if may_not_move else Account.AVAILABLE


def _now(stock: Stock, account: Account, depot_id: str) -> Account:
    return shelf_account(stock, depot_id) if account in {Account.AVAILABLE, Account.BLOCKED} else account


def lasts_until(used_on: date, rules: DistributionRules) -> date:
    """The first date of expiry late enough for goods used on a day: delivery, then some time at home (rule 14)."""
    return used_on + timedelta(days=rules.delivery_days + rules.minimum_shelf_days)


def _state(stock: Stock, moves: tuple[Move, ...], fact: type[LotT], **said: object) -> Change:
    balances = post(stock.balances, moves)
    lot = stock.lot.then(fact, **_sums(balances) | said)
    return Change(replace(stock, lot=lot, balances=balances), moves)


def _sums(balances: Balances) -> dict[str, Any]:
    """The fields of a lot's fact that the books decide."""
    depots = sorted({depot_id for depot_id, _ in balances})
    holdings = tuple(
        Holding(
            depot_id=depot_id,
            available=balances.get((depot_id, Account.AVAILABLE), 0),
            reserved=balances.get((depot_id, Account.RESERVED), 0),
            in_transit=balances.get((depot_id, Account.IN_TRANSIT), 0),
        )
        for depot_id in depots
    )
    totals = {account: sum(units for (_, other), units in balances.items() if other is account) for account in Account}
    return {
        "holdings": tuple(one for one in holdings if one.available or one.reserved or one.in_transit),
        "received": totals[Account.RECEIVED],
        "found": totals[Account.FOUND],
        "with_holders": totals[Account.WITH_HOLDERS],
        "delivered": totals[Account.DELIVERED],
        "blocked": totals[Account.BLOCKED],
        "written_off": totals[Account.WRITTEN_OFF],
        "returned_to_giver": totals[Account.RETURNED_TO_GIVER],
    }


def _block_free(stock: Stock, cause: UUID) -> tuple[Move, ...]:
    free = [(depot_id, units) for (depot_id, account), units in stock.balances.items() if account is Account.AVAILABLE]
    return tuple(
        move
        for depot_id, units in free
        for move in _moves(stock.lot.lot_id, depot_id, cause, (units, Account.AVAILABLE, Account.BLOCKED))
    )


def _moves(lot_id: UUID, depot_id: str, cause: UUID, *parts: tuple[int, Account, Account]) -> tuple[Move, ...]:
    """Entries at one depot, (units, from, to) each; none where nothing moves."""
    return tuple(
        Move(lot_id, units, source, depot_id, target, depot_id, cause=cause) for units, source, target in parts if units
    )
