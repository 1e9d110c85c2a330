"""Trucks between depots: two entries, one at each end (rule 13)."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from contracts.refusals import RefusalCode
from contracts.submissions import TransferSubmitted
from messaging import Connection, Outcome, Parked, Received, Refused, Unchanged
from policies import Policies
from services.distribution import lots, stock_store
from services.distribution.lots import Change, Stock, Transfer
from services.distribution.stock_handlers import cause_of, decide_lots


async def on_transfer_submitted(
    messages: Sequence[Received[TransferSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A truck leaves, or is signed for; its arrival waits for its departure, which another depot reports."""
    trucks = await stock_store.lock_transfers(db, [message.data.transfer_id for message in messages])
    before = dict(trucks)

    def decide(message: Received[TransferSubmitted], stock: Stock | None) -> Change | Outcome:
        wanted = message.data
        if wanted.other_depot_id not in policies[message.regency].depot:
            return Refused(RefusalCode.UNKNOWN_DEPOT, "other_depot_id")
        if wanted.step == "sent":
            return _depart(message, stock, trucks)
        return _arrive(message, stock, trucks)

    outcomes = await decide_lots(messages, db, policies, decide)
    await stock_store.save_transfers(db, [truck for key, truck in trucks.items() if before.get(key) != truck])
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
