"""Rounds: opened once, their windows, their floor."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.events import FloorAtRisk, RoundClosed, RoundOpened
from contracts.submissions import SurplusDecisionSubmitted
from messaging import Token
from messaging.messages import Answer
from services.distribution import figures_api, rounds, store
from tests.distribution import samples
from tests.distribution.conftest import POLICIES, Distribution, open_round
from tests.distribution.samples import LAUNCH, NOW

POLICY = POLICIES["35.10"]
WAITS = "select exists(select from pg_locks where not granted)"


async def test_a_round_opens_once(distribution: Distribution) -> None:
    """The same again is unchanged; another round for the same period is refused."""
    wanted, _ = await open_round(distribution, households=1)

    again = await distribution.submit(wanted, samples.monthly(), wanted.model_copy(update={"decree": "199-2026"}))

    assert [(one.outcome, one.code) for one in again] == [
        ("unchanged", None),
        ("refused", "already_exists"),
        ("refused", "already_exists"),
    ]
    assert len(await distribution.facts(RoundOpened)) == 1


async def test_a_round_waits_while_the_register_is_coming_in(distribution: Distribution) -> None:
    """A list frozen half would never be mended (rule 15)."""
    nobody = await distribution.submit(samples.weekly(1))
    await distribution.tell(*[samples.household() for _ in range(120)])
    coming = await distribution.submit(samples.monthly())
    await distribution.settle_register()

    await distribution.sweep()

    assert [answer.outcome for answer in (*nobody, *coming)] == ["parked", "parked"]
    assert [fact.recipients for fact in await distribution.facts(RoundOpened)] == [120, 120]


async def test_later_entries_are_named_additions(distribution: Distribution) -> None:
    """Rules 15, 19: only by a decision; a household that becomes eligible later is not added by itself."""
    wanted, households = await open_round(distribution, households=1)
    candidate = samples.household(eligibilities=())
    await distribution.tell(candidate)
    decision = SurplusDecisionSubmitted(
        happened_at=NOW,
        round_id=wanted.round_id,
        use="candidates",
        household_ids=(candidate.household_id, households[0]),
        reason="surplus",
    )

    outcomes = [(await distribution.submit(decision))[0].outcome for _ in range(2)]

    added = await distribution.context.pool.fetch("select household_id from recipient where added_because is not null")
    assert outcomes == ["accepted", "accepted"]
    assert [record["household_id"] for record in added] == [candidate.household_id]


async def test_what_was_decided_about_a_surplus_is_published(distribution: Distribution) -> None:
    """Rule 19: to candidates, kept for disasters, or for the next round."""
    wanted, _ = await open_round(distribution, households=1)
    candidates = [samples.household(eligibilities=()) for _ in range(3)]
    await distribution.tell(*candidates)
    named = [one.household_id for one in candidates]
    decision = SurplusDecisionSubmitted(
        happened_at=NOW, round_id=wanted.round_id, use="candidates", household_ids=(named[0],), reason="surplus"
    )

    await distribution.submit(
        decision,
        decision.model_copy(update={"household_ids": tuple(named[1:])}),
        decision.model_copy(update={"use": "disaster_reserve", "household_ids": ()}),
    )

    token = Token("dinsos", frozenset({"figures:read"}), None, "35.10", {})
    answer = await figures_api.get_figures(distribution.context.pool, token, "2026-10", None, for_public=False)
    [surplus] = [figure for figure in answer.figures if figure.name == "surplus_decided"]
    assert surplus.numerator == 3
    assert {key: cell.numerator for key, cell in surplus.by["programme,use,reason"].items()} == {
        "monthly_package,candidates,surplus": 3,
        "monthly_package,disaster_reserve,surplus": 0,
    }


async def test_what_is_left_of_a_round_is_not_given_away_while_it_is_being_closed(distribution: Distribution) -> None:
    """Named additions to a closed round would never be planned."""
    wanted, [household_id] = await open_round(distribution, households=1)
    decision = SurplusDecisionSubmitted(
        happened_at=NOW, round_id=wanted.round_id, use="candidates", household_ids=(household_id,), reason="surplus"
    )
    async with distribution.context.pool.acquire() as db, db.transaction():
        known = (await store.lock_rounds(db, [wanted.round_id]))[wanted.round_id]
        deciding = asyncio.create_task(distribution.submit(decision))
        async with asyncio.timeout(5):
            while not (deciding.done() or await db.fetchval(WAITS)):  # noqa: ASYNC110  # nobody tells us
                await asyncio.sleep(0.02)
        await store.save_round(db, known.regency, rounds.close_round(known.round, rounds.RoundCounts(0, 0, 0)))

    answers = await deciding

    assert answers == [Answer("refused", "round_closed", "round_id")]


async def test_the_floor_is_told_once_at_each_mark(distribution: Distribution) -> None:
    """Rule 19: 70 % of a window of 11 days is over on the eighth."""
    await open_round(distribution, households=1)

    told = []
    for days in (3, 8, 9, 10, 10):
        await distribution.set_time(LAUNCH + timedelta(days=days))
        told.append(await distribution.watch_floor())

    assert [fact.at_percent for fact in await distribution.facts(FloorAtRisk)] == [70, 90]
    assert [bool(rows) for rows in told] == [False, True, False, True, False]


async def test_a_closed_round_says_what_it_came_to(distribution: Distribution) -> None:
    wanted, households = await open_round(distribution, households=3)
    await distribution.submit(samples.delivered(wanted.round_id, households[0]))
    await distribution.set_time(LAUNCH + timedelta(days=20))

    await distribution.close_rounds()

    [closed] = await distribution.facts(RoundClosed)
    assert (closed.status, closed.recipients, closed.delivered, closed.version) == ("closed", 3, 1, 2)


async def test_a_round_that_opens_after_its_window_is_planned_before_it_closes(distribution: Distribution) -> None:
    """After an absence everything comes at once; reports that waited find their packages."""
    household, wanted = samples.household(), samples.weekly(1)
    carer = samples.carer()
    await distribution.tell(carer, household, samples.assigned(household, carer.carer_id))
    await distribution.settle_register()
    await distribution.submit(wanted, samples.delivered(wanted.round_id, household.household_id))
    await distribution.set_time(LAUNCH + timedelta(days=10))

    await distribution.close_rounds()
    assert await distribution.facts(RoundClosed) == []
    await distribution.plan()
    await distribution.close_rounds()
    await distribution.sweep()

    assert len(await distribution.facts(RoundClosed)) == 1
    assert (await distribution.package(wanted.round_id, household.household_id)).status == "delivered"


async def test_figures_lead_from_the_frozen_list_to_the_door(distribution: Distribution) -> None:
    """Rule 30: every difference with its reason; a month twice."""
    wanted, households = await open_round(distribution, households=8, packages=2)
    for household in households[:5]:
        await distribution.submit(samples.delivered(wanted.round_id, household))
    token = Token("x", frozenset({"figures:read"}), None, "35.10", {})

    answer = await figures_api.get_figures(distribution.context.pool, token, "2026-10", None, for_public=False)
    hidden = await figures_api.get_figures(distribution.context.pool, token, "2026-10", None, for_public=True)

    figures = {figure.name: figure for figure in answer.figures}
    shares = {name: (figure.numerator, figure.denominator) for name, figure in figures.items()}
    assert shares["monthly_package_frozen"] == (8, None)
    assert shares["monthly_package_supplied"] == (8, 8)
    assert shares["monthly_package_delivered"] == (5, 8)
    assert shares["monthly_package_on_the_way"] == (3, 8)
    assert shares["delivered_at_month_end"] == (5, 20_000)
    assert shares["ledger_breaks"] == (0, 5)
    assert shares["stock_rupiah"] == (2 * 9 * 1_000, None)
    assert figures["monthly_package_supplied"].by["supply"]["stock"].numerator == 2
    assert figures["delivered_by_office"].by["programme,office"]["monthly_package,sdn-1-kepatihan"].denominator == 8
    assert {figure.name: figure.numerator for figure in hidden.figures}["monthly_package_on_the_way"] is None


async def test_figures_name_rounds_items_and_suspicions(distribution: Distribution) -> None:
    wanted, households = await open_round(distribution, households=3, packages=2)
    await distribution.submit(samples.delivered(wanted.round_id, households[0], mock_location=True))
    token = Token("x", frozenset({"figures:read"}), None, "35.10", {})

    answer = await figures_api.get_figures(distribution.context.pool, token, "2026-10", None, for_public=False)

    by = {figure.name: figure.by for figure in answer.figures}
    [about_round] = by["rounds"].values()
    assert [(key.split(",")[:3], cell.numerator) for key, cell in about_round.items()] == [
        ([str(wanted.round_id), "monthly_package", "2026-10"], 3)
    ]
    assert by["suspicions"]["programme,suspicion"]["monthly_package,mock_location"].numerator == 1
    contents = {goods.item for goods in POLICY.programme["monthly_package"].contents}
    assert {key.split(",")[2] for key in by["stock_units"]["lot,depot,item,source,account"]} == contents


def test_a_round_belongs_to_one_month() -> None:
    """Rule 19."""
    wrong = [
        rounds.refuse_round(samples.monthly(closes_on=date(2026, 11, 2)), POLICY),
        rounds.refuse_round(samples.monthly(period="2026-10-w1"), POLICY),
        rounds.refuse_round(samples.monthly(programme="lunch"), POLICY),
    ]

    assert wrong == [
        ("invalid_field", "closes_on"),
        ("invalid_field", "period"),
        ("unknown_programme", "programme"),
    ]
    assert rounds.refuse_round(samples.monthly(), POLICY) is None
    assert all(rounds.refuse_round(samples.weekly(week), POLICY) is None for week in range(1, 5))


@pytest.mark.parametrize(
    ("period", "before"), [("2026-10-w3", "2026-10-w2"), ("2026-10-w1", "2026-09-w4"), ("2026-01-w1", "2025-12-w4")]
)
def test_the_week_before(period: str, before: str) -> None:
    assert rounds.period_before(period) == before


def test_a_month_ends_at_local_midnight() -> None:
    """Rule 19: the window's share is measured on the regency's clock."""
    opened = rounds.open_round(samples.monthly(), POLICY, NOW, recipients=1)

    start = datetime(2026, 10, 13, 17, tzinfo=UTC)  # midnight of the 14th in Jakarta
    assert [rounds.percent_passed(opened, start + timedelta(hours=hours), POLICY) for hours in (-1, 0, 132, 264)] == [
        0,
        0,
        50,
        100,
    ]
    assert rounds.is_late("2026-10", date(2026, 11, 1))
    assert not rounds.is_late("2026-10", date(2026, 10, 31))
