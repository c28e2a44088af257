# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""issueToken: POST /api/auth/token."""

from __future__ import annotations

from typing import Literal

from ... import answers as _answers
from ... import calls as _calls
from ... import drafts as _drafts
from ...models.token_form import TokenForm
from ...models.token_request import TokenRequest
from ...models.token_response import TokenResponse
from ...types import UNSET, Unset

__all__ = ["OPERATION", "build", "parse"]


def _errors() -> _calls.Answers:
    from ...models.o_auth_error import OAuthError

    return {
        400: {"application/json": OAuthError},
        401: {"application/json": OAuthError},
        500: {"application/json": OAuthError},
    }


OPERATION: _calls.Operation[TokenResponse] = _calls.Operation(
    id="issueToken",
    method="POST",
    path="/api/auth/token",
    secured=False,
    retry="unsent",
    success={
        200: {"application/json": TokenResponse},
    },
    errors=_errors,
)

_BODIES: _calls.Contents = {
    "application/json": TokenRequest,
    "application/x-www-form-urlencoded": TokenForm,
}


def build(
    *,
    grant_type: Literal["client_credentials"],
    client_id: str | Unset = UNSET,
    client_secret: str | Unset = UNSET,
    content_type: Literal[
        "application/json",
        "application/x-www-form-urlencoded",
    ] = "application/json",
) -> _calls.Request[TokenResponse]:
    """Build the request: Issue a bearer access token.

    Issues a bearer token for OAuth 2 `client_credentials`. The credentials come by HTTP Basic or as the body
    fields `client_id` and `client_secret`; a form-encoded body is the recommended one. Errors are answered in
    OAuth style, not in the CORE wrapper. Tokens live for 3600 seconds.

    Args:
        grant_type: The only grant that the API supports.
        client_id: The id of the API client.
        client_secret: The secret of the API client.

            Unconfirmed: format, it only marks the value as a secret.
        content_type: How the body is written.

    Returns:
        A token.

        Unconfirmed: the status follows RFC 6749, section 5.1.

    Raises:
        InvalidRequest: The document does not allow it; everything that is wrong is named.
    """
    _draft = _drafts.Draft(OPERATION)
    _draft.body(
        content_type,
        _draft.choice("content_type", content_type, _BODIES),
        {
            "grant_type": grant_type,
            "client_id": client_id,
            "client_secret": client_secret,
        },
    )
    return _draft.request()


build.__qualname__ = "issue_token"  # what Python's TypeError calls it


def parse(answer: _calls.Answer) -> TokenResponse:
    """Return what a successful answer says.

    Raises:
        ErrorAnswer: The status is no success.
        UnreadableAnswer: The body cannot be read; DriftedAnswer if it is whole but of another shape.
    """
    return _answers.read(OPERATION, answer)
