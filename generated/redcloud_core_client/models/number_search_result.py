# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .. import types as _types
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .number_group import NumberGroup

__all__ = ["NumberSearchResult"]


@attrs.define(kw_only=True)
class NumberSearchResult:
    """What the inventory holds.

    Unconfirmed: presence and null, no text states them.
    """

    groups: list[NumberGroup] | None | Unset = UNSET
    """The available numbers, in groups."""
    providerResultCount: int | None | Unset = UNSET
    """How many numbers the provider returned."""
    requestedQuantity: int | None | Unset = UNSET
    """How many numbers were asked of the provider. It is not a field of the request."""


_types.link(globals(), __package__, {"NumberGroup": "number_group"})
