"""What assignment does for each message; pledges and visits have files of their own."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from contracts import events, submissions
from contracts.events import Carer, Household, HouseholdProfiled
from contracts.refusals import RefusalCode
from contracts.submissions import HandAssignmentSubmitted
from messaging import Accepted, Connection, Handlers, Outcome, Parked, Received, Refused, Unchanged
from policies import Policies
from services.assignment import domain, pledge_store, pledges, register_store, store
from services.assignment.domain import KnownCarer, KnownHousehold, Row, Tenure
from services.assignment.pledge_handlers import on_pledge_confirmation_submitted, on_pledge_submitted
from services.assignment.visit_handlers import on_visit_submitted


def handlers(policies: Policies) -> Handlers:
    """Message type to handler, in the order in which their locks are taken."""
    return {
        events.CarerRegistered: on_carer_fact,
        events.CarerUpdated: on_carer_fact,
        events.CarerLeft: on_carer_fact,
        events.HouseholdRegistered: on_household_fact,
        events.HouseholdUpdated: on_household_fact,
        events.HouseholdLeft: on_household_fact,
        events.HouseholdMerged: on_household_fact,
        events.HouseholdSplit: on_household_fact,
        events.EligibilityGranted: on_household_fact,
        events.EligibilityEnded: on_household_fact,
        events.HouseholdProfiled: partial(on_household_profiled, policies=policies),
        submissions.HandAssignmentSubmitted: on_hand_assignment_submitted,
        submissions.PledgeSubmitted: partial(on_pledge_submitted, policies=policies),
        submissions.PledgeConfirmationSubmitted: on_pledge_confirmation_submitted,
        submissions.VisitSubmitted: partial(on_visit_submitted, policies=policies),
    }


async def on_carer_fact(messages: Sequence[Received[Carer]], db: Connection) -> list[Outcome]:
    """Whoever leaves, or may not or cannot hold what they hold, keeps it until the match has found others (rule 11)."""
    befores = await register_store.lock_carers(db, [message.data.carer_id for message in messages])
    newer: dict[UUID, KnownCarer] = {}
    outcomes: list[Outcome] = []
    for message in messages:
        before = befores.get(message.data.carer_id)
        if before is None or before.version < message.data.version:
            carer = domain.known_carer(message.data, message.regency, before, message.decided_at)
            newer[carer.carer_id] = carer
        outcomes.append(Accepted() if message.data.carer_id in newer else Unchanged())
    if not newer:
        return outcomes
    await register_store.save_carers(db, list(newer.values()))
    rows = [row for row in await store.lock_held(db, list(befores)) if row.carer_id in newer] if befores else []
    held = Counter(row.carer_id for row in rows)
    changed = []
    for row in rows:
        carer_id = row.carer_id
        if carer_id is not None:
            after = domain.follow_carer(row, befores[carer_id], newer[carer_id], held[carer_id])
            changed += [after] if after != row else []
    await store.save_assignments(db, changed)
    await store.count_room_change(db, {carer.regency for carer in newer.values()})
    return outcomes


async def on_household_fact(messages: Sequence[Received[Household]], db: Connection) -> list[Outcome]:
    """Who becomes eligible waits for the match; who leaves, or is eligible for nothing, has no carer any more."""
    household_ids = [message.data.household_id for message in messages]
    rows = await store.lock_assignments(db, household_ids)
    befores = await register_store.get_households(db, household_ids)
    newer = [message for message in messages if _is_newer(message, befores)]
    afters = [domain.known_household(message.data, message.regency) for message in newer]
    await register_store.save_households(db, afters)
    lapsed = await _lapse_pledges(db, [household.household_id for household in afters if not household.is_served])
    changed: list[Row] = []
    tenures: list[Tenure] = []
    outcomes: dict[UUID, Outcome] = {}
    for message, household in zip(newer, afters, strict=True):
        row = rows.get(household.household_id)
        said: tuple[events.Fact, ...] = ()
        if row is not None or household.is_served:
            row = row or Row(household.household_id, uuid4(), household.regency)
            after = domain.follow_household(row, befores.get(row.household_id), household, message.decided_at)
            changed.append(after)
            tenure = domain.closed_tenure(row, after, "ended", message.decided_at)
            tenures += [tenure] if tenure else []
            said = (after.state,) if after.state is not None and after.state is not row.state else ()
        outcomes[household.household_id] = Accepted((*said, *lapsed.get(household.household_id, ())))
    await store.save_assignments(db, changed)
    await _close(db, tenures, messages)
    return [outcomes.get(household_id, Unchanged()) for household_id in household_ids]


async def on_household_profiled(
    messages: Sequence[Received[HouseholdProfiled]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """Its needs and routine aid tell which competences fit (rule 10)."""
    profiles = []
    for message in messages:
        policy = policies[message.regency]
        today = message.decided_at.astimezone(policy.zone).date()
        competences = domain.wanted_competences(message.data, policy, today)
        profiles.append((message.data.household_id, message.data.version, competences))
    await register_store.save_profiles(db, profiles)
    return [Accepted() for _ in messages]


async def on_hand_assignment_submitted(
    messages: Sequence[Received[HandAssignmentSubmitted]], db: Connection
) -> list[Outcome]:
    """A coordinator decides, also beyond a carer's capacity; never against a conflict (rule 8)."""
    household_ids = [message.data.household_id for message in messages]
    carers = await register_store.lock_carers(db, {message.data.carer_id for message in messages})
    rows = await store.lock_assignments(db, household_ids)
    households = await register_store.get_households(db, household_ids)
    competences = await register_store.get_competences(db, household_ids)
    held = Counter(await store.count_held(db, list(carers)))
    changes: list[tuple[Row, Row]] = []
    outcomes: list[Outcome] = []
    for message in messages:
        submission = message.data
        household, carer = households.get(submission.household_id), carers.get(submission.carer_id)
        row = rows.get(submission.household_id)
        if household is None or carer is None:
            outcomes.append(Parked(submission.household_id if household is None else submission.carer_id))
        elif refused := _refusal(household, carer, message.regency):
            outcomes.append(refused)
        elif row is None:
            outcomes.append(Refused(RefusalCode.WRONG_STATE, "household_id"))
        elif not domain.has_to_be_said(row, carer.carer_id):
            outcomes.append(Unchanged())
        else:
            fits = domain.competence_fits(competences.get(household.household_id, ()), carer.competences)
            choice = domain.by_hand(household, carer, held[carer.carer_id], submission, fits=fits)
            after = domain.assign(row, household, carer.carer_id, choice, message.decided_at)
            held[carer.carer_id] += 1
            changes.append((row, after))
            outcomes.append(Accepted((after.state,) if after.state else ()))
    await store.save_assignments(db, [after for _, after in changes])
    tenures = [domain.closed_tenure(row, after, "by_hand", messages[0].decided_at) for row, after in changes]
    await _close(db, [tenure for tenure in tenures if tenure], messages)
    return outcomes


