"""What is submitted for one regency touches no case of another."""

from tests.notifications.desk import Desk, opened, update


async def test_a_case_of_another_regency_is_not_answered(desk: Desk) -> None:
    case = await opened(desk)

    outcomes = await desk.send(update(case, "accepted"), regency="16.71")

    assert outcomes == ["wrong_regency"]
    assert await desk.facts() == []
