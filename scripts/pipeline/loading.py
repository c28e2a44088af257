"""Read the file of a document, and the files beside it that it refers to, into plain data.

Nothing is fetched and nothing outside the document's folder is read. What other files hold goes under `x-files`, and
references to it are rewritten, so that everything after this knows one document.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeGuard, cast
from urllib.parse import unquote

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, ScalarNode

from .steps import Refused

FILES = "x-files"

MOST_BYTES = 20 * 1024 * 1024
"""Bytes that a file may have."""

MOST_LEVELS = 200
"""Levels of nesting that a document may have."""

MOST_VALUES = 5_000_000
"""Values that a document may have when its aliases are written out."""


def load_file(path: Path) -> tuple[bytes, Any]:
    """Read a document.

    Args:
        path: A YAML or JSON file.

    Returns:
        Its bytes, and what it says as JSON data. Files that it refers to are under `x-files`; the bytes are then those
        of a document of one file that says the same.

    Raises:
        Refused: It, or a file that it refers to, cannot be read, is too large or is no YAML or JSON.
    """
    content = _read(path)
    data = plain_data(path.name, content)
    if is_object(data):
        _Bundle(path).add_to(data)
        if FILES in data:
            content = yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode()
    return content, data


def plain_data(name: str, content: bytes) -> Any:
    """Return what the bytes of a YAML or JSON file say, as JSON data.

    Raises:
        Refused: They are no UTF-8, no YAML, or hold more than fits.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: is no UTF-8 text (byte {error.start})\nSave the document as UTF-8.") from None
    try:
        data = _as_json(_loads(text), {})
    except yaml.MarkedYAMLError as error:
        where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        why = " ".join(str(error.problem or error.context).split())
        if "nesting depth" in why:
            raise Refused(f"{name}: is nested too deep{where}\nUse `$ref` instead of nesting.") from None
        raise Refused(f"{name}: is no YAML{where}: {why}\nCorrect the file and try again.") from None
    except RecursionError:
        raise Refused(f"{name}: is nested too deep\nUse `$ref` instead of nesting.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise Refused(f"{name}: is no YAML: {' '.join(str(error).split())}\nCorrect the file.") from None
    return data


def load_yaml(text: str) -> Any:
    """Return YAML as data: the types of YAML 1.2, so that `no` is a text and a date too; duplicate keys are refused."""
    return yaml.load(text, _Loader)  # noqa: S506 - a loader of our own, which makes plain data only


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is an object of JSON."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is an array of JSON."""
    return isinstance(value, list)


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's core schema on PyYAML's fast parser."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._flat: set[int] = set()

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        if id(node) not in self._flat:  # a node that an alias names is constructed once, but merged into others before
            self._flat.add(id(node))
            _require_unique(node)
            self.flatten_mapping(node)
        return cast("dict[Any, Any]", super().construct_mapping(node, deep=deep))


def _require_unique(node: MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, ScalarNode) and key.value in seen and key.value != "<<":
            raise ConstructorError(None, None, f"the key `{key.value}` stands twice in one object", key.start_mark)
        seen.add(key.value if isinstance(key, ScalarNode) else "")


def _refuse_tag(_: Any, node: Any) -> Any:
    raise ConstructorError(None, None, f"JSON has nothing like the tag `{node.tag}`", node.start_mark)


def _integer(loader: Any, node: ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)


cast(Any, _Loader).yaml_implicit_resolvers = {}
cast(Any, _Loader).add_constructor("tag:yaml.org,2002:int", _integer)
for _tag in ("binary", "omap", "pairs", "set", "timestamp"):
    cast(Any, _Loader).add_constructor(f"tag:yaml.org,2002:{_tag}", _refuse_tag)
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("merge", r"<<", ["<"]),
):
    cast(Any, _Loader).add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), [*_first])


