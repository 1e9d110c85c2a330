"""What the outside says fits the contracts, and is said when and as often as it should be."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from contracts import submissions as s
from contracts.envelope import holds_identity_number
from contracts.topics import TOPICS
from simulation import register
from simulation.claims import UNCHANGED, Claim
from simulation.facts import Case, Lot, Outside
from simulation.identities import MARK
from simulation.play import Month, claims_at
from tests.simulation.conftest import heard_of


def all_claims(month: Month, outside: Outside) -> list[tuple[datetime, Claim]]:
    """The month's claims when the system answers as the fixture does: nothing changes."""
    steps = month.calendar.steps
    outside.lots["00000000-0000-4000-8000-000000000001"] = Lot(
        1, "depot-35.10", "rice_5kg", "usable", {"depot-35.10": 9}
    )
    said = [
        (steps[0], claim)
        for claim in (
            *register.household_rows(month.world, steps[0]),
            *register.enrolments(month.world, month.fate, steps[0]),
            *register.staff_rows(month.world, steps[0]),
        )
    ]
    for step, now in enumerate(steps[1:], 1):
        month.phones.doors.clear()
        said.extend((now, claim) for claim in month.partners.due(step, now, outside))
        said.extend((now, claim) for claim in claims_at(month, step, now, outside))
    return said


def test_every_claim_fits_its_contract_and_none_is_ahead_of_its_step(month: Month, outside: Outside) -> None:
    household_id = next(iter(outside.number))
    opened_at = month.calendar.at(3, 20.5)
    outside.cases["c"] = Case(
        1, household_id, None, "no_food_today", critical=True, office_id="dinsos", status="open", opened_at=opened_at,
        first_answer_due_at=opened_at + timedelta(hours=2), done_due_at=opened_at + timedelta(hours=24),
    )  # fmt: skip

    said = all_claims(month, outside)

    assert {claim.message for _, claim in said} >= {
        s.HouseholdSubmitted, s.CarerSubmitted, s.EnrolmentSubmitted, s.HouseholdChangeSubmitted,
        s.NeighbourCheckSubmitted, s.VisitSubmitted, s.PledgeSubmitted, s.PledgeConfirmationSubmitted,
        s.RoundSubmitted, s.StockSubmitted, s.TransferSubmitted, s.CountSubmitted, s.RecallSubmitted,
        s.PickUpSubmitted, s.DeliverySubmitted, s.LotBlockSubmitted, s.ReversalSubmitted, s.HandAssignmentSubmitted,
        s.ReviewDecisionSubmitted, s.CandidateDecisionSubmitted, s.SurplusDecisionSubmitted,
        s.PackageCancellationSubmitted,
    }  # fmt: skip
    for now, claim in (
        said[:: max(1, len(said) // 4_000)] + [pair for pair in said if pair[1].message is not s.VisitSubmitted][::7]
    ):
        submission = claim.message.model_validate_json(claim.value)
        assert submission.happened_at <= now
        assert submission.subject == claim.subject
        assert not holds_identity_number(claim.id)


def test_an_id_is_used_again_only_for_the_same_content(month: Month, outside: Outside) -> None:
    said = [claim for _, claim in all_claims(month, outside)]
    values: dict[tuple[str, str], bytes] = {}

    changed = [claim.id for claim in said if values.setdefault((claim.source, claim.id), claim.value) != claim.value]

    assert changed == []
    assert 0.01 < 1 - len(values) / len(said) < 0.05


def test_what_is_decided_and_sent_again_stays_a_small_part_of_the_month(whole_month: Month) -> None:
    """A thousand messages at most, and some of each kind."""
    outside, steps = heard_of(whole_month), whole_month.calendar.steps
    said = [
        claim
        for step, now in enumerate(steps)
        for feed in (whole_month.decisions, whole_month.candidates)
        for claim in feed.due(step, now, outside)
    ]
    again = [
        claim
        for exported in (False, True)
        for claim in register.rows_again(whole_month.world, whole_month.fate, steps[0], exported=exported)
    ]

    kinds = Counter(claim.message for claim in said)

    assert 500 <= len(said) + len(again) <= 1_000
    assert min(kinds[kind] for kind in (s.ReviewDecisionSubmitted, s.HandAssignmentSubmitted)) >= 15
    assert kinds[s.SurplusDecisionSubmitted] == 2
    assert 20 <= len(whole_month.candidates.verified) <= 40


def test_a_file_sent_again_says_the_same_under_the_same_ids_or_others(month: Month) -> None:
    steps = month.calendar.steps
    first = {claim.id: claim for claim in register.household_rows(month.world, steps[0])}

    retried, exported = (
        list(register.rows_again(month.world, month.fate, steps[0], exported=exported)) for exported in (False, True)
    )

    assert retried == [first[claim.id] for claim in retried]
    assert [claim.value for claim in exported] == [claim.value for claim in retried]
    assert not {claim.id for claim in exported} & first.keys()
    assert {claim.right for claim in exported} <= {UNCHANGED, UNCHANGED | {"household_gone"}}
    assert len(exported) >= month.world.some(register.SENT_AGAIN)


def test_every_need_is_reported_and_again_each_week_while_nobody_answers(month: Month, outside: Outside) -> None:
    all_claims(month, outside)

    seen = {(sighting.number, sighting.need): times for sighting, times in month.visits.seen.items()}
    drawn = {(number, need) for number, found in month.fate.needs.items() for _, need in found}
    assert drawn <= seen.keys()
    assert max(len(times) for times in seen.values()) >= 4


def test_an_office_answers_a_critical_case_within_its_hours_as_often_as_it_manages(month: Month) -> None:
    outside = Outside()
    opened_at = month.calendar.at(5, 20.51)
    for number, household_id in [(number, str(uuid4())) for number in month.world.numbers.tolist()[:1_000]]:
        outside.number[household_id] = number
        case_id = str(uuid4())
        outside.cases[case_id] = Case(
            1, household_id, None, "acutely_ill", critical=True, office_id="dinkes", status="open", opened_at=opened_at,
            first_answer_due_at=opened_at + timedelta(hours=2), done_due_at=opened_at + timedelta(hours=24),
        )  # fmt: skip
        outside.asked.append(case_id)
    step = month.calendar.steps.index(month.calendar.at(5, 22))

    answers = list(month.offices.due(step, month.calendar.steps[step], outside))

    assert len(answers) / 1_000 == pytest.approx(0.95, abs=0.02)
    steps = Counter(s.CaseUpdateSubmitted.model_validate_json(answer.value).step for answer in answers)
    assert steps["rejected"] / len(answers) == pytest.approx(0.03, abs=0.015)


def test_no_word_of_the_contracts_could_be_taken_for_a_name_of_the_simulation() -> None:
    words = [topic.name for topic in TOPICS]
    for topic in TOPICS:
        for message in topic.messages:
            words.append(message.type)
            words.extend(message.model_fields)

    assert [word for word in words if MARK in word] == []
