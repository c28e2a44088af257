"""How the credentials of a token request are read."""

import binascii
from base64 import b64decode
from typing import Any, cast
from urllib.parse import unquote_plus

from ._answers import Refusal


def check_grant(body: Any) -> None:
    """Refuse any grant but `client_credentials`."""
    grant = _field(body, "grant_type")
    if grant is None:
        raise Refusal(400, "grant_type is required")
    if grant != "client_credentials":
        raise Refusal(400, "Only client_credentials is supported", "unsupported_grant_type")


def find_credentials(body: Any, authorization: str | None) -> tuple[str, str]:
    """Find the credentials of a token request, by HTTP Basic or else in its body.

    Returns:
        The client id and the secret.

    Raises:
        Refusal: They are missing, or the header is malformed.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    basic = scheme.lower() == "basic"
    credentials = _decode_basic(encoded) if basic else (_field(body, "client_id"), _field(body, "client_secret"))
    if not all(credentials):
        raise Refusal(400, "client_id and client_secret are required")
    return cast("tuple[str, str]", credentials)


def _field(body: Any, name: str) -> Any:
    return cast("dict[str, Any]", body).get(name) if isinstance(body, dict) else None


def _decode_basic(encoded: str) -> tuple[str, str]:
    """Decode id and secret, each of them form-encoded before it was joined (RFC 6749, section 2.3.1)."""
    try:
        name, _, secret = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise Refusal(401, "Client authentication failed") from None
    return unquote_plus(name), unquote_plus(secret)
