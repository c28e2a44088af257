"""What a new document changes for those who write Python: names, keywords and types, by griffe and by the listing."""

import re
from collections.abc import Iterator
from functools import lru_cache

import attrs
import griffe
from openapi_python_client.strings import pascal_case

from ..contract import Argument, Operation, Schema
from ..generate import PACKAGE
from ..reader import directions
from .evidence import Class, Evidence
from .listing import class_line, default_of, is_enum, load_package, public_names, shown
from .python_types import Types, alternatives
from .sides import Side

Place = tuple[str, ...]
"""What callers know, however often it is repeated: ("class", name), ("field", class, name), ("operation", method),
("keyword", method, name), ("result", method); where a method is: ("mixin", method), ("module", method); its TypedDict:
("fields", method); and ("name", path) for the rest."""

_PARTS_OF_OPERATION = ("keyword", "result", "mixin", "module", "fields")

# What a model is derived from is up to the templates; an enum's base is compared with its class.
_MACHINERY = "class-removed-base"


def compare(old: Side, new: Side) -> list[Evidence]:
    """Return what a new document changes for those who write Python.

    Args:
        old: The document that is there, and its client.
        new: The new one.

    Returns:
        A piece of evidence for each name, keyword and type that changed, each once.

    Raises:
        ToolFailed: A package is not there, or a file of it is no Python.
    """
    before, after = _surface(old), _surface(new)
    rules = _breakages(before, after)
    judge = _Judge(before, after)
    found: list[Evidence] = []
    for place in sorted({*before.names, *after.names}):
        verdict = judge.verdict(place) or judge.unseen(place, rules.get(place, ""))
        if verdict is not None:
            rule = rules.get(place, verdict.rule) if verdict.weight == "python" else verdict.rule
            places = before.pointer(place), after.pointer(place)
            found.append(Evidence("surface", rule, verdict.weight, verdict.says, *places))
    return found


@attrs.frozen
class _Name:
    """What stands at a place.

    Attributes:
        path: Where callers find it, below the package.
        type: Its annotation; of a class `class` with its bases, of the rest what tells a change.
        default: Its value where it has one.
    """

    path: str
    type: str = ""
    default: str = ""

    @property
    def is_class(self) -> bool:
        """Whether this is a class, not a name for a type."""
        return self.type.startswith("class")

    @property
    def is_required(self) -> bool:
        """Whether whoever passes it must do so."""
        return bool(self.type) and not self.default


