"""Everything Kafka holds, read once from its beginning after the play: what was stated, and what of it stands."""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts import events as e
from contracts.events import Fact
from contracts.topics import MESSAGES, TOPICS, Topic
from messaging.reading import digest
from simulation.facts import header
from simulation.privacy import Identities

_POLL_MILLISECONDS: Final = 200
_POLL_RECORDS: Final = 5_000

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Newest:
    """The last state of an aggregate: its version and a digest of the whole fact."""

    version: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that a check looks at again."""

    event: type[Fact]
    state: Json


@dataclass(slots=True)
class History:
    """What was found; the dictionaries' keys are ids as text."""

    ids: dict[type[Fact], dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    """Inbox ids of all facts, by type, with a digest of what each says."""
    causes: set[str] = field(default_factory=set)
    """Ids of the messages that facts say they come from."""
    newest: dict[tuple[str, str], Newest] = field(default_factory=dict)
    """By aggregate (the name of its id) and id."""
    broken: list[str] = field(default_factory=list)
    """Versions missing, or out of order."""
    unstable: list[str] = field(default_factory=list)
    """Facts published again under the same id with another content."""
    leaks: list[str] = field(default_factory=list)
    households: dict[str, Json] = field(default_factory=dict)
    """Newest state of each household."""
    assignments: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    """By household, in order."""
    packages: dict[str, Json] = field(default_factory=dict)
    """Newest state of each package, by package."""
    lots: dict[str, Told] = field(default_factory=dict)
    open_sums: list[str] = field(default_factory=list)
    """Lots in one of whose versions what came in is not what is somewhere."""
    recalls: dict[str, Json] = field(default_factory=dict)
    cases: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    enrolled: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    told: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """By case: when a notification about it was sent."""
    refusals: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    records: int = 0

    def take(self, record: ConsumerRecord, topic: str, identities: Identities) -> None:
        """One record of a fact topic."""
        self.records += 1
        raw = b"\n".join((record.key, record.value, *(value for _, value in record.headers)))
        self.leaks.extend(f"{topic} {record.partition}/{record.offset}: {what}" for what in identities.found_in(raw))
        event = MESSAGES[header(record, "ce_type").decode()]
        assert issubclass(event, Fact)  # noqa: S101  # submissions travel on other topics
        message_id = digest(header(record, "ce_source").decode(), header(record, "ce_id").decode())
        state: Json = orjson.loads(record.value)
        content = hashlib.blake2b(record.value, digest_size=16).digest()
        if self.ids[event].setdefault(message_id.bytes, content) != content:
            self.unstable.append(
                f"{topic} {record.partition}/{record.offset}: {event.type} {message_id} said otherwise"
            )
        if (cause := header(record, "ce_causationid").decode()) != "":
            self.causes.add(cause)
        if self._is_new(event, state):
            self._keep(event, state)

    def _is_new(self, event: type[Fact], state: Json) -> bool:
        """False for a fact published twice; versions must come without gaps."""
        kind = "profile_id" if issubclass(event, e.Profile) else event.aggregate
        place, version = (kind, state[event.aggregate]), state["version"]
        known = self.newest.get(place)
        if known is not None and version <= known.version:
            if version == known.version and digest_of(state, kind) != known.digest:
                self.broken.append(f"{kind} {place[1]}: version {version} was stated twice, differently")
            return False
        if version != (known.version if known else 0) + 1:
            self.broken.append(f"{kind} {place[1]}: version {version} follows {known.version if known else 0}")
        self.newest[place] = Newest(version, digest_of(state, kind))
        return True

    def _keep(self, event: type[Fact], state: Json) -> None:
        if issubclass(event, e.Household):
            self.households[state["household_id"]] = state
        elif issubclass(event, e.Profile):
            aid = [(enrolment["programme"], enrolment["since"]) for enrolment in state["enrolments"]]
            self.enrolled[state["household_id"]] = aid
        elif issubclass(event, e.Assignment):
            self.assignments[state["household_id"]].append(Told(event, state))
        elif issubclass(event, e.Package):
            self.packages[state["package_id"]] = state
        elif issubclass(event, e.Lot):
            self._keep_lot(event, state)
        elif issubclass(event, e.Case):
            self.cases[state["case_id"]].append(Told(event, state))
        elif event is e.NotificationSent and state["case_id"]:
            self.told[state["case_id"]].append(datetime.fromisoformat(state["sent_at"]))
        elif event is e.SubmissionRefused:
            self.refusals[state["source"], state["submission_id"]].append(state["code"])

    def _keep_lot(self, event: type[e.Lot], state: Json) -> None:
        self.lots[state["lot_id"]] = Told(event, state)
        if not _closes(state):
            self.open_sums.append(f"lot {state['lot_id']}: the sum of version {state['version']} does not close")
        if event is e.LotRecalled:
            self.recalls[state["lot_id"]] = state


async def read_history(bootstrap_servers: str, prefix: str, identities: Identities) -> History:
    """From the first record of every fact topic to the last there is now."""
    history = History()
    facts = [topic for topic in TOPICS if "integrators" not in topic.producers]
    async for topic, record in read_topics(bootstrap_servers, prefix, facts):
        history.take(record, topic.name, identities)
    return history


async def read_topics(
    bootstrap_servers: str, prefix: str, topics: Sequence[Topic]
) -> AsyncIterator[tuple[Topic, ConsumerRecord]]:
    """Every record there is now; of each partition in order."""
    by_name = {prefix + topic.name: topic for topic in topics}
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(name, number) for name, topic in by_name.items() for number in range(topic.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(places)
        left = {place for place in places if ends[place]}
        while left:
            found = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=_POLL_RECORDS)
            for place, records in found.items():
                for record in records:
                    yield by_name[place.topic], record
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    finally:
        await consumer.stop()


def _closes(lot: Json) -> bool:
    """received + found = available + reserved + in transit + with holders + delivered + ... (rule 13)."""
    held = sum(part["available"] + part["reserved"] + part["in_transit"] for part in lot["holdings"])
    gone = sum(lot[name] for name in ("with_holders", "delivered", "blocked", "written_off", "returned_to_giver"))
    return bool(lot["received"] + lot["found"] == held + gone)


def digest_of(state: Json, aggregate: str) -> bytes:
    """The same for the same public state, however it is written, whatever an event adds to it."""
    public = {name: state.get(name) for name in _PUBLIC[aggregate]}
    return hashlib.blake2b(orjson.dumps(public, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def _states() -> dict[str, frozenset[str]]:
    """Fields of every aggregate's state: of the class that stands between `Fact` and its events."""
    classes = {base for message in MESSAGES.values() for base in message.__mro__}
    return {
        "profile_id" if state is e.Profile else state.aggregate: frozenset(state.model_fields)
        for state in classes
        if issubclass(state, Fact) and Fact in state.__bases__
    }


_PUBLIC: Final = _states()
