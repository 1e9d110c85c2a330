"""Free goods at depots while packages are planned from them: first expired, first out (rule 14). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from contracts.events import LotUnits
from contracts.vocabulary import Goods


@dataclass(frozen=True, slots=True)
class FreeLot:
    """Free units of a usable lot at a depot."""

    lot_id: UUID
    depot_id: str
    item: str
    units: int
    unit_value: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Goods of one package, lot by lot."""

    lots: tuple[LotUnits, ...]
    value: int


class Shelves:
    """Free units at depots while packages are planned from them; each item's lots stand first expired first."""

    def __init__(self, free: Iterable[FreeLot]) -> None:
        self._lots: dict[tuple[str, str], list[FreeLot]] = defaultdict(list)
        for lot in free:
            self._lots[lot.depot_id, lot.item].append(lot)

    def take(self, depot_id: str, contents: Sequence[Goods]) -> Taken | None:
        """A whole package, or nothing."""
        if any(self._units(depot_id, goods.item) < goods.units for goods in contents):
            return None
        taken: list[LotUnits] = []
        value = 0
        for goods in contents:
            lots, wanted = self._lots[depot_id, goods.item], goods.units
            while wanted:
                first = lots[0]
                units = min(wanted, first.units)
                taken.append(LotUnits(lot_id=first.lot_id, item=goods.item, units=units))
                value += units * first.unit_value
                wanted -= units
                lots[:1] = [replace(first, units=first.units - units)] if first.units > units else []
        return Taken(tuple(taken), value)

    def whole_packages(self, depot_id: str, contents: Sequence[Goods]) -> int:
        """How many packages a depot could still fill."""
        return min(self._units(depot_id, goods.item) // goods.units for goods in contents)

    def _units(self, depot_id: str, item: str) -> int:
        return sum(lot.units for lot in self._lots[depot_id, item])