class _Surface:
    """The names of one side by their places, and where the document speaks of them."""

    def __init__(self, side: Side) -> None:
        self.package = load_package(side.folder / PACKAGE)
        self.document = side.document
        self.sent, self.read = directions(side.contract.schemas, side.contract.operations)
        self.schemas = {schema.name: schema for schema in side.contract.schemas}
        self.operations = {operation.name: operation for operation in side.contract.operations}
        self._models = {schema.module: schema.name for schema in side.contract.schemas}
        self._modules = {(found.tag, found.module): name for name, found in self.operations.items()}
        self._typed_dicts = {f"{pascal_case(name)}Fields": name for name in self.operations}
        self.names = {
            place: name for path, found in public_names(self.package) for place, name in self._read(path, found)
        }

    def place(self, path: str, keyword: str = "") -> Place:
        """Return the place of a path below the package, and of a keyword of the function there."""
        kind, *rest = path.split(".")
        if kind == "models" and rest:
            name = self._models.get(rest[0], rest[0])
            if name in self.schemas and rest[1:2] in ([], [name]):
                return ("field", name, rest[2]) if len(rest) > 2 else ("class", name)
        method, part = self._operation(kind, rest)
        if not method:
            return ("name", path)
        keyword = rest[1] if part == "fields" and len(rest) > 1 else keyword
        return ("keyword", method, keyword) if keyword else (part, method)

    def _operation(self, kind: str, rest: list[str]) -> tuple[str, str]:
        """Return the method of the operation that a path belongs to, and which part of it that is."""
        if kind in ("methods", "client") and len(rest) > 1 and rest[1] in self.operations:
            return rest[1], "mixin"
        if kind == "api" and len(rest) > 1:
            return self._modules.get((rest[0], rest[1]), ""), "module"
        return (self._typed_dicts.get(rest[0], "") if kind == "fields" and rest else ""), "fields"

    def _read(self, path: str, found: griffe.Object | griffe.Alias) -> Iterator[tuple[Place, _Name]]:
        """Yield what a path says that no other one does: of the repeats of an operation the sync method counts."""
        place, parts = self.place(path), path.split(".")
        if place[0] == "name":
            yield place, _Name(path, shown(found))
        elif place[0] in ("class", "field") and not isinstance(found, griffe.Alias):
            yield place, _name_in_models(path, found)
        elif place[0] == "fields":
            yield place, _Name(path)
        elif place[0] == "module" and parts[-1] == "build":
            home = path.removesuffix(".build")
            yield place, _Name(home, home)
        elif place[0] == "mixin" and parts[1] in ("Methods", "OwnMethods") and isinstance(found, griffe.Function):
            yield ("operation", place[1]), _Name(path)
            yield place, _Name(path, parts[1])
            yield ("result", place[1]), _Name(path, str(found.returns))
            for parameter in found.parameters:
                if parameter.name != "self":
                    default = "" if parameter.default is None else str(parameter.default)
                    yield ("keyword", place[1], parameter.name), _Name(path, str(parameter.annotation), default)

    def pointer(self, place: Place) -> str:
        """Return where the document speaks of a place, as a JSON pointer; empty where it does not.

        Where `allOf` put a schema together, that is the nearest node around it that the document holds.
        """
        if place not in self.names or place[0] == "name":
            return ""
        pointer = self._of_schema(*place[1:]) if place[0] in ("class", "field") else self._of_operation(*place)
        while self.document.at(pointer) is None:
            pointer = pointer.rpartition("/")[0]
        return pointer

    def _of_schema(self, name: str, field: str = "") -> str:
        schema = self.schemas[name]
        for found in schema.properties:
            if found.python_name == field:
                return found.pointers[0]
        return f"{schema.pointer}/additionalProperties" if field and schema.extra is not None else schema.pointer

    def _of_operation(self, part: str, method: str, keyword: str = "") -> str:
        operation = self.operations[method]
        if part == "keyword":
            return self._of_keyword(operation, keyword)
        if part == "result":
            return self._of_answer(operation)
        return f"{operation.pointer}/security" if part == "mixin" else operation.pointer

    def _of_keyword(self, operation: Operation, keyword: str) -> str:
        argument = next((found for found in operation.arguments if found.python_name == keyword), None)
        if argument is not None and argument.location != "body":
            return self._of_parameter(operation, argument)
        for schema in self._bodies(operation):
            for found in schema.properties:
                if argument is not None and found.name == argument.name:
                    return found.pointers[0]
        return f"{operation.pointer}/requestBody"

    def _of_parameter(self, operation: Operation, argument: Argument) -> str:
        for holder in (operation.pointer, operation.pointer.rpartition("/")[0]):
            declared = self.document.at(f"{holder}/parameters")
            for reference in declared.elements() if declared is not None else ():
                parameter = self.document.resolve(reference)
                name = argument.name.get_untrusted_value()
                if parameter["name"].value == name and parameter.text("in") == argument.location:
                    return reference.pointer
        return operation.pointer

    def _bodies(self, operation: Operation) -> Iterator[Schema]:
        """Yield the objects whose properties are an operation's keywords, those of unions included."""
        contents = operation.body.contents.values() if operation.body and operation.body.is_object else ()
        waiting = [name for found in contents for name in sorted(found.classes)]
        seen: set[str] = set()
        while waiting:
            name = waiting.pop(0)
            schema = self.schemas.get(name)
            if schema is None or name in seen:
                continue
            seen.add(name)
            yield schema
            waiting += sorted(schema.classes) if schema.kind in ("union", "alias") else ()

    def _of_answer(self, operation: Operation) -> str:
        """Return where the answer is described that gives a call its value: the only success, or all answers."""
        responses = self.document.at(f"{operation.pointer}/responses")
        statuses = {str(response.status).upper() for response in operation.success}
        found = [node.pointer for name, node in responses.items() if name.upper() in statuses] if responses else []
        return found[0] if len(found) == 1 else f"{operation.pointer}/responses"


@lru_cache(maxsize=8)
def _surface(side: Side) -> _Surface:
    """Return the names of a side, read once when it is compared with several."""
    return _Surface(side)


