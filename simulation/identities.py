"""Made-up identities of the right form. None belongs to anybody; all of them must stay in the registry's vault.

Every name holds `dh`, a digraph of Javanese that no word of the contracts has and no hexadecimal number can have: one
quick search finds any of them wherever it leaked.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from contracts.vocabulary import Sex

MARK: Final = "dh"
BORN_ELSEWHERE: Final = "36.71.01"  # in the NIKs of the staff, so that none is that of a member of a household

_FIRST_NAMES: Final = {
    Sex.FEMALE: ("Siti", "Sri", "Dewi", "Endang", "Sumiati", "Wahyuni", "Lestari", "Ningsih", "Rahayu", "Ayu", "Tutik"),
    Sex.MALE: ("Agus", "Bambang", "Slamet", "Suparman", "Joko", "Eko", "Hadi", "Sugeng", "Wahid", "Rahmat", "Untung"),
}
_LAST_NAMES: Final = (
    "Wardhani", "Yudhanto", "Budhiarti", "Sudharsono", "Indhira", "Ardhani", "Widhiarto", "Prasidha", "Ridhowati",
    "Adhitama", "Sandhika", "Dhamayanti", "Radhitya", "Madhusari", "Kodhirun", "Ghandhiwan", "Landhung", "Pandhita",
    "Wredhatama", "Mundhisari", "Gandhawati", "Badhowi", "Sadhewa", "Kedhaton", "Randhawa", "Ludhira", "Jodhipati",
    "Bedhaya", "Sidharta", "Dhalia", "Tedhawati",
)  # fmt: skip
_WOMAN: Final = 40  # added to the day of birth in a NIK


def name(number: int, sex: Sex) -> str:
    """A full name; numbers that are near each other have different ones."""
    first = _FIRST_NAMES[sex]
    return f"{first[number % len(first)]} {_LAST_NAMES[(number // len(first)) % len(_LAST_NAMES)]}"


def street(number: int) -> str:
    """Part of an address; marked as a name is."""
    return _LAST_NAMES[number * 7 % len(_LAST_NAMES)]


def family_card(number: int, district: str) -> str:
    """16 digits, another for each number."""
    day, month, year, serial = 1 + number % 28, 1 + number // 28 % 12, 10 + number // 336 % 10, 1 + number // 3360
    return f"{district.replace('.', '')}{day:02}{month:02}{year:02}{serial:04}"


def phone(number: int) -> str:
    """A mobile number, another for each number."""
    return f"+62812{number * 7919 % 10**8:08}"


def nip(born: date, sex: Sex, number: int) -> str:
    """18 digits: birth date, first month of service, sex, serial."""
    return f"{born:%Y%m%d}{born.year + 25}01{1 if sex is Sex.MALE else 2}{number % 1000:03}"


@dataclass(slots=True)
class CivilRegistry:
    """Hands out NIKs; `given` counts serials of one district, day and sex."""

    given: Counter[str] = field(default_factory=Counter)

    def nik(self, district: str, born: date, sex: Sex) -> str:
        """The next number of this district, day of birth and sex."""
        day = born.day + (_WOMAN if sex is Sex.FEMALE else 0)
        prefix = f"{district.replace('.', '')}{day:02}{born:%m%y}"
        self.given[prefix] += 1
        return f"{prefix}{self.given[prefix]:04}"


def odd(nik: str) -> str:
    """A NIK as clerks get it wrong: a day that does not exist."""
    return f"{nik[:6]}99{nik[8:]}"
