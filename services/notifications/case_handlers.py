"""What opens, confirms and reopens cases, and what offices answer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from contracts.events import (
    Case,
    Household,
    HouseholdLeft,
    HouseholdMerged,
    HouseholdProfiled,
    PackageFailed,
    VisitReported,
)
from contracts.refusals import RefusalCode
from contracts.submissions import CaseUpdateSubmitted
from contracts.vocabulary import Need as NeedCode
from messaging import Accepted, Connection, Outcome, Parked, Received, Refused, Unchanged
from policies import Policies
from services.notifications import case_store, cases, intent_store, store
from services.notifications.answers import Answer, Queue, answer, queue_of
from services.notifications.cases import Held, Need
from services.notifications.domain import Said, look
from services.notifications.intents import tell_of_failure, tell_of_start
from services.notifications.look_store import Changed, lock_known, save_changed, save_findings
from services.notifications.store import KnownHousehold

_FIELDS: Final = {
    RefusalCode.NOT_THE_OFFICE: "office_id",
    RefusalCode.REASON_NEEDED: "reason",
    RefusalCode.WRONG_STATE: "step",
}


async def on_visit_reported(
    messages: Sequence[Received[VisitReported]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """Needs seen open cases or are counted; a visit that happened confirms or reopens what was resolved before it.

    Most visits see no need at a household without a resolved case: those cost one look at an index and are not kept.
    """
    visits = [message.data for message in messages]
    to_confirm = await case_store.list_to_confirm(
        db, [visit.household_id for visit in visits if visit.happened and not visit.needs]
    )
    matter = [visit for visit in visits if visit.needs or visit.version > 1 or visit.household_id in to_confirm]
    if not matter:
        return [Unchanged() for _ in messages]
    newer = await case_store.save_visits(db, {visit.visit_id: visit.version for visit in matter})
    said = [_said_by_visit(message) for message, visit in zip(messages, visits, strict=True) if visit.visit_id in newer]
    return await _looked_at(
        db, messages[0].decided_at, [message.data.household_id for message in messages], said, policies
    )


async def on_household_changed(
    messages: Sequence[Received[Household]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A missing or odd NIK is a need for documents, an eligibility review a doubt: each when it becomes so.

    Every fact of a household that is not gone says both, whatever else it is about.
    """
    known = await store.list_households(db, [message.data.household_id for message in messages])
    newer = [message for message in messages if _is_newer(message.data, known)]
    if not newer:
        return [Unchanged() for _ in messages]
    await store.save_households(db, [message.data for message in newer])
    said = [
        Said(
            source_id=message.data.household_id,
            household_id=message.data.household_id,
            district=message.data.district,
            needs=needs,
            happened_at=message.decided_at,
            correlationid=message.correlationid,
        )
        for message in newer
        if (needs := _needs_of(message.data, known.get(message.data.household_id)))
    ]
    return await _looked_at(
        db, messages[0].decided_at, [message.data.household_id for message in messages], said, policies
    )


async def on_household_gone(
    messages: Sequence[Received[HouseholdLeft | HouseholdMerged]], db: Connection
) -> list[Outcome]:
    """Its cases end, whatever their state; what a merged household needs is seen again at the one that stays."""
    known = await store.list_households(db, [message.data.household_id for message in messages])
    newer = [message for message in messages if _is_newer(message.data, known)]
    await store.save_households(db, [message.data for message in newer])
    ended: dict[UUID, list[Held]] = {}
    if newer:
        household_ids = [message.data.household_id for message in newer]
        await case_store.lock_openings(db, household_ids)
        held = await case_store.lock_cases_of(db, household_ids)
        for message in newer:
            reason = "household_left" if isinstance(message.data, HouseholdLeft) else "household_merged"
            ended[message.data.household_id] = [
                cases.end(one, reason)
                for one in held.get(message.data.household_id, ())
                if one.case.status != "confirmed"
            ]
        changed = [one for together in ended.values() for one in together]
        await save_changed(db, Changed(changed, [one.case for one in changed], ()), messages[0].decided_at)
    return [_outcome(one.case for one in ended.get(message.data.household_id, ())) for message in messages]


async def on_household_profiled(messages: Sequence[Received[HouseholdProfiled]], db: Connection) -> list[Outcome]:
    """Needs and enrolments are kept; `open_known_needs` opens the cases when the household's district is known."""
    said = [
        message for message in messages if message.data.version > 1 or message.data.needs or message.data.enrolments
    ]
    profiles, correlationids = [one.data for one in said], [one.correlationid for one in said]
    await store.insert_profiles(db, profiles, correlationids)
    await store.save_newer_profiles(db, profiles, correlationids)
    return [Accepted() for _ in messages]


