# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What an answer says, by the operation that it answers."""

from typing import Any, TypeVar

from .calls import Answer, Answers, Contents, Operation
from .codec import Drift, Malformed, decode
from .errors import DriftedAnswer, ErrorAnswer, UnreadableAnswer
from .writing import is_json

__all__ = ["match", "read"]

T = TypeVar("T")


def match(answers: Answers, status: int) -> Contents | None:
    """Return the contents that are documented for a status: its own, its range's or the default's; else None."""
    for key in (status, f"{status // 100}XX", "default"):
        if key in answers:
            return answers[key]
    return None


def read(operation: Operation[T], answer: Answer) -> T:
    """Return what a successful answer says.

    Args:
        operation: What was asked.
        answer: What came back.

    Returns:
        The body, as the document types it.

    Raises:
        ErrorAnswer: The status is no success.
        DriftedAnswer: The body is whole but of another shape.
        UnreadableAnswer: The body is cut, is no JSON where JSON is documented, or no text.
    """
    contents = match(operation.success, answer.status) if answer.status < 400 else None
    if contents is None:
        raise _error(operation, answer)
    try:
        value: T = _decoded(contents, answer)
    except Drift as error:
        failure: UnreadableAnswer = DriftedAnswer(answer, str(error))
    except (Malformed, UnicodeDecodeError) as error:
        failure = UnreadableAnswer(answer, str(error))
    else:
        return value
    raise failure


def _error(operation: Operation[Any], answer: Answer) -> ErrorAnswer:
    contents = match(operation.errors(), answer.status)
    try:
        body = _decoded(contents or {}, answer)
    except ValueError:
        body = None
    return ErrorAnswer(answer, body, documented=contents is not None)


def _decoded(contents: Contents, answer: Answer) -> Any:
    if not contents:
        return None
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    documented = media if media in contents else next((key for key in contents if is_json(key)), next(iter(contents)))
    if is_json(documented):
        return decode(answer.content, contents[documented])
    return answer.content.decode() if contents[documented] is str else answer.content
