"""Have every reference of a document lead to a component, as tools of other languages take for granted.

A document may refer to anything in itself, and what came from other files stands under `x-files`. Schemas that are
referred to elsewhere become components under a name made of their place; other things are put where they are used.
"""

import re
from collections.abc import Callable
from typing import Any

import attrs

from .document import COMPONENTS, METHODS, Document, Node
from .loading import is_array, is_object
from .steps import Refused

SCHEMA = "schema"

# What OpenAPI has where: `{kind}` is an object of such by name, `[kind]` an array of them.
_FIELDS: dict[str, dict[str, str]] = {
    "document": {"paths": "{path}", "webhooks": "{path}", "components": "components"},
    "components": {
        **{"schemas": "{schema}", "responses": "{response}", "parameters": "{parameter}", "pathItems": "{path}"},
        **{"requestBodies": "{body}", "headers": "{parameter}"},
    },
    "path": {"parameters": "[parameter]", **dict.fromkeys(METHODS, "operation")},
    "operation": {"parameters": "[parameter]", "requestBody": "body", "responses": "{response}"},
    "parameter": {"schema": SCHEMA, "content": "{media}"},  # a header is one without a name
    "body": {"content": "{media}"},
    "response": {"headers": "{parameter}", "content": "{media}"},
    "media": {"schema": SCHEMA, "encoding": "{encoding}"},
    "encoding": {"headers": "{parameter}"},
    SCHEMA: {
        **dict.fromkeys(("items", "additionalProperties", "propertyNames", "contains", "not", "if", "then"), SCHEMA),
        **dict.fromkeys(("else", "unevaluatedItems", "unevaluatedProperties", "contentSchema"), SCHEMA),
        **dict.fromkeys(("allOf", "oneOf", "anyOf", "prefixItems"), "[schema]"),
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "dependencies"), "{schema}"),
        **dict.fromkeys(("$defs", "definitions"), "{schema}"),
    },
}

# Where a reference to something of a kind may lead as it is.
_SECTIONS = {
    **{SCHEMA: ("schemas",), "response": ("responses",), "parameter": ("parameters", "headers")},
    **{"body": ("requestBodies",), "path": ("pathItems",)},
}

# Says nothing about the shape of what a caller sends or reads.
_UNUSED = frozenset({"callbacks", "links", "example", "examples"})

_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")


def standalone(document: Document) -> dict[str, Any]:
    """Return a document as data, without callbacks and extensions, in which every reference leads to a component.

    Raises:
        Refused: A schema's name is none that OpenAPI allows, or no file can bear it beside the others.
    """
    _check_names(document)
    return _Standalone(document).data()


def rebuilt(node: Node, kind: str, change: Callable[[Node, str], Any]) -> dict[str, Any]:
    """Return an object with what OpenAPI has inside it changed; values that only look like it stay as they are.

    Args:
        node: The object.
        kind: What it is, such as `SCHEMA`.
        change: Gives what goes in the place of a node of a kind.
    """
    fields = _FIELDS[kind]
    return {name: _changed(node[name], fields.get(name), change) for name in node.names}


class _Standalone:
    """Rewrites one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        components = document.root.get("components")
        self._taken = {name for name, _ in components.children("schemas")} if components else set[str]()
        self._names: dict[str, str] = {}
        self._waiting: list[Node] = []
        self._refers_only = document.root.text("openapi").startswith("3.0")  # what stands beside a reference is ignored

    def data(self) -> dict[str, Any]:
        """Return the document, rewritten."""
        found: dict[str, Any] = self._of(self._document.root, "document")
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        while self._waiting:
            node = self._waiting.pop()
            schemas[self._names[node.pointer]] = self._of(node, SCHEMA)
        return found

    def _of(self, node: Node, kind: str) -> Any:
        if not is_object(node.value):
            return node.value
        if kind in _SECTIONS and node.get("$ref"):
            return self._referring(node, kind)
        if kind != SCHEMA:
            node = attrs.evolve(node, value={name: node.value[name] for name in node.names if not _is_unused(name)})
        return rebuilt(node, kind, self._of)

    def _referring(self, node: Node, kind: str) -> Any:
        """Return a reference that leads to a component, or what it leads to."""
        target = self._document.follow(node["$ref"])
        if kind != SCHEMA:
            is_home = _is_component(target.pointer, kind)
            return {"$ref": target.pointer} if is_home else self._of(self._document.resolve(node), kind)
        pointer = target.pointer if _is_component(target.pointer, kind) else COMPONENTS + self._named(target)
        beside = {} if self._refers_only else rebuilt(node, kind, self._of)
        return {**beside, "$ref": pointer}

    def _named(self, target: Node) -> str:
        """Return the name under which a schema becomes a component."""
        if target.pointer not in self._names:
            name = re.sub(r"[^A-Za-z0-9._-]+", "_", target.pointer.removeprefix("#/"))
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            self._names[target.pointer] = name
            self._waiting.append(target)
        return self._names[target.pointer]


def _changed(node: Node, form: str | None, change: Callable[[Node, str], Any]) -> Any:
    if form is None:
        return node.value
    kind = form.strip("{}[]")
    if form.startswith("["):
        return [change(child, kind) for child in node.elements()] if is_array(node.value) else node.value
    if form.startswith("{") and is_object(node.value):
        return {name: change(child, kind) for name, child in node.items() if not _is_extension(name, kind)}
    return change(node, kind)


def _is_extension(name: str, kind: str) -> bool:
    """Tell whether a name among others is none: paths may have extensions beside them, headers are called so."""
    return kind == "path" and name.startswith("x-")


def _is_unused(name: str) -> bool:
    return name in _UNUSED or name.startswith("x-")


def _is_component(pointer: str, kind: str) -> bool:
    return any(re.fullmatch(f"#/components/{section}/[^/]+", pointer) for section in _SECTIONS[kind])


def _check_names(document: Document) -> None:
    components = document.root.get("components")
    seen: dict[str, str] = {}
    for name, schema in components.children("schemas") if components else ():
        if not _PLAIN_NAME.fullmatch(name):
            raise _refused_name(schema, "this name is none that a file can bear")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise _refused_name(schema, f"this name differs from `{other}` in nothing but capitals")


def _refused_name(schema: Node, found: str) -> Refused:
    return schema.refused(
        f"{found}, and each schema becomes one",
        "Name it with at most 200 of A-Z, a-z, 0-9, `.`, `_` and `-`, as OpenAPI asks, unlike all others.",
    )
