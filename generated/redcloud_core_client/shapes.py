# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What a generated class holds, whatever its form: an attrs class, a msgspec Struct, or an object with further properties."""

import typing
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeGuard

import attrs
import msgspec

__all__ = [
    "Field",
    "alternatives",
    "class_of",
    "extra_of",
    "fields_of",
    "is_array",
    "is_mapping",
    "is_model",
    "is_object",
    "is_open",
]


class Field(msgspec.Struct, frozen=True):
    """A property of an object."""

    name: str
    """The attribute."""
    wire: str
    """The document's name."""
    kind: Any
    """The declared type."""

    @property
    def required(self) -> bool:
        """Whether the object must have it."""
        return msgspec.UnsetType not in alternatives(self.kind)


def is_array(plain: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is an array of JSON."""
    return isinstance(plain, list)


def is_object(plain: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is an object of JSON."""
    return isinstance(plain, dict)


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a caller's value stands for an object."""
    return isinstance(value, Mapping)


def class_of(value: object) -> Any:
    """Return the class of a value."""
    return type(value)


def is_model(kind: Any) -> bool:
    """Tell whether a type is the class of an object."""
    return isinstance(kind, type) and (
        hasattr(kind, "__attrs_attrs__") or hasattr(kind, "__open__") or issubclass(kind, msgspec.Struct)
    )


def is_open(kind: Any) -> bool:
    """Tell whether a class was made by `open_object`."""
    return hasattr(kind, "__open__")


def alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the alternatives of a union, or the type itself."""
    return typing.get_args(kind) if isinstance(kind, UnionType) or typing.get_origin(kind) is typing.Union else (kind,)


@cache
def fields_of(kind: Any) -> tuple[Field, ...]:
    """Return the properties of a class that the document names."""
    hints = typing.get_type_hints(kind)
    if issubclass(kind, msgspec.Struct):
        return tuple(Field(field.name, field.encode_name, hints[field.name]) for field in msgspec.structs.fields(kind))
    opened: Any = getattr(kind, "__open__", None)
    if opened is None:
        return tuple(Field(field.name, field.name, hints[field.name]) for field in attrs.fields(kind))
    extra, names = opened
    declared: Any = getattr(kind, "__open_attributes__")  # noqa: B009
    return tuple(
        Field(field.name, names.get(field.name, field.name), hints[field.name])
        for field in declared
        if field.name != extra
    )


@cache
def extra_of(kind: Any) -> tuple[str, Any] | None:
    """Return the attribute and the type of an object's further properties; None where it has none."""
    opened: Any = getattr(kind, "__open__", None)
    if opened is None or not opened[0]:
        return None
    return opened[0], typing.get_args(typing.get_type_hints(kind)[opened[0]])[1]
