"""Due times, steps, and what stands still (rule 23)."""

from datetime import timedelta
from itertools import islice
from uuid import uuid4

import pytest

from contracts.events import CaseAtRisk, CaseEscalated, VisitReported
from services.notifications import clocks
from services.notifications.clocks import Clock, ClockName
from tests.notifications.builders import DISTRICT, POLICY, local
from tests.notifications.desk import Desk, example


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-10-14 09:00", 1, "2026-10-15 16:00"),  # Wednesday
        ("2026-10-16 17:00", 1, "2026-10-19 16:00"),  # Friday evening: Monday
        ("2026-10-17 08:00", 3, "2026-10-21 16:00"),  # Saturday
        ("2026-10-14 23:59", 1, "2026-10-15 16:00"),  # still Wednesday here, Thursday nowhere near
        ("2026-03-17 09:00", 1, "2026-03-25 16:00"),  # Nyepi, Lebaran and their joint leave
        ("2026-12-23 09:00", 3, "2026-12-30 16:00"),  # Christmas and its joint leave
        ("2026-12-30 09:00", 2, "2027-01-04 16:00"),  # over New Year
    ],
)
def test_ordinary_needs_are_due_at_16_on_the_nth_working_day_after_opening(start: str, days: int, due: str) -> None:
    assert clocks.due_at(local(start), days, POLICY.need["documents"], POLICY) == local(due)


def test_critical_needs_are_due_in_hours_whatever_the_day() -> None:
    start = local("2026-03-20 23:00")  # the night before Idulfitri

    assert clocks.due_at(start, 2, POLICY.need["no_food_today"], POLICY) == local("2026-03-21 01:00")


def test_steps_are_at_risk_at_80_percent_then_breached_then_one_each_half_period() -> None:
    rule = POLICY.need["documents"]  # 7 and 14 working days: half of 7, rounded up, is 4
    start = local("2026-10-05 08:00")
    due = clocks.due_at(start, rule.first_answer, rule, POLICY)

    steps = list(islice(clocks.steps(Clock(ClockName.FIRST_ANSWER, start, due, rule), POLICY), 4))

    assert [(step.at, step.raises) for step in steps] == [
        (start + (due - start) * 0.8, False),
        (local("2026-10-14 16:00"), True),
        (local("2026-10-20 16:00"), True),
        (local("2026-10-26 16:00"), True),
    ]


def test_critical_steps_go_by_half_the_hours() -> None:
    rule = POLICY.need["acutely_ill"]
    start = local("2026-10-16 17:00")
    clock = Clock(ClockName.FIRST_ANSWER, start, start + timedelta(hours=2), rule)

    after = [(step.at - start) / timedelta(hours=1) for step in islice(clocks.steps(clock, POLICY), 4)]

    assert after == [1.6, 2, 3, 4]


def test_a_clock_that_stood_still_is_due_on_a_working_day_at_least_as_much_later() -> None:
    rule = POLICY.need["house_unfit"]
    due = local("2026-10-14 16:00")  # Wednesday

    assert clocks.resumed(due, timedelta(days=3), rule, POLICY) == local("2026-10-19 16:00")  # Saturday: Monday
    assert clocks.resumed(due, timedelta(hours=1), rule, POLICY) == local("2026-10-15 16:00")
    assert clocks.resumed(due, timedelta(0), rule, POLICY) == due


def test_a_year_without_decreed_holidays_counts_weekends_only_and_is_named() -> None:
    start = local("2027-12-30 09:00")
    due = clocks.due_at(start, 2, POLICY.need["documents"], POLICY)

    assert due == local("2028-01-03 16:00")
    assert clocks.unknown_years(start, due, POLICY) == (2028,)
    assert clocks.unknown_years(local("2026-10-01 09:00"), local("2027-01-05 16:00"), POLICY) == ()


def test_digests_are_daily_and_the_head_of_regions_list_is_on_mondays() -> None:
    assert clocks.next_digest_at(local("2026-10-14 06:59"), POLICY) == local("2026-10-14 07:00")
    assert clocks.next_digest_at(local("2026-10-14 07:00"), POLICY) == local("2026-10-15 07:00")
    assert clocks.next_weekly_list_at(local("2026-10-14 08:00"), POLICY) == local("2026-10-19 07:00")
    assert clocks.next_weekly_list_at(local("2026-10-19 07:00"), POLICY) == local("2026-10-26 07:00")


def test_the_weekly_list_is_drawn_up_an_hour_before_it_is_sent() -> None:
    """Fails when: one that was drawn up already is drawn up again before it is sent."""
    assert clocks.next_list_drawn_at(local("2026-10-14 08:00"), POLICY) == local("2026-10-19 06:00")
    assert clocks.next_list_drawn_at(local("2026-10-19 05:59"), POLICY) == local("2026-10-19 06:00")
    assert clocks.next_list_drawn_at(local("2026-10-19 06:00"), POLICY) == local("2026-10-26 06:00")


async def test_a_hunger_report_of_friday_17_escalates_on_friday_night(desk: Desk) -> None:
    """Rule 23; the other need of the same visit waits for the working days."""
    friday = local("2026-10-16 17:00")
    visit = example(
        VisitReported,
        version=1,
        household_id=uuid4(),
        district=DISTRICT,
        happened=True,
        happened_at=friday,
        needs=[{"need": need, "person_id": None} for need in ("no_food_today", "child_neglected")],
    )
    await desk.set_time(friday)
    await desk.send(visit)
    await desk.cases()

    said = []
    for time in ("18:35", "18:37", "18:59", "19:01", "23:59"):
        await desk.set_time(local(f"2026-10-16 {time}"))
        await desk.run("watch_clocks")
        said.append([(case.need, type(case), case.escalation_level) for case in await desk.cases()])

    hunger = "no_food_today"
    assert said == [
        [],
        [(hunger, CaseAtRisk, 0)],
        [],
        [(hunger, CaseEscalated, 1)],
        [(hunger, CaseEscalated, 2), (hunger, CaseEscalated, 3)],
    ]
