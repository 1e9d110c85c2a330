"""The five suspicions of rule 17."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.events import PackageDelivered, ProofFlagged
from services.distribution import attempt_store
from services.distribution.proof import Delivery, Point, metres, suspect
from tests.distribution import samples
from tests.distribution.conftest import POLICIES, Distribution, open_round

RULES = POLICIES["35.10"].distribution
HOME = Point(-8.227, 114.363)
CARER = UUID(int=5)


def delivery(door: Point | None = HOME, place: Point | None = HOME, minutes: int = 0) -> Delivery:
    return Delivery(uuid4(), uuid4(), CARER, samples.NOW + timedelta(minutes=minutes), place, None, door)


def north(thousandths: int) -> Point:
    """So many times 110 m north of home."""
    return Point(round(HOME.latitude + thousandths / 1000, 3), HOME.longitude)


def test_an_honest_delivery_is_not_suspected() -> None:
    others = [delivery(north(3), north(3), minutes=10), delivery(north(6), north(6), minutes=20)]

    assert suspect(delivery(), others, [], RULES) == ()


@pytest.mark.parametrize(("distance", "flags"), [(4, ()), (5, ("far_from_home",))])
def test_far_is_from_500_metres(distance: int, flags: tuple[str, ...]) -> None:
    assert suspect(delivery(place=north(distance)), [], [], RULES) == flags


def test_one_place_for_three_doors_is_suspected() -> None:
    others = [delivery(north(2), HOME, minutes=10), delivery(north(3), HOME, minutes=20)]

    assert suspect(delivery(), others, [], RULES) == ("same_place",)


def test_several_families_in_one_house_are_innocent() -> None:
    """Compared with their registered places first."""
    others = [delivery(minutes=minutes) for minutes in (5, 10, 15)]

    assert suspect(delivery(), others, [], RULES) == ()


def test_one_photo_for_two_households_is_suspected_and_for_both_packages_of_a_day_not() -> None:
    one = delivery()
    both = replace(delivery(), household_id=one.household_id)

    assert suspect(one, [], [delivery(minutes=60)], RULES) == ("same_photo",)
    assert suspect(one, [], [both], RULES) == ()
    assert suspect(one, [], [replace(both, happened_at=one.happened_at - timedelta(days=7))], RULES) == ("same_photo",)


@pytest.mark.parametrize(("minutes", "flags"), [(1, ("impossible_speed",)), (20, ())])
def test_nobody_drives_faster_than_the_policy_thinks(minutes: int, flags: tuple[str, ...]) -> None:
    ten_kilometres_away = delivery(north(90), north(90), minutes=minutes)

    assert suspect(delivery(), [ten_kilometres_away], [], RULES) == flags


def test_a_simulated_location_is_suspected() -> None:
    assert suspect(replace(delivery(), is_mocked=True), [], [], RULES) == ("mock_location",)


def test_nothing_is_concluded_from_unknown_places() -> None:
    assert suspect(delivery(door=None, place=None), [delivery(north(90), north(90))], [], RULES) == ()


def test_a_great_circle() -> None:
    """Banyuwangi to Surabaya is about 200 km."""
    assert metres(Point(-8.219, 114.369), Point(-7.257, 112.752)) == pytest.approx(207_600, rel=0.01)


async def test_a_flag_never_changes_the_delivery(distribution: Distribution) -> None:
    """All suspicions of one proof in one fact that follows the delivery; one batch sees its own deliveries too."""
    wanted, households = await open_round(distribution, households=3)
    photo = "a" * 64

    await distribution.submit(
        *[samples.delivered(wanted.round_id, household, photo_sha256=photo) for household in households[:2]],
        samples.delivered(wanted.round_id, households[2], mock_location=True, photo_sha256=photo),
    )

    flagged = await distribution.facts(ProofFlagged)
    assert len(await distribution.facts(PackageDelivered)) == 3
    assert [fact.suspicions for fact in flagged] == [("same_photo",), ("same_photo", "mock_location")]
    assert {fact.status for fact in flagged} == {"delivered"}


async def test_one_other_occasion_of_a_photo_is_looked_at_however_many_there_are(distribution: Distribution) -> None:
    """An app that sends one hash for ever costs no more each time.

    Fails when: all deliveries with a photo are read, or one is that shows the same occasion.
    """
    wanted, households = await open_round(distribution, households=5)
    photo = "a" * 64
    await distribution.submit(*[samples.delivered(wanted.round_id, one, photo_sha256=photo) for one in households])
    week = timedelta(days=7)

    async with distribution.context.pool.acquire() as db:
        spans = [(bytes.fromhex(photo), one, samples.NOW - week, samples.NOW + week) for one in households[:2]]
        seen = await attempt_store.list_deliveries_with(db, spans)

    assert len(seen) == 2
    assert seen[0].household_id != households[0]
    assert seen[1].household_id != households[1]


async def test_one_photo_for_a_household_in_two_weeks_is_suspected(distribution: Distribution) -> None:
    """And for both its packages of a day it is not. Fails when: only other households' deliveries are looked at."""
    monthly, [household] = await open_round(distribution, households=1)
    weeks = [samples.weekly(1), samples.weekly(2)]
    await distribution.submit(*weeks)
    await distribution.plan()

    for wanted, days in ((monthly, 0), (weeks[0], 0), (weeks[1], 7)):
        at = samples.NOW - timedelta(days=7) + timedelta(days=days)
        report = samples.delivered(wanted.round_id, household, photo_sha256="a" * 64, happened_at=at)
        await distribution.submit(report)

    assert [(fact.period, fact.suspicions) for fact in await distribution.facts(ProofFlagged)] == [
        ("2026-10-w2", ("same_photo",))
    ]
