"""Nothing that was to be done is forgotten."""

from datetime import UTC, datetime, timedelta

from simulation.agenda import Agenda

FIRST = datetime(2026, 10, 1, 6, tzinfo=UTC)
STEPS = tuple(FIRST + timedelta(hours=hours) for hours in range(4))


def test_a_task_is_due_at_the_first_step_not_before_its_moment() -> None:
    agenda = Agenda[str](STEPS)

    agenda.add(FIRST + timedelta(minutes=30), "between")
    agenda.add(STEPS[2], "at a step")

    assert [agenda.take(step) for step in range(4)] == [[], ["between"], ["at a step"], []]


def test_a_task_whose_moment_is_over_is_due_at_the_next_step() -> None:
    agenda = Agenda[str](STEPS)
    agenda.take(0)
    agenda.take(1)

    agenda.add(FIRST, "late")
    agenda.postpone(1, "again")

    assert agenda.take(2) == ["late", "again"]


def test_what_the_steps_were_too_few_for_is_left() -> None:
    agenda = Agenda[str](STEPS)
    agenda.add(STEPS[3] + timedelta(days=1), "too late")
    agenda.add(STEPS[3], "in time")

    done = [agenda.take(step) for step in range(4)]

    assert (done[3], agenda.left()) == (["in time"], ["too late"])
