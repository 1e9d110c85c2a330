"""What other services say that somebody has to be told: missing visits, households without a carer, stock, floor."""

from collections.abc import Sequence
from datetime import datetime

from contracts.events import (
    FloorAtRisk,
    HouseholdUnserved,
    LotExpiring,
    LotRecalled,
    Package,
    PackageDelivered,
    PackagePickedUp,
    StockLow,
    VisitOverdue,
)
from messaging import Accepted, Connection, Outcome, Received, Unchanged
from policies import Policies, Policy
from services.notifications import intent_store, store
from services.notifications.intents import About, Intent, Kind, News, tell
from services.notifications.store import Holder, Recalled


async def on_visit_overdue(
    messages: Sequence[Received[VisitOverdue]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """The carer is told, then the district's coordinator; at once the coordinator where there is no carer (rule 21)."""
    intents: list[Intent] = []
    for message in messages:
        visit, policy = message.data, policies[message.regency]
        to_carer = visit.level == "carer" and visit.carer_id is not None
        recipient_id = str(visit.carer_id) if to_carer else policy.district[visit.district].coordinator
        news = News(
            visit.visit_id,
            visit.version,
            Kind.VISIT_OVERDUE,
            message.correlationid,
            About(household_id=visit.household_id, district=visit.district, period=visit.period),
        )
        intents += tell(news, [recipient_id], policy, message.decided_at)
    await intent_store.insert_intents(db, intents)
    return [Accepted() for _ in messages]


async def on_household_unserved(
    messages: Sequence[Received[HouseholdUnserved]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """An alarm for the coordinator (rule 9): it comes with the digest, a carer is looked for meanwhile."""
    intents: list[Intent] = []
    for message in messages:
        unserved, policy = message.data, policies[message.regency]
        news = News(
            unserved.assignment_id,
            unserved.version,
            Kind.HOUSEHOLD_UNSERVED,
            message.correlationid,
            About(household_id=unserved.household_id, district=unserved.district, reason=unserved.reason),
        )
        intents += tell(news, [policy.district[unserved.district].coordinator], policy, message.decided_at)
    await intent_store.insert_intents(db, intents)
    return [Accepted() for _ in messages]


async def on_package_moved(
    messages: Sequence[Received[PackagePickedUp | PackageDelivered]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """Who has goods of a lot is remembered, and told when the lot is called back already."""
    holders = {
        message.data.package_id: [Holder(lot.lot_id, message.data.package_id, holder_id) for lot in message.data.lots]
        for message in messages
        if message.data.lots and (holder_id := _holder(message.data)) is not None
    }
    everybody = [holder for together in holders.values() for holder in together]
    if not everybody:
        return [Unchanged() for _ in messages]
    await store.share_recalls(db)
    await store.insert_holders(db, everybody)
    recalled = await store.list_recalled(db, {holder.lot_id for holder in everybody})
    intents: list[Intent] = []
    for message in messages:
        for holder in holders.get(message.data.package_id, ()):
            if holder.lot_id in recalled:
                lot, policy = recalled[holder.lot_id], policies[message.regency]
                intents += _tell_recall(lot, {holder.holder_id}, message.correlationid, policy, message.decided_at)
    await intent_store.insert_intents(db, intents)
    return [Accepted() for _ in messages]


async def on_lot_recalled(
    messages: Sequence[Received[LotRecalled]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """Everybody who had goods of it and the coordinator of every depot that holds some are told at once (rule 14)."""
    await store.lock_recalls(db)
    lots = [message.data for message in messages]
    await store.save_recalled(db, lots)
    recalled = await store.list_recalled(db, [lot.lot_id for lot in lots])
    holders = await store.list_holders(db, [lot.lot_id for lot in lots])
    intents: list[Intent] = []
    for message in messages:
        lot, policy = message.data, policies[message.regency]
        depot_ids = {lot.depot_id} | {holding.depot_id for holding in lot.holdings}
        coordinators = {_depot_coordinator(depot_id, policy) for depot_id in depot_ids}
        intents += _tell_recall(
            recalled[lot.lot_id],
            coordinators | holders.get(lot.lot_id, set()),
            message.correlationid,
            policy,
            message.decided_at,
        )
    await intent_store.insert_intents(db, intents)
    return [Accepted() for _ in messages]


async def on_lot_expiring(
    messages: Sequence[Received[LotExpiring]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A lot that will not survive delivery: for the coordinator of every depot that holds some."""
    intents: list[Intent] = []
    for message in messages:
        lot, policy = message.data, policies[message.regency]
        for depot_id in sorted({holding.depot_id for holding in lot.holdings} or {lot.depot_id}):
            about = About(depot_id=depot_id, item=lot.item, lot_id=lot.lot_id)
            news = News(lot.lot_id, lot.version, Kind.LOT_EXPIRING, message.correlationid, about)
            intents += tell(news, [_depot_coordinator(depot_id, policy)], policy, message.decided_at)
    await intent_store.insert_intents(db, intents)
    return [Accepted() for _ in messages]


async def on_stock_low(messages: Sequence[Received[StockLow]], db: Connection, *, policies: Policies) -> list[Outcome]:
    """An item that does not cover its plans: for the depot's coordinator."""
    intents: list[Intent] = []
    for message in messages:
        stock, policy = message.data, policies[message.regency]
        about = About(depot_id=stock.depot_id, item=stock.item)
        news = News(stock.stock_id, stock.version, Kind.STOCK_LOW, message.correlationid, about)
        intents += tell(news, [_depot_coordinator(stock.depot_id, policy)], policy, message.decided_at)
    await intent_store.insert_intents(db, intents)
    return [Accepted() for _ in messages]


async def on_floor_at_risk(
    messages: Sequence[Received[FloorAtRisk]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """The social office's desk and the regional secretary are told at once (rule 19)."""
    intents: list[Intent] = []
    for message in messages:
        floor, policy = message.data, policies[message.regency]
        news = News(
            floor.round_id,
            floor.version,
            Kind.FLOOR_AT_RISK,
            message.correlationid,
            About(period=floor.month, programme=floor.programme, percent=floor.at_percent),
            urgent=True,
        )
        recipients = (policy.office[policy.social_office].desk, policy.regional_secretary)
        intents += tell(news, recipients, policy, message.decided_at)
    await intent_store.insert_intents(db, intents)
    return [Accepted() for _ in messages]


def _tell_recall(
    lot: Recalled, recipients: set[str], correlationid: str, policy: Policy, now: datetime
) -> tuple[Intent, ...]:
    about = About(lot_id=lot.lot_id, item=lot.item)
    news = News(lot.lot_id, lot.version, Kind.LOT_RECALLED, correlationid, about, urgent=True)
    return tell(news, sorted(recipients), policy, now)


def _depot_coordinator(depot_id: str, policy: Policy) -> str:
    return policy.district[policy.depot[depot_id].district].coordinator


def _holder(package: Package) -> str | None:
    """A collector who picked it up; the carer who handed it over, when it is delivered."""
    if isinstance(package, PackagePickedUp):
        return package.collector_id
    return str(package.carer_id) if package.carer_id else None
