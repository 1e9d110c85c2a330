"""The clocks of cases (rules 22 to 24) as one machine: two households, visits, offices, and time that passes.

Modelled: visits that see needs (a critical one in hours, three others in working days), happened or not, of now or of
days ago, also two at once; offices that accept, reject, wait or resolve, the responsible one or another; time that
passes to a minute before or after the next date of a case, or by hours and weeks, from the Friday evening before
Christmas on. Every message comes twice. What must follow is computed from dates alone, in `expected.py`.

Fails when (each was broken, and seen to fail): a critical need runs in working days; a case that was accepted or
resolved has no next date; waiting does not stop the clock, or waiting again starts it anew; public holidays are working
days; the first office starts at level 0 after all have rejected; a visit from before the resolution reopens or confirms
a case; a case goes on above the highest level, or waits there for anything but the next weekly list; a case is told to
be at risk after its breach.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from contracts.events import (
    Case,
    CaseAccepted,
    CaseAtRisk,
    CaseConfirmed,
    CaseEscalated,
    CaseOpened,
    CaseReopened,
    CaseRerouted,
    CaseResolved,
    CaseWaiting,
    VisitReported,
)
from contracts.submissions import CaseUpdateSubmitted
from tests.machines.expected import REVIEW, TOP, Followed, due, later, next_office
from tests.machines.machine import Ground, Length, Machine, at_once, run_machine, settings_of
from tests.notifications.builders import DISTRICT, POLICY, local
from tests.notifications.conftest import open_desk
from tests.notifications.desk import Desk, example, record, update

FRIDAY: Final = local("2026-12-18 17:00")
HOUSEHOLDS: Final = (UUID(int=1), UUID(int=2))
NEEDS: Final = ("no_food_today", "child_neglected", "documents", "house_unfit")
ANSWERS: Final[dict[str, type[Case]]] = {
    "accepted": CaseAccepted,
    "rejected": CaseRerouted,
    "waiting_budget": CaseWaiting,
    "waiting_household": CaseWaiting,
    "resolved": CaseResolved,
}
# Which case, what is said of it, by which office when not by the one responsible, and a reason.
GIVEN: Final = st.tuples(
    st.integers(0, 9),
    st.sampled_from(["rejected", *ANSWERS, "rejected", "resolved"]),
    st.sampled_from([None, None, None, None, "dinkes"]),
    st.sampled_from(["not_ours", "not_ours", "not_ours", None]),
)
A_MOMENT: Final = timedelta(seconds=97)  # between two steps; steps of clocks are whole minutes apart
SOON: Final = timedelta(seconds=40)  # this near to a date, the speed of the machine would decide

Key = tuple[UUID, str]


class CaseClocks(Machine):
    """Two households, their offices, and a clock that is moved."""

    def __init__(self, ground: Ground, desk: Desk) -> None:
        super().__init__(ground)
        self.desk = desk
        self.desk.read_up_to = 0
        self.now = FRIDAY
        self.open: dict[Key, Followed] = {}
        self.confirmed: dict[Key, Case] = {}
        """The last one of each."""
        self.versions = Counter[UUID]()
        self.sent = 0

    @initialize(needs=st.sets(st.sampled_from(NEEDS), min_size=1))
    def begin(self, needs: set[str]) -> None:
        for household_id in HOUSEHOLDS:
            self.visit(household_id, needs, happened=True, hours_ago=0)

    @rule(
        household_id=st.sampled_from(HOUSEHOLDS),
        needs=st.sets(st.sampled_from(NEEDS), max_size=3),
        happened=st.sampled_from([True, True, False]),
        hours_ago=st.sampled_from([0, 0, 0, 30, 400]),
    )
    def visit(self, household_id: UUID, needs: set[str], *, happened: bool, hours_ago: int) -> None:
        """A need opens a case; a resolved one is reopened when it is seen afterwards, else confirmed."""
        self.let_a_moment_pass()
        at = self.now - timedelta(minutes=1, hours=hours_ago)
        expected = Counter[tuple[type[Case], Key]]()
        for need in NEEDS:
            key = (household_id, need)
            resolved_at = self.open[key].case.resolved_at if key in self.open else None
            is_after = happened and resolved_at is not None and at > resolved_at
            if need in needs and self.is_new(key, at):
                expected[CaseOpened, key] += 1
            elif is_after:
                expected[CaseReopened if need in needs else CaseConfirmed, key] += 1
        report = record(self.report(household_id, needs, at, happened=happened))
        self.do(self.desk.send_records([report, report]))
        self.hear(expected)

    @rule(household_id=st.sampled_from(HOUSEHOLDS), needs=st.sets(st.sampled_from(NEEDS), min_size=1, max_size=3))
    def visit_twice_at_once(self, household_id: UUID, needs: set[str]) -> None:
        """Rule 22: one open case per household and need."""
        self.let_a_moment_pass()
        at = self.now - timedelta(minutes=1)
        reports = [self.report(household_id, needs, at, happened=False) for _ in range(2)]
        self.do(at_once(*(self.desk.send(one) for one in reports)))
        new = [(household_id, need) for need in needs if self.is_new((household_id, need), at)]
        self.hear(Counter((CaseOpened, key) for key in new))

    @rule(answers=st.lists(GIVEN, min_size=2, max_size=5))
    def answer(self, answers: list[tuple[int, str, str | None, str | None]]) -> None:
        """Of cases that are open, or were confirmed."""
        for which, step, office_id, reason in answers:
            self.let_a_moment_pass()
            cases = [*(one.case for one in self.open.values()), *self.confirmed.values()]
            if not cases:
                return
            case = cases[which % len(cases)]
            given = update(case, step, reason=reason, office_id=office_id or case.responsible_office_id)
            outcome = outcome_of(case, given)
            answered = record(given)
            assert self.do(self.desk.send_records([answered, answered])) == [outcome, outcome]
            key = (case.household_id, case.need)
            self.hear(Counter({(ANSWERS[step], key): 1} if outcome == "accepted" else {}))

    @rule(way=st.sampled_from(["to before a date", "to after a date", "to after a date"]) | st.integers(1, 900))
    def let_time_pass(self, way: str | int) -> None:
        """By hours, or to a minute before or after the first date of all cases; then the clocks are watched, twice."""
        self.let_a_moment_pass()
        if isinstance(way, int):
            self.now += timedelta(hours=way)
        elif dates := [one.case.next_date for one in self.open.values() if one.case.next_date]:
            minute = timedelta(minutes=-1 if way == "to before a date" else 1)
            self.now = max(self.now, min(dates) + minute)
        while any(abs(at - self.now) < SOON for one in self.open.values() for at in one.dates()):
            self.now += A_MOMENT
        self.do(self.desk.set_time(self.now))
        self.do(self.desk.run("watch_clocks"))
        self.hear(Counter((kind, key) for key, one in self.open.items() for kind in one.passes(self.now)))
        assert self.do(self.desk.run("watch_clocks")) == 0

    @invariant()
    def no_open_case_is_without_a_next_date(self) -> None:
        rows = self.do(self.desk.context.pool.fetch("select case_id, next_date from cases where status <> 'confirmed'"))
        assert {row["case_id"]: row["next_date"] for row in rows} == {
            one.case.case_id: one.case.next_date for one in self.open.values()
        }
        assert all(row["next_date"] is not None for row in rows)

    def let_a_moment_pass(self) -> None:
        self.now += A_MOMENT
        self.do(self.desk.set_time(self.now))

    def is_new(self, key: Key, seen_at: datetime) -> bool:
        """No case of it is open, and it was not seen before the last one was resolved."""
        last = self.confirmed.get(key)
        return key not in self.open and not (last and last.resolved_at and seen_at <= last.resolved_at)

    def report(self, household_id: UUID, needs: Collection[str], at: datetime, *, happened: bool) -> VisitReported:
        self.sent += 1
        return example(
            VisitReported,
            version=1,
            visit_id=UUID(int=self.sent),
            household_id=household_id,
            district=DISTRICT,
            happened=happened,
            happened_at=at,
            needs=[{"need": need, "person_id": None} for need in sorted(needs)],
        )

    def hear(self, expected: Counter[tuple[type[Case], Key]]) -> None:
        """Exactly these facts were stated, in gapless versions, and each case is what it must be now."""
        facts, before = self.do(self.desk.cases()), dict(self.open)
        assert Counter((type(fact), (fact.household_id, fact.need)) for fact in facts) == expected
        rows = self.do(self.desk.context.pool.fetch("select case_id, started_at, waiting_since from cases"))
        clocks = {row["case_id"]: (row["started_at"], row["waiting_since"]) for row in rows}
        for fact in facts:
            self.versions[fact.case_id] += 1
            assert fact.version == self.versions[fact.case_id]
            key = (fact.household_id, fact.need)
            self.open[key] = followed(self.open.get(key), fact, *clocks[fact.case_id], self.now)
        for key in {(fact.household_id, fact.need) for fact in facts}:
            self.check(before.get(key), self.open[key])
            if self.open[key].case.status == "confirmed":
                self.confirmed[key] = self.open.pop(key).case

    def check(self, before: Followed | None, after: Followed) -> None:
        """What the newest fact of a case must say."""
        match after.case:
            case CaseOpened() | CaseReopened() | CaseRerouted():
                self.check_start(before, after)
            case CaseAccepted():
                assert before is not None
                self.check_accepted(before, after)
            case CaseWaiting():
                assert before is not None
                assert after.case.escalation_level == 0
                self.check_waiting(before, after)
            case CaseResolved() | CaseConfirmed():
                assert after.case.escalation_level == 0
            case _:
                assert after.case.escalation_level == after.level_at(self.now)
        if after.case.status == "confirmed":
            assert after.case.next_date is None
        elif after.is_running and after.case.escalation_level == TOP:
            assert after.case.next_date in {after.list_date(self.now + moment) for moment in (-SOON, SOON)}
        elif after.is_running:
            is_by_itself = isinstance(after.case, CaseAtRisk | CaseEscalated)
            assert after.case.next_date == (after.next_date if is_by_itself else after.first_date)(self.now)
        else:
            self.assert_now(after.case.next_date, REVIEW)

    def check_start(self, before: Followed | None, after: Followed) -> None:
        case, rule = after.case, POLICY.need[after.case.need]
        self.assert_now(after.started_at)
        assert case.first_answer_due_at == due(case.need, after.started_at, rule.first_answer)
        assert case.done_due_at == due(case.need, after.started_at, rule.done)
        assert (case.answered_at, case.resolved_at) == (None, None)
        office = (rule.route[0], 0)
        if before is not None:
            is_rerouted = isinstance(case, CaseRerouted)
            office = next_office(before.case) if is_rerouted else (before.case.responsible_office_id, 0)
        assert (case.responsible_office_id, case.escalation_level) == office

    def check_waiting(self, before: Followed, after: Followed) -> None:
        """It has stood since it waited first, whatever it waits for now."""
        if before.waiting_since is None:
            self.assert_now(after.waiting_since)
        else:
            assert after.waiting_since == before.waiting_since

    def check_accepted(self, before: Followed, after: Followed) -> None:
        """Waiting has stopped the clock."""
        stood_still = after.started_at - before.started_at
        if before.waiting_since is None:
            assert (stood_still, after.case.done_due_at) == (timedelta(0), before.case.done_due_at)
        else:
            self.assert_now(before.waiting_since + stood_still)
            assert after.case.done_due_at == later(after.case.need, before.case.done_due_at, stood_still)
        assert after.case.escalation_level == 0
        assert after.case.answered_at is not None

    def assert_now(self, at: datetime | None, ahead: timedelta = timedelta(0)) -> None:
        assert at is not None
        assert abs(at - ahead - self.now) < SOON


def followed(
    before: Followed | None, fact: Case, started_at: datetime, waiting_since: datetime | None, now: datetime
) -> Followed:
    if before is None or isinstance(fact, CaseOpened | CaseReopened | CaseRerouted):
        return Followed(fact, started_at, started_at, base_level=fact.escalation_level)
    if isinstance(fact, CaseAtRisk | CaseEscalated):
        return replace(before, case=fact, told_risk=before.told_risk or isinstance(fact, CaseAtRisk))
    if fact.status == before.case.status:
        return replace(before, case=fact, waiting_since=waiting_since)
    return Followed(fact, started_at, now, waiting_since=waiting_since)


def outcome_of(case: Case, given: CaseUpdateSubmitted) -> str:
    """What an office is answered (rule 24)."""
    if given.office_id != case.responsible_office_id:
        return "not_the_office"
    if given.step in (case.status, f"waiting_{case.waiting_for}"):
        return "unchanged"
    if case.status in ("resolved", "confirmed"):
        return "wrong_state"
    return "reason_needed" if given.step == "rejected" and given.reason is None else "accepted"


def test_every_case_keeps_its_clocks(ground: Ground, length: Length, tmp_path: Path) -> None:
    database = ground.do(ground.fresh("notifications"))
    desk = ground.do(open_desk(database, tmp_path / "messages.jsonl"))
    ground.pools.append(desk.context.pool)

    run_machine(partial(CaseClocks, ground, desk), settings_of(length, examples=20, steps=30))
