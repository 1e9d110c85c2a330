"""What happens at the door: delivered with proof, or failed with a reason (rules 16, 17). The hot path."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.refusals import RefusalCode
from contracts.submissions import DeliverySubmitted
from messaging import Connection, Outcome, Received, Refused, Unchanged
from policies import Policies, Policy
from services.distribution import attempt_store, domain, proof, register_store, rounds, stock_store, store
from services.distribution.domain import CameIn, Step
from services.distribution.package_handlers import outcome_of
from services.distribution.package_store import Addressed, save_steps
from services.distribution.proof import NEAR_IN_TIME, Delivery, Point
from services.distribution.report_store import Reported, find_reported
from services.distribution.stock import Unusable


@dataclass(frozen=True, slots=True)
class Seen:
    """Deliveries that the next one is compared with; grows as they are decided.

    Two replicas that decide at the same moment may not see each other's: a second look is no verdict.
    """

    by_carer: Mapping[UUID, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    by_photo: Mapping[bytes, list[Delivery]] = field(default_factory=lambda: defaultdict(list))

    def add(self, delivery: Delivery) -> None:
        """Compare later ones with this too."""
        self.by_carer[delivery.carer_id].append(delivery)
        if delivery.photo is not None:
            self.by_photo[delivery.photo].append(delivery)


async def on_delivery_submitted(
    messages: Sequence[Received[DeliverySubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """An attempt at the door. Phones are late: no pick-up is needed, and proof counts whenever it comes."""
    found = await find_reported(db, messages)
    unusable = await _lock_unusable(db, [message.data for message in messages], found)
    seen = await _see(db, [message.data for message in messages if message.data.delivered])
    tried = await _list_tried(db, [message.data for message in messages if not message.data.delivered], found)
    steps: list[Step] = []
    attempts: list[tuple[UUID, DeliverySubmitted, datetime]] = []
    outcomes: list[Outcome] = []
    for message in messages:
        policy = policies[message.regency]
        decided = _decide(message, found, policy, tried, unusable)
        if isinstance(decided, Step):
            if message.data.delivered:
                decided = _look_at_proof(decided, message.data, found, seen, policy)
            steps.append(decided)
            attempts.append((decided.parcel.package.package_id, message.data, message.received_at))
            decided = outcome_of(decided)
        outcomes.append(decided)
    await save_steps(db, steps, [move for step in steps for move in step.moves], messages[0].decided_at)
    await attempt_store.insert_attempts(db, attempts)
    late = [step.parcel.package.household_id for step in steps if _is_late(step, found)]
    if late:
        await store.plan_again(db, await register_store.list_stayed(db, late))
    return outcomes


def _is_late(step: Step, found: Reported) -> bool:
    """Delivered after it was cancelled: if its household was merged, the one that stays has had it (rule 15)."""
    package = step.parcel.package
    before = found.addressed[package.round_id, package.household_id].parcel.package
    return package.status == "delivered" and before.status == "cancelled"


def _decide(
    message: Received[DeliverySubmitted],
    found: Reported,
    policy: Policy,
    tried: set[tuple[UUID, datetime]],
    unusable: Unusable,
) -> Step | Outcome:
    report = message.data
    if report.received_by is None if report.delivered else report.failure_reason is None:
        return Refused(RefusalCode.PROOF_NEEDED, "received_by" if report.delivered else "failure_reason")
    if any(goods.item not in policy.item for goods in report.brought):
        return Refused(RefusalCode.UNKNOWN_ITEM, "brought")
    place = found.of(message)
    if not isinstance(place, Addressed):
        return place
    current = found.rounds[report.round_id].round
    step: Step | RefusalCode | None
    if report.delivered:
        late = rounds.is_late(current.period, message.received_at.astimezone(policy.zone).date())
        step = domain.deliver(place.parcel, report, CameIn(message.received_at, late), policy.item, unusable)
    elif (place.parcel.package.package_id, report.happened_at) in tried:
        return Unchanged()
    else:
        step = _fail(place, report, policy, closed=current.status != "open")
    return step if isinstance(step, Step) else outcome_of(step)


def _fail(place: Addressed, report: DeliverySubmitted, policy: Policy, *, closed: bool) -> Step | RefusalCode | None:
    if report.failure_reason is None:
        return RefusalCode.PROOF_NEEDED
    attempts = policy.distribution.attempts_before_review
    return domain.fail(place.parcel, report.failure_reason, attempts, place.household_version, closed=closed)


def _look_at_proof(step: Step, report: DeliverySubmitted, found: Reported, seen: Seen, policy: Policy) -> Step:
    delivery = Delivery(
        step.parcel.package.package_id,
        report.household_id,
        report.carer_id,
        report.happened_at,
        Point(report.place.latitude, report.place.longitude) if report.place else None,
        bytes.fromhex(report.photo_sha256) if report.photo_sha256 else None,
        found.addressed[report.round_id, report.household_id].door,
        report.mock_location,
    )
    same_photo = seen.by_photo.get(delivery.photo, ()) if delivery.photo else ()
    suspicions = proof.suspect(delivery, seen.by_carer.get(delivery.carer_id, ()), same_photo, policy.distribution)
    seen.add(delivery)
    return domain.flag(step, suspicions) if suspicions else step


async def _lock_unusable(db: Connection, reports: Sequence[DeliverySubmitted], found: Reported) -> Unusable:
    """What may not move of that which a depot keeps for those whose carers brought something else: rarely anything."""
    brought = {(report.round_id, report.household_id) for report in reports if report.delivered and report.brought}
    kept = domain.lots_kept(place.parcel for pair, place in found.addressed.items() if pair in brought)
    return await stock_store.lock_unusable(db, kept) if kept else frozenset()


async def _see(db: Connection, reports: Sequence[DeliverySubmitted]) -> Seen:
    """What these carers delivered about that time, and another occasion that was proven with the same photo."""
    seen = Seen()
    if not reports:
        return seen
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for report in reports:
        times[report.carer_id].append(report.happened_at)
    spans = [(carer, min(at) - NEAR_IN_TIME, max(at) + NEAR_IN_TIME) for carer, at in times.items()]
    for delivery in await attempt_store.list_deliveries_of(db, spans):
        seen.by_carer[delivery.carer_id].append(delivery)
    photos = [
        (
            bytes.fromhex(report.photo_sha256),
            report.household_id,
            report.happened_at - NEAR_IN_TIME,
            report.happened_at + NEAR_IN_TIME,
        )
        for report in reports
        if report.photo_sha256
    ]
    for delivery in await attempt_store.list_deliveries_with(db, photos):
        if delivery.photo is not None:
            seen.by_photo[delivery.photo].append(delivery)
    return seen


async def _list_tried(
    db: Connection, reports: Sequence[DeliverySubmitted], found: Reported
) -> set[tuple[UUID, datetime]]:
    """Failed attempts that were reported before, under another id: they count once."""
    pairs = [(found.addressed.get((report.round_id, report.household_id)), report) for report in reports]
    return await attempt_store.find_attempts(
        db, [(place.parcel.package.package_id, report.happened_at) for place, report in pairs if place]
    )
