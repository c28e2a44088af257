"""Say what a document's schemas say as JSON Schema 2020-12, each in a file of its own that needs no other."""

from collections.abc import Mapping
from typing import Any

import attrs

from .components import SCHEMA, rebuilt, standalone
from .document import COMPONENTS, Document, Node
from .loading import is_array, is_object

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Words of OpenAPI, and names that mean nothing where a schema has no address and all references are local.
_DROPPED = frozenset(
    {"nullable", "example", "discriminator", "xml", "externalDocs"}
    | {"$schema", "$id", "$anchor", "$vocabulary", "$defs", "definitions"}
)

_COMBINING = frozenset({"$ref", "allOf", "oneOf", "anyOf", "not", "const"})


def json_schemas(document: Document) -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each component schema of a document, by name.

    What a schema refers to is under its own `$defs`; a reference to the schema itself is `#`. Keywords of OpenAPI are
    said in those of JSON Schema or left out, and `x-unconfirmed` becomes a comment.

    Raises:
        Refused: A schema cannot be said so, or its name is none for a file.
    """
    components = document.root.get("components")
    own = [name for name, _ in components.children("schemas")] if components else []
    found = standalone(document)["components"]["schemas"]
    translated = {
        name: _translated(Node(schema, COMPONENTS + name, document.name), SCHEMA) for name, schema in found.items()
    }
    return {name: _whole(name, translated) for name in own}


def _translated(node: Node, _: str) -> Any:
    if not is_object(node.value):
        return node.value
    if node.get("$dynamicRef") or node.get("$dynamicAnchor"):
        raise node.refused("dynamic references are not read", "Write `$ref`, which leads to one schema.")
    schema = rebuilt(node, SCHEMA, _translated)
    found = {key: value for key, value in schema.items() if key not in _DROPPED and not key.startswith("x-")}
    found = _with_limits(found)
    for key, value in (("examples", _examples(schema)), ("$comment", _comment(schema))):
        found.pop(key, None)
        found |= {key: value} if value else {}
    return _with_null(found) if schema.get("nullable") is True else found


def _with_limits(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with the exclusive limits of 3.0, which say how to read the limit beside them, as numbers."""
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and limit in schema:
            schema[exclusive] = schema.pop(limit)
    return schema


def _examples(schema: Mapping[str, Any]) -> list[Any]:
    several = schema.get("examples")
    examples = list(several) if is_array(several) else list[Any]()
    return [*examples, schema["example"]] if "example" in schema else examples


def _comment(schema: Mapping[str, Any]) -> str:
    why = schema.get("x-unconfirmed")
    comments = [schema.get("$comment"), f"unconfirmed: {why}" if isinstance(why, str) else None]
    return "; ".join(comment for comment in comments if isinstance(comment, str))


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that allows null as well, which 3.0 says by `nullable`."""
    if "type" not in schema or _COMBINING & schema.keys():
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = schema["type"] if is_array(schema["type"]) else [schema["type"]]
    enum = {"enum": [*schema["enum"], None]} if is_array(schema.get("enum")) and None not in schema["enum"] else {}
    return {**schema, "type": list(dict.fromkeys([*kinds, "null"])), **enum}


def _whole(name: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with all that it refers to."""
    found: dict[str, Any] = {}
    waiting = {name: None}
    while waiting:
        current, _ = waiting.popitem()
        local = _Local(name)
        found[current] = local.of(Node(schemas[current], COMPONENTS + current, ""), SCHEMA)
        waiting |= dict.fromkeys(other for other in local.used if other not in found)
    root = _as_object(found.pop(name))
    definitions = {"$defs": dict(sorted(found.items()))} if found else {}
    return {"$schema": DIALECT, **root, **definitions}


@attrs.frozen
class _Local:
    """Makes the references of one schema local, and collects what they lead to."""

    name: str
    used: set[str] = attrs.field(factory=set[str])

    def of(self, node: Node, kind: str) -> Any:
        if not is_object(node.value):
            return node.value
        schema = rebuilt(node, kind, self.of)
        if "$ref" in schema:
            target = schema["$ref"].removeprefix(COMPONENTS)
            self.used.add(target)
            schema["$ref"] = "#" if target == self.name else f"#/$defs/{target}"
        return schema


def _as_object(schema: Any) -> dict[str, Any]:
    """Return a schema as an object, `true` and `false` too, so that it can say what it is."""
    if is_object(schema):
        return schema
    return {} if schema else {"not": {}}
