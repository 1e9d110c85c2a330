"""What other services say: kept, and plans that hang on it looked at again."""

from collections.abc import Sequence

from contracts.events import Assignment, Carer, Household, Pledge
from messaging import Accepted, Connection, Outcome, Received, Unchanged
from services.distribution import register_store, store


async def on_household(messages: Sequence[Received[Household]], db: Connection) -> list[Outcome]:
    """Where a household lives and what it may have; who left is not sent to again (rule 16).

    A household that another one was merged into is looked at again too: it may have had its package there (rule 15).
    """
    changed = set(await register_store.save_households(db, [message.data for message in messages]))
    await store.plan_again(db, [*changed, *await register_store.list_stayed(db, list(changed))])
    return [Accepted() if message.data.household_id in changed else Unchanged() for message in messages]


async def on_carer(messages: Sequence[Received[Carer]], db: Connection) -> list[Outcome]:
    """Which office a carer brings for. What is planned stays planned when that changes (rule 11)."""
    new = await register_store.save_carers(db, [message.data for message in messages])
    await store.plan_again(db, await register_store.list_households_of(db, new))
    return [Accepted() for _ in messages]


async def on_assignment(messages: Sequence[Received[Assignment]], db: Connection) -> list[Outcome]:
    """Who looks after a household."""
    changed = set(await register_store.save_assignments(db, [message.data for message in messages]))
    await store.plan_again(db, list(changed))
    return [Accepted() if message.data.household_id in changed else Unchanged() for message in messages]


async def on_pledge(messages: Sequence[Received[Pledge]], db: Connection) -> list[Outcome]:
    """Who promised a household's package, or did not keep the promise (rule 12)."""
    changed = set(await register_store.save_pledges(db, [message.data for message in messages]))
    await store.plan_again(db, list(changed))
    return [Accepted() if message.data.household_id in changed else Unchanged() for message in messages]
