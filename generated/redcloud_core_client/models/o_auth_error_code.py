# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from ..types import OpenStrEnum

__all__ = ["OAuthErrorCode"]


class OAuthErrorCode(OpenStrEnum):
    """The classification of a token error."""

    invalid_request = "invalid_request"
    invalid_client = "invalid_client"
    unsupported_grant_type = "unsupported_grant_type"
    server_error = "server_error"
