# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What the models are made of: UNSET, and enums that survive a value they do not know."""

from enum import IntEnum, StrEnum
from typing import Self

from msgspec import UNSET
from msgspec import UnsetType as Unset

__all__ = ["UNSET", "OpenIntEnum", "OpenStrEnum", "Unset"]


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
