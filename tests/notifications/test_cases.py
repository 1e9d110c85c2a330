"""Cases from opening to confirmation, by plain calls."""

from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.events import (
    CaseAccepted,
    CaseAtRisk,
    CaseConfirmed,
    CaseEscalated,
    CaseOpened,
    CaseReopened,
    CaseRerouted,
    CaseResolved,
    CaseWaiting,
    Enrolment,
)
from contracts.refusals import RefusalCode
from services.notifications import cases
from services.notifications.answers import Answer, answer
from services.notifications.cases import Held, Need
from services.notifications.domain import Seen
from services.notifications.watching import watch
from tests.notifications.builders import POLICY, answered, local, need_of, opened, said_of, seen

WEDNESDAY = local("2026-10-14 09:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_need_opens_a_case_of_the_first_office_of_its_route() -> None:
    case = opened("elderly_alone", WEDNESDAY).case

    assert isinstance(case, CaseOpened)
    assert (case.version, case.status, case.responsible_office_id) == (1, "open", "dinsos")
    assert case.first_answer_due_at == local("2026-10-19 16:00")
    assert case.next_date == case.opened_at + (case.first_answer_due_at - case.opened_at) * 0.8


def test_a_need_reported_again_is_counted_and_is_no_new_case() -> None:
    """Rule 22."""
    held = opened("documents", WEDNESDAY)

    found = seen(said_of(held, WEDNESDAY + DAY, need_of(held)), held)

    assert [one.sightings for one in found.changed] == [2]
    assert found.facts == ()


def test_the_same_source_is_counted_once() -> None:
    held = opened("documents", WEDNESDAY)
    said = said_of(held, WEDNESDAY, need_of(held))

    found = seen(said, held, seen=frozenset({Seen(said.source_id, held.case.case_id)}))

    assert found.changed == ()


def test_persons_and_needs_have_cases_of_their_own() -> None:
    held = opened("documents", WEDNESDAY)
    child = uuid4()
    needs = (need_of(held), Need("documents", child), Need("school_means", child), Need("documents", child))

    found = seen(said_of(held, WEDNESDAY, *needs), held)

    assert [(fact.need, fact.person_id) for fact in found.facts] == [("documents", child), ("school_means", child)]


def test_a_code_that_is_not_in_the_table_is_passed_over() -> None:
    held = opened("documents", WEDNESDAY)

    assert seen(said_of(held, WEDNESDAY, Need("something_new", None)), held).facts == ()


@pytest.mark.parametrize(
    ("since", "until", "opens"),
    [
        ("2026-01-01", None, False),
        ("2026-01-01", "2026-10-14", False),
        ("2026-01-01", "2026-10-13", True),
        ("2026-10-15", None, True),
    ],
)
def test_a_need_met_by_a_running_enrolment_opens_no_case(since: str, until: str | None, *, opens: bool) -> None:
    """Rule 26."""
    enrolment = Enrolment.model_validate({"programme": "rantang_kasih", "since": since, "until": until})
    said = said_of(opened("documents", WEDNESDAY), WEDNESDAY, Need("elderly_alone", None))

    assert bool(seen(said, enrolments=(enrolment,)).facts) is opens


def test_nothing_opens_at_a_household_that_is_gone() -> None:
    said = said_of(opened("documents", WEDNESDAY), WEDNESDAY, Need("elderly_alone", None))

    assert seen(said, gone=True).facts == ()


def test_a_visit_after_the_resolution_without_the_need_confirms() -> None:
    """Rule 24: only a visit that happened, and after the resolution."""
    resolved = answered(opened("documents", WEDNESDAY), "resolved", WEDNESDAY + DAY)

    before = seen(said_of(resolved, WEDNESDAY + DAY - HOUR), resolved)
    nobody_met = seen(said_of(resolved, WEDNESDAY + 2 * DAY, happened=False), resolved)
    after = seen(said_of(resolved, WEDNESDAY + 2 * DAY), resolved)

    assert (before.facts, nobody_met.facts) == ((), ())
    assert [(type(fact), fact.status, fact.next_date) for fact in after.facts] == [(CaseConfirmed, "confirmed", None)]


def test_a_visit_after_the_resolution_with_the_need_reopens_and_the_clocks_start_anew() -> None:
    resolved = answered(opened("documents", WEDNESDAY), "resolved", WEDNESDAY + DAY)
    friday = WEDNESDAY + 2 * DAY

    (fact,) = seen(said_of(resolved, friday, need_of(resolved)), resolved, now=friday).facts

    assert isinstance(fact, CaseReopened)
    assert (fact.status, fact.answered_at, fact.resolved_at, fact.sightings) == ("open", None, None, 2)
    assert fact.first_answer_due_at == local("2026-10-27 16:00")


def test_a_new_sighting_after_the_confirmation_is_a_new_case_but_an_old_report_is_not() -> None:
    resolved = answered(opened("documents", WEDNESDAY), "resolved", WEDNESDAY + DAY)
    (confirmed,) = seen(said_of(resolved, WEDNESDAY + 2 * DAY), resolved).changed
    late = said_of(resolved, WEDNESDAY + HOUR, need_of(resolved))
    new = said_of(resolved, WEDNESDAY + 9 * DAY, need_of(resolved))

    assert seen(late, confirmed).facts == ()
    (fact,) = seen(new, confirmed).facts

    assert isinstance(fact, CaseOpened)
    assert fact.case_id != confirmed.case.case_id


@pytest.mark.parametrize("happened", [True, False])
def test_a_correction_adds_a_need_and_withdraws_another_whose_case_stays(*, happened: bool) -> None:
    """Rule 20; also when it turns out that nobody was met."""
    held = opened("documents", WEDNESDAY)
    said = said_of(held, WEDNESDAY, Need("elderly_alone", None), happened=happened)
    before = Seen(said.source_id, held.case.case_id)

    found = seen(said, held, seen=frozenset({before}))

    assert [fact.need for fact in found.facts] == ["elderly_alone"]
    assert found.withdrawn == {before}
    assert [one.sightings for one in found.changed if one.case.need == "documents"] == [0]


def test_a_household_that_is_gone_ends_its_cases() -> None:
    fact = cases.end(opened("documents", WEDNESDAY), "household_left").case

    assert isinstance(fact, CaseConfirmed)
    assert (fact.reason, fact.resolved_at, fact.next_date) == ("household_left", None, None)


def test_a_rejected_case_goes_to_the_next_office_and_round_again_to_the_first_at_level_1() -> None:
    """Rule 24."""
    held = opened("documents", WEDNESDAY)

    second = answered(held, "rejected", WEDNESDAY + DAY)
    first_again = answered(second, "rejected", WEDNESDAY + 2 * DAY)

    assert isinstance(second.case, CaseRerouted)
    assert (second.case.responsible_office_id, second.case.from_office_id) == ("dinsos", "dukcapil")
    assert (second.case.escalation_level, second.case.answered_at) == (0, None)
    assert second.case.first_answer_due_at == local("2026-10-26 16:00")
    assert (first_again.case.responsible_office_id, first_again.case.escalation_level) == ("dukcapil", 1)


def test_waiting_for_budget_stops_the_clock_and_accepting_lets_it_run_on() -> None:
    held = answered(opened("house_unfit", WEDNESDAY), "accepted", WEDNESDAY + HOUR)

    waiting = answered(held, "waiting_budget", WEDNESDAY + DAY)
    again = answered(waiting, "accepted", WEDNESDAY + 11 * DAY)

    assert isinstance(waiting.case, CaseWaiting)
    assert (waiting.case.waiting_for, waiting.case.queue_place) == ("budget", 1)
    assert waiting.case.next_date == WEDNESDAY + 31 * DAY
    assert isinstance(again.case, CaseAccepted)
    assert again.started_at == WEDNESDAY + 10 * DAY
    assert again.case.done_due_at >= held.case.done_due_at + 10 * DAY
    assert again.waiting_since is None


def _states() -> dict[str, Held]:
    held = opened("documents", WEDNESDAY)
    resolved = answered(held, "resolved", WEDNESDAY + HOUR)
    return {
        "open": held,
        "accepted": answered(held, "accepted", WEDNESDAY + HOUR),
        "waiting_budget": answered(held, "waiting_budget", WEDNESDAY + HOUR),
        "resolved": resolved,
        "confirmed": cases.confirm(resolved, WEDNESDAY + 2 * HOUR),
    }


@pytest.mark.parametrize(
    ("state", "step", "becomes"),
    [
        ("accepted", "accepted", None),
        ("waiting_budget", "waiting_budget", None),
        ("waiting_budget", "waiting_household", CaseWaiting),
        ("waiting_budget", "resolved", CaseResolved),
        ("accepted", "rejected", CaseRerouted),
        ("resolved", "resolved", None),
        ("resolved", "accepted", RefusalCode.WRONG_STATE),
        ("resolved", "rejected", RefusalCode.WRONG_STATE),
        ("confirmed", "accepted", RefusalCode.WRONG_STATE),
    ],
)
def test_what_an_office_may_say_in_which_state(state: str, step: str, becomes: object) -> None:
    given = Answer(step, "dukcapil", "not_ours", WEDNESDAY + 3 * HOUR)  # type: ignore[arg-type]  # parametrised

    after = answer(_states()[state], given, 1, POLICY, WEDNESDAY + 3 * HOUR)

    assert (type(after.case) if isinstance(after, Held) else after) == becomes


def test_only_the_responsible_office_answers_and_a_rejection_needs_a_reason() -> None:
    held = opened("documents", WEDNESDAY)

    assert answer(held, Answer("accepted", "dinsos", None, WEDNESDAY), 1, POLICY, WEDNESDAY) == "not_the_office"
    assert answer(held, Answer("rejected", "dukcapil", None, WEDNESDAY), 1, POLICY, WEDNESDAY) == "reason_needed"


def test_a_friday_17_hunger_report_escalates_on_friday_night() -> None:
    """Rule 23."""
    friday = local("2026-10-16 17:00")
    held = opened("no_food_today", friday)

    passed = list(watch(held, None, POLICY, friday + 5 * HOUR))

    assert [(type(one.held.case), one.held.case.escalation_level, one.at) for one in passed] == [
        (CaseAtRisk, 0, friday + 1.6 * HOUR),
        (CaseEscalated, 1, friday + 2 * HOUR),
        (CaseEscalated, 2, friday + 3 * HOUR),
        (CaseEscalated, 3, friday + 4 * HOUR),
    ]
    assert [one.held.case.version for one in passed] == [2, 3, 4, 5]
    assert passed[-1].held.case.next_date == local("2026-10-19 06:00")  # Monday's list is drawn up


def test_the_done_clock_is_watched_after_the_first_answer() -> None:
    accepted = answered(opened("no_food_today", WEDNESDAY), "accepted", WEDNESDAY + HOUR)

    passed = list(watch(accepted, None, POLICY, WEDNESDAY + 24 * HOUR))

    assert [(type(one.held.case), one.at) for one in passed] == [
        (CaseAtRisk, WEDNESDAY + 19.2 * HOUR),
        (CaseEscalated, WEDNESDAY + 24 * HOUR),
    ]


def test_nothing_passes_before_its_date_and_each_date_once() -> None:
    held = opened("documents", WEDNESDAY)
    at_risk = held.case.next_date
    assert at_risk is not None

    assert list(watch(held, None, POLICY, at_risk - HOUR)) == []
    (passed,) = watch(held, None, POLICY, at_risk)
    assert list(watch(passed.held, None, POLICY, at_risk)) == []


def test_a_waiting_case_is_reviewed_with_its_present_place() -> None:
    waiting = answered(opened("house_unfit", WEDNESDAY), "waiting_budget", WEDNESDAY)

    (passed,) = watch(waiting, 7, POLICY, WEDNESDAY + 30 * DAY)

    assert isinstance(passed.held.case, CaseWaiting)
    assert (passed.held.case.queue_place, passed.held.case.next_date) == (7, WEDNESDAY + 60 * DAY)
