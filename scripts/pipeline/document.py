"""Read an OpenAPI document, and find one's way in it by JSON pointers (RFC 6901)."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .steps import Refused

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_REFERENCE_HOPS = 100


@attrs.frozen
class Node:
    """A value in the document, and where it stands."""

    value: Any
    pointer: str

    def __getitem__(self, key: str | int) -> "Node":
        """Return the child under `key`, which must be there."""
        return Node(self.value[key], f"{self.pointer}/{escape(str(key))}")

    def get(self, key: str) -> "Node | None":
        """Return the child under `key`, or None where this is no object that holds it."""
        return self[key] if isinstance(self.value, dict) and key in self.value else None

    def text(self, key: str) -> str:
        """Return the text under `key`, blanks at the ends removed, or an empty text."""
        found = self.get(key)
        return found.value.strip() if found is not None and isinstance(found.value, str) else ""

    def items(self) -> "Iterator[tuple[str, Node]]":
        """Yield the names and children of an object."""
        return ((str(key), self[key]) for key in self.value)

    def elements(self) -> "Iterator[Node]":
        """Yield the children of an array."""
        return (self[index] for index in range(len(self.value)))


@attrs.frozen
class Document:
    """An OpenAPI 3.0 or 3.1 document."""

    name: str
    content: bytes = attrs.field(repr=False)
    root: Node = attrs.field(repr=False)

    @property
    def version(self) -> str:
        """The version of the API that the document describes."""
        return str(self.root["info"]["version"].value)

    def refused(self, node: Node | str, found: str, advice: str) -> Refused:
        """Return the exception that says what stands where and what to do about it."""
        pointer = node if isinstance(node, str) else node.pointer
        return Refused(f"{self.name}: {pointer}: {found}\n{advice}")

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
        raise self.refused(node, "the $ref leads in a circle", "Let it end at a definition.")

    def _follow(self, reference: Node) -> Node:
        target = reference.value
        if not isinstance(target, str) or not target.startswith("#"):
            raise self.refused(
                reference,
                f"the $ref `{target}` leads out of the document",
                "Only references inside the document (`#/...`) are supported; move the definition into it.",
            )
        found = self.at(target)
        if found is None:
            raise self.refused(reference, f"the $ref `{target}` leads nowhere", "Define it, or correct the reference.")
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
    document = Document(name=name, content=content, root=Node(_plain_data(name, content), "#"))
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
        for method in item.value:
            if method in METHODS:
                yield path, method, item, item[method]


def _child(node: Node, key: str) -> Node | None:
    if isinstance(node.value, dict):
        return node[key] if key in node.value else None
    if isinstance(node.value, list) and key.isdecimal() and int(key) < len(node.value):
        return node[int(key)]
    return None


def _plain_data(name: str, content: bytes) -> Any:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: is no UTF-8 text (byte {error.start})\nSave the document as UTF-8.") from None
    try:
        return _loads(text)
    except MarkedYAMLError as error:
        where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = re.sub(r"\s+", " ", str(error.problem or error.context or error))
        raise Refused(f"{name}: is no YAML{where}: {problem}\nCorrect the file and try again.") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Refused(f"{name}: is no YAML: {str(error) or type(error).__name__}\nCorrect the file.") from None


def _loads(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_without_duplicates)
        except json.JSONDecodeError:
            pass  # a YAML document may begin with a brace too
    return _as_json(YAML(typ="safe", pure=True).load(text), set())


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
    if isinstance(value, Mapping):
        return {str(key): _as_json(child, inside) for key, child in value.items()}
    if isinstance(value, list):
        return [_as_json(child, inside) for child in value]
    return str(value)


def _require_openapi(document: Document) -> None:
    root = document.root
    if not isinstance(root.value, dict) or not re.match(r"3\.[01]\.\d+", root.text("openapi")):
        raise document.refused("#", "this is no OpenAPI 3.0 or 3.1 document", "Begin it with `openapi: 3.1.0`.")
    for part, kind, name in (("info", dict, "an object"), ("paths", dict, "an object")):
        found = root.get(part)
        if found is None or not isinstance(found.value, kind):
            raise document.refused(f"#/{part}", f"`{part}` is missing or is not {name}", "Add it, as OpenAPI asks.")
    for part in ("title", "version"):
        if not root["info"].text(part):
            raise document.refused(f"#/info/{part}", f"`{part}` is missing or no text", "Add it; put it in quotes.")
