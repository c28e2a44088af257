# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import Literal

import attrs

from ..types import UNSET, Unset

__all__ = ["TokenForm"]


@attrs.define(kw_only=True)
class TokenForm:
    """Asks for a token with form fields, the way that the guides recommend. `client_id` and `client_secret` are
    left out when the credentials come by HTTP Basic.

    Unconfirmed: presence, that the form requires grant_type alone follows from the documented use of HTTP
    Basic.
    """

    grant_type: Literal["client_credentials"]
    """The only grant that the API supports."""
    client_id: str | Unset = UNSET
    """The id of the API client, unless it comes by HTTP Basic."""
    client_secret: str | Unset = attrs.field(default=UNSET, repr=False)
    """The secret of the API client, unless it comes by HTTP Basic.

    Unconfirmed: format, it only marks the value as a secret.
    """
