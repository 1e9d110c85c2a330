"""Staff files and partners' member lists: who can look after households, and whom never."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from contracts.events import Fact
from contracts.submissions import CarerSubmitted
from messaging import Accepted, Connection, Outcome, Received, Refused, Unchanged
from policies import Policies
from services.registry import carer_store, carers, eligibility, register_store
from services.registry.carers import Colleague, Kin, Row, Secret
from services.registry.domain import local_date
from services.registry.eligibility import Listed
from services.registry.identity import read_nik
from services.registry.people import Identity, KeyedHash
from services.registry.register import Register
from services.registry.rows import Wanted
from services.registry.vault import Vault


@dataclass(frozen=True, slots=True)
class Staff:
    """The carers that one call has locked, as they become while its messages are decided in order."""

    known: dict[KeyedHash, UUID]
    """Carer by key."""
    colleagues: dict[UUID, Colleague]


async def on_carer_submitted(
    messages: Sequence[Received[CarerSubmitted]], db: Connection, *, policies: Policies, vault: Vault
) -> list[Outcome]:
    """Somebody can be a carer, has news, can be none (rule 7), or is not one any more (rule 11)."""
    rows = [_row(message, policies, vault) for message in messages]
    register = await register_store.open_register(
        db,
        vault,
        {message.regency for message in messages},
        Wanted(
            keys={key for row in rows for key in (row.own_card, *row.relatives_cards) if key is not None},
            nik_keys={row.nik_key for row in rows if row.nik_key is not None},
        ),
    )
    known = await carer_store.find_carers(db, {key for row in rows for key in row.keys})
    before = await carer_store.list_colleagues(db, vault, set(known.values()))
    staff = Staff(dict(known), dict(before))
    outcomes = [_decide(message, row, staff, register, policies) for message, row in zip(messages, rows, strict=True)]
    changed = [one for carer_id, one in staff.colleagues.items() if before.get(carer_id) is not one]
    if changed:
        await carer_store.save_colleagues(db, vault, changed)
        await carer_store.save_ties(db, changed)
        await carer_store.save_carer_keys(db, [pair for pair in staff.known.items() if pair[0] not in known])
    await register_store.save_register(db, vault, register, messages[0].decided_at)
    return outcomes


def _decide(
    message: Received[CarerSubmitted], row: Row, staff: Staff, register: Register, policies: Policies
) -> Outcome:
    submitted = message.data
    carer_id = _find(row, staff)
    known = staff.colleagues[carer_id] if carer_id is not None else None
    reason = carers.why_not(submitted)
    if reason is not None and known is None:
        return Refused(*carers.not_a_carer(submitted))
    if wrong := carers.wrong_field(submitted):
        return Refused(*wrong)
    policy, kin = policies[message.regency], _kin(row, register)
    is_another_row = row.keys[0] not in staff.known
    if known is None:
        colleague, code = carers.register(row, kin, policy, message.decided_at), "registered"
    elif submitted.happened_at < known.stated_at:
        colleague, code = carers.update_from_older(known, row, kin), "updated"
    elif reason is not None:
        colleague, code = carers.leave(known, row, reason), "left"
    else:
        colleague, code = carers.update(known, row, kin, policy), "updated"
    for key in row.keys:
        staff.known.setdefault(key, colleague.carer.carer_id)
    if colleague != known:
        staff.colleagues[colleague.carer.carer_id] = colleague
    if known is not None and replace(colleague, stated_at=known.stated_at) == known:
        return Unchanged("same_carer" if is_another_row else "unchanged")
    is_news = known is None or colleague.carer.version > known.carer.version
    facts: tuple[Fact, ...] = (colleague.carer,) if is_news else ()
    if (known is None or known.carer.contributes) and not colleague.carer.contributes:
        facts += _review(register, kin)
    return Accepted(facts, code)


def _find(row: Row, staff: Staff) -> UUID | None:
    """By source row, NIP, or a NIK against which nothing speaks: one on two people makes them no one carer (rule 3)."""
    for key in row.keys:
        carer_id = staff.known.get(key)
        if carer_id is not None and (key != row.nik_key or carers.may_be(staff.colleagues[carer_id], row)):
            return carer_id
    return None


def _kin(row: Row, register: Register) -> Kin:
    own = {register.known[row.own_card]} if row.own_card in register.known else set()
    if row.nik_key is not None:
        own |= register.holders.get(row.nik_key, {}).keys()
    return Kin(
        own=tuple(register.families[household_id] for household_id in sorted(own)),
        relatives=tuple(register.known[card] for card in row.relatives_cards if card in register.known),
    )


def _review(register: Register, kin: Kin) -> tuple[Fact, ...]:
    """A carer on the list: somebody looks at that household's eligibility again, and aid goes on meanwhile."""
    facts: tuple[Fact, ...] = ()
    for family in kin.own:
        listed = eligibility.re_verified(Listed((), family.household, family.reviews))
        register.families[family.household.household_id] = replace(
            family, household=listed.household, reviews=listed.reviews
        )
        facts += listed.facts
    return facts


def _row(message: Received[CarerSubmitted], policies: Policies, vault: Vault) -> Row:
    submitted, regency = message.data, message.regency
    own_card = vault.card_keys(regency, submitted.family_card).own
    cards = [vault.card_keys(regency, card) for card in submitted.relatives_family_cards if card]
    nik = read_nik(submitted.nik, local_date(message.decided_at, policies[regency]))
    nik_key = vault.hash("nik", regency, submitted.nik) if nik.status == "valid" and submitted.nik else None
    own_nik_key = nik_key if nik.sex is submitted.sex else None
    nip_key = vault.hash("nip", regency, submitted.nip) if submitted.nip else None
    source_key = vault.hash("carer", regency, f"{message.source}/{submitted.row_id}")
    ties = [own_card, nik_key, *(card.relatives for card in cards)]
    return Row(
        new_id=uuid4(),
        keys=tuple(key for key in (source_key, nip_key, own_nik_key) if key is not None),
        own_card=own_card,
        nik_key=nik_key,
        relatives_cards=tuple(card.own for card in cards if card.own is not None),
        ties=frozenset(tie for tie in ties if tie is not None),
        submitted=submitted,
        home=carers.home_of(submitted),
        secret=Secret(
            identity=Identity(submitted.name, submitted.nik or None, submitted.birth_date),
            nip=submitted.nip,
            phone=submitted.phone,
            latitude=submitted.home.latitude if submitted.home else None,
            longitude=submitted.home.longitude if submitted.home else None,
        ),
    )
