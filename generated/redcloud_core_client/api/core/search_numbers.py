# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""searchNumbers: POST /api/core/numbers/search."""

from __future__ import annotations

from ... import answers as _answers
from ... import calls as _calls
from ... import drafts as _drafts
from ...models.number_search import NumberSearch
from ...models.number_search_result import NumberSearchResult
from ...types import UNSET, Unset

__all__ = ["OPERATION", "build", "parse"]


def _errors() -> _calls.Answers:
    from ...models.core_error_response import CoreErrorResponse

    return {
        400: {"application/json": CoreErrorResponse},
        401: {"application/json": CoreErrorResponse},
        403: {"application/json": CoreErrorResponse},
        500: {"application/json": CoreErrorResponse},
        502: {"application/json": CoreErrorResponse},
    }


OPERATION: _calls.Operation[NumberSearchResult] = _calls.Operation(
    id="searchNumbers",
    method="POST",
    path="/api/core/numbers/search",
    secured=True,
    retry="unsent",
    success={
        200: {"application/json": NumberSearchResult},
    },
    errors=_errors,
)


def build(
    *,
    npa: str | Unset = UNSET,
    nxx: str | Unset = UNSET,
    city: str | Unset = UNSET,
    state: str | Unset = UNSET,
    zipCode: str | Unset = UNSET,
    rateCenter: str | Unset = UNSET,
) -> _calls.Request[NumberSearchResult]:
    """Build the request: Search available numbers.

    Searches the inventory of available numbers by place and by parts of the number.

    Args:
        npa: The area code.
        nxx: The exchange code.
        city: The city.
        state: The state.
        zipCode: The ZIP code.
        rateCenter: The rate center.

    Returns:
        What was found.

        Unconfirmed: the status is not documented.

    Raises:
        InvalidRequest: The document does not allow it; everything that is wrong is named.
    """
    _draft = _drafts.Draft(OPERATION)
    _draft.body(
        "application/json",
        NumberSearch,
        {
            "npa": npa,
            "nxx": nxx,
            "city": city,
            "state": state,
            "zipCode": zipCode,
            "rateCenter": rateCenter,
        },
    )
    return _draft.request()


build.__qualname__ = "search_numbers"  # what Python's TypeError calls it


def parse(answer: _calls.Answer) -> NumberSearchResult:
    """Return what a successful answer says.

    Raises:
        ErrorAnswer: The status is no success.
        UnreadableAnswer: The body cannot be read; DriftedAnswer if it is whole but of another shape.
    """
    return _answers.read(OPERATION, answer)
