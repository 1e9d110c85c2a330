"""Submissions about made-up people, with what a test wants to be different. No number here is anybody's."""

from datetime import UTC, date, datetime
from typing import Any

from contracts.submissions import (
    CarerSubmitted,
    EnrolmentSubmitted,
    ExactPlace,
    HouseholdSubmitted,
    MemberRow,
    NeighbourCheckSubmitted,
)
from contracts.vocabulary import DutyStatus, Employment, MemberRole, Need, Sex

VILLAGE = "35.10.16.1002"
OTHER_VILLAGE = "35.10.05.2003"
SEEN_AT = datetime(2025, 10, 1, 4, tzinfo=UTC)


def nik(number: int, born: date = date(1980, 5, 15), sex: Sex = Sex.FEMALE) -> str:
    """A NIK that fits birth date and sex; `number` makes it another person's."""
    day = born.day + (40 if sex is Sex.FEMALE else 0)
    return f"351016{day:02}{born.month:02}{born.year % 100:02}{number:04}"


def nip(number: int = 1, born: date = date(1985, 8, 17), sex: Sex = Sex.MALE) -> str:
    """A NIP that fits birth date and sex."""
    return f"{born:%Y%m%d}201001{'1' if sex is Sex.MALE else '2'}{number:03}"


def card_number(number: int) -> str:
    """A family card's number."""
    return f"351016100512{number:04}"


def member(number: int, role: MemberRole = MemberRole.HEAD, **changes: Any) -> MemberRow:
    """Somebody on a card; the same number is the same person."""
    given: dict[str, Any] = {
        "nik": nik(number),
        "name": f"Contoh {number}",
        "birth_date": date(1980, 5, 15),
        "sex": Sex.FEMALE,
        "role": role,
    }
    return MemberRow(**given | changes)


def household(number: int, *members: MemberRow, **changes: Any) -> HouseholdSubmitted:
    """The row of a family card in decile 1; the same number is the same row, card and head."""
    given: dict[str, Any] = {
        "happened_at": SEEN_AT,
        "row_id": f"row-{number}",
        "family_card": card_number(number),
        "members": members or (member(number),),
        "village": VILLAGE,
        "address": f"Jalan Contoh {number}",
        "phone": "+6281200000001",
        "place": ExactPlace(latitude=-8.22731, longitude=114.36242),
        "decile": 1,
        "decile_period": "2026-q3",
    }
    return HouseholdSubmitted(**given | changes)


def carer(number: int, **changes: Any) -> CarerSubmitted:
    """The row of a civil servant on duty."""
    given: dict[str, Any] = {
        "happened_at": SEEN_AT,
        "row_id": f"staff-{number}",
        "nip": nip(number),
        "nik": nik(5000 + number, date(1985, 8, 17), Sex.MALE),
        "family_card": card_number(5000 + number),
        "relatives_family_cards": (),
        "name": f"Pegawai {number}",
        "birth_date": date(1985, 8, 17),
        "sex": Sex.MALE,
        "phone": "+6281300000001",
        "employment": Employment.PNS,
        "duty_status": DutyStatus.ACTIVE,
        "office_id": "sdn-1-kebalenan",
        "competences": (),
        "home": ExactPlace(latitude=-8.21111, longitude=114.37777),
        "workplace": None,
    }
    return CarerSubmitted(**given | changes)


def neighbour_check(number: int, **changes: Any) -> NeighbourCheckSubmitted:
    """A house that needs help, with its head's NIK."""
    given: dict[str, Any] = {
        "happened_at": SEEN_AT,
        "row_id": f"house-{number}",
        "nik": nik(number),
        "name": f"Contoh {number}",
        "village": VILLAGE,
        "address": None,
        "place": ExactPlace(latitude=-8.22731, longitude=114.36242),
        "residents": 3,
        "needs": (Need.NOT_ON_LIST,),
    }
    return NeighbourCheckSubmitted(**given | changes)


def enrolment(number: int, card: int, programme: str = "pkh", **changes: Any) -> EnrolmentSubmitted:
    """Aid that the household with this card receives."""
    given: dict[str, Any] = {
        "happened_at": SEEN_AT,
        "row_id": f"aid-{number}",
        "family_card": card_number(card),
        "programme": programme,
        "since": date(2024, 1, 1),
        "until": None,
    }
    return EnrolmentSubmitted(**given | changes)
