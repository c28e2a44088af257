"""Corrections of assumptions: what a new document may change without breaking a promise.

A node that carries `x-unconfirmed` says that no documentation states it. The old document is corrected by what the new
one says at such nodes, as far as a mark covers it; whatever then still differs is a change. A mark covers

- on a path item or an operation: path and method, no documented parameter;
- on a response: its status and body;
- on a request body: its content types;
- on an open object: all of it;
- on another schema or property: presence, nullability, enum and format, and its name if the mark says so.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from ..account import unconfirmed
from ..document import METHODS, Document, Node, operations, references
from ..loading import is_array, is_object
from .diff_tools import evened
from .places import child, is_words, last_name, parent

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_IN_SCHEMA = re.compile(r"/(components/schemas|schema)(/|$)")
_RESPONSE = re.compile(r"#(/components|/paths/[^/]+/[a-z]+)/responses/[^/]+$")
_OPERATION = re.compile(rf"#/paths/[^/]+(/({'|'.join(METHODS)}))?$")


@attrs.frozen
class Mark:
    """An assumption: where it stands in the old document, and why it was made."""

    where: str
    why: str


@attrs.define
class _Draft:
    """The old document while it is corrected."""

    root: Any
    old: Document
    new: Document
    moved: dict[str, str]
    """Where the operations of the old document stand in the new one, by pointer."""

    def at(self, pointer: str) -> Any:
        node = Document(b"", Node(self.root, "#", self.old.name)).at(pointer)
        return node.value if node is not None else None

    def counterpart(self, pointer: str) -> Node | None:
        """Return what the new document has in the place of something in the old one."""
        operation = "/".join(pointer.split("/")[:4])
        return self.new.at(self.moved.get(operation, operation) + pointer.removeprefix(operation))


def corrected(old: Document, new: Document) -> tuple[Document, list[Mark]]:
    """Return the old document with its assumptions corrected, and those that were wrong.

    Args:
        old: The old document.
        new: The new one, which knows better.
    """
    draft = _Draft(copy.deepcopy(old.root.value), old, new, _moved(old, new))
    wrong: list[Mark] = []
    before = evened(draft.root)
    for mark in sorted((Mark(*found) for found in unconfirmed(old.root)), key=_turn):
        _corrector(mark)(draft, mark)
        after = evened(draft.root)
        if after != before:
            wrong.append(mark)
            before = after
    _bring_what_is_missing(draft)
    content = json.dumps(draft.root, ensure_ascii=False).encode()
    return attrs.evolve(old, content=content, root=Node(draft.root, "#", old.name)), wrong


def _moved(old: Document, new: Document) -> dict[str, str]:
    places = {node.text("operationId"): node.pointer for *_, node in operations(new)}
    return {
        node.pointer: places[node.text("operationId")]
        for *_, node in operations(old)
        if node.text("operationId") in places
    }


def _turn(mark: Mark) -> tuple[bool, int]:
    """Return what a mark is sorted by: the innermost first; what moves others comes last."""
    return _OPERATION.fullmatch(mark.where) is not None, -mark.where.count("/")


def _corrector(mark: Mark) -> Callable[[_Draft, Mark], None]:
    if _OPERATION.fullmatch(mark.where):
        return _correct_path_and_method
    if _RESPONSE.fullmatch(mark.where):
        return _correct_response
    if mark.where.endswith("/requestBody"):
        return _correct_content_types
    return _correct_schema if _IN_SCHEMA.search(mark.where) else _leave


def _leave(_draft: _Draft, _mark: Mark) -> None:
    """Leave what no mark can cover."""


def _correct_path_and_method(draft: _Draft, mark: Mark) -> None:
    for path, method, _, node in list(operations(draft.old)):
        if node.pointer in (mark.where, child(mark.where, method)) and node.pointer in draft.moved:
            _move(draft, path, method, draft.moved[node.pointer])


def _move(draft: _Draft, path: str, method: str, to: str) -> None:
    new_path, new_method = last_name(parent(to)), last_name(to)
    target = _with_placeholders_of(path, new_path)
    paths = draft.root["paths"]
    item = paths.get(path, {})
    if target is None or (target, new_method) == (path, method) or method not in item:
        return
    shared = {key: value for key, value in item.items() if key not in METHODS}
    paths.setdefault(target, copy.deepcopy(shared))[new_method] = item.pop(method)
    if target != path and not any(key in METHODS for key in item):
        del paths[path]


def _with_placeholders_of(path: str, new_path: str) -> str | None:
    """Return a new path with the parameters' names of the old one: they are documented, so no mark covers them."""
    names = _PLACEHOLDER.findall(path)
    if len(names) != len(_PLACEHOLDER.findall(new_path)):
        return None
    left = iter(names)
    return _PLACEHOLDER.sub(lambda _: next(left), new_path)


