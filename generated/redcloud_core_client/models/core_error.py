# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import Any

import attrs

__all__ = ["CoreError"]


@attrs.define(kw_only=True)
class CoreError:
    """What went wrong, inside the CORE wrapper."""

    code: str
    """The machine-readable classification. Known patterns are INVALID_REQUEST (400), UNAUTHORIZED (401),
    FORBIDDEN (403), NOT_FOUND (404), CONFLICT (409), SERVER_ERROR (500) and UPSTREAM_ERROR (502).
    """
    message: str
    """The reason in words."""
    details: dict[str, Any]
    """Context that depends on the route; empty in every documented example.

    Unconfirmed: every example shows an empty object, its fields are not documented.
    """
