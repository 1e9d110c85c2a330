"""Cases on a real database: facts and submissions in, case facts out."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.events import (
    CaseConfirmed,
    CaseOpened,
    CaseReopened,
    Fact,
    HouseholdLeft,
    HouseholdProfiled,
    HouseholdUpdated,
    PackageFailed,
)
from tests.notifications.builders import DISTRICT
from tests.notifications.desk import NOW, Desk, example, household, opened, record, update, visit

DAY = timedelta(days=1)


async def counts(desk: Desk) -> list[int]:
    """Everything a repeat could add to."""
    tables = ("cases", "case_history", "sighting", "intent", "visit")
    return [await desk.count(table) for table in tables] + [await desk.value("select sum(sightings) from cases")]


async def test_two_visits_in_two_transactions_at_once_open_one_case(desk: Desk) -> None:
    """Rule 22: the lock on openings, and a unique index beneath it; fails without both."""
    household_id = uuid4()

    await asyncio.gather(*(desk.send(visit(household_id, "elderly_alone")) for _ in range(4)))

    assert [type(case) for case in await desk.cases()] == [CaseOpened]
    assert await desk.value("select sightings from cases") == 4


async def test_visits_without_a_need_leave_nothing_behind(desk: Desk) -> None:
    assert await desk.send(*(visit(uuid4()) for _ in range(50))) == ["unchanged"] * 50

    assert (await desk.count("visit"), await desk.count("sighting"), await desk.facts()) == (0, 0, [])


async def test_a_correction_takes_back_a_need_and_adds_another(desk: Desk) -> None:
    """Rule 20."""
    household_id, visit_id = uuid4(), uuid4()
    await desk.send(visit(household_id, "documents", visit_id=visit_id))
    await desk.facts()

    await desk.send(visit(household_id, "elderly_alone", visit_id=visit_id, version=2))

    assert [case.need for case in await desk.cases()] == ["elderly_alone"]
    assert await desk.value("select sightings from cases where need = 'documents'") == 0
    assert await desk.value("select status from cases where need = 'documents'") == "open"


async def test_an_older_version_of_a_visit_that_comes_late_changes_nothing(desk: Desk) -> None:
    household_id, visit_id = uuid4(), uuid4()
    await desk.send(visit(household_id, visit_id=visit_id, version=2))

    await desk.send(visit(household_id, "documents", visit_id=visit_id, version=1))

    assert await desk.count("cases") == 0


async def test_the_next_visit_confirms_or_reopens_what_was_resolved(desk: Desk) -> None:
    """Rule 24."""
    first, second = await opened(desk), await opened(desk)
    await desk.send(update(first, "resolved"), update(second, "resolved"))
    await desk.facts()
    await desk.set_time(NOW + 2 * DAY)

    await desk.send(visit(first.household_id, at=NOW + DAY), visit(second.household_id, "documents", at=NOW + DAY))

    assert {case.case_id: type(case) for case in await desk.cases()} == {
        first.case_id: CaseConfirmed,
        second.case_id: CaseReopened,
    }


async def test_a_visit_where_nobody_was_met_confirms_nothing(desk: Desk) -> None:
    case = await opened(desk)
    await desk.send(update(case, "resolved"))
    await desk.facts()

    await desk.send(visit(case.household_id, at=NOW + DAY, happened=False, version=2))

    assert await desk.cases() == []


@pytest.mark.parametrize(
    "make", [lambda case: visit(case.household_id, "documents"), lambda case: update(case, "accepted")]
)
async def test_a_message_is_ignored_the_second_time(desk: Desk, make: Any) -> None:
    case = await opened(desk)
    message = record(make(case), "the-same-id")
    await desk.send_records([message])
    before = [
        await desk.value("select sightings from cases"),
        await desk.count("case_history"),
        await desk.count("intent"),
    ]

    await desk.send_records([message, message])

    after = [
        await desk.value("select sightings from cases"),
        await desk.count("case_history"),
        await desk.count("intent"),
    ]
    assert after == before


async def test_old_facts_replayed_after_the_inbox_was_pruned_change_nothing(desk: Desk) -> None:
    """Versions, sightings and intents hold by themselves: the inbox is not what keeps them."""
    household_id = uuid4()
    facts: list[Fact] = [
        household(household_id, nik_status="missing"),
        visit(household_id, "documents", "no_food_today"),
        failed_package(household_id),
    ]
    await desk.send(*facts)
    before = await counts(desk)
    await desk.context.pool.execute("delete from inbox")
    await desk.set_time(NOW + DAY)

    await desk.send(*facts)

    assert await counts(desk) == before


def failed_package(household_id: UUID, **changes: Any) -> PackageFailed:
    given = {"version": 3, "package_id": uuid4(), "household_id": household_id, "district": DISTRICT, "attempts": 2}
    given |= {"programme": "monthly_package", "final": False, "supply_gap": False, "failure_reason": "not_home"}
    return example(PackageFailed, **(given | changes))


async def test_a_second_failed_attempt_opens_a_review(desk: Desk) -> None:
    """Rule 16."""
    await desk.send(failed_package(uuid4(), attempts=1))
    await desk.send(failed_package(uuid4(), attempts=2))

    assert [case.need for case in await desk.cases()] == ["eligibility_doubted"]


async def test_a_missing_nik_and_a_review_open_cases_when_they_become_so(desk: Desk) -> None:
    """Rules 1 and 4; said again they open nothing, not even after a confirmation."""
    household_id = uuid4()
    await desk.send(household(household_id, nik_status="missing"))
    await desk.context.pool.execute("""update cases set state = state || '{"status": "confirmed"}', next_date = null""")
    state = dict(household(household_id, nik_status="missing"))

    await desk.send(HouseholdUpdated(**state | {"version": 2}))
    await desk.send(HouseholdUpdated(**state | {"version": 3, "review_reason": "decile_left"}))

    assert [case.need for case in await desk.cases()] == ["documents", "eligibility_doubted"]


async def test_an_older_version_of_a_household_that_comes_late_opens_nothing(desk: Desk) -> None:
    household_id = uuid4()
    await desk.send(household(household_id, version=3))

    await desk.send(household(household_id, version=2, nik_status="missing", review_reason="decile_left"))

    assert await desk.cases() == []


@pytest.mark.parametrize("profile_first", [True, False])
async def test_a_profile_opens_its_needs_once_its_household_is_known(desk: Desk, *, profile_first: bool) -> None:
    """Topics have no order between them."""
    household_id = uuid4()
    profile = example(
        HouseholdProfiled,
        version=1,
        household_id=household_id,
        needs=["no_food_today", "house_unfit"],
        enrolments=[{"programme": "rtlh", "since": "2026-01-01", "until": None}],
    )
    both: list[Fact] = [profile, household(household_id)]

    for fact in both if profile_first else reversed(both):
        await desk.send(fact)
        await desk.run("open_known_needs")

    assert [(case.need, case.district) for case in await desk.cases()] == [("no_food_today", DISTRICT)]
    assert await desk.run("open_known_needs") == 0


async def test_an_enrolment_known_here_keeps_a_visits_need_from_opening(desk: Desk) -> None:
    """Rule 26."""
    household_id = uuid4()
    enrolments = [{"programme": "rantang_kasih", "since": "2026-01-01", "until": None}]
    await desk.send(example(HouseholdProfiled, version=1, household_id=household_id, needs=[], enrolments=enrolments))

    await desk.send(visit(household_id, "elderly_alone", "documents"))

    assert [case.need for case in await desk.cases()] == ["documents"]


async def test_a_household_that_left_ends_its_cases_and_gets_no_new_ones(desk: Desk) -> None:
    case = await opened(desk)
    left = dict(household(case.household_id)) | {"version": 2, "status": "left", "reason": "moved_out"}

    await desk.send(HouseholdLeft(**left))
    await desk.send(visit(case.household_id, "elderly_alone"))

    assert [(type(one), getattr(one, "reason", None)) for one in await desk.cases()] == [
        (CaseConfirmed, "household_left")
    ]