def _correct_response(draft: _Draft, mark: Mark) -> None:
    now = draft.counterpart(mark.where)
    content = draft.new.resolve(now).get("content") if now is not None else None
    if content is not None:
        _correct_content(draft.at(mark.where), content)
    for operation, status in _uses(draft, mark.where):
        _correct_status(draft, operation, status)


def _correct_content(response: dict[str, Any], now: Node) -> None:
    """Give a response the content types and the schemas of another; examples are words."""
    was: dict[str, Any] = response.get("content", {})
    response["content"] = {
        media: was[media] | {"schema": entry["schema"].value} if media in was and entry.get("schema") else entry.value
        for media, entry in now.items()
    }


def _uses(draft: _Draft, response: str) -> Iterator[tuple[str, str]]:
    """Yield the operations that give an answer, and the status that it has there."""
    for *_, node in operations(draft.old):
        for status, found in node.children("responses"):
            if found.pointer == response or found.text("$ref") == response:
                yield node.pointer, status


def _correct_status(draft: _Draft, operation: str, status: str) -> None:
    now = draft.counterpart(operation)
    responses = draft.at(operation)["responses"]
    if now is None or now.get("responses") is None or status not in responses:
        return
    statuses = now["responses"].names
    if status in statuses:
        if responses[status].get("$ref"):
            responses[status] = now["responses"][status].value
        return
    found = responses.pop(status)
    arrived = [name for name in statuses if name not in responses and name[:1] == status[:1] == "2"]
    if len(arrived) == 1:
        content = draft.new.resolve(now["responses"][arrived[0]]).get("content")
        responses[arrived[0]] = found | ({"content": content.value} if content is not None else {})


def _correct_content_types(draft: _Draft, mark: Mark) -> None:
    now, body = draft.counterpart(mark.where), draft.at(mark.where)
    contents = draft.new.resolve(now).get("content") if now is not None else None
    if contents is None or not is_object(body.get("content")):
        return
    kept = {name: body["content"].get(name, contents[name].value) for name in contents.names}
    if set(kept) != set(body["content"]):
        body["content"] = kept


def _correct_schema(draft: _Draft, mark: Mark) -> None:
    was, now = draft.at(mark.where), draft.counterpart(mark.where)
    is_property = last_name(parent(mark.where)) == "properties"
    if was is None or (now is None and not is_property):
        return
    if now is None:
        if re.search(r"\bname\b", mark.why):
            _correct_name(draft, mark.where)
        return
    if is_property:
        _correct_presence(draft, mark.where, now)
    resolved = draft.new.resolve(now).value
    if not is_object(resolved):
        return  # `true` or `false`: another thing altogether
    if _is_open(was) and _is_object_schema(resolved):
        _replace(was, now.value)
    elif _bare(was) == _bare(resolved):
        _replace(was, now.value if "$ref" in now.names or "$ref" in was else _aspects_of(was, now.value))
    elif "$ref" not in now.names:
        _correct_aspects(was, now.value)


def _correct_name(draft: _Draft, pointer: str) -> None:
    """Give a property the name that it has in the new document, if there is just one that it can be."""
    holder = draft.at(parent(parent(pointer)))
    now = draft.counterpart(parent(parent(pointer)))
    properties = now.get("properties") if now is not None else None
    if properties is None:
        return
    name, was = last_name(pointer), draft.at(pointer)
    arrived = [new for new in properties.names if new not in holder["properties"]]
    alike = [new for new in arrived if _kind(draft.new.resolve(properties[new]).value) == _kind(was)]
    if len(alike) == 1:
        holder["properties"][alike[0]] = holder["properties"].pop(name)
        holder["required"] = [alike[0] if found == name else found for found in holder.get("required", [])]


