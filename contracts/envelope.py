"""The outside of every message: CloudEvents 1.0 attributes, in Kafka's binary mode and in structured JSON for HTTP.

Binary mode puts the attributes into `ce_*` headers and leaves the record's value to the data alone
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

SPEC_VERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/json"
SERVICE_SOURCE: Final = "berbagi-"  # the source of a fact is this and the name of the service that states it

_SOURCE: Final = re.compile(r"[a-z0-9-]{1,64}")
_REGENCY: Final = re.compile(r"[0-9]{2}\.[0-9]{2}")
_TYPE: Final = re.compile(r"id\.berbagi\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]?")
_IDENTITY_NUMBER: Final = re.compile(r"(?<!\d)(?:\d{16}|\d{18})(?!\d)")
_MANY_DIGITS: Final = re.compile(r"\d{16}")  # quicker than the exact one, and most ids have no such run
_MAX_ID: Final = 128
_NAMES: Final = ("specversion", "id", "source", "type", "subject", "time", "correlationid", "causationid", "regency")
_REQUIRED: Final = ("specversion", "id", "source", "type", "subject", "regency")
_IDENTIFYING: Final = ("id", "subject", "correlationid", "causationid")
_PATTERNS: Final = {"specversion": re.compile(r"1\.0"), "source": _SOURCE, "type": _TYPE, "regency": _REGENCY}
_HEADERS: Final = {f"ce_{name}": name for name in _NAMES}


class EnvelopeError(ValueError):
    """An attribute of the envelope is missing or not acceptable; the value itself is never quoted."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(f"{code}: {field}")
        self.code = code
        self.field = field


class Envelope(NamedTuple):
    """CloudEvents attributes of one message, checked. A tuple: made for every message, it has to be cheap."""

    id: str
    """Up to 128 characters, unique for its source; no run of exactly 16 or 18 digits (an identity number)."""
    source: str
    """Who says it: a slug of an integrator, or `berbagi-<service>` for a fact."""
    type: str
    """`id.berbagi.<event>.v<major>`."""
    subject: str
    """What it is about; equal to the record's key, so that all of one subject keeps its order."""
    time: str
    """The sender's clock, RFC 3339; trusted for nothing, empty when not given."""
    correlationid: str
    """Kept from the first submission to the last notification; the message's own id where none was given."""
    causationid: str | None
    """The id of the message that led to this one."""
    regency: str
    """Kemendagri code of the regency, `35.10`."""


def holds_identity_number(text: str) -> bool:
    """True when `text` has a run of exactly 16 or 18 digits, as a NIK, a family card or a NIP has."""
    return _MANY_DIGITS.search(text) is not None and _IDENTITY_NUMBER.search(text) is not None


def from_headers(headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Read a Kafka record's headers. Headers that are not ours, null ones included, are passed over.

    Raises EnvelopeError with the first attribute that is missing or wrong.
    """
    attributes: dict[str, str] = {}
    for name, value in headers:
        attribute = _HEADERS.get(name)
        if attribute is None:
            continue
        if value is None:
            raise EnvelopeError("missing", attribute)
        try:
            attributes[attribute] = value.decode()
        except UnicodeDecodeError:
            raise EnvelopeError("not_utf8", attribute) from None
    return checked(attributes)


def from_structured(event: Mapping[str, object]) -> Envelope:
    """Read the attributes of a structured-mode CloudEvent (a JSON object whose `data` is read elsewhere)."""
    attributes: dict[str, str] = {}
    for name in _NAMES:
        value = event.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise EnvelopeError("not_text", name)
        attributes[name] = value
    return checked(attributes)


def checked(attributes: Mapping[str, str]) -> Envelope:
    """The envelope of these attributes, or EnvelopeError."""
    for name in _REQUIRED:
        if not attributes.get(name):
            raise EnvelopeError("missing", name)
    together = "\n".join(attributes.values())
    if "\x00" in together or max(map(len, attributes.values())) > _MAX_ID:
        _check_each(attributes)
    if (wrong := _wrong_form(*(attributes[name] for name in _PATTERNS))) is not None:
        raise EnvelopeError("wrong_form", wrong)
    if _MANY_DIGITS.search(together) is not None:
        for name in _IDENTIFYING:
            if holds_identity_number(attributes.get(name, "")):
                raise EnvelopeError("identity_number", name)
    return Envelope(
        attributes["id"],
        attributes["source"],
        attributes["type"],
        attributes["subject"],
        attributes.get("time", ""),
        attributes.get("correlationid") or attributes["id"],
        attributes.get("causationid"),
        attributes["regency"],
    )


def to_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The headers of a Kafka record in binary mode, in a fixed order."""
    headers = [
        *_constant_headers(envelope.source, envelope.type, envelope.regency),
        ("ce_id", envelope.id.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_correlationid", envelope.correlationid.encode()),
    ]
    if envelope.time:
        headers.append(("ce_time", envelope.time.encode()))
    if envelope.causationid is not None:
        headers.append(("ce_causationid", envelope.causationid.encode()))
    return headers


@lru_cache(1_000)
def _constant_headers(source: str, message_type: str, regency: str) -> tuple[tuple[str, bytes], ...]:
    return (
        ("content-type", CONTENT_TYPE.encode()),
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_source", source.encode()),
        ("ce_type", message_type.encode()),
        ("ce_regency", regency.encode()),
    )


def _check_each(attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        if len(value) > _MAX_ID:
            raise EnvelopeError("too_long", name)
        if "\x00" in value:
            raise EnvelopeError("nul_character", name)


@lru_cache(1_000)
def _wrong_form(*values: str) -> str | None:
    """The first of the attributes with a pattern that does not fit it. They are few, together too: remembered."""
    fits = zip(_PATTERNS, values, strict=True)
    return next((name for name, value in fits if _PATTERNS[name].fullmatch(value) is None), None)
