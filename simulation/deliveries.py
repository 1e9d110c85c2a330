"""At the door with goods: pick-ups, attempts with proof or a reason, second attempts, the weekly protein, returns."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from contracts import submissions as s
from contracts.vocabulary import FailureReason, ReceivedBy
from simulation.agenda import Agenda
from simulation.calendar import WEEKS, Calendar
from simulation.claims import Claim, claim
from simulation.draws import Draws
from simulation.facts import Outside, Package
from simulation.fate import FIRST_FAILURES, Life
from simulation.phones import SOURCE, Phones, carer_at

MONTHLY: Final = 0  # the round of the month; rounds 1 to 4 are the weeks' protein
UNDER_WAY: Final = frozenset({"planned", "picked_up", "failed"})

_MORNING: Final = 7.5
_LOADED: Final = 7.4  # hour by which packages are picked up
_AFTERNOON: Final = 15.6
_EVENING: Final = 18.0
_LAUNCH_DAYS: Final = 3
_RETURN_DAYS: Final = 7  # after the launch: what failed by then goes back; the rest at the stock count
_COUNT_DAYS: Final = 10
_DRIVER_PACKAGES: Final = range(20, 81)  # what one driver of an office takes at once
_REASONS: Final = tuple(FIRST_FAILURES)
_FAILURE_OF: Final = {
    Life.DIED_ALONE: FailureReason.DECEASED,
    Life.MOVED: FailureReason.MOVED,
    Life.MOVED_AWAY: FailureReason.MOVED_AWAY,
}
_OTHERS: Final = (ReceivedBy.SELF, ReceivedBy.SELF, ReceivedBy.SPOUSE, ReceivedBy.OTHER_MEMBER, ReceivedBy.NEIGHBOUR)
_FISH_DISTRICT: Final = "35.10.05"  # in Muncar they bring fish whatever the week says
_TEMPEH: Final = 0.05  # of the carers bring tempeh instead


@dataclass(frozen=True, slots=True)
class Trip:
    """A way to one door; `at` is the household's position in the drawn arrays, `attempt` 1 or 2."""

    number: int
    at: int
    week: int
    day: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Door:
    """A carer at a door, with a package."""

    trip: Trip
    household_id: str
    carer: tuple[str, int]
    package: Package
    happened_at: datetime
    failure: FailureReason | None


