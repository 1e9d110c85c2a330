"""The promise of `messaging` as one machine: the toy service, records of three households, and everything that dies.

Modelled: per household a log of facts and one of submissions, as partitions of Kafka keep them, and how far each was
acknowledged; a batch takes the next records of some logs, in any order between them. A process dies in a handler, at
its commit (the server ends the session), after the commit, or before it acknowledges: then the records are fetched
again. The relay dies between publishing and deleting. Two processes decide at once: the same records (a zombie), those
of other logs, or what is parked. The model is a dict of what was sent.

Fails when (each was broken, and seen to fail): the inbox does not keep out what was seen before; a successor overtakes
what is parked; an arrival does not wake what waits for it; the outbox is written outside the transaction; facts are
published in the order in which messages came, not in which they were decided; two sweeps are given the same parked
message; other content under a known id passes for a repeat; a handler meets one subject twice in a call; what is parked
is tried in any order; what was decided stays parked.
"""

from collections import defaultdict, deque
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis.stateful import invariant, rule

from contracts.events import HouseholdUnserved
from messaging import Connection, Outcome, Received
from messaging.apply import read_all
from messaging.errors import is_transient
from messaging.messages import Answer, Handler
from messaging.quarantine import Breaker
from messaging.reading import Good, Record
from messaging.sweep import sweep
from messaging.transaction import Context
from tests.machines.machine import Ground, Length, Machine, at_once, run_machine, settings_of
from tests.machines.sent import (
    ACCEPTED,
    CAME_IN,
    CARERS,
    CHORES,
    DELIVERED,
    DYING,
    FACTS,
    FATES,
    FETCHED,
    HANDLERS,
    HOUSEHOLDS,
    LOGS,
    PARKED,
    QUARANTINED,
    REUSED,
    Again,
    Beside,
    Chore,
    Ending,
    Kind,
    Log,
    New,
    Out,
    Sent,
    altered,
    fact,
    look,
    report,
)
from tests.messaging import toy
from tests.messaging.running import carry_out, open_context


class KilledError(BaseException):
    """The process is gone: nothing of it catches this."""


