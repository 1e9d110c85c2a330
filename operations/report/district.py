"""The page of one district: its villages, and what its coordinator has to move."""

from typing import Final

from operations.report.content import Cell, Page, Table, Word
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
_PACKAGES: Final = ("supplied", "delivered", "failed", "on_the_way")


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
    cells = [shares(known, "households_with_carer", "village") or {}]
    cells += [shares(known, f"{monthly}_{name}", "village") or {} for name in _PACKAGES]
    villages = sorted({key for one in cells for key in one})
    rows: list[tuple[Cell, ...]] = [(village_name(*key), *(one.get(key) for one in cells)) for key in villages]
    return Table("villages", ("village", "households_with_carer", *_PACKAGES), tuple(rows) or None)
