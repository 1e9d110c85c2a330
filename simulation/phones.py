"""What every phone has in common: who holds it, where it says it is, and when its owner is at which door."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from simulation.calendar import Calendar
from simulation.facts import Outside
from simulation.fate import Fate
from simulation.households import Household
from simulation.register import rounded
from simulation.world import World

SOURCE: Final = "smart-kampung"

_MINUTES_A_DOOR: Final = 25  # from one household to the next, the way included
_ODD_KINDS: Final = 3


@dataclass(frozen=True, slots=True)
class Device:
    """What a phone adds to a report of its own accord."""

    place: dict[str, float]
    photo_sha256: str
    mock_location: bool


@dataclass(slots=True)
class Phones:
    """The carers' phones; `doors` counts the doors a carer was at in the present step."""

    world: World
    fate: Fate
    calendar: Calendar
    doors: Counter[str] = field(default_factory=Counter)

    def next_door(self, carer_id: str, begin: datetime, end: datetime) -> datetime:
        """When this carer is at the next door: one after the other from `begin`, never after `end`."""
        at = begin + timedelta(minutes=_MINUTES_A_DOOR * self.doors[carer_id])
        self.doors[carer_id] += 1
        return min(at, end)

    def device(self, number: int, carer_number: int, period: str) -> Device:
        """An honest phone is at the door; a suspicious one at an office, with one photo, or says that it pretends."""
        household = self.household(number)
        carer = self.world.carer[carer_number]
        kind = carer_number % _ODD_KINDS if carer.office_id in self.fate.odd_offices else None
        point = carer.workplace if kind == 0 and carer.workplace is not None else household.door
        photo = f"{self.world.draws.seed}/{carer_number if kind == 1 else number}/{period}"
        return Device(
            place=rounded(point.latitude, point.longitude),
            photo_sha256=hashlib.sha256(photo.encode()).hexdigest(),
            mock_location=kind == _ODD_KINDS - 1,
        )

    def household(self, number: int) -> Household:
        """The household with this number."""
        return self.world.households[number]


def carer_at(outside: Outside, number: int) -> tuple[str, int] | None:
    """The carer of a household as its phone knows it: id and number; None while nobody is named, or is known."""
    carer_id = outside.carer_of.get(outside.household.get(number, ""))
    if carer_id is None or carer_id not in outside.carer_number:
        return None
    return carer_id, outside.carer_number[carer_id]
