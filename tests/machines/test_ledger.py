"""The stock ledger of distribution as one machine: depots, trucks, packages, and two transactions at once.

Modelled: two lots of each of two goods at a district's depot, one more at the central one, five recipients of a
month's package (rice and twice oil), and all that integrators report of them with any numbers: received, sent, signed
for short or over, counted, called back, blocked, released, reversed; picked up, delivered, brought, failed, returned,
cancelled, named again. Households leave, come back, are promised a package; days pass until goods expire and the round
closes. Reports come one after the other, in one batch, at the same moment, again, and beside the job that plans.

Fails when (each was broken, and seen to fail): a return books its units twice; returned goods still count as with their
holder; a truck signed for short forgets the loss, one signed for over the find; lots or packages are not locked; a
recalled lot stays free, or kept for a package that nobody fetched; what was kept for a package becomes free though its
lot may not move; what is delivered after it was cancelled is in no book.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from contracts.events import Fact, Lot, Package
from contracts.submissions import CountSubmitted, StockSubmitted, Submission, TransferSubmitted
from messaging.errors import is_transient
from messaging.messages import Answer
from messaging.reading import digest
from policies import Policy
from services.distribution import ledger_store
from services.distribution.ledger_store import Break
from services.distribution.lots import Transfer
from tests.distribution import samples
from tests.distribution.conftest import POLICIES, Distribution, open_distribution, submission_record
from tests.distribution.samples import NOW
from tests.machines import reports
from tests.machines.machine import Ground, Length, Machine, at_once, run_machine, settings_of
from tests.machines.reports import HOUSEHOLDS, LOTS, ROUND, SAID, Heard, Scene, Told, news_of, received, report

CARER: Final = UUID(int=7)
CONTENTS: Final = ({"item": "rice_5kg", "units": 1}, {"item": "oil_1l", "units": 2})
SOURCE: Final = "phones"
ACCEPTED: Final = Answer("accepted")
PARKED: Final = Answer("parked")


class Way(StrEnum):
    """How reports come."""

    IN_ONE_BATCH = "in one batch"
    AT_ONCE = "at once"
    WHILE_PLANNING = "while planning"
    BEFORE_PLANNING = "before planning"
    AND_AGAIN = "and again"
    DAYS_LATER = "days later"


@dataclass(frozen=True)
class Books:
    """What the database has."""

    breaks: list[Break]
    units: Counter[tuple[UUID, str, str]]
    """Units by lot, depot and account."""
    lots: list[Lot]
    immovable: set[tuple[UUID, str]]
    """Lots with the depots they may not leave."""
    trucks: list[Transfer]
    packages: list[tuple[Package, str | None]]
    """Each with the account its goods stand on."""
    arrived: Counter[UUID]
    """Units that came off trucks and were put on a shelf, by the cause of their entries."""
    quarantined: int
    facts: list[Fact]
    """Stated since the last look."""


class Ledger(Machine):
    """A district's depot, a round, and whoever reports."""

    def __init__(self, ground: Ground, distribution: Distribution) -> None:
        super().__init__(ground)
        self.distribution = distribution
        self.sent: list[tuple[str, Submission]] = []
        self.answers: dict[str, Answer] = {}
        self.versions = Counter[UUID]()
        self.told = Counter[UUID](dict.fromkeys((one.household_id for one in HOUSEHOLDS), 1))
        """Versions of what other services said last."""
        self.now = NOW
        self.is_over = self.is_planned = self.was_left_behind = False
        self.do(distribution.forget())
        self.books = self.do(self.look())

    @initialize(packages=st.integers(1, 4))
    def open_the_round(self, packages: int) -> None:
        self.do(self.begin(packages))

    @rule(way=st.sampled_from(Way), said=SAID, days=st.integers(1, 5))
    def go_on(self, way: Way, said: list[Told | Heard], days: int) -> None:
        """`days` pass only in that way; then goods expire, rounds close, and what was parked is tried again."""
        match way:
            case Way.AT_ONCE:
                self.do(self.take_in_at_once([*said, *said]))  # two see each thing, and say so at once
            case Way.WHILE_PLANNING:
                self.do(self.take_in_at_once(said, self.plan()))
            case _:
                self.do(self.take_in(*said))
        match way:
            case Way.BEFORE_PLANNING:
                self.do(self.plan())
                self.is_planned = True
            case Way.AND_AGAIN:
                self.do(self.carry_out(self.sent[-6:]))
            case Way.DAYS_LATER:
                self.now += timedelta(days=days)
                self.is_over = self.now > NOW + timedelta(days=18)
                self.do(self.pass_time())

    @precondition(lambda self: not self.was_left_behind)
    @rule(which=st.integers(0, 4), act=st.sampled_from((reports.Act.RECALL, reports.Act.BLOCK)))
    def leave_behind(self, which: int, act: reports.Act) -> None:
        """Once: nobody fetches a package, then the rice that goes first may not move."""
        self.do(self.take_in(Told(reports.Act.FAIL, which, reports.REASONS.index("not_brought"), elsewhere=False)))
        self.do(self.take_in(Told(act, 0, 0, elsewhere=False)))
        self.do(self.plan())
        self.is_planned = self.was_left_behind = True

    @invariant()
    def the_books_are_right(self) -> None:
        self.books = self.do(self.look())
        assert self.books.breaks == []
        assert self.books.quarantined == 0  # nothing was tried that would have gone below zero
        self.everything_stated_closes_in_its_turn()
        if self.is_planned:
            self.what_may_not_move_is_kept_for_nobody()
        self.what_may_not_move_is_not_free()
        self.packages_and_trucks_have_what_the_books_say()
        self.as_much_is_on_the_shelf_as_was_signed_for()

    def everything_stated_closes_in_its_turn(self) -> None:
        for fact in self.books.facts:
            self.versions[fact.aggregate_id] += 1
            assert fact.version == self.versions[fact.aggregate_id]
            if isinstance(fact, Lot):
                standing = sum(one.available + one.reserved + one.in_transit for one in fact.holdings)
                out = fact.with_holders + fact.delivered + fact.blocked + fact.written_off + fact.returned_to_giver
                assert fact.unit_value * (fact.received + fact.found) == fact.unit_value * (standing + out)

    def what_may_not_move_is_kept_for_nobody(self) -> None:
        """Rule 14, while the round is open."""
        kept = [package for package, account in self.books.packages if account == "reserved"]
        lots = {(part.lot_id, package.depot_id) for package in kept for part in package.lots}
        assert self.is_over or not lots & self.books.immovable
        self.is_planned = False

    def what_may_not_move_is_not_free(self) -> None:
        """Rule 14, also of what was kept for a package and is free again."""
        free = {(lot_id, depot_id) for lot_id, depot_id, account in +self.books.units if account == "available"}
        assert not free & self.books.immovable

    def packages_and_trucks_have_what_the_books_say(self) -> None:
        values = {lot.lot_id: lot.unit_value for lot in self.books.lots}
        expected = Counter[tuple[UUID, str, str]]()
        for package, account in self.books.packages:
            assert (account == "delivered") == (package.status == "delivered" and package.lots != ())
            if package.supply == "stock":
                assert package.value == sum(part.units * values[part.lot_id] for part in package.lots)
            if account is not None and package.depot_id is not None:
                for part in package.lots:
                    expected[part.lot_id, package.depot_id, account] += part.units
        for truck in self.books.trucks:
            if truck.received is None:
                expected[truck.lot_id, truck.to_depot_id, "in_transit"] += truck.sent
        accounts = ("reserved", "with_holders", "delivered", "in_transit")
        assert expected == +Counter({key: units for key, units in self.books.units.items() if key[2] in accounts})

    def as_much_is_on_the_shelf_as_was_signed_for(self) -> None:
        for name, one in self.sent:
            if isinstance(one, TransferSubmitted) and one.step == "received" and self.answers.get(name) == ACCEPTED:
                assert self.books.arrived[digest(SOURCE, name)] == one.units

    async def begin(self, packages: int) -> None:
        await self.distribution.set_time(NOW)
        await self.distribution.tell(samples.carer(CARER), *HOUSEHOLDS)
        await self.distribution.tell(*(samples.assigned(one, CARER) for one in HOUSEHOLDS[1:]))
        await self.distribution.settle_register()
        self.sent = [(f"begin-{which}", received(which, 2 * packages)) for which in range(len(LOTS))]
        await self.carry_out(self.sent)
        await self.distribution.submit_as("open", samples.monthly(round_id=ROUND))
        await self.plan()

    async def take_in(self, *said: Told | Heard) -> None:
        """News one by one, reports in one batch."""
        for heard in said:
            if isinstance(heard, Heard):
                household_id = HOUSEHOLDS[heard.which].household_id
                self.told[household_id] += 1
                stated = news_of(heard, self.told[household_id])
                await patiently(partial(self.distribution.tell, stated))
        numbered, reversible = [], StockSubmitted | CountSubmitted
        accepted = {name for name, answer in self.answers.items() if answer.outcome == "accepted"}
        for told in said:
            number = 1_000 + len(self.sent)
            entries = [
                (name, one.subject) for name, one in self.sent if name in accepted and isinstance(one, reversible)
            ]
            out = [package.household_id for package, account in self.books.packages if account == "with_holders"]
            scene = Scene(number, self.books.trucks, entries, out)
            if isinstance(told, Told) and (submission := report(told, scene)) is not None:
                self.sent.append((f"r-{number}", submission))
                numbered.append(self.sent[-1])
        await self.carry_out(numbered)

    async def take_in_at_once(self, said: Sequence[Told | Heard], *others: Coroutine[Any, Any, None]) -> None:
        """In a transaction each."""
        await at_once(*others, *(self.take_in(one) for one in said))

    async def carry_out(self, numbered: Sequence[tuple[str, Submission]]) -> None:
        records = [submission_record(submission, name, source=SOURCE) for name, submission in numbered]
        answers = await patiently(lambda: self.distribution.carry_out(records))
        for (name, _), answer in zip(numbered, answers, strict=True):
            assert answer.outcome != "quarantined"
            before = self.answers.setdefault(name, answer)
            assert before in {answer, PARKED}
            self.answers[name] = answer

    async def plan(self) -> None:
        await patiently(self.distribution.plan)

    async def pass_time(self) -> None:
        await self.distribution.set_time(self.now)
        await patiently(self.distribution.watch_lots)
        await self.distribution.sweep()
        await self.plan()
        await patiently(self.distribution.close_rounds)

    async def look(self) -> Books:
        async with self.distribution.context.pool.acquire() as db:
            breaks = await ledger_store.ledger_breaks(db)
            units = await db.fetch("select lot_id, depot_id, account, units from balance")
            immovable = await db.fetch(
                """select lot_id, depot_id from lot_block
                   union select lot_id, depot_id from balance join lot using (lot_id)
                   where status in ('recalled', 'expired')"""
            )
            trucks = await db.fetch(
                """select transfer_id, lot_id, from_depot_id, to_depot_id, sent, received
                   from transfer order by transfer_id"""
            )
            arrived = await db.fetch(
                """select cause, sum(units) as units from ledger_entry
                   where from_account in ('in_transit', 'found') and to_account in ('available', 'blocked')
                   group by cause"""
            )
            packages = await db.fetch("select state, account from package")
            lots = await db.fetch("select state from lot")
            quarantined = await db.fetchval("select count(*) from quarantine")
        facts = await self.distribution.all_facts()
        await self.distribution.forget()
        return Books(
            breaks,
            Counter({(row["lot_id"], row["depot_id"], row["account"]): row["units"] for row in units}),
            [Lot.model_validate_json(row["state"]) for row in lots],
            {(row["lot_id"], row["depot_id"]) for row in immovable},
            [Transfer(**dict(row)) for row in trucks],
            [(Package.model_validate_json(row["state"]), row["account"]) for row in packages],
            Counter({row["cause"]: row["units"] for row in arrived}),
            quarantined,
            facts,
        )


async def patiently(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """As consumer and jobs do: again when two transactions stood in each other's way."""
    while True:
        try:
            return await work()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_transient(error):
                raise


def known() -> dict[str, Policy]:
    """Banyuwangi's policy with a package of two goods."""
    policy = POLICIES["35.10"].model_dump()
    programmes = [one | ({"contents": CONTENTS} if one["supply"] == "any" else {}) for one in policy["programmes"]]
    return {"35.10": Policy.model_validate(policy | {"programmes": programmes})}


def test_the_books_close_whatever_is_reported(ground: Ground, length: Length) -> None:
    """Rule 13."""
    database = ground.do(ground.fresh("distribution"))
    distribution = ground.do(open_distribution(database, known()))
    ground.pools.append(distribution.context.pool)

    run_machine(partial(Ledger, ground, distribution), settings_of(length, examples=20, steps=15))
