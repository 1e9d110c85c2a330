"""What the register says of a household, and which cases it opens (rules 1 and 4, and the need table)."""

import json
from datetime import timedelta
from uuid import uuid4

from contracts.events import (
    EligibilityEnded,
    EligibilityGranted,
    HouseholdLeft,
    HouseholdProfiled,
    HouseholdSplit,
    HouseholdUpdated,
)
from tests.notifications.desk import NOW, Desk, example, household, then

DAY = timedelta(days=1)
CONFIRMED = """update cases set state = state || '{"status": "confirmed"}', next_date = null"""


async def needs(desk: Desk) -> list[str]:
    """Of the cases that were opened since this was last asked."""
    return [case.need for case in await desk.cases()]


async def test_a_household_that_is_granted_and_doubted_at_once_is_looked_at(desk: Desk) -> None:
    """A carer on the list: registered first, and the grant says that a person must look.

    Fails when: `EligibilityGranted` is passed over.
    """
    registered = household(uuid4())

    await desk.send(registered, then(registered, EligibilityGranted, review_reason="re_verification"))

    assert await needs(desk) == ["eligibility_doubted"]


async def test_who_stays_behind_without_a_nik_when_a_card_is_split_has_a_case_for_documents(desk: Desk) -> None:
    """Rule 1. Fails when: `HouseholdSplit` is passed over."""
    registered = household(uuid4())

    await desk.send(registered, then(registered, HouseholdSplit, nik_status="missing"))

    assert await needs(desk) == ["documents"]


async def test_a_review_after_one_that_ended_a_programme_is_a_case_again(desk: Desk) -> None:
    """Rule 4. Fails when: `EligibilityEnded` is passed over."""
    doubted = household(uuid4(), review_reason="decile_left")
    ended = then(doubted, EligibilityEnded, review_reason=None)
    await desk.send(doubted)
    await desk.context.pool.execute(CONFIRMED)
    await desk.send(ended)
    await desk.facts()

    await desk.send(then(ended, HouseholdUpdated, review_reason="decile_left"))

    assert await needs(desk) == ["eligibility_doubted"]


async def test_who_moved_away_and_stayed_after_all_needs_what_they_needed(desk: Desk) -> None:
    """Its cases ended when it left; the register says again what is needed.

    Fails when: a household that comes back is compared with what was known when it left.
    """
    registered = household(uuid4(), nik_status="missing", review_reason="decile_left")
    left = then(registered, HouseholdLeft, status="left", reason="other_regency")
    await desk.send(registered, left)
    await desk.facts()

    await desk.send(then(left, HouseholdUpdated, status="registered"))

    assert await needs(desk) == ["documents", "eligibility_doubted"]


async def test_what_the_register_says_of_one_need_takes_nothing_back_of_another(desk: Desk) -> None:
    """Rules 22 and 30: each need was seen once, by the register, in whatever order it says so.

    Fails when: what the register does not say again, or a profile does not name, is withdrawn.
    """
    registered = household(uuid4(), nik_status="missing")
    await desk.send(registered)
    await desk.send(then(registered, HouseholdUpdated, review_reason="decile_left"))

    for version, codes in enumerate((["house_unfit"], ["house_unfit", "no_food_today"]), 1):
        profile = {"version": version, "household_id": registered.household_id, "needs": codes, "enrolments": []}
        await desk.send(example(HouseholdProfiled, **profile))
        await desk.run("open_known_needs")

    records = await desk.context.pool.fetch("select need, sightings from cases")
    assert {record["need"]: record["sightings"] for record in records} == {
        "documents": 1,
        "eligibility_doubted": 1,
        "house_unfit": 1,
        "no_food_today": 1,
    }


async def seen_by_neighbours(desk: Desk, *codes: str, **changes: object) -> list[str]:
    """Of the cases that are opened by a profile that these needs are in and were seen for."""
    given = {"needs": codes, "needs_seen": codes, "enrolments": []}
    await desk.send(example(HouseholdProfiled, **(given | changes)))
    await desk.run("open_known_needs")
    return await needs(desk)


