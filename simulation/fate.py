"""What would happen in the month, drawn once: needs, life, enrolments, visits, attempts at the door."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.vocabulary import Employment, FailureReason, Need
from simulation.calendar import WEEKS, Calendar
from simulation.draws import Numbers, Shares
from simulation.world import World

NEEDS: Final[Mapping[Need, int]] = {
    Need.NO_FOOD_TODAY: 20,
    Need.ACUTELY_ILL: 120,
    Need.ELDERLY_ALONE: 80,
    Need.SCHOOL_DROPOUT: 60,
    Need.SCHOOL_MEANS: 150,
    Need.UNDERFED_CHILD: 90,
    Need.DOCUMENTS: 300,
    Need.HEALTH_INSURANCE: 200,
    Need.HOUSE_UNFIT: 250,
    Need.LIVELIHOOD: 200,
    Need.DISABILITY_CARE: 60,
    Need.CHILD_IN_DANGER: 8,
    Need.CHILD_NEGLECTED: 30,
    Need.GIFTED_STUDENT: 15,
    Need.ELIGIBILITY_DOUBTED: 100,
    Need.NO_ROUTINE_AID: 120,
}
NOT_ON_LIST: Final = 150  # seen at people's who are on no list: neighbour checks

ENROLMENTS: Final[Mapping[str, int]] = {
    "pkh": 3_500,
    "sembako": 4_000,
    "pbi_jk": 1_500,
    "rantang_kasih": 600,
    "siswa_asuh_sebaya": 400,
}
STILL_SEEN: Final[Mapping[str, Need]] = {  # carers report it all the same; an enrolment that meets it opens no case
    "rantang_kasih": Need.ELDERLY_ALONE,
    "siswa_asuh_sebaya": Need.SCHOOL_MEANS,
}

DIED_ALONE: Final = 10
DIED: Final = 45  # with others on the card: 55 deaths in all
MOVED: Final = 60
MOVED_AWAY: Final = 30
SPLIT: Final = 40
RETIRED: Final = 58
TRANSFERRED: Final = 120
TRANSFER_DAY: Final = 19

VISITED: Final = (0.84, 0.72, 0.66, 0.78)  # by week
PROTEIN_LESS: Final = 0.10  # fewer of the households get their protein than are visited
LAST_TWO_DAYS: Final = 0.15  # of a week's visits
LATE: Final = 0.03
TWICE: Final = 0.03
CORRECTED: Final = 0.01
NOBODY_MET: Final = 0.03

DELIVERED_BY_DAY: Final = (0.55, 0.20, 0.10, 0.02, 0.02, 0.05, 0.02, 0.01, 0.01, 0.01, 0.01)  # from launch to D+10
FIRST_FAILURES: Final[Mapping[FailureReason, float]] = {
    FailureReason.NOT_HOME: 0.07,
    FailureReason.ADDRESS_NOT_FOUND: 0.008,
    FailureReason.ACCESS_BLOCKED: 0.005,
    FailureReason.REFUSED: 0.001,
    FailureReason.DAMAGED: 0.001,
}
FAILS_AGAIN: Final = 0.18
SECOND_ATTEMPT_DAYS: Final = 3  # at the earliest so many after the launch

SUSPICIOUS_CARERS: Final = 0.03
INNOCENT: Final = 1 / 3  # of them: several families in one house

_OLD_AND_ALONE: Final = 1
_FAMILY: Final = 3  # members, so that there are children
_SPLITTABLE: Final = 4
_FOR_THE_OLD: Final = {Need.ELDERLY_ALONE, "rantang_kasih"}
_FOR_FAMILIES: Final = {
    Need.SCHOOL_DROPOUT, Need.SCHOOL_MEANS, Need.UNDERFED_CHILD, Need.CHILD_IN_DANGER, Need.CHILD_NEGLECTED,
    Need.GIFTED_STUDENT, "siswa_asuh_sebaya",
}  # fmt: skip

Flags = npt.NDArray[np.bool_]


class Life(StrEnum):
    """What happens to a household."""

    DIED_ALONE = "died_alone"
    DIED = "died"
    MOVED = "moved"
    MOVED_AWAY = "moved_away"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Week:
    """The visits of one week; each array has an entry for every household of `Fate.numbers`."""

    day: Numbers
    """Day of the visit; 0 for none."""
    protein: Flags
    late: Flags
    """Reported days later, in one go with the other late ones."""
    twice: Flags
    corrected: Flags
    nobody_met: Flags


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts at the door with the monthly package; days as in the calendar, 0 for none."""

    first_day: Numbers
    first_failure: Numbers
    """Index into `FailureReason`; -1 when it is delivered."""
    second_day: Numbers
    fails_again: Flags


