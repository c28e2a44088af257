"""Join what all witnesses say into one list of changes, each with one class.

The differences are those that `redocly diff` lists. The worst witness decides on each, but for what `DECIDED` and
`_decided_by_us` say: there a tool is known to err for a client such as ours. What a witness says of a place where there
is no difference, or of an operation none of whose differences is as bad, stands in the list on its own.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs

from ..document import METHODS, Document, Node, operations, references
from ..loading import is_array
from .diff_tools import Difference, evened
from .evidence import CLASSES, Class, Evidence
from .places import is_within, last_name, parent, subject

_SHOWN = 60

_ELSEWHERE = {"#/security": "what all operations ask for", "#/servers": "the server", "#/tags": "the list of tags"}

DECIDED: Mapping[tuple[str, str], tuple[Class, str]] = {
    ("redocly", "enum-values-added"): ("additive", "enums of answers are open: an unknown value survives as itself"),
    ("oasdiff", "response-property-enum-value-added"): ("additive", "the same"),
    ("redocly", "operation-id-changed"): ("python", "the id is a name in Python; nothing of it is on the wire"),
    ("oasdiff", "request-property-default-value-changed"): ("wire", "a call that leaves it out means something else"),
    ("oasdiff", "request-property-default-value-removed"): ("wire", "the same; both tools find it harmless"),
    ("oasdiff", "request-body-default-value-changed"): ("wire", "the same"),
    ("oasdiff", "request-body-default-value-removed"): ("wire", "the same"),
}
"""Where a tool errs: the class that decides instead of its own, and why, by tool and rule."""


@attrs.frozen
class Change:
    """One change of the document.

    Attributes:
        where: The JSON pointer in the new document, or in the old one if it is gone there.
        what: What changed, in words.
        kind: What it means to callers; a `correction` is one of an assumption and breaks no promise.
        operations: The ids of the operations whose callers it concerns, where `what` does not name one.
    """

    where: str
    what: str
    kind: Class | Literal["correction"]
    operations: tuple[str, ...] = ()


@attrs.define
class _Group:
    """All that is said of one place."""

    before: str
    after: str
    differences: list[Difference] = attrs.field(factory=list[Difference])
    evidence: list[Evidence] = attrs.field(factory=list[Evidence])

    @property
    def weight(self) -> Class:
        return worst(found.weight for found in self.evidence)


def join(old: Document, new: Document, differences: Iterable[Difference], evidence: Iterable[Evidence]) -> list[Change]:
    """Return the changes between two documents, the worst first.

    Args:
        old: The old document.
        new: The new one.
        differences: Where they differ.
        evidence: What all witnesses say.
    """
    groups = _grouped(old, new, differences)
    said = [*(_decided(found) for found in evidence), *_decided_by_us(old, new)]
    apart = [found for found in said if not _attached(found, groups)]
    reach = {**_reach(old), **_reach(new)}
    alone = [found for found in apart if not _explained(found, groups, reach)]
    changes = [Change(group.after or group.before, _what(group, old, new), group.weight) for group in groups]
    changes += {
        (found.before, found.says): Change(found.after or found.before, found.says, found.weight) for found in alone
    }.values()
    concerned = [attrs.evolve(change, operations=_concerned(change.where, old, new, reach)) for change in changes]
    return sorted(concerned, key=lambda change: (_rank(change.kind), change.where))


def _concerned(pointer: str, old: Document, new: Document, reach: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Return the ids of the operations that use a component, in the order of the document."""
    component = "/".join(pointer.split("/")[:4])
    document = new if new.at(component) is not None else old
    found = [node for *_, node in operations(document) if component in reach[node.pointer]]
    return tuple(node.text("operationId") for node in found)


def worst(kinds: Iterable[Class]) -> Class:
    """Return the worst of some classes; words only if there are none."""
    found = set(kinds)
    for kind in CLASSES:
        if kind in found:
            return kind
    return "words"


def _rank(kind: str) -> int:
    return [*CLASSES].index(kind) if kind in CLASSES else -1


def _grouped(old: Document, new: Document, differences: Iterable[Difference]) -> list[_Group]:
    """Return the differences by what they are about; a renamed thing is one thing."""
    groups: list[_Group] = []
    for difference in sorted(differences, key=lambda found: found.keyword != "key"):  # names first: they pair places
        before, after = _there(difference.before, old), _there(difference.after, new)
        found = _of_place(groups, before, after)
        if found is None:
            found = _Group(before, after)
            groups.append(found)
        found.before, found.after = found.before or before, found.after or after
        found.differences.append(difference)
    return _with_renamed_properties(_with_moved_operations(groups, old, new), old, new)


def _there(pointer: str, document: Document) -> str:
    """Return what a place is about, or nothing if the document does not have it."""
    about = subject(pointer) if pointer else ""
    return about if about and document.at(about) is not None else ""


