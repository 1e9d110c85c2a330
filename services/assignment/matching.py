"""Who shall look after whom: one min-cost flow over each household's nearest carers (rule 10). Runs in a child process.

Households and carers are rows of arrays here, and known by their index. Costs are metres: a slot of a carer costs more
the more households the carer holds, so that load is shared out.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow  # type: ignore[import-untyped]  # OR-tools has no types

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

NOBODY: Final = -1
_EARTH_METRES: Final = 6_371_009  # mean radius
_CELL_DEGREES: Final = 0.02  # households this close look at the same carers; about 2 km
_UNSERVED_METRES: Final = 10_000_000  # dearer than any chain of carers passing households on
_MOST_ARCS: Final = 2_100_000  # keeps the solver under 400 MiB
_ROUNDING: Final = 1e-7  # of a chord between unit vectors: below a metre
_MOST_NEW: Final = 100  # households given to one carer in one flow


@dataclass(frozen=True, slots=True)
class Households:
    """Those to be matched."""

    places: Floats
    """Degrees north and east, one row each."""
    wants: Integers
    """Competences that fit a need, as bits."""
    current: Integers
    """The carer who may keep it; NOBODY when it has none or must leave them."""


@dataclass(frozen=True, slots=True)
class Carers:
    """Those who can be given households."""

    homes: Floats
    workplaces: Floats
    competences: Integers
    load: Integers
    """Households held that are not in this match."""
    capacity: Integers


@dataclass(frozen=True, slots=True)
class Weights:
    """What is weighed against distance, in metres; `nearest` carers are looked at for each household."""

    nearest: int
    load_metres: int
    competence_metres: int
    change_metres: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One match; `conflicts` holds the pairs that must not be, household and carer."""

    households: Households
    carers: Carers
    conflicts: Integers
    weights: Weights


@dataclass(frozen=True, slots=True)
class Matching:
    """For each household its carer and why; arrays of one length."""

    chosen: Integers
    """NOBODY: unserved."""
    metres: Integers
    load_before: Integers
    nearest: Integers
    """The nearest carer of all, whoever was chosen; NOBODY where there are none."""
    nearest_metres: Integers
    why_not_nearest: tuple[str, ...]
    """Codes of `NearestNotChosen.why`; without meaning where the nearest was chosen."""
    why_unserved: tuple[str, ...]
    """Codes of `HouseholdUnserved.reason`; without meaning where somebody was chosen."""


