"""What can go wrong, and what each means for the caller.

    RedCloudError
      InvalidCallError             wrong before it left: nothing was sent
        GuardError                 one of the guards
        ClientClosedError          on a client that was closed
      TokenError                   the token operation said no, in OAuth style
        InvalidClientError         the credentials are wrong
        TokenUnavailableError      no token for now
      TransportError               no answer
        ConnectError               provably nothing left
      APIError                     the API said no
        BadRequestError            400
        UnauthorizedError          401
        ForbiddenError             403
        NotFoundError              404
        ConflictError              409
        ServerError                500
        UpstreamError              502
        UndocumentedStatusError    a status that the document does not name for this operation
      UnreadableAnswerError        the API said yes, in words that are not the document's
      SendOutcomeUnknown           the message may have been queued
      RecipientsRejectedError      it was queued, but not for all; raised by Receipt.raise_for_rejected alone
      OutboxError                  the outbox cannot be used; raised by `redcloud_core.outbox` alone

A send returns a `Receipt` (accepted), raises `SendOutcomeUnknown` (it may have been queued; its key settles it), or
raises any other `RedCloudError`: certainly not queued.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from ._binding import Violation
    from ._retries import Attempt
    from ._sending import Receipt, Send


class RedCloudError(Exception):
    """Base of all errors of this SDK.

    Attributes:
        attempts: What was tried before it ended so, oldest first.
        temporary: Whether the same call can succeed later.
    """

    temporary: bool = False
    attempts: tuple[Attempt, ...] = ()


class InvalidCallError(RedCloudError):
    """A call that the document does not allow. Nothing was sent.

    Attributes:
        violations: Everything that is wrong, each with its `place` and `reason`.
    """

    violations: tuple[Violation, ...] = ()

    @classmethod
    def of(cls, operation_id: str, violations: tuple[Violation, ...]) -> InvalidCallError:
        """Make the error for a call of an operation."""
        listed = "".join(f"\n  {violation}" for violation in violations)
        error = cls(f"{operation_id}: nothing was sent, because the API's document does not allow this:{listed}")
        error.violations = violations
        return error

    @classmethod
    def at(cls, place: str, reason: str) -> InvalidCallError:
        """Make the error for one thing that is wrong, whatever the document says.

        Args:
            place: The argument, such as `to[3]`.
            reason: What is wrong with it, to be read after "it".
        """
        from ._binding import Violation

        error = cls(f"{place}: nothing was sent, because it {reason}.")
        error.violations = (Violation(place, reason),)
        return error


class GuardError(InvalidCallError):
    """A call that the guards refuse: the API would punish it late, or silently. Nothing was sent.

    Attributes:
        violations: Everything that is wrong; those of the guards have a `value` and say what to write `instead`.
    """

    @classmethod
    def of(cls, operation_id: str, violations: tuple[Violation, ...]) -> GuardError:
        """Make the error for a call of an operation."""
        if len(violations) == 1:
            error = cls(f"{operation_id}: nothing was sent. {violations[0]}.")
        else:
            listed = "".join(f"\n  {violation}" for violation in violations)
            error = cls(f"{operation_id}: nothing was sent, because of {len(violations)} mistakes:{listed}")
        error.violations = violations
        return error


class ClientClosedError(InvalidCallError, RuntimeError):
    """A call on a client that was closed. Nothing was sent."""


class TokenError(RedCloudError):
    """The token operation answered with an error, in OAuth style.

    Attributes:
        status: The HTTP status; None where there was no answer.
        error: The OAuth code, such as `invalid_request`; None where the answer holds none.
        error_description: The reason in the API's words.
    """

    advice: str = "The call was not carried out. Check base_url: it must be the API host of your environment."
    status: int | None = None
    error: str | None = None
    error_description: str | None = None


class InvalidClientError(TokenError):
    """The credentials are wrong, or the API client or its account is not active.

    A client does not ask again with the same secret: it would be told the same.
    """

    advice = (
        "The call was not carried out, and this client does not ask again with the same secret. "
        "Check client_id and client_secret, and that the API client and its account are active."
    )


class TokenUnavailableError(TokenError):
    """No token can be had for now.

    Attributes:
        retry_at: When the next try makes sense, in UTC: all calls of a client wait for the same one.
        retry_after: Seconds until then, when the error was raised.
    """

    temporary = True
    advice = "The call was not carried out."
    retry_at: datetime | None = None
    retry_after: float = 0.0


class TransportError(RedCloudError):
    """No answer came. Whether the API received the request is not known."""

    temporary = True


class ConnectError(TransportError):
    """No connection could be made: nothing was sent."""


class APIError(RedCloudError):
    """The API answered with an error.

    Attributes:
        status: The HTTP status.
        code: The machine-readable classification, such as `FORBIDDEN`; None where the body holds none.
        message: The reason in the API's words.
        details: Context that depends on the route.
        requestId: What Red Cloud's support asks for; None where the answer holds none.
        retry_after: Seconds that the API asks to wait before the same call; None if it does not say.
        body: The body as the document types it; None where it cannot be read so.
        raw: The body as it came.
    """

    advice: ClassVar[str] = "See `.raw` for the body."
    status: int = 0
    code: str | None = None
    message: str = ""
    details: dict[str, Any] | None = None
    requestId: str | None = None
    retry_after: float | None = None
    body: Any = None
    raw: bytes = b""


class BadRequestError(APIError):
    """The request breaks a rule of the API (400)."""

    advice = "Correct the request; the same one would be refused again."


class UnauthorizedError(APIError):
    """The API refused a token that was just issued (401)."""

    advice = "Check that the API client and its account are active."


class ForbiddenError(APIError):
    """The API client may not do this (403)."""

    advice = "Use what this API client owns: list_numbers() shows its numbers, whoami() its capabilities."


class NotFoundError(APIError):
    """There is no such thing (404)."""

    advice = "Check the id: list_numbers() shows the ids of the numbers."


class ConflictError(APIError):
    """The idempotency key was used with another payload (409)."""

    advice = "Use a new idempotency_key for a new payload, the old payload for the old key."


class ServerError(APIError):
    """The API failed (500)."""

    temporary = True
    advice = "Try again later."


class UpstreamError(APIError):
    """A platform that the API depends on failed (502)."""

    temporary = True
    advice = "Try again later."


class UndocumentedStatusError(APIError):
    """The API answered with a status that the document does not name for this operation."""

    advice = "The document does not name this status here; `.raw` holds the body."


class UnreadableAnswerError(RedCloudError):
    """The API answered with a success status, but the body is not what the document says.

    Attributes:
        status: The HTTP status.
        raw: The body as it came.
        drift: Where and how the answer differs from the document, if it is whole; else None.
    """

    advice: ClassVar[str] = "`.raw` holds the body."
    temporary = True
    status: int = 0
    raw: bytes = b""
    drift: str | None = None


class RecipientsRejectedError(RedCloudError):
    """Some recipients of an accepted message were rejected; only `Receipt.raise_for_rejected` raises it.

    Attributes:
        receipt: The receipt, which says who and why.
    """

    receipt: Receipt


class SendOutcomeUnknown(RedCloudError):
    """A message that may have been queued. Its key settles it: the same call again cannot send twice.

    Attributes:
        send: The send: its key, its bytes and its attempts.
        status: The HTTP status of the last answer; None where none came.
        drift: Where the answer differs from the document, if one came and was accepted.
        raw: The body of that answer.
        last_error: What the last attempt came to.
    """

    temporary = True
    send: Send
    last_error: RedCloudError | None = None
    status: int | None = None
    drift: str | None = None
    raw: bytes = b""


class OutboxError(RedCloudError):
    """The outbox cannot be used, or not now. What it held before it still holds."""

    @classmethod
    def at(cls, path: object, reason: str) -> OutboxError:
        """Make the error for an outbox.

        Args:
            path: Which one.
            reason: What is wrong, to be read after a colon.
        """
        return cls(f"outbox {str(path)!r}: {reason}.")
