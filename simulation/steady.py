"""The month at a steady rate: nobody waits for the system, some things are said twice, and rubbish is among it.

Only the files are waited for, and the end: a round freezes who is on the list when it opens (rule 15).
"""

import asyncio
import random
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias

from contracts.submissions import CaseUpdateSubmitted, PledgeConfirmationSubmitted
from simulation.claims import Claim
from simulation.deliveries import MONTHLY
from simulation.facts import Listener
from simulation.play import Month, Played, claims_at, files
from simulation.rest import close_watch, open_watch
from simulation.rest_store import set_clocks
from simulation.rubbish import BY_PLACE, KINDS, REQUESTS, Rubbish, spoil
from simulation.sending import Sender, Sent, close_sender, open_sender, record_of
from simulation.system import System
from simulation.unheard import EXCUSED, excused

REPEATED: Final = 0.10
SPOILT: Final = 0.02

_TICK_SECONDS: Final = 0.1
_STEP_SECONDS: Final = 0.25  # at least, so that days without news do not fly
_REMEMBERED: Final = 1_000  # claims back from which one is said again
_AT_ONCE: Final = 20  # items of a request
_OVER_HTTP: Final = ("assignment", "notifications")  # partners' promises, offices' answers
_LATE: Final = frozenset({"pledge_lapsed"})  # of a confirmation: days go by while a service is away (rule 12)
_MISUSE_STEPS: Final = 5  # from one request that has to be turned away to the next

Storm = Callable[[], AbstractAsyncContextManager[None]]
"""While it is entered, things fail; when it is left, all that was broken is whole and ready."""
_Request: TypeAlias = Callable[[], Awaitable[None]]
_Letter: TypeAlias = Claim | Rubbish


@dataclass(slots=True)
class Pace:
    """How the month is told, and what was found on the way."""

    rate: int
    """Records a second over Kafka."""
    last_day: int
    """Of the month; after the recall, so that everything has happened once."""
    draws: random.Random
    recent: deque[Claim] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    told: list[Claim] = field(default_factory=list)
    """Of the kinds that may be excused; the repeated ones too."""
    repeated: int = 0
    spoilt: int = 0
    longest_stall: float = 0.0
    """Seconds in which nothing was heard of the system while something was being said."""
    rests: list[float] = field(default_factory=list)
    """Seconds from the end of each storm until everything was done."""


@dataclass(frozen=True, slots=True)
class Post:
    """The way over HTTP: to each service one request after the other."""

    sender: Sender
    waiting: Mapping[str, asyncio.Queue[_Request | None]]

    def claims(self, claims: Iterable[Claim]) -> None:
        """To whom they are for, some at once."""
        parts: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for claim in claims:
            parts[claim.message.service, claim.source].append(claim)
        for (service, _), part in parts.items():
            for at in range(0, len(part), _AT_ONCE):
                self.waiting[service].put_nowait(partial(self.sender.submit, part[at : at + _AT_ONCE]))

    def misuse(self, turn: int) -> None:
        """A request that has to be turned away, of every kind and at each who is talked to like this in turn."""
        service, kind = _OVER_HTTP[turn % len(_OVER_HTTP)], tuple(REQUESTS)[turn % len(REQUESTS)]
        self.waiting[service].put_nowait(partial(self.sender.misuse, service, "partners", kind))


