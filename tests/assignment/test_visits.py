"""Rules 20 and 21 on a real database: who reports, what corrects, and what is missing."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from contracts.events import VisitOverdue, VisitReported
from services.assignment import visits
from tests.assignment.conftest import FIRST_OF_OCTOBER
from tests.assignment.world import World, carer, days, gone, household, left, place, visit

JAKARTA = ZoneInfo("Asia/Jakarta")
SECOND = datetime(2026, 10, 2, 11, tzinfo=UTC)
AFTER_THE_FIRST_WEEK = datetime(2026, 10, 7, 17, 5, tzinfo=UTC)
"""The 8th, five past midnight in Banyuwangi."""


async def assigned(world: World) -> tuple[UUID, UUID]:
    """A household and its carer."""
    family, helper = household(), carer()
    await world.send(family, helper)
    await world.run("match_households")
    await world.facts()
    return family.household_id, helper.carer_id


@pytest.mark.parametrize(
    ("day", "period"), [(1, "w1"), (7, "w1"), (8, "w2"), (14, "w2"), (21, "w3"), (22, "w4"), (31, "w4")]
)
def test_the_weeks_of_a_month_are_seven_days_and_the_rest(day: int, period: str) -> None:
    assert visits.period_of(date(2026, 10, day), "week") == f"2026-10-{period}"


def test_periods_end_one_after_the_other() -> None:
    weeks = list(visits.ended_periods(date(2026, 1, 30), date(2026, 2, 15), "week"))
    months = list(visits.ended_periods(date(2025, 12, 24), date(2026, 2, 1), "month"))

    assert weeks == ["2026-01-w4", "2026-02-w1", "2026-02-w2"]
    assert months == ["2025-12", "2026-01"]


async def test_the_carers_report_is_the_visit_and_its_time_decides_the_week(world: World) -> None:
    household_id, carer_id = await assigned(world)
    report = visit(household_id, carer_id, datetime(2026, 10, 7, 16, 59, tzinfo=UTC))
    await world.set_time(AFTER_THE_FIRST_WEEK + days(4))

    await world.send(report)

    [fact] = await world.facts()
    assert isinstance(fact, VisitReported)
    assert (fact.visit_id, fact.version, fact.period, fact.district) == (report.visit_id, 1, "2026-10-w1", "35.10.05")
    assert fact.received_at >= AFTER_THE_FIRST_WEEK + days(4)


async def test_a_report_again_is_refused_and_a_correction_supersedes(world: World) -> None:
    """Rule 20; the same submission again has the same answer and no second effect."""
    household_id, carer_id = await assigned(world)
    await world.set_time(SECOND)
    report = visit(household_id, carer_id, SECOND)
    corrected = report.model_copy(update={"correction": True, "happened": False})

    first = await world.send(report, ids={0: "phone-1"})
    repeated = await world.send(report, ids={0: "phone-1"})
    refused = await world.outcomes(report)
    await world.send(corrected)

    facts = await world.facts()
    assert [answer.outcome for answer in first + repeated] == ["accepted", "accepted"]
    assert refused == ["already_reported"]
    assert [(fact.version, fact.happened) for fact in facts if isinstance(fact, VisitReported)] == [
        (1, True),
        (2, False),
    ]
    assert await world.count("visit") == 1


async def test_of_two_first_reports_at_once_the_second_sees_the_first(world: World) -> None:
    household_id, carer_id = await assigned(world)
    await world.set_time(SECOND)
    report = visit(household_id, carer_id, SECOND)

    outcomes = await asyncio.gather(*[world.outcomes(report) for _ in range(3)])

    assert sorted(code for [code] in outcomes) == ["accepted", "already_reported", "already_reported"]
    assert [fact.version for fact in await world.facts() if isinstance(fact, VisitReported)] == [1]


async def test_a_correction_that_overtakes_its_report_is_taken_as_the_report(world: World) -> None:
    household_id, carer_id = await assigned(world)
    await world.set_time(SECOND)
    corrected = visit(household_id, carer_id, SECOND, correction=True, happened=False)

    outcomes = await world.outcomes(corrected, corrected.model_copy(update={"correction": False, "happened": True}))

    [fact] = await world.facts()
    assert outcomes == ["accepted", "already_reported"]
    assert isinstance(fact, VisitReported)
    assert not fact.happened


async def test_only_who_is_or_then_was_the_carer_reports(world: World) -> None:
    family, leaver = household(), carer()
    await world.send(family, leaver)
    await world.run("match_households")
    await world.set_time(SECOND)
    successor = carer(home=place(-8.5, 114.33))
    await world.send(gone(leaver), successor)
    await world.run("match_households")
    await world.set_time(SECOND + days(1))

    late = visit(family.household_id, leaver.carer_id, SECOND - days(1))
    too_late = visit(family.household_id, leaver.carer_id, SECOND + timedelta(hours=3))
    present = visit(family.household_id, successor.carer_id, SECOND + timedelta(hours=4))

    assert await world.outcomes(late, too_late, present) == ["accepted", "not_the_carer", "accepted"]


async def test_a_late_report_counts_though_the_household_has_left_since(world: World) -> None:
    family, helper = household(), carer()
    await world.send(family, helper)
    await world.run("match_households")
    await world.set_time(SECOND)
    await world.send(left(family))
    await world.set_time(SECOND + days(1))

    late = visit(family.household_id, helper.carer_id, SECOND - days(1))
    too_late = visit(family.household_id, helper.carer_id, SECOND + timedelta(hours=3))

    assert await world.outcomes(late, too_late) == ["accepted", "household_gone"]


async def test_anybody_may_report_on_a_provisional_household(world: World) -> None:
    """Rule 6: a need seen at anyone's; and what is not known yet is waited for, in order."""
    family, helper = household(provisional=True, eligibilities=()), carer()
    report = visit(family.household_id, helper.carer_id, SECOND)
    await world.set_time(SECOND)
    early = await world.outcomes(report)
    await world.send(family)

    unknown_carer = await world.outcomes(visit(household_id := uuid4(), helper.carer_id, SECOND))
    await world.send(household(household_id, provisional=True, eligibilities=()))
    stranger = await world.outcomes(visit(household_id, uuid4(), SECOND))

    assert early + unknown_carer + stranger == ["parked", "parked", "parked"]
    waiting = await world.context.pool.fetch("select waits_for from parked where waits_for is not null")
    assert {row["waits_for"] for row in waiting} == {family.household_id, household_id}


