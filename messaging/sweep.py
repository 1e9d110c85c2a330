"""Tries parked submissions again: when woken by what they wait for, and every 2 seconds as a net."""

import asyncio
from contextlib import suppress
from typing import Final

from contracts.refusals import RefusalCode
from messaging import metrics
from messaging.apply import carry_out, ensure_not_stopped
from messaging.database import ACQUIRE_SECONDS
from messaging.errors import StoppedError, describe, is_transient
from messaging.inbox import Claiming
from messaging.logs import log
from messaging.messages import Refused
from messaging.parked import claim_parked, list_due, measure_parked
from messaging.reading import Ignored, Reading, failed, read
from messaging.transaction import Context

_EVERY_SECONDS: Final = 2.0
_CLAIM: Final[Claiming] = claim_parked


async def sweep_forever(context: Context, woken: asyncio.Event) -> None:
    """Sweep until cancelled."""
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), _EVERY_SECONDS)
        woken.clear()
        try:
            await ensure_not_stopped(context)
            while await sweep(context):
                pass
            async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
                rows, oldest = await measure_parked(db)
            metrics.PARKED_ROWS.set(rows)
            metrics.PARKED_OLDEST.set(oldest)
        except StoppedError:
            continue
        except Exception as error:  # noqa: BLE001  # one that cannot be opened must not stop a service; the age alarms
            log.warning("sweep tries again", error=describe(error), transient=is_transient(error))


async def sweep(context: Context) -> bool:
    """Carry out what is due; false when nothing is left to do now."""
    async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        due = await list_due(db, context.seal)
    readings: list[Reading] = []
    for one in due:
        reading = read(one.record, context.card, context.handlers)
        if not isinstance(reading, Ignored):
            readings.append(failed(reading, Refused(RefusalCode.EXPIRED)) if one.expired else reading)
    return bool(readings) and bool(await carry_out(context, readings, _CLAIM))