def _is_newer(message: Received[Household], befores: dict[UUID, KnownHousehold]) -> bool:
    before = befores.get(message.data.household_id)
    return before is None or before.version < message.data.version


def _refusal(household: KnownHousehold, carer: KnownCarer, regency: str) -> Refused | None:
    if not household.regency == carer.regency == regency:
        return Refused(RefusalCode.WRONG_REGENCY, "household_id" if household.regency != regency else "carer_id")
    if not carer.is_active:
        return Refused(RefusalCode.UNKNOWN_CARER, "carer_id")
    if household.household_id in carer.conflicts:
        return Refused(RefusalCode.CARER_CONFLICT, "carer_id")
    if household.status != "registered":
        return Refused(RefusalCode.HOUSEHOLD_GONE, "household_id")
    if not household.is_served:
        return Refused(RefusalCode.WRONG_STATE, "household_id")
    return None


async def _lapse_pledges(db: Connection, household_ids: list[UUID]) -> dict[UUID, list[events.Fact]]:
    """What partners have promised to households that are served no more."""
    lapsed: dict[UUID, list[events.Fact]] = {}
    if household_ids:
        facts = [pledges.lapse(pledge, "household_left") for pledge in await pledge_store.lock_open(db, household_ids)]
        await pledge_store.save_pledges(db, facts)
        for fact in facts:
            lapsed.setdefault(fact.household_id, []).append(fact)
    return lapsed


async def _close(db: Connection, tenures: Sequence[Tenure], messages: Sequence[Received[Any]]) -> None:
    """Carers look after these no more, and have room for others."""
    if tenures:
        await store.insert_tenures(db, tenures)
        await store.count_room_change(db, {message.regency for message in messages})
