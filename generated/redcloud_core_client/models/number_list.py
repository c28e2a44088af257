# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .. import types as _types

if TYPE_CHECKING:
    from .number import Number

__all__ = ["NumberList"]


@attrs.define(kw_only=True)
class NumberList:
    """The numbers assigned to the API client.

    Unconfirmed: presence, every documented example holds it.
    """

    numbers: list[Number]
    """One entry a number."""


_types.link(globals(), __package__, {"Number": "number"})
