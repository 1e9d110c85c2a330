"""What villages and the staff office report during the month: deaths, moves, carers who leave; and files once more."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts import submissions as s
from simulation import identities
from simulation.agenda import Agenda
from simulation.calendar import Calendar
from simulation.claims import Claim, claim
from simulation.facts import Member, Outside
from simulation.fate import Fate, Life
from simulation.register import VILLAGES, carer_leaves, neighbour_check, rows_again, split_number
from simulation.world import World

_MORNING: Final = 7.0
_TOLD_AFTER: Final = {Life.MOVED_AWAY: 3}  # days until the village says so; else one
_RETRIED_DAY: Final = 2  # the upload of the file was not answered
_EXPORTED_DAY: Final = 16
_METRES_MOVED: Final = 0.01  # degrees


@dataclass(frozen=True, slots=True)
class Changes:
    """Who reports what on which morning; a household's change waits until its id is known."""

    world: World
    fate: Fate
    calendar: Calendar
    households: Agenda[int]
    carers: Agenda[int]
    neighbours: Agenda[int]
    files: Agenda[bool]
    """True: exported anew."""

    def due(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """What is sent at this step."""
        for exported in self.files.take(step):
            yield from rows_again(self.world, self.fate, self.calendar.steps[0], exported=exported)
        for number in self.carers.take(step):
            yield carer_leaves(self.world.carer[number], self.fate, now)
        for at in self.neighbours.take(step):
            yield neighbour_check(self.world, at, now)
        for number in self.households.take(step):
            household_id = outside.household.get(number)
            if household_id is None or household_id not in outside.members:
                self.households.postpone(step, number)
            else:
                yield self._change(number, household_id, outside.members[household_id], now)

    def _change(self, number: int, household_id: str, members: tuple[Member, ...], now: datetime) -> Claim:
        kind = self.fate.life[number][1]
        return claim(
            s.HouseholdChangeSubmitted,
            VILLAGES,
            f"split-{split_number(number)}" if kind is Life.SPLIT else f"change-{number}",
            happened_at=now,
            household_id=household_id,
            change=self._what(kind, number, members),
        )

    def _what(self, kind: Life, number: int, members: tuple[Member, ...]) -> dict[str, Any]:
        household = self.world.households[number]
        match kind:
            case Life.DIED_ALONE | Life.DIED:
                return {"kind": "died", "person_id": members[number % len(members)].person_id}
            case Life.MOVED:
                villages = self.world.villages
                village = villages[(villages.index(household.village) + 1) % len(villages)]
                door = {"latitude": household.door.latitude + _METRES_MOVED, "longitude": household.door.longitude}
                return {"kind": "moved", "village": village, "address": household.address, "place": door}
            case Life.MOVED_AWAY:
                return {"kind": "moved_away"}
            case Life.SPLIT:
                leaving = [member.person_id for member in members if member.role != "head"][:2]
                card = identities.family_card(split_number(number), household.district)
                return {"kind": "split", "family_card": card, "person_ids": leaving, "head_person_id": leaving[0]}


def plan_changes(world: World, fate: Fate, calendar: Calendar) -> Changes:
    """The mornings on which the outside tells."""
    steps = calendar.steps
    changes = Changes(world, fate, calendar, Agenda(steps), Agenda(steps), Agenda(steps), Agenda(steps))
    for day, exported in ((_RETRIED_DAY, False), (_EXPORTED_DAY, True)):
        changes.files.add(calendar.at(day, _MORNING), exported)
    for number, (day, kind) in fate.life.items():
        changes.households.add(calendar.at(day + _TOLD_AFTER.get(kind, 1), _MORNING), number)
    for number, day in fate.leaving.items():
        changes.carers.add(calendar.at(day, _MORNING), number)
    for at, day in enumerate(fate.neighbours.tolist()):
        changes.neighbours.add(calendar.at(day, _MORNING), at)
    return changes
