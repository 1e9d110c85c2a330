"""What the outside hears: reads every fact topic like any consumer, and keeps what phones, depots and offices need."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts import events as e
from contracts.topics import TOPICS
from simulation.register import carer_number, household_number

_POLL_MILLISECONDS: Final = 200
_POLL_RECORDS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a household, as the registry names them."""

    person_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Package:
    """A household's package of one round, as far as those who carry it must know."""

    version: int
    status: str
    supply: str
    depot_id: str | None
    giver_id: str | None
    contents: tuple[tuple[str, int], ...]
    lot_ids: tuple[str, ...]
    final: bool


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot and what stands on each depot's shelves: available and reserved."""

    version: int
    depot_id: str
    item: str
    status: str
    shelves: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Case:
    """A case as its office sees it."""

    version: int
    household_id: str
    person_id: str | None
    need: str
    critical: bool
    office_id: str
    status: str
    opened_at: datetime
    first_answer_due_at: datetime
    done_due_at: datetime


@dataclass(slots=True)
class Outside:
    """What is known outside. Ids are text, as they travel; `number` is the simulation's own number of a household."""

    household: dict[int, str] = field(default_factory=dict)
    number: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    members: dict[str, tuple[Member, ...]] = field(default_factory=dict)
    carer: dict[int, str] = field(default_factory=dict)
    carer_number: dict[str, int] = field(default_factory=dict)
    leaving: list[str] = field(default_factory=list)
    """Carers of whom it was said that they left, since somebody last looked."""
    carer_of: dict[str, str | None] = field(default_factory=dict)
    handed_over: set[str] = field(default_factory=set)
    """Households that had another carer before."""
    packages: dict[tuple[str, str], Package] = field(default_factory=dict)
    """By household and round."""
    cancelled: set[tuple[str, str]] = field(default_factory=set)
    """Households and rounds whose package was cancelled, whatever came after."""
    lots: dict[str, Lot] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    case_of: dict[tuple[str, str], str] = field(default_factory=dict)
    """The newest case of a household and a need."""
    asked: list[str] = field(default_factory=list)
    """Cases that came to an office anew, since the offices last looked."""
    counts: Counter[str] = field(default_factory=Counter)
    """Facts by type, each delivery counted."""
    versions: dict[str, int] = field(default_factory=dict)
    """Newest version of each assignment and profile."""

    def hear(self, fact_type: bytes, record: ConsumerRecord) -> None:
        """Take in one record of a fact topic."""
        self.counts[fact_type.decode()] += 1
        listener = _LISTENERS.get(fact_type)
        if listener is not None:
            listener(self, orjson.loads(record.value), record)

    def is_newer(self, aggregate_id: str, version: int) -> bool:
        """True for the first time a version is met that is above those before; remembers it."""
        if version <= self.versions.get(aggregate_id, 0):
            return False
        self.versions[aggregate_id] = version
        return True


class Listener:
    """Reads every partition of every fact topic, from the beginning, in no consumer group."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.outside = Outside()
        self.silence = asyncio.Lock()
        """While it is held nothing is heard."""
        self._heard = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._topics = [prefix + topic.name for topic in TOPICS if "integrators" not in topic.producers]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
        )

    async def start(self) -> None:
        """Take every partition."""
        await self._consumer.start()
        await self._consumer._client.force_metadata_update()  # noqa: SLF001
        self._consumer.assign(
            [
                TopicPartition(topic, partition)
                for topic in self._topics
                for partition in sorted(self._consumer.partitions_for_topic(topic) or ())
            ]
        )

        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Leave."""
        if self._listening is not None:
            self._listening.cancel()
        await self._consumer.stop()

    async def catch_up(self, ends: Mapping[TopicPartition, int]) -> None:
        """Wait until everything up to these offsets was heard."""
        while any([await self._consumer.position(place) < ends.get(place, 0) for place in self._consumer.assignment()]):
            if self._listening is not None and self._listening.done():
                self._listening.result()
            await self._heard.wait()
            self._heard.clear()

    async def _listen(self) -> None:
        """Hears while the system works, so that little is left to hear when it rests."""
        while True:
            polled = await self._consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=_POLL_RECORDS)
            async with self.silence:
                for records in polled.values():
                    for record in records:
                        self.outside.hear(header(record, "ce_type"), record)
            self._heard.set()


def header(record: ConsumerRecord, name: str) -> bytes:
    """The value of a header; empty when it is not there."""
    for key, value in record.headers:
        if key == name:
            return bytes(value)
    return b""


