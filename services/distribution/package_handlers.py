"""Pick-ups, returns and cancellations of packages (rule 16)."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from contracts.refusals import RefusalCode
from contracts.submissions import (
    PackageCancellationSubmitted,
    PickUpSubmitted,
    ReturnSubmitted,
    StockSubmitted,
)
from contracts.vocabulary import SupplySource
from messaging import Accepted, Connection, Outcome, Received, Refused, Unchanged
from policies import Policies
from services.distribution import domain, lots, recipient_store, stock_store, store
from services.distribution.domain import Parcel, Step
from services.distribution.lots import Change, Stock
from services.distribution.package_store import Addressed, save_steps
from services.distribution.report_store import find_reported
from services.distribution.stock import Account, Move
from services.distribution.stock_handlers import cause_of


def outcome_of(step: Step | RefusalCode | None, field: str | None = None) -> Outcome:
    """A decision as messaging takes it."""
    if step is None:
        return Unchanged()
    return Accepted(step.facts) if isinstance(step, Step) else Refused(step, field)


async def on_pick_up_submitted(messages: Sequence[Received[PickUpSubmitted]], db: Connection) -> list[Outcome]:
    """A collector has it.

    What was called back or blocked in the same hour is out all the same: the ledger says where it is, and planning
    holds the package (rule 14).
    """
    found = await find_reported(db, messages)
    unusable = await stock_store.list_unusable(db)
    steps: list[Step] = []
    outcomes: list[Outcome] = []
    for message in messages:
        place = found.of(message)
        if not isinstance(place, Addressed):
            outcomes.append(place)
            continue
        step = domain.pick_up(place.parcel, message.data.collector_id)
        if isinstance(step, Step):
            steps.append(step)
        outcomes.append(outcome_of(step))
    await save_steps(db, steps, [move for step in steps for move in step.moves], messages[0].decided_at)
    packages = [step.parcel.package for step in steps]
    lost = [one for one in packages if any((part.lot_id, one.depot_id) in unusable for part in one.lots)]
    await store.plan_again(db, [package.household_id for package in lost])
    return outcomes


async def on_package_cancellation_submitted(
    messages: Sequence[Received[PackageCancellationSubmitted]], db: Connection
) -> list[Outcome]:
    """A person cancels: the household is a named removal of the round."""
    found = await find_reported(db, messages)
    kept = domain.lots_kept(place.parcel for place in found.addressed.values())
    unusable = await stock_store.lock_unusable(db, kept)
    steps: list[Step] = []
    outcomes: list[Outcome] = []
    for message in messages:
        place = found.of(message)
        if not isinstance(place, Addressed):
            outcomes.append(place)
            continue
        if found.rounds[message.data.round_id].round.status != "open":
            outcomes.append(Refused(RefusalCode.ROUND_CLOSED, "round_id"))
            continue
        step = domain.cancel(place.parcel, message.data.reason, unusable)
        if isinstance(step, Step):
            steps.append(step)
        outcomes.append(outcome_of(step))
    await save_steps(db, steps, [move for step in steps for move in step.moves], messages[0].decided_at)
    removed = [
        (message.data.round_id, message.data.household_id, message.data.reason)
        for message, outcome in zip(messages, outcomes, strict=True)
        if isinstance(outcome, Accepted)
    ]
    await recipient_store.remove_recipients(db, removed)
    return outcomes


async def on_return_submitted(
    messages: Sequence[Received[ReturnSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """Goods of a package that was not delivered are at a depot: on its shelf again, written off, or blocked.

    Brought goods were in no depot before: what is left of them comes in as new lots of who brought them.
    """
    found = await find_reported(db, messages)
    lot_ids = {part.lot_id for one in found.addressed.values() for part in one.parcel.package.lots}
    stocks = await stock_store.lock_stocks(db, lot_ids)
    steps: list[Step] = []
    changed: dict[UUID, Stock] = {}
    moves: list[Move] = []
    outcomes: list[Outcome] = []
    for message in messages:
        place = found.of(message)
        if not isinstance(place, Addressed):
            outcomes.append(place)
            continue
        if message.data.depot_id not in policies[message.regency].depot:
            outcomes.append(Refused(RefusalCode.UNKNOWN_DEPOT, "depot_id"))
            continue
        step = domain.give_back(place.parcel, message.data.depot_id, _targets(place.parcel, message.data, stocks))
        if not isinstance(step, Step):
            outcomes.append(outcome_of(step))
            continue
        changes = _changes(message, place.parcel, step, stocks, policies)
        for change in changes:
            stocks[change.stock.lot.lot_id] = change.stock
            changed[change.stock.lot.lot_id] = change.stock
            moves += change.moves
        steps.append(step)
        outcomes.append(Accepted((*step.facts, *(change.stock.lot for change in changes))))
    await stock_store.save_stocks(db, changed.values())
    await save_steps(db, steps, moves, messages[0].decided_at)
    await store.plan_again(db, [step.parcel.package.household_id for step in steps])
    return outcomes


def _targets(parcel: Parcel, report: ReturnSubmitted, stocks: Mapping[UUID, Stock]) -> dict[UUID, Account]:
    return {
        part.lot_id: Account.WRITTEN_OFF if report.damaged else lots.shelf_account(stocks[part.lot_id], report.depot_id)
        for part in parcel.package.lots
    }


def _changes(
    message: Received[ReturnSubmitted], parcel: Parcel, step: Step, stocks: Mapping[UUID, Stock], policies: Policies
) -> list[Change]:
    """The lots that the return changes or makes."""
    report = message.data
    by_lot = {move.lot_id: tuple(one for one in step.moves if one.lot_id == move.lot_id) for move in step.moves}
    if by_lot:
        return [
            lots.put_back(stocks[lot_id], lot_moves, damaged=report.damaged) for lot_id, lot_moves in by_lot.items()
        ]
    package, policy = parcel.package, policies[message.regency]
    if package.supply != "brought" or report.damaged:
        return []
    return [
        lots.receive(
            StockSubmitted(
                happened_at=report.happened_at,
                depot_id=report.depot_id,
                lot_id=uuid4(),
                item=goods.item,
                units=goods.units,
                unit_value=policy.item[goods.item].unit_value,
                source=SupplySource.PARTNER if package.pledge_id else SupplySource.ASN,
                giver_id=package.giver_id,
                received_on=message.decided_at.astimezone(policy.zone).date(),
                expires_on=None,
            ),
            message.regency,
            policy.item[goods.item].shelf_life_days,
            cause_of(message),
        )
        for goods in package.contents
    ]
