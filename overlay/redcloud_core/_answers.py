"""What an answer means: a value, or one of the errors."""

import re
from typing import Any, TypeVar

from ._binding import (
    Answer,
    DriftedAnswer,
    ErrorAnswer,
    Malformed,
    Operation,
    UnreadableAnswer,
    decode_plain,
    is_object,
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

LONGEST_WAIT = 86_400.0
"""Seconds that a `Retry-After` is taken for at the most: a mistake there must not stop a caller for good."""

_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")

_CLASSES: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    500: ServerError,
    502: UpstreamError,
}


def read(operation: Operation[T], answer: Answer, now: float) -> T | RedCloudError:
    """Return what an answer says: the value that the document promises, or the error that it means.

    Args:
        operation: What was asked.
        answer: What came back.
        now: The time, in seconds since the epoch.

    Returns:
        The value; or an `APIError` for a status that is no success, an `UnreadableAnswerError` for a body that is
        not what the document says.
    """
    if 200 <= answer.status < 300 and match(operation.success, answer.status) is None:
        return _not_as_documented(operation, answer, "the document does not name this status")
    try:
        return read_answer(operation, answer)
    except ErrorAnswer as error:
        body = error.body
    except DriftedAnswer as error:
        return _not_as_documented(operation, answer, error.reason)
    except UnreadableAnswer as error:
        return unreadable(operation, answer.status, answer.content, error.reason)
    return _api_error(operation, answer, body, now)


def is_temporary(status: int) -> bool:
    """Tell whether the same call can succeed after an answer with this status."""
    return status in (408, 425, 429) or status >= 500


def retry_after(answer: Answer, now: float) -> float | None:
    """Return how long the API asks to wait, in seconds, a day at the most; None if it does not say.

    `Retry-After` is a number of seconds or an HTTP date (RFC 9110, section 10.2.3); anything else is ignored.

    Args:
        answer: What came back.
        now: The time, in seconds since the epoch.
    """
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), LONGEST_WAIT)
    if not _HTTP_DATE.fullmatch(said):
        return None
    from dateutil.parser import ParserError, parse  # slow to import, and rarely needed

    try:
        at: float = parse(said).timestamp()
    except (ParserError, OverflowError):
        return None
    return min(max(at - now, 0.0), LONGEST_WAIT)


def unreadable(operation: Operation[Any], status: int, raw: bytes, reason: str) -> UnreadableAnswerError:
    """Return the error for a success whose body cannot be read."""
    error = UnreadableAnswerError(
        f"{operation.id}: HTTP {status}, but the body cannot be read: {reason}. {UnreadableAnswerError.advice}"
    )
    error.status, error.raw = status, raw
    return error


def _not_as_documented(operation: Operation[Any], answer: Answer, reason: str) -> UnreadableAnswerError:
    """Return the error for a success that is not what the document says; its body has drifted if it is whole."""
    error = UnreadableAnswerError(
        f"{operation.id}: HTTP {answer.status}, but the answer is not what the document says: {reason}. "
        f"{UnreadableAnswerError.advice}"
    )
    error.status, error.raw = answer.status, answer.content
    error.drift = reason if _is_whole(answer.content) else None
    return error


def _is_whole(content: bytes) -> bool:
    try:
        decode_plain(content)
    except Malformed:
        return False
    return True


def _api_error(operation: Operation[Any], answer: Answer, body: Any, now: float) -> APIError:
    documented = match(operation.errors(), answer.status) is not None
    kind = _CLASSES.get(answer.status, APIError) if documented else UndocumentedStatusError
    wrapper = plain_object(answer.content)
    inner = wrapper.get("error")
    said: dict[str, Any] = inner if is_object(inner) else {}
    code, message, request_id = _text(said.get("code")), _text(said.get("message")), _text(wrapper.get("requestId"))
    error = kind(f"{operation.id}: HTTP {answer.status}{_words(code, message, request_id)}. {kind.advice}")
    error.status, error.body, error.raw = answer.status, body, answer.content
    error.temporary, error.retry_after = is_temporary(answer.status), retry_after(answer, now)
    error.code, error.message, error.requestId = code or None, message, request_id or None
    error.details = said["details"] if is_object(said.get("details")) else None
    return error


def plain_object(content: bytes) -> dict[str, Any]:
    """Return a body as plain data, empty if it is no object: what it says is worth reading even if not all is there."""
    try:
        found = decode_plain(content)
    except Malformed:
        return {}
    return found if is_object(found) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(code: str, message: str, request_id: str) -> str:
    if not code and not message:
        return ": the body is not the API's error wrapper"
    request = f" (requestId {request_id})" if request_id else ""
    return f" {code}".rstrip() + f"{request}: {message.rstrip('.')}"
