# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

import attrs

from ..types import UNSET, Unset

__all__ = ["TokenResponse"]


@attrs.define(kw_only=True)
class TokenResponse:
    """A bearer token.

    Unconfirmed: presence, every documented example holds access_token.
    """

    access_token: str = attrs.field(repr=False)
    """The token for `Authorization` with the scheme `Bearer`. Treat it as opaque.

    Unconfirmed: format, it only marks the value as a secret.
    """
    token_type: str | None | Unset = UNSET
    """Always `bearer`, in lower case.

    Unconfirmed: presence and null, no text states them.
    """
    expires_in: int | None | Unset = UNSET
    """The lifetime of the token in seconds.

    Unconfirmed: presence and null, no text states them.
    """
