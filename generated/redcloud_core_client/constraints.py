# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Whether values meet the document's constraints."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from .codec import encode
from .shapes import is_array, is_object

__all__ = ["broken", "one_of"]


def broken(keyword: str, limit: Any, value: Any) -> str | None:
    """Return what a value does against a constraint, or None. A keyword for another type says nothing."""
    if keyword in ("enum", "const"):
        return _broken_by_list(limit if keyword == "enum" else [limit], value)
    if isinstance(value, str):
        return _broken_by_text(keyword, limit, value)
    if is_array(value):
        return _broken_by_size(keyword, limit, value, "Items", ("item", "items"))
    if is_object(value):
        return _broken_by_size(keyword, limit, value, "Properties", ("property", "properties"))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _broken_by_number(keyword, limit, value)
    return None


def _broken_by_list(allowed: list[Any], value: Any) -> str | None:
    listed = [encode(one) for one in allowed]
    if encode(value) in listed:
        return None
    return one_of(one.decode() for one in listed)


def _broken_by_text(keyword: str, limit: Any, value: str) -> str | None:
    if keyword == "pattern":
        written, original = limit  # in Python's dialect, and in the document's
        return None if re.search(written, value, re.ASCII) else f"must match the pattern `{original}`"
    return _broken_by_size(keyword, limit, value, "Length", ("character", "characters"))


def _broken_by_size(keyword: str, limit: Any, value: Any, noun: str, units: tuple[str, str]) -> str | None:
    if keyword == f"min{noun}" and len(value) < limit:
        return f"must hold at least {limit} {units[limit != 1]}"
    if keyword == f"max{noun}" and len(value) > limit:
        return f"must hold at most {limit} {units[limit != 1]}"
    if keyword == "uniqueItems" and limit and len({encode(item) for item in value}) < len(value):
        return "must not hold the same item twice"
    return None


def _broken_by_number(keyword: str, limit: Any, value: Any) -> str | None:
    bounds = {
        "minimum": (value >= limit, "at least"),
        "maximum": (value <= limit, "at most"),
        "exclusiveMinimum": (value > limit, "more than"),
        "exclusiveMaximum": (value < limit, "less than"),
    }
    if keyword in bounds:
        met, words = bounds[keyword]
        return None if met else f"must be {words} {limit}"
    if keyword == "multipleOf" and Decimal(str(value)) % Decimal(str(limit)):
        return f"must be a multiple of {limit}"
    return None


def one_of(values: Iterable[str]) -> str:
    """Return the reason for a value that is none of those that are allowed."""
    return "must be one of " + ", ".join(f"`{value}`" for value in values)
