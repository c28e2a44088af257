"""Try a generated package in a process of its own: every import, every codec, every property.

Run as a program: its argument is the folder that holds the package, its standard input the facts of `account.facts`.
It prints a line for everything that is wrong and exits with 1 then. It imports nothing of the pipeline, so that what
the package needs cannot come from there.
"""

import datetime
import importlib
import json
import sys
import typing
from decimal import Decimal
from enum import Enum
from itertools import count
from pathlib import Path
from types import UnionType
from typing import Any
from uuid import UUID

PACKAGE = "redcloud_core_client"

_DEPTH = 4


class Samples:
    """Makes values of declared types, each other than the ones before."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def of(self, kind: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - a line for each kind of type
        """Return a value of a type."""
        number = next(self._numbers)
        kind = type(None) if kind is None else kind
        arguments = typing.get_args(kind)
        origin = typing.get_origin(kind)
        if origin is typing.Literal:
            return arguments[number % len(arguments)]
        if origin is list:
            return [self.of(arguments[0], depth + 1)] if depth < _DEPTH else []
        if origin is dict:
            return {f"key {number}": self.of(arguments[1], depth + 1)} if depth < _DEPTH else {}
        if isinstance(kind, UnionType) or origin is typing.Union:
            return self._of_union(arguments, depth)
        types = importlib.import_module(f"{PACKAGE}.types")
        if kind is types.File:
            return types.File(f"file {number}".encode())
        if isinstance(kind, type) and issubclass(kind, Enum):
            return list(kind)[number % len(list(kind))]
        if isinstance(kind, type) and issubclass(kind, types.Variants):
            return self._of_variants(kind, depth + 1)
        scalars = _scalars(number)
        return scalars[kind] if kind in scalars else self._of_class(kind, depth)

    def _of_union(self, alternatives: tuple[Any, ...], depth: int) -> Any:
        unset = importlib.import_module(f"{PACKAGE}.types").Unset
        if depth >= _DEPTH and unset in alternatives:
            return importlib.import_module(f"{PACKAGE}.types").UNSET
        if depth >= _DEPTH and type(None) in alternatives:
            return None
        return self.of(next((found for found in alternatives if found not in (unset, type(None))), type(None)), depth)

    def _of_variants(self, kind: Any, depth: int) -> Any:
        """Return a value of a union; where a property tells the variants apart, it names the right one."""
        mapping = kind.mapping()
        for value, variant in sorted(mapping.items(), key=lambda item: _leads_on(item[1]) if depth >= _DEPTH else 0):
            found = self.of(variant, depth)
            for field in importlib.import_module(f"{PACKAGE}.shapes").fields_of(variant):
                if field.wire == kind.discriminator and self._set(found, field, value):
                    return found
        # Deep inside, one that leads no further comes first: a recursion must end.
        variants = sorted(kind.variants(), key=_leads_on) if depth >= _DEPTH else kind.variants()
        return self.of(variants[0], depth)

    def _set(self, found: Any, field: Any, value: str) -> bool:
        """Set a property, unless its type has no such value."""
        try:
            setattr(found, field.name, importlib.import_module(f"{PACKAGE}.codec").convert(value, field.kind))
        except Exception:  # the codec's own error, whose class is not known here
            return False
        return True

    def _of_class(self, kind: Any, depth: int) -> Any:
        shapes = importlib.import_module(f"{PACKAGE}.shapes")
        values = {field.name: self.of(field.kind, depth + 1) for field in shapes.fields_of(kind)}
        extra = shapes.extra_of(kind)
        further = {extra[0]: {"further property": self.of(extra[1], depth + 1)}} if extra else {}
        return kind(**values, **further)


def _leads_on(variant: Any) -> int:
    """Return how many other classes a value of a type must hold."""
    shapes = importlib.import_module(f"{PACKAGE}.shapes")
    variants = importlib.import_module(f"{PACKAGE}.types").Variants
    if not shapes.is_model(variant):
        return 1 if isinstance(variant, type) and issubclass(variant, variants) else 0
    inner = [field.kind for field in shapes.fields_of(variant) if field.required]
    return sum(shapes.is_model(kind) or (isinstance(kind, type) and issubclass(kind, variants)) for kind in inner)


def _moment(number: int) -> datetime.datetime:
    return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=number)


def _scalars(number: int) -> dict[Any, Any]:
    return {
        str: f"text {number}",
        int: number,
        float: number + 0.5,
        bool: number % 2 == 0,
        bytes: b"%d" % number,
        Decimal: Decimal(number) / 4,
        UUID: UUID(int=number),
        datetime.datetime: _moment(number),
        datetime.date: _moment(86_400 * number).date(),
        type(None): None,
        Any: f"any {number}",
    }


def check(folder: Path, facts: dict[str, Any]) -> list[str]:
    """Return everything that is wrong with the package in a folder."""
    sys.path.insert(0, str(folder))
    problems = [_import(name) for name in _modules(folder)]
    if not any(problems):
        problems += [_schema(pointer, **schema) for pointer, schema in facts["schemas"].items()]
        problems += [_operation(pointer, **operation) for pointer, operation in facts["operations"].items()]
    return [problem for problem in problems if problem]


def _modules(folder: Path) -> list[str]:
    found = sorted(path.relative_to(folder).with_suffix("") for path in (folder / PACKAGE).rglob("*.py"))
    return [".".join(path.parts).removesuffix(".__init__") for path in found]


def _import(name: str) -> str:
    try:
        importlib.import_module(name)
    except Exception as error:  # whatever it raises, it cannot be imported
        return f"{name} cannot be imported: {type(error).__name__}: {error}"
    return ""


def _schema(pointer: str, name: str, properties: list[str]) -> str:
    """Return what is wrong with a class: it must decode, encode, and keep every property under its name."""
    kind = getattr(importlib.import_module(f"{PACKAGE}.models"), name, None)
    codec = importlib.import_module(f"{PACKAGE}.codec")
    try:
        value = Samples().of(kind)
        content = codec.encode(value)
        again = codec.decode(content, kind)
    except Exception as error:
        return f"{pointer}: `{name}` has no codec: {type(error).__name__}: {error}"
    if again != value:
        return f"{pointer}: `{name}` does not survive its codec: {value!r} became {again!r}"
    written = json.loads(content)
    lost = [wire for wire in properties if wire not in written]
    return f"{pointer}: `{name}` loses {', '.join(lost)}" if lost else ""


def _operation(pointer: str, operation_id: str, method: str) -> str:
    try:
        operation = importlib.import_module(f"{PACKAGE}.operations").operation(operation_id)
    except (KeyError, ImportError, AttributeError):
        return f"{pointer}: the operation `{operation_id}` is not there"
    client = importlib.import_module(f"{PACKAGE}.client")
    if operation.id != operation_id:
        return f"{pointer}: the module of `{operation_id}` holds `{operation.id}`"
    for kind in (client.Client, client.AsyncClient):
        if not callable(getattr(kind, method, None)):
            return f"{pointer}: `{kind.__name__}` has no method `{method}`"
    return ""


if __name__ == "__main__":
    found = check(Path(sys.argv[1]), json.load(sys.stdin))
    print("\n".join(found))
    raise SystemExit(1 if found else 0)
