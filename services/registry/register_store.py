"""Opens and saves the part of the register that one call of a handler decides on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from messaging import Connection
from services.registry import carer_store, enrolment_store, review_store, store
from services.registry.domain import Family
from services.registry.people import KeyedHash
from services.registry.register import Register
from services.registry.rows import ReviewRow, Wanted
from services.registry.vault import Vault


async def open_register(db: Connection, vault: Vault, regencies: Collection[str], wanted: Wanted) -> Register:
    """Lock the register and load these households with whatever they touch: other holders, carers, aid."""
    await store.lock_register(db, regencies)
    register = Register()
    ids = set(wanted.household_ids)
    if wanted.keys:
        register.known = await store.find_households(db, wanted.keys)
        ids |= set(register.known.values())
    ids |= await find_holders(db, register, wanted.nik_keys)
    if ids:
        register.before = await store.list_families(db, vault, ids)
        register.families = dict(register.before)
    for row in await enrolment_store.list_enrolments(db, wanted.cards) if wanted.cards else ():
        register.enrolments[row.card_key] += (row.enrolment,)
    ties = set(wanted.ties)
    for family in register.families.values():
        ties |= {key for key in (*family.own_keys, family.card.relatives) if key is not None}
    if ties:
        register.ties = await carer_store.list_ties(db, ties)
        carer_ids = {carer_id for tied in register.ties.values() for carer_id in tied}
        register.carers = await carer_store.list_carers(db, carer_ids) if carer_ids else {}
    return register


async def find_holders(db: Connection, register: Register, nik_keys: Collection[KeyedHash]) -> set[UUID]:
    """Who has these NIKs, and the households where they live."""
    held = await store.find_holders(db, nik_keys) if nik_keys else []
    for nik_key, holder in held:
        register.holders[nik_key][holder.household_id] = holder
    return {holder.household_id for _, holder in held}


async def save_register(
    db: Connection, vault: Vault, register: Register, now: datetime, decisions: Sequence[ReviewRow] = ()
) -> None:
    """Write what is not as it was; `decisions` are a person's, other reviews that are gone were withdrawn."""
    changed = [family for family in register.families.values() if register.before.get(_id(family)) is not family]
    new = [family for family in changed if _id(family) not in register.before]
    known = [family for family in changed if _id(family) in register.before]
    if new:
        await store.insert_families(db, vault, new)
    if known:
        await store.save_families(db, vault, known)
        people = [
            (_id(family), person)
            for family in known
            for person in family.people
            if person not in register.before[_id(family)].people
        ]
        if people:
            await store.save_people(db, vault, people)
    if changed:
        await _save_reviews(db, register, changed, now, decisions)
    if register.new_keys:
        await store.insert_keys(db, register.new_keys.items())
    if register.conflicts:
        await store.save_conflicts(db, register.conflicts, now)
    if register.changed_carers:
        await carer_store.save_carers(db, [register.carers[carer_id] for carer_id in register.changed_carers])


async def _save_reviews(
    db: Connection,
    register: Register,
    changed: Sequence[Family],
    now: datetime,
    decisions: Sequence[ReviewRow],
) -> None:
    by_person = {(row.household_id, row.programme) for row in decisions}
    opened, closed = [], list(decisions)
    for family in changed:
        before = register.before.get(_id(family))
        known = before.reviews if before is not None else {}
        opened += [
            ReviewRow(_id(family), programme, reason)
            for programme, reason in family.reviews.items()
            if known.get(programme) != reason
        ]
        closed += [
            ReviewRow(_id(family), programme, reason, decision="withdrawn")
            for programme, reason in known.items()
            if programme not in family.reviews and (_id(family), programme) not in by_person
        ]
    if closed:
        await review_store.close_reviews(db, closed, now)
    if opened:
        await review_store.open_reviews(db, opened, now)


def _id(family: Family) -> UUID:
    return family.household.household_id
