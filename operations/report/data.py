"""The report for programs: the same content as JSON, codes instead of words, every share with its as-of time."""

from datetime import date
from typing import Final

from operations.report.content import Cell, Head, Page, Report, Share, Table, Word

_PERCENT_DECIMALS: Final = 1

Json = dict[str, "Json"] | list["Json"] | str | int | float | None


def report_json(report: Report) -> Json:
    """All pages under their head."""
    return {"head": _head(report.head), "pages": [page_json(page) for page in report.pages]}


def page_json(page: Page) -> Json:
    """One page; `subject` is the district it is about."""
    return {"page": page.code, "subject": page.subject, "tables": [_table(table) for table in page.tables]}


def _head(head: Head) -> Json:
    return {
        "regency": head.regency,
        "month": head.month,
        "known_at": head.known_at.isoformat(),
        "zone": head.zone,
        "round_id": head.round_id,
        "decree": head.decree,
        "opens_on": _cell(head.opens_on),
        "closes_on": _cell(head.closes_on),
        "recipients_frozen": _cell(head.recipients),
        "notes": list(head.notes),
    }


def _table(table: Table) -> Json:
    rows: Json = None
    if table.rows is not None:
        rows = [{column: _cell(cell) for column, cell in zip(table.columns, row, strict=True)} for row in table.rows]
    return {"table": table.code, "rows": rows, "notes": list(table.notes)}


def _cell(cell: Cell) -> Json:
    match cell:
        case Share():
            return {
                "numerator": cell.numerator,
                "denominator": cell.denominator,
                "percent": None if cell.percent is None else round(cell.percent, _PERCENT_DECIMALS),
                "unit": cell.unit,
                "as_of": cell.as_of.isoformat(),
            }
        case Word():
            return cell.code
        case date():  # a datetime is one too
            return cell.isoformat()
        case _:
            return cell
