"""What careless integrators send: every kind of bad record, with the fate that is right for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from contracts.submissions import MAX_BATCH_ITEMS, MAX_BODY_BYTES
from contracts.topics import SERVICES
from messaging.reading import Record
from simulation.claims import QUARANTINED

HEADER: Final = "rubbish"
"""Names the kind; Berbagi passes over headers that are not its own."""

_Spoil = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to be wrong. `right` is the outcome or the code of the refusal."""

    spoil: _Spoil
    right: frozenset[str] = QUARANTINED


def _with_header(name: str, value: bytes | None) -> _Spoil:
    return lambda one: one._replace(headers=tuple((key, value if key == name else old) for key, old in one.headers))


def _without_header(name: str) -> _Spoil:
    return lambda one: one._replace(headers=tuple((key, old) for key, old in one.headers if key != name))


def _with_value(value: bytes | None) -> _Spoil:
    return lambda one: one._replace(value=value)


def _with_key(key: bytes | None) -> _Spoil:
    return lambda one: one._replace(key=key)


def _with_field(name: str, value: object) -> _Spoil:
    return lambda one: one._replace(value=orjson.dumps(orjson.loads(one.value or b"") | {name: value}))


def _to_another_service(one: Record) -> Record:
    here = SERVICES.index(one.topic.removesuffix("-submissions"))
    return one._replace(topic=f"{SERVICES[here - 1]}-submissions")


def _out_of_range(one: Record) -> Record:
    """The first number there is; a moment in a year that no clock shows where there is none."""
    fields = orjson.loads(one.value or b"")
    if not _enlarge(fields):
        fields["happened_at"] = 10**18
    return one._replace(value=orjson.dumps(fields))


def _enlarge(fields: dict[str, Any]) -> bool:
    for name, value in fields.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            fields[name] = 1e300
            return True
        if isinstance(value, dict) and _enlarge(value):
            return True
    return False


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "broken JSON": Kind(_with_value(b'{"happened_at":')),
        "nested too deep": Kind(_with_value(b"[" * 300 + b"]" * 300)),
        "no value": Kind(_with_value(None)),
        "not UTF-8": Kind(_with_value(b'{"happened_at":"\xff"}')),
        "null header": Kind(_with_header("ce_type", None)),
        "header not UTF-8": Kind(_with_header("ce_subject", b"\xff\xfe")),
        "missing header": Kind(_without_header("ce_regency")),
        "no headers": Kind(lambda one: one._replace(headers=one.headers[-1:])),
        "another kind of JSON": Kind(_with_value(b"[1]"), frozenset({"invalid_field"})),
        "wrong type": Kind(_with_field("happened_at", []), frozenset({"invalid_field"})),
        "missing field": Kind(_with_value(b"{}"), frozenset({"missing_field"})),
        "unknown field": Kind(_with_field("what", "ever"), frozenset({"unknown_field"})),
        "number out of range": Kind(_out_of_range, frozenset({"invalid_field"})),
        "NUL": Kind(_with_field("happened_at", "a\x00b"), frozenset({"invalid_field"})),
        "unknown type": Kind(_with_header("ce_type", b"id.berbagi.nothing-submitted.v1"), frozenset({"unknown_type"})),
        "another service's": Kind(_to_another_service, frozenset({"wrong_service"})),
        "another regency": Kind(_with_header("ce_regency", b"16.71"), frozenset({"wrong_regency"})),
        "key and subject differ": Kind(_with_key(b"another"), frozenset({"key_mismatch"})),
        "no key": Kind(_with_key(None), frozenset({"key_mismatch"})),
    }
)
REQUESTS: Final[Mapping[str, tuple[Callable[[], bytes], int]]] = MappingProxyType(
    {
        "a body over the limit": (lambda: b"[" + b" " * MAX_BODY_BYTES + b"]", 413),
        "more items than allowed": (lambda: orjson.dumps([{}] * (MAX_BATCH_ITEMS + 1)), 413),
        "no JSON": (lambda: b'[{"id":', 400),
    }
)
"""Over HTTP, what is turned away as a whole: how it is made, and the status that is right."""
BY_PLACE: Final = frozenset({"null header", "header not UTF-8", "missing header", "no headers"})
"""Whose envelope cannot be read: each record is a message of its own, known by where it lies."""


@dataclass(frozen=True, slots=True)
class Rubbish:
    """A spoilt record, under an id of its own."""

    kind: str
    service: str
    """Who gets it."""
    source: str
    id: str
    record: Record


def spoil(record: Record, source: str, number: int) -> Rubbish:
    """A good record made into a bad one, in the ways of all kinds in turn."""
    kind, sent_id = tuple(KINDS)[number % len(KINDS)], f"rubbish-{number}"
    renamed = _with_header("ce_id", sent_id.encode())(record)
    marked = renamed._replace(headers=(*renamed.headers, (HEADER, kind.encode())))
    spoilt = KINDS[kind].spoil(marked)
    return Rubbish(kind, spoilt.topic.removesuffix("-submissions"), source, sent_id, spoilt)
