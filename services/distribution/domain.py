"""The life of a package (rule 16): picked up, delivered, failed, returned, cancelled, closed. Pure.

Each function says what a report makes of a package, or the code of the refusal; the last fact is its new state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from contracts.events import (
    Package,
    PackageCancelled,
    PackageDelivered,
    PackageFailed,
    PackagePickedUp,
    PackagePlanned,
    PackageReturned,
    Proof,
    ProofFlagged,
)
from contracts.refusals import RefusalCode
from contracts.submissions import DeliverySubmitted
from contracts.vocabulary import FailureReason
from policies import Item
from services.distribution.stock import Account, Move, Unusable

RECALLED: Final = "lot_recalled"

_ENDED: Final = frozenset({"delivered", "cancelled", "returned"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """A package, and where the units of its lots stand in the ledger."""

    package: Package
    account: Account | None = None
    """Null: nothing in the ledger belongs to it, because it is brought, or its goods are back on the shelf."""
    held_version: int | None = None
    """Version of the household that was known when it was said to have moved away."""


@dataclass(frozen=True, slots=True)
class Step:
    """A package after a decision: its facts in order, and what they move in the ledger."""

    parcel: Parcel
    facts: tuple[Package, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class CameIn:
    """When a proof came in."""

    at: datetime
    late: bool
    """After the month it belongs to."""


PackageT = TypeVar("PackageT", bound=Package)


def pick_up(parcel: Parcel, collector_id: str) -> Step | RefusalCode | None:
    """A collector took it, also on a second try. Reported after it went out it is known already: None."""
    package = parcel.package
    is_left_behind = package.status == "failed" and parcel.account is Account.RESERVED
    if package.status != "planned" and not is_left_behind:
        return None if package.status in {"picked_up", "delivered", "failed"} else RefusalCode.WRONG_STATE
    moved, moves = move_goods(parcel, Account.WITH_HOLDERS)
    return _step(moved, PackagePickedUp, moves, status="picked_up", collector_id=collector_id)


def deliver(
    parcel: Parcel,
    delivery: DeliverySubmitted,
    came_in: CameIn,
    items: Mapping[str, Item],
    unusable: Unusable,
) -> Step | RefusalCode | None:
    """It reached its household, whatever was said of it: proof counts, also late and without a pick-up (rule 17).

    The same proof again changes nothing; another one for a delivered package is refused.
    """
    package = parcel.package
    if package.status == "delivered":
        return None if _is_same(package.proof, delivery) else RefusalCode.WRONG_STATE
    proof = Proof(
        received_by=delivery.received_by or "",
        photo_sha256=delivery.photo_sha256,
        place=delivery.place,
        happened_at=delivery.happened_at,
        received_at=came_in.at,
        late=came_in.late,
    )
    moves: tuple[Move, ...] = ()
    if delivery.brought and parcel.account in {None, Account.RESERVED}:
        # Its carer brought goods of their own: what a depot kept for it is free again.
        parcel, moves = free_shelf(parcel, unusable)
        package = _as_brought(parcel.package, delivery, items)
    elif package.lots:
        parcel, moves = move_goods(parcel, Account.DELIVERED)
    step = _step(replace(parcel, package=package), PackageDelivered, moves, status="delivered", proof=proof)
    return replace(step, parcel=replace(step.parcel, held_version=None))


def flag(step: Step, suspicions: tuple[str, ...]) -> Step:
    """The delivery stands; someone takes a second look."""
    flags = (*step.parcel.package.flags, *suspicions)
    flagged = _step(step.parcel, ProofFlagged, (), flags=flags, suspicions=suspicions)
    return replace(step, parcel=flagged.parcel, facts=step.facts + flagged.facts)


def fail(
    parcel: Parcel, reason: FailureReason, attempts_before_review: int, household_version: int, *, closed: bool
) -> Step | None:
    """An attempt failed. Having tried means that the goods were out, unless they were not brought at all.

    Two failed attempts, and a household that refuses, are final: no further one is planned, but one may still be made.
    Who is said to have moved away is waited for until the village confirms. Reported after the package has ended
    (delivered on a second try, cancelled because the household left) it is known already: None.
    """
    package = parcel.package
    if package.status in _ENDED:
        return None
    moves: tuple[Move, ...] = ()
    if reason is not FailureReason.NOT_BROUGHT:
        parcel, moves = move_goods(parcel, Account.WITH_HOLDERS)
    attempts = package.attempts + 1
    is_held = package.status == "held" or (reason is FailureReason.MOVED_AWAY and not closed)
    step = _step(
        parcel,
        PackageFailed,
        moves,
        status="held" if is_held else "failed",
        attempts=attempts,
        failure_reason=reason,
        final=closed or (not is_held and is_final(attempts, reason, attempts_before_review)),
    )
    if is_held and reason is FailureReason.MOVED_AWAY:
        step = replace(step, parcel=replace(step.parcel, held_version=household_version))
    return step


def is_final(attempts: int, reason: str | None, attempts_before_review: int) -> bool:
    """Whether a failed package is left to the coordinator's review (rule 16)."""
    return attempts >= attempts_before_review or reason == FailureReason.REFUSED


