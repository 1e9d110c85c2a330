"""The schemas of all messages, walked: fresh, described, bounded, closed or open, and no room for a person's name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from contracts.events import Fact
from contracts.submissions import Submission
from contracts.topics import MESSAGES
from operations.contracts import documents
from operations.schemas import Message, fields, file_name, inlined, schema_of, undescribed

CONTRACTS = Path(__file__).parents[2] / "contracts"
LONGEST_TEXT = 64
FORMATS = {"uuid", "date", "date-time"}
CLOSED_PARTS = {"Place", "Goods"}  # complete in themselves: a point and an amount get no further field
FREE_STRINGS = {
    "submission-refused.v1.submission_id": "the integrator's own id; no identity number: the envelope refuses those",
    "submission-refused.v1.submission_type": "the envelope lets only id.berbagi.<name>.v<n> pass",
    "submission-refused.v1.field": "a path of the model's own names and indexes",
    "submission-refused.v1.sentence": "one of our own sentences",
}

every_message = pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.__name__)


def example_of(message: Message) -> dict[str, Any]:
    text = (CONTRACTS / "examples" / file_name(message)).read_text()
    return json.loads(text)["data"]  # type: ignore[no-any-return]


def leaves(message: Message) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and schema of every field; of one that may have several forms, every form but null."""
    schema = inlined(schema_of(message))
    for path, field in fields(schema):
        for form in field.get("anyOf", (field,)):
            if form.get("type") != "null":
                yield schema["title"] + path, form


def test_every_committed_document_is_fresh() -> None:
    stale = [document.path for document in documents() if (CONTRACTS / document.path).read_text() != document.text]

    assert stale == []


@every_message
def test_every_field_is_described(message: Message) -> None:
    assert undescribed(schema_of(message)) == []


def test_a_field_without_a_description_is_found() -> None:
    class Bare(Fact, aggregate="bare_id"):
        bare_id: int

    assert undescribed(schema_of(Bare)) == ["bare.v1.bare_id"]


@every_message
def test_every_number_has_a_lower_and_an_upper_bound(message: Message) -> None:
    numbers = [(path, form) for path, form in leaves(message) if form.get("type") in {"integer", "number"}]

    assert [path for path, form in numbers if not {"minimum", "maximum"} <= form.keys()] == []


@every_message
def test_every_string_has_a_longest_length(message: Message) -> None:
    strings = [(path, form) for path, form in leaves(message) if form.get("type") == "string"]

    assert [path for path, form in strings if not is_bounded(form)] == []


def is_bounded(form: dict[str, Any]) -> bool:
    if {"enum", "const", "maxLength"} & form.keys() or form.get("format") in FORMATS:
        return True
    pattern = form.get("pattern", "")
    endless = {"*", "+"} & set(pattern.replace("\\+", ""))
    return bool(pattern.startswith("^") and pattern.endswith("$") and not endless and ",}" not in pattern)


@every_message
def test_no_fact_has_room_for_a_name_a_phone_or_free_text(message: Message) -> None:
    if issubclass(message, Submission):
        return
    strings = [(path, form) for path, form in leaves(message) if form.get("type") == "string"]

    roomy = [path for path, form in strings if not is_coded(form) and path not in FREE_STRINGS]

    assert roomy == []


def is_coded(form: dict[str, Any]) -> bool:
    """A format, or a pattern without blanks: no sentence and no full name fits."""
    return form.get("format") in FORMATS or (
        "pattern" in form
        and " " not in form["pattern"]
        and "." not in form["pattern"].replace("\\.", "").replace(".-]", "")
    )


def test_the_exceptions_for_free_strings_are_still_needed() -> None:
    paths = {path for message in MESSAGES.values() for path, form in leaves(message) if not is_coded(form)}

    assert FREE_STRINGS.keys() <= paths


@every_message
def test_every_list_of_a_submission_has_a_longest_length(message: Message) -> None:
    if issubclass(message, Fact):
        return  # bounded by MAX_FACT_BYTES

    assert [path for path, form in leaves(message) if form.get("type") == "array" and "maxItems" not in form] == []


@every_message
def test_submissions_refuse_unknown_fields_and_facts_pass_them_over(message: Message) -> None:
    for changed in with_an_unknown_field(example_of(message)):
        if issubclass(message, Submission):
            with pytest.raises(ValidationError, match="extra_forbidden"):
                message.model_validate_json(json.dumps(changed))
        else:
            assert message.model_validate_json(json.dumps(changed)).model_extra is None


def with_an_unknown_field(value: Any) -> Iterator[Any]:
    """Copies of `value`, each with one unknown field in one of its objects, at every depth."""
    if isinstance(value, dict):
        if not is_closed_part(value):
            yield value | {"unknown_field": 1}
        for name, field in value.items():
            yield from (value | {name: changed} for changed in with_an_unknown_field(field))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for changed in with_an_unknown_field(item):
                yield [*value[:index], changed, *value[index + 1 :]]


def is_closed_part(value: dict[str, Any]) -> bool:
    return value.keys() in ({"latitude", "longitude"}, {"item", "units"})


@every_message
def test_only_complete_parts_of_a_fact_are_closed(message: Message) -> None:
    if issubclass(message, Submission):
        return
    schema = schema_of(message)

    closed = {name for name, part in schema.get("$defs", {}).items() if part.get("additionalProperties") is False}

    assert closed <= CLOSED_PARTS
    assert "additionalProperties" not in schema


@every_message
def test_messages_cannot_be_changed(message: Message) -> None:
    assert issubclass(message, BaseModel)
    assert message.model_config["frozen"]
