# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Between bytes and models."""

import types
import typing
from collections.abc import Callable, Hashable
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from .shapes import alternatives, extra_of, fields_of, is_array, is_mapping, is_model, is_object, is_open
from .types import UNSET, File, Variants

__all__ = ["Drift", "Malformed", "convert", "decode", "decode_plain", "encode", "reason", "to_builtins"]

T = TypeVar("T")


class Malformed(ValueError):
    """The bytes are no JSON."""


class Drift(ValueError):
    """The bytes are JSON, but not of the type that was asked for. The message names the path."""


def encode(value: object) -> bytes:
    """Return a model, or what is made of models, as JSON.

    Args:
        value: Anything that the models hold. What is UNSET is left out.

    Returns:
        Compact JSON; the same value always gives the same bytes.

    Raises:
        TypeError: Something in the value has no form in JSON.
        UnicodeEncodeError: A text in it holds a lone surrogate.
    """
    return msgspec.json.encode(value, enc_hook=_plain)


def decode(content: bytes, type: type[T]) -> T:  # noqa: A002
    """Return JSON as a model.

    Args:
        content: The bytes.
        type: A class of `models`, or any type made of them.

    Returns:
        An instance of `type`. Properties that it does not know are left out.

    Raises:
        Drift: The JSON is whole but of another shape, for example
            ``Expected `str`, got `int` - at `$.numbers[0].numberId` ``.
        Malformed: The bytes are cut, are no JSON, are no UTF-8 or are nested too deep.
    """
    try:
        return cast(T, _decoder(cast(Hashable, type))(content))
    except msgspec.ValidationError as error:
        drift = reason(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from None
    decode_plain(content)  # a mismatch early in a body says nothing of its end
    raise Drift(drift)


def decode_plain(content: bytes) -> Any:
    """Return JSON as dicts, lists and scalars.

    Raises:
        Malformed: As `decode` does.
    """
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from None


def to_builtins(value: object) -> Any:
    """Return a model as dicts, lists and scalars, as JSON would hold it. What is UNSET is left out."""
    return msgspec.to_builtins(value, enc_hook=_plain)


def convert(plain: object, kind: Any) -> Any:
    """Return plain data as a type; the opposite of `to_builtins`.

    Raises:
        msgspec.ValidationError: It is of another shape; `reason` tells it in one sentence.
    """
    return msgspec.convert(plain, kind, dec_hook=_read)


def reason(error: Exception) -> str:
    """Return what a ValidationError says, with one path where it went through unions and open objects."""
    message, *paths = str(error).split(" - at `$")
    path = "".join(part.removesuffix("`") for part in reversed(paths))
    return f"{message} - at `${path}`" if paths else message


@cache
def _decoder(type: Hashable) -> Callable[[bytes], Any]:  # noqa: A002
    return msgspec.json.Decoder(cast(Any, type), dec_hook=_read).decode


def _class_of(value: object) -> Any:
    return type(value)


def _plain(value: Any) -> Any:
    """Return what the codec does not know by itself, one step plainer."""
    if is_mapping(value):
        return dict(value)
    if isinstance(value, File):
        return value.content.decode("utf-8", "surrogateescape")
    kind = _class_of(value)
    if not is_open(kind):
        raise TypeError(f"{kind.__name__} has no form in JSON")
    known = {field.wire: getattr(value, field.name) for field in fields_of(kind)}
    extra = extra_of(kind)
    further: dict[str, Any] = getattr(value, extra[0]) if extra else {}
    return {name: found for name, found in known.items() if found is not UNSET} | further


def _read(kind: Any, plain: Any) -> Any:
    """Return plain data as a type that the codec does not know by itself. What it raises gets the outer path."""
    try:
        if issubclass(kind, Variants):
            return _chosen(kind, plain)
        if kind is File:
            return File(convert(plain, str).encode("utf-8", "surrogateescape"))
        if is_open(kind):
            return _opened(kind, plain)
    except msgspec.ValidationError as error:
        problem = str(error)
    else:
        raise NotImplementedError(f"{kind!r} is no type of the models")
    raise ValueError(problem)


def _opened(kind: Any, plain: Any) -> Any:
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


def _chosen(kind: type[Variants], plain: Any) -> Any:
    """Return a value of a union: the discriminator decides; else the variant that fits and leaves the least open.

    Of several that leave as little open any holds the value whole; the document's first one is taken.
    """
    named = kind.mapping().get(plain.get(kind.discriminator, "")) if kind.discriminator and is_object(plain) else None
    if named is not None:
        return convert(plain, named)
    fitting = [found for variant in kind.variants() for found in _fit(plain, variant)]
    names = ", ".join(f"`{getattr(variant, '__name__', variant)}`" for variant in kind.variants())
    if not fitting:
        raise ValueError(f"Fits none of {names}")
    best = min(rank for rank, _ in fitting)
    return next(value for rank, value in fitting if rank == best)


def _fit(plain: Any, variant: Any) -> list[tuple[int, Any]]:
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
        kind = _class_of(value)
        names = {field.wire for field in fields_of(kind)} if is_model(kind) else set[str]()
        return len([name for name in plain if name not in names])
    if is_array(plain) or isinstance(value, Enum) or typing.get_origin(variant) is typing.Literal:
        return 0
    widths = {bool: 0, int: 1, float: 2, bytes: 3, str: 4}
    return widths.get(_class_of(value), 1) + (5 if Any in alternatives(variant) else 0)
