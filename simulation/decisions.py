"""What offices and coordinators decide: reviews, who is served by whom, packages that nobody shall bring."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nsmallest
from typing import Final

import numpy as np

from contracts import submissions as s
from simulation.agenda import Agenda
from simulation.calendar import WEEKS
from simulation.claims import ACCEPTED, TAKEN, Claim, claim
from simulation.deliveries import MONTHLY, Deliveries
from simulation.depots import SOCIAL_OFFICE
from simulation.draws import Numbers
from simulation.facts import Outside
from simulation.fate import Fate
from simulation.phones import Phones, carer_at
from simulation.staff import Carer
from simulation.world import World

COORDINATORS: Final = "coordinators"
REVIEWED: Final = 20  # carers' own households
ENDED: Final = 0.2  # of them lose their weekly protein; the others keep everything
BY_HAND: Final = 12  # households that a coordinator gives to another carer
RELATIVES: Final = 3  # and to a relative, which nobody may
CANCELLED: Final = 6  # packages

_MORNING: Final = 7.0
_AFTERNOON: Final = 15.0
_BY_HAND_DAY: Final = 13
_CANCELLED_DAYS: Final = 1  # after the launch: packages that would be brought two days later or more
_REVIEWED_DAYS: Final = 2  # after the last week's beginning
_NEAREST: Final = 4
_WEEKLY: Final = "weekly_protein"


@dataclass(frozen=True, slots=True)
class HandOver:
    """A household for a carer, chosen by hand."""

    number: int
    carer: int
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Review:
    """Eligibility of the household in which a carer lives."""

    number: int
    carer: int


@dataclass(slots=True)
class Decisions:
    """Who decides what on which day; each waits until what it is about is known outside."""

    phones: Phones
    rounds: dict[int, str]
    reviews: Agenda[Review]
    hand_overs: Agenda[HandOver]
    cancellations: Agenda[int]
    ended: set[tuple[int, str]] = field(default_factory=set)
    """Household's number and programme."""

    def due(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """What is sent at this step."""
        for review in self.reviews.take(step):
            if review.number in outside.household and review.carer in outside.carer:
                yield from self._review(review.number, outside.household[review.number], now)
            else:
                self.reviews.postpone(step, review)
        for hand_over in self.hand_overs.take(step):
            if hand_over.carer in outside.carer and carer_at(outside, hand_over.number) is not None:
                yield self._hand_over(hand_over, now, outside)
            else:
                self.hand_overs.postpone(step, hand_over)
        for number in self.cancellations.take(step):
            if number in outside.household:
                yield self._cancellation(number, outside.household[number], now)
            else:
                self.cancellations.postpone(step, number)

    def _review(self, number: int, household_id: str, now: datetime) -> Iterator[Claim]:
        if self.phones.world.draws.share("ended", number) < ENDED:
            self.ended.add((number, _WEEKLY))
        for programme in self.phones.world.policy.programme:
            yield claim(
                s.ReviewDecisionSubmitted,
                SOCIAL_OFFICE,
                f"review-{number}-{programme.replace('_', '-')}",
                right=ACCEPTED,
                happened_at=now,
                household_id=household_id,
                programme=programme,
                decision="end" if (number, programme) in self.ended else "keep",
                reason="income_checked",
            )

    def _hand_over(self, hand_over: HandOver, now: datetime, outside: Outside) -> Claim:
        world = self.phones.world
        return claim(
            s.HandAssignmentSubmitted,
            COORDINATORS,
            f"by-hand-{hand_over.number}",
            right=hand_over.right,
            happened_at=now,
            household_id=outside.household[hand_over.number],
            carer_id=outside.carer[hand_over.carer],
            by=world.policy.district[world.households[hand_over.number].district].coordinator,
            reason="neighbours",
        )

    def _cancellation(self, number: int, household_id: str, now: datetime) -> Claim:
        return claim(
            s.PackageCancellationSubmitted,
            SOCIAL_OFFICE,
            f"cancellation-{number}",
            right=ACCEPTED,
            happened_at=now,
            household_id=household_id,
            round_id=self.rounds[MONTHLY],
            reason="cared_for_elsewhere",
        )


def plan_decisions(deliveries: Deliveries) -> Decisions:
    """About households to which nothing else happens."""
    phones = deliveries.phones
    calendar, world, fate = phones.calendar, phones.world, phones.fate
    steps = calendar.steps
    decisions = Decisions(phones, deliveries.rounds, Agenda(steps), Agenda(steps), Agenda(steps))
    own, related = _kin(world, fate)
    reviewed = calendar.at(calendar.week_days(WEEKS[-1])[0] + _REVIEWED_DAYS, _MORNING)
    for number in world.draws.some("reviewed", _sorted(own), world.some(REVIEWED)).tolist():
        decisions.reviews.add(reviewed, Review(number, own[number]))
    by_hand = calendar.at(_BY_HAND_DAY, _MORNING)
    for number in world.draws.some("to a relative", _sorted(related), world.some(RELATIVES)).tolist():
        decisions.hand_overs.add(by_hand, HandOver(number, related[number], frozenset({"carer_conflict"})))
    others = _sorted(set(fate.numbers.tolist()) - fate.life.keys() - own.keys() - related.keys())
    for number in world.draws.some("by hand", others, world.some(BY_HAND)).tolist():
        decisions.hand_overs.add(by_hand, HandOver(number, _neighbour(world, fate, number), TAKEN))
    brought_late = fate.attempts.first_day > calendar.launch + _CANCELLED_DAYS + 1
    late = others[np.isin(others, fate.numbers[brought_late])]
    cancelled = calendar.at(calendar.launch + _CANCELLED_DAYS, _AFTERNOON)
    for number in world.draws.some("cancelled", late, world.some(CANCELLED)).tolist():
        decisions.cancellations.add(cancelled, number)
    return decisions


def _kin(world: World, fate: Fate) -> tuple[dict[int, int], dict[int, int]]:
    """Households in which a carer lives who stays, and those where one has relatives; the carer's number by theirs."""
    cards = {row.family_card: number for number, row in world.households.items() if number not in fate.life}
    staying = [carer for carer in world.carers if carer.accepted and carer.number not in fate.leaving]
    own = {cards[carer.family_card]: carer.number for carer in staying if carer.family_card in cards}
    related = {cards[card]: carer.number for carer in staying for card in carer.relatives_cards if card in cards}
    return own, related


def _neighbour(world: World, fate: Fate, number: int) -> int:
    """One of the nearest carers who stay and have no kin on the list."""
    door, cards = world.households[number].door, {row.family_card for row in world.households.values()}

    def distance(carer: Carer) -> float:
        return math.dist((door.latitude, door.longitude), (carer.home.latitude, carer.home.longitude))

    free = (
        carer
        for carer in world.carers
        if carer.accepted
        and carer.number not in fate.leaving
        and not carer.relatives_cards
        and carer.family_card not in cards
    )
    return nsmallest(_NEAREST, free, key=distance)[-1].number


def _sorted(numbers: Iterable[int]) -> Numbers:
    return np.array(sorted(numbers), dtype=np.int64)
