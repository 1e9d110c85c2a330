"""AsyncAPI 3 of everything that travels on Kafka, made from the topic table (https://www.asyncapi.com/docs/reference)."""

from datetime import timedelta
from importlib.metadata import version
from typing import Any, Final

import yaml

from contracts import envelope
from contracts.events import Fact
from contracts.topics import MESSAGES, SERVICES, TOPICS, Topic
from operations.schemas import Message, file_name, wire_name

_KAFKA_BINDING: Final = "0.5.0"
_HEAD: Final = "# Made by `make contracts` from contracts/topics.py and the message classes.\n"
_ABOUT: Final = (
    "Facts and submissions of Berbagi as CloudEvents 1.0 in Kafka's binary mode: the attributes are ce_* headers, "
    "the value is the JSON data alone. A cell puts its own prefix before every address."
)


def asyncapi_yaml() -> str:
    """The description as YAML."""
    return _HEAD + yaml.safe_dump(_description(), sort_keys=False, allow_unicode=True, width=120)


def _description() -> dict[str, Any]:
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Berbagi",
            "version": version("berbagi"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": envelope.CONTENT_TYPE,
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic)},
        "components": {
            "messages": {wire_name(message): _message(message) for message in MESSAGES.values()},
            "schemas": {"Headers": _headers()},
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "messages": {wire_name(message): _reference(message) for message in topic.messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": _milliseconds(topic.retention),
                },
                "bindingVersion": _KAFKA_BINDING,
            }
        },
        "x-key": topic.key,
        "x-sensitive": topic.sensitive,
        "x-producers": list(topic.producers),
        "x-consumers": list(topic.consumers),
    }


def _operations(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    """What our services do with a topic; what integrators do is the other side of it."""
    sends = [(service, "send") for service in topic.producers if service in SERVICES]
    receives = [(service, "receive") for service in topic.consumers if service in SERVICES]
    return [
        (
            f"{service}-{action}s-{topic.name}",
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "tags": [{"name": service}],
                "messages": [
                    {"$ref": f"#/channels/{topic.name}/messages/{wire_name(message)}"} for message in topic.messages
                ],
            },
        )
        for service, action in (*sends, *receives)
    ]


def _message(message: Message) -> dict[str, Any]:
    return {
        "name": message.type,
        "title": message.__name__,
        "summary": " ".join((message.__doc__ or "").split()),
        "tags": [{"name": "fact" if issubclass(message, Fact) else "submission"}],
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": f"./schemas/{file_name(message)}"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": _KAFKA_BINDING}},
    }


def _headers() -> dict[str, Any]:
    def header(description: str, **rest: str) -> dict[str, str]:
        return {"type": "string", "description": description, **rest}

    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_regency"],
        "properties": {
            "content-type": header("Always the same.", const=envelope.CONTENT_TYPE),
            "ce_specversion": header("Of CloudEvents.", const=envelope.SPEC_VERSION),
            "ce_id": header("Unique for its source; no run of exactly 16 or 18 digits."),
            "ce_source": header("Who says it: an integrator's slug, or berbagi-<service> for a fact."),
            "ce_type": header("The message's name."),
            "ce_subject": header("Equal to the record's key."),
            "ce_regency": header("Kemendagri code of the regency."),
            "ce_time": header("The sender's clock; trusted for nothing.", format="date-time"),
            "ce_correlationid": header("Kept from the first submission to the last notification."),
            "ce_causationid": header("The message that led to this one."),
        },
    }


def _reference(message: Message) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{wire_name(message)}"}


def _milliseconds(retention: timedelta | None) -> int:
    return -1 if retention is None else retention // timedelta(milliseconds=1)
