"""What is to be done at which step; what cannot be done yet moves on to the next."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

Task = TypeVar("Task")


class Agenda(Generic[Task]):
    """Tasks by step of the month; those after its last step never happen."""

    def __init__(self, steps: Sequence[datetime]) -> None:
        self._steps = steps
        self._tasks: dict[int, list[Task]] = defaultdict(list)
        self._next = 0

    def add(self, moment: datetime, task: Task) -> None:
        """To be done at the first step still to come that is not before this moment."""
        self._tasks[max(self._next, bisect_left(self._steps, moment))].append(task)

    def postpone(self, step: int, task: Task) -> None:
        """Tried in vain at a step: once more at the next."""
        self._tasks[step + 1].append(task)

    def left(self) -> list[Task]:
        """What the steps were too few for."""
        return [task for step in sorted(self._tasks) for task in self._tasks[step]]

    def take(self, step: int) -> list[Task]:
        """What is due at a step."""
        self._next = step + 1
        return self._tasks.pop(step, [])
