# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["TokenRequest"]


@attrs.define(kw_only=True)
class TokenRequest:
    """Asks for a token with the credentials in a JSON body."""

    grant_type: Literal["client_credentials"]
    """The only grant that the API supports."""
    client_id: str
    """The id of the API client."""
    client_secret: str = attrs.field(repr=False)
    """The secret of the API client.

    Unconfirmed: format, it only marks the value as a secret.
    """
