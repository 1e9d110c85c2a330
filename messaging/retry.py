"""Tries quarantined messages again when an operator asks: as they came, through the same transaction."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

from messaging.apply import carry_out
from messaging.database import Connection, alone
from messaging.errors import describe, is_transient
from messaging.inbox import Claiming, claim_new
from messaging.logs import log
from messaging.messages import Answer
from messaging.quarantine import Breaker
from messaging.reading import Ignored, Reading, read
from messaging.requested import Requested, claim_requested, give_back, list_requested, settle_elsewhere
from messaging.transaction import Context

_EVERY_SECONDS: Final = 2.0
_CLAIM: Final[Claiming] = claim_requested


async def retry_forever(context: Context, asked: asyncio.Event) -> None:
    """Retry what is asked for until cancelled; while the breaker is open too, for it shows whether a cause is gone."""
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), _EVERY_SECONDS)
        asked.clear()
        try:
            while await retry(context):
                pass
        except Exception as error:  # noqa: BLE001  # a bug here must not stop a service; the request stays and shows
            log.warning("retry tries again", error=describe(error), transient=is_transient(error))


async def retry(context: Context) -> bool:
    """Carry out what is asked for; false when nothing is left to do now, or another replica is at it."""
    async with alone(context.pool, "retry") as db:
        requested = await list_requested(db, context.seal) if db is not None else []
        if db is None or not requested:
            return False
        answers = await _carry_out(context, db, requested)
    log.info("retried", messages=len(requested), outcomes=dict(Counter(answer.outcome for answer in answers)))
    return bool(answers)


async def _carry_out(context: Context, db: Connection, requested: Sequence[Requested]) -> list[Answer]:
    same: list[Reading] = []
    other: dict[UUID, Reading | Ignored] = {}
    for one in requested:
        if one.record is not None:
            reading = read(one.record, context.card, context.handlers)
            if not isinstance(reading, Ignored) and reading.message_id == one.message_id:
                same.append(reading)
            else:  # this version passes over it, or reads what its predecessor could not
                other[one.message_id] = reading
    # What an operator tries again never opens the breaker: its failures are known, and no topic is drained.
    context = replace(context, breaker=Breaker(deque(maxlen=0)))
    answers = await carry_out(context, same, _CLAIM) if same else []
    renamed = {old: reading for old, reading in other.items() if not isinstance(reading, Ignored)}
    decided = await carry_out(context, list(renamed.values()), claim_new) if renamed else []
    answers += decided
    await settle_elsewhere(db, dict.fromkeys(other, Answer("unchanged")) | dict(zip(renamed, decided, strict=True)))
    await give_back(db, [one.message_id for one in requested if one.record is None])
    return answers