def give_back(parcel: Parcel, depot_id: str, targets: Mapping[UUID, Account]) -> Step | RefusalCode | None:
    """Its goods are at a depot; `targets` says for each lot on which account they go."""
    package = parcel.package
    if package.status == "returned":
        return None
    if package.status in {"planned", "delivered"} or (package.supply == "stock" and parcel.account is None):
        return RefusalCode.WRONG_STATE
    moves = tuple(
        replace(move, to_account=targets[move.lot_id], to_depot_id=depot_id)
        for move in move_goods(parcel, Account.AVAILABLE)[1]
    )
    return _step(replace(parcel, account=None), PackageReturned, moves, status="returned")


def cancel(parcel: Parcel, reason: str, unusable: Unusable) -> Step | RefusalCode | None:
    """Nobody is sent there again; what is still on the shelf is free, what a holder has waits for its return."""
    package = parcel.package
    if package.status == "cancelled":
        return None
    if package.status in _ENDED:
        return RefusalCode.WRONG_STATE
    parcel, moves = free_shelf(parcel, unusable)
    step = _step(parcel, PackageCancelled, moves, status="cancelled", reason=reason)
    return replace(step, parcel=replace(step.parcel, held_version=None))


def has_ended(parcel: Parcel) -> bool:
    """Delivered, cancelled or returned."""
    return parcel.package.status in _ENDED


def close(parcel: Parcel, unusable: Unusable, *, missed_before: bool) -> Step:
    """The window is over: what was not delivered ends as failed, never tried as not brought (rules 16, 18).

    `missed_before`: the household went without in the week before too, a supply gap.
    """
    freed, moves = free_shelf(parcel, unusable)
    return _step(
        replace(freed, held_version=None),
        PackageFailed,
        moves,
        status="failed",
        failure_reason=parcel.package.failure_reason or FailureReason.NOT_BROUGHT,
        final=True,
        supply_gap=missed_before,
    )


def lose_goods(parcel: Parcel, unusable: Unusable) -> Step:
    """A count did not see its goods: nobody supplies it until it is planned again."""
    freed, moves = free_shelf(parcel, unusable)
    return _step(freed, PackagePlanned, moves, status="planned", supply="brought", depot_id=None, lots=(), value=0)


def lots_kept(parcels: Iterable[Parcel]) -> set[UUID]:
    """Lots of which units stand on a shelf for these."""
    return {part.lot_id for parcel in parcels if parcel.account is Account.RESERVED for part in parcel.package.lots}


def free_shelf(parcel: Parcel, unusable: Unusable) -> tuple[Parcel, tuple[Move, ...]]:
    """What is still on the shelf for it becomes free, or blocked where its lot may not move (rule 14)."""
    if parcel.account is not Account.RESERVED:
        return parcel, ()
    moved, moves = move_goods(parcel, Account.AVAILABLE)
    return replace(moved, account=None), tuple(
        replace(move, to_account=Account.BLOCKED) if (move.lot_id, move.from_depot_id) in unusable else move
        for move in moves
    )


def move_goods(parcel: Parcel, target: Account) -> tuple[Parcel, tuple[Move, ...]]:
    """All its lots' units to another account of its depot.

    Goods that the books no longer hold for it (cancelled, then delivered after all) count as found.
    """
    package = parcel.package
    if not package.lots or package.depot_id is None or parcel.account is target:
        return parcel, ()
    if parcel.account is None and target is not Account.DELIVERED:
        return parcel, ()
    source, depot_id = parcel.account or Account.FOUND, package.depot_id
    moves = tuple(
        Move(part.lot_id, part.units, source, depot_id, target, depot_id, package_id=package.package_id)
        for part in package.lots
    )
    return replace(parcel, account=target), moves


def _step(parcel: Parcel, fact: type[Package], moves: tuple[Move, ...], **said: object) -> Step:
    stated = parcel.package.then(fact, **said)
    return Step(replace(parcel, package=stated), (stated,), moves)


def _as_brought(package: Package, delivery: DeliverySubmitted, items: Mapping[str, Item]) -> Package:
    value = sum(goods.units * items[goods.item].unit_value for goods in delivery.brought)
    brought = {"supply": "brought", "depot_id": None, "lots": (), "contents": delivery.brought, "value": value}
    return package.model_copy(update=brought)


def _is_same(proof: Proof | None, delivery: DeliverySubmitted) -> bool:
    return proof is not None and (proof.happened_at, proof.received_by, proof.photo_sha256, proof.place) == (
        delivery.happened_at,
        delivery.received_by,
        delivery.photo_sha256,
        delivery.place,
    )
