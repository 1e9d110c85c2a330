"""Tables a person reads in a terminal; wide enough for ids where there is none."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_NO_TERMINAL = 180  # columns


def show(headings: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    """Print it; columns of numbers are on the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at, heading in enumerate(headings):
        is_number = all(isinstance(row[at], int) for row in rows)
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else cell) for cell in row))
    console = Console()
    (console if console.is_terminal else Console(width=_NO_TERMINAL)).print(table)
