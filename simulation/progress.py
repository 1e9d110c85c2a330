"""The days go by: a live line on a terminal, a plain line a day elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from contracts import events as e
from simulation.facts import Outside
from simulation.play import Moment, Show

_SHOWN: Final[tuple[tuple[str, tuple[type[e.Fact], ...]], ...]] = (
    ("households", (e.HouseholdRegistered,)),
    ("assigned", (e.HouseholdAssigned,)),
    ("visits", (e.VisitReported,)),
    ("delivered", (e.PackageDelivered,)),
    ("cases", (e.CaseOpened,)),
    ("resolved", (e.CaseResolved,)),
    ("told", (e.NotificationSent,)),
)


@contextmanager
def shown(console: Console) -> Iterator[Show]:
    """A function to call after each step."""
    if not console.is_terminal:
        yield _plain(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[moved]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", moved="")
        yield lambda moment: progress.update(
            task,
            description=f"{moment.at:%a %d %b %H:%M}",
            total=moment.steps,
            completed=moment.step,
            moved=_moved(moment.outside),
        )


def _plain(console: Console) -> Show:
    """The last step of every day."""
    before: list[Moment] = []

    def show(moment: Moment) -> None:
        if before and before[-1].at.date() != moment.at.date():
            console.print(f"{before[-1].at:%a %d %b}  {_moved(before[-1].outside)}", highlight=False, soft_wrap=True)
        before[:] = [moment]
        if moment.step == moment.steps:
            console.print(f"{moment.at:%a %d %b}  {_moved(moment.outside)}", highlight=False, soft_wrap=True)

    return show


def _moved(outside: Outside) -> str:
    return "  ".join(f"{name} {sum(outside.counts[event.type] for event in events):,}" for name, events in _SHOWN)
