"""Every statement on cases and on who saw them; sets in, sets out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from contracts.events import Case
from messaging import Connection
from services.notifications.answers import Queue
from services.notifications.cases import Held
from services.notifications.domain import Seen


async def lock_openings(db: Connection, household_ids: Collection[UUID]) -> None:
    """One transaction at a time opens cases of a household: who comes second sees the first one's."""
    await db.execute(
        """
        select pg_advisory_xact_lock(hashtext('notifications.case'), hashtext(household_id::text))
        from (select household_id from unnest($1::uuid[]) as given (household_id) order by hashtext(household_id::text))
             as in_order
        """,
        list(household_ids),
    )


async def list_to_confirm(db: Connection, household_ids: Collection[UUID]) -> set[UUID]:
    """Those of these households that have a resolved case."""
    records = await db.fetch(
        """
        select distinct household_id
        from cases
        where household_id = any($1::uuid[]) and status = 'resolved'
        """,
        list(household_ids),
    )
    return {record["household_id"] for record in records}


async def lock_cases_of(db: Connection, household_ids: Collection[UUID]) -> dict[UUID, list[Held]]:
    """All cases of these households, confirmed ones too."""
    records = await db.fetch(
        """
        select state, sightings, started_at, episode, waiting_since, correlationid
        from cases
        where household_id = any($1::uuid[])
        order by case_id
        for update
        """,
        list(household_ids),
    )
    found: dict[UUID, list[Held]] = {}
    for held in map(_held, records):
        found.setdefault(held.case.household_id, []).append(held)
    return found


async def lock_cases(db: Connection, case_ids: Collection[UUID]) -> dict[UUID, Held]:
    """These cases, locked until the transaction ends."""
    records = await db.fetch(
        """
        select state, sightings, started_at, episode, waiting_since, correlationid
        from cases
        where case_id = any($1::uuid[])
        order by case_id
        for update
        """,
        list(case_ids),
    )
    return {held.case.case_id: held for held in map(_held, records)}


async def lock_due_cases(db: Connection, now: datetime, limit: int) -> list[Held]:
    """Cases whose next date has come, the longest due first; one that is being decided on is left to the next run."""
    records = await db.fetch(
        """
        select state, sightings, started_at, episode, waiting_since, correlationid
        from cases
        where next_date <= $1 and status <> 'confirmed'
        order by next_date
        limit $2
        for update skip locked
        """,
        now,
        limit,
    )
    return [_held(record) for record in records]


async def save_cases(db: Connection, cases: Sequence[Held]) -> None:
    """Write cases as they are held now; a new one is inserted."""
    await db.execute(
        """
        insert into cases (case_id, state, next_date, sightings, started_at, episode, waiting_since, correlationid)
        select * from unnest($1::uuid[], $2::jsonb[], $3::timestamptz[], $4::integer[], $5::timestamptz[],
                             $6::integer[], $7::timestamptz[], $8::text[])
        on conflict (case_id) do update set
            state = excluded.state, next_date = excluded.next_date, sightings = excluded.sightings,
            started_at = excluded.started_at, episode = excluded.episode, waiting_since = excluded.waiting_since
        """,
        [held.case.case_id for held in cases],
        [held.case.json_text for held in cases],
        [held.case.next_date for held in cases],
        [held.sightings for held in cases],
        [held.started_at for held in cases],
        [held.episode for held in cases],
        [held.waiting_since for held in cases],
        [held.correlationid for held in cases],
    )


async def insert_history(db: Connection, facts: Sequence[Case], now: datetime) -> None:
    """What happened to cases, for offices and figures."""
    await db.execute(
        """
        insert into case_history (case_id, version, type, decided_at, office_id, escalation_level, reason)
        select case_id, version, type, $7, office_id, escalation_level, reason
        from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::integer[], $6::text[])
             as new (case_id, version, type, office_id, escalation_level, reason)
        """,
        [fact.case_id for fact in facts],
        [fact.version for fact in facts],
        [fact.type.split(".")[2] for fact in facts],
        [fact.responsible_office_id for fact in facts],
        [fact.escalation_level for fact in facts],
        [getattr(fact, "reason", None) for fact in facts],
        now,
    )


async def lock_queues(db: Connection) -> None:
    """One transaction at a time gives out places in the queues for budget."""
    await db.execute("select pg_advisory_xact_lock(hashtext('notifications.queues'), 0)")


async def count_queued(db: Connection) -> dict[Queue, int]:
    """Length of every queue for budget."""
    records = await db.fetch(
        """
        select regency, office_id, need, count(*)::integer as waiting
        from cases
        where waiting_for = 'budget'
        group by regency, office_id, need
        """
    )
    return {Queue(record["regency"], record["office_id"], record["need"]): record["waiting"] for record in records}


async def list_queue_places(db: Connection, case_ids: Collection[UUID]) -> dict[UUID, int]:
    """Present places, from 1, of those of these cases that wait for budget: per office and need, by waiting since."""
    records = await db.fetch(
        """
        select waiting.case_id, (
            select count(*)::integer
            from cases as earlier
            where earlier.waiting_for = 'budget' and earlier.regency = waiting.regency
              and earlier.office_id = waiting.office_id and earlier.need = waiting.need
              and (earlier.waiting_since, earlier.case_id) <= (waiting.waiting_since, waiting.case_id)
        ) as place
        from cases as waiting
        where waiting.case_id = any($1::uuid[]) and waiting.waiting_for = 'budget'
        """,
        list(case_ids),
    )
    return {record["case_id"]: record["place"] for record in records}


async def save_visits(db: Connection, versions: Mapping[UUID, int]) -> set[UUID]:
    """Remember versions of visits and return those that were newer than what was known."""
    records = await db.fetch(
        """
        insert into visit (visit_id, version)
        select * from unnest($1::uuid[], $2::integer[])
        on conflict (visit_id) do update set version = excluded.version where visit.version < excluded.version
        returning visit_id
        """,
        list(versions.keys()),
        list(versions.values()),
    )
    return {record["visit_id"] for record in records}


async def list_seen(db: Connection, source_ids: Collection[UUID]) -> dict[UUID, set[Seen]]:
    """By source, which cases it was counted for and has not withdrawn."""
    records = await db.fetch(
        """
        select source_id, case_id
        from sighting
        where source_id = any($1::uuid[]) and not withdrawn
        """,
        list(source_ids),
    )
    found: dict[UUID, set[Seen]] = {}
    for record in records:
        found.setdefault(record["source_id"], set()).add(Seen(record["source_id"], record["case_id"]))
    return found


async def save_seen(db: Connection, seen: Collection[Seen]) -> None:
    """These sources saw the need of these cases."""
    await db.execute(
        """
        insert into sighting (source_id, case_id)
        select * from unnest($1::uuid[], $2::uuid[])
        on conflict (source_id, case_id) do update set withdrawn = false
        """,
        [one.source_id for one in seen],
        [one.case_id for one in seen],
    )


async def withdraw_seen(db: Connection, seen: Collection[Seen]) -> None:
    """A correction no longer says that it saw the need of these cases."""
    await db.execute(
        """
        update sighting set withdrawn = true
        from unnest($1::uuid[], $2::uuid[]) as gone (source_id, case_id)
        where sighting.source_id = gone.source_id and sighting.case_id = gone.case_id
        """,
        [one.source_id for one in seen],
        [one.case_id for one in seen],
    )


def _held(record: Record) -> Held:
    return Held(
        Case.model_validate_json(record["state"]),
        record["sightings"],
        record["started_at"],
        record["episode"],
        record["waiting_since"],
        record["correlationid"],
    )
