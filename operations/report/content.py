"""What a report says, as data: codes for whatever a language has words for, numbers as they were published.

`text.py` shows it to people, `data.py` to programs: the same content twice.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Share:
    """A published cell (rule 30); a numerator of None is hidden, a denominator of None a plain count."""

    numerator: int | None
    denominator: int | None
    unit: str
    as_of: datetime

    @property
    def percent(self) -> float | None:
        """None where it has no meaning or would tell a hidden number."""
        if self.numerator is None or not self.denominator:
            return None
        return 100 * self.numerator / self.denominator


@dataclass(frozen=True, slots=True)
class Word:
    """A code that is said in the reader's language."""

    code: str


Cell = Share | Word | str | int | float | date | datetime | None
"""None: not known."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, both named by codes; `rows` is None when a figure it is made of was not published."""

    code: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] | None
    notes: tuple[str, ...] = ()
    """Codes of sentences below it."""
    in_thousands: bool = False
    """People read its rupiah in thousands."""
    for_programs: bool = False
    """Too long for people: they are shown its sums elsewhere."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one reader needs; `subject` is the district it is about, if it is about one."""

    code: str
    tables: tuple[Table, ...]
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What every page is about; the round is the monthly one, absent when none was opened in the month."""

    regency: str
    month: str
    known_at: datetime
    zone: str
    round_id: str | None
    decree: str | None
    opens_on: date | None
    closes_on: date | None
    recipients: Share | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Some pages under one head."""

    head: Head
    pages: tuple[Page, ...]
