"""All that a look at households needs in a few statements, and all that comes of it in a few more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import Case
from messaging import Connection
from services.notifications import case_store, intent_store, store
from services.notifications.cases import Held
from services.notifications.domain import Findings, Known, Said
from services.notifications.intents import Intent


@dataclass(frozen=True, slots=True)
class Changed:
    """Cases to be written: as they are held now, the facts said of them, and what has to be told."""

    cases: Sequence[Held]
    facts: Sequence[Case]
    told: Sequence[Intent]


async def lock_known(db: Connection, said: Sequence[Said]) -> dict[UUID, Known]:
    """By household, what is known; its cases are locked, and no other transaction opens one meanwhile."""
    in_need = [one.household_id for one in said if one.needs]
    await case_store.lock_openings(db, in_need)
    held = await case_store.lock_cases_of(db, [one.household_id for one in said])
    enrolments = await store.list_enrolments(db, in_need)
    households = await store.list_households(db, in_need)
    seen = await case_store.list_seen(db, [one.source_id for one in said])
    return {
        one.household_id: Known(
            cases=tuple(held.get(one.household_id, ())),
            enrolments=enrolments.get(one.household_id, ()),
            gone=one.household_id in households and households[one.household_id].gone,
            seen=frozenset(seen.get(one.source_id, ())),
        )
        for one in said
    }


async def save_findings(db: Connection, findings: Sequence[Findings], now: datetime) -> None:
    """Cases, whom they count, and what has to be told."""
    changed = Changed(
        [held for one in findings for held in one.changed],
        [fact for one in findings for fact in one.facts],
        [intent for one in findings for intent in one.told],
    )
    await save_changed(db, changed, now)
    await case_store.save_seen(db, [seen for one in findings for seen in one.seen])
    await case_store.withdraw_seen(db, [seen for one in findings for seen in one.withdrawn])


async def save_changed(db: Connection, changed: Changed, now: datetime) -> None:
    """Cases, their history and what has to be told, in one transaction."""
    if changed.cases:
        await case_store.save_cases(db, changed.cases)
    if changed.facts:
        await case_store.insert_history(db, changed.facts, now)
    if changed.told:
        await intent_store.insert_intents(db, changed.told)
