"""What was measured: a figure has a value a round; what is shown is their median, beside a bar where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from statistics import median
from typing import Final

_WHOLE: Final = 100  # from here on figures are shown without fractions


class BenchError(Exception):
    """Something that is measured did not do its work: the figure would say nothing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How good a figure has to be, and how good we want it."""

    limit: float
    aim: float | None = None
    less_is_better: bool = False

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.less_is_better else value >= self.limit

    def __str__(self) -> str:
        aim = "" if self.aim is None else f", aim {shown(self.aim)}"
        return f"{'at most' if self.less_is_better else 'at least'} {shown(self.limit)}{aim}"


@dataclass(frozen=True, slots=True)
class Figure:
    """`beside` is what it has to be read with, in words."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    beside: str = ""
    bar: Bar | None = None

    @property
    def value(self) -> float:
        return median(self.rounds)

    @property
    def is_met(self) -> bool | None:
        """None where there is no bar."""
        return None if self.bar is None else self.bar.is_met(self.value)


def at_least(limit: float, aim: float | None = None) -> Bar:
    return Bar(limit, aim)


def at_most(limit: float, aim: float | None = None) -> Bar:
    return Bar(limit, aim, less_is_better=True)


def ratios(own: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    """Within each round: absolutes drift by a quarter within minutes, what runs side by side drifts together."""
    return tuple(mine / theirs for mine, theirs in zip(own, other, strict=True))


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest of them that so many percent do not exceed."""
    if not values:
        raise BenchError("nothing came back that could be measured")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def shown(value: float) -> str:
    """For people: three digits, thousands set apart."""
    if not isfinite(value):
        return "did not end"
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"
