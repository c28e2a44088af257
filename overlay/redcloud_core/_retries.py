"""The whole of policy: what to do after each thing that can happen to a call, without I/O and without a clock.

`exchange` asks for steps and is told what came of them; both clients drive it. A token that cannot be had for now is
waited for; then one attempt is made, and one more with a new token when the API refuses the first one's.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from . import _answers
from ._auth import Authorization
from ._binding import Answer, Request
from ._errors import (
    APIError,
    ConnectError,
    RedCloudError,
    SendOutcomeUnknown,
    TokenError,
    TokenUnavailableError,
    TransportError,
    UnreadableAnswerError,
)
from ._http import Failure

if TYPE_CHECKING:
    from ._sending import Account

T = TypeVar("T")

# Answers that prove that the request was not carried out, whatever the operation.
_REFUSED = range(400, 500)
_MAYBE_RECEIVED = frozenset({408})


@attrs.frozen
class Attempt:
    """One try of a call: an HTTP request, or a token that could not be had for one."""

    outcome: str
    """The HTTP status, or what happened instead of an answer."""
    may_have_been_received: bool
    """Whether the API may have carried it out."""


@attrs.frozen
class Authorize:
    """Ask for a token; `rejected` is the one that the API has just refused. Told: Authorization or TokenError."""

    rejected: Authorization | None = None


@attrs.frozen
class Transmit:
    """Ask for one attempt. Told: Answer or Failure."""

    request: Request[Any]
    authorization: Authorization | None


@attrs.frozen
class Wait:
    """Ask to wait before the next try. Told: whether that was done; a wait past the deadline is not begun."""

    seconds: float


Step = Authorize | Transmit | Wait
Outcome = Authorization | TokenError | Answer | Failure | bool


@attrs.frozen
class Reply(Generic[T]):
    """What a call ends in."""

    answer: Answer
    said: T | RedCloudError
    drift: str | None
    """Where an accepted send's answer differs from the document."""
    attempts: tuple[Attempt, ...]

    @property
    def value(self) -> T:
        """What the answer says; raises where it drifted, since then it says nothing typed."""
        if isinstance(self.said, RedCloudError):
            raise self.said
        return self.said


def exchange(
    request: Request[T], earlier: tuple[Attempt, ...], account: "Account", most: int
) -> Generator[Step, Outcome, Reply[T]]:
    """Carry a call through, as a generator of steps.

    Args:
        request: What to send, the same bytes in every attempt.
        earlier: What was tried before, in another process for instance.
        account: Whose call it is.
        most: How many attempts to make.

    Yields:
        The next step; send what came of it into the generator.

    Returns:
        The reply.

    Raises:
        RedCloudError: The call failed. An operation under an idempotency key that may have been carried out all the
            same ends in `SendOutcomeUnknown`.
    """
    attempts = list(earlier)
    try:
        authorization = (yield from _authorized(None, attempts, most)) if request.operation.secured else None
        outcome = yield Transmit(request, authorization)
        attempts.append(_attempt(outcome))
        if isinstance(outcome, Answer) and outcome.status == 401 and authorization is not None:
            authorization = yield from _authorized(authorization, attempts, most)
            outcome = yield Transmit(request, authorization)
            attempts.append(_attempt(outcome))
        return _reply(request, outcome, tuple(attempts), account)
    except RedCloudError as error:
        failure = error
    raise _ending(request, failure, tuple(attempts), account)


def _authorized(
    rejected: Authorization | None, attempts: list[Attempt], most: int
) -> Generator[Step, Outcome, Authorization]:
    """Get a token, within the attempts that are left; all calls that wait for the next try wait for the same one."""
    for left in reversed(range(most)):
        outcome = yield Authorize(rejected)
        if isinstance(outcome, Authorization):
            return outcome
        if not isinstance(outcome, TokenError):
            raise TypeError(f"the driver answered Authorize with {outcome!r}")
        reason = f"HTTP {outcome.status}" if outcome.status else "no answer"
        attempts.append(Attempt(f"no token: {reason}", may_have_been_received=False))
        if not isinstance(outcome, TokenUnavailableError) or not left or not (yield Wait(outcome.retry_after)):
            raise outcome
    raise ValueError(f"a call needs at least one attempt, not {most}")


def _reply(request: Request[T], outcome: Outcome, attempts: tuple[Attempt, ...], account: "Account") -> Reply[T]:
    if isinstance(outcome, Failure):
        raise _failed(request, outcome)
    if not isinstance(outcome, Answer):
        raise TypeError(f"the driver answered Transmit with {outcome!r}")
    said = _answers.read(request.operation, outcome)
    if isinstance(said, UnreadableAnswerError) and said.drift is not None and request.operation.retry == "keyed":
        unknown = _ending(request, said, attempts, account)
        return Reply(outcome, unknown, said.drift, attempts)
    if isinstance(said, RedCloudError):
        raise said
    return Reply(outcome, said, None, attempts)


def _attempt(outcome: Outcome) -> Attempt:
    if isinstance(outcome, Failure):
        return Attempt(outcome.reason, not outcome.unsent)
    if isinstance(outcome, Answer):
        refused = outcome.status in _REFUSED and outcome.status not in _MAYBE_RECEIVED
        return Attempt(f"HTTP {outcome.status}", not refused)
    raise TypeError(f"the driver answered Transmit with {outcome!r}")


def _ending(
    request: Request[Any], error: RedCloudError, attempts: tuple[Attempt, ...], account: "Account"
) -> RedCloudError:
    """Return the error that a call ends with: unknown if an idempotent operation may have been carried out."""
    maybe = request.operation.retry == "keyed" and any(attempt.may_have_been_received for attempt in attempts)
    ending = _unknown(request, error, attempts, account) if maybe else error
    ending.attempts = attempts
    return ending


def _unknown(
    request: Request[Any], error: RedCloudError, attempts: tuple[Attempt, ...], account: "Account"
) -> SendOutcomeUnknown:
    from ._sending import send_of

    send = send_of(request, account, attempts)
    fact = str(error).removesuffix(getattr(error, "advice", "")).strip()
    unknown = SendOutcomeUnknown(
        f"{fact} It may have been queued all the same. Repeat the same call with the key {send.key!r}: "
        "the API answers it again and sends nothing twice."
    )
    unknown.send = send
    if isinstance(error, APIError | UnreadableAnswerError):
        unknown.status, unknown.raw = error.status, error.raw
    if isinstance(error, UnreadableAnswerError):
        unknown.drift = error.drift
    return unknown


def _failed(request: Request[Any], failure: Failure) -> RedCloudError:
    if failure.status is not None:
        return _answers.unreadable(request.operation, failure.status, failure.raw, failure.reason)
    if failure.unsent:
        return ConnectError(
            f"{request.operation.id}: no connection: {failure.reason}. Nothing was sent. "
            "Check base_url, the network and the proxy."
        )
    return TransportError(f"{request.operation.id}: no answer: {failure.reason}.")
