# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Whether values are what the document declares: types, constraints, closed enums, names of properties."""

import math
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, cast

import msgspec

from . import codec
from .codec import to_builtins
from .constraints import broken, one_of
from .errors import Violation
from .shapes import alternatives, extra_of, fields_of, is_array, is_model, is_object
from .types import OpenIntEnum, OpenStrEnum, Variants

__all__ = ["Constraints", "convert"]

Constraints = Mapping[str, Any]
"""JSON Schema keywords such as `minItems`; `items` holds those of the elements."""


def convert(
    given: object, kind: Any, place: str, constraints: Constraints | None = None
) -> tuple[Any, list[Violation]]:
    """Return a value as its declared type, with everything that is wrong with it.

    Args:
        given: What a caller passed: models, mappings, lists and scalars.
        kind: The declared type.
        place: What messages call it; empty for a body, whose properties are the caller's keywords.
        constraints: What the document asks of the value beyond its type.

    Returns:
        The converted value and no violations, or anything and all of them.
    """
    try:
        plain = to_builtins(given)
    except (TypeError, RecursionError):
        return None, list(_formless(given, place))
    try:
        converted = codec.convert(plain, kind)
    except msgspec.ValidationError:
        return None, list(_violations(plain, kind, constraints or {}, place))
    return converted, list(_breaches(plain, converted, constraints or {}, place))


def _formless(given: Any, place: str) -> Iterator[Violation]:
    """Yield the places of values that have no form in JSON."""
    parts = given.items() if is_object(given) else enumerate(given) if is_array(given) else ()
    inner = [
        found
        for key, value in parts
        for found in _formless(value, f"{place}[{key}]" if is_array(given) else _join(place, str(key)))
    ]
    try:
        if not inner:
            to_builtins(given)
    except (TypeError, RecursionError) as error:
        inner = [Violation(place or "body", _sentence(error, None))]
    yield from inner


def _violations(plain: Any, kind: Any, constraints: Constraints, place: str) -> Iterator[Violation]:
    """Yield everything that is wrong with a value, part by part where it is not of its type as a whole."""
    try:
        converted = codec.convert(plain, kind)
    except (msgspec.ValidationError, ValueError) as error:
        inner = [found for part in _parts(plain, kind, constraints, place) for found in _violations(*part)]
        inner += _misnamed(plain, kind, place)
        yield from inner or [Violation(place or "body", _sentence(error, kind))]
    else:
        yield from _breaches(plain, converted, constraints, place)


def _parts(plain: Any, kind: Any, constraints: Constraints, place: str) -> Iterator[tuple[Any, Any, Constraints, str]]:
    """Yield the parts of a value that have declared types of their own."""
    for alternative in _meant(plain, kind):
        arguments = typing.get_args(alternative)
        if is_array(plain) and typing.get_origin(alternative) is list:
            inner = constraints.get("items", {})
            yield from ((value, arguments[0], inner, f"{place}[{index}]") for index, value in enumerate(plain))
        elif is_object(plain) and typing.get_origin(alternative) is dict:
            inner = constraints.get("additionalProperties", {})
            yield from ((value, arguments[1], inner, _join(place, key)) for key, value in plain.items())
        elif is_object(plain) and is_model(alternative):
            yield from _parts_of_model(plain, alternative, place)


def _parts_of_model(plain: dict[str, Any], kind: Any, place: str) -> Iterator[tuple[Any, Any, Constraints, str]]:
    own: Mapping[str, Constraints] = getattr(kind, "__constraints__", {})
    kinds = {field.wire: field.kind for field in fields_of(kind)}
    extra = extra_of(kind)
    for name, value in plain.items():
        if name in kinds or extra is not None:
            inner = kinds[name] if name in kinds else cast(tuple[str, Any], extra)[1]
            yield value, inner, own.get(name if name in kinds else "", {}), _join(place, name)


