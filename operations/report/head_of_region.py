"""The page for the head of region: whether the month's promise is kept, and who needs a push."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from contracts.events import Case
from operations.report.content import Cell, Page, Share, Table, Word
from operations.report.known import Known, share, shares
from operations.report.names import district_name, monthly_programme, office_name
from policies import Policy

_BEHIND: Final = 5


class _Rate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    year: int
    percent: float
    source: str


class _Poverty(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    values: tuple[_Rate, ...]


def page(known: Known, breaches: Sequence[Case] | None, policy: Policy) -> Page:
    """Results, oldest breaches (None: not for the public), who is behind, and the poverty rate beside it."""
    monthly = monthly_programme(policy)
    return Page(
        "head",
        (
            _results(known, monthly),
            *(() if breaches is None else (_oldest_breaches(breaches, policy),)),
            _districts_behind(known, monthly, policy),
            _offices_behind(known, monthly),
            _answers_behind(known, policy),
            _poverty_rate(),
        ),
    )


def _results(known: Known, monthly: str) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = (
        (Word("delivered_of_recipients"), share(known, f"{monthly}_delivered")),
        (Word("delivered_of_floor"), share(known, "delivered_five_days_later")),
        (Word("floor_reached_on"), _floor_reached_on(known, monthly)),
        (Word("sick_reached"), share(known, "sick_reached")),
        (Word("hungry_answered_in_time"), share(known, "hungry_answered_in_time")),
        (Word("children_back_to_school"), share(known, "children_back_to_school")),
    )
    return Table("results", ("what", "result"), rows)


def _floor_reached_on(known: Known, monthly: str) -> Cell:
    """The local day on which so many deliveries were known as had been promised."""
    floor, days = share(known, "delivered_five_days_later"), shares(known, "delivered_by_day", "programme,day")
    if floor is None or days is None or not floor.denominator:
        return None
    delivered = 0
    for (programme, day), cell in days.items():
        if programme != monthly:
            continue
        if cell.numerator is None:  # hidden
            return None
        delivered += cell.numerator
        if delivered >= floor.denominator:
            return date.fromisoformat(day)
    return Word("not_reached")


def _oldest_breaches(breaches: Sequence[Case], policy: Policy) -> Table:
    rows = tuple(
        (
            str(case.case_id)[:8],
            Word(case.need),
            district_name(case.district, policy),
            office_name(case.responsible_office_id, policy),
            (case.done_due_at if case.answered_at else case.first_answer_due_at),
            Word(f"next_step_{min(case.escalation_level + 1, 4)}"),
            case.next_date,
        )
        for case in breaches
    )
    columns = ("case", "need", "district", "office", "was_due", "next_step", "next_step_at")
    return Table("oldest_breaches", columns, rows, ("restricted_only_counted",))


def _districts_behind(known: Known, monthly: str, policy: Policy) -> Table:
    delivered = shares(known, f"{monthly}_delivered", "district")
    cells = {code: cell for (code,), cell in (delivered or {}).items()}
    rows = [(district_name(code, policy), cell, gap) for code, cell, gap in _behind(cells)]
    columns = ("district", "delivered", "behind_by")
    return Table("districts_behind", columns, None if delivered is None else tuple(rows), ("behind",))


def _offices_behind(known: Known, monthly: str) -> Table:
    """Offices whose carers bring the packages."""
    delivered = shares(known, "delivered_by_office", "programme,office")
    cells = {office_id: cell for (programme, office_id), cell in (delivered or {}).items() if programme == monthly}
    rows = None if delivered is None else tuple(_behind(cells))
    return Table("offices_behind", ("office", "delivered", "behind_by"), rows, ("behind",))


def _answers_behind(known: Known, policy: Policy) -> Table:
    """Offices that answer cases."""
    done = shares(known, "cases_done_in_time", "office")
    cells = {office_id: cell for (office_id,), cell in (done or {}).items()}
    rows = [(office_name(code, policy), cell, gap) for code, cell, gap in _behind(cells)]
    columns = ("office", "cases_done_in_time", "behind_by")
    return Table("answers_behind", columns, None if done is None else tuple(rows), ("behind",))


def _behind(cells: Mapping[str, Share]) -> list[tuple[str, Share, int]]:
    """Those below the share of all together, by how many it takes to reach it; the furthest first."""
    seen = [(key, one, one.numerator, one.denominator) for key, one in cells.items()]
    counted = [(key, one, part, whole) for key, one, part, whole in seen if part is not None and whole]
    parts, wholes = sum(part for *_, part, _ in counted), sum(whole for *_, whole in counted)
    missing = [(key, one, -(-(parts * whole - part * wholes) // wholes)) for key, one, part, whole in counted]
    behind = [(key, one, gap) for key, one, gap in missing if gap > 0]
    return sorted(behind, key=lambda row: (-row[2], row[0]))[:_BEHIND]


def _poverty_rate() -> Table:
    file = Path(__file__).parent / "poverty.toml"
    poverty = _Poverty.model_validate(tomllib.loads(file.read_text("utf-8")))
    rows = tuple((str(rate.year), rate.percent, rate.source) for rate in poverty.values)
    return Table("poverty_rate", ("year", "percent", "source"), rows, ("poverty_disclaimer",))
