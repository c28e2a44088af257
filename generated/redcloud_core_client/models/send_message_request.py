# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .. import types as _types
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .message_media_input import MessageMediaInput
    from .message_type import MessageType

__all__ = ["SendMessageRequest"]


@attrs.define(kw_only=True)
class SendMessageRequest:
    """One message to one or more recipients."""

    __constraints__: ClassVar[dict[str, Any]] = {"to": {"minItems": 1}}

    sendFrom: str
    """The Red Cloud number id to send from, a `numberId` of the number list. It is not an E.164 phone number."""
    to: list[str]
    """The recipients, phone numbers in E.164 form."""
    messageType: MessageType
    """The mode of a message. SMS forbids media, MMS requires media."""
    text: str | Unset = UNSET
    """The text of the message."""
    media: list[MessageMediaInput] | Unset = UNSET
    """Required for MMS, to be left out for SMS.

    Unconfirmed: the name of this field was inferred from the guides.
    """
    externalReference: str
    """Your own key for correlating the message with your business."""


_types.link(globals(), __package__, {"MessageMediaInput": "message_media_input", "MessageType": "message_type"})