async def play_steadily(month: Month, system: System, senders: System, pace: Pace, storm: Storm) -> Played:
    """The month from its first day on; `senders` is the system as those see it who send."""
    sender = await open_sender(senders, month.world.policy.regency)
    listener = Listener(system.kafka, system.topic_prefix)
    await listener.start()
    steps = [now for now in month.calendar.steps if month.calendar.day_of(now) <= pace.last_day]
    played = Played(_until(month, pace.last_day), sender.said, listener.outside)
    started = time.monotonic()
    try:
        async with storm(), _measured(pace, listener):
            await set_clocks(system.databases, steps[0])
            await _tell(sender, pace, files(month, steps[0]))
        await _rest(system, listener, pace)
        async with storm(), _measured(pace, listener), _posting(sender) as post:
            for step, now in enumerate(steps[1:], start=1):
                begun = time.monotonic()
                await set_clocks(system.databases, now)
                month.phones.doors.clear()
                post.claims(_late(claim) for claim in month.partners.due(step, now, listener.outside))
                if step % _MISUSE_STEPS == 0:
                    post.misuse(step // _MISUSE_STEPS)
                await _tell_step(sender, pace, post, list(claims_at(month, step, now, listener.outside)))
                await asyncio.sleep(begun + _STEP_SECONDS - time.monotonic())
            await _tell(sender, pace, [*month.visits.held.left(), *month.deliveries.held.left()])
        await _rest(system, listener, pace)
        sender.said.sent |= {
            (claim.source, claim.id): Sent(claim.message.service, claim.right)
            for claim in excused(pace.told, listener.outside)
        }
        played.left |= dict.fromkeys(listener.outside.leaving, steps[-1])
    finally:
        played.seconds, played.waited = time.monotonic() - started, sum(pace.rests)
        await listener.stop()
        await close_sender(sender)
    return played


def _until(month: Month, last_day: int) -> Month:
    """Without the rounds that are not opened any more."""
    opened = {at for at in month.rounds if at == MONTHLY or month.calendar.week_days(at)[0] <= last_day}
    return replace(month, rounds={at: round_id for at, round_id in month.rounds.items() if at in opened})


def _late(claim: Claim) -> Claim:
    is_confirmation = claim.message is PledgeConfirmationSubmitted
    return replace(claim, right=claim.right | _LATE) if is_confirmation else claim


async def _tell_step(sender: Sender, pace: Pace, post: Post, claims: Sequence[Claim]) -> None:
    """Offices answer over HTTP, everybody else over Kafka."""
    post.claims(claim for claim in claims if claim.message is CaseUpdateSubmitted)
    await _tell(sender, pace, [claim for claim in claims if claim.message is not CaseUpdateSubmitted])


async def _tell(sender: Sender, pace: Pace, claims: Iterable[Claim]) -> None:
    letters = deque(_mixed(sender, pace, claims))
    while letters:
        begun = time.monotonic()
        some = [letters.popleft() for _ in range(min(len(letters), round(pace.rate * _TICK_SECONDS)))]
        await sender.send_records(
            [one.record if isinstance(one, Rubbish) else record_of(one, sender.regency) for one in some]
        )
        told = [one for one in some if isinstance(one, Claim)]
        sender.remember(told)
        pace.told += [claim for claim in told if claim.message in EXCUSED]
        rubbish = [one for one in some if isinstance(one, Rubbish) and one.kind not in BY_PLACE]
        sender.said.sent |= {(one.source, one.id): Sent(one.service, KINDS[one.kind].right) for one in rubbish}
        await asyncio.sleep(begun + _TICK_SECONDS - time.monotonic())


def _mixed(sender: Sender, pace: Pace, claims: Iterable[Claim]) -> Iterator[_Letter]:
    """Every claim; some once more, at once or later; and now and then one that somebody spoilt."""
    for claim in claims:
        yield claim
        pace.recent.append(claim)
        if pace.draws.random() < REPEATED:
            pace.repeated += 1
            yield claim if pace.draws.random() < 0.5 else pace.draws.choice(pace.recent)  # noqa: PLR2004  # half of them
        if pace.draws.random() < SPOILT:
            yield spoil(record_of(claim, sender.regency), claim.source, pace.spoilt)
            pace.spoilt += 1


@asynccontextmanager
async def _posting(sender: Sender) -> AsyncIterator[Post]:
    """Everything is answered when it ends."""
    post = Post(sender, {service: asyncio.Queue() for service in _OVER_HTTP})

    async def deliver(queue: asyncio.Queue[_Request | None]) -> None:
        while request := await queue.get():
            await request()

    async with asyncio.TaskGroup() as group:
        for queue in post.waiting.values():
            group.create_task(deliver(queue))
        yield post
        for queue in post.waiting.values():
            queue.put_nowait(None)


@asynccontextmanager
async def _measured(pace: Pace, listener: Listener) -> AsyncIterator[None]:
    """How long nothing was heard."""

    async def look() -> None:
        heard, since = listener.outside.counts.total(), time.monotonic()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if (now := listener.outside.counts.total()) != heard:
                heard, since = now, time.monotonic()
            pace.longest_stall = max(pace.longest_stall, time.monotonic() - since)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()


async def _rest(system: System, listener: Listener, pace: Pace) -> None:
    watch = await open_watch(system)
    started = time.monotonic()
    try:
        await listener.catch_up(await watch.rest())
    finally:
        await close_watch(watch)
    pace.rests.append(time.monotonic() - started)
