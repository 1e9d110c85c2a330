"""Partner organisations promise packages over HTTP, with their token; most confirm, two rivals want the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts import submissions as s
from simulation.agenda import Agenda
from simulation.calendar import FREEZE_DAYS, Calendar
from simulation.claims import TAKEN, Claim, claim
from simulation.facts import Outside
from simulation.staff import PARTNER_ORGANISATIONS
from simulation.world import World

SOURCE: Final = "partners"
PACKAGES: Final = 3_170  # 15 % of the month's
RIVALS: Final = 8  # households that two partners name in the same second

_A_PROMISE: Final = 20
_CONFIRMED: Final = 0.94
_MORNING: Final = 7.0
_DAYS_BEFORE_FREEZE: Final = 2
_AFTERNOON: Final = 15.0  # a day later; a promise lapses after two
_PROMISED: Final = TAKEN | {"not_enough_households"}
_RIVAL: Final = TAKEN | {"already_pledged"}


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise of one partner; for a village, or for the households that two partners name at once."""

    at: int
    giver_id: str
    village: str | None
    packages: int
    confirms: bool = False


@dataclass(frozen=True, slots=True)
class Partners:
    """Who promises what, and on which morning it is confirmed."""

    world: World
    calendar: Calendar
    promises: Agenda[Promise]

    def due(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """What is sent at this step; nothing before the list that the households are named from is there."""
        for promise in self.promises.take(step):
            if not outside.household:
                self.promises.postpone(step, promise)
                continue
            yield self._confirmation(promise, now) if promise.confirms else self._promise(promise, now, outside)

    def _promise(self, promise: Promise, now: datetime, outside: Outside) -> Claim:
        numbers = [] if promise.village else self.world.numbers[: promise.packages].tolist()
        named = [outside.household[number] for number in numbers if number in outside.household]
        return claim(
            s.PledgeSubmitted,
            SOURCE,
            f"promise-{promise.at}",
            right=_PROMISED if promise.village else _RIVAL,
            happened_at=now,
            promise_id=self._id(promise),
            giver_id=promise.giver_id,
            programme="monthly_package",
            period=self.calendar.month,
            village=promise.village,
            packages=len(named) or promise.packages,
            household_ids=named,
        )

    def _confirmation(self, promise: Promise, now: datetime) -> Claim:
        return claim(
            s.PledgeConfirmationSubmitted,
            SOURCE,
            f"confirmation-{promise.at}",
            right=TAKEN | {"unknown_pledge"},
            happened_at=now,
            promise_id=self._id(promise),
            giver_id=promise.giver_id,
        )

    def _id(self, promise: Promise) -> str:
        return str(self.world.draws.uuid("promise", promise.at))


def plan_partners(world: World, calendar: Calendar) -> Partners:
    """Promises two days before the list is frozen; a few are never confirmed, and lapse."""
    partners = Partners(world, calendar, Agenda(calendar.steps))
    day = calendar.launch - FREEZE_DAYS - _DAYS_BEFORE_FREEZE
    villages = world.villages
    for at in range(2 + max(1, round(world.some(PACKAGES) / _A_PROMISE))):
        giver = PARTNER_ORGANISATIONS[at % len(PARTNER_ORGANISATIONS)]
        rival = at < 2  # noqa: PLR2004  # two partners want the same households
        village = None if rival else villages[at * 7 % len(villages)]
        promise = Promise(at, giver, village, RIVALS if rival else _A_PROMISE)
        partners.promises.add(calendar.at(day, _MORNING), promise)
        if world.draws.share("confirms", at) < _CONFIRMED:
            confirmation = Promise(at, giver, village, promise.packages, confirms=True)
            partners.promises.add(calendar.at(day + 1, _AFTERNOON), confirmation)
    return partners
