# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

from ..types import UNSET, Unset

__all__ = ["Number"]


@attrs.define(kw_only=True)
class Number:
    """A number assigned to the API client. Here the campaign is spelled `campaignRegId`.

    Unconfirmed: presence, every documented example holds all of these.
    """

    numberId: str
    """The id of the number, the value to use as `sendFrom`."""
    e164: str
    """The phone number in E.164 form. It is no value for `sendFrom`."""
    status: str
    """The state of the number. It should be ACTIVE before you send from it.

    Unconfirmed: enum, no text lists the values.
    """
    campaignRegId: str | None | Unset = UNSET
    """The campaign that the number is registered with. A number without one cannot send.

    Unconfirmed: null, because the update request accepts null for it.
    """
    smsEnabled: bool
    """Whether the number can send SMS."""
    mmsEnabled: bool
    """Whether the number can send MMS."""
    webhookInboundOverride: str | None | Unset = UNSET
    """Where inbound messages to this number go, instead of the client-level webhook.

    Unconfirmed: null, because the update request accepts null for it.
    """
    webhookDeliveryOverride: str | None | Unset = UNSET
    """Where delivery events of this number go, instead of the client-level webhook.

    Unconfirmed: null, because the update request accepts null for it.
    """
