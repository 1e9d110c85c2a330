"""The page for the auditor: where every unit and rupiah is, and what must be looked at twice."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final

from operations.report.content import Cell, Page, Share, Table, Word
from operations.report.known import Key, Known, share, shares
from operations.report.names import monthly_programme
from policies import Policy

Cells = Mapping[Key, Share] | None

_CHECKS: Final = (
    "ledger_breaks",
    "hand_overs_after_more_than_a_day",
    "identity_conflicts_open",
    "vault_reads",
)
_OF_PACKAGES: Final = ("without_lot", "without_proof", "late", "flagged")
_CARD: Final = "lot,depot,item,source,account"
_ACCOUNTS: Final = (  # what came in, then where it is now
    "received",
    "found",
    "available",
    "reserved",
    "in_transit",
    "with_holders",
    "delivered",
    "blocked",
    "written_off",
    "returned_to_giver",
)
_RUPIAH: Final = "rupiah"
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
            *_restated(known, policy),
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


def _restated(known: Known, policy: Policy) -> tuple[Table, Table]:
    """The month as known at its end and five days later, and the days on which the difference became known."""
    columns, why = ("what", "at_month_end", "five_days_later", "difference"), ("what", "reason", "day", "count")
    at_end, later = share(known, "delivered_at_month_end"), share(known, "delivered_five_days_later")
    days = shares(known, "delivered_by_day", "programme,day")
    if at_end is None or later is None or days is None:
        return Table("restated", columns, None), Table("restated_by", why, None)
    rows: list[tuple[Cell, ...]] = [(Word("as_known_at"), at_end.as_of, later.as_of, "")]
    late: list[tuple[Cell, ...]] = []
    for programme in policy.programmes:
        whole = share(known, f"{programme.code}_delivered")
        came = [(_midnight(day, policy), cell) for (code, day), cell in days.items() if code == programme.code]
        first = _known_at([cell for midnight, cell in came if midnight < at_end.as_of], whole, at_end)
        second = _known_at([cell for midnight, cell in came if midnight < later.as_of], whole, later)
        rows.append((Word(f"delivered_{programme.code}"), first, second, _difference(first, second)))
        late += [
            (Word(f"delivered_{programme.code}"), Word("late_proof"), midnight.date(), cell)
            for midnight, cell in came
            if at_end.as_of <= midnight < later.as_of
        ]
    return Table("restated", columns, tuple(rows)), Table("restated_by", why, tuple(late))


def _midnight(day: str, policy: Policy) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), policy.zone)


def _known_at(days: Sequence[Share], whole: Share | None, then: Share) -> Share | None:
    """What had become known by then, out of all recipients."""
    if whole is None:
        return None
    return Share(_added(days), whole.denominator, whole.unit, then.as_of)


def _difference(first: Share | None, second: Share | None) -> int | None:
    if first is None or second is None or first.numerator is None or second.numerator is None:
        return None
    return second.numerator - first.numerator


def _stock_card(units: Cells, rupiah: Cells) -> Table:
    """Every lot at every depot."""
    rows = [(*key, cell, (rupiah or {}).get(key)) for key, cell in (units or {}).items()]
    columns = (*_CARD.split(","), "units", "rupiah")
    return Table("stock_card", columns, None if units is None else tuple(rows), for_programs=True)


def _stock(cells: Cells, code: str, columns: tuple[str, ...], group: Callable[[Key], tuple[Cell, ...]]) -> Table:
    """What came in and where it is now: a row for each group, an account a column; rupiah also all together."""
    if cells is None:
        return Table(code, columns, None)
    sums: defaultdict[tuple[Cell, ...], defaultdict[str, list[Share]]] = defaultdict(lambda: defaultdict(list))
    for key, cell in cells.items():
        sums[group(key)][key[-1]].append(cell)
    accounts = [account for account in _ACCOUNTS if any(account in row for row in sums.values())]
    rows = [(*row, *(_sum(parts[account]) for account in accounts)) for row, parts in sorted(sums.items(), key=str)]
    is_money = any(cell.unit == _RUPIAH for cell in cells.values())
    if is_money:
        every = [[part for row in sums.values() for part in row[account]] for account in accounts]
        rows.append((Word("total"), *("" for _ in columns[1:]), *map(_sum, every)))
    return Table(code, (*columns, *accounts), tuple(rows), ("stock_sum",), in_thousands=is_money)


def _sum(cells: Sequence[Share]) -> Share | int:
    return Share(_added(cells), None, cells[0].unit, max(cell.as_of for cell in cells)) if cells else 0


def _added(cells: Sequence[Share]) -> int | None:
    """A hidden part hides the sum."""
    counts = [cell.numerator for cell in cells if cell.numerator is not None]
    return sum(counts) if len(counts) == len(cells) else None


def _lot(key: Key) -> tuple[Cell, ...]:
    return Word(key[3]), Word(key[2]), key[0][:_SHORT]


def _recalled(known: Known) -> Table:
    """Who received them is one query: `GET /lots/{lot_id}/recipients` of distribution."""
    cells = shares(known, "recalled", "lot,item")
    rows = [(lot, Word(item), cell) for (lot, item), cell in (cells or {}).items()]
    return Table(
        "recalled", ("lot", "item", "households_reached"), None if cells is None else tuple(rows), ("recall_query",)
    )
