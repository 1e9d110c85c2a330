"""The page for the auditor: where every unit and rupiah is, and what must be looked at twice."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from operations.report.content import Cell, Page, Share, Table, Word
from operations.report.known import Key, Known, share, shares
from operations.report.names import monthly_programme
from policies import Policy

Cells = Mapping[Key, Share] | None

_CHECKS: Final = (
    "ledger_breaks",
    "hand_overs_after_more_than_a_day",
    "identity_conflicts",
    "vault_reads",
)
_OF_PACKAGES: Final = ("without_lot", "without_proof", "late", "flagged")
_CARD: Final = "lot,depot,item,source,account"
_CAME_IN: Final = ("received", "found")
_IS_NOW: Final = (
    "available",
    "reserved",
    "in_transit",
    "with_holders",
    "delivered",
    "blocked",
    "written_off",
    "returned_to_giver",
)
_SHORT: Final = 8  # of a lot's id, where its whole would not fit


def page(known: Known, policy: Policy) -> Page:
    """Checks, the month restated, the stock card, and the recall list."""
    monthly = monthly_programme(policy)
    units, rupiah = shares(known, "stock_units", _CARD), shares(known, "stock_rupiah", _CARD)
    return Page(
        "auditor",
        (
            _checks(known, monthly),
            _suspicions(known, monthly),
            *_restated(known, monthly, policy.zone),
            _stock(rupiah, "stock_by_source", ("source",), lambda key: (Word(key[3]),)),
            _stock(rupiah, "stock_by_depot", ("depot",), lambda key: (key[1],)),
            _stock(units, "stock_by_lot", ("source", "item", "lot"), _lot),
            _stock_card(units, rupiah),
            _recalled(known),
        ),
    )


def _checks(known: Known, monthly: str) -> Table:
    rows = [(Word(name), share(known, f"{monthly}_{name}")) for name in _OF_PACKAGES]
    rows += [(Word(name), share(known, name)) for name in _CHECKS]
    return Table("checks", ("what", "count"), tuple(rows))


def _suspicions(known: Known, monthly: str) -> Table:
    """For a second look, never a verdict; one delivery can raise several."""
    cells = shares(known, "suspicions", "programme,suspicion")
    rows = [(Word(code), cell) for (programme, code), cell in (cells or {}).items() if programme == monthly]
    return Table("suspicions", ("suspicion", "count"), None if cells is None else tuple(rows))


def _restated(known: Known, monthly: str, zone: ZoneInfo) -> tuple[Table, Table]:
    """The month as known at its end and five days later, and the days on which the difference became known."""
    at_end, later = share(known, "delivered_at_month_end"), share(known, "delivered_five_days_later")
    if at_end is None or later is None:
        return Table("restated", (), None), Table("restated_by", (), None)
    rows: list[tuple[Cell, ...]] = [
        (Word("delivered_at_month_end"), at_end, at_end.as_of),
        (Word("delivered_five_days_later"), later, later.as_of),
    ]
    if at_end.numerator is not None and later.numerator is not None:
        rows.append((Word("difference"), later.numerator - at_end.numerator, None))
    days = shares(known, "delivered_by_day", "programme,day") or {}
    late = [
        (Word("late_proof"), date.fromisoformat(day), cell)
        for (programme, day), cell in days.items()
        if programme == monthly and _is_between(date.fromisoformat(day), at_end, later, zone)
    ]
    return (
        Table("restated", ("what", "count", "as_known_at"), tuple(rows)),
        Table("restated_by", ("reason", "day", "count"), tuple(late)),
    )


def _is_between(day: date, at_end: Share, later: Share, zone: ZoneInfo) -> bool:
    """Whether what became known on a local day was not known at the end yet."""
    return at_end.as_of <= datetime.combine(day, time(), zone) < later.as_of


def _stock_card(units: Cells, rupiah: Cells) -> Table:
    """Every lot at every depot."""
    rows = [(*key, cell, (rupiah or {}).get(key)) for key, cell in (units or {}).items()]
    columns = (*_CARD.split(","), "units", "rupiah")
    return Table("stock_card", columns, None if units is None else tuple(rows), for_programs=True)


def _stock(cells: Cells, code: str, columns: tuple[str, ...], group: Callable[[Key], tuple[Cell, ...]]) -> Table:
    """What came in and where it is now: a row for each group, an account a column, all together below."""
    if cells is None:
        return Table(code, (*columns, "came_in"), None)
    sums: defaultdict[tuple[Cell, ...], defaultdict[str, list[Share]]] = defaultdict(lambda: defaultdict(list))
    total = (Word("total"), *(None for _ in columns[1:]))
    for key, cell in cells.items():
        account = "came_in" if key[-1] in _CAME_IN else key[-1]
        sums[group(key)][account].append(cell)
        sums[total][account].append(cell)
    accounts = [account for account in ("came_in", *_IS_NOW) if account in sums[total]]
    order = sorted(sums, key=lambda row: (row == total, [str(part) for part in row]))
    rows = tuple((*row, *(_sum(sums[row][account]) for account in accounts)) for row in order if row in sums)
    return Table(code, (*columns, *accounts), rows, ("stock_sum",), in_thousands=code != "stock_by_lot")


def _sum(cells: Sequence[Share]) -> Share | int:
    """A hidden part hides the sum."""
    if not cells:
        return 0
    parts = [cell.numerator for cell in cells]
    whole = None if None in parts else sum(part or 0 for part in parts)
    return Share(whole, None, cells[0].unit, max(cell.as_of for cell in cells))


def _lot(key: Key) -> tuple[Cell, ...]:
    return Word(key[3]), Word(key[2]), key[0][:_SHORT]


def _recalled(known: Known) -> Table:
    """Who received them is one query: `GET /lots/{lot_id}/recipients` of distribution."""
    cells = shares(known, "recalled", "lot,item")
    rows = [(lot, Word(item), cell) for (lot, item), cell in (cells or {}).items()]
    return Table(
        "recalled", ("lot", "item", "households_reached"), None if cells is None else tuple(rows), ("recall_query",)
    )
