# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What the codec does not know by itself: which variant of a union a value is, and objects with further properties."""

import types
import typing
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

import msgspec

from .shapes import alternatives, class_of, extra_of, fields_of, is_array, is_model, is_object
from .types import UNSET, Variants

__all__ = ["chosen", "opened"]

Convert = Callable[[Any, Any], Any]
"""Plain data and a type to a value of the type."""


def opened(kind: Any, plain: Any, convert: Convert) -> Any:
    """Return an object that `open_object` made a class of."""
    if not is_object(plain):
        return convert(plain, dict[str, Any])
    fields = fields_of(kind)
    known = convert({field.name: plain[field.wire] for field in fields if field.wire in plain}, _closed(kind))
    values = {field.name: getattr(known, field.name) for field in fields}
    extra = extra_of(kind)
    if extra is not None:
        names = {field.wire for field in fields}
        rest = {name: value for name, value in plain.items() if name not in names}
        values[extra[0]] = convert(rest, _map_of(extra[1]))
    return kind(**values)


@cache
def _closed(kind: Any) -> Any:
    """Return a class with nothing but the properties that the document names."""
    fields = [
        (field.name, field.kind) if field.required else (field.name, field.kind, UNSET) for field in fields_of(kind)
    ]
    return msgspec.defstruct(kind.__name__, fields, kw_only=True)


def _map_of(kind: Any) -> Any:
    return types.GenericAlias(dict, (str, kind))


def chosen(kind: type[Variants], plain: Any, convert: Convert) -> Any:
    """Return a value of a union: the discriminator decides; else the variant that fits and leaves the least open.

    Of several that leave as little open any holds the value whole; the document's first one is taken.
    """
    named = kind.mapping().get(plain.get(kind.discriminator, "")) if kind.discriminator and is_object(plain) else None
    if len(kind.variants()) == 1:
        named = kind.variants()[0]
    if named is not None:
        return convert(plain, named)
    fitting = [found for variant in kind.variants() for found in _fit(plain, variant, convert)]
    names = ", ".join(f"`{getattr(variant, '__name__', variant)}`" for variant in kind.variants())
    if not fitting:
        raise ValueError(f"Fits none of {names}")
    best = min(rank for rank, _ in fitting)
    return next(value for rank, value in fitting if rank == best)


def _fit(plain: Any, variant: Any, convert: Convert) -> list[tuple[int, Any]]:
    """Return a value as a variant and how wide the variant is for it, or nothing if it does not fit."""
    try:
        value = convert(plain, variant)
    except (msgspec.ValidationError, ValueError):
        return []
    if isinstance(value, Enum) and value.name not in type(value).__members__:
        return []
    return [(_width(plain, value, variant), value)]


def _width(plain: Any, value: Any, variant: Any) -> int:
    """Return how much a variant leaves open: unknown properties of an object, the looseness of a scalar."""
    if is_object(plain):
        kind = class_of(value)
        names = {field.wire for field in fields_of(kind)} if is_model(kind) else set[str]()
        return len([name for name in plain if name not in names])
    if is_array(plain) or isinstance(value, Enum) or typing.get_origin(variant) is typing.Literal:
        return 0
    widths = {bool: 0, int: 1, float: 2, bytes: 3, str: 4}
    return widths.get(class_of(value), 1) + (5 if Any in alternatives(variant) else 0)
