"""Rules 8 to 11 by plain calls: whatever happens in whatever order, the assignment's history holds together."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policies
from contracts.events import AssignmentEnded, Choice, Enrolment, HouseholdAssigned, HouseholdUnserved
from services.assignment import domain
from services.assignment.domain import KnownCarer, KnownHousehold, Row, Wait
from tests.assignment.world import carer, household, place, profile

NOW = datetime(2026, 10, 1, tzinfo=UTC)
POLICY = policies.load()["35.10"]
CHOICE = Choice(way="matched", metres=0, competence_fits=False, load_before=0, nearest_not_chosen=None)
FAMILY = domain.known_household(household(), "35.10")
CARERS = tuple(domain.known_carer(carer(), "35.10", None, NOW) for _ in range(2))


@dataclass(frozen=True)
class Step:
    """Something that happens to one household's assignment."""

    kind: str
    carer: KnownCarer
    village: str
    status: str


STEPS = st.builds(
    Step,
    st.sampled_from(["household", "leaves", "conflict", "shrinks", "match", "nobody", "by_hand"]),
    st.sampled_from(CARERS),
    st.sampled_from(["35.10.05.2001", "35.10.05.2002"]),
    st.sampled_from(["registered", "registered", "left", "merged"]),
)


def after(step: Step, row: Row, family: KnownHousehold, now: datetime) -> Row:
    facts = {
        "leaves": replace(step.carer, status="left"),
        "conflict": replace(step.carer, conflicts=(row.household_id,)),
        "shrinks": replace(step.carer, capacity=0),
    }
    chosen = step.carer.carer_id
    match step.kind:
        case "household":
            return domain.follow_household(row, family, follower(step, family), now)
        case "leaves" | "conflict" | "shrinks" if row.carer_id == chosen:
            return domain.follow_carer(row, step.carer, facts[step.kind], 1)
        case "match" if row.waiting_for is not None and not domain.has_to_be_said(row, chosen):
            return domain.keep(row)
        case "match" | "by_hand" if family.is_served and domain.has_to_be_said(row, chosen):
            return domain.assign(row, family, chosen, CHOICE, now)
        case "nobody" if row.waiting_for is not None:
            return domain.leave_unserved(row, family, "no_carer_with_room", now)
    return row


def follower(step: Step, family: KnownHousehold) -> KnownHousehold:
    return replace(family, village=step.village, status=step.status)


@given(st.lists(STEPS, max_size=12))
def test_versions_are_gapless_and_nobody_is_let_go_without_a_fact(steps: list[Step]) -> None:
    """Rule 9: eligible is with a carer, said to be unserved, or waiting for the match; rule 11 in between."""
    family, row = FAMILY, Row(FAMILY.household_id, uuid4(), "35.10", waiting_for=Wait.NEW)
    for number, step in enumerate(steps):
        now = NOW + timedelta(hours=number)
        before, row = row, after(step, row, family, now)
        family = follower(step, family) if step.kind == "household" else family

        said = row.state is not before.state
        assert (row.state.version if row.state else 0) == (before.state.version if before.state else 0) + said
        assert row.carer_id == before.carer_id or said
        assert (row.carer_id is None) == (row.carer_since is None) == (row.served_since is None)
        assert family.is_served or (row.carer_id is None and row.waiting_for is None)
        assert not family.is_served or row.carer_id is not None or row.waiting_for is not None
        tenure = domain.closed_tenure(before, row, "any", now)
        assert (tenure is not None) == (before.carer_id not in (None, row.carer_id))


def test_the_same_reason_is_said_once_and_another_again() -> None:
    row = Row(FAMILY.household_id, uuid4(), "35.10", waiting_for=Wait.NEW)

    first = domain.leave_unserved(row, FAMILY, "no_carer_with_room", NOW)
    second = domain.leave_unserved(first, FAMILY, "no_carer_with_room", NOW + timedelta(days=1))
    third = domain.leave_unserved(second, FAMILY, "only_conflicting_carers", NOW + timedelta(days=1))

    assert isinstance(first.state, HouseholdUnserved)
    assert second == first
    assert isinstance(third.state, HouseholdUnserved)
    assert (third.state.version, third.waiting_for) == (2, Wait.NEW)


def test_one_in_conflict_is_not_responsible_though_nobody_else_is_there() -> None:
    """Rule 8 is above rule 11."""
    row = assigned_to(CARERS[0])
    conflicting = domain.follow_carer(row, CARERS[0], replace(CARERS[0], conflicts=(row.household_id,)), 1)
    left_too = domain.follow_carer(conflicting, CARERS[0], replace(CARERS[0], status="left"), 1)

    unserved = domain.leave_unserved(left_too, FAMILY, "no_carer_with_room", NOW)

    assert left_too.waiting_for is Wait.CONFLICT
    assert (unserved.carer_id, unserved.served_since) == (None, None)


def test_a_hand_over_leaves_no_gap() -> None:
    row = assigned_to(CARERS[0])

    handed_over = domain.assign(row, FAMILY, CARERS[1].carer_id, CHOICE, NOW + timedelta(days=1))

    assert isinstance(handed_over.state, HouseholdAssigned)
    assert handed_over.state.previous_carer_id == CARERS[0].carer_id
    assert (handed_over.served_since, handed_over.carer_since) == (NOW, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("status", "programmes", "reason"),
    [
        ("left", FAMILY.programmes, "household_left"),
        ("merged", FAMILY.programmes, "household_merged"),
        ("registered", (), "not_eligible"),
    ],
)
def test_why_an_assignment_ended(status: str, programmes: tuple[str, ...], reason: str) -> None:
    ended = domain.follow_household(
        assigned_to(CARERS[0]), FAMILY, replace(FAMILY, status=status, programmes=programmes), NOW
    )

    assert isinstance(ended.state, AssignmentEnded)
    assert (ended.state.reason, ended.state.carer_id) == (reason, None)


def test_when_a_carer_left_is_kept_though_more_is_said_of_them() -> None:
    left = replace(CARERS[0], status="left", left_at=NOW)
    again = domain.known_carer(carer(left.carer_id, version=3, status="left"), "35.10", left, NOW + timedelta(days=1))
    back = domain.known_carer(carer(left.carer_id, version=4), "35.10", again, NOW + timedelta(days=2))

    assert (again.left_at, back.left_at) == (NOW, None)


def test_needs_and_running_aid_tell_which_competences_fit() -> None:
    aid = Enrolment(programme="rantang_kasih", since=date(2026, 1, 1), until=None)
    over = Enrolment(programme="garda_ampuh", since=date(2025, 1, 1), until=date(2026, 9, 30))

    wanted = domain.wanted_competences(
        profile(uuid4(), needs=("underfed_child", "unheard_of"), enrolments=(aid, over)), POLICY, date(2026, 10, 1)
    )

    assert wanted == ("health", "social_work")


def test_the_distance_is_from_the_nearer_of_home_and_workplace() -> None:
    somebody = replace(CARERS[0], home=place(-8.0, 114.0), workplace=place(-8.43, 114.34))

    assert domain.metres_between(place(-8.43, 114.33), somebody) == pytest.approx(1_100, abs=2)
    assert domain.metres_between(None, somebody) is None
    assert domain.metres_between(place(-8.43, 114.33), replace(somebody, home=None, workplace=None)) is None


def assigned_to(somebody: KnownCarer) -> Row:
    row = Row(FAMILY.household_id, UUID(int=1), "35.10", waiting_for=Wait.NEW)
    return domain.assign(row, FAMILY, somebody.carer_id, CHOICE, NOW)
