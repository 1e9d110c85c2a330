"""A raw record becomes a message, or the reason why it does not: one by one, so that a bad one harms no other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

import orjson
from pydantic import ValidationError

from contracts.envelope import SERVICE_SOURCE, SPEC_VERSION, Envelope, EnvelopeError, checked, from_headers
from contracts.events import Fact
from contracts.refusals import RefusalCode
from contracts.submissions import Submission
from contracts.topics import MESSAGES
from messaging.errors import describe
from messaging.ids import uuid_of
from messaging.messages import Card, Handlers, Refused

Message: TypeAlias = type[Fact] | type[Submission]
Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]

_NUL: Final = b"\\u0000"  # pydantic accepts it, PostgreSQL's text does not
_UNKNOWN_REGENCY: Final = "00.00"
_BY_HEADER: Final = {wire_type.encode(): message for wire_type, message in MESSAGES.items()}


class Record(NamedTuple):
    """One message as it came, whatever the way; `topic` without prefix, its place on Kafka null over HTTP.

    What is made for every message is a tuple: several times cheaper than a frozen dataclass.
    """

    topic: str
    key: bytes | None
    headers: Headers
    value: bytes | None
    partition: int | None = None
    offset: int | None = None
    timestamp: int | None = None
    """Milliseconds, as the record has them: a topic that is made anew has other records at the same offsets."""

    @property
    def is_submission(self) -> bool:
        """Submissions and facts travel on different topics; the topic decides, not what the sender claims."""
        return self.topic.endswith("-submissions")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Waits for an operator; `error` is class and code location."""

    reason: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom to tell, as far as it could be read."""

    source: str
    id: str
    type: str
    subject: str
    regency: str
    correlationid: str


class Good(NamedTuple):
    """A message that fits its contract."""

    record: Record
    message_id: UUID
    content: UUID | None
    envelope: Envelope
    data: Fact | Submission


@dataclass(frozen=True, slots=True)
class Bad:
    """A message whose outcome is known without a handler."""

    record: Record
    message_id: UUID
    content: UUID | None
    sender: Sender | None
    type: str
    outcome: Refused | Quarantined


@dataclass(frozen=True, slots=True)
class Ignored:
    """A fact of a known type that this service has no handler for."""

    type: str


Reading: TypeAlias = Good | Bad


def digest(*parts: str | bytes) -> UUID:
    """A UUIDv8 over the parts; each is followed by its length, so that no two lists of parts are alike."""
    pieces: list[bytes] = []
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        pieces += (raw, len(raw).to_bytes(4))
    return uuid_of(blake2b(b"".join(pieces), digest_size=16).digest(), 8)


def read(record: Record, card: Card, handlers: Handlers) -> Reading | Ignored:
    """What a record says. Never raises for what is in one from Kafka: all that was fetched with it would be lost."""
    try:
        return _read(record, card, handlers)
    except Exception as error:  # a bug
        if record.offset is None:
            raise
        place = _place_of(record)
        return Bad(record, place, place, None, "", Quarantined("bug", describe(error)))


def _read(record: Record, card: Card, handlers: Handlers) -> Reading | Ignored:
    if not record.is_submission and (message := _known_type(record.headers)) and message not in handlers:
        return Ignored(message.type)
    try:
        envelope = from_headers(record.headers)
    except EnvelopeError as error:
        return _without_envelope(record, error)
    if record.is_submission:
        return _read_submission(record, envelope, card, handlers)
    return _read_fact(record, envelope)


def failed(reading: Reading, outcome: Refused | Quarantined) -> Bad:
    """The same message with another fate."""
    if isinstance(reading, Good):
        sender = sender_of(reading.envelope) if reading.record.is_submission else None
        return Bad(reading.record, reading.message_id, reading.content, sender, reading.envelope.type, outcome)
    return Bad(reading.record, reading.message_id, reading.content, reading.sender, reading.type, outcome)


def sender_of(envelope: Envelope) -> Sender:
    """Whom to tell about a message with this envelope."""
    return Sender(
        envelope.source, envelope.id, envelope.type, envelope.subject, envelope.regency, envelope.correlationid
    )


def _known_type(headers: Headers) -> Message | None:
    """The type alone: most of what a service passes over is not worth the rest."""
    return next((_BY_HEADER.get(value) for name, value in headers if name == "ce_type" and value is not None), None)


def _read_fact(record: Record, envelope: Envelope) -> Reading:
    message = MESSAGES.get(envelope.type)
    message_id = digest(envelope.source, envelope.id)
    if message is None:
        return Bad(record, message_id, None, None, envelope.type, Quarantined("unknown_type"))
    try:
        data = message.model_validate_json(record.value or b"")
    except ValidationError:
        return Bad(record, message_id, None, None, envelope.type, Quarantined("unreadable"))
    if _key_differs(record, envelope) or _NUL in (record.value or b""):
        return Bad(record, message_id, None, None, envelope.type, Quarantined("unreadable"))
    return Good(record, message_id, None, envelope, data)


def _read_submission(record: Record, envelope: Envelope, card: Card, handlers: Handlers) -> Reading:
    message_id = digest(envelope.source, envelope.id)
    value = record.value or b""
    message = MESSAGES.get(envelope.type)
    outcome: Refused | Quarantined
    if envelope.source.startswith(SERVICE_SOURCE):
        message_id = digest(record.topic, envelope.source, envelope.id)  # it must not take a fact's place in the inbox
    try:
        # Of what is said, however it is written: spaces and the order of fields make no other content.
        written = orjson.dumps(orjson.loads(value), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # it reads what is nested 1,024 levels deep, writes 254
        content, outcome = digest(envelope.type, envelope.subject, value), Quarantined("unreadable")
        return Bad(record, message_id, content, sender_of(envelope), envelope.type, outcome)
    content = digest(envelope.type, envelope.subject, written)
    if envelope.source.startswith(SERVICE_SOURCE):
        outcome = Refused(RefusalCode.WRONG_SOURCE, "source")
    elif message is None or not issubclass(message, Submission):
        outcome = Refused(RefusalCode.UNKNOWN_TYPE, "type")
    elif misaddressed := _misaddressed(envelope, message, card, handlers):
        outcome = misaddressed
    elif _NUL in value:
        outcome = Refused(RefusalCode.INVALID_FIELD)
    else:
        try:
            data = message.model_validate_json(value)
        except ValidationError as error:
            outcome = _misfit(error, message)
        else:
            if data.subject == envelope.subject and not _key_differs(record, envelope):
                return Good(record, message_id, content, envelope, data)
            outcome = Refused(RefusalCode.KEY_MISMATCH, "subject")
    return Bad(record, message_id, content, sender_of(envelope), envelope.type, outcome)


def _misaddressed(envelope: Envelope, message: type[Submission], card: Card, handlers: Handlers) -> Refused | None:
    """Why this service does not decide it."""
    if message.service != card.name:
        return Refused(RefusalCode.WRONG_SERVICE, "type")
    if card.regencies is not None and envelope.regency not in card.regencies:
        return Refused(RefusalCode.WRONG_REGENCY, "regency")
    return None if message in handlers else Refused(RefusalCode.UNKNOWN_TYPE, "type")


def _without_envelope(record: Record, error: EnvelopeError) -> Bad:
    """Identified by its place, never by a hash of what could be an identity number."""
    message_id = _place_of(record)
    sender = _sender_as_far_as_readable(record.headers) if record.is_submission else None
    outcome: Refused | Quarantined = Quarantined("unreadable")
    if sender is not None and error.code == "identity_number":
        outcome = Refused(RefusalCode.IDENTITY_NUMBER, error.field)
    return Bad(record, message_id, message_id, sender, "", outcome)


def _place_of(record: Record) -> UUID:
    return digest(record.topic, str(record.partition), str(record.offset), str(record.timestamp))


def _sender_as_far_as_readable(headers: Headers) -> Sender | None:
    """Source and id, each checked as in a whole envelope; an id that could be an identity number is not repeated."""
    given = {name: _attribute(name, value) for name, value in headers if value is not None}
    source, sent_id = given.get("ce_source", ""), given.get("ce_id", "")
    regency = given.get("ce_regency") or _UNKNOWN_REGENCY
    if not source or (not sent_id and not any(name == "ce_id" and value for name, value in headers)):
        return None
    return Sender(source, sent_id, "", source, regency, sent_id or source)


def _attribute(name: str, value: bytes) -> str:
    """The attribute when it would do in an envelope whose other attributes are faultless; else empty."""
    faultless = {
        "specversion": SPEC_VERSION,
        "id": "1",
        "source": "x",
        "type": "id.berbagi.x.v1",
        "subject": "x",
        "regency": _UNKNOWN_REGENCY,
    }
    try:
        text = value.decode()
        checked(faultless | {name.removeprefix("ce_"): text})
    except (UnicodeDecodeError, EnvelopeError):
        return ""
    return text


def _key_differs(record: Record, envelope: Envelope) -> bool:
    return record.key is None or record.key != envelope.subject.encode()


def _misfit(error: ValidationError, message: Message) -> Refused | Quarantined:
    """The first problem as code and path; the path holds indexes and the model's own names only, the rest is input."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind = problem["type"]
    if kind == "json_invalid":
        return Quarantined("unreadable")
    known = _field_names(message)
    path = ".".join(str(part) for part in problem["loc"] if isinstance(part, int) or part in known)
    codes = {"missing": RefusalCode.MISSING_FIELD, "extra_forbidden": RefusalCode.UNKNOWN_FIELD}
    return Refused(codes.get(kind, RefusalCode.INVALID_FIELD), path[:128] or None)


@cache
def _field_names(message: Message) -> frozenset[str]:
    return frozenset(_properties(message.model_json_schema()))


def _properties(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, part in schema.items():
        if name == "properties":
            yield from part
        for inner in part if isinstance(part, list) else [part]:
            if isinstance(inner, dict):
                yield from _properties(inner)
