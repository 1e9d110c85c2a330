"""Depots and trucks: goods come in, leave for the districts, are counted, called back; and who opens the rounds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from contracts import submissions as s
from contracts.vocabulary import SupplySource
from simulation.calendar import FREEZE_DAYS, WEEKS, Calendar
from simulation.claims import ACCEPTED, Claim, claim
from simulation.deliveries import MONTHLY
from simulation.facts import Outside
from simulation.world import World

SOURCE: Final = "depots"
SOCIAL_OFFICE: Final = "social-office"
PACKAGES: Final = 6_000  # whole packages of goods for the depots, about a quarter of all
RECALLED_ITEM: Final = "noodles_85g"

_SOURCES: Final = (  # share of the goods, who paid, days until the printed date (none: by shelf life)
    (0.40, SupplySource.APBD, None),
    (0.25, SupplySource.BAZNAS, 200),
    (0.20, SupplySource.CSR, 120),
    (0.15, SupplySource.ASN, 34),  # short-dated: first out
)
_HARI_BELANJA: Final = {"rice_5kg": 8_000, "oil_1l": 12_000, "sugar_1kg": 10_000}  # Rp790 m: an edition is Rp700-900 m
_OPENS: Final = 6.5  # hour
_STOCK_DAY: Final = 4
_SHORT_UNITS: Final = 3
_SHORT_TRUCKS: Final = 2
_RECALL_DAYS: Final = 6  # after the launch
_COUNT_DAYS: Final = 10
_MISCOUNTED: Final = 0.05  # of the shelves hold a unit more than in the books, and as many one less
_REVERSED: Final = frozenset({"already_reversed"})
_TRUCK_DAYS: Final = 3  # before the launch


Goods: TypeAlias = tuple[str, int, SupplySource, int | None]
"""Of a lot: item, units, who paid, days until it expires."""


@dataclass(frozen=True, slots=True)
class Load:
    """Units of one lot on the way to a district's depot."""

    lot: int
    depot_id: str
    units: int
    missing: int
    day: int


