"""Read an OpenAPI document, and find one's way in it by JSON pointers (RFC 6901)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard, cast

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .steps import Refused

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_REFERENCE_HOPS = 100


@attrs.frozen
class Node:
    """A value in a document, and where it stands."""

    value: Any
    pointer: str
    document: str

    def __getitem__(self, key: str | int) -> "Node":
        """Return the child under `key`, which must be there."""
        return attrs.evolve(self, value=self.value[key], pointer=f"{self.pointer}/{escape(str(key))}")

    @property
    def names(self) -> list[str]:
        """The names of an object's children; none where this is no object."""
        return list(self.value) if is_object(self.value) else []

    def get(self, key: str) -> "Node | None":
        """Return the child under `key`, or None where this is no object that holds it."""
        return self[key] if key in self.names else None

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
        node: Node | None = self.root
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
            node = self._follow(reference)
        raise node.refused("the $ref leads in a circle", "Let it end at a definition.")

    def _follow(self, reference: Node) -> Node:
        target = reference.value
        if not isinstance(target, str) or not target.startswith("#"):
            raise reference.refused(
                f"the $ref `{target}` leads out of the document",
                "Only references inside the document (`#/...`) are supported; move the definition into it.",
            )
        found = self.at(target)
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
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}\nName a file that holds the document.") from None
    return parse(path.name, content)


def parse(name: str, content: bytes) -> Document:
    """Make a document of the bytes of a YAML or JSON file.

    Args:
        name: What messages call the document.
        content: The bytes of the file.

    Returns:
        The document, as `load` does.

    Raises:
        Refused: As `load` does.
    """
    document = Document(content=content, root=Node(_plain_data(name, content), "#", name))
    _require_openapi(document)
    return document


def is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    """Tell whether a value is an object of JSON."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is an array of JSON."""
    return isinstance(value, list)


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
                yield path, method, item, node


def _child(node: Node, key: str) -> Node | None:
    if isinstance(node.value, list):
        children = list(node.elements())
        return children[int(key)] if key.isdecimal() and int(key) < len(children) else None
    return node.get(key)


def _plain_data(name: str, content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: is no UTF-8 text (byte {error.start})\nSave the document as UTF-8.") from None
    try:
        return _loads(text)
    except MarkedYAMLError as error:
        raise Refused(f"{name}: is no YAML{_problem(error)}\nCorrect the file and try again.") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Refused(f"{name}: is no YAML: {str(error) or type(error).__name__}\nCorrect the file.") from None


def _problem(error: Any) -> str:
    """Return where and why ruamel gave up, on one line."""
    where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
    why = " ".join(str(error.problem or error.context).split())
    return f"{where}: {why}"


def _loads(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_without_duplicates)
        except json.JSONDecodeError:
            pass  # a YAML document may begin with a brace too
    return _as_json(load_yaml(text), set())


def load_yaml(text: str) -> Any:
    """Return YAML 1.2 as plain data; ruamel's errors pass."""
    return cast(Any, YAML(typ="safe", pure=True)).load(text)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key `{twice}` stands twice in one object")
    return found


def _as_json(value: Any, above: set[int]) -> Any:
    """Return YAML data as JSON would hold it: names are text, dates too, and nothing holds itself."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if id(value) in above:
        raise ValueError("an alias stands inside the value that it names")
    inside = above | {id(value)}
    if is_object(value):
        return {str(key): _as_json(child, inside) for key, child in value.items()}
    if is_array(value):
        return [_as_json(child, inside) for child in value]
    return str(value)


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
        if not root["info"].text(part):
            raise root["info"].refused(f"`{part}` is missing or no text", "Add it, in quotes.")
