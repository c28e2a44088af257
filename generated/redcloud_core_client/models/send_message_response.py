# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .. import types as _types

if TYPE_CHECKING:
    from .send_error import SendError
    from .send_result import SendResult

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


_types.link(globals(), __package__, {"SendError": "send_error", "SendResult": "send_result"})