@dataclass(slots=True)
class Depots:
    """What the depots' system sends on which morning; the lots' ids are its own."""

    world: World
    calendar: Calendar
    rounds: dict[int, str]
    lots: dict[int, Goods] = field(default_factory=dict)
    """By number."""
    loads: tuple[Load, ...] = ()
    day: int = 0
    """The last day on which it was sent what the day brings."""
    unopened: list[Claim] = field(default_factory=list)
    """Rounds that nobody opens before the register is there: their lists would be frozen empty."""

    def due(self, now: datetime, outside: Outside) -> Iterator[Claim]:
        """What is sent at this step: a day's business, early in its morning."""
        calendar, launch = self.calendar, self.calendar.launch
        day = calendar.day_of(now)
        if day == self.day or now < calendar.at(day, _OPENS):
            return
        self.day = day
        self.unopened.extend(self._rounds(day, now))
        if outside.household:
            yield from self.unopened
            self.unopened.clear()
        if day == _STOCK_DAY:
            yield from (self._stock(lot, now, goods) for lot, goods in self.lots.items())
        if day == calendar.hari_belanja:
            yield from self._hari_belanja(now)
        yield from self._trucks(day, now)
        yield from self._mistake(day, now)
        if day in (launch - 1, launch):
            yield self._block(now, blocked=day < launch)
        if day == launch + _RECALL_DAYS:
            yield self._recall(now)
        if day == launch + _COUNT_DAYS:
            yield from self._count(now, outside)

    def lot_id(self, lot: int) -> str:
        """The id a depot's system gave."""
        return str(self.world.draws.uuid("lot", lot))

    @property
    def recalled_lot(self) -> int:
        """The first noodles that came in."""
        return next(lot for lot, (item, *_) in self.lots.items() if item == RECALLED_ITEM)

    @property
    def _central(self) -> str:
        return next(depot.depot_id for depot in self.world.policy.depots if depot.central)

    def _rounds(self, day: int, now: datetime) -> Iterator[Claim]:
        calendar, launch = self.calendar, self.calendar.launch
        for week in WEEKS:
            days = calendar.week_days(week)
            if day == days[0]:
                yield self._round(week, "weekly_protein", calendar.period(week), (days[0], days[-1]), now)
        if day == launch - FREEZE_DAYS:
            yield self._round(MONTHLY, "monthly_package", calendar.month, (launch, launch + _COUNT_DAYS), now)

    def _round(self, at: int, programme: str, period: str, window: tuple[int, int], now: datetime) -> Claim:
        return claim(
            s.RoundSubmitted,
            SOCIAL_OFFICE,
            f"round-{period}",
            happened_at=now,
            round_id=self.rounds[at],
            programme=programme,
            period=period,
            opens_on=self.calendar.date(window[0]),
            closes_on=self.calendar.date(window[1]),
            decree=f"sk-{period}",
        )

    def _stock(self, lot: int, now: datetime, goods: Goods) -> Claim:
        item, units, source, days = goods
        today = self.calendar.date(self.calendar.day_of(now))
        return claim(
            s.StockSubmitted,
            SOURCE,
            f"stock-{lot}",
            happened_at=now,
            depot_id=self._central,
            lot_id=self.lot_id(lot),
            item=item,
            units=units,
            unit_value=self.world.policy.item[item].unit_value,
            source=source,
            giver_id=None if source is SupplySource.APBD else source,
            received_on=today,
            expires_on=None if days is None else today + timedelta(days=days),
        )

    def _hari_belanja(self, now: datetime) -> Iterator[Claim]:
        """Goods with a source and a value; not one package for each so many rupiah."""
        for at, (item, units) in enumerate(_HARI_BELANJA.items()):
            lot = len(self.lots) + at
            yield claim(
                s.StockSubmitted,
                SOURCE,
                f"stock-{lot}",
                happened_at=now,
                depot_id=self._central,
                lot_id=self.lot_id(lot),
                item=item,
                units=self.world.some(units),
                unit_value=self.world.policy.item[item].unit_value,
                source=SupplySource.HARI_BELANJA,
                giver_id=None,
                received_on=self.calendar.date(self.calendar.day_of(now)),
                expires_on=None,
            )

    def _mistake(self, day: int, now: datetime) -> Iterator[Claim]:
        """A lot typed in twice, under two ids; the second is taken back the day after, by two clerks."""
        typed = len(self.lots) + len(_HARI_BELANJA)
        if day == _STOCK_DAY:
            yield self._stock(typed, now, self.lots[0])
        if day == _STOCK_DAY + 1:
            for at, right in enumerate((ACCEPTED, _REVERSED)):
                yield claim(
                    s.ReversalSubmitted,
                    SOURCE,
                    f"reversal-{typed}-{at}",
                    right=right,
                    happened_at=now,
                    depot_id=self._central,
                    entry_submission_id=f"stock-{typed}",
                    reason="typed_twice",
                )

    def _block(self, now: datetime, *, blocked: bool) -> Claim:
        """The last lot that came to the first district got wet; on the next day it is found dry."""
        load = max((load for load in self.loads if load.depot_id == self.loads[0].depot_id), key=lambda one: one.lot)
        return claim(
            s.LotBlockSubmitted,
            SOURCE,
            f"lot-{'block' if blocked else 'release'}-{load.lot}",
            right=ACCEPTED,
            happened_at=now,
            depot_id=load.depot_id,
            lot_id=self.lot_id(load.lot),
            blocked=blocked,
            reason="wet" if blocked else "dry",
        )

    def _trucks(self, day: int, now: datetime) -> Iterator[Claim]:
        for load in self.loads:
            if load.day == day:
                yield self._transfer(load, "sent", now)
            if load.day + 1 == day:
                yield self._transfer(load, "received", now)

    def _transfer(self, load: Load, step: str, now: datetime) -> Claim:
        here, there = (self._central, load.depot_id) if step == "sent" else (load.depot_id, self._central)
        return claim(
            s.TransferSubmitted,
            SOURCE,
            f"transfer-{load.lot}-{load.depot_id}-{step}",
            happened_at=now,
            depot_id=here,
            transfer_id=self.world.draws.uuid(f"transfer {load.depot_id}", load.lot),
            step=step,
            other_depot_id=there,
            lot_id=self.lot_id(load.lot),
            units=load.units if step == "sent" else load.units - load.missing,
        )

    def _recall(self, now: datetime) -> Claim:
        return claim(
            s.RecallSubmitted,
            SOURCE,
            f"recall-{self.recalled_lot}",
            happened_at=now,
            depot_id=self._central,
            lot_id=self.lot_id(self.recalled_lot),
            reason="bad_batch",
        )

    def _count(self, now: datetime, outside: Outside) -> Iterator[Claim]:
        """Every shelf; here and there a unit more or less than in the books."""
        for lot_id, lot in sorted(outside.lots.items()):
            for at, (depot_id, units) in enumerate(sorted(lot.shelves.items())):
                if lot.status != "usable" or not units:
                    continue
                chance = self.world.draws.share(f"count {depot_id} {lot_id}", at)
                yield claim(
                    s.CountSubmitted,
                    SOURCE,
                    f"count-{lot_id}-{depot_id}",
                    happened_at=now,
                    depot_id=depot_id,
                    lot_id=lot_id,
                    counted=units + (chance < _MISCOUNTED) - (chance > 1 - _MISCOUNTED),
                )


def plan_depots(world: World, calendar: Calendar, rounds: dict[int, str]) -> Depots:
    """Lots for the central depot, and what of each a truck brings to each district."""
    depots = Depots(world, calendar, rounds)
    packages = world.some(PACKAGES)
    here = sorted(world.policy.depot_of[district].depot_id for district in world.districts)
    contents = world.policy.programme["monthly_package"].contents
    loads: list[Load] = []
    for share, source, days in _SOURCES:
        for goods in contents:
            lot = len(depots.lots)
            units = round(packages * share) * goods.units
            depots.lots[lot] = (goods.item, units, source, days)
            for at, (depot_id, part) in enumerate(zip(here, _parts(world, here, units), strict=True)):
                missing = _SHORT_UNITS if lot == 0 and at < _SHORT_TRUCKS else 0
                day = calendar.launch - _TRUCK_DAYS + at % (_TRUCK_DAYS - 1)
                loads.append(Load(lot, depot_id, part, min(missing, part), day))
    depots.loads = tuple(loads)
    return depots


def _parts(world: World, here: list[str], units: int) -> list[int]:
    """By the households of the district; what does not divide stays at the central depot."""
    counts = [
        sum(household.district == depot.removeprefix("depot-") for household in world.households.values())
        for depot in here
    ]
    return [units * count // len(world.households) for count in counts]
