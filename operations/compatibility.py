"""Would a changed schema break somebody who reads messages now, or somebody who wrote them before?"""

import json
from collections.abc import Iterator
from typing import Any

from jsoncompat import check_compat

from contracts.events import Fact
from operations.schemas import Message, inlined, schema_of


def would_break(committed: dict[str, Any], message: Message) -> bool:
    """True unless the class still reads what was written to the committed schema and, for a fact, old readers read it.

    So a fact may gain an optional field, and a submission may also gain a code or a wider bound: its only reader is
    our service, which is as new as the class.
    """
    old, new = inlined(committed), inlined(schema_of(message))
    if old == new:
        return False
    if _same_texts(old, new) and _reads(new, old):
        return issubclass(message, Fact) and not _reads(old, new)
    return True


def _reads(reader: dict[str, Any], writer: dict[str, Any]) -> bool:
    """The writer is closed first: it sends only the fields it knows."""
    return check_compat(json.dumps(reader), json.dumps(_closed(writer)), "serializer")


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    return closed | {"additionalProperties": False} if node.get("type") == "object" else closed


def _same_texts(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Patterns and formats of the fields both have are equal: jsoncompat passes over them."""
    before, after = dict(_texts(old)), dict(_texts(new))
    return all(after.get(path, text) == text for path, text in before.items())


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    """Pattern and format of every string; a choice of forms (`anyOf`) does not change a field's path."""
    if isinstance(node, list):
        for item in node:
            yield from _texts(item, path)
    elif isinstance(node, dict):
        if node.get("type") == "string":
            yield path, (node.get("pattern"), node.get("format"))
        for key, value in node.items():
            yield from _texts(value, path if key in {"anyOf", "oneOf"} else f"{path}/{key}")
