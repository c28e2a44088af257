"""What an answer means: a value, or one of the errors."""

from typing import Any, TypeVar

from ._binding import (
    Answer,
    CoreErrorResponse,
    DriftedAnswer,
    ErrorAnswer,
    Operation,
    UnreadableAnswer,
    match,
    read_answer,
)
from ._errors import (
    APIError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RedCloudError,
    ServerError,
    UnauthorizedError,
    UndocumentedStatusError,
    UnreadableAnswerError,
    UpstreamError,
)

T = TypeVar("T")

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same call can succeed later."""

_CLASSES: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    500: ServerError,
    502: UpstreamError,
}


class Drifted(UnreadableAnswerError):
    """A whole body of another shape; `drift` names the path."""

    drift: str = ""


def read(operation: Operation[T], answer: Answer) -> T | RedCloudError:
    """Return what an answer says: the value that the document promises, or the error that it means.

    Args:
        operation: What was asked.
        answer: What came back.

    Returns:
        The value; or an `APIError` for a status that is no success, an `UnreadableAnswerError` for a body that is
        not what the document says.
    """
    try:
        return read_answer(operation, answer)
    except ErrorAnswer as error:
        body = error.body
    except DriftedAnswer as error:
        return _drifted(operation, answer, error.reason)
    except UnreadableAnswer as error:
        return unreadable(operation, answer.status, answer.content, error.reason)
    return _api_error(operation, answer, body)


def _api_error(operation: Operation[Any], answer: Answer, body: Any) -> APIError:
    documented = match(operation.errors, answer.status) is not None
    kind = _CLASSES.get(answer.status, APIError) if documented else UndocumentedStatusError
    wrapper = body if isinstance(body, CoreErrorResponse) else None
    error = kind(f"{operation.id}: HTTP {answer.status}{_words(wrapper)}. {kind.advice}")
    error.status, error.body, error.raw = answer.status, body, answer.content
    error.temporary = answer.status in TEMPORARY
    if wrapper is not None:
        error.code, error.message, error.details = wrapper.error.code, wrapper.error.message, wrapper.error.details
        error.requestId = wrapper.requestId or None
    return error


def _words(wrapper: CoreErrorResponse | None) -> str:
    if wrapper is None:
        return ": the body is not the API's error wrapper"
    request = f" (requestId {wrapper.requestId})" if wrapper.requestId else ""
    return f" {wrapper.error.code}{request}: {wrapper.error.message.rstrip('.')}"


def unreadable(operation: Operation[Any], status: int, raw: bytes, reason: str) -> UnreadableAnswerError:
    """Return the error for a success whose body cannot be read."""
    error = UnreadableAnswerError(
        f"{operation.id}: HTTP {status}, but the body cannot be read: {reason}. `.raw` holds what came of it."
    )
    error.status, error.raw = status, raw
    return error


def _drifted(operation: Operation[Any], answer: Answer, reason: str) -> Drifted:
    error = Drifted(
        f"{operation.id}: HTTP {answer.status}, but the answer is not what the document says: {reason}. "
        "`.raw` holds the body."
    )
    error.status, error.raw, error.drift = answer.status, answer.content, reason
    return error
