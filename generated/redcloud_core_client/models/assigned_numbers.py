# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

__all__ = ["AssignedNumbers"]


@attrs.define(kw_only=True)
class AssignedNumbers:
    """How many numbers are assigned to the API client.

    Unconfirmed: presence, every documented example holds all of these.
    """

    total: int
    """All assigned numbers."""
    smsEnabledCount: int
    """Those that can send SMS."""
    mmsEnabledCount: int
    """Those that can send MMS."""
