"""What is submitted for one regency touches no case of another."""

from uuid import uuid4

from contracts.events import VisitReported
from tests.notifications.builders import DISTRICT, local
from tests.notifications.desk import Desk, example, update


async def test_a_case_of_another_regency_is_not_answered(desk: Desk) -> None:
    await desk.send(
        example(
            VisitReported,
            version=1,
            visit_id=uuid4(),
            household_id=uuid4(),
            district=DISTRICT,
            happened=True,
            happened_at=local("2026-10-14 08:00"),
            needs=[{"need": "documents", "person_id": None}],
        )
    )
    (case,) = await desk.cases()

    outcomes = await desk.send(update(case, "accepted"), regency="16.71")

    assert outcomes == ["wrong_regency"]
    assert await desk.facts() == []
