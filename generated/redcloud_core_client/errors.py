# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What can go wrong in the low-level client, apart from the HTTP library's own errors.

LowLevelError
  InvalidRequest      it was never sent
  ErrorAnswer         the API said no
  UnreadableAnswer    the API said yes, in words that cannot be read
    DriftedAnswer     well-formed, but not as the document says
"""

from typing import Any

import msgspec

from .calls import Answer

__all__ = ["DriftedAnswer", "ErrorAnswer", "InvalidRequest", "LowLevelError", "UnreadableAnswer", "Violation"]


class Violation(msgspec.Struct, frozen=True):
    """Something in a call that the document does not allow."""

    place: str
    """Where: a keyword, followed by indexes and names such as `to[3]`."""
    reason: str
    """What is wrong with it. The value itself is not repeated: it may be a secret."""

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class LowLevelError(Exception):
    """Base of the errors of this package."""


class InvalidRequest(LowLevelError):
    """A call that the document does not allow. Nothing was sent."""

    def __init__(self, operation_id: str, violations: tuple[Violation, ...]) -> None:
        super().__init__(operation_id, violations)
        self.operation_id = operation_id
        self.violations = violations

    def __str__(self) -> str:
        listed = "".join(f"\n  {violation}" for violation in self.violations)
        return f"{self.operation_id}: nothing was sent, because the document does not allow this:{listed}"


class ErrorAnswer(LowLevelError):
    """An answer with a status that is no success.

    Attributes:
        answer: The answer.
        body: Its body as the document types it; None where it cannot be read so.
        documented: Whether the document names this status for the operation.
    """

    def __init__(self, answer: Answer, body: Any, documented: bool) -> None:
        super().__init__(answer, body, documented)
        self.answer = answer
        self.body = body
        self.documented = documented

    def __str__(self) -> str:
        return f"HTTP {self.answer.status}{'' if self.documented else ', a status that the document does not name'}"


class UnreadableAnswer(LowLevelError):
    """An answer with a success status and a body that cannot be read."""

    def __init__(self, answer: Answer, reason: str) -> None:
        super().__init__(answer, reason)
        self.answer = answer
        self.reason = reason

    def __str__(self) -> str:
        return f"HTTP {self.answer.status}, but the body cannot be read: {self.reason}"


class DriftedAnswer(UnreadableAnswer):
    """An answer with a success status and a whole body of another shape than the document says."""
