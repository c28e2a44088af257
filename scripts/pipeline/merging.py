"""Put together what `allOf` says in several places, so that a schema says it in one.

The children of a schema that was put together keep their own places in the document.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from .document import Document, Node
from .loading import is_object

# What describes a schema in its own place and is not inherited by schemas that are made of it.
_OWN = frozenset(
    {"title", "description", "example", "examples", "default", "deprecated", "externalDocs", "xml", "discriminator"}
    | {"$id", "$schema", "$comment", "$defs", "definitions", "nullable"}
)


def merged(document: Document, schema: Node) -> Node:
    """Return a schema that says the same without `allOf`.

    Args:
        document: Where its references lead.
        schema: A schema with `allOf`.

    Returns:
        The schema put together, in the same place.

    Raises:
        Refused: Its parts contradict each other, or it is made of itself.
    """
    parts = list(_parts(document, schema, (schema.pointer,)))
    found = {key: parts[0][key] for key in parts[0].names if key != "allOf"}
    for part in parts[1:]:
        for key in part.names:
            if key in _OWN or key == "allOf" or key.startswith("x-"):
                continue
            found[key] = _combined(schema, key, found[key], part[key]) if key in found else part[key]
    inherited = [part for part in parts[1:] if part.names]
    if inherited and "nullable" not in found and all(part.flag("nullable") for part in inherited):
        found["nullable"] = _at(schema, "nullable", True)
    return made(schema, found)


def made(place: Node, children: Mapping[str, Node]) -> Node:
    """Return an object in a place of the document, made of children that stand elsewhere."""
    value = {key: child.value for key, child in children.items()}
    return Node(value, place.pointer, place.document, dict[str | int, Node](children.items()))


def both(place: Node, one: Node, other: Node) -> Node:
    """Return a schema that says what two schemas say."""
    also = (one.pointer, *one.also, other.pointer, *other.also)
    if one.value == other.value or other.value in (True, {}):
        return attrs.evolve(one, also=also)
    if one.value in (True, {}):
        return attrs.evolve(other, also=also)
    pair = Node([one.value, other.value], f"{place.pointer}/allOf", place.document, {0: one, 1: other})
    return attrs.evolve(made(place, {"allOf": pair}), also=also)


def _parts(document: Document, schema: Node, above: tuple[str, ...]) -> Iterator[Node]:
    """Yield a schema and all that it is made of; `above` are the places whose references lead here."""
    yield schema
    for element in schema["allOf"].elements() if schema.get("allOf") else ():
        target = document.resolve(element)
        referred = target.pointer != element.pointer
        if referred and target.pointer in above:
            raise element.refused("this schema is made of itself by allOf", "End the circle.")
        yield from _parts(document, target, (*above, target.pointer) if referred else above)


def _combined(place: Node, key: str, one: Node, other: Node) -> Node:
    """Return what two schemas say together under one keyword."""
    if one.value == other.value:
        return one
    if key == "properties":
        return _combined_properties(_at(place, key, {}), one, other)
    if key in ("items", "additionalProperties") and is_object(one.value) and is_object(other.value):
        return both(_at(place, key, {}), one, other)
    if key in _RULES:
        return _at(place, key, _RULES[key](one.value, other.value))
    if key == "type":
        return _at(place, key, _common_types(one, other))
    if key == "format":
        return one
    raise other.refused(f"`{key}` contradicts what {one.pointer} says", "Say it once, or say the same in both places.")


def _combined_properties(place: Node, one: Node, other: Node) -> Node:
    children = dict(one.items())
    for name, child in other.items():
        children[name] = both(_at(place, name, {}), children[name], child) if name in children else child
    return made(place, children)


def _common_types(one: Node, other: Node) -> list[str]:
    first, second = _types(one.value), _types(other.value)
    common = [kind for kind in first if kind in second]
    if "integer" in first + second and "number" in first + second and "integer" not in common:
        common.append("integer")
    if not common:
        raise other.refused(
            f"`type` contradicts what {one.pointer} says", "Let the two types have something in common."
        )
    return common


def _types(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _at(place: Node, key: str, value: Any) -> Node:
    return Node(value, f"{place.pointer}/{key}", place.document)


def _narrower_extra(one: Any, other: Any) -> Any:
    """Return the narrower of two `additionalProperties`, of which one is true or false."""
    if one is False or other is False:
        return False
    return other if one is True else one


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "required": lambda one, other: list(dict.fromkeys([*one, *other])),
    "enum": lambda one, other: [value for value in one if value in other],
    "additionalProperties": _narrower_extra,
    "uniqueItems": lambda one, other: one or other,
    "readOnly": lambda one, other: one or other,
    "writeOnly": lambda one, other: one or other,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