def _of_place(groups: Iterable[_Group], before: str, after: str) -> _Group | None:
    return next(
        (found for found in groups if (before and found.before == before) or (after and found.after == after)), None
    )


def _with_moved_operations(groups: list[_Group], old: Document, new: Document) -> list[_Group]:
    """Make one of an operation that is gone and one that is new under the same id."""
    for gone in [found for found in groups if not found.after and _id(old, found.before)]:
        arrived = [found for found in groups if not found.before and _id(new, found.after) == _id(old, gone.before)]
        for found in arrived:
            gone.after = found.after
            gone.differences += found.differences
            groups.remove(found)
    return groups


def _with_renamed_properties(groups: list[_Group], old: Document, new: Document) -> list[_Group]:
    """Make one of a property that is gone and the one new one of the same schema that says exactly the same."""
    for gone in [found for found in groups if not found.after and _property(old, found.before) is not None]:
        alike = [
            found
            for found in groups
            if not found.before
            and parent(found.after) == parent(gone.before)
            and _property(new, found.after) == _property(old, gone.before)
        ]
        if len(alike) == 1:
            gone.after = alike[0].after
            gone.differences = [Difference("modified", "key", gone.before, gone.after)]
            groups.remove(alike[0])
    return groups


def _property(document: Document, pointer: str) -> Any:
    """Return what a document says of a property, or None where this is none."""
    node = document.at(pointer) if last_name(parent(pointer)) == "properties" else None
    return node.value if node is not None else None


def _id(document: Document, pointer: str) -> str:
    node = document.at(pointer) if last_name(pointer) in METHODS else None
    return node.text("operationId") if node is not None else ""


def _decided(found: Evidence) -> Evidence:
    decision = DECIDED.get((found.witness, found.rule))
    return attrs.evolve(found, weight=decision[0]) if decision else found


def _decided_by_us(old: Document, new: Document) -> Iterator[Evidence]:
    """Yield what neither tool sees: an operation that asks for a token now (both find every change of it harmless)."""
    after = {node.text("operationId"): node for *_, node in operations(new)}
    for *_, node in operations(old):
        now = after.get(node.text("operationId"))
        if now is not None and not _secured(old, node) and _secured(new, now):
            says = f"`{now.text('operationId')}` asks for credentials now"
            yield Evidence("us", "security", "wire", says, node.pointer, now.pointer)


def _secured(document: Document, operation: Node) -> bool:
    own = operation.get("security") or document.root.get("security")
    return own is not None and is_array(own.value) and bool(own.value) and {} not in own.value


def _attached(found: Evidence, groups: Iterable[_Group]) -> bool:
    """Give a piece of evidence to the group that it speaks of, if there is one."""
    group = _of_place(
        groups, subject(found.before) if found.before else "", subject(found.after) if found.after else ""
    )
    if group is not None:
        group.evidence.append(found)
    return group is not None