def _misnamed(plain: Any, kind: Any, place: str) -> Iterator[Violation]:
    """Yield the required properties that are not there, and those there that the document does not name."""
    for alternative in _meant(plain, kind):
        if is_object(plain) and is_model(alternative):
            for field in fields_of(alternative):
                if field.required and field.wire not in plain:
                    yield Violation(_join(place, field.wire), "is required")
            yield from _unknown_names(plain, alternative, place)


def _meant(plain: Any, kind: Any) -> tuple[Any, ...]:
    """Return the alternatives that a value may be meant to be; of unions, the one that its discriminator names."""
    found: list[Any] = []
    for alternative in alternatives(kind):
        if not (isinstance(alternative, type) and issubclass(alternative, Variants)):
            found.append(alternative)
        elif len(alternative.variants()) == 1:
            found += _meant(plain, alternative.variants()[0])
        elif alternative.discriminator is not None and is_object(plain):
            found += [
                named for value, named in alternative.mapping().items() if value == plain.get(alternative.discriminator)
            ]
    return tuple(found)


def _breaches(plain: Any, converted: Any, constraints: Constraints, place: str) -> Iterator[Violation]:
    """Yield what is wrong with a value of the right type."""
    if isinstance(converted, OpenStrEnum | OpenIntEnum):
        yield from _unknown_member(converted, place)
    elif is_array(converted):
        yield from _of_elements(plain, converted, constraints.get("items", {}), place)
    elif is_object(converted):
        inner = constraints.get("additionalProperties", {})
        for key, value in converted.items():
            yield from _breaches(plain[key], value, inner, _join(place, key))
    elif is_object(plain) and is_model(type(converted)):
        yield from _of_properties(plain, converted, place)
    elif isinstance(converted, float) and not math.isfinite(converted):
        yield Violation(place, "must be a finite number, JSON knows no other")
    for keyword, limit in constraints.items():
        reason = broken(keyword, limit, plain)
        if reason:
            yield Violation(place or "body", reason)


def _unknown_member(member: Enum, place: str) -> Iterator[Violation]:
    known = type(member).__members__
    if member.name not in known:
        yield Violation(place, one_of(str(other.value) for other in known.values()))


def _of_elements(plain: Any, converted: list[Any], constraints: Constraints, place: str) -> Iterator[Violation]:
    for index, value in enumerate(converted):
        yield from _breaches(plain[index], value, constraints, f"{place}[{index}]")


def _of_properties(plain: dict[str, Any], converted: Any, place: str) -> Iterator[Violation]:
    kind = cast(Any, type(converted))
    constraints: Mapping[str, Constraints] = getattr(kind, "__constraints__", {})
    for field in fields_of(kind):
        if field.wire in plain:
            value, inner = plain[field.wire], constraints.get(field.wire, {})
            yield from _breaches(value, getattr(converted, field.name), inner, _join(place, field.wire))
    extra = extra_of(kind)
    for name, value in getattr(converted, extra[0]).items() if extra else ():
        yield from _breaches(plain[name], value, constraints.get("", {}), _join(place, name))
    yield from _unknown_names(plain, kind, place)


def _unknown_names(plain: dict[str, Any], kind: Any, place: str) -> Iterator[Violation]:
    names = [field.wire for field in fields_of(kind)]
    for name in plain if extra_of(kind) is None else ():
        if name not in names:
            listed = ", ".join(f"`{other}`" for other in names)
            yield Violation(_join(place, name), f"is no property here; the document names {listed}")


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _sentence(error: Exception, kind: Any) -> str:
    """Return msgspec's message without its path and without the value, beginning in lower case."""
    text = str(error).partition(" - at ")[0]
    if text.startswith("Invalid enum value"):
        listed = [value for part in alternatives(kind) for value in typing.get_args(part)]
        return one_of(codec.encode(value).decode() for value in listed)
    return text[:1].lower() + text[1:]