def _name_in_models(path: str, found: griffe.Object) -> _Name:
    if isinstance(found, griffe.Class):
        return _Name(path, class_line(found) if is_enum(found) else "class")
    if not isinstance(found, griffe.Attribute):
        return _Name(path, shown(found))
    default = default_of(found)
    if str(found.annotation) == "TypeAlias":
        return _Name(path, " | ".join(alternatives(default)))
    return _Name(path, "" if found.annotation is None else str(found.annotation), default)


def _breakages(before: _Surface, after: _Surface) -> dict[Place, str]:
    """Return what griffe finds, its own word by the place."""
    found: dict[Place, str] = {}
    for breakage in griffe.find_breaking_changes(before.package, after.package):
        gone = breakage.kind is griffe.BreakageKind.OBJECT_REMOVED
        changed = breakage.old_value or breakage.new_value
        keyword = changed.name if isinstance(changed, griffe.Parameter) else ""
        place = (before if gone else after).place(breakage.obj.path.removeprefix(f"{PACKAGE}."), keyword)
        if place[0] in _PARTS_OF_OPERATION and place[1] not in after.operations:
            place = ("operation", place[1])
        found.setdefault(place, breakage.kind.name.lower().replace("_", "-"))
    return found


def _known_types(before: _Surface, after: _Surface) -> Types:
    """Return what both sides know of types; a name that means something else on each side is known of none."""
    aliases, enums = _renamed(before, after), dict[str, frozenset[str]]()
    for name in {*before.schemas, *after.schemas}:
        kinds = [side.schemas[name] for side in (before, after) if name in side.schemas]
        targets = {schema.target.declared if schema.target else "" for schema in kinds}
        if targets != {""} and len(targets) == 1:
            aliases[name] = targets.pop()
        if all(schema.kind == "enum" for schema in kinds):
            enums[name] = frozenset(f"Literal[{value!r}]" for schema in kinds for value in schema.members.values())
    return Types(aliases, enums)


def _renamed(before: _Surface, after: _Surface) -> dict[str, str]:
    """Return the classes that have another name now: what is gone, and the first new class that says the same."""
    old, new = _bodies(before), _bodies(after)
    gone = {name: body for name, body in old.items() if name not in new}
    alike = {name: [other for other in new if other not in old and new[other] == body] for name, body in gone.items()}
    return {name: others[0] for name, others in alike.items() if others}


def _bodies(surface: _Surface) -> dict[str, dict[Place, tuple[str, str]]]:
    """Return what each class says, without its own name, by its fields."""
    found: dict[str, dict[Place, tuple[str, str]]] = {}
    for place, name in surface.names.items():
        if place[0] in ("class", "field"):
            said = re.sub(rf"\b{place[1]}\b", "", name.type), name.default
            found.setdefault(place[1], {})[place[2:]] = said
    return found


@attrs.frozen
class _Verdict:
    """What a change at a place is called, what it means, and how people are told."""

    rule: str
    weight: Class
    says: str


