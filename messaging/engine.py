"""Everything that runs beside HTTP in a service's process: pools, relay, sweep, jobs, consumer, watchdog."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError

from contracts.topics import TOPICS, consumed_by
from messaging import migrate
from messaging.consumer import Consumer
from messaging.database import ACQUIRE_SECONDS, Pool, open_pool
from messaging.errors import describe, is_transient
from messaging.health import Health
from messaging.jobs import Job, Jobs
from messaging.kafka import missing_topics
from messaging.lag import Lag
from messaging.logs import log
from messaging.measure import measure_forever
from messaging.messages import Card, Handlers
from messaging.quarantine import Seal, new_breaker
from messaging.relay import Relay
from messaging.replay import replay_forever
from messaging.retention import Pruning
from messaging.retry import retry_forever
from messaging.settings import Settings
from messaging.signals import listen
from messaging.sweep import sweep_forever
from messaging.tokens import Keys
from messaging.transaction import Context
from messaging.watchdog import watch

_LOOK_SECONDS: Final = 1.0
_READERS: Final = 4
_SUBMISSIONS: Final = 4  # HTTP requests that are carried out at once
# How many each part holds at once; retry and replay keep their lock on one of two. A job holds one.
_CONNECTIONS: Final = {
    "consumer": 1,
    "sweep": 1,
    "measure": 1,
    "retry": 2,
    "replay": 2,
    "submissions": _SUBMISSIONS,
    "health": 1,
}
_CLOSE_SECONDS: Final = 5
_HARD_EXIT_SECONDS: Final = 40
_CODE_HARD_EXIT: Final = 71
_CODE_WATCHDOG: Final = 70


class Engine:
    """One service in one process. HTTP is up from the start and says what the rest waits for."""

    def __init__(self, card: Card, handlers: Handlers, jobs: Collection[Job], settings: Settings) -> None:
        self.health = Health()
        self.keys = Keys(settings)
        self.readers: Pool | None = None
        """For HTTP; null until the database is there."""
        self.context: Context | None = None
        """For deciding; null until the database is there and migrated."""
        self.turns = asyncio.Semaphore(_SUBMISSIONS)
        """For HTTP submissions: without turns they would take the connections of all the rest."""
        self._card, self._handlers, self._settings = card, handlers, settings
        jobs = (*jobs, Pruning().job)
        self._jobs = Jobs(jobs)
        self.connections = sum(_CONNECTIONS.values()) + len(jobs)
        """For deciding, at most."""
        self._relay = Relay(settings, card.name)
        self._consumer: Consumer | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Open everything in the background."""
        self._task = asyncio.create_task(self._run(), name="engine")

    async def stop(self) -> None:
        """Finish the batch in hand, commit, acknowledge, leave."""
        exit_timer = threading.Timer(_HARD_EXIT_SECONDS, os._exit, [_CODE_HARD_EXIT])
        exit_timer.daemon = True
        exit_timer.start()  # leaving an unreachable Kafka can hang for ever
        if self._consumer is not None:
            with suppress(KafkaError, TimeoutError):
                await self._consumer.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for pool in (self.readers, self.context.pool if self.context else None):
            if pool is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(pool.close(), _CLOSE_SECONDS)
        exit_timer.cancel()

    async def waiting(self) -> dict[str, str]:
        """What the service waits for, now; empty when it is ready."""
        pool = self.context.pool if self.context else self.readers  # whoever reads over HTTP may wait for others
        if pool is not None:
            try:
                async with asyncio.timeout(2):
                    await pool.fetchval("select 1")
            except Exception as error:
                if not is_transient(error):
                    raise
                return self.health.waiting | {"postgresql": "PostgreSQL does not answer."}
        return dict(self.health.waiting)

    async def _run(self) -> None:
        try:
            await self._open_and_run()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # whatever part died, only a restart helps
            self._fail(describe(error))

    async def _open_and_run(self) -> None:
        self.health.wait("postgresql", "Waits for PostgreSQL.")
        self.health.wait("kafka", "Waits for Kafka.")
        await self._until("postgresql", self._open_pools)
        await self._until("migrations", self._check_migrations)
        await self._until("postgresql", self._open_context)
        context = self.context
        if context is None:
            return
        await self._until("jobs", lambda: self._jobs.announce(context))
        swept, retry_asked, replay_asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        wakers = {
            "parked": swept.set,
            "quarantine": retry_asked.set,
            "replay": replay_asked.set,
            "clock": self._jobs.run_at_once,
            "jobs": self._jobs.run_at_once,
        }
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay.run(), name="relay")
            group.create_task(listen(self._settings.database_url.get_secret_value(), wakers), name="listen")
            group.create_task(sweep_forever(context, swept), name="sweep")
            group.create_task(retry_forever(context, retry_asked), name="retry")
            group.create_task(replay_forever(context, self._settings, replay_asked), name="replay")
            group.create_task(measure_forever(context, self.health), name="measure")
            group.create_task(self._jobs.run(context), name="jobs")
            await self._until("kafka", self._check_topics)
            self._consumer = Consumer(self._settings, context, self.health)
            await self._consumer.start()
            gc.collect()
            gc.freeze()  # what lives now lives for ever: not to be looked at again
            gc.set_threshold(50_000, 20, 20)
            lag = Lag(self._settings, self._settings.topic_prefix + context.card.name)
            group.create_task(watch(self._consumer, self._relay, lag, self.health, self._fail), name="watchdog")

    async def _open_pools(self) -> str | None:
        url = self._settings.database_url.get_secret_value()
        if self.readers is None:
            self.readers = await open_pool(url, size=_READERS, name=f"berbagi-{self._card.name}-http")
        return None

    async def _open_context(self) -> str | None:
        url = self._settings.database_url.get_secret_value()
        self.context = Context(
            self._card,
            self._handlers,
            await open_pool(url, size=self.connections, name=f"berbagi-{self._card.name}"),
            Seal(self._settings.data_key.get_secret_value()),
            new_breaker(),
            self._settings.development,
            self._jobs.arrived,
        )
        return None

    async def _check_migrations(self) -> str | None:
        folders = [] if self._card.migrations is None else [self._card.migrations]
        pool = self.readers
        if pool is None:
            return "Waits for PostgreSQL."
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
            names = await migrate.missing(db, folders)
        return f"Waits for `berbagi migrate`: {', '.join(names)} not applied." if names else None

    async def _check_topics(self) -> str | None:
        names = {topic.name for topic in consumed_by(self._card.name)}
        names |= {topic.name for topic in TOPICS if self._card.name in topic.producers}
        lacking = await missing_topics(self._settings, [self._settings.topic_prefix + name for name in names])
        return f"Waits for topics: {', '.join(lacking)}." if lacking else None

    async def _until(self, what: str, check: Callable[[], Awaitable[str | None]]) -> None:
        """Look every second until nothing is missing; meanwhile health says what is."""
        while True:
            try:
                lacking = await check()
            except (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                lacking = f"Waits for {what}: {type(error).__name__}."
            if lacking is None:
                self.health.found(what)
                return
            if self.health.waiting.get(what) != lacking:
                log.warning("waiting", missing=lacking)
            self.health.wait(what, lacking)
            await asyncio.sleep(_LOOK_SECONDS)

    def _fail(self, reason: str) -> None:
        """Leave, so that whoever supervises starts us again."""
        if self.health.fatal is None:
            self.health.fatal, self.health.exit_code = reason, _CODE_WATCHDOG
            log.critical("leaving", reason=reason)
            signal.raise_signal(signal.SIGTERM)
