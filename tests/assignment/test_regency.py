"""What is submitted for one regency touches no household, carer or promise of another."""

from uuid import uuid4

from contracts.submissions import Submission
from messaging.messages import Answer
from tests.assignment.conftest import FIRST_OF_OCTOBER
from tests.assignment.world import World, by_hand, carer, confirmation, household, promise, visit

THERE = "16.71.01.1001"


async def test_what_names_another_regencys_is_refused(world: World) -> None:
    theirs, their_carer = household(district=THERE[:8], village=THERE), carer()
    await world.send(theirs, their_carer, regency="16.71")
    ours, our_carer = household(), carer()
    await world.send(ours, our_carer)
    their_promise = promise(FIRST_OF_OCTOBER, village=None, household_ids=(ours.household_id,))
    await world.send(their_promise)
    await world.facts()
    submissions: list[Submission] = [
        visit(theirs.household_id, our_carer.carer_id, FIRST_OF_OCTOBER),
        by_hand(theirs.household_id, our_carer.carer_id, FIRST_OF_OCTOBER),
        by_hand(ours.household_id, their_carer.carer_id, FIRST_OF_OCTOBER),
        promise(FIRST_OF_OCTOBER, village=None, household_ids=(theirs.household_id,)),
        promise(FIRST_OF_OCTOBER, village=THERE),
    ]

    answers = [(await world.send(submission))[0] for submission in submissions]
    confirmed = await world.send(confirmation(their_promise), regency="16.71")

    fields = ("household_id", "household_id", "carer_id", "household_ids", "village", "promise_id")
    assert [*answers, *confirmed] == [Answer("refused", "wrong_regency", field) for field in fields]
    assert await world.facts() == []


async def test_a_household_that_is_not_known_yet_is_waited_for_all_the_same(world: World) -> None:
    answers = await world.send(visit(uuid4(), uuid4(), FIRST_OF_OCTOBER), regency="16.71")

    assert answers == [Answer("parked")]