class _Judge:
    """Knows what a change means to callers."""

    def __init__(self, before: _Surface, after: _Surface) -> None:
        self._before, self._after = before, after
        self._types = _known_types(before, after)
        self._open_types = attrs.evolve(self._types, open=True)

    def verdict(self, place: Place) -> _Verdict | None:
        """Return what changed at a place, or None: nothing, or nothing that its owner does not say already."""
        old, new = self._before.names.get(place), self._after.names.get(place)
        if not self._has_owner(place):
            return None
        if old is None:
            return self._new(place, self._after.names[place])
        if new is None:
            return _Verdict("name-removed", "python", _says_gone(place, old))
        return self._changed(place, old, new)

    def unseen(self, place: Place, rule: str) -> _Verdict | None:
        """Return what griffe alone found at a place that both sides have, such as a repeat that differs."""
        name = self._before.names.get(place)
        if name is None or place not in self._after.names or rule in ("", _MACHINERY):
            return None
        return _Verdict(rule, "python", f"`{PACKAGE}.{name.path}` is no longer compatible: {rule}")

    def _has_owner(self, place: Place) -> bool:
        """Tell whether both sides have the class or the operation that a place belongs to, as the same kind."""
        owner = _owner(place)
        old, new = self._before.names.get(owner), self._after.names.get(owner)
        return owner == place or (old is not None and new is not None and old.type == new.type)

    def _new(self, place: Place, name: _Name) -> _Verdict:
        demanded = name.is_required and (place[0] == "keyword" or (place[0] == "field" and self._flow(place)[0]))
        return _Verdict("name-added", "python" if demanded else "additive", _says_new(place, name, demanded))

    def _changed(self, place: Place, old: _Name, new: _Name) -> _Verdict | None:
        if place[0] == "mixin":
            return _moved(place[1], old.type, new.type)
        if place[0] == "module":
            gone = _Verdict("name-removed", "python", f"`{PACKAGE}.{old.path}` is gone")
            return gone if old.type != new.type else None
        if place[0] == "name" or old.is_class or new.is_class or "" in (old.type, new.type):
            weight: Class | None = "python" if old.type != new.type else None
        else:
            weight = self._weight(place, old.type, new.type)
        if weight is not None:
            return _Verdict("type-changed", weight, _says_changed(place, old, new))
        if old.default != new.default and old.is_required == new.is_required:
            return _Verdict("default-changed", "python", _says_default(place, old, new))
        return None

    def _weight(self, place: Place, old: str, new: str) -> Class | None:
        """Return what another type means: what is sent may widen, what is read may narrow."""
        narrows, widens = not self._types.fit(old, new), not self._types.fit(new, old)
        if not narrows and not widens:
            return None
        if place[0] == "result" and old == "None":  # nobody uses the value of a call that gives none
            return "additive"
        sent, read = self._flow(place)
        breaks = (sent and narrows) or (read and not self._open_types.fit(new, old))
        return "python" if breaks else "additive"

    def _flow(self, place: Place) -> tuple[bool, bool]:
        """Return whether callers send what stands at a place, and whether they read it; both where nobody knows."""
        if place[0] in ("keyword", "result"):
            return place[0] == "keyword", place[0] == "result"
        sent, read = place[1] in self._before.sent, place[1] in self._before.read
        return sent or not read, read or not sent


def _owner(place: Place) -> Place:
    if place[0] == "field":
        return ("class", place[1])
    return ("operation", place[1]) if place[0] in _PARTS_OF_OPERATION else place


def _moved(method: str, old: str, new: str) -> _Verdict | None:
    """Return what it means that a method is in another mixin: the overlay's clients inherit `Methods` alone."""
    if old == new:
        return None
    if new == "OwnMethods":
        says = f"`{method}` is no longer a method that the clients of `redcloud_core` inherit"
        return _Verdict("name-removed", "python", says)
    return _Verdict("name-added", "additive", f"`{method}` is a method that the clients of `redcloud_core` inherit now")


def _title(place: Place, name: _Name) -> str:
    """Return what callers write for a place."""
    if place[0] in ("class", "field", "operation"):
        return f"`{'.'.join(place[1:])}`"
    return f"`{PACKAGE}.{name.path}`"


def _says_gone(place: Place, name: _Name) -> str:
    if place[0] == "keyword":
        return f"`{place[1]}` no longer takes `{place[2]}`"
    return f"{_title(place, name)} is gone"


def _says_new(place: Place, name: _Name, demanded: bool) -> str:
    if place[0] == "keyword":
        return f"`{place[1]}` {'requires' if demanded else 'takes'} `{place[2]}` now"
    return f"{_title(place, name)} is new{' and required' if demanded else ''}"


def _says_changed(place: Place, old: _Name, new: _Name) -> str:
    if place[0] == "result":
        return f"`{place[1]}` returns `{new.type}` now (was `{old.type}`)"
    if place[0] == "keyword":
        if old.is_required != new.is_required:
            return f"`{place[1]}` {'requires' if new.is_required else 'no longer requires'} `{place[2]}`"
        return f"`{place[1]}` takes `{place[2]}` as `{new.type}` now (was `{old.type}`)"
    title = _title(place, old)
    if new.type == f"{old.type} | Unset":
        return f"{title} may be UNSET now (was `{old.type}`)"
    if old.type == f"{new.type} | Unset":
        return f"{title} is never UNSET now (was `{old.type}`)"
    return f"{title} is {_type_shown(new)} now (was {_type_shown(old)})"


def _type_shown(name: _Name) -> str:
    bases = name.type.removeprefix("class").strip("()")
    return "a class" if name.type == "class" else f"`{bases if name.is_class else name.type}`"


def _says_default(place: Place, old: _Name, new: _Name) -> str:
    if place[0] == "keyword":
        return f"`{place[1]}` takes `{place[2]}={new.default}` unless told otherwise (was `{old.default}`)"
    return f"{_title(place, old)} is `{new.default}` now (was `{old.default}`)"