def _household_registered(outside: Outside, fact: dict[str, Any], record: ConsumerRecord) -> None:
    number = household_number(header(record, "ce_causationid").decode())
    if number is not None:
        outside.household[number] = fact["household_id"]
        outside.number[fact["household_id"]] = number


def _household_left(outside: Outside, fact: dict[str, Any], _: ConsumerRecord) -> None:
    outside.gone.add(fact["household_id"])


def _household_profiled(outside: Outside, fact: dict[str, Any], _: ConsumerRecord) -> None:
    if outside.is_newer(fact["household_id"], fact["version"]):
        members = tuple(Member(member["person_id"], member["role"]) for member in fact["members"])
        outside.members[fact["household_id"]] = members


def _carer_registered(outside: Outside, fact: dict[str, Any], record: ConsumerRecord) -> None:
    number = carer_number(header(record, "ce_causationid").decode())
    outside.carer[number] = fact["carer_id"]
    outside.carer_number[fact["carer_id"]] = number


def _carer_left(outside: Outside, fact: dict[str, Any], _: ConsumerRecord) -> None:
    outside.leaving.append(fact["carer_id"])


def _assignment(outside: Outside, fact: dict[str, Any], _: ConsumerRecord) -> None:
    if outside.is_newer(fact["assignment_id"], fact["version"]):
        household_id, carer_id = fact["household_id"], fact["carer_id"]
        if outside.carer_of.get(household_id) not in (None, carer_id):
            outside.handed_over.add(household_id)
        outside.carer_of[household_id] = carer_id


def _package(outside: Outside, fact: dict[str, Any], _: ConsumerRecord) -> None:
    place = (fact["household_id"], fact["round_id"])
    if fact["status"] == "cancelled":
        outside.cancelled.add(place)
    known = outside.packages.get(place)
    if known is None or known.version < fact["version"]:
        outside.packages[place] = Package(
            version=fact["version"],
            status=fact["status"],
            supply=fact["supply"],
            depot_id=fact["depot_id"],
            giver_id=fact["giver_id"],
            contents=tuple((goods["item"], goods["units"]) for goods in fact["contents"]),
            lot_ids=tuple(lot["lot_id"] for lot in fact["lots"]),
            final=fact.get("final", False),
        )


def _lot(outside: Outside, fact: dict[str, Any], _: ConsumerRecord) -> None:
    known = outside.lots.get(fact["lot_id"])
    if known is None or known.version < fact["version"]:
        shelves = {held["depot_id"]: held["available"] + held["reserved"] for held in fact["holdings"]}
        outside.lots[fact["lot_id"]] = Lot(fact["version"], fact["depot_id"], fact["item"], fact["status"], shelves)


def _case(outside: Outside, fact: dict[str, Any], record: ConsumerRecord) -> None:
    known = outside.cases.get(fact["case_id"])
    if known is not None and known.version >= fact["version"]:
        return
    outside.cases[fact["case_id"]] = Case(
        version=fact["version"],
        household_id=fact["household_id"],
        person_id=fact["person_id"],
        need=fact["need"],
        critical=fact["critical"],
        office_id=fact["responsible_office_id"],
        status=fact["status"],
        opened_at=datetime.fromisoformat(fact["opened_at"]),
        first_answer_due_at=datetime.fromisoformat(fact["first_answer_due_at"]),
        done_due_at=datetime.fromisoformat(fact["done_due_at"]),
    )
    outside.case_of[fact["household_id"], fact["need"]] = fact["case_id"]
    if header(record, "ce_type") in _ASK:
        outside.asked.append(fact["case_id"])


_ASK: Final = frozenset(message.type.encode() for message in (e.CaseOpened, e.CaseRerouted, e.CaseReopened))
_STATES: Final[Mapping[type[e.Fact], Callable[[Outside, dict[str, Any], ConsumerRecord], None]]] = {
    e.HouseholdLeft: _household_left,
    e.HouseholdProfiled: _household_profiled,
    e.HouseholdRegistered: _household_registered,
    e.CarerRegistered: _carer_registered,
    e.CarerLeft: _carer_left,
    e.Assignment: _assignment,
    e.Package: _package,
    e.Lot: _lot,
    e.Case: _case,
}
_LISTENERS: Final = {
    message.type.encode(): listener
    for topic in TOPICS
    for message in topic.messages
    for state, listener in _STATES.items()
    if issubclass(message, state)
}
