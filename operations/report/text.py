"""The report for people: plain tables that need no colour, read at 100 columns and more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from operations.report.content import Cell, Head, Page, Report, Share, Table, Word
from operations.report.words import Words

NARROWEST: Final = 100  # columns; narrower terminals wrap
_RUPIAH: Final = "rupiah"
_THOUSAND: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Language:
    words: Words
    zone: ZoneInfo


def wide_console() -> Console:
    """As wide as the terminal; a file or a pipe gets the narrowest that shows it well."""
    console = Console()
    return console if console.is_terminal else Console(width=NARROWEST)


def show(report: Report, words: Words, console: Console) -> None:
    """Print it all."""
    language = _Language(words, ZoneInfo(report.head.zone))
    console.print(_head(report.head, language))
    show_pages(report.pages, words, console, language.zone)


def show_pages(pages: Sequence[Page], words: Words, console: Console, zone: ZoneInfo) -> None:
    """Print pages without a head."""
    language = _Language(words, zone)
    for page in pages:
        console.rule(Text(_title(page, words), style="bold"), characters="=", align="left", style="none")
        for table in page.tables:
            if not table.for_programs:
                console.print(_table(table, language))


def _title(page: Page, words: Words) -> str:
    title = words.say(f"page_{page.code}")
    return title if page.subject is None else f"{title}: {page.subject}"


def _head(head: Head, language: _Language) -> RenderableType:
    say = language.words.say
    round_ = say("no_round")
    if head.round_id and head.opens_on and head.closes_on:
        window = f"{_day(head.opens_on)} {say('to')} {_day(head.closes_on)}"
        round_ = f"{say('round')} {head.round_id[:8]} ({head.decree}), {say('window')} {window}"
    recipients = f"{say('recipients_frozen')}: {_plain(head.recipients, language)}"
    lines = [
        Text(f"{say('report')}: {head.regency}, {head.month}", style="bold"),
        Text(f"{round_}; {recipients}; {say('as_known_at')} {_moment(head.known_at, language.zone)}"),
        *(Text(language.words.sentences[note]) for note in head.notes),
    ]
    return Group(*lines, "")


def _table(table: Table, language: _Language) -> RenderableType:
    words = language.words
    title = words.say(f"table_{table.code}") + (f" ({words.say('in_thousands')})" if table.in_thousands else "")
    notes = [Padding(Text(words.sentences[note]), (0, 0, 0, 2)) for note in table.notes]
    if not table.rows:
        nothing = words.say("not_known" if table.rows is None else "none")
        return Group(Text(f"{title}: {nothing}", style="bold"), "")
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    columns = list(zip(*table.rows, strict=True))
    for code, cells in zip(table.columns, columns, strict=True):
        is_counted = any(isinstance(cell, Share | int | float) for cell in cells)
        shown.add_column(
            words.say(code), justify="right" if is_counted else "left", no_wrap=is_counted, vertical="bottom"
        )
    for row in zip(*(_column(cells, table, language) for cells in columns), strict=True):
        shown.add_row(*(Text(cell) for cell in row))
    return Group(Text(title, style="bold"), Padding(shown, (0, 0, 0, 2)), *notes, "")


def _column(cells: Sequence[Cell], table: Table, language: _Language) -> list[str]:
    """Cells in words; numbers, what they are out of and percentages stand each below the other."""
    parts = [_parts(cell, table, language) for cell in cells]
    counted = [_is_counted(cell) for cell in cells]
    numbers = [part for part, is_one in zip(parts, counted, strict=True) if is_one]
    widths = [max((len(number[at]) for number in numbers), default=0) for at in range(3)]
    return [
        "".join(text.rjust(width) for text, width in zip(part, widths, strict=True)) if is_one else part[0]
        for part, is_one in zip(parts, counted, strict=True)
    ]


def _is_counted(cell: Cell) -> bool:
    return isinstance(cell, int) or (isinstance(cell, Share) and cell.numerator is not None)


def _parts(cell: Cell, table: Table, language: _Language) -> tuple[str, str, str]:
    """The number, what it is out of, its percentage; what is no number is the first of them."""
    match cell:
        case Share(numerator=None):
            return language.words.say("hidden"), "", ""
        case Share():
            number = cell.numerator or 0
            if table.in_thousands and cell.unit == _RUPIAH:
                number = round(number / _THOUSAND)
            whole = "" if cell.denominator is None else f" {language.words.say('of')} {cell.denominator:,}"
            return f"{number:,}", whole, "" if cell.percent is None else f"  {cell.percent:.1f} %"
        case int():
            return f"{cell:,}", "", ""
        case _:
            return _say(cell, language), "", ""


def _say(cell: Cell, language: _Language) -> str:
    match cell:
        case None:
            return language.words.say("not_known")
        case Word():
            return language.words.say(cell.code)
        case float():
            return f"{cell:g}"
        case datetime():
            return _moment(cell, language.zone)
        case date():
            return _day(cell)
        case _:
            return str(cell)


def _plain(share: Share | None, language: _Language) -> str:
    """A share in a sentence."""
    return "".join(_parts(share, Table("", (), ()), language))


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{_day(local.date())} {local:%H:%M %Z}"
