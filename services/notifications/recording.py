"""Looks at households whose needs were named, and writes down what was decided with what has to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from contracts.events import Case
from messaging import Connection
from policies import Policies
from services.notifications import case_store, intent_store, store
from services.notifications.cases import Held
from services.notifications.intents import Intent, tell_of_start
from services.notifications.sightings import Known, Said, look


@dataclass(frozen=True, slots=True)
class Changed:
    """Cases to be written: as they are held now, and the facts said of them."""

    cases: Sequence[Held]
    facts: Sequence[Case]


async def look_at_households(
    db: Connection, said: Sequence[Said], policies: Policies, now: datetime
) -> list[tuple[Case, ...]]:
    """The facts that follow from each, in order; no two about one household."""
    known = await _known(db, said)
    findings = [look(one, known[one.household_id], policies[one.regency], now, uuid4) for one in said]
    changed = Changed(
        [held for one in findings for held in one.changed], [fact for one in findings for fact in one.facts]
    )
    told = [
        intent
        for held in changed.cases
        if held.case in changed.facts
        for intent in tell_of_start(held, policies[held.case.district[:5]], now)
    ]
    await save_changed(db, changed, told, now)
    await case_store.save_seen(db, [seen for one in findings for seen in one.seen])
    await case_store.withdraw_seen(db, [seen for one in findings for seen in one.withdrawn])
    return [one.facts for one in findings]


async def save_changed(db: Connection, changed: Changed, told: Sequence[Intent], now: datetime) -> None:
    """Cases, their history, and what has to be told, in one transaction."""
    if changed.cases:
        await case_store.save_cases(db, changed.cases)
    if changed.facts:
        await case_store.insert_history(db, changed.facts, now)
    if told:
        await intent_store.insert_intents(db, told)


async def _known(db: Connection, said: Sequence[Said]) -> dict[UUID, Known]:
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