async def test_known_people_report_on_a_known_provisional_household(world: World) -> None:
    family, helper = household(provisional=True, eligibilities=()), carer()
    await world.set_time(SECOND)

    outcomes = await world.outcomes(
        family, helper, visit(family.household_id, helper.carer_id, SECOND), visit(family.household_id, uuid4(), SECOND)
    )

    assert outcomes == ["accepted", "accepted", "accepted", "parked"]


async def test_a_visit_of_another_household_is_not_corrected(world: World) -> None:
    household_id, carer_id = await assigned(world)
    await world.set_time(SECOND)
    other = household()
    report = visit(household_id, carer_id, SECOND)
    await world.send(report, other)
    await world.run("match_households")

    foreign = visit(other.household_id, carer_id, SECOND, visit_id=report.visit_id, correction=True)

    assert await world.outcomes(foreign) == ["unknown_visit"]


async def test_a_missing_visit_goes_to_the_carer_and_then_to_the_coordinator(world: World) -> None:
    """Rule 21. A visit at which nobody was met does not count; one that is reported in time does."""
    household_id, carer_id = await assigned(world)
    visited, _ = await assigned(world)
    await world.set_time(SECOND)
    await world.send(visit(household_id, carer_id, SECOND, happened=False))
    holder = await world.context.pool.fetchval("select carer_id from assignment where household_id = $1", visited)
    await world.send(visit(visited, holder, SECOND))
    await world.facts()
    in_time = await world.run("watch_visits")
    await world.set_time(AFTER_THE_FIRST_WEEK)

    await world.run("watch_visits")
    again = await world.run("watch_visits")
    await world.set_time(AFTER_THE_FIRST_WEEK + days(2.1))
    await world.run("watch_visits")

    first, second = await world.facts()
    assert (in_time, again) == (0, 0)
    assert isinstance(first, VisitOverdue)
    assert isinstance(second, VisitOverdue)
    assert (first.household_id, first.carer_id, first.period) == (household_id, carer_id, "2026-10-w1")
    assert (first.level, first.version, second.level, second.version) == ("carer", 1, "coordinator", 2)
    assert second.visit_id == first.visit_id


async def test_a_late_report_spares_the_coordinator(world: World) -> None:
    household_id, carer_id = await assigned(world)
    await world.set_time(AFTER_THE_FIRST_WEEK)
    await world.run("watch_visits")
    await world.send(visit(household_id, carer_id, SECOND))
    await world.set_time(AFTER_THE_FIRST_WEEK + days(3))

    await world.run("watch_visits")
    again = await world.run("watch_visits")

    assert [type(fact) for fact in await world.facts()] == [VisitOverdue, VisitReported]
    assert again == 0


async def test_after_an_absence_every_ended_week_is_told_in_order_and_only_to_those_who_had_it_whole(
    world: World,
) -> None:
    """Two weeks away; a household assigned in the middle of the second is due from the third on."""
    old, _ = await assigned(world)
    await world.set_time(AFTER_THE_FIRST_WEEK + days(3))
    new, _ = await assigned(world)
    await world.set_time(FIRST_OF_OCTOBER + days(21))

    await world.run("watch_visits")

    told = [(fact.household_id, fact.period) for fact in await world.facts() if isinstance(fact, VisitOverdue)]
    assert told[:2] == [(old, "2026-10-w1"), (old, "2026-10-w2")]
    assert set(told[2:]) == {(old, "2026-10-w3"), (new, "2026-10-w3")}