async def test_a_need_that_an_enrolment_met_is_a_case_when_it_is_seen_after_the_last_day(desk: Desk) -> None:
    """Rules 6, 22 and 26: the register knew it all the time.

    Fails when: only needs that are new to the profile are looked at.
    """
    known = household(uuid4())
    aid = [{"programme": "rantang_kasih", "since": "2026-01-01", "until": "2026-10-31"}]
    same = {"household_id": known.household_id, "enrolments": aid}
    await desk.send(known)

    met = await seen_by_neighbours(desk, "elderly_alone", version=1, **same)
    await desk.set_time(NOW + 31 * DAY)
    seen_again = await seen_by_neighbours(desk, "elderly_alone", version=2, **same)

    assert (met, seen_again) == ([], ["elderly_alone"])


async def test_a_need_seen_before_the_register_hears_of_its_confirmation_is_a_new_case(desk: Desk) -> None:
    """Rule 22, and once only: what is said again, or was said before, is no new sighting.

    Fails when: only needs that are new to the profile are looked at; versions are not compared.
    """
    known = household(uuid4())
    same = {"household_id": known.household_id}
    await desk.send(known)
    first = await seen_by_neighbours(desk, "no_food_today", version=2, **same)
    await desk.context.pool.execute(CONFIRMED)

    second = await seen_by_neighbours(desk, "no_food_today", version=3, **same)
    await desk.context.pool.execute(CONFIRMED)
    await desk.context.pool.execute("delete from inbox")
    again = [await seen_by_neighbours(desk, "no_food_today", version=version, **same) for version in (3, 2)]

    assert (first, second, again) == (["no_food_today"], ["no_food_today"], [[], []])


async def test_a_profile_that_only_knows_a_need_opens_nothing(desk: Desk) -> None:
    """Its enrolments changed, nobody looked. Fails when: all needs of a newer profile are looked at."""
    known = household(uuid4())
    await desk.send(known)
    await seen_by_neighbours(desk, "house_unfit", version=1, household_id=known.household_id)
    await desk.context.pool.execute(CONFIRMED)

    opened = await seen_by_neighbours(
        desk, "house_unfit", version=2, household_id=known.household_id, needs_seen=[], enrolments=[]
    )

    assert opened == []


async def test_of_a_profile_that_does_not_say_what_was_seen_the_new_needs_are_cases(desk: Desk) -> None:
    """Profiles were said so before. Fails when: only `needs_seen` is looked at."""
    known = household(uuid4())
    await desk.send(known)
    old = {"household_id": known.household_id, "needs_seen": []}

    opened = [
        await seen_by_neighbours(desk, *codes, version=version, **old)
        for version, codes in enumerate((["house_unfit"], ["house_unfit", "documents"]), 1)
    ]

    assert opened == [["house_unfit"], ["documents"]]


async def test_an_old_report_of_what_was_resolved_since_is_no_new_case(desk: Desk) -> None:
    """Rule 22: seen in the morning, said in the evening; in between it was seen by a carer, resolved and confirmed.

    Fails when: what was seen counts from when it was heard of; nothing that is said is a new sighting.
    """
    known = household(uuid4())
    same = {"household_id": known.household_id}
    await desk.send(known)
    first = await seen_by_neighbours(desk, "no_food_today", version=1, needs_seen_at=NOW.isoformat(), **same)
    resolved = {"status": "confirmed", "resolved_at": (NOW + timedelta(hours=3)).isoformat(), "next_date": None}
    await desk.context.pool.execute("update cases set state = state || $1, next_date = null", json.dumps(resolved))

    late, new = [
        await seen_by_neighbours(
            desk, "no_food_today", version=version, needs_seen_at=(NOW + timedelta(hours=hours)).isoformat(), **same
        )
        for version, hours in ((2, 1), (3, 4))
    ]

    assert (first, late, new) == (["no_food_today"], [], ["no_food_today"])
