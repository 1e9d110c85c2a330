"""What is planned for each recipient of a round, and planned again when the world changes (rules 11, 12, 14, 16). Pure.

Pledged: the partner brings it. Else a programme that may come from stock takes a whole package from the district's
depot, first expired first out. Else the carer's office brings it. Who nobody can supply waits.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from contracts.events import Package, PackagePlanned, Round
from contracts.vocabulary import FailureReason, Goods
from policies import Policy
from services.distribution.domain import RECALLED, Parcel, Step, cancel, free_shelf, move_goods
from services.distribution.rounds import week_of
from services.distribution.shelves import Shelves
from services.distribution.stock import Account, Move, Unusable


@dataclass(frozen=True, slots=True)
class Household:
    """What planning knows of a household: the newest facts about it, its carer and its promises."""

    household_id: UUID
    version: int
    status: str
    left_because: str | None
    district: str
    village: str
    carer_id: UUID | None
    office_id: str | None
    pledge_id: UUID | None
    giver_id: str | None
    is_served: bool = False
    """One that was merged into it has had its package of this round."""
    is_removed: bool = False
    """It was taken off the round's list."""

    @property
    def nothing_because(self) -> str | None:
        """Why nothing is sent there (rules 15, 16); None when something is."""
        if self.status != "registered":
            return self.left_because or self.status
        return "merged" if self.is_served else None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody can supply it now."""


@dataclass(frozen=True, slots=True)
class Remove:
    """It is no recipient any more, and nothing is planned for it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Planner:
    """What is the same for every recipient of a round."""

    round: Round
    policy: Policy
    shelves: Shelves
    unusable: Unusable
    recalled: AbstractSet[UUID]
    """Lots called back everywhere."""

    @property
    def contents(self) -> tuple[Goods, ...]:
        """Goods of one package: the programme's, or the item of the week."""
        programme = self.policy.programme[self.round.programme]
        if programme.rotation:
            return (Goods(item=programme.rotation[week_of(self.round.period) - 1], units=1),)
        return programme.contents


def plan(planner: Planner, household: Household, new_id: UUID) -> Step | Wait | Remove:
    """A recipient without a package."""
    if household.nothing_because is not None:
        return Remove(household.nothing_because)
    unplanned = Package.model_construct(
        version=0,
        package_id=new_id,
        household_id=household.household_id,
        round_id=planner.round.round_id,
        programme=planner.round.programme,
        period=planner.round.period,
        district=household.district,
        village=household.village,
        carer_id=household.carer_id,
        status="planned",
        supply="brought",
        depot_id=None,
        giver_id=None,
        pledge_id=None,
        collector_id=None,
        contents=planner.contents,
        lots=(),
        value=0,
        attempts=0,
        failure_reason=None,
        proof=None,
        flags=(),
    )
    return _supply(planner, unplanned, household) or Wait()


def plan_again(planner: Planner, household: Household, parcel: Parcel) -> Step | Remove | None:
    """What newer facts make of a package; None when nothing changes for it.

    Returned goods are replaced when they were damaged or called back: the household still has nothing. What was
    cancelled is planned anew when its household has been named again (rule 15).
    """
    if parcel.package.status == "delivered":
        return None
    if household.nothing_because is not None:
        cancelled = cancel(parcel, household.nothing_because, planner.unusable)
        if cancelled is None:
            return Remove(household.nothing_because)
        return cancelled if isinstance(cancelled, Step) else None
    return _follow(planner, household, parcel) if planner.round.status == "open" else None


def offer_stock(planner: Planner, household: Household, parcel: Parcel) -> Step | None:
    """Goods came to the depot of a household whom its carer's office would supply: it gets those instead."""
    package = parcel.package
    if package.status != "planned" or package.supply != "brought" or package.pledge_id is not None:
        return None
    return _from_stock(planner, package, household)


def _follow(planner: Planner, household: Household, parcel: Parcel) -> Step | None:
    package = parcel.package
    if parcel.account is Account.WITH_HOLDERS and any(part.lot_id in planner.recalled for part in package.lots):
        return _called_back(parcel)
    match package.status:
        case "returned":
            is_replaced = package.failure_reason == FailureReason.DAMAGED or RECALLED in package.flags
            return _resupply(planner, household, parcel, ()) if is_replaced and _has_stayed(household, parcel) else None
        case "cancelled":
            is_out = parcel.account is Account.WITH_HOLDERS
            return _out_again(household, parcel) if is_out else _resupply(planner, household, parcel, ())
        case "held":
            return _released(household, parcel)
        case _:
            return _changed(planner, household, parcel)


def _called_back(parcel: Parcel) -> Step | None:
    """Nobody hands it out, whatever is heard of its household, until it is back at a depot (rule 14)."""
    package = parcel.package
    if package.status == "held" and RECALLED in package.flags:
        return None
    held = package.then(PackagePlanned, status="held", flags=(*package.flags, RECALLED))
    return Step(replace(parcel, package=held), (held,))


