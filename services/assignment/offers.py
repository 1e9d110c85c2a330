"""Between the register and the solver: households and carers as arrays, and the match as offers with their reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final
from uuid import UUID

import numpy as np

from contracts.events import Choice, NearestNotChosen
from contracts.vocabulary import Competence
from policies import Policy
from services.assignment.domain import Wait, competence_fits
from services.assignment.matching import NOBODY, Carers, Floats, Households, Integers, Matching, Problem, Weights

Point = tuple[float, float]
"""Degrees north and east."""
_BITS: Final[Mapping[str, int]] = {code: 1 << place for place, code in enumerate(Competence)}


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A household that waits for the match."""

    household_id: UUID
    carer_id: UUID | None
    waiting_for: Wait
    district: str
    village: str
    door: Point | None
    competences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An active carer; there may be ten thousand, so only what the match looks at."""

    carer_id: UUID
    capacity: int
    competences: tuple[str, ...]
    home: Point | None
    workplace: Point | None
    conflicts: tuple[UUID, ...]
    held: int
    """Households held for good."""

    @property
    def has_place(self) -> bool:
        """Whether a distance to this carer means anything."""
        return self.home is not None or self.workplace is not None


@dataclass(frozen=True, slots=True)
class Offer:
    """What the match proposes for a household: a carer with the choice, or a reason why there is none."""

    household_id: UUID
    carer_id: UUID | None
    choice: Choice | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """One match of a regency; rows of the problem are those of `households` and `candidates`."""

    households: Sequence[Unmatched]
    candidates: Sequence[Candidate]
    hopeless: Sequence[Offer]
    """For those who need no solver: there are no carers, or not even the district is known to the policy."""
    problem: Problem


def ask(
    unmatched: Sequence[Unmatched], candidates: Sequence[Candidate], middles: Mapping[str, Point], policy: Policy
) -> Question:
    """The problem to solve.

    A household without a door stands in the middle of its village's known doors, or else of its district; a carer
    without any place in the middle of the regency.
    """
    points = [_point(household, middles, policy) if candidates else None for household in unmatched]
    placed = [(household, point) for household, point in zip(unmatched, points, strict=True) if point is not None]
    households = [household for household, _ in placed]
    index = {candidate.carer_id: place for place, candidate in enumerate(candidates)}
    problem = Problem(
        households=Households(
            places=np.array([point for _, point in placed]).reshape(-1, 2),
            wants=np.array([_bits(household.competences) for household in households], np.int64),
            current=np.array([_present(household, index) for household in households], np.int64),
        ),
        carers=_carers(candidates, policy),
        conflicts=_conflicts(households, candidates),
        weights=Weights(**dict(policy.matching)),
    )
    why = "no_place_known" if candidates else "no_carer_with_room"
    hopeless = [
        Offer(household.household_id, None, None, why)
        for household, point in zip(unmatched, points, strict=True)
        if point is None
    ]
    return Question(households, candidates, hopeless, problem)


def read(question: Question, matching: Matching, start: int, stop: int) -> list[Offer]:
    """The offers for some rows of the problem."""
    return [_offer(question, matching, row) for row in range(start, min(stop, len(question.households)))]


def _offer(question: Question, matching: Matching, row: int) -> Offer:
    household, chosen = question.households[row], int(matching.chosen[row])
    if chosen == NOBODY:
        return Offer(household.household_id, None, None, matching.why_unserved[row])
    carer = question.candidates[chosen]
    choice = Choice(
        way=_way(household, carer.carer_id),
        metres=int(matching.metres[row]) if household.door and carer.has_place else None,
        competence_fits=competence_fits(household.competences, carer.competences),
        load_before=int(matching.load_before[row]),
        nearest_not_chosen=_nearest_not_chosen(question, matching, row),
        reason=None if household.carer_id is None else household.waiting_for.value,
    )
    return Offer(household.household_id, carer.carer_id, choice, None)


def _way(household: Unmatched, carer_id: UUID) -> str:
    if household.carer_id is None:
        return "matched"
    return "kept" if household.carer_id == carer_id else "handed_over"


def _nearest_not_chosen(question: Question, matching: Matching, row: int) -> NearestNotChosen | None:
    nearest = question.candidates[int(matching.nearest[row])]
    is_known = question.households[row].door is not None and nearest.has_place
    if matching.nearest[row] == matching.chosen[row] or not is_known:
        return None
    return NearestNotChosen(
        carer_id=nearest.carer_id, metres=int(matching.nearest_metres[row]), why=matching.why_not_nearest[row]
    )


def _point(household: Unmatched, middles: Mapping[str, Point], policy: Policy) -> Point | None:
    if household.door is not None:
        return household.door
    district = policy.district.get(household.district)
    middle = (district.latitude, district.longitude) if district else None
    return middles.get(household.village) or middle


def _present(household: Unmatched, index: Mapping[UUID, int]) -> int:
    """The carer who may keep it: still active and not in conflict."""
    if household.carer_id is None or household.waiting_for is Wait.CONFLICT:
        return NOBODY
    return index.get(household.carer_id, NOBODY)


def _carers(candidates: Sequence[Candidate], policy: Policy) -> Carers:
    middle = (
        fmean(district.latitude for district in policy.districts),
        fmean(district.longitude for district in policy.districts),
    )
    return Carers(
        homes=_points([one.home or one.workplace for one in candidates], middle),
        workplaces=_points([one.workplace or one.home for one in candidates], middle),
        competences=np.array([_bits(one.competences) for one in candidates], np.int64),
        load=np.array([one.held for one in candidates], np.int64),
        capacity=np.array([one.capacity for one in candidates], np.int64),
    )


def _points(places: Sequence[Point | None], middle: Point) -> Floats:
    return np.array([place or middle for place in places], np.float64).reshape(-1, 2)


def _conflicts(households: Sequence[Unmatched], candidates: Sequence[Candidate]) -> Integers:
    rows = {household.household_id: row for row, household in enumerate(households)}
    pairs = [
        (rows[household_id], place)
        for place, candidate in enumerate(candidates)
        for household_id in candidate.conflicts
        if household_id in rows
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _bits(competences: Sequence[str]) -> int:
    return sum(_BITS.get(competence, 0) for competence in set(competences))