def match(problem: Problem) -> Matching:
    """Serve everyone who can be served, at the least cost over the carers looked at.

    While someone is left over, those who compete for the same full carers look at twice as many.
    """
    count, unserved = problem.weights.nearest, np.arange(len(problem.households.wants))
    chosen, movable = np.full(len(unserved), NOBODY), unserved
    unavoidable = max(0, len(unserved) - int(_slots(problem, problem.carers.load).sum()))
    while len(movable):
        chosen[movable] = NOBODY
        load = problem.carers.load + _held(problem, chosen)
        room = np.flatnonzero(_slots(problem, load))
        looked_at, before = min(count, len(room)), len(unserved)
        if not looked_at:
            break
        arcs = _arcs(problem, movable, room, looked_at)
        found = _solve(problem, len(movable), arcs, load[room], _slots(problem, load)[room])
        chosen[movable] = np.where(found == NOBODY, NOBODY, room[found])
        unserved = np.flatnonzero(chosen == NOBODY)
        if len(unserved) <= unavoidable or looked_at == len(room):
            break
        contested = movable[_contested(arcs, found, len(room))]
        movable = contested if 2 * count * len(contested) <= _MOST_ARCS else unserved
        count = min(2 * count, _MOST_ARCS // len(movable))
        if len(unserved) == before and count <= looked_at:
            break
    return _explain(problem, chosen)


@dataclass(frozen=True, slots=True)
class _Arcs:
    """Which household may go to which carer, by place in the flow, and what that costs."""

    households: Integers
    carers: Integers
    costs: Integers


def _slots(problem: Problem, load: Integers) -> Integers:
    """How many households each carer can still be given."""
    slots: Integers = np.clip(problem.carers.capacity - load, 0, _MOST_NEW)
    return slots


def _held(problem: Problem, chosen: Integers) -> Integers:
    return np.bincount(chosen[chosen != NOBODY], minlength=len(problem.carers.load))


def _arcs(problem: Problem, waiting: Integers, room: Integers, count: int) -> _Arcs:
    """From each of `waiting` to the best `count` of `room` and to its present carer, without conflicts."""
    heads = _nearest(problem, waiting, room, count).ravel()
    tails = np.repeat(np.arange(len(waiting)), count)
    current = problem.households.current[waiting]
    others = current[tails] != room[heads]
    keepers = np.flatnonzero(np.isin(current, room))
    tails = np.concatenate((tails[others], keepers))
    heads = np.concatenate((heads[others], np.searchsorted(room, current[keepers])))
    allowed = ~_in_conflict(problem, waiting[tails], room[heads])
    tails, heads = tails[allowed], heads[allowed]
    metres = _metres(problem, waiting[tails], room[heads])
    return _Arcs(tails, heads, _costs(problem, waiting[tails], room[heads], metres))


def _contested(arcs: _Arcs, found: Integers, carers: int) -> Integers:
    """The households left over, and all who hold a place that, passed on, could serve one of them."""
    reached, wanted = found == NOBODY, np.zeros(carers, bool)
    while True:
        before = wanted.sum()
        wanted[arcs.carers[reached[arcs.households]]] = True
        if wanted.sum() == before:
            return np.flatnonzero(reached)
        reached |= (found != NOBODY) & wanted[found]


def _costs(problem: Problem, households: Integers, carers: Integers, metres: Integers) -> Integers:
    """Of these pairs, without load."""
    weights = problem.weights
    fits = (problem.households.wants[households] & problem.carers.competences[carers]) != 0
    current = problem.households.current[households]
    changes = (current != NOBODY) & (current != carers)
    near: Integers = np.maximum(metres - weights.competence_metres * fits, 0) + weights.change_metres * changes
    return near


def _in_conflict(problem: Problem, households: Integers, carers: Integers) -> Booleans:
    count = len(problem.carers.capacity)
    forbidden = problem.conflicts[:, 0] * count + problem.conflicts[:, 1]
    return np.isin(households * count + carers, forbidden)


def _metres(problem: Problem, households: Integers, carers: Integers) -> Integers:
    """Of these pairs, along a great circle, from the carer's nearer place (haversine)."""
    doors = np.radians(problem.households.places[households])
    angles = []
    for places in (problem.carers.homes, problem.carers.workplaces):
        points = np.radians(places[carers])
        north, east = (np.sin((points - doors) / 2) ** 2).T
        angles.append(north + np.cos(doors[:, 0]) * np.cos(points[:, 0]) * east)
    metres: Integers = np.rint(2 * _EARTH_METRES * np.arcsin(np.sqrt(np.minimum(*angles)))).astype(np.int64)
    return metres


def _nearest(problem: Problem, waiting: Integers, room: Integers, count: int) -> Integers:
    """For each of `waiting` the `count` best of `room` by distance less competence, in no order.

    Exact: for the doors of one cell only carers are looked at who, by the triangle inequality, can be among them.
    """
    doors = _on_sphere(problem.households.places[waiting])
    homes, workplaces = _on_sphere(problem.carers.homes[room]), _on_sphere(problem.carers.workplaces[room])
    competences, wants = problem.carers.competences[room], problem.households.wants[waiting]
    bonus = problem.weights.competence_metres / _EARTH_METRES
    best = np.empty((len(waiting), count), np.int64)
    for cell in _cells(doors):
        middle = doors[cell].mean(axis=0)
        far = _chord(np.maximum(homes @ middle, workplaces @ middle), middle @ middle)
        spread = np.linalg.norm(doors[cell] - middle, axis=1).max()
        reach = np.partition(far, count - 1)[count - 1] + 2 * spread + bonus * wants[cell].any()
        near = np.flatnonzero(far <= reach + _ROUNDING)
        apart = _chord(np.maximum(doors[cell] @ homes[near].T, doors[cell] @ workplaces[near].T))
        apart -= bonus * ((wants[cell][:, None] & competences[near]) != 0)
        best[cell] = near[np.argpartition(apart, count - 1, axis=1)[:, :count]]
    return best


def _on_sphere(places: Floats) -> Floats:
    north, east = np.radians(places).T
    return np.column_stack((np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)))


