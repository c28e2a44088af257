# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .. import types as _types

if TYPE_CHECKING:
    from .o_auth_error_code import OAuthErrorCode

__all__ = ["OAuthError"]


@attrs.define(kw_only=True)
class OAuthError:
    """How the token operation answers errors. It is not the CORE wrapper."""

    error: OAuthErrorCode
    """The classification of a token error."""
    error_description: str
    """The reason in words."""


_types.link(globals(), __package__, {"OAuthErrorCode": "o_auth_error_code"})
