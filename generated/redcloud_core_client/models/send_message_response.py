# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

__all__ = ["SendMessageResponse"]


@attrs.define(kw_only=True)
class SendMessageResponse:
    """What became of each recipient. A request with several recipients may be accepted in part, so read both
    lists. QUEUED means accepted into Red Cloud's queue; whether the message arrived is told later by webhook.

    Unconfirmed: presence, every documented example holds both.
    """

    results: list[SendResult]
    """One entry an accepted recipient."""
    errors: list[SendError]
    """One entry a recipient that was not accepted."""


from .send_error import SendError  # noqa: E402
from .send_result import SendResult  # noqa: E402
