"""What identity numbers say (rules 1 and 2). Pure; numbers come in, codes go out, nothing is kept."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import lokal

from contracts.vocabulary import Sex

NikStatus = Literal["valid", "missing", "unverified"]


@dataclass(frozen=True, slots=True)
class Nik:
    """A NIK as far as it can be trusted. `unverified` ones never block aid, they open a civil-registry case."""

    number: str | None
    status: NikStatus


def read_nik(digits: str | None) -> Nik:
    """Check form, date and sequence; a region code that no longer exists is no error, a NIK is for life."""
    if not digits:
        return Nik(None, "missing")
    if lokal.is_valid_nik(digits):
        return Nik(digits, "valid")
    return Nik(digits, "unverified")


def nip_fits(nip: str, birth_date: date, sex: Sex) -> bool:
    """True when a NIP's 18 digits agree with birth date and sex; it says nothing about part-time or full-time."""
    return (
        len(nip) == 18
        and nip.isdigit()
        and nip[:8] == birth_date.strftime("%Y%m%d")
        and nip[14] == ("1" if sex is Sex.MALE else "2")
    )
