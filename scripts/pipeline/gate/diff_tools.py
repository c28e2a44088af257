"""Two diff tools on the same two documents: `redocly diff`, which lists everything, and oasdiff, a second opinion.

A tool that fails, hangs or says what nobody understands is a failure, never "no change".
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs
import yaml

from ..document import escape
from ..environment import NODE_PINS, node, oasdiff
from ..loading import is_array, is_object
from ..steps import ToolFailed, execute
from .evidence import Class, Evidence
from .places import child, is_words, parent

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which a tool counts as hung."""

_ORDERLESS = ("required", "enum", "type", "tags")

_ADVICE = "Run the command again; if it stays so, compare the two documents by hand and report it."


@attrs.frozen
class Difference:
    """One place in which two documents differ.

    Attributes:
        kind: Whether it is new, gone, or there in both.
        keyword: What differs there; `key` if it is called otherwise now, empty if all of it is new or gone.
        before: Where it stands in the old document; empty where it is new.
        after: Where it stands in the new document; empty where it is gone.
        old: What the keyword said, if there was one.
        new: What the keyword says now.
    """

    kind: Literal["added", "removed", "modified"]
    keyword: str
    before: str
    after: str
    old: Any = None
    new: Any = None

    @property
    def is_words(self) -> bool:
        """Whether it is one of words only."""
        place = self.after or self.before
        return is_words(place if self.keyword in ("", "key") else child(place, self.keyword))


@attrs.frozen
class Files:
    """Two documents as files that both tools read alike: only what the tools must not stumble over is evened out."""

    old: Path
    old_places: Mapping[tuple[int, int], str] = attrs.field(repr=False)
    """JSON pointers by line and column in the old file, both counted from 1."""
    new: Path
    new_places: Mapping[tuple[int, int], str] = attrs.field(repr=False)


def write(old: Any, new: Any, folder: Path) -> Files:
    """Write two documents into a folder, for the tools."""
    folder.mkdir(exist_ok=True)
    return Files(*_write(old, folder / "old.yaml"), *_write(new, folder / "new.yaml"))


def ask_redocly(files: Files) -> tuple[list[Difference], list[Evidence]]:
    """Return every difference, and what `redocly diff` thinks of each.

    Raises:
        ToolFailed: It failed, hung, or its report cannot be read.
    """
    report = files.old.with_name("redocly.json")
    options = ["--format=json", "--fail-on=none", f"--output={report.name}"]
    options.append(f"--config={NODE_PINS / 'redocly-diff.yaml'}")
    command = node("redocly", "diff", files.old.name, files.new.name, *options)
    execute(command, cwd=files.old.parent, patience=PATIENCE)  # a file: Node cuts what it writes to a pipe
    return _understood("redocly diff", report, _redocly_report)


def ask_oasdiff(files: Files) -> list[Evidence]:
    """Return what oasdiff thinks of the changes that it sees.

    Raises:
        ToolFailed: It failed, hung, or its report cannot be read.
    """
    command = oasdiff("changelog", str(files.old), str(files.new), "--format=json", "--allow-external-refs=false")
    done = execute(command, patience=PATIENCE)
    report = files.old.with_name("oasdiff.json")
    report.write_text(done.stdout, encoding="utf-8")
    return _understood("oasdiff", report, lambda data: [_finding(found, files) for found in data])


def _write(data: Any, path: Path) -> tuple[Path, dict[tuple[int, int], str]]:
    text = _text(data)
    path.write_text(text, encoding="utf-8")
    return path, _places(text)


def evened(value: Any, key: str = "") -> Any:
    """Return a document without the order of lists that are sets, and without its version, which is judged apart."""
    if is_object(value):
        found = {name: evened(inner, name) for name, inner in value.items()}
        return found | {"version": "1"} if key == "info" and "title" in found else found
    if is_array(value):
        inner = [evened(element) for element in value]
        return sorted(inner, key=json.dumps) if key in _ORDERLESS else inner
    return value


def _text(data: Any) -> str:
    """Return a document as YAML in which every value stands on a line of its own, without aliases."""
    return yaml.dump(evened(data), Dumper=_Plain, sort_keys=False, width=10**9, allow_unicode=True)


