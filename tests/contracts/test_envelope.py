"""contracts/envelope.py beside the CloudEvents project's own package: each reads what the other wrote."""

import json
from datetime import datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from contracts.envelope import Envelope, EnvelopeError, checked, from_headers, from_structured, to_headers

KEY = "ad7140d9-2cc2-4134-8bae-6b90ba3dede2"
DATA = {"household_id": KEY}
WHOLE = Envelope(
    id="sk-visit-2207",
    source="smart-kampung",
    type="id.berbagi.visit-submitted.v1",
    subject=KEY,
    time="2026-10-14T11:30:00Z",
    correlationid="sk-visit-2207",
    causationid="c6931065-fa51-5308-b07b-d952bba91d62",
    regency="35.10",
)
LEAST = Envelope(
    "1", "depots", "id.berbagi.stock-submitted.v1", "depot-35.10.16", "2026-10-08T02:10:00Z", "1", None, "35.10"
)

both = pytest.mark.parametrize("envelope", [WHOLE, LEAST], ids=["whole", "least"])


def attributes(envelope: Envelope, **changes: str | None) -> dict[str, Any]:
    """As CloudEvents names them; changed to None: left out."""
    named = {name: getattr(envelope, name) for name in envelope._fields} | changes
    return {"specversion": "1.0"} | {name: value for name, value in named.items() if value}


@both
def test_theirs_reads_our_kafka_headers(envelope: Envelope) -> None:
    message = KafkaMessage(headers=dict(to_headers(envelope)), key=envelope.subject, value=json.dumps(DATA).encode())

    event = from_binary_event(message)

    told = attributes(envelope) | {"time": datetime.fromisoformat(envelope.time)}
    binding = {"datacontenttype": "application/json", "partitionkey": envelope.subject}
    assert (event.get_attributes(), event.get_data()) == (told | binding, DATA)
    assert message.headers["ce_specversion"] == b"1.0"  # theirs assumes it where it is missing


@both
def test_ours_reads_their_kafka_headers(envelope: Envelope) -> None:
    message = to_binary_event(theirs(envelope), key_mapper=lambda event: event.get_subject())

    assert from_headers(message.headers.items()) == envelope
    assert message.key == envelope.subject


@both
def test_ours_reads_their_structured_json(envelope: Envelope) -> None:
    assert from_structured(json.loads(JSONFormat().write(theirs(envelope)))) == envelope


@both
def test_theirs_reads_the_structured_json_that_ours_reads(envelope: Envelope) -> None:
    text = json.dumps(attributes(envelope) | {"data": DATA})

    event = JSONFormat().read(CloudEvent, text)

    assert from_structured(json.loads(text)) == envelope
    assert (event.get_id(), event.get_source(), event.get_type(), event.get_subject()) == (
        envelope.id,
        envelope.source,
        envelope.type,
        envelope.subject,
    )
    assert (event.get_extension("regency"), event.get_data()) == (envelope.regency, DATA)


def theirs(envelope: Envelope) -> CloudEvent:
    told = {"time": datetime.fromisoformat(envelope.time), "datacontenttype": "application/json"}
    return CloudEvent(attributes(envelope) | told, DATA)


@pytest.mark.parametrize("envelope", [WHOLE, LEAST, LEAST._replace(time="")], ids=["whole", "least", "no time"])
def test_our_headers_come_back_equal(envelope: Envelope) -> None:
    assert from_headers(to_headers(envelope)) == envelope


@pytest.mark.parametrize("field", ["id", "subject", "correlationid", "causationid"])
@pytest.mark.parametrize("digits", [16, 18])
@pytest.mark.parametrize("around", ["{}", "row-{}", "{}-a", "a{}b", "12-{}"])
def test_a_run_of_exactly_16_or_18_digits_is_refused(field: str, digits: int, around: str) -> None:
    text = around.format("1" * digits)

    with pytest.raises(EnvelopeError) as refused:
        checked(attributes(WHOLE, **{field: text}))

    assert (refused.value.code, refused.value.field) == ("identity_number", field)
    assert text not in str(refused.value)


@pytest.mark.parametrize("field", ["id", "subject", "correlationid", "causationid"])
@pytest.mark.parametrize("digits", [15, 17, 19, 32])
def test_runs_of_other_lengths_are_accepted(field: str, digits: int) -> None:
    text = f"row-{'1' * digits}"

    assert getattr(checked(attributes(WHOLE, **{field: text})), field) == text


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("id", None, "missing"),
        ("source", None, "missing"),
        ("type", None, "missing"),
        ("subject", None, "missing"),
        ("regency", None, "missing"),
        ("id", "i" * 129, "too_long"),
        ("subject", "a\x00b", "nul_character"),
        ("source", "Smart Kampung", "wrong_form"),
        ("source", "s" * 65, "wrong_form"),
        ("type", "visit-submitted", "wrong_form"),
        ("type", "id.berbagi.visit-submitted.v0", "wrong_form"),
        ("regency", "3510", "wrong_form"),
        ("regency", "٣٥.١٠", "wrong_form"),  # noqa: RUF001  # digits, but not ours
    ],
)
def test_an_attribute_that_is_missing_or_wrong_is_named(field: str, value: str | None, code: str) -> None:
    with pytest.raises(EnvelopeError) as refused:
        checked(attributes(WHOLE, **{field: value}))

    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(("value", "code"), [(None, "missing"), (b"\xff", "not_utf8")])
def test_a_header_of_ours_that_is_null_or_not_utf8_is_named(value: bytes | None, code: str) -> None:
    headers: list[tuple[str, bytes | None]] = [*to_headers(WHOLE), ("ce_subject", value)]

    with pytest.raises(EnvelopeError) as refused:
        from_headers(headers)

    assert (refused.value.code, refused.value.field) == (code, "subject")


def test_headers_of_others_are_passed_over() -> None:
    strange: list[tuple[str, bytes | None]] = [("traceparent", None), ("ce_other", b"\xff"), ("", b"")]

    assert from_headers([*strange, *to_headers(WHOLE), *strange]) == WHOLE


@pytest.mark.parametrize("value", [7, True, ["a"], {"a": 1}])
def test_a_structured_attribute_that_is_not_text_is_named(value: object) -> None:
    with pytest.raises(EnvelopeError) as refused:
        from_structured(attributes(WHOLE) | {"id": value})

    assert (refused.value.code, refused.value.field) == ("not_text", "id")


def test_without_a_correlation_a_message_starts_its_own() -> None:
    assert checked(attributes(WHOLE, correlationid=None)).correlationid == WHOLE.id


@pytest.mark.parametrize("version", [None, "0.3"])
def test_another_version_of_cloudevents_is_not_taken_for_ours(version: str | None) -> None:
    given = attributes(WHOLE) | {"specversion": version or ""}

    with pytest.raises(EnvelopeError) as caught:
        checked(given)

    assert caught.value.field == "specversion"
