"""Facts of others that say who may read a name (rule 27), and which needs are met."""

from collections.abc import Sequence

from contracts.events import Assignment, Case, CaseConfirmed, HouseholdProfiled
from messaging import Accepted, Connection, Outcome, Received, Unchanged
from services.registry import right_store, store


async def on_assignment(messages: Sequence[Received[Assignment]], db: Connection) -> list[Outcome]:
    """The household's carer may read, from now on or no longer."""
    await right_store.save_assigned(db, [message.data for message in messages])
    return [Accepted() for _ in messages]


async def on_case(messages: Sequence[Received[Case]], db: Connection) -> list[Outcome]:
    """The responsible office may read while the case is not confirmed."""
    await right_store.save_cases(db, [message.data for message in messages])
    return [Accepted() for _ in messages]


async def on_case_confirmed(messages: Sequence[Received[CaseConfirmed]], db: Connection) -> list[Outcome]:
    """The office has no reason to read any more; a need of the profile that is met is a need no more.

    Said again by a neighbour later, it opens a new case (rule 22).
    """
    await store.lock_register(db, {message.regency for message in messages})
    news = await right_store.save_cases(db, [message.data for message in messages])
    met = [message for message in messages if message.data.case_id in news]
    profiles = dict(await store.list_profiles(db, {message.data.household_id for message in met}))
    outcomes: list[Outcome] = []
    for message in messages:
        case = message.data
        profile = profiles.get(case.household_id)
        if case.case_id not in news or profile is None or case.need not in profile.needs or case.person_id:
            outcomes.append(Unchanged())
            continue
        needs = tuple(need for need in profile.needs if need != case.need)
        profiled = profile.then(HouseholdProfiled, needs=needs)
        profiles[case.household_id] = profiled
        outcomes.append(Accepted((profiled,)))
    await store.save_profiles(db, [profile for profile in profiles.values() if isinstance(profile, HouseholdProfiled)])
    return outcomes
