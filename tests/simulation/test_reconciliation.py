"""Every check of the reconciliation holds on a right month, and finds and names what breaks it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from inspect import isawaitable

import pytest

from contracts import events as e
from contracts.vocabulary import Need
from simulation.audit_store import Account
from simulation.checks import cases, households, messages, supply
from simulation.deliveries import MONTHLY
from simulation.evidence import Evidence, Outcome
from simulation.reconciliation import CHECKS, Check
from simulation.visits import Sighting
from tests.simulation import story
from tests.simulation.story import ANSWER, CARER, CASE, CLAIM, FIRST, LEAVER, PROMISE, REFUSED, RICHER, SECOND, THIRD

Break = Callable[[Evidence], str | Awaitable[str]]
"""Breaks the evidence; what the check must name."""


def a_claim_without_outcome(evidence: Evidence) -> str:
    del evidence.outcomes[CLAIM]
    return CLAIM[1]


def a_wrong_outcome(evidence: Evidence) -> str:
    evidence.outcomes[REFUSED] = Outcome("accepted", None)
    return REFUSED[1]


def a_refusal_told_to_nobody(evidence: Evidence) -> str:
    evidence.history.refusals.clear()
    return REFUSED[1]


def a_refusal_told_twice(evidence: Evidence) -> str:
    evidence.history.refusals[REFUSED] *= 2
    return REFUSED[1]


def an_answer_that_was_not_the_decision(evidence: Evidence) -> str:
    evidence.outcomes[PROMISE] = Outcome("refused", "already_pledged")
    return PROMISE[1]


def a_quarantined_message(evidence: Evidence) -> str:
    evidence.quarantined[bytes(16)] = "registry 0b6f: id.berbagi.case-opened.v1 bug"
    return "0b6f"


def a_version_that_is_missing(evidence: Evidence) -> str:
    story.assign(evidence, SECOND, CARER, story.at(2, 6), version=3)
    return SECOND


def a_version_stated_twice(evidence: Evidence) -> str:
    story.assign(evidence, SECOND, LEAVER, story.at(1, 6))
    return SECOND


async def a_fact_that_was_not_applied(evidence: Evidence) -> str:
    await story.store(evidence, without=e.PackageDelivered)
    return e.PackageDelivered.type


async def a_row_that_was_altered(evidence: Evidence) -> str:
    await story.store(evidence, altered=THIRD)
    return THIRD


async def a_row_that_is_missing(evidence: Evidence) -> str:
    del evidence.history.households[THIRD]  # what the rows are made of; the fact was stated
    await story.store(evidence)
    return THIRD


def a_household_without_a_programme(evidence: Evidence) -> str:
    evidence.history.households[FIRST]["eligibilities"].pop()
    return FIRST


def a_household_with_a_programme_that_was_ended(evidence: Evidence) -> str:
    number = next(iter(evidence.played.outside.household))
    evidence.played.month.decisions.ended.add((number, "weekly_protein"))
    return FIRST


def a_richer_household_with_one(evidence: Evidence) -> str:
    evidence.history.households[RICHER]["eligibilities"] = [{"programme": "monthly_package"}]
    return RICHER


def two_rows_that_became_one_household(evidence: Evidence) -> str:
    known = evidence.played.outside.household
    known[max(known)] = known[min(known)]
    return "two rows became one household"


def a_household_without_a_carer(evidence: Evidence) -> str:
    del evidence.history.assignments[SECOND]
    return SECOND


def a_household_that_left_and_is_served(evidence: Evidence) -> str:
    evidence.history.households[SECOND]["status"] = "left"
    return SECOND


def a_hand_over_days_later(evidence: Evidence) -> str:
    evidence.history.assignments[FIRST][1].state["since"] = story.at(9, 7).isoformat()
    return LEAVER


def a_household_still_with_who_left(evidence: Evidence) -> str:
    del evidence.history.assignments[FIRST][1]
    return FIRST


def a_carer_of_their_own_relatives(evidence: Evidence) -> str:
    story.assign(evidence, THIRD, CARER, story.at(2, 6), version=2)
    return THIRD


def a_second_package(evidence: Evidence) -> str:
    story.plan(evidence, SECOND, evidence.played.month.rounds[MONTHLY], copy=1)
    return SECOND


def a_recipient_without_a_package(evidence: Evidence) -> str:
    packages = evidence.history.packages
    del packages[next(one for one, state in packages.items() if state["household_id"] == THIRD)]
    return THIRD


def a_household_named_for_a_surplus_without_a_package(evidence: Evidence) -> str:
    evidence.played.month.candidates.named.add(RICHER)
    return RICHER


def a_package_handed_over_and_not_delivered(evidence: Evidence) -> str:
    evidence.played.month.deliveries.handed_over.add((SECOND, evidence.played.month.rounds[MONTHLY]))
    return SECOND


def a_package_delivered_that_nobody_handed_over(evidence: Evidence) -> str:
    return story.deliver(evidence, SECOND, evidence.played.month.rounds[MONTHLY], [])


def a_balance_that_the_entries_do_not_make(evidence: Evidence) -> str:
    lot_id = story.recalled_lot(evidence)
    evidence.accounts[0] = Account(lot_id, "received", 10, 11)
    return f"lot {lot_id}: entries of received make 10, the balance says 11"


def units_that_are_nowhere(evidence: Evidence) -> str:
    lot_id = story.recalled_lot(evidence)
    evidence.accounts = [one for one in evidence.accounts if one.account != "blocked"]
    return f"lot {lot_id}: Rp30000 came in, Rp15000 is somewhere"


def units_delivered_that_no_package_has(evidence: Evidence) -> str:
    lot_id = story.recalled_lot(evidence)
    evidence.accounts = [Account(lot_id, name, units, units) for name, units in {"received": 6, "delivered": 6}.items()]
    return f"lot {lot_id}: 6 units in the books, 5 at households"


def a_fact_of_a_lot_that_does_not_close(evidence: Evidence) -> str:
    lot = evidence.history.lots[story.recalled_lot(evidence)].state
    story.tell(evidence, e.StockAdjusted, 3, **{name: lot[name] for name in lot if name != "version"} | {"found": 1})
    return f"lot {lot['lot_id']}: the sum of version 3 does not close"


def a_recipient_of_a_recalled_lot_who_is_not_named(evidence: Evidence) -> str:
    evidence.recipients[story.recalled_lot(evidence)] = frozenset()
    return FIRST


def a_recall_that_nobody_was_told_of(evidence: Evidence) -> str:
    evidence.history.recalls.clear()
    return story.recalled_lot(evidence)


def a_recall_that_counts_too_many(evidence: Evidence) -> str:
    evidence.history.recalls[story.recalled_lot(evidence)]["recipients"] = 2
    return "2 recipients were stated, 1 received it"


def a_need_without_a_case(evidence: Evidence) -> str:
    number = next(iter(evidence.played.outside.household))
    evidence.played.month.visits.seen[Sighting(number, Need.HOUSE_UNFIT, None)] = [story.at(4, 18)]
    return f"need house_unfit of household {FIRST}: seen, and no case"


def a_second_case_while_the_first_is_open(evidence: Evidence) -> str:
    second = story.id_of("case", 1)
    story.open_case(evidence, second, FIRST, Need.ACUTELY_ILL, opened_at=story.at(6, 20).isoformat())
    return second


def a_case_of_what_nobody_saw(evidence: Evidence) -> str:
    second = story.id_of("case", 1)
    story.open_case(evidence, second, SECOND, Need.HOUSE_UNFIT)
    return second


def a_case_of_a_need_that_is_met(evidence: Evidence) -> str:
    second = story.id_of("case", 1)
    story.open_case(evidence, second, THIRD, Need.ELDERLY_ALONE)
    return second


def an_open_case_without_a_next_date(evidence: Evidence) -> str:
    evidence.history.cases[CASE][-1].state["next_date"] = None
    return CASE


def a_critical_case_told_too_late(evidence: Evidence) -> str:
    evidence.history.told[CASE] = [one + timedelta(hours=2) for one in evidence.history.told[CASE]]
    return CASE


def an_answer_that_is_not_in_the_history(evidence: Evidence) -> str:
    del evidence.history.cases[CASE][-1]
    return f"case {CASE}: {ANSWER[0]} said accepted"


def a_name_on_a_topic(evidence: Evidence) -> str:
    [person, *_] = evidence.played.month.world.rows[0].members
    story.tell(evidence, e.HouseholdUpdated, 2, household_id=FIRST, review_reason=person.name)
    return "household-events 0/"


BREAKS: tuple[tuple[Check, Break], ...] = (
    (messages.submissions_have_their_outcome, a_claim_without_outcome),
    (messages.submissions_have_their_outcome, a_wrong_outcome),
    (messages.refusals_are_told_once, a_refusal_told_to_nobody),
    (messages.refusals_are_told_once, a_refusal_told_twice),
    (messages.refusals_are_told_once, an_answer_that_was_not_the_decision),
    (messages.what_cannot_be_read_is_quarantined, a_quarantined_message),
    (messages.facts_are_gapless, a_version_that_is_missing),
    (messages.facts_are_gapless, a_version_stated_twice),
    (messages.facts_are_applied, a_fact_that_was_not_applied),
    (messages.rows_are_what_was_stated, a_row_that_was_altered),
    (messages.rows_are_what_was_stated, a_row_that_is_missing),
    (households.rows_became_households, a_household_without_a_programme),
    (households.rows_became_households, a_household_with_a_programme_that_was_ended),
    (households.rows_became_households, a_richer_household_with_one),
    (households.rows_became_households, two_rows_that_became_one_household),
    (households.eligible_households_have_a_carer, a_household_without_a_carer),
    (households.eligible_households_have_a_carer, a_household_that_left_and_is_served),
    (households.carers_who_leave_hand_over, a_hand_over_days_later),
    (households.carers_who_leave_hand_over, a_household_still_with_who_left),
    (households.nobody_serves_their_own, a_carer_of_their_own_relatives),
    (supply.nobody_has_two_packages, a_second_package),
    (supply.every_recipient_has_a_package, a_recipient_without_a_package),
    (supply.every_recipient_has_a_package, a_household_named_for_a_surplus_without_a_package),
    (supply.what_was_handed_over_is_delivered, a_package_handed_over_and_not_delivered),
    (supply.what_was_handed_over_is_delivered, a_package_delivered_that_nobody_handed_over),
    (supply.the_ledger_closes, a_balance_that_the_entries_do_not_make),
    (supply.the_ledger_closes, units_that_are_nowhere),
    (supply.the_ledger_closes, units_delivered_that_no_package_has),
    (supply.the_ledger_closes, a_fact_of_a_lot_that_does_not_close),
    (supply.recalled_lots_name_their_recipients, a_recipient_of_a_recalled_lot_who_is_not_named),
    (supply.recalled_lots_name_their_recipients, a_recall_that_nobody_was_told_of),
    (supply.recalled_lots_name_their_recipients, a_recall_that_counts_too_many),
    (cases.needs_seen_have_one_case, a_need_without_a_case),
    (cases.needs_seen_have_one_case, a_second_case_while_the_first_is_open),
    (cases.cases_stand_for_a_need, a_case_of_what_nobody_saw),
    (cases.cases_stand_for_a_need, a_case_of_a_need_that_is_met),
    (cases.cases_have_a_next_date_or_an_end, an_open_case_without_a_next_date),
    (cases.critical_cases_were_told_in_time, a_critical_case_told_too_late),
    (cases.answers_reached_their_case, an_answer_that_is_not_in_the_history),
    (messages.nobody_is_named, a_name_on_a_topic),
)


async def test_a_right_month_reconciles() -> None:
    evidence = await story.right_evidence()

    assert [(name, check(evidence)) for name, check in CHECKS if check(evidence)] == []


@pytest.mark.parametrize(("check", "breaks"), BREAKS, ids=[breaks.__name__ for _, breaks in BREAKS])
async def test_a_break_is_found_and_named(check: Check, breaks: Break) -> None:
    evidence = await story.right_evidence()
    broken = breaks(evidence)
    named = await broken if isawaitable(broken) else broken

    lines = check(evidence)

    assert [line for line in lines if str(named) in line] != []


def test_every_check_is_seen_to_bite() -> None:
    assert {check for check, _ in BREAKS} == {check for _, check in CHECKS}
