"""The match, promises that lapse, visits that are missing."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID, uuid4

from contracts import events
from messaging import Job, JobRun, Write
from policies import Policies, Policy
from services.assignment import (
    domain,
    matching,
    matching_store,
    offers,
    pledge_store,
    pledges,
    register_store,
    store,
    visit_store,
    visits,
)
from services.assignment.domain import KnownCarer, KnownHousehold, Row, Tenure
from services.assignment.matching import Matching
from services.assignment.offers import Offer, Question

_CHUNK: Final = 500  # offers a transaction; more would keep the loop too long
_VISITS_CHUNK: Final = 2_000  # likewise; finding out who is missing costs as much for few as for many
_FEW: Final = 1_000  # households matched in less time than a child process takes to start
_MATCH_EVERY: Final = timedelta(minutes=1)
_WATCH_EVERY: Final = timedelta(minutes=1)


def jobs(policies: Policies) -> tuple[Job, ...]:
    """What runs on a clock, and when the facts it looks at have come."""
    return (
        Job(
            "match_households",
            _MATCH_EVERY,
            partial(match_households, policies=policies),
            woken_by=(
                events.HouseholdRegistered,
                events.HouseholdUpdated,
                events.HouseholdLeft,
                events.HouseholdMerged,
                events.EligibilityGranted,
                events.EligibilityEnded,
                events.HouseholdProfiled,
                events.CarerRegistered,
                events.CarerUpdated,
                events.CarerLeft,
            ),
            settle=timedelta(seconds=3),
        ),
        Job("lapse_pledges", _WATCH_EVERY, lapse_pledges),
        Job("watch_visits", _WATCH_EVERY, partial(watch_visits, policies=policies)),
    )


async def match_households(run: JobRun, *, policies: Policies) -> None:
    """Give every waiting household of a regency its carer, all at once (rules 9 to 11)."""
    async with run.reading() as db:
        regencies = await matching_store.list_regencies_to_match(db)
    for regency in regencies:
        question, changes = await _ask(run, regency, policies[regency])
        await _settle(run, question.hopeless, changes)
        if question.households:
            matched = await _match(run, question)
            for start in range(0, len(question.households), _CHUNK):
                await _settle(run, offers.read(question, matched, start, start + _CHUNK), changes)


async def lapse_pledges(run: JobRun) -> None:
    """Promises not confirmed in time; their households can be promised again (rule 12)."""
    more = True
    while more:
        async with run.writing() as write:
            due = await pledge_store.lock_lapsing(write.db, write.now, _CHUNK)
            lapsed = [pledges.lapse(pledge, "not_confirmed") for _, pledge in due]
            await pledge_store.save_pledges(write.db, lapsed)
            for (regency, _), fact in zip(due, lapsed, strict=True):
                write.emit(fact, str(fact.pledge_id), str(fact.pledge_id), regency)
        more = len(due) == _CHUNK


async def watch_visits(run: JobRun, *, policies: Policies) -> None:
    """Missing visits go to the carer when their period is over, and some days later to the coordinator (rule 21)."""
    for policy in policies.values():
        for period in await _ended_periods(run, policy):
            while await _tell_carers(run, policy, period):
                pass
    while await _tell_coordinators(run):
        pass


async def _match(run: JobRun, question: Question) -> Matching:
    """In a child process, or for few households in a thread: NumPy and the solver let the loop go on."""
    if len(question.households) <= _FEW:
        return await asyncio.to_thread(matching.match, question.problem)
    return await run.in_child(matching.match, question.problem)


async def _ask(run: JobRun, regency: str, policy: Policy) -> tuple[Question, int]:
    """What is to be matched, and how much had changed when it was read."""
    async with run.reading() as db:
        changes = await matching_store.get_room_changes(db, regency)
        unmatched = await matching_store.list_unmatched(db, regency)
        candidates = await matching_store.list_candidates(db, regency)
        doorless = {household.village for household in unmatched if household.door is None}
        middles = await matching_store.list_village_middles(db, sorted(doorless)) if doorless else {}
    return await asyncio.to_thread(offers.ask, unmatched, candidates, middles, policy), changes


async def _settle(run: JobRun, found: Sequence[Offer], changes: int) -> None:
    """Write down offers that still hold; what has changed meanwhile waits for the next match."""
    if not found:
        return
    async with run.writing() as write:
        carers = await register_store.lock_carers(write.db, {offer.carer_id for offer in found if offer.carer_id})
        household_ids = [offer.household_id for offer in found]
        rows = await store.lock_assignments(write.db, household_ids)
        households = await register_store.get_households(write.db, household_ids)
        held = Counter(await store.count_held(write.db, list(carers)))
        changed: list[Row] = []
        tenures: list[Tenure] = []
        for offer in found:
            row = rows[offer.household_id]
            if row.waiting_for is None or not _holds(offer, row, carers, held):
                continue
            after = _decide(offer, row, households[offer.household_id], write)
            if after.waiting_for is None and after.carer_id is not None:
                held[after.carer_id] += 1
            changed += [after] if after != row else []
            tenure = domain.closed_tenure(row, after, row.waiting_for.value, write.now)
            tenures += [tenure] if tenure else []
        await _save(write, changed, tenures, rows)
        nobody = [offer.household_id for offer in found if offer.carer_id is None]
        await matching_store.save_tried(write.db, nobody, changes)


def _holds(offer: Offer, row: Row, carers: Mapping[UUID, KnownCarer], held: Counter[UUID]) -> bool:
    """Whether the carer still is there, has room, and is not in conflict since."""
    if offer.carer_id is None:
        return True
    carer = carers[offer.carer_id]
    has_room = row.carer_id == carer.carer_id or held[carer.carer_id] < carer.capacity
    return carer.is_active and has_room and row.household_id not in carer.conflicts


def _decide(offer: Offer, row: Row, household: KnownHousehold, write: Write) -> Row:
    if offer.carer_id is None or offer.choice is None:
        return domain.leave_unserved(row, household, offer.reason or "no_carer_with_room", write.now)
    if not domain.has_to_be_said(row, offer.carer_id):
        return domain.keep(row)
    return domain.assign(row, household, offer.carer_id, offer.choice, write.now)


async def _save(write: Write, changed: Sequence[Row], tenures: Sequence[Tenure], befores: Mapping[UUID, Row]) -> None:
    if not changed:
        return
    await store.save_assignments(write.db, changed)
    await store.insert_tenures(write.db, tenures)
    for row in changed:
        if row.state is not None and row.state is not befores[row.household_id].state:
            write.emit(row.state, str(row.household_id), str(row.assignment_id), row.regency)


async def _ended_periods(run: JobRun, policy: Policy) -> list[str]:
    """Those not dealt with yet, in order; the first ever is the one in which the first household got its carer."""
    async with run.reading() as db:
        last = await visit_store.get_last_watched(db, policy.regency)
        first = None if last else await visit_store.get_first_served(db, policy.regency)
    today = run.now.astimezone(policy.zone).date()
    if last is not None:
        return list(visits.ended_periods(visits.day_after(last), today, policy.visits.period))
    if first is not None:
        return list(visits.ended_periods(first.astimezone(policy.zone).date(), today, policy.visits.period))
    return []


async def _tell_carers(run: JobRun, policy: Policy, period: str) -> bool:
    """Whether there may be more households with a visit missing in this period.

    A household is due when it had a carer from the period's first day on, whoever that was.
    """
    served_before = visits.midnight(visits.first_day(period) + timedelta(days=1), policy.zone)
    async with run.writing() as write:
        missing = await visit_store.list_missing(write.db, policy.regency, period, served_before, _VISITS_CHUNK)
        escalates_at = write.now + timedelta(days=policy.visits.overdue_to_coordinator_days)
        overdue = [visits.overdue(one, period, uuid4()) for one in missing]
        inserted = await visit_store.insert_overdue(write.db, policy.regency, overdue, escalates_at)
        for fact in overdue:
            if fact.visit_id in inserted:
                write.emit(fact, f"{fact.household_id}/{period}", str(fact.visit_id), policy.regency)
        if len(missing) < _VISITS_CHUNK:
            await visit_store.insert_watched(write.db, policy.regency, period)
    return len(missing) == _VISITS_CHUNK


async def _tell_coordinators(run: JobRun) -> bool:
    async with run.writing() as write:
        due = await visit_store.lock_due(write.db, write.now, _VISITS_CHUNK)
        told = [visits.escalated(one.visit) if one.still_missing else one.visit for one in due]
        await visit_store.save_due(write.db, told)
        for one, fact in zip(due, told, strict=True):
            if one.still_missing:
                write.emit(fact, f"{fact.household_id}/{fact.period}", str(fact.visit_id), one.regency)
    return len(due) == _VISITS_CHUNK
