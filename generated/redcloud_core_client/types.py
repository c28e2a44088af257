# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What the models are made of: UNSET, enums that stay open, unions, objects with further properties, files."""

import threading
import typing
from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from importlib import import_module
from types import UnionType
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import attrs
from msgspec import UNSET
from msgspec import UnsetType as Unset

__all__ = ["UNSET", "File", "OpenIntEnum", "OpenStrEnum", "Unset", "Variants", "link", "open_object"]

C = TypeVar("C", bound=type[Any])

_linking = threading.local()


class OpenStrEnum(StrEnum):
    """An enum of texts: a value that the document does not name becomes a member of its own name."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


class OpenIntEnum(IntEnum):
    """An enum of integers: a value that the document does not name becomes a member named after it."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = str(value), value
        return member


class _VariantsType(type):
    def __instancecheck__(cls, value: object) -> bool:
        variants: Any = getattr(cls, "variants")  # noqa: B009 - the class below has it, its type does not know
        return any(_is_instance(value, variant) for variant in variants())


class Variants(metaclass=_VariantsType):
    """What stands for a union at run time where the codec cannot tell its variants apart by itself.

    Type checkers see the union; `isinstance` works as with the union.
    """

    discriminator: ClassVar[str | None] = None
    """The property whose value names the variant."""

    @classmethod
    def variants(cls) -> tuple[Any, ...]:
        """Return the types that a value may have."""
        raise NotImplementedError

    @classmethod
    def mapping(cls) -> Mapping[str, Any]:
        """Return the values of the discriminator, each with its type."""
        return {}


@dataclass_transform(kw_only_default=True, field_specifiers=(attrs.field,))
def open_object(*, extra: str = "", names: Mapping[str, str] | None = None) -> Callable[[C], C]:
    """Make an attrs class of an object that the codec cannot hold by itself.

    Args:
        extra: The attribute that holds the object's further properties, if it may have some beside its own.
        names: The names on the wire of attributes that cannot bear them.
    """

    def define(cls: C) -> C:
        made: Any = attrs.define(cls, kw_only=True)
        made.__open__ = (extra, dict(names or {}))
        # The codec knows attrs classes and would write the further properties as one; without this it asks us.
        made.__open_attributes__ = made.__attrs_attrs__
        del made.__attrs_attrs__
        return made  # type: ignore[no-any-return]

    return define


class File:
    """A file in a form: what it holds, and what the receiver is told of it.

    It is no attrs class, because the codec would take those for objects.

    Args:
        content: The bytes.
        filename: Its name; without one it is called as the field.
        content_type: What it is.
    """

    __slots__ = ("content", "content_type", "filename")

    def __init__(
        self, content: bytes, filename: str | None = None, content_type: str = "application/octet-stream"
    ) -> None:
        self.content = content
        self.filename = filename
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"File({len(self.content)} bytes, {self.filename!r}, {self.content_type!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, File):
            return NotImplemented
        return (self.content, self.filename, self.content_type) == (other.content, other.filename, other.content_type)

    def __hash__(self) -> int:
        return hash((self.content, self.filename, self.content_type))


def link(namespace: dict[str, Any], package: str | None, needed: Mapping[str, str]) -> None:
    """Give a module of models the classes that its annotations name.

    Models refer to each other in circles and in long chains. Here they are imported one behind the other and not one
    inside the other, however long the chain is.

    Args:
        namespace: The module's globals.
        package: The package of the models.
        needed: Names of classes, each with its module.
    """
    waiting: list[tuple[dict[str, Any], Mapping[str, str]]] | None = getattr(_linking, "waiting", None)
    if waiting is not None:
        waiting.append((namespace, needed))
        return
    _linking.waiting = waiting = [(namespace, needed)]
    try:
        for found, names in waiting:  # it grows while it is walked
            for name, module in names.items():
                found[name] = getattr(import_module(f".{module}", package), name)
    finally:
        del _linking.waiting


def _is_instance(value: object, kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if isinstance(kind, UnionType) or origin is typing.Union:
        return any(_is_instance(value, alternative) for alternative in typing.get_args(kind))
    if origin is typing.Literal:
        return value in typing.get_args(kind)
    return kind is Any or isinstance(value, origin or kind or type(None))
