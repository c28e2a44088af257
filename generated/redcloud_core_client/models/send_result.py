# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

__all__ = ["SendResult"]


@attrs.define(kw_only=True)
class SendResult:
    """An accepted recipient.

    Unconfirmed: presence, every documented example holds all of these.
    """

    to: str
    """The recipient, a phone number in E.164 form."""
    messageId: str
    """Identifies the message in webhooks. Store it."""
    status: str
    """QUEUED, the only synchronous state that is documented."""