def _chord(dots: Floats, squared: float = 1) -> Floats:
    """Straight through the globe: the triangle inequality holds, and within a regency arcs are hardly longer."""
    straight: Floats = np.sqrt(np.maximum(1 + squared - 2 * dots, 0))
    return straight


def _cells(doors: Floats) -> list[Integers]:
    """Indexes of the doors that lie together."""
    corners = np.floor(doors / np.radians(_CELL_DEGREES)).astype(np.int64)
    _, cell = np.unique(corners, axis=0, return_inverse=True)
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cell[order])) + 1)


def _solve(problem: Problem, households: int, arcs: _Arcs, load: Integers, slots: Integers) -> Integers:
    """Nodes: households, then carers, then the sink. A carer's slots are arcs of rising cost."""
    sink = households + len(load)
    slots = np.where(np.bincount(arcs.carers, minlength=len(load)) > 0, slots, 0)
    carer = np.repeat(np.arange(len(load)), slots)
    held = load[carer] + np.arange(len(carer)) - np.repeat(np.cumsum(slots) - slots, slots)
    every = np.arange(households)
    flow = min_cost_flow.SimpleMinCostFlow()
    for tails, heads, costs in (
        (arcs.households, households + arcs.carers, arcs.costs),
        (households + carer, np.full(len(carer), sink), problem.weights.load_metres * held),
        (every, np.full(households, sink), np.full(households, _UNSERVED_METRES)),
    ):
        flow.add_arcs_with_capacity_and_unit_cost(tails, heads, np.ones(len(tails), np.int64), costs)
    flow.set_nodes_supplies(np.append(every, sink), np.append(np.ones(households, np.int64), -households))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise ArithmeticError(f"The match has no solution: {status.name}.")
    used = np.flatnonzero(flow.flows(np.arange(len(arcs.households))))
    found = np.full(households, NOBODY)
    found[arcs.households[used]] = arcs.carers[used]
    return found


def _explain(problem: Problem, chosen: Integers) -> Matching:
    every, held = np.arange(len(chosen)), _held(problem, chosen)
    room = _slots(problem, problem.carers.load + held) > 0
    nearest = _nearest_by_distance(problem, every)
    return Matching(
        chosen=chosen,
        metres=_metres(problem, every, chosen),
        load_before=problem.carers.load[chosen] + _rank(chosen),
        nearest=nearest,
        nearest_metres=_metres(problem, every, nearest),
        why_not_nearest=_why_not(problem, chosen, nearest, room),
        why_unserved=("only_conflicting_carers" if room.any() else "no_carer_with_room",) * len(chosen),
    )


def _nearest_by_distance(problem: Problem, households: Integers) -> Integers:
    indifferent = replace(problem, weights=replace(problem.weights, competence_metres=0))
    return _nearest(indifferent, households, np.arange(len(problem.carers.load)), 1).ravel()


def _why_not(problem: Problem, chosen: Integers, nearest: Integers, room: Booleans) -> tuple[str, ...]:
    """The first that holds of: may not, stays with its carer, somebody fits better, has no room, holds more."""
    wants, competences = problem.households.wants, problem.carers.competences
    better = ((wants & competences[chosen]) != 0) & ((wants & competences[nearest]) == 0)
    conflict = _in_conflict(problem, np.arange(len(chosen)), nearest)
    keeps = (chosen != NOBODY) & (chosen == problem.households.current)
    codes = np.select(
        [conflict, keeps, better, ~room[nearest]],
        ["conflict", "continuity", "better_competence", "full"],
        "fairer_load",
    )
    return tuple(codes.tolist())


def _rank(chosen: Integers) -> Integers:
    """How many earlier households of this match went to the same carer."""
    order = np.argsort(chosen, kind="stable")
    first = np.searchsorted(chosen[order], chosen[order])
    rank = np.empty(len(chosen), np.int64)
    rank[order] = np.arange(len(chosen)) - first
    return rank
