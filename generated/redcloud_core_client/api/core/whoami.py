# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""whoami: GET /api/core/whoami."""

from __future__ import annotations

from ... import answers as _answers
from ... import calls as _calls
from ... import drafts as _drafts
from ...models.client_context import ClientContext

__all__ = ["OPERATION", "build", "parse"]


def _errors() -> _calls.Answers:
    from ...models.core_error_response import CoreErrorResponse

    return {
        401: {"application/json": CoreErrorResponse},
        500: {"application/json": CoreErrorResponse},
    }


OPERATION: _calls.Operation[ClientContext] = _calls.Operation(
    id="whoami",
    method="GET",
    path="/api/core/whoami",
    secured=True,
    retry="safe",
    success={
        200: {"application/json": ClientContext},
    },
    errors=_errors,
)


def build() -> _calls.Request[ClientContext]:
    """Build the request: Return the current API client context.

    Tells who the authenticated API client is, what it may do, how many numbers it has, and which webhooks are
    configured. A good check at start-up.

    Returns:
        The API client.

        Unconfirmed: the status is not documented.

    Raises:
        InvalidRequest: The document does not allow it; everything that is wrong is named.
    """
    _draft = _drafts.Draft(OPERATION)
    return _draft.request()


build.__qualname__ = "whoami"  # what Python's TypeError calls it


def parse(answer: _calls.Answer) -> ClientContext:
    """Return what a successful answer says.

    Raises:
        ErrorAnswer: The status is no success.
        UnreadableAnswer: The body cannot be read; DriftedAnswer if it is whole but of another shape.
    """
    return _answers.read(OPERATION, answer)
