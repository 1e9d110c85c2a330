"""contracts/topics.py and the classes: every message travels on exactly one topic, from somebody, to somebody."""

import inspect
import types
from typing import Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from contracts import events, submissions
from contracts.events import Fact
from contracts.refusals import RefusalCode, sentence
from contracts.submissions import Submission
from contracts.topics import MESSAGES, SERVICES, TOPICS, submissions_topic, topic_of
from operations.schemas import Message, wire_name

FACTS = [message for message in MESSAGES.values() if issubclass(message, Fact)]
SUBMISSIONS = [message for message in MESSAGES.values() if issubclass(message, Submission)]
# Past participles that do not end in -ed, and the states product.md and architecture.md name events by.
OTHER_ENDINGS = {"left", "split", "sent", "overdue", "low", "expiring", "risk", "waiting", "up", "unserved"}

every_fact = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
every_submission = pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda submission: submission.__name__)


def test_every_message_class_is_on_exactly_one_topic() -> None:
    placed = [message for topic in TOPICS for message in topic.messages]

    assert len(placed) == len(set(placed)) == len(MESSAGES)
    assert set(placed) == leaves(events, Fact) | leaves(submissions, Submission)


def leaves(module: types.ModuleType, base: type[BaseModel]) -> set[type[BaseModel]]:
    """Classes that nothing extends: the messages, not their states."""
    classes = {c for c in vars(module).values() if inspect.isclass(c) and issubclass(c, base) and c is not base}
    return {c for c in classes if not any(c in other.__mro__[1:] for other in classes)}


def test_every_topic_has_producers_and_only_known_parties() -> None:
    for topic in TOPICS:
        assert topic.producers
        assert {*topic.producers, *topic.consumers} <= {*SERVICES, "integrators"}, topic.name


@every_fact
def test_a_fact_is_keyed_by_a_field_every_version_of_it_has(fact: type[Fact]) -> None:
    assert fact.model_fields[topic_of(fact).key].is_required()
    assert fact.model_fields[fact.aggregate].annotation is not None


@every_submission
def test_a_submission_goes_to_the_service_that_decides_it(submission: type[Submission]) -> None:
    assert topic_of(submission) is submissions_topic(submission.service)
    assert submission.model_fields[submission.keyed_by].is_required()


@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.__name__)
def test_a_message_is_named_subject_and_past_participle(message: Message) -> None:
    name, _, version = wire_name(message).rpartition(".")
    last = name.rpartition("-")[2]

    assert version == "v1"
    assert name == "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in message.__name__)[1:]
    assert last.endswith("ed") or (issubclass(message, Fact) and last in OTHER_ENDINGS)
    assert (last == "submitted") == issubclass(message, Submission)


def test_all_facts_of_one_aggregate_extend_one_state() -> None:
    states: dict[tuple[str, str], set[type[Fact]]] = {}

    for fact in FACTS:
        states.setdefault((topic_of(fact).name, fact.aggregate), set()).add(state_of(fact))

    assert {aggregate: found for aggregate, found in states.items() if len(found) != 1} == {}


@every_fact
def test_a_fact_carries_the_whole_state_of_its_aggregate(fact: type[Fact]) -> None:
    """No field of the state may be left out, or mean something else; an event may only rule out null."""
    for name, field in state_of(fact).model_fields.items():
        mine = fact.model_fields[name]
        assert mine.is_required(), name
        assert mine.annotation in {field.annotation, without_none(field.annotation)}, name
        assert mine.metadata == field.metadata, name


def state_of(fact: type[Fact]) -> type[Fact]:
    """The class right under Fact: the state, or the fact itself where it is the only one of its aggregate."""
    return fact.__mro__[fact.__mro__.index(Fact) - 1]


def without_none(annotation: object) -> object:
    if get_origin(annotation) not in {Union, types.UnionType}:
        return annotation
    rest = [branch for branch in get_args(annotation) if branch is not types.NoneType]
    return rest[0] if len(rest) == 1 else annotation


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_code_has_a_sentence(code: RefusalCode) -> None:
    text = sentence(code)

    assert text.endswith(".")
    assert len(text) <= 300
    assert code not in text.split()


def test_no_two_codes_say_the_same() -> None:
    assert len({sentence(code) for code in RefusalCode}) == len(RefusalCode)