class _Plain(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _places(text: str) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    waiting: list[tuple[yaml.Node, str]] = [(root, "#")] if root is not None else []
    while waiting:
        node, pointer = waiting.pop()
        for mark, inner, place in _children(node, pointer):
            found.setdefault((mark.line + 1, mark.column + 1), place)
            waiting.append((inner, place))
    return found


def _children(node: yaml.Node, pointer: str) -> Iterator[tuple[yaml.Mark, yaml.Node, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.start_mark, value, f"{pointer}/{escape(key.value)}"
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            is_name = isinstance(value, yaml.ScalarNode) and pointer.endswith("/required")
            place = child(parent(pointer), "properties", value.value) if is_name else f"{pointer}/{number}"
            yield value.start_mark, value, place


def _understood(tool: str, report: Path, read: Callable[[Any], T]) -> T:
    text = report.read_text(encoding="utf-8", errors="replace") if report.exists() else ""
    try:
        return read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        shown = text.strip()[:200] or "nothing"
        raise ToolFailed(f"`{tool}` ended well, but its report cannot be read; it says: {shown}\n{_ADVICE}") from None


def _redocly_report(data: Any) -> tuple[list[Difference], list[Evidence]]:
    if data["reportVersion"] != "1" or sum(data["summary"].values()) != len(data["changes"]):
        raise ValueError("another form of report")
    differences: list[Difference] = []
    evidence: list[Evidence] = []
    for change in data["changes"]:
        found = list(_differences(change))
        differences += found
        evidence += _opinions(change, found[0])
    return differences, evidence


def _differences(change: dict[str, Any]) -> Iterator[Difference]:
    keyword: str = change.get("property") or ""
    (before, was), (after, is_now) = _pointed(change.get("base")), _pointed(change.get("revision"))
    if keyword and keyword != "key":
        # the tool points at the keyword where it is, else at what lacks it
        (before, was), (after, is_now) = _held(before, was, keyword), _held(after, is_now, keyword)
    difference = Difference(change["kind"], keyword, before, after, was, is_now)
    if keyword == "required" and change["typeName"] == "Schema":
        yield from _of_required(difference)
    elif change["typeName"] in ("ParameterList", "SchemaProperties") and change["kind"] != "modified":
        yield from _of_container(difference)
    else:
        yield difference


def _pointed(side: Any) -> tuple[str, Any]:
    """Return where one side of a difference stands, and what stands there; nothing where it has no such side."""
    return (side["pointer"], side.get("value")) if is_object(side) else ("", None)


def _of_required(difference: Difference) -> Iterator[Difference]:
    """Yield a difference for each property that became required or optional."""
    was, is_now = _names(difference.old), _names(difference.new)
    for name in sorted(was ^ is_now):
        before, after = (child(place, "properties", name) for place in (difference.before, difference.after))
        yield Difference("modified", "required", before, after, name in was, name in is_now)
    if was == is_now:
        yield difference


def _of_container(difference: Difference) -> Iterator[Difference]:
    """Yield a difference for each parameter or property of a list that is new or gone as a whole."""
    value = difference.new if difference.after else difference.old
    names = [str(number) for number in range(len(value))] if is_array(value) else list(value)
    for name in names:
        before, after = (child(place, name) if place else "" for place in (difference.before, difference.after))
        yield attrs.evolve(difference, before=before, after=after, old=None, new=None)
    if not names:
        yield difference


def _names(value: Any) -> set[str]:
    return {name for name in value if isinstance(name, str)} if is_array(value) else set()


def _held(pointer: str, value: Any, keyword: str) -> tuple[str, Any]:
    """Return what a keyword belongs to, and its value if it is there."""
    return (parent(pointer), value) if pointer.endswith(f"/{escape(keyword)}") else (pointer, None)


def _opinions(change: dict[str, Any], difference: Difference) -> Iterator[Evidence]:
    weights: dict[str, Class] = {"major": "wire", "minor": "additive", "patch": "additive"}
    before, after = difference.before, difference.after
    is_text = _is_text(change, difference)
    if is_text:
        yield Evidence("redocly", "words", "words", "", before, after)
    for verdict in change["verdicts"]:
        yield Evidence("redocly", verdict["ruleId"], weights[verdict["impact"]], verdict["message"], before, after)
    if not change["verdicts"] and not is_text:
        yield Evidence("redocly", change["impact"], weights[change["impact"]], "", before, after)


def _is_text(change: dict[str, Any], difference: Difference) -> bool:
    """Tell whether a difference is one of words: also another name in a path's template, which the parameter tells."""
    return difference.is_words or (change["typeName"], difference.keyword, change["impact"]) == (
        "PathItem",
        "key",
        "patch",
    )


def _finding(found: dict[str, Any], files: Files) -> Evidence:
    before = _place(found.get("baseSource"), files.old_places)
    after = _place(found.get("revisionSource"), files.new_places)
    operation = child("#/paths", found["path"], found["operation"].lower()) if "operation" in found else ""
    if not before and not after:
        before = after = operation or child("#", found["section"])
    weight: Class = "wire" if found["level"] > 1 else "additive"
    return Evidence("oasdiff", found["id"], weight, found["text"], before, after, operation)


def _place(source: Any, places: Mapping[tuple[int, int], str]) -> str:
    return places.get((source["line"], source["column"]), "") if is_object(source) else ""
