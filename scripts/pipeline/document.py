"""Read an OpenAPI document, and find one's way in it by JSON pointers (RFC 6901)."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import attrs

from .loading import is_array, is_object, load_file
from .steps import Refused

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

COMPONENTS = "#/components/schemas/"
"""Where named schemas stand."""

_REFERENCE_HOPS = 100


@attrs.frozen
class Node:
    """A value in a document, and where it stands."""

    value: Any
    pointer: str
    document: str
    parts: "Mapping[str | int, Node]" = attrs.field(factory=dict["str | int", "Node"], repr=False)
    """Children that stand elsewhere in the document, of a value that was put together."""
    also: tuple[str, ...] = ()
    """Where else in the document the same was said, of a value that was put together."""

    def __getitem__(self, key: str | int) -> "Node":
        """Return the child under `key`, which must be there."""
        if key in self.parts:
            return self.parts[key]
        return Node(self.value[key], f"{self.pointer}/{escape(str(key))}", self.document)

    @property
    def names(self) -> list[str]:
        """The names of an object's children; none where this is no object."""
        return list(self.value) if is_object(self.value) else []

    def get(self, key: str) -> "Node | None":
        """Return the child under `key`, or None where this is no object that holds it."""
        return self[key] if is_object(self.value) and key in self.value else None

    def text(self, key: str) -> str:
        """Return the text under `key`, blanks at the ends removed, or an empty text."""
        found = self.get(key)
        return found.value.strip() if found is not None and isinstance(found.value, str) else ""

    def flag(self, key: str) -> bool:
        """Tell whether `true` stands under `key`."""
        found = self.get(key)
        return found is not None and found.value is True

    def array(self, key: str) -> list[Any]:
        """Return the array under `key`, or an empty one.

        Raises:
            Refused: Something else stands there.
        """
        found = self.get(key)
        if found is not None and is_array(found.value) and not found.parts:
            return list(found.value)
        return [child.value for child in found.elements()] if found is not None else []

    def children(self, key: str) -> "Iterator[tuple[str, Node]]":
        """Yield the names and children of the object under `key`; nothing where there is none."""
        found = self.get(key)
        return found.items() if found is not None else iter(())

    def items(self) -> "Iterator[tuple[str, Node]]":
        """Yield the names and children of an object.

        Raises:
            Refused: This is no object.
        """
        if not isinstance(self.value, dict):
            raise self.refused("this must be an object", "Write names with values, as OpenAPI asks.")
        return ((name, self[name]) for name in self.names)

    def elements(self) -> "Iterator[Node]":
        """Yield the children of an array.

        Raises:
            Refused: This is no array.
        """
        if not is_array(self.value):
            raise self.refused("this must be an array", "Write a list, as OpenAPI asks.")
        return (self[index] for index in range(len(self.value)))

    def refused(self, found: str, advice: str) -> Refused:
        """Return the exception that says what stands here and what to do about it."""
        return Refused(f"{self.document}: {self.pointer}: {found}\n{advice}")


@attrs.frozen
class Document:
    """An OpenAPI 3.0 or 3.1 document."""

    content: bytes = attrs.field(repr=False)
    root: Node = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.root.document

    @property
    def version(self) -> str:
        """The version of the API that the document describes."""
        return self.root["info"].text("version")

    def at(self, pointer: str) -> Node | None:
        """Return the node at a JSON pointer such as `#/components/schemas/Number`, or None."""
        node: Node | None = self.root if pointer == "#" or pointer.startswith("#/") else None
        for part in pointer.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = _child(node, key) if node is not None else None
        return node

    def resolve(self, node: Node) -> Node:
        """Follow `$ref` until something else stands there.

        Args:
            node: What may be a reference.

        Returns:
            The node that the references lead to, or `node` itself.

        Raises:
            Refused: The reference leads nowhere, outside the document, or in a circle.
        """
        for _ in range(_REFERENCE_HOPS):
            reference = node.get("$ref")
            if reference is None:
                return node
            node = self.follow(reference)
        raise node.refused("the $ref leads in a circle", "Let it end at a definition.")

    def follow(self, reference: Node) -> Node:
        """Return the node that the value of a `$ref` names.

        Raises:
            Refused: There is none.
        """
        target = reference.value
        found = self.at(unquote(target)) if isinstance(target, str) and target.startswith("#") else None
        if found is None:
            raise reference.refused(f"the $ref `{target}` leads nowhere", "Define it, or correct the reference.")
        return found


def load(path: Path) -> Document:
    """Read the document in a file.

    Args:
        path: A YAML or JSON file.

    Returns:
        The document, known to be an OpenAPI 3.0 or 3.1 document with an `info` and `paths`.

    Raises:
        Refused: The file cannot be read, is no YAML or JSON, or holds no OpenAPI document.
    """
    content, data = load_file(path)
    document = Document(content=content, root=Node(data, "#", path.name))
    _require_openapi(document)
    return document


def escape(part: str) -> str:
    """Return a name as one part of a JSON pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def operations(document: Document) -> Iterator[tuple[str, str, Node, Node]]:
    """Yield path, method, path item and operation for each operation, in the order of the document."""
    for path, reference in document.root["paths"].items():
        if path.startswith("x-"):
            continue
        item = document.resolve(reference)
        for method, node in item.items():
            if method in METHODS:
                node.items()  # refused here unless it is an object
                yield path, method, item, node


def references(value: Any) -> Iterator[str]:
    """Yield what the `$ref` in plain data name, wherever they stand in it."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if is_object(current):
            target = current.get("$ref")
            if isinstance(target, str):
                yield target
            waiting += current.values()
        elif is_array(current):
            waiting += current


def _child(node: Node, key: str) -> Node | None:
    if isinstance(node.value, list):
        children = list(node.elements())
        return children[int(key)] if key.isdecimal() and int(key) < len(children) else None
    return node.get(key)


def _require_openapi(document: Document) -> None:
    root = document.root
    if not re.match(r"3\.[01]\.\d+", root.text("openapi")):
        raise root.refused("this is no OpenAPI 3.0 or 3.1 document", "Begin it with `openapi: 3.1.0`.")
    for part in ("info", "paths"):
        found = root.get(part)
        if found is None:
            raise root.refused(f"`{part}` is missing", "Add it, as OpenAPI asks.")
        found.items()
    for part in ("title", "version"):
        found = root["info"].get(part)
        if found is None or not isinstance(found.value, str):
            raise root["info"].refused(f"`{part}` is missing or no text", "Add it, in quotes.")
