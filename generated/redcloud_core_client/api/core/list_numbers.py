# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""listNumbers: GET /api/core/numbers."""

from __future__ import annotations

from ... import answers as _answers
from ... import calls as _calls
from ... import drafts as _drafts
from ...models.number_list import NumberList

__all__ = ["OPERATION", "build", "parse"]


def _errors() -> _calls.Answers:
    from ...models.core_error_response import CoreErrorResponse

    return {
        401: {"application/json": CoreErrorResponse},
        500: {"application/json": CoreErrorResponse},
    }


OPERATION: _calls.Operation[NumberList] = _calls.Operation(
    id="listNumbers",
    method="GET",
    path="/api/core/numbers",
    secured=True,
    retry="safe",
    success={
        200: {"application/json": NumberList},
    },
    errors=_errors,
)


def build() -> _calls.Request[NumberList]:
    """Build the request: List active numbers for the authenticated API client.

    Lists the numbers that are assigned to the authenticated API client. A `numberId` of this list is what
    `sendFrom` takes.

    Returns:
        The numbers.

        Unconfirmed: the status is not documented.

    Raises:
        InvalidRequest: The document does not allow it; everything that is wrong is named.
    """
    _draft = _drafts.Draft(OPERATION)
    return _draft.request()


build.__qualname__ = "list_numbers"  # what Python's TypeError calls it


def parse(answer: _calls.Answer) -> NumberList:
    """Return what a successful answer says.

    Raises:
        ErrorAnswer: The status is no success.
        UnreadableAnswer: The body cannot be read; DriftedAnswer if it is whole but of another shape.
    """
    return _answers.read(OPERATION, answer)