@dataclass(frozen=True, slots=True)
class Fate:
    """Everything drawn for one month."""

    numbers: Numbers
    needs: Mapping[int, tuple[tuple[int, Need], ...]]
    """By household: from which day, which need."""
    enrolments: Mapping[str, frozenset[int]]
    life: Mapping[int, tuple[int, Life]]
    """By household: on which day, what."""
    neighbours: Numbers
    """Day of each neighbour check."""
    leaving: Mapping[int, int]
    """By carer: on which day."""
    transferred: frozenset[int]
    """Those of the leaving carers who are transferred; the others retire."""
    weeks: tuple[Week, ...]
    attempts: Attempts
    odd_offices: frozenset[str]
    """Offices some of whose carers send suspicious places."""


def draw_fate(world: World, calendar: Calendar) -> Fate:
    """The month of this world."""
    numbers = world.numbers
    sizes = np.array([len(world.households[number].members) for number in numbers.tolist()])
    life = _life(world, calendar, sizes)
    staying = np.array([number not in life for number in numbers.tolist()])
    enrolments = {
        programme: frozenset(
            world.draws.some(programme, numbers[staying & _suits(programme, sizes)], world.some(count)).tolist()
        )
        for programme, count in ENROLMENTS.items()
    }
    leaving, transferred = _leaving(world, calendar)
    return Fate(
        numbers=numbers,
        needs=_needs(world, calendar, numbers[staying], sizes[staying], enrolments),
        enrolments=enrolments,
        life=life,
        neighbours=_days(world, "neighbour check", np.arange(world.some(NOT_ON_LIST)), range(2, calendar.days + 1)),
        leaving=leaving,
        transferred=transferred,
        weeks=tuple(_week(world, calendar, week) for week in WEEKS),
        attempts=_attempts(world, calendar),
        odd_offices=_odd_offices(world),
    )


def _suits(what: str, sizes: Numbers) -> Flags:
    if what in _FOR_THE_OLD:
        return np.asarray(sizes == _OLD_AND_ALONE)
    return np.asarray(sizes >= (_FAMILY if what in _FOR_FAMILIES else 1))


def _days(world: World, question: str, numbers: Numbers, days: range) -> Numbers:
    return days.start + (world.draws.shares(f"{question} day", numbers) * len(days)).astype(np.int64)


def _life(world: World, calendar: Calendar, sizes: Numbers) -> dict[int, tuple[int, Life]]:
    life: dict[int, tuple[int, Life]] = {}
    for kind, count, suits in (
        (Life.DIED_ALONE, DIED_ALONE, sizes == 1),
        (Life.DIED, DIED, sizes > 1),
        (Life.MOVED, MOVED, sizes > 0),
        (Life.MOVED_AWAY, MOVED_AWAY, sizes > 0),
        (Life.SPLIT, SPLIT, sizes >= _SPLITTABLE),
    ):
        free = np.array([number for number in world.numbers[suits].tolist() if number not in life])
        chosen = world.draws.some(kind, free, world.some(count))
        days = _days(world, kind, chosen, range(2, calendar.days - 2))
        life |= {number: (day, kind) for number, day in zip(chosen.tolist(), days.tolist(), strict=True)}
    return life


