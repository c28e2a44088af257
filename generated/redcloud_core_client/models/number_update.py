# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

from ..types import UNSET, Unset

__all__ = ["NumberUpdate"]


@attrs.define(kw_only=True)
class NumberUpdate:
    """New settings of a number. A field that is left out stays as it is, null clears it. Here the campaign is
    spelled `campaignregId`, as the API implements it.

    Unconfirmed: that a field left out is unchanged and that null clears follows from the partial-update
    style.
    """

    campaignregId: str | None | Unset = UNSET
    """The campaign to register the number with. A number without one cannot send."""
    smsEnabled: bool | Unset = UNSET
    """Whether the number can send SMS."""
    mmsEnabled: bool | Unset = UNSET
    """Whether the number can send MMS."""
    webhookInboundOverride: str | None | Unset = UNSET
    """Where inbound messages to this number go, instead of the client-level webhook."""
    webhookDeliveryOverride: str | None | Unset = UNSET
    """Where delivery events of this number go, instead of the client-level webhook."""
