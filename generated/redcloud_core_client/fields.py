# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""The keywords that make the bodies of operations which a client overrides."""

from typing import Literal, NotRequired, Required, TypedDict

from . import types as _types
from .models.message_media_input import MessageMediaInput
from .models.message_type import MessageType

__all__ = [
    "UpdateNumberFields",
    "SendMessageFields",
]


class UpdateNumberFields(TypedDict):
    """The keywords of `update_number` that make its body."""

    campaignregId: NotRequired[str | None | _types.Unset]
    """The campaign to register the number with. A number without one cannot send."""
    smsEnabled: NotRequired[bool | _types.Unset]
    """Whether the number can send SMS."""
    mmsEnabled: NotRequired[bool | _types.Unset]
    """Whether the number can send MMS."""
    webhookInboundOverride: NotRequired[str | None | _types.Unset]
    """Where inbound messages to this number go, instead of the client-level webhook."""
    webhookDeliveryOverride: NotRequired[str | None | _types.Unset]
    """Where delivery events of this number go, instead of the client-level webhook."""


class SendMessageFields(TypedDict):
    """The keywords of `send_message` that make its body."""

    sendFrom: Required[str]
    """The Red Cloud number id to send from, a `numberId` of the number list. It is not an E.164 phone number."""
    to: Required[list[str]]
    """The recipients, phone numbers in E.164 form."""
    messageType: Required[MessageType | Literal["SMS", "MMS"]]
    """The mode of a message. SMS forbids media, MMS requires media."""
    text: NotRequired[str | _types.Unset]
    """The text of the message."""
    media: NotRequired[list[MessageMediaInput] | _types.Unset]
    """Required for MMS, to be left out for SMS.

    Unconfirmed: the name of this field was inferred from the guides.
    """
    externalReference: Required[str]
    """Your own key for correlating the message with your business."""
