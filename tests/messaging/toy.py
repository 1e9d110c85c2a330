"""A service of its own for tests of messaging: real contracts, toy tables, and ways to go wrong on purpose."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from fastapi import APIRouter

from contracts.events import HouseholdRegistered, HouseholdUnserved, HouseholdUpdated
from contracts.submissions import PledgeSubmitted, VisitSubmitted
from messaging import (
    Accepted,
    Card,
    Connection,
    Handlers,
    JobRun,
    Outcome,
    Parked,
    Received,
    Refused,
    Unchanged,
    create_service,
    measure,
    read_settings,
    serve,
)

BAD_RESIDENTS: Final = 13  # refused by a constraint of the table
BUG_RESIDENTS: Final = 14  # makes the handler raise
HUGE_RESIDENTS: Final = 15  # makes a fact over 256 KiB
SLOW_RESIDENTS: Final = 16  # takes a second
REFUSED_CARER: Final = UUID(int=1)
BAD_CARER: Final = UUID(int=2)
BUG_CARER: Final = UUID(int=3)

CARD: Final = Card(
    "assignment", "Whether tests pass.", (), (HouseholdUnserved,), Path(__file__).parent / "toy_migrations"
)


class ToyBugError(Exception):
    """What a bug looks like; its text must never be seen."""


async def on_household(messages: Sequence[Received[HouseholdRegistered]], db: Connection) -> list[Outcome]:
    residents = {message.data.residents for message in messages}
    if BUG_RESIDENTS in residents:
        raise ToyBugError("secret 3510160101900001")
    if SLOW_RESIDENTS in residents:
        await asyncio.sleep(1)
    await db.execute(
        """insert into toy_households (household_id, version, residents)
           select * from unnest($1::uuid[], $2::int[], $3::int[])
           on conflict (household_id) do update set version = greatest(toy_households.version, excluded.version)""",
        [message.data.household_id for message in messages],
        [message.data.version for message in messages],
        [message.data.residents for message in messages],
    )
    versions = await count_up(db, [message.data.household_id for message in messages])
    return [
        Accepted((unserved(message.data.household_id, versions[message.data.household_id], message.data.residents),))
        for message in messages
    ]


async def on_visit_submitted(messages: Sequence[Received[VisitSubmitted]], db: Connection) -> list[Outcome]:
    rows = await db.fetch(
        "select household_id from toy_households where household_id = any($1::uuid[])",
        [message.data.household_id for message in messages],
    )
    known = {row["household_id"] for row in rows}
    carers = {message.data.carer_id for message in messages}
    if BUG_CARER in carers:
        raise ToyBugError("secret 3510160101900001")
    if BAD_CARER in carers:
        await db.execute("insert into toy_households values (gen_random_uuid(), 1, 13)")
    outcomes: list[Outcome] = []
    for message in messages:
        if message.data.carer_id == REFUSED_CARER:
            outcomes.append(Refused("not_the_carer", "carer_id"))
        elif message.data.household_id not in known:
            outcomes.append(Parked(waits_for=message.data.household_id))
        else:
            outcomes.append(Accepted())
    accepted = [message for message, outcome in zip(messages, outcomes, strict=True) if outcome == Accepted()]
    await db.execute(
        """insert into toy_visits (visit_id, household_id, received_at)
           select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])""",
        [message.data.visit_id for message in accepted],
        [message.data.household_id for message in accepted],
        [message.received_at for message in accepted],
    )
    return outcomes


async def on_pledge_submitted(messages: Sequence[Received[PledgeSubmitted]], _: Connection) -> list[Outcome]:
    return [Unchanged() for _ in messages]


async def serve_households(run: JobRun) -> None:
    """States every household at version 1 as unserved once more, and finds nothing the next time."""
    async with run.writing() as write:
        rows = await write.db.fetch("select household_id from toy_assignments where version = 1 for update")
        ids = [row["household_id"] for row in rows]
        for household_id, version in (await count_up(write.db, ids)).items():
            write.emit(unserved(household_id, version), str(household_id), str(household_id), "35.10")


async def count_up(db: Connection, household_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock and raise the version of these aggregates."""
    rows = await db.fetch(
        """insert into toy_assignments select unnest($1::uuid[]), 1
           on conflict (household_id) do update set version = toy_assignments.version + 1
           returning household_id, version""",
        sorted(set(household_ids)),
    )
    return {row["household_id"]: row["version"] for row in rows}


def unserved(household_id: UUID, version: int, residents: int = 1) -> HouseholdUnserved:
    """A fact about the toy aggregate."""
    return HouseholdUnserved.model_construct(
        version=version,
        assignment_id=household_id,
        household_id=household_id,
        district="35.10.16",
        village="35.10.16.1001",
        carer_id=None,
        since=datetime(2026, 2, 2, tzinfo=UTC),
        reason="x" * (300_000 if residents == HUGE_RESIDENTS else 1),
    )


HANDLERS: Final[Handlers] = {
    HouseholdRegistered: on_household,
    HouseholdUpdated: on_household,
    VisitSubmitted: on_visit_submitted,
    PledgeSubmitted: on_pledge_submitted,
}


if __name__ == "__main__":
    SETTINGS = read_settings()
    measure.EVERY_SECONDS = 0.4  # type: ignore[misc]  # tests wait for it
    sys.exit(serve(create_service(CARD, HANDLERS, [], APIRouter(), SETTINGS), SETTINGS))
