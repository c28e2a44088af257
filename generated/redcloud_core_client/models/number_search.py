# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

from ..types import UNSET, Unset

__all__ = ["NumberSearch"]


@attrs.define(kw_only=True)
class NumberSearch:
    """Filters on the inventory of available numbers."""

    npa: str | Unset = UNSET
    """The area code."""
    nxx: str | Unset = UNSET
    """The exchange code."""
    city: str | Unset = UNSET
    """The city."""
    state: str | Unset = UNSET
    """The state."""
    zipCode: str | Unset = UNSET
    """The ZIP code."""
    rateCenter: str | Unset = UNSET
    """The rate center."""