def _correct_presence(draft: _Draft, pointer: str, now: Node) -> None:
    holder, new_holder = draft.at(parent(parent(pointer))), draft.new.at(parent(parent(now.pointer)))
    if new_holder is None:
        return
    required = [name for name in holder.get("required", []) if name != last_name(pointer)]
    is_required = last_name(pointer) in new_holder.array("required")
    if is_required != (last_name(pointer) in holder.get("required", [])):
        holder["required"] = [*required, last_name(pointer)] if is_required else required


def _correct_aspects(was: dict[str, Any], now: dict[str, Any]) -> None:
    """Take over presence, nullability, enum and format, here and in what stands inside."""
    _replace(was, _aspects_of(was, now))
    for name, inner in was.get("properties", {}).items():
        new = now.get("properties", {}).get(name)
        if is_object(new) and "$ref" not in new and "$ref" not in inner:
            _correct_aspects(inner, new)
    if all(is_object(schema.get("items")) and "$ref" not in schema["items"] for schema in (was, now)):
        _correct_aspects(was["items"], now["items"])


def _aspects_of(was: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with the presence, nullability, enum and format of another."""
    found = {key: value for key, value in was.items() if key not in ("required", "enum", "format", "nullable")}
    known = set(was.get("properties", {}))
    kept = [name for name in was.get("required", []) if name not in now.get("properties", {})]
    required = [name for name in now.get("required", []) if isinstance(name, str) and name in known] + kept
    found |= {"required": required} if required else {}
    found |= {key: now[key] for key in ("enum", "format", "nullable") if key in now}
    if "type" in was:
        found["type"] = _with_null(was["type"], "null" in _types(now))
    return found


def _with_null(kind: Any, nullable: bool) -> Any:
    others = [name for name in (kind if is_array(kind) else [kind]) if name != "null"]
    if nullable:
        return [*others, "null"]
    return others[0] if len(others) == 1 else others


def _types(schema: dict[str, Any]) -> list[Any]:
    kind = schema.get("type", [])
    return kind if is_array(kind) else [kind]


def _kind(schema: dict[str, Any]) -> list[Any]:
    return sorted(name for name in _types(schema) if name != "null")


def _is_open(schema: dict[str, Any]) -> bool:
    return (
        "object" in _types(schema) and "properties" not in schema and schema.get("additionalProperties", True) is True
    )


def _is_object_schema(schema: dict[str, Any]) -> bool:
    return "object" in _types(schema) or any(key in schema for key in ("properties", "allOf", "oneOf", "anyOf"))


def _bare(schema: dict[str, Any], *, outermost: bool = True) -> dict[str, Any]:
    """Return what no mark on a schema covers."""
    dropped = ["enum", "format", "nullable", *(["required"] if outermost else [])]
    found = {key: value for key, value in schema.items() if key not in dropped and not is_words(f"#/{key}")}
    if "type" in found:
        found["type"] = _kind(schema)
    return found


def _replace(was: dict[str, Any], now: dict[str, Any]) -> None:
    was_mark = {key: value for key, value in was.items() if is_words(f"#/{key}")}
    found = {**{key: value for key, value in now.items() if not is_words(f"#/{key}")}, **was_mark}
    was.clear()
    was.update(copy.deepcopy(found))


def _bring_what_is_missing(draft: _Draft) -> None:
    """Bring the components that corrections refer to from the new document, with those that they refer to."""
    while missing := _missing(draft):
        for component in missing:
            section = draft.root.setdefault("components", {}).setdefault(last_name(parent(component.pointer)), {})
            section[last_name(component.pointer)] = copy.deepcopy(component.value)


def _missing(draft: _Draft) -> list[Node]:
    """Return the components of the new document that the draft refers to and does not have."""
    wanted = {
        "/".join(target.split("/")[:4]) for target in references(draft.root) if target.startswith("#/components/")
    }
    found = (draft.new.at(pointer) for pointer in wanted if draft.at(pointer) is None)
    return [component for component in found if component is not None]
