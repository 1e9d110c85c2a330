"""The report for people: plain tables that need no colour, read at 100 columns and more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from textwrap import wrap
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
_HEADING: Final = 9  # characters a heading has in a line at least


@dataclass(frozen=True, slots=True)
class _Language:
    words: Words
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    cells: Sequence[str]
    is_whole: bool


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
    known_at = head.known_at.astimezone(language.zone)
    lines = [
        Text(f"{say('report')}: {head.regency}, {head.month}", style="bold"),
        Text(round_),
        Text(f"{recipients}; {say('as_known_at')} {_day(known_at)} {known_at:%H:%M %Z}"),
        *(Text(language.words.sentences[note]) for note in head.notes),
    ]
    return Group(*lines, "")


def _table(table: Table, language: _Language) -> RenderableType:
    words = language.words
    title = words.say(f"table_{table.code}") + (f" ({words.say('in_thousands')})" if table.in_thousands else "")
    notes = [Padding(Text(words.sentences[note]), (0, 0, 0, 2), expand=False) for note in table.notes]
    if not table.rows:
        nothing = words.say("not_known" if table.rows is None else "none")
        return Group(Text(f"{title}: {nothing}", style="bold"), "")
    has_header = any(words.say(code) for code in table.columns)
    shown = RichTable(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True, show_header=has_header
    )
    columns = [
        _column(code, cells, table, language)
        for code, cells in zip(table.columns, zip(*table.rows, strict=True), strict=True)
    ]
    for column in columns:
        shown.add_column(column.heading, vertical="bottom", no_wrap=column.is_whole)
    for row in zip(*(column.cells for column in columns), strict=True):
        shown.add_row(*(Text(cell) for cell in row))
    return Group(Text(title, style="bold"), Padding(shown, (0, 0, 0, 2), expand=False), *notes, "")


def _column(code: str, cells: Sequence[Cell], table: Table, language: _Language) -> _Column:
    """Words are wrapped where they must; numbers and times stay whole under a heading of several lines."""
    heading = language.words.say(code)
    is_counted = any(isinstance(cell, Share | int | float) for cell in cells)
    if all(isinstance(cell, str | Word) for cell in cells):
        return _Column(heading, [_say(cell, language) for cell in cells], is_whole=False)
    said = _aligned([_parts(cell, table, language) for cell in cells], [_is_counted(cell) for cell in cells])
    lines = wrap(heading, max(_HEADING, *map(len, said)), break_long_words=False)
    if not is_counted:
        return _Column("\n".join(lines), said, is_whole=True)
    # Padded here: a justified column would lose the space behind a number that is out of nothing.
    width = max(map(len, (*lines, *said)))
    return _Column("\n".join(line.rjust(width) for line in lines), [text.rjust(width) for text in said], is_whole=True)


def _aligned(parts: Sequence[tuple[str, str, str]], counted: Sequence[bool]) -> list[str]:
    """Numbers, what they are out of and percentages stand each below the other."""
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
    """Without the year, which the head tells."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %H:%M}"
