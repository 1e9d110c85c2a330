"""The world before the month begins: who lives where in the districts that are played."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from policies import Policy
from simulation import households, places, staff
from simulation.draws import Draws, Numbers
from simulation.households import ELIGIBLE, Household, Kind
from simulation.identities import CivilRegistry
from simulation.places import Village
from simulation.staff import Carer


@dataclass(frozen=True)
class World:
    """`scale` is the share of the regency's eligible households that lives in the districts that are played."""

    draws: Draws
    policy: Policy
    districts: tuple[str, ...]
    scale: float
    rows: tuple[Household, ...]
    carers: tuple[Carer, ...]

    def some(self, count: int) -> int:
        """The part of a count of the whole regency that falls to these districts; never nothing."""
        return _part(count, self.scale)

    @cached_property
    def households(self) -> dict[int, Household]:
        """Those that will be eligible, by number."""
        return {row.number: row for row in self.rows if row.eligible}

    @cached_property
    def numbers(self) -> Numbers:
        """Numbers of the households that will be eligible."""
        return np.array(sorted(self.households))

    @cached_property
    def carer(self) -> dict[int, Carer]:
        """Every row of the staff file, by number."""
        return {carer.number: carer for carer in self.carers}

    @cached_property
    def villages(self) -> tuple[str, ...]:
        """Codes of the villages in which somebody lives."""
        return tuple(sorted({household.village for household in self.households.values()}))


def make_world(policy: Policy, seed: int, districts: int) -> World:
    """The first so many districts; the same people live there whether the others are played or not."""
    draws = Draws(seed)
    chosen = places.played_districts(policy, districts)
    all_villages = places.villages(policy, draws)
    homes, doors = households.living_places(all_villages, draws)
    here = np.array([number for number in range(ELIGIBLE) if homes[number].district in chosen])
    civil_registry = CivilRegistry()
    at_home = [(homes[number], doors[number]) for number in here]
    eligible = households.make_rows(here, Kind.CLEAN, at_home, draws, civil_registry)
    scale = len(here) / ELIGIBLE
    eligible = _with_trouble(eligible, scale, draws)
    played = [village for village in all_villages if village.district in chosen]
    rows = [*eligible, *_other_rows(eligible, scale, played, draws, civil_registry)]
    order = np.argsort(draws.shares("order of rows", np.arange(len(rows))))
    carers = staff.make_carers(chosen, all_villages, places.offices(policy, draws), eligible, draws)
    return World(draws, policy, chosen, scale, tuple(rows[at] for at in order), tuple(carers))


def _with_trouble(eligible: list[Household], scale: float, draws: Draws) -> list[Household]:
    without, odd = _part(households.WITHOUT_NIK, scale), _part(households.ODD_NIK, scale)
    rows = list(eligible)
    for place, at in enumerate(draws.some("nik", np.arange(len(rows)), without + odd)):
        rows[at] = households.with_nik_trouble(rows[at], Kind.WITHOUT_NIK if place < without else Kind.ODD_NIK)
    return rows


def _other_rows(
    eligible: list[Household], scale: float, homes: list[Village], draws: Draws, civil_registry: CivilRegistry
) -> list[Household]:
    """Rows that become no eligible household: other deciles, villages that do not exist, the same again."""
    rows = []
    for kind, first, count in (
        (Kind.OTHER_DECILE, households.OTHER_DECILE_FROM, households.OTHER_DECILE),
        (Kind.UNKNOWN_VILLAGE, households.UNKNOWN_VILLAGE_FROM, households.UNKNOWN_VILLAGE),
    ):
        numbers = first + np.arange(_part(count, scale))
        where = [homes[number % len(homes)] for number in numbers.tolist()]
        at_home = list(zip(where, places.doors(where, kind, draws), strict=True))
        rows.extend(households.make_rows(numbers, kind, at_home, draws, civil_registry))
    rows = [replace(row, village=f"{row.district}.2999") if row.kind is Kind.UNKNOWN_VILLAGE else row for row in rows]
    clean = [row for row in eligible if row.kind is Kind.CLEAN]
    again = draws.some("repeated", np.arange(len(clean)), _part(households.REPEATED, scale))
    repeated = [
        replace(clean[at], number=households.REPEATED_FROM + place, kind=Kind.REPEATED, repeats=clean[at].number)
        for place, at in enumerate(again)
    ]
    return [*rows, *repeated]


def _part(count: int, scale: float) -> int:
    return max(1, round(count * scale))
