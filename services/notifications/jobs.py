"""Work on a clock: cases whose date has come, needs of profiles, and messages to be sent."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import uuid4

from contracts.events import HouseholdProfiled
from messaging import Job, JobRun
from messaging.retention import EVERY, KEPT, prune_in_sets
from policies import Policies
from services.notifications import case_store, intent_store, intents, store
from services.notifications.cases import Need
from services.notifications.channels import Channel
from services.notifications.domain import Said, look
from services.notifications.look_store import Changed, lock_known, save_changed, save_findings
from services.notifications.sending_jobs import Sending, send_intents
from services.notifications.texts import Texts
from services.notifications.watching import watch

_CASES_AT_ONCE: Final = 500


def jobs(policies: Policies, texts: Texts, channels: Mapping[str, Channel]) -> tuple[Job, ...]:
    """What runs; each channel in a job of its own, so that one that is away holds up no other."""
    seconds = timedelta(seconds=1)
    needs = partial(open_known_needs, policies=policies)
    return (
        Job("watch_clocks", 5 * seconds, partial(watch_clocks, policies=policies)),
        Job("open_known_needs", 5 * seconds, needs, woken_by=(HouseholdProfiled,)),
        Job("prune_messages", EVERY, prune_messages),
        *(
            Job(
                f"send_intents_by_{name}",
                2 * seconds,
                partial(send_intents, sending=Sending(name, channel, texts, policies)),
            )
            for name, channel in channels.items()
        ),
    )


async def watch_clocks(run: JobRun, *, policies: Policies) -> None:
    """At risk, one level up, reviews: every case whose next date has come (rule 23)."""
    while await _watch_some(run, policies) == _CASES_AT_ONCE:
        pass


async def open_known_needs(run: JobRun, *, policies: Policies) -> None:
    """Needs that profiles named, as soon as the household is known here too: topics have no order between them."""
    while await _open_some(run, policies) == _CASES_AT_ONCE:
        pass


async def prune_messages(run: JobRun) -> None:
    """Forget what people were told long ago."""
    await prune_in_sets(run, intent_store.prune_settled, KEPT["messages"])


async def _watch_some(run: JobRun, policies: Policies) -> int:
    async with run.writing() as write:
        due = await case_store.lock_due_cases(write.db, write.now, _CASES_AT_ONCE)
        places = await case_store.list_queue_places(write.db, [held.case.case_id for held in due]) if due else {}
        passed = [
            one
            for held in due
            for one in watch(held, places.get(held.case.case_id), policies[held.case.district[:5]], write.now)
        ]
        told = [
            intent
            for one in passed
            for intent in intents.tell_of_date(one, policies[one.held.case.district[:5]], write.now)
        ]
        for one in passed:
            case = one.held.case
            write.emit(case, str(case.case_id), one.held.correlationid, case.district[:5])
        newest = {one.held.case.case_id: one.held for one in passed}
        changed = Changed(list(newest.values()), [one.held.case for one in passed], told)
        await save_changed(write.db, changed, write.now)
    return len(due)


async def _open_some(run: JobRun, policies: Policies) -> int:
    async with run.writing() as write:
        profiles = await store.lock_waiting_needs(write.db, _CASES_AT_ONCE)
        if profiles:
            said = [
                Said(
                    source_id=profile.household_id,
                    household_id=profile.household_id,
                    district=profile.district,
                    needs=tuple(Need(code, None) for code in profile.needs),
                    happened_at=profile.seen_at or write.now,
                    correlationid=profile.correlationid,
                )
                for profile in profiles
            ]
            known = await lock_known(write.db, said)
            findings = [look(one, known[one.household_id], policies[one.regency], write.now, uuid4) for one in said]
            await save_findings(write.db, findings, write.now)
            for one, found in zip(said, findings, strict=True):
                for fact in found.facts:
                    write.emit(fact, str(fact.case_id), one.correlationid, one.regency)
            await store.clear_waiting_needs(write.db, [profile.household_id for profile in profiles])
    return len(profiles)