def _needs(
    world: World, calendar: Calendar, numbers: Numbers, sizes: Numbers, enrolments: Mapping[str, frozenset[int]]
) -> dict[int, tuple[tuple[int, Need], ...]]:
    """Never one that an enrolment meets, and no documents where the register itself knows that they are missing."""
    needs: dict[int, tuple[tuple[int, Need], ...]] = {}
    for need, count in NEEDS.items():
        met = frozenset[int]().union(*(enrolments.get(code, ()) for code in world.policy.need[need].met_by))
        free = _suits(need, sizes) & ~np.isin(numbers, list(met))
        if need is Need.DOCUMENTS:
            free &= np.array([world.households[number].kind == "clean" for number in numbers.tolist()])
        chosen = world.draws.some(need, numbers[free], world.some(count))
        days = _days(world, need, chosen, range(1, calendar.days + 1))
        for number, day in zip(chosen.tolist(), days.tolist(), strict=True):
            needs[number] = (*needs.get(number, ()), (day, need))
    return needs


def _leaving(world: World, calendar: Calendar) -> tuple[dict[int, int], frozenset[int]]:
    """Civil servants who retire on their own days, and those who are transferred on one."""
    civil = np.array([c.number for c in world.carers if c.accepted and c.employment is not Employment.PARTNER])
    retired, transferred = world.some(RETIRED), world.some(TRANSFERRED)
    chosen = world.draws.some("leaving", civil, retired + transferred)
    days = _days(world, "retiring", chosen, range(3, calendar.days + 1)).tolist()
    last = frozenset(chosen[retired:].tolist())
    leaving = {
        number: TRANSFER_DAY if number in last else day for number, day in zip(chosen.tolist(), days, strict=True)
    }
    return leaving, last


def _week(world: World, calendar: Calendar, week: int) -> Week:
    draws, numbers = world.draws, world.numbers
    days, visited = calendar.week_days(week), VISITED[week - 1]
    weights = np.array([(1 - LAST_TWO_DAYS) / (len(days) - 2)] * (len(days) - 2) + [LAST_TWO_DAYS / 2] * 2)
    day = days.start + draws.picks("visit day", numbers, weights, week)
    reported = draws.shares("visited", numbers, week) < visited

    def happens(question: str, share: float) -> Flags:
        flags: Flags = draws.shares(question, numbers, week) < share
        return flags

    return Week(
        day=np.where(reported, day, 0),
        protein=reported & happens("protein", (visited - PROTEIN_LESS) / visited / (1 - NOBODY_MET)),
        late=happens("late", LATE),
        twice=happens("twice", TWICE),
        corrected=happens("corrected", CORRECTED),
        nobody_met=happens("nobody met", NOBODY_MET),
    )


def _attempts(world: World, calendar: Calendar) -> Attempts:
    draws, numbers = world.draws, world.numbers
    first_day = calendar.launch + draws.picks("first attempt", numbers, np.array(DELIVERED_BY_DAY))
    reasons: Shares = np.array([*FIRST_FAILURES.values()])
    outcome = draws.picks("first failure", numbers, np.array([*reasons, 1 - reasons.sum()]))
    failure = np.where(outcome < len(reasons), outcome, -1)
    tried_again = (failure >= 0) & (failure < len(reasons) - 2)  # not after a refusal, nor for damaged goods
    wait = 1 + (draws.shares("second attempt", numbers) * 3).astype(np.int64)
    second_day = np.maximum(first_day + wait, calendar.launch + SECOND_ATTEMPT_DAYS)
    return Attempts(
        first_day=first_day,
        first_failure=failure,
        second_day=np.where(tried_again, second_day, 0),
        fails_again=draws.shares("fails again", numbers) < FAILS_AGAIN,
    )


def _odd_offices(world: World) -> frozenset[str]:
    """As many offices as hold that share of the carers, some of them a little more."""
    staff: dict[str, int] = {}
    for carer in world.carers:
        if carer.accepted:
            staff[carer.office_id] = staff.get(carer.office_id, 0) + 1
    names = sorted(staff)
    wanted, chosen = SUSPICIOUS_CARERS * (1 - INNOCENT) * sum(staff.values()), set[str]()
    for at in world.draws.some("odd office", np.arange(len(names)), len(names)).tolist():
        if sum(staff[name] for name in chosen) >= wanted:
            break
        chosen.add(names[at])
    return frozenset(chosen)
