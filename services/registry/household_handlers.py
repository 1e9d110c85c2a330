"""Family cards and neighbour checks: a new household, a newer picture of a known one, or the same again."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from contracts.refusals import RefusalCode
from contracts.submissions import ExactPlace, HouseholdSubmitted, MemberRow, NeighbourCheckSubmitted
from contracts.vocabulary import MemberRole, Place
from messaging import Accepted, Connection, Outcome, Received, Refused, Unchanged, new_ids
from policies import Policies
from services.registry import domain, register_store, store
from services.registry.domain import LEFT, Picture
from services.registry.identity import is_village, read_nik
from services.registry.people import Contact, Identity, Person
from services.registry.register import Register, admit, find
from services.registry.rows import DatedDecile, Wanted
from services.registry.vault import Vault


async def on_household_submitted(
    messages: Sequence[Received[HouseholdSubmitted]], db: Connection, *, policies: Policies, vault: Vault
) -> list[Outcome]:
    """Take family cards in (rules 1 to 4)."""
    rows = [_card(message, policies, vault) for message in messages]
    outcomes, register = await _take_in(messages, rows, db, policies=policies, vault=vault)
    deciles = [
        dated
        for message, row, outcome in zip(messages, rows, outcomes, strict=True)
        if isinstance(row, Picture) and not isinstance(outcome, Refused)
        for dated in _decile(message, register.known[row.source_key])
    ]
    if deciles:
        await store.save_deciles(db, deciles, messages[0].decided_at)
    return outcomes


async def on_neighbour_check_submitted(
    messages: Sequence[Received[NeighbourCheckSubmitted]], db: Connection, *, policies: Policies, vault: Vault
) -> list[Outcome]:
    """A house that needs help: a provisional household and its needs at once, whoever lives there (rule 6)."""
    rows = [_house(message, policies, vault) for message in messages]
    outcomes, _ = await _take_in(messages, rows, db, policies=policies, vault=vault)
    return outcomes


async def _take_in(
    messages: Sequence[Received[HouseholdSubmitted] | Received[NeighbourCheckSubmitted]],
    rows: Sequence[Picture | Refused],
    db: Connection,
    *,
    policies: Policies,
    vault: Vault,
) -> tuple[list[Outcome], Register]:
    pictures = [row for row in rows if isinstance(row, Picture)]
    register = await register_store.open_register(
        db, vault, {message.regency for message in messages}, _wanted(pictures)
    )
    outcomes: list[Outcome] = []
    for message, row in zip(messages, rows, strict=True):
        if isinstance(row, Refused):
            outcomes.append(row)
            continue
        household_id = find(register, row)
        if household_id is not None and register.families[household_id].household.status == LEFT:
            outcomes.append(Refused(RefusalCode.HOUSEHOLD_GONE, "row_id"))
            continue
        code, facts = admit(register, row, policies[message.regency], message.decided_at)
        outcomes.append(Accepted(facts, code) if code in ("registered", "updated") or facts else Unchanged(code))
    await register_store.save_register(db, vault, register, messages[0].decided_at)
    return outcomes, register


def _wanted(pictures: Sequence[Picture]) -> Wanted:
    niks = {person.nik_key for picture in pictures for person in picture.people if person.nik_key is not None}
    cards = {picture.card.own for picture in pictures if picture.card.own is not None}
    return Wanted(
        keys={key for picture in pictures for key in picture.keys},
        nik_keys=niks,
        cards=cards,
        ties=niks | cards | {picture.card.relatives for picture in pictures if picture.card.relatives is not None},
    )


def _card(message: Received[HouseholdSubmitted], policies: Policies, vault: Vault) -> Picture | Refused:
    card, regency = message.data, message.regency
    if not is_village(card.village, regency):
        return Refused(RefusalCode.UNKNOWN_VILLAGE, "village")
    heads = sum(member.role is MemberRole.HEAD for member in card.members)
    if heads != 1:
        return Refused(RefusalCode.TWO_HEADS if heads else RefusalCode.NO_HEAD, "members")
    if card.decile is not None and card.decile_period is None:
        return Refused(RefusalCode.MISSING_FIELD, "decile_period")
    today = domain.local_date(message.decided_at, policies[regency])
    new_id, *person_ids = new_ids(1 + len(card.members))
    return Picture(
        new_id=new_id,
        source_key=vault.hash("source", regency, f"{message.source}/{card.row_id}"),
        card=vault.card_keys(regency, card.family_card),
        door_key=None,
        taken_at=card.happened_at,
        village=card.village,
        place=_door(card.place),
        residents=len(card.members),
        people=tuple(
            _member(person_id, member, regency, today, vault)
            for person_id, member in zip(person_ids, card.members, strict=True)
        ),
        contact=_contact(card.family_card or None, card.address, card.phone, card.place),
        decile=card.decile,
        decile_period=card.decile_period,
    )


def _house(message: Received[NeighbourCheckSubmitted], policies: Policies, vault: Vault) -> Picture | Refused:
    house, regency = message.data, message.regency
    if not is_village(house.village, regency):
        return Refused(RefusalCode.UNKNOWN_VILLAGE, "village")
    door = _door(house.place)
    where = f"{house.village}/{door.latitude}/{door.longitude}" if door else None
    return Picture(
        new_id=uuid4(),
        source_key=vault.hash("source", regency, f"{message.source}/{house.row_id}"),
        card=vault.card_keys(regency, None),
        door_key=vault.hash("door", regency, f"{where}/{house.name.casefold()}") if where and house.name else None,
        taken_at=house.happened_at,
        village=house.village,
        place=door,
        residents=house.residents,
        people=_somebody(message, policies, vault) if house.name or house.nik else (),
        contact=_contact(None, house.address, None, house.place),
        provisional=True,
        needs=tuple(sorted({need.value for need in house.needs})),
    )


def _member(person_id: UUID, row: MemberRow, regency: str, today: date, vault: Vault) -> Person:
    nik = read_nik(row.nik, today)
    return Person(
        person_id=person_id,
        role=row.role,
        sex=row.sex,
        birth_year=row.birth_date.year if row.birth_date else nik.birth_year,
        nik_status=nik.status,
        nik_key=vault.hash("nik", regency, row.nik) if nik.status == "valid" and row.nik else None,
        status="member",
        identity=Identity(row.name, row.nik or None, row.birth_date),
    )


def _somebody(message: Received[NeighbourCheckSubmitted], policies: Policies, vault: Vault) -> tuple[Person, ...]:
    """The head as a neighbour knows them; sex and birth year are what a valid NIK says."""
    house = message.data
    nik = read_nik(house.nik, domain.local_date(message.decided_at, policies[message.regency]))
    return (
        Person(
            person_id=uuid4(),
            role=MemberRole.HEAD,
            sex=nik.sex.value if nik.sex else "unknown",
            birth_year=nik.birth_year,
            nik_status=nik.status,
            nik_key=vault.hash("nik", message.regency, house.nik) if nik.status == "valid" and house.nik else None,
            status="member",
            identity=Identity(house.name, house.nik or None, None),
        ),
    )


def _contact(family_card: str | None, address: str | None, phone: str | None, place: ExactPlace | None) -> Contact:
    return Contact(family_card, address, phone, place.latitude if place else None, place.longitude if place else None)


def _door(place: ExactPlace | None) -> Place | None:
    return domain.rounded(place.latitude, place.longitude) if place else None


def _decile(message: Received[HouseholdSubmitted], household_id: UUID) -> tuple[DatedDecile, ...]:
    card = message.data
    if card.decile is None or card.decile_period is None:
        return ()
    return (DatedDecile(household_id, card.decile_period, message.source, card.decile, card.happened_at),)