def _explained(found: Evidence, groups: Iterable[_Group], reach: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether a group around the place, inside it, or that the operation there uses is as bad as it says."""
    places = [place for place in (found.before, found.after, found.operation) if place]
    around = {place for pointer in places for place in (pointer, *reach.get(subject(pointer), ()))}

    def touches(group: _Group) -> bool:
        own = [place for place in (group.before, group.after) if place]
        return any(is_within(one, place) or is_within(place, one) for one in own for place in around)

    return any(_rank(group.weight) <= _rank(found.weight) and touches(group) for group in groups)


def _reach(document: Document) -> dict[str, frozenset[str]]:
    """Return what each operation refers to, directly and through others, by its pointer."""
    return {node.pointer: frozenset(_used(document, node)) for *_, node in operations(document)}


def _used(document: Document, node: Node) -> set[str]:
    found: set[str] = set()
    waiting: list[Any] = [node.value]
    while waiting:
        for target in set(references(waiting.pop())) - found:
            found.add(target)
            referred = document.at(target)
            waiting += [referred.value] if referred is not None else []
    return found


def _what(group: _Group, old: Document, new: Document) -> str:
    name = label(old, group.before) if group.before else label(new, group.after)
    if _id(old, group.before) and group.after and group.before != group.after:
        return f"{name} is {_method_and_path(group.after)} now"
    facts = [fact for difference in _telling(group) for fact in _facts(difference, new)]
    return f"{name} {'; '.join(dict.fromkeys(facts))}"


def _telling(group: _Group) -> list[Difference]:
    """Return the differences that say something to people, what came and went first."""
    kinds = {difference.kind for difference in group.differences if not difference.keyword}
    is_renamed = any(difference.keyword == "key" for difference in group.differences)
    required = [difference for difference in group.differences if _is_presence(difference)]
    silent = required if "removed" in kinds or (is_renamed and len(required) > 1) else []
    acting = [found for found in group.differences if not found.is_words and found not in silent]
    return sorted(acting or group.differences, key=lambda found: found.keyword != "")


def _is_presence(difference: Difference) -> bool:
    return difference.keyword == "required" and isinstance(difference.new, bool)


def _method_and_path(pointer: str) -> str:
    return f"{last_name(pointer).upper()} {last_name(parent(pointer))}"


def _facts(difference: Difference, new: Document) -> Iterator[str]:
    place = difference.after or difference.before
    if difference.keyword == "key" and last_name(parent(difference.after)) == "paths":
        yield f"is at {last_name(difference.after)} now"
    elif difference.is_words:
        yield f"has another `{difference.keyword or last_name(place)}`"
    elif difference.keyword == "key":
        yield f"is called `{last_name(difference.after)}` now"
    elif difference.keyword in ("name", "operationId"):
        yield f"is called `{difference.new}` now"
    elif difference.kind != "modified":
        yield _arrival(difference, place, new)
    elif _is_presence(difference):
        yield "is required" if difference.new else "is optional now"
    elif difference.keyword == "enum" and is_array(difference.old) and is_array(difference.new):
        yield from (f"knows `{value}` too" for value in difference.new if value not in difference.old)
        yield from (f"no longer knows `{value}`" for value in difference.old if value not in difference.new)
    else:
        yield _keyword(difference.keyword, _short(difference.old), _short(difference.new))


def _arrival(difference: Difference, place: str, new: Document) -> str:
    """Say that something came or went: the thing itself, or a part of it."""
    came = bool(difference.after)
    if subject(place) == place:
        return "is new" if came else "is gone"
    if last_name(parent(place)) in ("oneOf", "anyOf"):
        node = new.at(place) if came else None
        name = last_name(node.text("$ref")) if node is not None and node.text("$ref") else f"variant {last_name(place)}"
        return f"may be `{name}` too" if came else f"lost variant {last_name(place)}"
    return f"has a new `{last_name(place)}`" if came else f"lost `{last_name(place)}`"


def _keyword(keyword: str, was: str, is_now: str) -> str:
    if was and is_now:
        return f"has `{keyword}` {is_now} now, was {was}"
    return f"has `{keyword}` {is_now} now" if is_now else f"lost `{keyword}` {was}"


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def label(document: Document, pointer: str) -> str:
    """Return what people call a place of a document."""
    parts = pointer.split("/")
    if pointer.startswith("#/components/schemas/"):
        names = [parts[3], *(parts[number + 1] for number in range(4, len(parts) - 1) if parts[number] == "properties")]
        return f"`{'.'.join(_plain(name) for name in names)}`"
    if parts[1:2] != ["paths"]:
        return _ELSEWHERE.get(pointer, f"`{pointer}`")
    return _label_in_operation(document, pointer, parts)


def _label_in_operation(document: Document, pointer: str, parts: list[str]) -> str:
    operation = "/".join(parts[:4])
    node = document.at(operation) if parts[3:4] and parts[3] in METHODS else None
    name = node.text("operationId") if node is not None else ""
    if not name:
        return _label_of_path(document, "/".join(parts[:3]))
    inner = [_plain(part) for part in parts[4:]]
    if not inner:
        return f"`{name}`"
    if inner[0] == "parameters":
        return f"parameter `{_parameter(document, pointer)}` of `{name}`"
    if inner[0] == "responses":
        return f"status {inner[1]} of `{name}`" + (f" as `{inner[3]}`" if inner[2:3] == ["content"] else "")
    if inner[0] == "requestBody":
        return f"the body of `{name}`" + (f" as `{inner[2]}`" if inner[1:2] == ["content"] else "")
    return f"`{name}`"


def _label_of_path(document: Document, pointer: str) -> str:
    item, path = document.at(pointer), _plain(pointer.rpartition("/")[2])
    found = [(method, item[method].text("operationId")) for method in METHODS if item is not None and item.get(method)]
    return ", ".join(f"`{name}` ({method.upper()} {path})" for method, name in found) or f"`{path}`"


def _parameter(document: Document, pointer: str) -> str:
    node = document.at(pointer)
    return document.resolve(node).text("name") if node is not None else ""


def _plain(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def unlisted(old: Document, new: Document) -> list[Change]:
    """Return the one change of two documents that do not differ but in what `redocly diff` does not list, if any."""
    if json.dumps(_without_version(old)) == json.dumps(_without_version(new)):
        return []
    same = evened(old.root.value) == evened(new.root.value)
    return [Change("#", f"{'the order of the document' if same else 'the value of an example'} is another", "words")]


def _without_version(document: Document) -> Any:
    root = document.root.value
    return {**root, "info": {**root["info"], "version": ""}}
