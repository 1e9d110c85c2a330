"""Candidates whom neighbours saw: who decides that they are poor, and gives some of them what is left of a round."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np

from contracts import submissions as s
from contracts.vocabulary import EligibilityBasis, ReceivedBy
from simulation.agenda import Agenda
from simulation.calendar import WEEKS
from simulation.claims import ACCEPTED, Claim, claim
from simulation.deliveries import MONTHLY, UNDER_WAY, Deliveries
from simulation.depots import SOCIAL_OFFICE
from simulation.facts import Outside
from simulation.households import NEIGHBOURS_FROM
from simulation.phones import SOURCE, carer_at
from simulation.register import next_to, rounded

DECIDED: Final = 50
VERIFIED: Final = 0.6  # of them
TWICE: Final = 0.1  # decided on by two clerks
SURPLUS: Final = 10  # packages that are left for verified candidates; the rest is kept for disasters

_CANDIDATES: Final = "candidates"
_RESERVE: Final = "disaster_reserve"
_MORNING: Final = 7.0
_EVENING: Final = 18.0
_FROM: Final = 15.6  # hour of the first door of an afternoon
_DECIDED_DAYS: Final = 6  # after the launch
_SURPLUS_DAYS: Final = 8
_BROUGHT_DAYS: Final = 9
_PROTEIN_DAYS: Final = 3  # after the last week's beginning


@dataclass(frozen=True, slots=True)
class Visit:
    """A carer brings a verified candidate the goods of a round."""

    number: int
    week: int


@dataclass(slots=True)
class Candidates:
    """Who is decided on, in the order in which it is said."""

    deliveries: Deliveries
    decisions: Agenda[int]
    surplus: Agenda[str]
    visits: Agenda[Visit]
    verified: list[int] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    """Households to whom what is left was given."""

    def due(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """What is sent at this step."""
        for number in self.decisions.take(step):
            if number in outside.household:
                yield from self._decide(number, outside.household[number], now)
            else:
                self.decisions.postpone(step, number)
        for use in self.surplus.take(step):
            yield from self._give(use, now, outside)
        for visit in self.visits.take(step):
            household_id, carer = outside.household[visit.number], carer_at(outside, visit.number)
            package = outside.packages.get((household_id, self.deliveries.rounds[visit.week]))
            if carer is None or package is None:
                self.visits.postpone(step, visit)
            elif package.status in UNDER_WAY:
                brought = () if package.supply == "stock" else package.contents
                yield self._bring(visit, household_id, carer[0], brought, now)

    def _decide(self, number: int, household_id: str, now: datetime) -> Iterator[Claim]:
        phones = self.deliveries.phones
        is_poor = phones.world.draws.share("verified", number) < VERIFIED
        if is_poor:
            self.verified.append(number)
            day = phones.calendar.week_days(WEEKS[-1])[0] + _PROTEIN_DAYS
            self.visits.add(phones.calendar.at(day, _EVENING), Visit(number, WEEKS[-1]))
        copies = ("", "-again") if phones.world.draws.share("decided twice", number) < TWICE else ("",)
        for copy in copies:
            yield claim(
                s.CandidateDecisionSubmitted,
                SOCIAL_OFFICE,
                f"candidate-{number}{copy}",
                right=frozenset({"nothing_to_decide"}) if copy else ACCEPTED,
                happened_at=now,
                household_id=household_id,
                decision="verified" if is_poor else "rejected",
                basis=EligibilityBasis.LOCAL_VERIFIED,
            )

    def _give(self, use: str, now: datetime, outside: Outside) -> Iterator[Claim]:
        calendar, world = self.deliveries.phones.calendar, self.deliveries.phones.world
        numbers = self.verified[: world.some(SURPLUS)] if use == _CANDIDATES else []
        if use == _CANDIDATES and not numbers:
            return
        for number in numbers:
            self.visits.add(calendar.at(calendar.launch + _BROUGHT_DAYS, _EVENING), Visit(number, MONTHLY))
        households = [outside.household[number] for number in numbers]
        self.named.update(households)
        yield claim(
            s.SurplusDecisionSubmitted,
            SOCIAL_OFFICE,
            f"surplus-{use.replace('_', '-')}",
            right=ACCEPTED,
            happened_at=now,
            round_id=self.deliveries.rounds[MONTHLY],
            use=use,
            household_ids=households,
            reason="surplus",
        )

    def _bring(
        self, visit: Visit, household_id: str, carer_id: str, brought: tuple[tuple[str, int], ...], now: datetime
    ) -> Claim:
        phones, round_id = self.deliveries.phones, self.deliveries.rounds[visit.week]
        door = next_to(phones.world, visit.number - NEIGHBOURS_FROM).door
        begin = phones.calendar.at(phones.calendar.day_of(now), _FROM)
        name = f"delivery-{visit.number}-{visit.week}-1"
        self.deliveries.handed_over.add((household_id, round_id))
        return claim(
            s.DeliverySubmitted,
            SOURCE,
            name,
            right=ACCEPTED,
            happened_at=phones.next_door(carer_id, min(begin, now), now),
            household_id=household_id,
            round_id=round_id,
            carer_id=carer_id,
            delivered=True,
            failure_reason=None,
            received_by=ReceivedBy.SELF,
            photo_sha256=hashlib.sha256(f"{phones.world.draws.seed}/{name}".encode()).hexdigest(),
            place=rounded(door.latitude, door.longitude),
            mock_location=False,
            brought=[{"item": item, "units": units} for item, units in brought],
        )


def plan_candidates(deliveries: Deliveries) -> Candidates:
    """Those seen by then are decided on one day after the launch, what is left two days later."""
    phones = deliveries.phones
    calendar, world, seen = phones.calendar, phones.world, phones.fate.neighbours
    candidates = Candidates(deliveries, Agenda(calendar.steps), Agenda(calendar.steps), Agenda(calendar.steps))
    day = calendar.launch + _DECIDED_DAYS
    for at in world.draws.some("candidate", np.flatnonzero(seen < day), world.some(DECIDED)).tolist():
        candidates.decisions.add(calendar.at(day, _MORNING), NEIGHBOURS_FROM + at)
    for use in (_CANDIDATES, _RESERVE):
        candidates.surplus.add(calendar.at(calendar.launch + _SURPLUS_DAYS, _MORNING), use)
    return candidates
