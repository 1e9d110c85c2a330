"""The service as it is usually written with FastStream: one message, one transaction, pydantic, publish in the handler.

It decides what assignment decides of a visit, in the same tables; no inbox, no outbox: a crash between commit and
publish loses the fact, and a message delivered twice is stated twice.
"""

import asyncio
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import uvloop
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel

from messaging.database import Pool, open_pool
from messaging.settings import Settings, read_settings
from tests.bench.hot_path import FACTS
from tests.bench.machinery import say_ready
from tests.bench.submissions import VISITS

_SESSIONS: Final = 4


class Place(BaseModel):
    latitude: float
    longitude: float


class Need(BaseModel):
    need: str
    person_id: UUID | None


class Visit(BaseModel):
    """What a phone reports."""

    household_id: UUID
    visit_id: UUID
    carer_id: UUID
    correction: bool
    happened: bool
    happened_at: datetime
    place: Place | None
    answers: dict[str, str]
    needs: list[Need]
    programmes_received: list[str]


class Reported(BaseModel):
    """What is said of it."""

    version: int
    visit_id: UUID
    household_id: UUID
    carer_id: UUID
    district: str
    period: str
    happened: bool
    happened_at: datetime
    received_at: datetime
    place: Place | None
    answers: dict[str, str]
    needs: list[Need]
    programmes_received: list[str]


async def serve(settings: Settings) -> None:
    """Until killed."""
    broker = KafkaBroker(settings.kafka, logger=None)  # without its lines for every message: as quick as it can be
    pool = await open_pool(settings.database_url.get_secret_value(), size=_SESSIONS, name="bench-usual")

    @broker.subscriber(
        settings.topic_prefix + VISITS,
        group_id=settings.topic_prefix + "usual",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,  # its default acknowledges first and loses what was in hand
    )
    async def on_visit(visit: Visit) -> None:
        fact = await _decide(pool, visit)
        await broker.publish(fact, settings.topic_prefix + FACTS, key=str(visit.household_id).encode())

    say_ready()
    await FastStream(broker, logger=None).run()


async def _decide(pool: Pool, visit: Visit) -> Reported:
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(
            """
            select district, carer_id from household left join assignment using (household_id)
            where household_id = $1
            """,
            visit.household_id,
        )
        if row is None or row["carer_id"] != visit.carer_id:
            raise LookupError("not the carer")
        now = datetime.now(UTC)
        fact = Reported(
            **dict(visit), version=1, district=row["district"], period=_period(visit.happened_at), received_at=now
        )
        await db.execute(
            """
            insert into visit (visit_id, regency, state, first_received_at) values ($1, '35.10', $2, $3)
            on conflict do nothing
            """,
            visit.visit_id,
            fact.model_dump_json(),
            now,
        )
    return fact


def _period(happened_at: datetime) -> str:
    return f"{happened_at:%Y-%m}-w{min((happened_at.day - 1) // 7 + 1, 4)}"


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(read_settings()))
