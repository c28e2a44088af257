# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Between bytes and models."""

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

__all__ = ["Drift", "Malformed", "decode", "encode", "to_builtins"]

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
    return msgspec.json.encode(value)


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
        drift = str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from None
    _require_whole(content)
    raise Drift(drift)


def to_builtins(value: object) -> Any:
    """Return a model as dicts, lists and scalars, as JSON would hold it. What is UNSET is left out."""
    return msgspec.to_builtins(value)


@cache
def _decoder(type: Hashable) -> Callable[[bytes], Any]:  # noqa: A002
    return msgspec.json.Decoder(cast(Any, type)).decode


def _require_whole(content: bytes) -> None:
    """Raise Malformed unless all of the bytes are JSON: a mismatch early in a body says nothing of its end."""
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from None