def _changed(planner: Planner, household: Household, parcel: Parcel) -> Step | None:
    """What may not leave the shelf is replaced; else the plan follows the household."""
    if _needs_supply(planner, household, parcel):
        freed, moves = free_shelf(parcel, planner.unusable)
        return _resupply(planner, household, freed, moves)
    return _moved(household, parcel)


def _supply(planner: Planner, package: Package, household: Household) -> Step | None:
    if household.pledge_id is not None:
        return _brought(planner, package, household, household.giver_id, household.pledge_id)
    if (stocked := _from_stock(planner, package, household)) is not None:
        return stocked
    if household.office_id is not None:
        return _brought(planner, package, household, household.office_id, None)
    return None


def _from_stock(planner: Planner, package: Package, household: Household) -> Step | None:
    depot = planner.policy.depot_of.get(household.district)
    if planner.policy.programme[planner.round.programme].supply != "any" or depot is None:
        return None
    taken = planner.shelves.take(depot.depot_id, planner.contents)
    if taken is None:
        return None
    planned = _planned(
        planner,
        package,
        household,
        supply="stock",
        depot_id=depot.depot_id,
        giver_id=None,
        pledge_id=None,
        lots=taken.lots,
        value=taken.value,
    )
    parcel, moves = move_goods(Parcel(planned, Account.AVAILABLE), Account.RESERVED)
    return Step(parcel, (planned,), moves)


def _brought(
    planner: Planner, package: Package, household: Household, giver_id: str | None, pledge_id: UUID | None
) -> Step:
    value = sum(goods.units * planner.policy.item[goods.item].unit_value for goods in planner.contents)
    planned = _planned(
        planner,
        package,
        household,
        supply="brought",
        depot_id=None,
        giver_id=giver_id,
        pledge_id=pledge_id,
        lots=(),
        value=value,
    )
    return Step(Parcel(planned), (planned,))


def _planned(planner: Planner, package: Package, household: Household, **supply: object) -> PackagePlanned:
    return package.then(PackagePlanned, status="planned", contents=planner.contents, **_owner(household), **supply)


def _resupply(planner: Planner, household: Household, parcel: Parcel, freed: tuple[Move, ...]) -> Step:
    """Supply found anew; when nobody has any, it stays planned without a giver until goods come to the depot."""
    flags = tuple(flag for flag in parcel.package.flags if flag != RECALLED)
    package = parcel.package.model_copy(update={"flags": flags})
    step = _supply(planner, package, household) or _brought(planner, package, household, None, None)
    return replace(step, moves=freed + step.moves)


def _needs_supply(planner: Planner, household: Household, parcel: Parcel) -> bool:
    """Whether what a shelf keeps may not leave it, or a plan's supply was promised or its former carer's to bring."""
    package = parcel.package
    is_lost = any((part.lot_id, package.depot_id) in planner.unusable for part in package.lots)
    if is_lost and parcel.account is Account.RESERVED:
        return True
    if package.status != "planned":
        return False
    if package.supply == "stock":
        return household.pledge_id is not None
    if household.pledge_id != package.pledge_id:
        return True
    is_new_carer = household.carer_id is not None and household.carer_id != package.carer_id
    is_unsupplied = package.giver_id is None and household.office_id is not None
    return household.pledge_id is None and (is_new_carer or is_unsupplied)


def _moved(household: Household, parcel: Parcel) -> Step | None:
    """Another carer, another village: the plan goes along."""
    package, owner = parcel.package, _owner(household)
    if all(getattr(package, name) == value for name, value in owner.items()):
        return None
    moved = package.then(PackagePlanned, **owner)
    return Step(replace(parcel, package=moved), (moved,))


def _released(household: Household, parcel: Parcel) -> Step | None:
    """Said to have moved away, and the register has spoken of it as registered since: it stayed (rule 16)."""
    return _out_again(household, parcel) if parcel.held_version is not None and _has_stayed(household, parcel) else None


def _has_stayed(household: Household, parcel: Parcel) -> bool:
    """Nobody said that it moved away, or the register has spoken of it since."""
    return parcel.held_version is None or household.version > parcel.held_version


def _out_again(household: Household, parcel: Parcel) -> Step:
    """Who has it is to bring it after all; what nobody has yet is to be fetched."""
    status = "picked_up" if parcel.account is Account.WITH_HOLDERS else "planned"
    released = parcel.package.then(PackagePlanned, status=status, **_owner(household))
    return Step(replace(parcel, package=released, held_version=None), (released,))


def _owner(household: Household) -> dict[str, Any]:
    """Who is responsible; a household that lost its carer keeps the one who was told."""
    owner: dict[str, Any] = {"district": household.district, "village": household.village}
    return owner if household.carer_id is None else owner | {"carer_id": household.carer_id}
