"""Every statement on households; sets in, sets out."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from asyncpg import Record

from contracts.events import Household, Profile
from messaging import Connection
from services.registry.domain import Family
from services.registry.people import Contact, KeyedHash, Person
from services.registry.register import Conflict, Holder
from services.registry.rows import DatedDecile
from services.registry.vault import Vault

_HOUSEHOLD_COLUMNS: Final = ("household_id", "state", "profile", "key_id", "contact", "pictured_at", "decile_stated_at")
_PERSON_COLUMNS: Final = (
    "household_id", "person_id", "role", "sex", "birth_year", "nik_status", "nik_key", "status", "key_id", "sealed",
)  # fmt: skip


async def lock_register(db: Connection, regencies: Collection[str]) -> None:
    """One change of a regency's register at a time: whoever writes takes this first, for a new row has no lock yet."""
    await db.execute(
        "select pg_advisory_xact_lock(hashtextextended(regency, 7)) from unnest($1::text[]) as regency",
        sorted(regencies),
    )


async def find_households(db: Connection, keys: Collection[KeyedHash]) -> dict[KeyedHash, UUID]:
    """Which of these keys belong to a household, and to which."""
    records = await db.fetch("select key, household_id from household_key where key = any($1::bytea[])", list(keys))
    return {record["key"]: record["household_id"] for record in records}


async def find_holders(db: Connection, nik_keys: Collection[KeyedHash]) -> list[tuple[KeyedHash, Holder]]:
    """Who has these NIKs and lives on a card of a household that is served."""
    records = await db.fetch(
        """
        select person.nik_key, person.household_id, person.role, person.sex, person.birth_year
        from person
        join household using (household_id)
        where person.nik_key = any($1::bytea[]) and person.status = 'member' and household.status = 'registered'
        """,
        list(nik_keys),
    )
    return [
        (
            record["nik_key"],
            Holder(record["household_id"], record["role"], record["sex"], record["birth_year"]),
        )
        for record in records
    ]


async def list_families(db: Connection, vault: Vault, household_ids: Collection[UUID]) -> dict[UUID, Family]:
    """All that is kept of these households, opened."""
    ids = sorted(household_ids)
    households = await db.fetch(
        """
        select household_id, state, profile, contact, pictured_at, decile_stated_at, regency
        from household
        where household_id = any($1::uuid[])
        """,
        ids,
    )
    people: dict[UUID, list[Person]] = {household_id: [] for household_id in ids}
    for record in await db.fetch(
        """
        select household_id, person_id, role, sex, birth_year, nik_status, nik_key, status, sealed
        from person
        where household_id = any($1::uuid[])
        order by household_id, person_id
        """,
        ids,
    ):
        people[record["household_id"]].append(_person(record, vault))
    reviews: dict[UUID, dict[str, str]] = {household_id: {} for household_id in ids}
    for record in await db.fetch(
        """
        select household_id, programme, reason
        from review
        where household_id = any($1::uuid[]) and decided_at is null
        """,
        ids,
    ):
        reviews[record["household_id"]][record["programme"]] = record["reason"]
    return {
        record["household_id"]: _family(
            record, vault, tuple(people[record["household_id"]]), reviews[record["household_id"]]
        )
        for record in households
    }


async def list_profiles(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, Profile]:
    """Their profiles."""
    records = await db.fetch(
        "select household_id, profile from household where household_id = any($1::uuid[])", list(household_ids)
    )
    return {record["household_id"]: Profile.model_validate_json(record["profile"]) for record in records}


async def save_profiles(db: Connection, profiles: Collection[Profile]) -> None:
    """Write the profiles of known households."""
    await db.execute(
        """
        update household set profile = new.profile
        from unnest($1::uuid[], $2::jsonb[]) as new (household_id, profile)
        where household.household_id = new.household_id
        """,
        [profile.household_id for profile in profiles],
        [profile.json_text for profile in profiles],
    )


async def insert_families(db: Connection, vault: Vault, families: Iterable[Family]) -> None:
    """Write new households and their people. COPY takes half the time of an insert, and a file is mostly new."""
    records = list(families)
    await db.copy_records_to_table(
        "household",
        records=[_household_record(family, vault) for family in records],
        columns=_HOUSEHOLD_COLUMNS,
    )
    await db.copy_records_to_table(
        "person",
        records=[
            _person_record(family.household.household_id, person, vault)
            for family in records
            for person in family.people
        ],
        columns=_PERSON_COLUMNS,
    )


async def save_families(db: Connection, vault: Vault, families: Iterable[Family]) -> None:
    """Write known households, without their people."""
    records = [_household_record(family, vault) for family in families]
    await db.execute(
        """
        update household
        set state = new.state, profile = new.profile, key_id = new.key_id, contact = new.contact,
          pictured_at = new.pictured_at, decile_stated_at = new.decile_stated_at
        from unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::text[], $5::bytea[], $6::timestamptz[], $7::timestamptz[])
          as new (household_id, state, profile, key_id, contact, pictured_at, decile_stated_at)
        where household.household_id = new.household_id
        """,
        *zip(*records, strict=True),
    )