async def on_package_failed(
    messages: Sequence[Received[PackageFailed]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """So many failed attempts open a review of the household's eligibility (rule 16).

    A supply gap, and a package of the month that finally failed, are told to the coordinator (rule 18); a first week
    without protein is not: nothing makes it up, and it is nobody's fault.
    """
    now = messages[0].decided_at
    told = [
        intent
        for message in messages
        for intent in tell_of_failure(message.data, message.correlationid, policies[message.regency], now)
    ]
    await intent_store.insert_intents(db, told)
    said = [
        Said(
            source_id=message.data.package_id,
            household_id=message.data.household_id,
            district=message.data.district,
            needs=(Need(NeedCode.ELIGIBILITY_DOUBTED, None),),
            happened_at=now,
            correlationid=message.correlationid,
        )
        for message in messages
        if message.data.attempts >= policies[message.regency].distribution.attempts_before_review
    ]
    return await _looked_at(db, now, [message.data.household_id for message in messages], said, policies)


async def on_case_update_submitted(
    messages: Sequence[Received[CaseUpdateSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """An office answers; an update of a case that is not here yet waits for it."""
    queues: Counter[Queue] = Counter()
    if any(message.data.step == "waiting_budget" for message in messages):
        await case_store.lock_queues(db)
        queues.update(await case_store.count_queued(db))
    known = await case_store.lock_cases(db, {message.data.case_id for message in messages})
    outcomes: list[Outcome] = []
    changed: list[Held] = []
    for message in messages:
        held = known.get(message.data.case_id)
        after = held and _answered(held, message, queues, policies)
        if held is None:
            outcomes.append(Parked(message.data.case_id))
        elif isinstance(after, Held):
            queues[queue_of(after.case)] += after.case.waiting_for == "budget"
            changed.append(after)
            outcomes.append(Accepted((after.case,)))
        else:
            outcomes.append(after or Unchanged())
    now = messages[0].decided_at
    told = [intent for held in changed for intent in tell_of_start(held, policies[held.case.district[:5]], now)]
    await save_changed(db, Changed(changed, [held.case for held in changed], told), now)
    return outcomes


def _answered(
    held: Held, message: Received[CaseUpdateSubmitted], queues: Counter[Queue], policies: Policies
) -> Held | Refused | None:
    update = message.data
    if held.case.district[:5] != message.regency:
        return Refused(RefusalCode.WRONG_REGENCY, "case_id")
    if update.household_id != held.case.household_id:
        return Refused(RefusalCode.UNKNOWN_CASE, "case_id")
    given = Answer(update.step, update.office_id, update.reason, message.received_at)
    place = queues[queue_of(held.case)] + 1
    after = answer(held, given, place, policies[message.regency], message.decided_at)
    return Refused(after, _FIELDS[after]) if isinstance(after, RefusalCode) else after


def _said_by_visit(message: Received[VisitReported]) -> Said:
    visit = message.data
    return Said(
        source_id=visit.visit_id,
        household_id=visit.household_id,
        district=visit.district,
        needs=tuple(Need(seen.need, seen.person_id) for seen in visit.needs),
        happened_at=visit.happened_at,
        correlationid=message.correlationid,
        is_visit=True,
        confirms=visit.happened,
    )


def _is_newer(household: Household, known: Mapping[UUID, KnownHousehold]) -> bool:
    return household.household_id not in known or known[household.household_id].version < household.version


def _needs_of(household: Household, before: KnownHousehold | None) -> tuple[Need, ...]:
    """What the register says is needed and did not say before: said again after a confirmation it opens nothing.

    Of one that was gone nothing is held any more, so what it needs is new.
    """
    if before is not None and before.gone:
        before = None
    needs = []
    if household.nik_status != "valid" and (before is None or before.nik_status == "valid"):
        needs.append(Need(NeedCode.DOCUMENTS, None))
    if household.review_reason is not None and (before is None or before.review_reason is None):
        needs.append(Need(NeedCode.ELIGIBILITY_DOUBTED, None))
    return tuple(needs)


async def _looked_at(
    db: Connection, now: datetime, household_ids: Sequence[UUID], said: Sequence[Said], policies: Policies
) -> list[Outcome]:
    """An outcome for each household, in order; one of which nothing was said is unchanged."""
    if not said:
        return [Unchanged() for _ in household_ids]
    known = await lock_known(db, said)
    findings = {one.household_id: look(one, known[one.household_id], policies[one.regency], now, uuid4) for one in said}
    await save_findings(db, list(findings.values()), now)
    by_household = {household_id: found.facts for household_id, found in findings.items()}
    return [_outcome(by_household.get(household_id, ())) for household_id in household_ids]


def _outcome(facts: Iterable[Case]) -> Outcome:
    events = tuple(facts)
    return Accepted(events) if events else Unchanged()
