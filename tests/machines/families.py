"""The families of the machine of card splits: their people, what is said of them, and what becomes of a round."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from contracts.events import Household, HouseholdProfiled
from contracts.submissions import (
    CardSplit,
    HouseholdChangeSubmitted,
    HouseholdMovedAway,
    HouseholdStayed,
    MemberRow,
)
from contracts.vocabulary import MemberRole
from tests.registry import samples

FAMILIES: Final = ((1, 2, 3, 4, 8, 9), (5, 6, 7, 10))
WITHOUT_NIK: Final = 4
ROLES: Final = (MemberRole.HEAD, MemberRole.SPOUSE, MemberRole.CHILD, MemberRole.OTHER)
FIRST_YEAR: Final = 1950  # people are told apart by their year of birth, which is public


@dataclass(frozen=True)
class Home:
    """A household as the registry has it."""

    state: Household
    members: dict[int, str]
    """Role by number of the person."""
    person_ids: dict[int, UUID]

    @property
    def household_id(self) -> UUID:
        return self.state.household_id

    @property
    def head(self) -> int | None:
        heads = [person for person, role in self.members.items() if role == MemberRole.HEAD]
        return heads[0] if heads and self.state.status == "registered" else None


@dataclass(frozen=True)
class Leave:
    """Some leave for a card of their own, the first of them as its head; nobody may know its number."""

    home: int
    who: list[int]
    card: int | None


@dataclass(frozen=True)
class SayAgain:
    """One of the splits, under another id; a list may have put its head back where they were."""

    which: int
    listed: bool


@dataclass(frozen=True)
class ListAgain:
    """A list has a card, with its number; somebody may be on it again."""

    home: int
    back: int | None
    is_old: bool


@dataclass(frozen=True)
class Move:
    """What the village says."""

    home: int
    away: bool


@dataclass(frozen=True)
class Open:
    """A round opens."""

    month: int


@dataclass(frozen=True)
class Give:
    """What is left of a round goes to these."""

    homes: list[int]
    month: int


@dataclass(frozen=True)
class Deliver:
    """A package is said to be delivered."""

    home: int
    month: int


@dataclass(frozen=True)
class Merge:
    """Two households are one."""

    gone: int
    stays: int


Change = Leave | SayAgain | ListAgain | Move
Event = Open | Give | Deliver | Merge

MONTHS: Final = st.sampled_from([10, 10, 11])
HOMES: Final = st.integers(0, 5)
LEAVES: Final = st.builds(
    Leave,
    home=HOMES,
    who=st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True),
    card=st.sampled_from([None, None, 1, 2, 11, 12]),
)
CHANGES: Final = st.lists(
    LEAVES
    | LEAVES
    | LEAVES
    | LEAVES
    | st.builds(SayAgain, which=st.integers(0, 9), listed=st.booleans())
    | st.builds(ListAgain, home=HOMES, back=st.sampled_from([None, *range(1, 11)]), is_old=st.booleans())
    | st.builds(Move, home=HOMES, away=st.sampled_from([False, False, True])),
    max_size=4,
)
GIVES: Final = st.builds(Give, homes=st.lists(HOMES, min_size=1, max_size=3), month=MONTHS)
DELIVERS: Final = st.builds(Deliver, home=HOMES, month=MONTHS)
EVENTS: Final = st.lists(
    st.builds(Open, month=MONTHS)
    | GIVES
    | GIVES
    | GIVES
    | DELIVERS
    | DELIVERS
    | DELIVERS
    | st.builds(Merge, gone=HOMES, stays=HOMES),
    max_size=5,
)


def person(number: int, role: MemberRole) -> MemberRow:
    """Somebody on a list."""
    born = date(FIRST_YEAR + number, 5, 15)
    nik = None if number == WITHOUT_NIK else samples.nik(number, born)
    return samples.member(number, role, nik=nik, birth_date=born)


def home_of(state: str, profile: str) -> Home:
    """A household from what is stated of it."""
    members = HouseholdProfiled.model_validate_json(profile).members
    numbers = [(member.birth_year or 0) - FIRST_YEAR for member in members]
    return Home(
        Household.model_validate_json(state),
        {number: member.role for number, member in zip(numbers, members, strict=True)},
        {number: member.person_id for number, member in zip(numbers, members, strict=True)},
    )


def split_of(home: Home, leave: Leave, at: datetime) -> HouseholdChangeSubmitted | None:
    """The report; none when nobody of them is there."""
    people = sorted(home.members)
    leaving = [home.person_ids[people[place]] for place in leave.who if place < len(people)]
    if not leaving:
        return None
    number = None if leave.card is None else samples.card_number(leave.card)
    split = CardSplit(kind="split", family_card=number, person_ids=tuple(leaving), head_person_id=leaving[0])
    return HouseholdChangeSubmitted(happened_at=at, household_id=home.household_id, change=split)


def move_of(home: Home, move: Move, at: datetime) -> HouseholdChangeSubmitted:
    """The report."""
    said = HouseholdMovedAway(kind="moved_away") if move.away else HouseholdStayed(kind="stayed")
    return HouseholdChangeSubmitted(happened_at=at, household_id=home.household_id, change=said)
