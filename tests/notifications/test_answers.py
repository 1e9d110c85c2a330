"""Offices answer cases on a real database (rule 24): in time or late, in the queue for budget, or not at all."""

from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.events import (
    CaseAccepted,
    CaseWaiting,
)
from contracts.submissions import CaseUpdateSubmitted
from tests.notifications.desk import NOW, Desk, example, opened, update

DAY = timedelta(days=1)


async def test_an_answer_before_its_case_waits_for_it(desk: Desk) -> None:
    early = example(CaseUpdateSubmitted, case_id=uuid4(), step="accepted", reason=None, happened_at=NOW - DAY)

    assert await desk.send(early) == ["parked"]


async def test_refused_answers_say_why(desk: Desk) -> None:
    case = await opened(desk)

    outcomes = [
        await desk.send(update(case, "accepted", office_id="dinsos")),
        await desk.send(update(case, "rejected", reason=None)),
        await desk.send(update(case, "accepted", household_id=uuid4())),
        await desk.send(update(case, "resolved")),
        await desk.send(update(case, "accepted")),
    ]

    assert outcomes == [["not_the_office"], ["reason_needed"], ["unknown_case"], ["accepted"], ["wrong_state"]]


async def test_cases_that_wait_for_budget_stand_in_one_queue_an_office_and_need(desk: Desk) -> None:
    cases = [await opened(desk, need) for need in ("house_unfit", "house_unfit", "livelihood", "house_unfit")]

    await desk.send(*(update(case, "waiting_budget") for case in cases[:3]))
    await desk.send(update(cases[3], "waiting_budget"))

    waiting = [case for case in await desk.cases() if isinstance(case, CaseWaiting)]
    assert [case.queue_place for case in waiting] == [1, 2, 1, 3]


async def test_a_review_states_the_present_place_in_the_queue(desk: Desk) -> None:
    cases = [await opened(desk, "house_unfit") for _ in range(2)]
    for case in cases:
        await desk.send(update(case, "waiting_budget"))
    await desk.send(update(cases[0], "resolved"))
    await desk.facts()
    await desk.set_time(NOW + 30 * DAY + timedelta(minutes=5))

    await desk.run("watch_clocks")

    assert {case.case_id: case.queue_place for case in await desk.cases()} == {
        cases[0].case_id: None,
        cases[1].case_id: 1,
    }


async def test_no_open_case_is_ever_without_a_next_date(desk: Desk) -> None:
    """Rule 23: the database refuses it."""
    await opened(desk)

    with pytest.raises(Exception, match="open_case_has_next_date"):
        await desk.context.pool.execute("update cases set next_date = null")


async def test_a_case_that_was_accepted_late_is_answered_at_its_first_receipt(desk: Desk) -> None:
    case = await opened(desk)
    await desk.set_time(NOW + 3 * DAY)

    await desk.send(update(case, "accepted"))

    (accepted,) = await desk.cases()
    assert isinstance(accepted, CaseAccepted)
    assert accepted.answered_at is not None
    assert abs(accepted.answered_at - (NOW + 3 * DAY)) < timedelta(minutes=1)
