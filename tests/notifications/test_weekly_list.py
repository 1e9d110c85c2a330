"""The head of region's weekly list: every case that stands at the highest level, week after week (rule 23)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.events import Case, CaseEscalated
from tests.notifications.builders import local
from tests.notifications.desk import NOW, Desk, update, visit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAYS = ("2026-10-19", "2026-10-26", "2026-11-02")


async def to_the_top(desk: Desk, *needs: str) -> list[Case]:
    """Cases that nobody answers, up to the regional secretary and beyond; as their first facts said."""
    await desk.send(*(visit(uuid4(), need) for need in needs))
    opened = await desk.cases()
    for hours in (1.7, 2.1, 3.1, 4.1):
        await desk.set_time(NOW + hours * HOUR)
        await desk.run("watch_clocks", "send_intents_by_file")
    await desk.facts()
    return opened


async def lists_on(desk: Desk, *mondays: str) -> list[list[dict[str, Any]]]:
    """What each message to the head of region was about, of all so far; the clocks are watched on Mondays."""
    for monday in mondays:
        for hour in ("06:01", "07:00", "07:01"):
            await desk.set_time(local(f"{monday} {hour}"))
            await desk.run("watch_clocks", "send_intents_by_file")
    to_head = [message for message in desk.messages() if message["recipient_id"] == "head-of-region"]
    return [[item["about"] for item in message["items"]] for message in to_head]


def named(lists: Sequence[Sequence[dict[str, Any]]]) -> list[list[UUID]]:
    return [sorted(UUID(about["case_id"]) for about in one) for one in lists]


async def test_a_breach_goes_one_level_up_and_to_the_head_of_region_only_weekly(desk: Desk) -> None:
    await to_the_top(desk, "no_food_today")
    before = [(message["recipient_id"], message["kind"]) for message in desk.messages()]

    await lists_on(desk, MONDAYS[0])

    assert before == [
        ("desk-dinsos", "case_opened"),
        ("desk-dinsos", "first_answer_at_risk"),
        ("head-dinsos", "first_answer_breached"),
        ("regional-secretary", "first_answer_breached"),
    ]
    assert desk.messages()[-1]["recipient_id"] == "head-of-region"


async def test_each_weeks_list_names_every_case_that_stands_at_the_highest_level_once(desk: Desk) -> None:
    """Fails when: a case is told there once for ever, a month passes between two lists, or a case is named twice."""
    cases = sorted(case.case_id for case in await to_the_top(desk, "no_food_today", "acutely_ill"))

    lists = await lists_on(desk, *MONDAYS)

    assert named(lists) == [cases] * 3
    facts = await desk.cases()
    assert [(type(fact), fact.escalation_level) for fact in facts] == [(CaseEscalated, 3)] * 6


async def test_a_case_that_was_answered_since_is_not_on_the_list(desk: Desk) -> None:
    """Fails when: a case is put on the list as soon as it reaches the highest level, or a week ahead."""
    first, second = await to_the_top(desk, "no_food_today", "acutely_ill")
    await desk.send(update(first, "resolved"))
    lists = await lists_on(desk, MONDAYS[0])
    await desk.send(update(second, "resolved"))

    assert named(lists) == [[second.case_id]]
    assert named(await lists_on(desk, *MONDAYS[1:])) == [[second.case_id]]


async def test_on_the_list_restricted_cases_are_only_counted(desk: Desk) -> None:
    """Week after week. Fails when: what a restricted case is about is told above its office."""
    await to_the_top(desk, "child_in_danger")

    assert await lists_on(desk, *MONDAYS) == [[{}]] * 3
