"""The one shape of `GET /figures` in every service (rule 30): what is counted, out of what, as of when, and how.

What each service publishes, and the names of the breakdowns that the report reads, stand in `docs/figures.md`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

SMALLEST_PUBLIC_CELL: Final = 5


class Cell(BaseModel):
    """One count, or one share of a breakdown."""

    model_config = ConfigDict(frozen=True)

    numerator: int | None = Field(description="what was counted; null: under 5 and hidden in a public view")
    denominator: int | None = Field(default=None, description="out of how many; null: a plain count, or hidden")


class Figure(Cell):
    """A published figure."""

    name: str = Field(description="snake_case, unique in its service")
    unit: str = Field(description="households, packages, rupiah, seconds ...")
    as_of: datetime = Field(description="deciding time at which it was true")
    definition: str = Field(description="one sentence: what counts, and what it is counted out of")
    by: dict[str, dict[str, Cell]] = Field(
        default_factory=dict,
        description="breakdowns: `{'district': {'35.10.16': cell}}`; of two at once `{'district,reason': ...}`",
    )


class Figures(BaseModel):
    """The answer of `GET /figures`."""

    model_config = ConfigDict(frozen=True)

    service: str
    figures: tuple[Figure, ...]


def breakdown(rows: Iterable[tuple[str, int, int | None]]) -> dict[str, Cell]:
    """Cells by key, from rows of key, numerator, denominator."""
    return {key: Cell(numerator=numerator, denominator=denominator) for key, numerator, denominator in rows}


def public(figures: Figures) -> Figures:
    """The same with every cell under 5 hidden."""
    return figures.model_copy(update={"figures": tuple(_public_figure(figure) for figure in figures.figures)})


def _public_figure(figure: Figure) -> Figure:
    by = {name: _public_cells(cells) for name, cells in figure.by.items()}
    return figure.model_copy(update=_hidden(figure) | {"by": by})


def _public_cells(cells: dict[str, Cell]) -> dict[str, Cell]:
    """One hidden cell alone could be found by subtraction from the total: the next smallest is hidden with it."""
    hidden = {key for key, cell in cells.items() if _is_small(cell.numerator) or _is_small(cell.denominator)}
    shown = [key for key in cells if key not in hidden]
    if len(hidden) == 1 and shown:
        hidden.add(min(shown, key=lambda key: cells[key].numerator or 0))
    return {key: Cell(numerator=None) if key in hidden else cell for key, cell in cells.items()}


def _hidden(cell: Cell) -> dict[str, int | None]:
    is_hidden = _is_small(cell.numerator) or _is_small(cell.denominator)
    return {"numerator": None, "denominator": None} if is_hidden else {}


def _is_small(count: int | None) -> bool:
    return count is not None and count < SMALLEST_PUBLIC_CELL
