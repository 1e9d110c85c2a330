"""Work on a clock: cases whose date has come, needs of profiles, and messages to be sent."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from contracts.events import Case, HouseholdProfiled
from messaging import Job, JobRun
from policies import Policies
from services.notifications import case_store, intents, store
from services.notifications.cases import Held, Need
from services.notifications.channels import Channel
from services.notifications.intents import Intent
from services.notifications.recording import Changed, look_at_households, save_changed
from services.notifications.sending import Sending, send_intents
from services.notifications.sightings import Said
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


async def _watch_some(run: JobRun, policies: Policies) -> int:
    async with run.writing() as write:
        due = await case_store.lock_due_cases(write.db, write.now, _CASES_AT_ONCE)
        places = await case_store.list_queue_places(write.db, [held.case.case_id for held in due]) if due else {}
        after: list[Held] = []
        facts: list[Case] = []
        told: list[Intent] = []
        for held in due:
            policy = policies[held.case.district[:5]]
            passed = list(watch(held, places.get(held.case.case_id), policy, write.now))
            after.append(passed[-1].held)
            for one in passed:
                facts.append(one.held.case)
                told += intents.tell_of_date(one, policy, write.now)
                write.emit(one.held.case, str(held.case.case_id), held.correlationid, policy.regency)
        await save_changed(write.db, Changed(after, facts), told, write.now)
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
                    happened_at=write.now,
                    is_visit=False,
                    correlationid=profile.correlationid,
                )
                for profile in profiles
            ]
            found = await look_at_households(write.db, said, policies, write.now)
            for one, facts in zip(said, found, strict=True):
                for fact in facts:
                    write.emit(fact, str(fact.case_id), one.correlationid, one.regency)
            await store.clear_waiting_needs(write.db, [profile.household_id for profile in profiles])
    return len(profiles)