async def save_people(db: Connection, vault: Vault, people: Iterable[tuple[UUID, Person]]) -> None:
    """Write people of known households, under their household's id."""
    records = [_person_record(household_id, person, vault) for household_id, person in people]
    await db.execute(
        """
        insert into person
          (household_id, person_id, role, sex, birth_year, nik_status, nik_key, status, key_id, sealed)
        select household_id, person_id, role, sex, birth_year, nik_status, nik_key, status, key_id, sealed
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::bytea[], $8::text[],
          $9::text[], $10::bytea[])
          as new (household_id, person_id, role, sex, birth_year, nik_status, nik_key, status, key_id, sealed)
        on conflict (household_id, person_id) do update
        set role = excluded.role, sex = excluded.sex, birth_year = excluded.birth_year,
          nik_status = excluded.nik_status, nik_key = excluded.nik_key, status = excluded.status,
          key_id = excluded.key_id, sealed = excluded.sealed
        """,
        *zip(*records, strict=True),
    )


async def insert_keys(db: Connection, keys: Iterable[tuple[KeyedHash, UUID]]) -> None:
    """Remember what households are recognised by: new key, household."""
    await db.copy_records_to_table("household_key", records=list(keys), columns=("key", "household_id"))


async def save_deciles(db: Connection, deciles: Collection[DatedDecile], received_at: datetime) -> None:
    """Add dated decile facts; a source that corrects itself for a period is believed, its older rows are not."""
    await db.execute(
        """
        insert into decile (household_id, period, source, decile, stated_at, received_at)
        select distinct on (household_id, period, source) household_id, period, source, decile, stated_at, $6
        from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::timestamptz[]) with ordinality
          as new (household_id, period, source, decile, stated_at, place)
        order by household_id, period, source, stated_at desc, place desc
        on conflict (household_id, period, source) do update
        set decile = excluded.decile, stated_at = excluded.stated_at, received_at = excluded.received_at
        where excluded.stated_at > decile.stated_at
          or (excluded.stated_at = decile.stated_at and excluded.decile <> decile.decile)
        """,
        [dated.household_id for dated in deciles],
        [dated.period for dated in deciles],
        [dated.source for dated in deciles],
        [dated.decile for dated in deciles],
        [dated.stated_at for dated in deciles],
        received_at,
    )


async def save_conflicts(db: Connection, conflicts: Iterable[Conflict], now: datetime) -> None:
    """Write identity conflicts for a person to decide; one found before keeps its time."""
    found = sorted(conflicts)
    await db.execute(
        """
        insert into conflict (household_id, other_household_id, code, found_at)
        select household_id, other_household_id, code, $4
        from unnest($1::uuid[], $2::uuid[], $3::text[]) as new (household_id, other_household_id, code)
        on conflict do nothing
        """,
        [conflict.household_id for conflict in found],
        [conflict.other_household_id for conflict in found],
        [conflict.code for conflict in found],
        now,
    )


def _household_record(family: Family, vault: Vault) -> tuple[object, ...]:
    household_id = family.household.household_id
    return (
        household_id,
        family.household.json_text,
        family.profile.json_text,
        vault.key_id,
        vault.seal(household_id, orjson.dumps(family.contact)),
        family.pictured_at,
        family.decile_stated_at,
    )


def _person_record(household_id: UUID, person: Person, vault: Vault) -> tuple[object, ...]:
    return (
        household_id,
        person.person_id,
        person.role,
        person.sex,
        person.birth_year,
        person.nik_status,
        person.nik_key,
        person.status,
        vault.key_id,
        vault.seal(person.person_id, orjson.dumps(person.identity)),
    )


def _family(record: Record, vault: Vault, people: tuple[Person, ...], reviews: dict[str, str]) -> Family:
    contact = Contact(**orjson.loads(vault.open(record["household_id"], record["contact"])))
    return Family(
        household=Household.model_validate_json(record["state"]),
        profile=Profile.model_validate_json(record["profile"]),
        people=people,
        contact=contact,
        pictured_at=record["pictured_at"],
        decile_stated_at=record["decile_stated_at"],
        reviews=reviews,
        card=vault.card_keys(record["regency"], contact.family_card),
    )


def _person(record: Record, vault: Vault) -> Person:
    return Person(
        person_id=record["person_id"],
        role=record["role"],
        sex=record["sex"],
        birth_year=record["birth_year"],
        nik_status=record["nik_status"],
        nik_key=record["nik_key"],
        status=record["status"],
        identity=vault.open_identity(record["person_id"], record["sealed"]),
    )
