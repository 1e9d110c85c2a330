"""Card splits against rule 15 as one machine: the registry, what it states, and the rounds of distribution.

Modelled: two families whose people the machine knows one by one, one of them without a NIK. Some leave for a card of
their own, with its number or without, said once and again; lists have the cards as they are, or put somebody back on
one; villages say that a household has moved away or stayed; two households turn out to be one. Facts reach
distribution household by household, in any order between them. Two rounds open and are planned; packages are delivered,
to whoever, and what is left is given to any household by decision.

Nobody gets two packages of a round by that. Who is on two cards by two lists is a conflict for a person to decide, and
keeps both (rule 3): that is not looked at here.

Fails when (each was broken, and seen to fail): the people's line of rule 15 is followed over one split only, or not at
all; a newer fact about a half forgets whom it left; an older fact overrides a newer one; what a merged household has
had is not counted for the one that stays, or not when it was delivered late; a half is not found by its head's NIK,
neither on a list nor when it is said again; a half has no head.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from contracts.events import Household, HouseholdMerged
from contracts.submissions import CardSplit, HouseholdChangeSubmitted, RoundSubmitted, SurplusDecisionSubmitted
from messaging.clock import set_clock
from tests.distribution import samples as supply
from tests.distribution.conftest import Distribution, open_distribution
from tests.distribution.samples import NOW
from tests.machines.families import (
    CHANGES,
    EVENTS,
    FAMILIES,
    HOMES,
    ROLES,
    WITHOUT_NIK,
    Change,
    Deliver,
    Event,
    Give,
    Home,
    Leave,
    ListAgain,
    Merge,
    Move,
    Open,
    SayAgain,
    home_of,
    move_of,
    person,
    split_of,
)
from tests.machines.machine import Ground, Length, Machine, run_machine, settings_of
from tests.registry import samples
from tests.registry.conftest import Registry, open_registry

MERGED_VERSION: Final = 10_000  # newer than anything the registry goes on to say of it
DONE: Final = ("cancelled", "returned")


class CardSplits(Machine):
    """Two families, two services, two months."""

    def __init__(self, ground: Ground, registry: Registry, distribution: Distribution) -> None:
        super().__init__(ground)
        self.registry, self.distribution = registry, distribution
        self.homes: dict[UUID, Home] = {}
        self.cards: dict[UUID, int] = {}
        """Numbers of cards, as far as somebody knows them."""
        self.said: list[HouseholdChangeSubmitted] = []
        self.coming: dict[UUID, list[Household]] = defaultdict(list)
        """Facts on their way to distribution."""
        self.shares: dict[UUID, dict[UUID, set[int]]] = defaultdict(dict)
        """By round and recipient, whose package it is."""
        self.late: set[tuple[UUID, UUID]] = set()
        """Rounds and households whose package was delivered after it was cancelled: nobody can take that back."""
        self.merged: dict[UUID, UUID] = {}
        self.steps = 0

    @initialize(is_open=st.sampled_from([True, True, False]))
    def begin(self, *, is_open: bool) -> None:
        self.do(self.set_clocks())
        self.do(self.distribution.submit(*supply.packages_of_stock(40)))
        for number, people in enumerate(FAMILIES, 1):
            self.list_card(number, number, people)
        if is_open:
            self.bring_all_facts()
            self.open_round(10)

    # One rule: Hypothesis leaves rules out of an example, and nothing is looked for in one half of this alone.
    @rule(changes=CHANGES, order=st.lists(HOMES, max_size=8), events=EVENTS, all_known=st.booleans())
    def go_on(self, changes: list[Change], order: list[int], events: list[Event], *, all_known: bool) -> None:
        """People leave and come, some facts reach distribution, or all; then packages are planned."""
        for change in changes:
            self.change(change)
            self.learn()
        for place in order:
            if facts := self.coming[self.home(place).household_id]:
                self.do(self.distribution.tell(facts.pop(0)))
        if all_known:
            self.bring_all_facts()
        for event in events:
            self.happen(event)
        self.do(self.distribution.plan())
        self.who_is_merged_has_one_package(all_known=all_known)

    def change(self, change: Change) -> None:
        match change:
            case Leave():
                if (split := split_of(self.home(change.home), change, self.at())) is not None:
                    self.said.append(split)
                    self.split(split, change.card)
            case SayAgain() if self.said:
                self.say_again(self.said[change.which % len(self.said)], listed=change.listed)
            case ListAgain(home, back, is_old):
                self.list_again(self.home(home), back, is_old=is_old)
            case Move():
                self.do(self.registry.submit(move_of(self.home(change.home), change, self.at())))

    def happen(self, event: Event) -> None:
        match event:
            case Open(month):
                self.open_round(month)
            case Give(homes, month):
                self.do(self.distribution.submit(self.decision(homes, month)))
                self.share_out(month)
            case Deliver(home, month):
                self.deliver(UUID(int=month), self.home(home).household_id)
            case Merge(gone, stays):
                self.merge(self.home(gone), self.home(stays))

    @invariant()
    def nobody_gets_two_packages_of_a_round(self) -> None:
        for round_id, packages in self.do(self.packages()).items():
            getting = defaultdict(list)
            for household_id, status in packages.items():
                is_live = status not in DONE and (round_id, household_id) not in self.late
                for one in self.shares[round_id][household_id] if is_live else ():
                    getting[one].append(household_id)
            for household_ids in getting.values():
                is_conflict = any(self.homes[one].state.conflicts for one in household_ids)
                assert len(household_ids) == 1 or is_conflict

    def who_is_merged_has_one_package(self, *, all_known: bool) -> None:
        for packages in self.do(self.packages()).values():
            for gone, stays in self.merged.items() if all_known else ():
                assert packages.get(gone, "cancelled") in ("delivered", *DONE)
                if packages.get(gone) == "delivered":
                    assert packages.get(stays, "cancelled") in ("delivered", *DONE)

    def at(self) -> datetime:
        self.steps += 1
        return samples.SEEN_AT + timedelta(days=1, minutes=self.steps)

    def home(self, place: int) -> Home:
        """The newest first, so that halves of halves are met."""
        return list(self.homes.values())[-1 - place % len(self.homes)]

    def split(self, said: HouseholdChangeSubmitted, card: int | None) -> None:
        """Who heads a household already does not become the head of another half (rule 3)."""
        self.do(self.registry.submit(said))
        for household_id in self.learn():
            if card is not None and card not in self.cards.values():
                self.cards[household_id] = card
            head = self.homes[household_id].head
            assert [home.household_id for home in self.homes.values() if home.head == head] == [household_id]

    def say_again(self, said: HouseholdChangeSubmitted, *, listed: bool) -> None:
        if listed and isinstance(said.change, CardSplit):
            numbers = {key: number for home in self.homes.values() for number, key in home.person_ids.items()}
            self.list_again(self.homes[said.household_id], numbers.get(said.change.head_person_id), is_old=False)
        self.split(said, None)

    def list_again(self, home: Home, back: int | None, *, is_old: bool) -> None:
        """A card whose number nobody knew is known by its head alone; without a NIK a person would have to decide.

        So would they who is on another card already and has no NIK: that is not looked at either.
        """
        if home.head in (None, WITHOUT_NIK) and home.household_id not in self.cards:
            return
        returned = () if back in (None, WITHOUT_NIK) else (back,)
        people = sorted({*home.members, *returned}, key=lambda one: (one != home.head, one))
        number = self.cards.setdefault(home.household_id, 20 + len(self.cards))
        assert self.list_card(number, number, people, is_old=is_old) == []

    def list_card(self, row: int, card: int, people: Sequence[int], *, is_old: bool = False) -> list[UUID]:
        """Households that are new by that."""
        at = samples.SEEN_AT if is_old else self.at()
        rows = [person(one, ROLES[min(place, 3)]) for place, one in enumerate(people)]
        given = samples.household(row, *rows, family_card=samples.card_number(card), happened_at=at)
        self.do(self.registry.submit(given))
        new = self.learn()
        self.cards |= dict.fromkeys(new, card)
        return new

    def learn(self) -> list[UUID]:
        """What the registry has come to; households that are new."""
        for fact in self.do(self.registry.facts()):
            if isinstance(fact, Household):
                self.coming[fact.household_id].append(fact)
        rows = self.do(self.registry.context.pool.fetch("select state, profile from household"))
        found = sorted((home_of(row["state"], row["profile"]) for row in rows), key=lambda one: one.state.registered_at)
        new = [home.household_id for home in found if home.household_id not in self.homes]
        self.homes = {home.household_id: home for home in found}
        return new

    def bring_all_facts(self) -> None:
        facts = [fact for queue in self.coming.values() for fact in queue]
        self.coming.clear()
        if facts:
            self.do(self.distribution.tell(*facts))

    def open_round(self, month: int) -> None:
        self.do(self.distribution.submit(round_of(month)))
        self.share_out(month)

    def deliver(self, round_id: UUID, household_id: UUID) -> None:
        if self.do(self.packages())[round_id].get(household_id) == "cancelled":
            self.late.add((round_id, household_id))
        self.do(self.distribution.submit(supply.delivered(round_id, household_id)))

    def merge(self, gone: Home, stays: Home) -> None:
        """No longer chain is looked at."""
        taken = {*self.merged, *self.merged.values()}
        if gone is not stays and not {gone.household_id, stays.household_id} & taken:
            self.merged[gone.household_id] = stays.household_id
            state = dict(gone.state) | {"version": MERGED_VERSION, "status": "merged"}
            fields = {name: state[name] for name in Household.model_fields}
            self.do(self.distribution.tell(HouseholdMerged(**fields, merged_into=stays.household_id)))

    def decision(self, homes: Sequence[int], month: int) -> SurplusDecisionSubmitted:
        wanted = tuple(dict.fromkeys(self.home(home).household_id for home in homes))
        return SurplusDecisionSubmitted(
            happened_at=NOW, round_id=UUID(int=month), use="candidates", household_ids=wanted, reason="surplus"
        )

    def share_out(self, month: int) -> None:
        """Whose package that of each new recipient is: who is on its card now."""
        query = "select household_id from recipient where round_id = $1"
        for row in self.do(self.distribution.context.pool.fetch(query, UUID(int=month))):
            household_id = row["household_id"]
            self.shares[UUID(int=month)].setdefault(household_id, set(self.homes[household_id].members))

    async def packages(self) -> dict[UUID, dict[UUID, str]]:
        """By round and household, how its package stands."""
        rows = await self.distribution.context.pool.fetch("select round_id, household_id, status from package")
        found: dict[UUID, dict[UUID, str]] = defaultdict(dict)
        for row in rows:
            found[row["round_id"]][row["household_id"]] = row["status"]
        return found

    async def set_clocks(self) -> None:
        """One clock for both."""
        ahead = NOW - datetime.now(UTC)
        for context in (self.registry.context, self.distribution.context):
            async with context.pool.acquire() as db:
                await set_clock(db, ahead)


def round_of(month: int) -> RoundSubmitted:
    window = {"opens_on": date(2026, month, 14), "closes_on": date(2026, month, 24)}
    return supply.monthly(round_id=UUID(int=month), period=f"2026-{month}", **window)


def test_nobody_gets_two_packages_by_splitting_a_card(ground: Ground, length: Length) -> None:
    """Rule 15."""
    registry = ground.do(open_registry(ground.do(ground.fresh("registry")), development=True))
    ground.pools.append(registry.context.pool)
    distribution = ground.do(open_distribution(ground.do(ground.fresh("distribution"))))
    ground.pools.append(distribution.context.pool)

    run_machine(partial(CardSplits, ground, registry, distribution), settings_of(length, examples=30, steps=20))
