# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .. import types as _types

if TYPE_CHECKING:
    from .assigned_numbers import AssignedNumbers

__all__ = ["ClientContext"]


@attrs.define(kw_only=True)
class ClientContext:
    """Who the authenticated API client is and what it may do.

    Unconfirmed: presence, every documented example holds all of these.
    """

    apiClientId: str
    """The id of the API client; the `client_id` of its credentials."""
    apiClientName: str
    """The name of the API client."""
    apiClientStatus: str
    """The state of the API client. ACTIVE is the only one documented.

    Unconfirmed: enum, no text lists the values.
    """
    capabilities: list[str]
    """What the API client may do.

    Unconfirmed: enum, no text lists the values.
    """
    assignedNumbers: AssignedNumbers
    """How many numbers are assigned to the API client.

    Unconfirmed: presence, every documented example holds all of these.
    """
    inboundWebhookConfigured: bool
    """Whether inbound messages are delivered to a webhook."""
    deliveryWebhookConfigured: bool
    """Whether delivery events are delivered to a webhook."""


_types.link(globals(), __package__, {"AssignedNumbers": "assigned_numbers"})
