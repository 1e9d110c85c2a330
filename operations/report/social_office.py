"""The page for the social office: where every recipient's package is, and what waits for somebody."""

from typing import Final

from operations.report.content import Cell, Page, Table, Word
from operations.report.known import Known, none_of, share, shares
from operations.report.names import district_name, monthly_programme, office_name, weekly_programme
from policies import Policy

Row = tuple[Cell, ...]

# From the list to the door; every recipient is in exactly one of the ends.
_STEPS: Final = ("frozen", "added", "supplied", "picked_up")
ENDS: Final = ("not_supplied", "on_the_way", "held", "delivered", "failed", "returned", "cancelled")
_REASONS: Final = (
    ("supplied", "supply"),
    ("not_supplied", "reason"),
    ("held", "reason"),
    ("failed", "reason"),
    ("returned", "reason"),
    ("cancelled", "reason"),
)


def page(known: Known, policy: Policy) -> Page:
    """From frozen recipients to delivered packages, with every difference; then all that waits."""
    monthly = monthly_programme(policy)
    weekly = weekly_programme(policy)
    return Page(
        "social",
        (
            flow(known, monthly),
            differences(known, monthly),
            _surplus(known, monthly),
            _unserved(known, policy),
            by_reason(known, "eligibility_reviews_open", "reason"),
            _waiting_for_budget(known, policy),
            *(() if weekly is None else (_weeks(known, weekly), _supply_gaps(known, weekly, policy))),
            _visits(known),
            _cases(known),
        ),
    )


def flow(known: Known, programme: str) -> Table:
    """Frozen, supplied, picked up, delivered, failed, returned; and whether every recipient is somewhere."""
    rows: list[Row] = [(Word(name), share(known, f"{programme}_{name}")) for name in (*_STEPS, *ENDS)]
    rows.append((Word("without_explanation"), _unexplained(known, programme)))
    return Table("flow", ("what", "count"), tuple(rows), ("flow_sum",))


def differences(known: Known, programme: str) -> Table:
    """Why not every package went the straight way."""
    rows = [
        (Word(name), Word(reason), cell)
        for name, by in _REASONS
        for (reason,), cell in (shares(known, f"{programme}_{name}", by) or {}).items()
        if cell.numerator != 0
    ]
    return Table("differences", ("what", "reason", "count"), tuple(rows))


def _surplus(known: Known, programme: str) -> Table:
    """What was decided about goods that were left once every recipient was supplied."""
    cells = shares(known, "surplus_decided", "programme,use,reason")
    rows = [(Word(use), Word(reason), cell) for (of, use, reason), cell in (cells or {}).items() if of == programme]
    return Table("surplus_decided", ("use", "reason", "count"), None if cells is None else tuple(rows))


def by_reason(known: Known, name: str, by: str) -> Table:
    """A figure in all, and by its reasons."""
    rows = [(Word(code), cell) for (code,), cell in (shares(known, name, by) or {}).items() if cell.numerator != 0]
    total = share(known, name)
    return Table(name, (by, "count"), None if total is None else ((Word("total"), total), *rows))


def _unexplained(known: Known, programme: str) -> int | None:
    """Recipients less all ends; not 0 means that somebody must look. Hidden numbers cannot be added up."""
    cells = [share(known, f"{programme}_{name}") for name in ("frozen", "added", *ENDS)]
    counts = [cell.numerator for cell in cells if cell is not None and cell.numerator is not None]
    if len(counts) < len(cells):
        return None
    frozen, added, *ends = counts
    return frozen + added - sum(ends)


def _unserved(known: Known, policy: Policy) -> Table:
    cells = shares(known, "households_without_carer", "district,reason")
    rows: list[Row] = [(Word("total"), "", share(known, "households_without_carer"))]
    rows += [
        (district_name(district, policy), Word(reason), cell) for (district, reason), cell in (cells or {}).items()
    ]
    columns = ("district", "reason", "count")
    return Table("households_without_carer", columns, None if cells is None else tuple(rows))


def _waiting_for_budget(known: Known, policy: Policy) -> Table:
    cells = shares(known, "cases_waiting_for_budget", "office,need")
    rows = [
        (office_name(office, policy), Word(need), cell)
        for (office, need), cell in (cells or {}).items()
        if cell.numerator != 0
    ]
    return Table("cases_waiting_for_budget", ("office", "need", "count"), None if cells is None else tuple(rows))


def _weeks(known: Known, weekly: str) -> Table:
    """Week by week; a gap is the second week in a row without."""
    delivered = shares(known, f"{weekly}_delivered", "period")
    gaps = shares(known, f"{weekly}_supply_gaps", "period") or {}
    rows = [(period, cell, gaps.get((period,), none_of(cell))) for (period,), cell in (delivered or {}).items()]
    return Table("weeks", ("week", "delivered", "supply_gaps"), None if delivered is None else tuple(rows))


def _supply_gaps(known: Known, weekly: str, policy: Policy) -> Table:
    cells = shares(known, f"{weekly}_supply_gaps", "district")
    rows = [
        (district_name(district, policy), cell) for (district,), cell in (cells or {}).items() if cell.numerator != 0
    ]
    return Table("supply_gaps", ("district", "supply_gaps"), None if cells is None else tuple(rows))


def _visits(known: Known) -> Table:
    happened = shares(known, "visits_happened", "period")
    late = shares(known, "visits_reported_late", "period") or {}
    overdue = shares(known, "visits_overdue", "period") or {}
    rows = [(*key, cell, late.get(key), overdue.get(key)) for key, cell in (happened or {}).items()]
    columns = ("week", "visits_happened", "visits_reported_late", "visits_overdue")
    return Table("visits", columns, None if happened is None else tuple(rows))


def _cases(known: Known) -> Table:
    """By need: how many are open, answered and done in time."""
    still_open = shares(known, "cases_open", "need")
    answered = shares(known, "cases_answered_in_time", "need") or {}
    done = shares(known, "cases_done_in_time", "need") or {}
    rows = [(Word(key[0]), cell, answered.get(key), done.get(key)) for key, cell in (still_open or {}).items()]
    columns = ("need", "cases_open", "cases_answered_in_time", "cases_done_in_time")
    return Table("cases", columns, None if still_open is None else tuple(rows))
