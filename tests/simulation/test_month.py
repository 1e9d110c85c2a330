"""The drawn month against the figures of its description: product.md and month.md's facts and assumptions."""

from collections import Counter

import numpy as np
import pytest

from contracts.vocabulary import DutyStatus, Employment, Need
from simulation.fate import NEEDS, Life
from simulation.play import Month
from tests.simulation.conftest import month_of


def test_the_file_has_every_kind_of_row_as_often_as_the_month_says(whole_month: Month) -> None:
    kinds = Counter(row.kind.value for row in whole_month.world.rows)

    assert kinds == {
        "clean": 20_900,
        "without_nik": 140,
        "odd_nik": 100,
        "other_decile": 60,
        "repeated": 120,
        "unknown_village": 80,
    }
    assert len(whole_month.world.villages) == 217


def test_the_staff_file_has_those_who_can_be_carers_and_those_who_cannot(whole_month: Month) -> None:
    carers = whole_month.world.carers
    contracts = Counter((carer.employment, carer.duty_status) for carer in carers)

    assert contracts == {
        (Employment.PNS, DutyStatus.ACTIVE): 6_218,
        (Employment.PPPK_FULL_TIME, DutyStatus.ACTIVE): 4_305,
        (Employment.PPPK_PART_TIME, DutyStatus.ACTIVE): 4_888,
        (Employment.PNS, DutyStatus.LONG_LEAVE): 60,
        (Employment.PARTNER, DutyStatus.ACTIVE): 500,
    }
    assert sum(carer.accepted for carer in carers) == 10_523 + 500


def test_forty_carers_are_on_the_list_themselves_and_eighty_have_a_relative_there(whole_month: Month) -> None:
    cards = {household.family_card for household in whole_month.world.households.values()}
    accepted = [carer for carer in whole_month.world.carers if carer.accepted]

    assert sum(carer.family_card in cards for carer in accepted) == 40
    assert sum(any(card in cards for card in carer.relatives_cards) for carer in accepted) == 80


def test_carers_live_in_the_town_and_the_poor_in_the_far_districts(whole_month: Month) -> None:
    world = whole_month.world
    names = {district.code: district.name for district in world.policy.districts}
    town = {"Banyuwangi", "Giri", "Glagah", "Kalipuro", "Rogojampi", "Genteng"}
    far = {"Muncar", "Wongsorejo", "Tegaldlimo", "Songgon", "Kalibaru", "Pesanggaran"}

    households = [names[household.district] for household in world.households.values()]

    assert np.mean([name in town for name in households]) == pytest.approx(0.20, abs=0.01)
    assert np.mean([name in far for name in households]) == pytest.approx(0.55, abs=0.01)


def test_needs_and_life_come_as_often_as_the_month_says(whole_month: Month) -> None:
    fate = whole_month.fate
    needs = Counter(need for found in fate.needs.values() for _, need in found)

    assert needs == NEEDS
    assert needs[Need.ACUTELY_ILL] == 120
    assert Counter(kind for _, kind in fate.life.values()) == {
        Life.DIED_ALONE: 10,
        Life.DIED: 45,
        Life.MOVED: 60,
        Life.MOVED_AWAY: 30,
        Life.SPLIT: 40,
    }
    assert len(fate.neighbours) == 150
    assert (len(fate.leaving), len(fate.transferred)) == (58 + 120, 120)


def test_no_need_is_drawn_that_an_enrolment_already_meets(whole_month: Month) -> None:
    policy, fate = whole_month.world.policy, whole_month.fate

    met = [
        (number, need)
        for number, found in fate.needs.items()
        for _, need in found
        if any(number in fate.enrolments.get(programme, ()) for programme in policy.need[need].met_by)
    ]

    assert met == []


@pytest.mark.parametrize(("week", "visited"), [(1, 0.84), (2, 0.72), (3, 0.66), (4, 0.78)])
def test_visits_of_a_week(whole_month: Month, week: int, visited: float) -> None:
    drawn, days = whole_month.fate.weeks[week - 1], whole_month.calendar.week_days(week)
    reported = drawn.day > 0

    assert reported.mean() == pytest.approx(visited, abs=0.01)
    assert (drawn.protein & ~drawn.nobody_met).mean() == pytest.approx(visited - 0.10, abs=0.01)
    assert (drawn.day[reported] >= days[-2]).mean() == pytest.approx(0.15, abs=0.01)
    assert drawn.late.mean() == pytest.approx(0.03, abs=0.005)
    assert drawn.twice.mean() == pytest.approx(0.03, abs=0.005)
    assert drawn.corrected.mean() == pytest.approx(0.01, abs=0.005)


def test_packages_go_out_in_three_days_and_some_come_back(whole_month: Month) -> None:
    attempts, launch = whole_month.fate.attempts, whole_month.calendar.launch
    failed = attempts.first_failure >= 0
    for_good = failed & ((attempts.second_day == 0) | attempts.fails_again)

    shares = [(attempts.first_day == launch + day).mean() for day in range(3)]

    assert shares == pytest.approx([0.55, 0.20, 0.10], abs=0.01)
    assert failed.mean() == pytest.approx(0.085, abs=0.005)
    assert 0.013 <= for_good.mean() <= 0.020
    assert attempts.first_day.max() == launch + 10
    assert attempts.second_day[attempts.second_day > 0].min() >= launch + 3


def test_the_same_seed_draws_the_same_month_and_another_one_does_not(month: Month) -> None:
    same, other = month_of(3), month_of(3, seed=8)

    assert same.world.rows == month.world.rows
    assert same.world.carers == month.world.carers
    assert same.fate.needs == month.fate.needs
    assert other.fate.needs != month.fate.needs


def test_three_districts_have_their_share_and_something_of_everything(month: Month) -> None:
    assert month.world.districts == ("35.10.05", "35.10.11", "35.10.16")
    assert 0.15 < month.world.scale < 0.35
    assert Counter(row.kind.value for row in month.world.rows).keys() == {
        "clean",
        "without_nik",
        "odd_nik",
        "other_decile",
        "repeated",
        "unknown_village",
    }
    assert {need for found in month.fate.needs.values() for _, need in found} == set(NEEDS)
    assert {kind for _, kind in month.fate.life.values()} == set(Life)
