"""The registry's feeds: the DTSEN file, the staff file, enrolments, and what villages report of changes in life."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from contracts import submissions as s
from contracts.vocabulary import DutyStatus, Need
from simulation.claims import UNCHANGED, Claim, claim
from simulation.fate import Fate
from simulation.households import NEIGHBOURS_FROM, SPLITS_FROM, Household, Kind
from simulation.staff import Carer
from simulation.world import World

DTSEN: Final = "dtsen-feed"
STAFF: Final = "staff-feed"
VILLAGES: Final = "smart-kampung"
DECILE_PERIOD: Final = "2026-q3"
SENT_AGAIN: Final = 250  # rows of the file, or a few more, that an integrator sends again

_UNKNOWN_VILLAGE: Final = frozenset({"unknown_village"})
_NOT_A_CARER: Final = frozenset({"not_a_carer"})
_ENROLLED_SINCE: Final = date(2025, 1, 1)


def household_number(claim_id: str) -> int | None:
    """The number of the household that a claim of this feed registers; None for claims that register nobody."""
    kind, number, *_ = claim_id.split("-")
    return int(number) if kind in {"household", "neighbour", "split"} else None


def carer_number(claim_id: str) -> int:
    """The number of the carer whose row a claim is."""
    return int(claim_id.split("-")[1])


def household_rows(world: World, happened_at: datetime) -> Iterator[Claim]:
    """The DTSEN file."""
    for row in world.rows:
        yield _household(row, happened_at)


def rows_again(world: World, fate: Fate, happened_at: datetime, *, exported: bool) -> Iterator[Claim]:
    """Some small villages' part of the DTSEN file once more: the same upload, or a new export of what is in it."""
    by_village = Counter(row.village for row in world.rows)
    chosen: set[str] = set()
    for village in sorted(world.villages, key=lambda one: (by_village[one], one)):
        if sum(by_village[one] for one in chosen) < world.some(SENT_AGAIN):
            chosen.add(village)
    for row in world.rows:
        if row.village in chosen:
            again = _household(row, happened_at)
            yield replace(again, id=f"{again.id}-exported", right=_right_again(row, fate)) if exported else again


def staff_rows(world: World, happened_at: datetime) -> Iterator[Claim]:
    """The staff file, and the partners' lists of members."""
    for carer in world.carers:
        yield _carer(carer, f"carer-{carer.number}", carer.duty_status, happened_at)


def enrolments(world: World, fate: Fate, happened_at: datetime) -> Iterator[Claim]:
    """Aid that households receive already."""
    for programme, numbers in fate.enrolments.items():
        for number in sorted(numbers):
            yield claim(
                s.EnrolmentSubmitted,
                DTSEN,
                f"enrolment-{programme}-{number}",
                happened_at=happened_at,
                row_id=f"{programme.replace('_', '-')}-{number}",
                family_card=world.households[number].family_card,
                programme=programme,
                since=_ENROLLED_SINCE,
                until=None,
            )


def carer_leaves(carer: Carer, fate: Fate, happened_at: datetime) -> Claim:
    """A newer row of the staff file: retired, or transferred out of the regency."""
    status = DutyStatus.TRANSFERRED_OUT if carer.number in fate.transferred else DutyStatus.RETIRED
    return _carer(carer, f"carer-{carer.number}-left", status, happened_at)


def neighbour_check(world: World, at: int, happened_at: datetime) -> Claim:
    """A house that is on no list, next to one that is."""
    number, near = NEIGHBOURS_FROM + at, next_to(world, at)
    return claim(
        s.NeighbourCheckSubmitted,
        VILLAGES,
        f"neighbour-{number}",
        happened_at=happened_at,
        row_id=f"check-{number}",
        nik=None,
        name=near.members[0].name,
        village=near.village,
        address=near.address,
        place=_exact(near),
        residents=1 + at % 5,
        needs=[Need.NOT_ON_LIST],
    )


def next_to(world: World, at: int) -> Household:
    """The household on the list next to which a neighbour check is made."""
    return world.households[int(world.numbers[at * 7919 % len(world.numbers)])]


def split_number(number: int) -> int:
    """The number of the new card of a household that was split."""
    return SPLITS_FROM + number


def _household(row: Household, happened_at: datetime) -> Claim:
    return claim(
        s.HouseholdSubmitted,
        DTSEN,
        f"household-{row.number}" if row.repeats is None else f"household-{row.repeats}-again",
        right=_UNKNOWN_VILLAGE if row.kind is Kind.UNKNOWN_VILLAGE else _right_for(row),
        happened_at=happened_at,
        row_id=f"row-{row.number}",
        family_card=row.family_card,
        members=[
            {"nik": person.nik, "name": person.name, "birth_date": person.born, "sex": person.sex, "role": person.role}
            for person in row.members
        ],
        village=row.village,
        address=row.address,
        phone=row.phone,
        place=_exact(row),
        decile=row.decile,
        decile_period=DECILE_PERIOD,
    )


def _right_for(row: Household) -> frozenset[str]:
    """Of a card that comes twice one row is new and the other the same household, whichever comes first."""
    return frozenset({"accepted", "unchanged"}) if row.kind in {Kind.REPEATED, Kind.CLEAN} else frozenset({"accepted"})


def _right_again(row: Household, fate: Fate) -> frozenset[str]:
    """Nothing new is in it; of those who have left meanwhile it is not believed."""
    return UNCHANGED | {"household_gone"} if (row.repeats or row.number) in fate.life else UNCHANGED


def _carer(carer: Carer, claim_id: str, status: DutyStatus, happened_at: datetime) -> Claim:
    return claim(
        s.CarerSubmitted,
        STAFF,
        claim_id,
        right=frozenset({"accepted"}) if carer.accepted else _NOT_A_CARER,
        happened_at=happened_at,
        row_id=f"staff-{carer.number}",
        nip=carer.nip,
        nik=carer.nik,
        family_card=carer.family_card,
        relatives_family_cards=carer.relatives_cards,
        name=carer.name,
        birth_date=carer.born,
        sex=carer.sex,
        phone=carer.phone,
        employment=carer.employment,
        duty_status=status,
        office_id=carer.office_id,
        competences=[carer.competence],
        home={"latitude": carer.home.latitude, "longitude": carer.home.longitude},
        workplace=None if carer.workplace is None else rounded(carer.workplace.latitude, carer.workplace.longitude),
    )


def rounded(latitude: float, longitude: float) -> dict[str, float]:
    """A `Place` as it travels: about 110 m."""
    return {"latitude": round(latitude, 3), "longitude": round(longitude, 3)}


def _exact(row: Household) -> dict[str, float]:
    return {"latitude": row.door.latitude, "longitude": row.door.longitude}
