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
from messaging.parked import Due, claim_parked, list_due, put_off
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
        except StoppedError:
            continue
        except Exception as error:  # noqa: BLE001  # a bug here must not stop a service; the age shows it
            log.warning("sweep tries again", error=describe(error), transient=is_transient(error))


async def sweep(context: Context) -> bool:
    """Carry out what is due; false when nothing is left to do now."""
    async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        due = await list_due(db, context.seal)
        sealed = [one.message_id for one in due if one.record is None]
        await put_off(db, sealed)
    if sealed:
        metrics.PARKED_UNOPENED.inc(len(sealed))
        log.error("parked cannot be opened", messages=len(sealed), first=sealed[0])
    readings = [reading for one in due if (reading := _read(context, one)) is not None]
    return bool(readings and await carry_out(context, readings, _CLAIM)) or bool(sealed)


def _read(context: Context, due: Due) -> Reading | None:
    if due.record is None:
        return None
    reading = read(due.record, context.card, context.handlers)
    if isinstance(reading, Ignored):
        return None
    return failed(reading, Refused(RefusalCode.EXPIRED)) if due.expired else reading