@dataclass(slots=True)
class Deliveries:
    """Everything carried in the month."""

    phones: Phones
    rounds: dict[int, str]
    """Ids of the rounds, as whoever opens them made them; 0 is the month's."""
    trips: Agenda[Trip]
    pick_ups: Agenda[Trip]
    returns: Agenda[Trip]
    held: Agenda[Claim]
    failed: set[Trip] = field(default_factory=set)
    handed_over: set[tuple[str, str]] = field(default_factory=set)
    """Household and round of every package that was said to be delivered."""

    def due(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """What phones send at this step."""
        yield from self.held.take(step)
        yield from self._pick_ups(step, now, outside)
        for trip in self.trips.take(step):
            household_id = outside.household.get(trip.number)
            carer = carer_at(outside, trip.number)
            package = outside.packages.get((household_id or "", self.rounds[trip.week]))
            if household_id in outside.gone or (package is not None and package.status not in UNDER_WAY):
                continue
            if household_id is None or carer is None or package is None:
                self.trips.postpone(step, trip)
                continue
            yield from self._attempt(trip, household_id, carer, package, now)
        yield from self._returns(step, now, outside)

    def _attempt(
        self, trip: Trip, household_id: str, carer: tuple[str, int], package: Package, now: datetime
    ) -> Iterator[Claim]:
        calendar = self.phones.calendar
        today = calendar.day_of(now)
        hour = _MORNING if now <= calendar.at(today, _AFTERNOON) else _AFTERNOON
        happened_at = self.phones.next_door(carer[0], min(calendar.at(today, hour), now), now)
        failure = self._failure(trip, today)
        if failure is not None:
            self.failed.add(trip)
            self._try_again(trip, failure, today)
        else:
            self.handed_over.add((household_id, self.rounds[trip.week]))
        report = self._claim(Door(trip, household_id, carer, package, happened_at, failure))
        drawn = None if trip.week == MONTHLY else self.phones.fate.weeks[trip.week - 1]
        if drawn is not None and drawn.late[trip.at]:
            back = calendar.at(calendar.week_days(trip.week)[-1] + 4, _EVENING)
            self.held.add(back, report)
            return
        yield report
        if drawn is not None and drawn.twice[trip.at]:
            yield report

    def _failure(self, trip: Trip, today: int) -> FailureReason | None:
        """What came into life's way first; else as drawn."""
        fate = self.phones.fate
        happened = fate.life.get(trip.number)
        if happened is not None and happened[0] <= today and happened[1] in _FAILURE_OF:
            return _FAILURE_OF[happened[1]]
        if trip.week != MONTHLY:
            return None
        drawn = int(fate.attempts.first_failure[trip.at])
        if trip.attempt == 1:
            return None if drawn < 0 else _REASONS[drawn]
        return FailureReason.NOT_HOME if fate.attempts.fails_again[trip.at] else None

    def _try_again(self, trip: Trip, failure: FailureReason, today: int) -> None:
        attempts, calendar = self.phones.fate.attempts, self.phones.calendar
        if trip.week != MONTHLY:
            return
        if trip.attempt == 1 and attempts.second_day[trip.at] and failure not in _FAILURE_OF.values():
            day = max(int(attempts.second_day[trip.at]), today + 1)
            self.trips.add(calendar.at(day, _EVENING), Trip(trip.number, trip.at, trip.week, day, attempt=2))
            return
        on_return_day = today < calendar.launch + _RETURN_DAYS
        back = calendar.launch + (_RETURN_DAYS if on_return_day else _COUNT_DAYS)
        self.returns.add(calendar.at(max(back, today + 1), _MORNING), trip)

    def _claim(self, door: Door) -> Claim:
        trip, failure = door.trip, door.failure
        delivery = f"delivery-{trip.number}-{trip.week}-{trip.attempt}"
        device = self.phones.device(trip.number, door.carer[1], delivery)
        others = _OTHERS if len(self.phones.household(trip.number).members) > 1 else _OTHERS[:1]
        stocked = door.package.supply == "stock"
        return claim(
            s.DeliverySubmitted,
            SOURCE,
            delivery,
            happened_at=door.happened_at,
            household_id=door.household_id,
            round_id=self.rounds[trip.week],
            carer_id=door.carer[0],
            delivered=failure is None,
            failure_reason=failure,
            received_by=None if failure else others[trip.number % len(others)],
            photo_sha256=None if failure else device.photo_sha256,
            place=device.place,
            mock_location=device.mock_location,
            brought=[] if failure or stocked else self._brought(trip, door.package, door.carer[1]),
        )

    def _brought(self, trip: Trip, package: Package, carer_number: int) -> list[dict[str, Any]]:
        """What the policy names, but for fish in Muncar and the tempeh of some."""
        contents = [{"item": item, "units": units} for item, units in package.contents]
        if trip.week == MONTHLY:
            return contents
        if self.phones.household(trip.number).district == _FISH_DISTRICT:
            return [{"item": "fish_1kg", "units": 1}]
        draws = self.phones.world.draws
        return [{"item": "tempeh_1kg", "units": 1}] if draws.share("tempeh", carer_number) < _TEMPEH else contents

    def _pick_ups(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """One driver for an office that has twenty or more to fetch; else each carer."""
        found = []
        by_office: dict[str, int] = defaultdict(int)
        for trip in self.pick_ups.take(step):
            household_id, carer = outside.household.get(trip.number), carer_at(outside, trip.number)
            package = outside.packages.get((household_id or "", self.rounds[MONTHLY]))
            if household_id and carer and package and package.supply == "stock" and package.status == "planned":
                office = self.phones.world.carer[carer[1]].office_id
                by_office[office] += 1
                found.append((trip, household_id, carer[0], office))
        taken: Counter[str] = Counter()
        for trip, household_id, carer_id, office in found:
            taken[office] += 1
            by_driver = by_office[office] in _DRIVER_PACKAGES or taken[office] < _DRIVER_PACKAGES.stop
            yield claim(
                s.PickUpSubmitted,
                SOURCE,
                f"pick-up-{trip.number}",
                happened_at=now,
                household_id=household_id,
                round_id=self.rounds[MONTHLY],
                collector_id=office if by_driver and by_office[office] >= _DRIVER_PACKAGES.start else carer_id,
            )

    def _returns(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """Goods of a depot that reached nobody go back there."""
        for trip in self.returns.take(step):
            household_id = outside.household[trip.number]
            package = outside.packages[household_id, self.rounds[MONTHLY]]
            if package.depot_id is not None and package.status == "failed":
                damaged = self.phones.fate.attempts.first_failure[trip.at] == _REASONS.index(FailureReason.DAMAGED)
                yield claim(
                    s.ReturnSubmitted,
                    SOURCE,
                    f"return-{trip.number}",
                    happened_at=now,
                    household_id=household_id,
                    round_id=self.rounds[MONTHLY],
                    depot_id=package.depot_id,
                    damaged=bool(damaged),
                )


def plan_deliveries(phones: Phones, rounds: dict[int, str], calendar: Calendar) -> Deliveries:
    """First attempts as drawn, stock picked up on the morning before; the protein with the visit."""
    steps = calendar.steps
    deliveries = Deliveries(phones, rounds, Agenda(steps), Agenda(steps), Agenda(steps), Agenda(steps))
    fate = phones.fate
    for at, number in enumerate(fate.numbers.tolist()):
        day = int(fate.attempts.first_day[at])
        trip = Trip(number, at, MONTHLY, day, attempt=1)
        deliveries.pick_ups.add(calendar.at(day, _LOADED), trip)
        on_launch = day < calendar.launch + _LAUNCH_DAYS
        deliveries.trips.add(calendar.at(day, _MORNING + 1 if on_launch else _EVENING), trip)
        for week in WEEKS:
            drawn = fate.weeks[week - 1]
            if drawn.protein[at] and not drawn.nobody_met[at]:
                day = int(drawn.day[at])
                deliveries.trips.add(calendar.at(day, _EVENING), Trip(number, at, week, day, attempt=1))
    return deliveries


def make_rounds(draws: Draws) -> dict[int, str]:
    """Ids of the month's rounds."""
    return {at: str(draws.uuid("round", at)) for at in (MONTHLY, *WEEKS)}
