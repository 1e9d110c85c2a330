"""The month that is played: step the clock, send what happened since, wait for rest, hear what came of it."""

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from contracts.topics import SERVICES
from simulation import candidates, decisions, depots, life, offices, partners, register
from simulation.agenda import Agenda
from simulation.calendar import Calendar
from simulation.claims import Claim
from simulation.deliveries import Deliveries, make_rounds, plan_deliveries
from simulation.facts import Listener, Outside
from simulation.fate import Fate, draw_fate
from simulation.phones import Phones
from simulation.rest import Watch, close_watch, open_watch
from simulation.sending import Said, Sender, close_sender, open_sender
from simulation.system import System
from simulation.visits import Visits, plan_visits
from simulation.world import World

_FILES_STEP: Final = 0
_TOLD_AT_ONCE: Final = 1_000  # while the next are made, the system is at work on these


@dataclass(frozen=True, slots=True)
class Month:
    """The world, what will happen in it, and everybody who tells the system."""

    world: World
    calendar: Calendar
    fate: Fate
    rounds: dict[int, str]
    phones: Phones
    visits: Visits
    deliveries: Deliveries
    depots: depots.Depots
    changes: life.Changes
    offices: offices.Offices
    partners: partners.Partners
    candidates: candidates.Candidates
    decisions: decisions.Decisions


@dataclass(frozen=True, slots=True)
class Moment:
    """What a watcher of the play is shown."""

    at: datetime
    step: int
    steps: int
    sent: int
    outside: Outside


@dataclass(slots=True, repr=False)
class Played:
    """What was said and heard, for the reconciliation.

    Without a repr: asyncio asks for that of a program's result when the program ends, and this one's takes 15 s.
    """

    month: Month
    said: Said
    outside: Outside
    seconds: float = 0.0
    waited: float = 0.0
    unsubmitted: list[Claim] = field(default_factory=list)
    """Whom they are for does not answer over HTTP; said again at the next step."""
    away: set[str] = field(default_factory=set)
    """Services that were not there at some step."""
    left: dict[str, datetime] = field(default_factory=dict)
    """By carer's id: when the registry had said that they left, and assignment was there to hear it."""


Show = Callable[[Moment], None]
Interfere = Callable[[int, datetime], Awaitable[None]]
"""Called before each step, with its number: tests kill and start services."""


def plan_month(world: World, calendar: Calendar) -> Month:
    """Everything but the answers."""
    fate = draw_fate(world, calendar)
    rounds = make_rounds(world.draws)
    phones = Phones(world, fate, calendar)
    carried = plan_deliveries(phones, rounds, calendar)
    return Month(
        world=world,
        calendar=calendar,
        fate=fate,
        rounds=rounds,
        phones=phones,
        visits=plan_visits(phones, calendar),
        deliveries=carried,
        depots=depots.plan_depots(world, calendar, rounds),
        changes=life.plan_changes(world, fate, calendar),
        offices=offices.Offices(world.draws, calendar, Agenda(calendar.steps)),
        partners=partners.plan_partners(world, calendar),
        candidates=candidates.plan_candidates(carried),
        decisions=decisions.plan_decisions(carried),
    )


async def play(month: Month, system: System, show: Show, interfere: Interfere | None = None) -> Played:
    """The whole month, from the first step to the last."""
    sender, watch = await open_sender(system, month.world.policy.regency), await open_watch(system)
    listener = Listener(system.kafka, system.topic_prefix)
    await listener.start()
    played = Played(month, sender.said, listener.outside)
    started = time.monotonic()
    try:
        for step, now in enumerate(month.calendar.steps):
            if interfere is not None:
                await interfere(step, now)
            played.away |= set(SERVICES) - system.up()
            async with listener.silence:
                await _step(played, sender, watch, step, now)
            await listener.catch_up(await watch.rest())
            _note_leavers(played, system, now)
            show(Moment(now, step + 1, len(month.calendar.steps), sender.said.count, listener.outside))
    finally:
        played.seconds, played.waited = time.monotonic() - started, watch.waited
        await listener.stop()
        await close_watch(watch)
        await close_sender(sender)
    return played


def _note_leavers(played: Played, system: System, now: datetime) -> None:
    if "assignment" in system.up():
        played.left |= dict.fromkeys(played.outside.leaving, now)
        played.outside.leaving.clear()


async def _step(played: Played, sender: Sender, watch: Watch, step: int, now: datetime) -> None:
    """What happened until now is said; facts that were heard before decide what can be."""
    month, outside = played.month, played.outside
    await watch.set_clocks(now)
    month.phones.doors.clear()
    if step == _FILES_STEP:
        await _tell(sender, files(month, now))
        return
    played.unsubmitted.extend(month.partners.due(step, now, outside))
    if "assignment" in watch.system.up():
        await sender.submit(played.unsubmitted)
        played.unsubmitted.clear()
    await _tell(sender, claims_at(month, step, now, outside))


async def _tell(sender: Sender, claims: Iterator[Claim]) -> None:
    while some := list(islice(claims, _TOLD_AT_ONCE)):
        await sender.send(some)


def files(month: Month, now: datetime) -> Iterator[Claim]:
    """What the month begins with: the register, aid that is received already, the staff."""
    yield from register.household_rows(month.world, now)
    yield from register.enrolments(month.world, month.fate, now)
    yield from register.staff_rows(month.world, now)


def claims_at(month: Month, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
    """What is said over Kafka at a step."""
    yield from month.depots.due(now, outside)
    yield from month.changes.due(step, now, outside)
    yield from month.decisions.due(step, now, outside)
    yield from month.candidates.due(step, now, outside)
    yield from month.offices.due(step, now, outside)
    yield from month.visits.due(step, now, outside)
    yield from month.deliveries.due(step, now, outside)
