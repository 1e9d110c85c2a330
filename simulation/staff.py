"""Those who look after households: civil servants as the staff file has them, and members of partner organisations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from contracts.vocabulary import Competence, DutyStatus, Employment, Sex
from simulation import identities, places
from simulation.draws import Draws, Numbers
from simulation.households import Household
from simulation.places import Point, Village

# month.md; PNS, full-time and part-time PPPK as published.
PNS: Final = 6_218
PPPK_FULL_TIME: Final = 4_305
PPPK_PART_TIME: Final = 4_888
LONG_LEAVE: Final = 60
PARTNERS: Final = 500
ELIGIBLE_THEMSELVES: Final = 40
WITH_A_RELATIVE: Final = 80

PARTNER_ORGANISATIONS: Final = ("partner-idi", "partner-ibi", "partner-hipmi", "partner-kadin", "partner-bumd")

_COMPETENCES: Final = (
    (Competence.TEACHING, 0.40),
    (Competence.HEALTH, 0.20),
    (Competence.ADMINISTRATION, 0.22),
    (Competence.SOCIAL_WORK, 0.06),
    (Competence.ENGINEERING, 0.06),
    (Competence.FARMING, 0.06),
)
_WORKS_NEAR_HOME: Final = 0.8
_PERSON_FROM: Final = 500_000  # people of the staff file have other numbers than members of households
_CARD_FROM: Final = 100_000
_TODAY: Final = date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Carer:
    """A row of the staff file or of a partner's list; `family_card` may be that of a household of the programme."""

    number: int
    employment: Employment
    duty_status: DutyStatus
    name: str
    nip: str | None
    nik: str
    family_card: str
    relatives_cards: tuple[str, ...]
    born: date
    sex: Sex
    phone: str
    office_id: str
    competence: Competence
    home: Point
    workplace: Point | None

    @property
    def accepted(self) -> bool:
        """Whether the registry will take this row as a carer."""
        return self.duty_status is DutyStatus.ACTIVE and self.employment is not Employment.PPPK_PART_TIME


def make_carers(
    districts: Sequence[str],
    all_villages: Sequence[Village],
    offices: Mapping[str, Point],
    households: Sequence[Household],
    draws: Draws,
) -> list[Carer]:
    """Everybody of the lists who lives in these districts."""
    numbers = np.arange(PNS + PPPK_FULL_TIME + PPPK_PART_TIME + LONG_LEAVE + PARTNERS)
    weights = places.village_weights(all_villages, places.SHARE_OF_CARERS, draws)
    homes = [all_villages[index] for index in draws.picks("carer's village", numbers, weights)]
    doors = places.doors(homes, "carer's door", draws)
    competences = draws.picks("competence", numbers, np.array([share for _, share in _COMPETENCES]))
    works_near, office_share = draws.shares("works near home", numbers), draws.shares("office", numbers)
    civil_registry = identities.CivilRegistry()
    carers = []
    for number in numbers.tolist():
        district = homes[number].district
        if district not in districts:
            continue
        competence = _COMPETENCES[competences[number]][0]
        near = works_near[number] < _WORKS_NEAR_HOME or len(districts) == 1
        where = district if near else districts[int(office_share[number] * 997) % len(districts)]
        carer = _carer(number, district, competence, doors[number], civil_registry)
        office = _office(carer, where, office_share[number])
        carers.append(replace(carer, office_id=office, workplace=offices.get(office)))
    return _with_own_on_the_list(carers, households, draws)


def _carer(
    number: int, district: str, competence: Competence, home: Point, civil_registry: identities.CivilRegistry
) -> Carer:
    employment, duty_status = _contract(number)
    sex = Sex.FEMALE if number % 2 else Sex.MALE
    born = _TODAY - timedelta(days=365 * 25 + number * 104_729 % (365 * 33))
    return Carer(
        number=number,
        employment=employment,
        duty_status=duty_status,
        name=identities.name(number * 3, sex),
        nip=None if employment is Employment.PARTNER else identities.nip(born, sex, number),
        nik=civil_registry.nik(identities.BORN_ELSEWHERE, born, sex),
        family_card=identities.family_card(_CARD_FROM + number, district),
        relatives_cards=(),
        born=born,
        sex=sex,
        phone=identities.phone(_PERSON_FROM + number),
        office_id="",
        competence=competence,
        home=home,
        workplace=None,
    )


def _contract(number: int) -> tuple[Employment, DutyStatus]:
    """By position in the list: PNS, full-time, part-time, on long leave, partners."""
    edges = np.cumsum([PNS, PPPK_FULL_TIME, PPPK_PART_TIME, LONG_LEAVE])
    contracts = (
        (Employment.PNS, DutyStatus.ACTIVE),
        (Employment.PPPK_FULL_TIME, DutyStatus.ACTIVE),
        (Employment.PPPK_PART_TIME, DutyStatus.ACTIVE),
        (Employment.PNS, DutyStatus.LONG_LEAVE),
        (Employment.PARTNER, DutyStatus.ACTIVE),
    )
    return contracts[int(np.searchsorted(edges, number, side="right"))]


def _office(carer: Carer, district: str, share: float) -> str:
    if carer.employment is Employment.PARTNER:
        return PARTNER_ORGANISATIONS[carer.number % len(PARTNER_ORGANISATIONS)]
    if carer.competence is Competence.TEACHING:
        return f"school-{district}-{1 + int(share * places.SCHOOLS_A_DISTRICT)}"
    return f"puskesmas-{district}" if carer.competence is Competence.HEALTH else f"kecamatan-{district}"


def _with_own_on_the_list(carers: list[Carer], households: Sequence[Household], draws: Draws) -> list[Carer]:
    """Some accepted carers are poor themselves, some have a poor relative (rules 7 and 8)."""
    accepted = np.array([at for at, carer in enumerate(carers) if carer.accepted])
    share = len(accepted) / (PNS + PPPK_FULL_TIME + PARTNERS)
    own, related = (max(1, round(count * share)) for count in (ELIGIBLE_THEMSELVES, WITH_A_RELATIVE))
    chosen = draws.some("on the list", accepted, own + related).tolist()
    cards = draws.some("whose card", _positions(households), own + related).tolist()
    for place, (at, household) in enumerate(zip(chosen, cards, strict=True)):
        card = households[household].family_card
        carers[at] = replace(
            carers[at],
            family_card=card if place < own else carers[at].family_card,
            relatives_cards=() if place < own else (card,),
        )
    return carers


def _positions(households: Sequence[Household]) -> Numbers:
    return np.arange(len(households))
