# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

__all__ = ["NumberList"]


@attrs.define(kw_only=True)
class NumberList:
    """The numbers assigned to the API client.

    Unconfirmed: presence, every documented example holds it.
    """

    numbers: list[Number]
    """One entry a number."""


from .number import Number  # noqa: E402
