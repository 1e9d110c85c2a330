"""The JSON Schema (draft 2020-12) of each message, as its readers are to see it."""

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from contracts.events import Fact
from contracts.submissions import Submission

Message = type[Fact] | type[Submission]


class _Schema(GenerateJsonSchema):
    """Without a title for each field, which would only repeat the name, and without OpenAPI's `discriminator`."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic's signature
        return False

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        return {key: value for key, value in super().tagged_union_schema(schema).items() if key != "discriminator"}


def wire_name(message: Message) -> str:
    """`household-registered.v1`."""
    return message.type.removeprefix("id.berbagi.")


def file_name(message: Message) -> str:
    """`household-registered.v1.json`: of its schema and of its example."""
    return f"{wire_name(message)}.json"


def schema_of(message: Message) -> dict[str, Any]:
    """What a reader must accept."""
    schema = message.model_json_schema(schema_generator=_Schema)
    return {"$schema": _Schema.schema_dialect, "title": wire_name(message)} | (schema | {"title": wire_name(message)})


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema with every reference replaced by what it names. Ours never refer to themselves."""
    named = schema.get("$defs", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, list):
            return [resolved(item) for item in node]
        if not isinstance(node, dict):
            return node
        target = resolved(named[node["$ref"].rpartition("/")[2]]) if "$ref" in node else {}
        return target | {key: resolved(value) for key, value in node.items() if key not in {"$ref", "$defs"}}

    return resolved(schema)  # type: ignore[no-any-return]  # a dict stays a dict


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and schema of every field of an inlined schema, at every depth; a list's items are `path[]`."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from fields(branch, path)
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from fields(schema["items"], f"{path}[]")


def undescribed(schema: dict[str, Any]) -> list[str]:
    """Paths of fields that say what they mean neither themselves nor by their type."""
    return [
        f"{schema['title']}{path}"
        for path, field in fields(inlined(schema))
        if not path.endswith("[]") and not any("description" in part for part in (field, *field.get("anyOf", ())))
    ]
