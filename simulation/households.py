"""Households as the feeds know them: the rows of the DTSEN file, one a family card."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from contracts.vocabulary import MemberRole, Sex
from simulation import identities, places
from simulation.draws import Draws, Numbers
from simulation.places import Point, Village

# Rows of the file (month.md); the first three kinds are eligible.
CLEAN: Final = 20_900
WITHOUT_NIK: Final = 140
ODD_NIK: Final = 100
OTHER_DECILE: Final = 60
UNKNOWN_VILLAGE: Final = 80
REPEATED: Final = 120
ELIGIBLE: Final = CLEAN + WITHOUT_NIK + ODD_NIK

# Numbers of rows that are no eligible household, and of households that turn up during the month.
OTHER_DECILE_FROM: Final = 30_000
UNKNOWN_VILLAGE_FROM: Final = 31_000
REPEATED_FROM: Final = 32_000
NEIGHBOURS_FROM: Final = 33_000
SPLITS_FROM: Final = 40_000  # and the number of the household that was split

SHARED_HOUSES: Final = 105  # with three families each: one place, and no reason for suspicion
FAMILIES_A_SHARED_HOUSE: Final = 3

_SIZES: Final = np.array([0.12, 0.18, 0.24, 0.24, 0.14, 0.08])  # of 1 to 6 members
_MAX_MEMBERS: Final = 6
_OLD: Final = 65
_OLD_WOMEN: Final = 0.65  # of those who live alone
_WOMEN_HEADS: Final = 0.25  # of the heads of larger households
_TODAY: Final = date(2026, 1, 1)  # ages are as of this day


class Kind(StrEnum):
    """What is particular about a row."""

    CLEAN = "clean"
    WITHOUT_NIK = "without_nik"
    ODD_NIK = "odd_nik"
    OTHER_DECILE = "other_decile"
    UNKNOWN_VILLAGE = "unknown_village"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a household."""

    name: str
    nik: str | None
    born: date
    sex: Sex
    role: MemberRole


@dataclass(frozen=True, slots=True)
class Household:
    """One row of the file."""

    number: int
    kind: Kind
    village: str
    door: Point
    family_card: str
    phone: str
    address: str
    members: tuple[Person, ...]
    repeats: int | None = None
    """Number of the household whose card comes here once more."""

    @property
    def district(self) -> str:
        """Kemendagri code of its district."""
        return self.village[:8]

    @property
    def eligible(self) -> bool:
        """Whether the registry will find that it may have the programmes."""
        return self.number < ELIGIBLE

    @property
    def decile(self) -> int:
        """As DTSEN has it; a repeat says what the first row said."""
        return 2 + self.number % 4 if self.kind is Kind.OTHER_DECILE else 1


def living_places(all_villages: Sequence[Village], draws: Draws) -> tuple[list[Village], list[Point]]:
    """Village and door of every eligible household of the regency, by number."""
    weights = places.village_weights(all_villages, places.SHARE_OF_HOUSEHOLDS, draws)
    homes = [all_villages[index] for index in draws.picks("home village", np.arange(ELIGIBLE), weights)]
    doors = places.doors(homes, "door", draws)
    neighbours: dict[str, list[int]] = {}
    for number, village in enumerate(homes):
        neighbours.setdefault(village.code, []).append(number)
    for owner in draws.some("shared house", np.arange(ELIGIBLE), SHARED_HOUSES):
        same_village = neighbours[homes[owner].code]
        at = same_village.index(int(owner))
        for number in same_village[at : at + FAMILIES_A_SHARED_HOUSE]:
            doors[number] = doors[owner]
    return homes, doors


def make_rows(
    numbers: Numbers,
    kind: Kind,
    homes: Sequence[tuple[Village, Point]],
    draws: Draws,
    civil_registry: identities.CivilRegistry,
) -> list[Household]:
    """Rows with these numbers, each in its village and at its door."""
    sizes = (1 + draws.picks("members", numbers, _SIZES)).tolist()
    people = np.array([n * _MAX_MEMBERS + at for n, size in zip(numbers, sizes, strict=True) for at in range(size)])
    chances = zip(
        *(draws.shares(question, people).tolist() for question in ("age", "sex", "day of birth")), strict=True
    )
    rows = []
    for number, size, (home, door) in zip(numbers.tolist(), sizes, homes, strict=True):
        members = []
        for index in range(size):
            age_chance, sex_chance, day_chance = next(chances)
            role, age, sex = _who(index, size, age_chance, sex_chance)
            born = _TODAY - timedelta(days=int(age * 365.25 + 365 * day_chance))
            name = identities.name(number * _MAX_MEMBERS + index, sex)
            members.append(Person(name, civil_registry.nik(home.district, born, sex), born, sex, role))
        rows.append(
            Household(
                number=number,
                kind=kind,
                village=home.code,
                door=door,
                family_card=identities.family_card(number, home.district),
                phone=identities.phone(number),
                address=f"Jalan {identities.street(number)} {1 + number % 200}",
                members=tuple(members),
            )
        )
    return rows


def with_nik_trouble(row: Household, kind: Kind) -> Household:
    """The same card with the head's NIK missing, or as clerks get it wrong."""
    head, *others = row.members
    wrong = None if kind is Kind.WITHOUT_NIK or head.nik is None else identities.odd(head.nik)
    return replace(row, kind=kind, members=(replace(head, nik=wrong), *others))


def _who(index: int, size: int, age: float, woman: float) -> tuple[MemberRole, float, Sex]:
    """The head first, then the spouse, then children; who lives alone is old. `age` and `woman` are chances."""
    if size == 1:
        return MemberRole.HEAD, _OLD + 25 * age, Sex.FEMALE if woman < _OLD_WOMEN else Sex.MALE
    if index == 0:
        return MemberRole.HEAD, 28 + 35 * age, Sex.FEMALE if woman < _WOMEN_HEADS else Sex.MALE
    if index == 1:
        return MemberRole.SPOUSE, 25 + 35 * age, Sex.FEMALE if woman >= _WOMEN_HEADS else Sex.MALE
    return MemberRole.CHILD, 18 * age, Sex.FEMALE if woman < 1 / 2 else Sex.MALE
