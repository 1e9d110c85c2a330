"""The page of one district: its villages, and what its coordinator has to move."""

from dataclasses import replace
from typing import Final

from operations.report.content import Cell, Page, Share, Table, Word
from operations.report.known import Known, share, shares
from operations.report.names import district_name, monthly_programme, village_name, weekly_programme
from operations.report.social_office import by_reason, differences, flow
from policies import Policy

_OVERVIEW: Final = (
    "households_registered",
    "households_eligible",
    "households_with_carer",
    "households_without_carer",
    "visits_happened",
    "visits_overdue",
    "cases_open",
    "cases_breached",
)
_OTHERS: Final = ("failed", "returned", "cancelled", "on_the_way")


def page(known: Known, policy: Policy, district: str) -> Page:
    """Everything here was asked for this district alone."""
    monthly, weekly = monthly_programme(policy), weekly_programme(policy)
    rows = [(Word(name), share(known, name)) for name in _OVERVIEW]
    if weekly is not None:
        rows += [(Word(f"weekly_{name}"), share(known, f"{weekly}_{name}")) for name in ("delivered", "supply_gaps")]
    tables = (
        Table("overview", ("what", "count"), tuple(rows)),
        _villages(known, monthly),
        flow(known, monthly),
        differences(known, monthly),
        by_reason(known, "cases_open", "need"),
    )
    return Page("district", tables, district_name(district, policy))


def _villages(known: Known, monthly: str) -> Table:
    """One row a village; those that nothing is counted in do not appear."""
    carers = shares(known, "households_with_carer", "village")
    delivered = shares(known, f"{monthly}_delivered", "village")
    others = [shares(known, f"{monthly}_{name}", "village") or {} for name in _OTHERS]
    rows: list[tuple[Cell, ...]] = [
        (village_name(*key), (carers or {}).get(key), cell, *(_plain(other.get(key)) for other in others))
        for key, cell in (delivered or {}).items()
    ]
    columns = ("village", "households_with_carer", "delivered", *_OTHERS)
    return Table("villages", columns, None if delivered is None else tuple(rows))


def _plain(cell: Share | None) -> Share | None:
    """Only the count: what it is out of stands beside it already."""
    return None if cell is None else replace(cell, denominator=None)
