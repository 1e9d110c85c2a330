"""Kafka to batches: raw records over all topics of the service, backoff in place, acknowledged after the commit."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.message import AckStatus
from pydantic import SkipValidation

from contracts.topics import topics_read
from messaging import metrics
from messaging.apply import apply
from messaging.batches import MAX_RECORDS, Batch, Batches
from messaging.errors import StoppedError, describe, is_transient
from messaging.failpoints import failpoint
from messaging.health import Health
from messaging.kafka import security
from messaging.logs import log
from messaging.messages import Answer
from messaging.reading import Good, Ignored, Reading
from messaging.settings import Settings
from messaging.transaction import Context

_GIVE_UP_SECONDS: Final = 120  # under max_poll_interval (5 min): the batch is then fetched again
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0
_DRAIN_SECONDS: Final = 8  # under the rebalance timeout
# While records of the busy partitions are in hand, aiokafka asks the broker for the quiet ones alone, one question at a
# time: for as long as that is held open (500 ms by default) nobody hears that there is more on the busy ones.
_FETCH_MILLISECONDS: Final = 100


class Consumer:
    """The one subscriber of a service."""

    def __init__(self, settings: Settings, context: Context, health: Health) -> None:
        self._context = context
        self._health = health
        self._batches = Batches(context, settings.topic_prefix)
        self._leaving = asyncio.Event()
        self.busy = asyncio.Lock()
        """Held while a batch is carried out."""
        self._broker = KafkaBroker(
            settings.kafka.split(","),  # FastStream takes a text for one address
            security=security(settings),
            consumer_only=True,  # one producer a process, the relay's
            graceful_timeout=20,
            logger=None,  # what FastStream says of an error quotes it
        )
        name = context.card.name
        is_static = settings.replica is not None
        self._subscriber = self._broker.subscriber(
            *(settings.topic_prefix + topic.name for topic in topics_read(name, context.handlers)),
            group_id=settings.topic_prefix + name,
            group_instance_id=settings.replica,
            batch=True,
            max_records=MAX_RECORDS,
            fetch_max_wait_ms=_FETCH_MILLISECONDS,
            auto_offset_reset="earliest",  # the default would skip what came before the first start
            ack_policy=AckPolicy.NACK_ON_ERROR,  # the default acknowledges first
            session_timeout_ms=10_000,
            heartbeat_interval_ms=1_000,
            rebalance_timeout_ms=30_000 if is_static else 10_000,
            listener=_Drain(self),
            # The default parser decodes headers: one that is null or not UTF-8 would drop the whole batch.
            parser=_parse,
            decoder=_decode,
        )
        # FastStream's own sleeps after an empty poll: with its eyes shut when long, a busy loop when short.
        self._subscriber.get_msg = self._batches.next  # type: ignore[method-assign]
        self._subscriber(self._receive)
        for message in context.handlers:  # so that the first rises from 0 and is seen to
            metrics.MESSAGES.labels(message.type, "quarantined")

    async def start(self) -> None:
        """Join the group. Kafka and all topics must be there."""
        self._health.wait("partitions", "Waits for Kafka to assign partitions.")
        await self._broker.start()

    async def stop(self) -> None:
        """Finish and acknowledge the batch in hand, then leave."""
        self._leaving.set()
        async with asyncio.timeout(_GIVE_UP_SECONDS), self.busy:
            pass
        self._batches.forget()
        await self._broker.stop()

    @property
    def kafka(self) -> AIOKafkaConsumer | None:
        """The client below, for the watchdog."""
        return self._subscriber.consumer

    async def drain(self) -> None:
        """Before partitions are given away: let the batch in hand finish, or what cannot finish be fetched again."""
        self._leaving.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS), self.busy:
                pass
        self._batches.forget()

    def resume(self) -> None:
        """Partitions were assigned."""
        self._leaving.clear()
        self._health.found("partitions")

    async def _receive(self, batch: SkipValidation[Any], message: KafkaMessage) -> None:
        client: Any = message.consumer
        async with self.busy:
            started = time.perf_counter()
            if not self._batches.is_ours(batch):  # given away while this waited for the one before it
                message.committed = AckStatus.ACKED
                return
            try:
                answers = await self._carry_out(batch.readings)
            except BaseException:
                self._batches.rewind(client)
                raise
            failpoint("before_acknowledge")
            message.committed = AckStatus.ACKED  # FastStream's own way acknowledges what was fetched ahead as well
            try:
                await client.commit(batch.offsets)
            except KafkaError as error:  # taken from us: whoever has the partition now meets the inbox
                metrics.COMMIT_FAILURES.labels(type(error).__name__).inc()
            _report(batch, answers, time.perf_counter() - started)
            batch.readings.clear()  # FastStream's message stands in cycles: they would live until garbage is collected

    async def _carry_out(self, readings: Sequence[Reading | Ignored]) -> list[Answer]:
        """Backs off in place for as long as heartbeats alone keep the partitions, then raises: fetched again."""
        deadline, pause = time.monotonic() + _GIVE_UP_SECONDS, _FIRST_PAUSE_SECONDS
        while True:
            try:
                answers = await apply(self._context, readings)
            except Exception as error:
                self._explain(error)
                if time.monotonic() > deadline or self._leaving.is_set():
                    raise
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._leaving.wait(), pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                return answers

    def _explain(self, error: Exception) -> None:
        if isinstance(error, StoppedError):
            return  # said by who looks at the breaker
        metrics.RETRIES.labels(type(error).__name__).inc()
        level = log.warning if is_transient(error) else log.error
        level("batch tries again", error=describe(error))


class _Drain(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if revoked:
            await self._consumer.drain()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:  # noqa: ARG002  # aiokafka's
        self._consumer.resume()


async def _parse(
    records: tuple[ConsumerRecord, ...], original: Callable[[Any], Awaitable[KafkaMessage]]
) -> KafkaMessage:
    message = await original((replace(records[0], headers=()),))
    message.raw_message = records
    return message


async def _decode(message: KafkaMessage) -> Any:
    return message.raw_message


def _report(batch: Batch, answers: Sequence[Answer], seconds: float) -> None:
    now, readings = time.time(), [one for one in batch.readings if isinstance(one, Good)]
    if stamps := [record.timestamp for record in batch if record.timestamp > 0]:
        metrics.AGE_SECONDS.observe(max(0.0, now - min(stamps) / 1000))
    decided = [one.envelope.time for one in readings if not one.record.is_submission]
    if decided:
        metrics.FACT_SECONDS.observe(max(0.0, now - _seconds(min(decided))))
    log.info(
        "batch",
        types=dict(Counter(type(one.data).__name__ for one in readings)),
        outcomes=dict(Counter(answer.outcome for answer in answers)),
        milliseconds=round(seconds * 1000),
    )


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return time.time()
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
