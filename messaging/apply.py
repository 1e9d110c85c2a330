"""Messages are carried out whatever is in them: all at once when all is well, else split until the bad one is alone."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from contracts.topics import MESSAGES
from messaging import metrics
from messaging.database import ACQUIRE_SECONDS
from messaging.errors import StoppedError, describe, is_bad_data, is_transient
from messaging.inbox import Claiming, claim_new
from messaging.messages import Answer
from messaging.quarantine import count_failures, look_at_breaker, stop
from messaging.reading import Good, Ignored, Quarantined, Reading, Record, failed, read
from messaging.transaction import Context, Decision, commit

_LOOK_EVERY_SECONDS: Final = 2.0
_BUG_TRIES: Final = 10
_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.3


def read_all(context: Context, records: Sequence[Record]) -> list[Reading | Ignored]:
    """What the records say; needs no database, so it can be done while another batch commits."""
    return [read(record, context.card, context.handlers) for record in records]


async def apply(context: Context, readings: Sequence[Reading | Ignored]) -> list[Answer]:
    """Carry out a batch, from Kafka or HTTP alike, and say what became of each message, in order.

    Raises only what is transient, and StoppedError; whoever calls tries again, and repeats do no harm.
    """
    await ensure_not_stopped(context)
    started = time.perf_counter()
    messages = [reading for reading in readings if not isinstance(reading, Ignored)]
    answers = iter(await carry_out(context, messages, claim_new) if messages else ())
    metrics.BATCH_SECONDS.observe(time.perf_counter() - started)
    for kind, count in Counter(reading.type for reading in readings if isinstance(reading, Ignored)).items():
        metrics.MESSAGES.labels(kind, "ignored").inc(count)
    return [Answer("ignored") if isinstance(reading, Ignored) else next(answers) for reading in readings]


async def ensure_not_stopped(context: Context) -> None:
    """Raise StoppedError while the breaker is open."""
    if time.monotonic() - context.breaker.checked_at >= _LOOK_EVERY_SECONDS:
        async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            await look_at_breaker(db, context.breaker)
        context.breaker.checked_at = time.monotonic()
        metrics.BREAKER.set(context.breaker.reason is not None)
    if context.breaker.reason is not None:
        raise StoppedError(context.breaker.reason)


async def carry_out(context: Context, readings: Sequence[Reading], claim: Claiming) -> list[Answer]:
    """Commit these messages; a bug is tried ten times, then what fails is found and quarantined."""
    pause = _FIRST_PAUSE_SECONDS
    for attempt in range(1, _BUG_TRIES + 1):
        try:
            return await _commit(context, readings, claim)
        except Exception as error:  # any error of a handler is a bug unless known as something else
            if _is_not_of_the_messages(error):
                raise
            metrics.RETRIES.labels(type(error).__name__).inc()
            if is_bad_data(error) or attempt == _BUG_TRIES:
                break
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    return await _isolate(context, readings, claim)


async def _isolate(context: Context, readings: Sequence[Reading], claim: Claiming) -> list[Answer]:
    """Halve what failed until the bad one is alone; in order, so that no subject's messages overtake."""
    if len(readings) == 1:
        return await _commit_alone(context, readings[0], claim)
    answers = []
    for half in (readings[: len(readings) // 2], readings[len(readings) // 2 :]):
        try:
            answers += await _commit(context, half, claim)
        except Exception as error:
            if _is_not_of_the_messages(error):
                raise
            answers += await _isolate(context, half, claim)
    return answers


async def _commit_alone(context: Context, reading: Reading, claim: Claiming) -> list[Answer]:
    try:
        return await _commit(context, [reading], claim)
    except Exception as error:
        if _is_not_of_the_messages(error):
            raise
        reason = "bad_data" if is_bad_data(error) else "bug"
        fate = Quarantined(reason, describe(error))
    return await _commit(context, [failed(reading, fate)], claim)


def _is_not_of_the_messages(error: Exception) -> bool:
    return isinstance(error, StoppedError) or (is_transient(error) and not is_bad_data(error))


async def _commit(context: Context, readings: Sequence[Reading], claim: Claiming) -> list[Answer]:
    done = await commit(context, readings, claim)
    _measure(done.decisions)
    metrics.REPEATS.inc(len(done.answers) - len(done.decisions))
    failures = sum(_is_failure(one) for one in done.decisions)
    if count_failures(context.breaker, failed=failures, fine=len(done.decisions) - failures):
        async with context.pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            await stop(db, context.breaker)
        metrics.BREAKER.set(1)
        raise StoppedError(context.breaker.reason)
    return done.answers


def _is_failure(decision: Decision) -> bool:
    """What failed; never an integrator's unreadable submission, nor a type this version does not know."""
    if not isinstance(decision.fate, Quarantined):
        return False
    is_fact = not decision.taken.reading.record.is_submission
    return decision.fate.reason in {"bug", "bad_data"} or (is_fact and decision.fate.reason == "unreadable")


def _measure(decisions: Sequence[Decision]) -> None:
    outcomes = Counter((_kind(one), one.answer.outcome) for one in decisions)
    for (kind, outcome), count in outcomes.items():
        metrics.MESSAGES.labels(kind, outcome).inc(count)
    for one in decisions:
        if isinstance(one.fate, Quarantined):
            metrics.QUARANTINED.labels(one.fate.reason).inc()


def _kind(decision: Decision) -> str:
    """The type as a label: a known one or `unknown`, for a sender must not be able to make labels."""
    reading = decision.taken.reading
    if isinstance(reading, Good):
        return reading.data.type
    return reading.type if reading.type in MESSAGES else "unknown"