class _Bundle:
    """The files that a document refers to, each read once."""

    def __init__(self, document: Path) -> None:
        self._document = document.resolve()
        self._folder = self._document.parent
        self._files: dict[str, Any] = {}

    def add_to(self, data: dict[str, Any]) -> None:
        """Read all files that the document refers to, put them under `x-files`, and rewrite the references."""
        self._rewrite(data, self._document, prefix="")
        if self._files:
            data[FILES] = self._files

    def _rewrite(self, value: Any, file: Path, prefix: str) -> None:
        if is_object(value):
            reference = value.get("$ref")
            if isinstance(reference, str):
                value["$ref"] = self._rewritten(reference, file, prefix)
            for child in value.values():
                self._rewrite(child, file, prefix)
        elif is_array(value):
            for child in value:
                self._rewrite(child, file, prefix)

    def _rewritten(self, reference: str, file: Path, prefix: str) -> str:
        where, _, inside = reference.partition("#")
        if not where:
            return f"#{prefix}{inside}" if prefix else reference
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", where):
            raise _refused_file(file, reference, "leads to a URL; nothing is fetched")
        target = _resolved(file.parent, unquote(where))
        if target is None:
            raise _refused_file(file, reference, "is no name of a file")
        if not target.is_relative_to(self._folder):
            raise _refused_file(file, reference, "leads out of the document's folder")
        if target == self._document:
            return f"#{inside}"
        return f"#{self._include(target, file, reference)}{inside}"

    def _include(self, target: Path, file: Path, reference: str) -> str:
        name = target.relative_to(self._folder).as_posix()
        prefix = f"/{FILES}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in self._files:
            if not target.is_file():
                raise _refused_file(file, reference, "leads to a file that is not there")
            self._files[name] = plain_data(name, _read(target))
            self._rewrite(self._files[name], target, prefix)
        return prefix


def _resolved(folder: Path, name: str) -> Path | None:
    try:
        target = (folder / name).resolve()
        target.exists()
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, links in a circle
        return None
    return target


def _refused_file(file: Path, reference: str, why: str) -> Refused:
    return Refused(
        f"{file.name}: the $ref `{reference}` {why}\n"
        "References may lead inside the document, or to files in its folder; move the definition there."
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Refused(
                f"{path}: is larger than {MOST_BYTES // 1024 // 1024} MiB\n"
                "Name a file that holds a document, or split it."
            )
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}\nName a file that holds the document.") from None


def _loads(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
        except json.JSONDecodeError:
            pass  # a YAML document may begin with a brace too
    return load_yaml(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no number {name}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key `{twice}` stands twice in one object")
    return found


def _as_json(value: Any, sizes: dict[int, int]) -> Any:
    """Return YAML data as JSON would hold it, aliases written out: names are text, and nothing holds itself."""
    if _size(value, sizes) > MOST_VALUES:
        raise ValueError(f"its aliases stand for more than {MOST_VALUES} values")
    return _written_out(value, "#", 0)


def _size(value: Any, sizes: dict[int, int]) -> int:
    """Return how many values a value is when its aliases are written out; `sizes` knows those that were counted."""
    if not is_object(value) and not is_array(value):
        return 1
    if sizes.get(id(value)) == 0:
        raise ValueError("an alias stands inside the value that it names")
    if id(value) not in sizes:
        sizes[id(value)] = 0  # being counted
        children: Iterable[Any] = value.values() if is_object(value) else value
        sizes[id(value)] = 1 + sum(_size(child, sizes) for child in children)
    return sizes[id(value)]


def _written_out(value: Any, pointer: str, level: int) -> Any:
    if level > MOST_LEVELS:
        raise RecursionError
    if is_object(value):
        return {
            _name(key, pointer): _written_out(child, f"{pointer}/{_name(key, pointer)}", level + 1)
            for key, child in value.items()
        }
    if is_array(value):
        return [_written_out(child, f"{pointer}/{index}", level + 1) for index, child in enumerate(value)]
    return _encodable(value, pointer) if isinstance(value, str) else value


def _encodable(text: str, pointer: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        shown = f"{text[:40]!a}"
        raise ValueError(f"{pointer}: the text {shown} holds half of a character, a lone surrogate") from None
    return text


def _name(key: object, pointer: str) -> str:
    if isinstance(key, str):
        return _encodable(key, pointer)
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)  # a status such as 200 without quotes
    raise ValueError(f"the key `{key}` is no text")