class Messaging(Machine):
    """Three households, one service, and whoever kills it."""

    def __init__(self, ground: Ground, context: Context) -> None:
        super().__init__(ground)
        self.ending = Ending.NONE
        self.context = replace(
            context,
            handlers={kind: partial(self.handle, one) for kind, one in HANDLERS.items()},
            arrived=self.arrived,
            breaker=Breaker(deque(maxlen=20)),  # remembers too few failures to open
        )
        self.sent: dict[UUID, Sent] = {}
        self.logs: dict[Log, list[Record]] = defaultdict(list)
        self.acknowledged: dict[Log, int] = defaultdict(int)
        self.answers: dict[UUID, Answer] = {}
        self.published: list[Out] = []
        self.met_twice = False
        """Whether a handler met one subject twice in a call."""
        self.tables = self.do(look(self.context.pool))

    @rule(came_in=CAME_IN, logs=FETCHED, how=DELIVERED, chores=CHORES)
    def go_on(self, came_in: list[New | Again], logs: list[Log], how: Ending | Beside, chores: list[Chore]) -> None:
        """Messages come in, a batch is delivered, and the service does some of its chores."""
        self.take(came_in)
        if isinstance(how, Beside):
            self.do(self.deliver_beside(logs, how))
        else:
            self.do(self.decide(self.fetch(logs), how))
        for chore in chores:
            self.do_chore(chore)

    async def deliver_beside(self, logs: list[Log], beside: Beside) -> None:
        """A zombie has the same batch, and does not acknowledge it; another replica has what is submitted."""
        batch = self.fetch(logs)
        if beside is Beside.A_ZOMBIE:
            works = [self.decide(batch, Ending.NONE), self.decide(batch, Ending.BEFORE_ACKNOWLEDGE)]
        elif beside is Beside.ANOTHER_REPLICA:
            facts = [one for one in batch if one[0][0] == FACTS]
            works = [self.decide(part, Ending.NONE) for part in (facts, [one for one in batch if one not in facts])]
        else:
            sweeps = [self.survive(self.sweep(), Ending.NONE) for _ in range(2)]
            works = [*sweeps, self.decide(batch, Ending.NONE)]
        await at_once(*works)

    def do_chore(self, chore: Chore) -> None:
        match chore:
            case Chore.SWEEP_TWICE_AT_ONCE:
                self.do(at_once(*(self.survive(self.sweep(), Ending.NONE) for _ in range(2))))
            case Chore.SWEEP_AND_DIE_AT_COMMIT:
                self.do(self.survive(self.sweep(), Ending.AT_COMMIT))
            case Chore.SWEEP_AND_DIE_AFTER_COMMIT:
                self.do(self.survive(self.sweep(), Ending.AFTER_COMMIT))
            case Chore.RELAY | Chore.RELAY_AND_DIE:
                self.published += self.do(look(self.context.pool)).outbox
                if chore is Chore.RELAY:
                    self.do(self.context.pool.execute("delete from outbox"))
            case Chore.WAIT_A_WEEK:
                self.do(self.context.pool.execute("update parked set parked_at = parked_at - interval '8 days'"))
            case Chore.COME_TO_REST:
                self.come_to_rest()

    def come_to_rest(self) -> None:
        """All is carried out, and no clock needed to pass for it; what is parked waits for its household."""
        self.do(self.decide([(log, record) for log in LOGS for record in self.waiting(log)], Ending.NONE))
        self.do(self.sweep())

        tables = self.do(look(self.context.pool))
        assert set(tables.seen) >= set(self.sent)
        assert not set(tables.served) & set(tables.parked.values())

    @invariant()
    def the_promise_holds(self) -> None:
        self.tables = self.do(look(self.context.pool))
        assert not self.met_twice
        self.nothing_is_lost_or_made_up_and_every_answer_stays()
        self.versions_leave_gapless_and_in_order()
        self.every_refusal_is_told_once()
        for household_id in HOUSEHOLDS:
            self.one_message_has_one_effect_in_the_order_of_its_subject(household_id)
            self.nobody_overtakes_who_is_parked(household_id)

    def nothing_is_lost_or_made_up_and_every_answer_stays(self) -> None:
        seen = self.tables.seen
        delivered = [record for log in LOGS for record in self.logs[log][: self.acknowledged[log]]]
        assert {self.read(record).message_id for record in delivered} <= set(seen)
        for message_id, answer in seen.items():
            if message_id in self.sent:
                assert answer in FATES[self.sent[message_id].kind]
                self.note(message_id, answer)
            else:
                assert answer == REUSED
        assert self.tables.quarantined == {one for one, answer in seen.items() if answer == QUARANTINED}
        assert set(self.tables.parked) == {one for one, answer in seen.items() if answer == PARKED}

    def versions_leave_gapless_and_in_order(self) -> None:
        out = list(dict.fromkeys([*self.published, *self.tables.outbox]))
        for household_id in HOUSEHOLDS:
            firsts = [fact for fact in out if fact.subject == str(household_id)]
            versions = [HouseholdUnserved.model_validate_json(fact.value).version for fact in firsts]
            assert versions == list(range(1, self.tables.served.get(household_id, 0) + 1))
            for kind in (Kind.FACT, Kind.VISIT):
                causes = [one.causationid for one in firsts if one.causationid.startswith("visit") is (kind in CARERS)]
                assert causes == [sent.id for sent in self.accepted(household_id, kind)]

    def every_refusal_is_told_once(self) -> None:
        facts = {message_id for message_id, sent in self.sent.items() if sent.record.topic == FACTS}
        refused = [one for one, answer in self.tables.seen.items() if answer.outcome in ("refused", "quarantined")]
        told = {fact for fact in (*self.published, *self.tables.outbox) if fact.topic == "refusals"}
        assert len(told) == len(set(refused) - facts)

    def one_message_has_one_effect_in_the_order_of_its_subject(self, household_id: UUID) -> None:
        done = [visit_id for visit_id, where in self.tables.visits if where == household_id]
        assert done == [sent.visit_id for sent in self.accepted(household_id, Kind.VISIT)]

    def nobody_overtakes_who_is_parked(self, household_id: UUID) -> None:
        parked = [message_id for message_id, where in self.tables.parked.items() if where == household_id]
        submitted = [
            message_id
            for message_id, sent in self.sent.items()
            if sent.household_id == household_id and sent.visit_id and message_id in self.tables.seen
        ]
        assert parked == submitted[len(submitted) - len(parked) :]

    def take(self, came_in: list[New | Again]) -> None:
        """Somebody has sent these; a submission may come again with other content under its id."""
        for one in came_in:
            if isinstance(one, New):
                number = len(self.sent) if one.kind in CARERS else 1 + len(self.logs[FACTS, one.household_id])
                sent = (report if one.kind in CARERS else fact)(one.kind, one.household_id, number)
                self.sent[self.read(sent.record).message_id] = sent
                self.logs[sent.record.topic, one.household_id].append(sent.record)
            elif self.sent:
                sent = list(self.sent.values())[one.which % len(self.sent)]
                is_altered = one.altered and sent.kind in CARERS
                self.logs[sent.record.topic, sent.household_id].append(altered(sent) if is_altered else sent.record)

    def read(self, record: Record) -> Good:
        (reading,) = read_all(self.context, [record])
        assert isinstance(reading, Good)
        return reading

    def waiting(self, log: Log) -> list[Record]:
        return self.logs[log][self.acknowledged[log] :]

    def fetch(self, logs: Sequence[Log]) -> list[tuple[Log, Record]]:
        """The next record of each of these logs, as far as there is one."""
        queues = {log: iter(self.waiting(log)) for log in logs}
        return [(log, record) for log in logs if (record := next(queues[log], None)) is not None]

    async def decide(self, batch: Sequence[tuple[Log, Record]], ending: Ending) -> None:
        """Carry out a batch as the consumer does; acknowledged when nobody died."""
        records = [record._replace(partition=0, offset=number) for number, (_, record) in enumerate(batch)]
        reached = {log: self.acknowledged[log] + sum(one == log for one, _ in batch) for log, _ in batch}
        answers = await self.survive(carry_out(self.context, records), ending)
        if answers is None:
            return
        for record, answer in zip(records, answers, strict=True):
            reading = self.read(record)
            if reading.content == self.read(self.sent[reading.message_id].record).content:
                self.note(reading.message_id, answer)
            else:
                assert answer == REUSED
        if ending is not Ending.BEFORE_ACKNOWLEDGE:
            self.acknowledged |= reached

    async def survive(self, work: Coroutine[Any, Any, Any], ending: Ending) -> Any:
        """What came of it; nothing when the process died, or the database undid it: it is tried again later."""
        self.ending = ending
        if ending is Ending.AT_COMMIT:
            await self.context.pool.execute("insert into dying default values")
        try:
            return await work
        except KilledError:
            return None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_transient(error):
                raise
            return None
        finally:
            self.ending = Ending.NONE
            if ending is Ending.AT_COMMIT:
                await self.context.pool.execute("delete from dying")

    async def handle(self, handler: Handler, messages: Sequence[Received[Any]], db: Connection) -> list[Outcome]:
        self.met_twice |= len({message.subject for message in messages}) < len(messages)
        outcomes = await handler(messages, db)
        if self.ending is Ending.IN_A_HANDLER:
            raise KilledError
        return outcomes

    def arrived(self, _: object) -> None:
        if self.ending is Ending.AFTER_COMMIT:
            raise KilledError

    async def sweep(self) -> None:
        """What is parked again is tried later: a sweep comes to an end."""
        for _ in range(len(self.sent) + 1):
            if not await sweep(self.context):
                return
        raise AssertionError

    def note(self, message_id: UUID, answer: Answer) -> None:
        """The same message always has the same answer; only what was parked is decided later."""
        before = self.answers.setdefault(message_id, answer)
        assert before in {answer, PARKED}
        self.answers[message_id] = answer

    def accepted(self, household_id: UUID, kind: Kind) -> list[Sent]:
        return [
            sent
            for message_id, sent in self.sent.items()
            if (sent.household_id, sent.kind, self.tables.seen.get(message_id)) == (household_id, kind, ACCEPTED)
        ]


def test_the_promise_holds_whoever_dies(ground: Ground, length: Length) -> None:
    database = ground.do(ground.fresh("assignment", Path(toy.__file__).parent / "toy_migrations"))
    context = ground.do(open_context(database))
    ground.pools.append(context.pool)
    ground.do(context.pool.execute(DYING))

    run_machine(partial(Messaging, ground, context), settings_of(length, examples=20, steps=15))
