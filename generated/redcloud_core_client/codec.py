# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Between bytes and models."""

import sys
import threading
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from .hooks import chosen, opened
from .shapes import class_of, extra_of, fields_of, is_mapping, is_open
from .types import UNSET, File, Variants

__all__ = ["Drift", "Malformed", "convert", "decode", "decode_plain", "encode", "reason", "to_builtins"]

T = TypeVar("T")


class _DeepRecursion:
    """Lets msgspec look through long chains of classes, which it does one inside the other."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._limits: list[int] = []

    def __enter__(self) -> None:
        self._lock.acquire()
        self._limits.append(sys.getrecursionlimit())
        sys.setrecursionlimit(max(_CLASSES_IN_A_CHAIN, self._limits[-1]))

    def __exit__(self, *_: object) -> None:
        sys.setrecursionlimit(self._limits.pop())
        self._lock.release()


_CLASSES_IN_A_CHAIN = 20_000
_deep_recursion = _DeepRecursion()


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
    _decoder(kind)
    return msgspec.convert(plain, kind, dec_hook=_read)


def reason(error: Exception) -> str:
    """Return what a ValidationError says, with one path where it went through unions and open objects."""
    message, *paths = str(error).split(" - at `$")
    path = "".join(part.removesuffix("`") for part in reversed(paths))
    return f"{message} - at `${path}`" if paths else message


@cache
def _decoder(type: Hashable) -> Callable[[bytes], Any]:  # noqa: A002
    """Return what decodes a type; made once, because looking through all classes that it leads to takes long."""
    with _deep_recursion:
        return msgspec.json.Decoder(cast(Any, type), dec_hook=_read).decode


def _plain(value: Any) -> Any:
    """Return what the codec does not know by itself, one step plainer."""
    if is_mapping(value):
        return dict(value)
    if isinstance(value, File):
        return value.content.decode("utf-8", "surrogateescape")
    kind = class_of(value)
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
            return chosen(kind, plain, convert)
        if kind is File:
            return File(convert(plain, str).encode("utf-8", "surrogateescape"))
        if is_open(kind):
            return opened(kind, plain, convert)
    except msgspec.ValidationError as error:
        problem = str(error)
    else:
        raise NotImplementedError(f"{kind!r} is no type of the models")
    raise ValueError(problem)
