"""The whole of policy: what to do after each thing that can happen to a call, without I/O.

`exchange` asks for steps and is told what came of them; both clients drive it. The same bytes leave in every attempt.
"""

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from . import _answers
from ._auth import Authorization
from ._binding import SAFE_OPERATIONS, Answer, Request
from ._chance import chance
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
from ._idempotency import KEY_HEADER, Doubt

if TYPE_CHECKING:
    from ._sending import Account

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds that the pause before the second attempt can take, and any at the most; each attempt doubles it."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a call: an HTTP request, or a token that could not be had for one."""

    at: datetime
    """When it began, in UTC."""
    delay: float
    """Seconds that were waited before it."""
    outcome: str
    """The HTTP status, or what happened instead of an answer."""
    may_have_been_received: bool
    """Whether the API may have carried it out."""


class Authorize(msgspec.Struct, frozen=True):
    """Ask for a token; `rejected` is the one that the API has just refused. Told: Authorization or TokenError."""

    rejected: Authorization | None = None


class Transmit(msgspec.Struct, frozen=True):
    """Ask for one request. Told: Answer or Failure."""

    request: Request[Any]
    authorization: Authorization | None


class Wait(msgspec.Struct, frozen=True):
    """Ask to wait before the next attempt. Told: whether that was done; a wait past the deadline is not begun."""

    seconds: float


Step = Authorize | Transmit | Wait
Outcome = Authorization | TokenError | Answer | Failure | bool


class Reply(msgspec.Struct, Generic[T], frozen=True):
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


def _now() -> datetime:
    return datetime.now(UTC)


class Policy(msgspec.Struct, frozen=True):
    """What a call is given to work with."""

    account: "Account"
    """Whose call it is."""
    attempts: int = 4
    """How many to make at the most."""
    draw: Callable[[], float] = chance
    """Random numbers from 0 to 1."""
    now: Callable[[], datetime] = _now
    """The time, in UTC."""


def exchange(
    request: Request[T], earlier: tuple[Attempt, ...], doubt: Doubt, policy: Policy
) -> Generator[Step, Outcome, Reply[T]]:
    """Carry a call through, as a generator of steps.

    Args:
        request: What to send, the same bytes in every attempt.
        earlier: What was tried before, in another process for instance.
        doubt: What this client knows of the request's idempotency key.
        policy: What the call is given to work with.

    Yields:
        The next step; send what came of it into the generator.

    Returns:
        The reply.

    Raises:
        RedCloudError: The call failed. An operation under an idempotency key that may have been carried out all the
            same ends in `SendOutcomeUnknown`.
    """
    call = _Call(request, earlier, doubt, policy)
    try:
        return (yield from call.run())
    except RedCloudError as error:
        failure = error
    raise call.ending(failure)


def is_keyed(request: Request[Any]) -> bool:
    """Tell whether a request carries the idempotency key that its operation declares."""
    return request.operation.retry == "keyed" and KEY_HEADER in request.headers


def may_help(request: Request[Any], error: RedCloudError) -> bool:
    """Tell whether another attempt may end better, and can do no harm.

    Args:
        request: What was sent.
        error: What the attempt came to.
    """
    if isinstance(error, TokenError | ConnectError):
        return error.temporary  # nothing left
    if not (is_keyed(request) or request.operation.retry == "safe" or request.operation.id in SAFE_OPERATIONS):
        return False
    if isinstance(error, UnreadableAnswerError):
        return error.drift is None  # a whole body would be the same again
    return error.temporary


def pause_before(attempt: int, retry_after: float, draw: float) -> float:
    """Return how long to wait before an attempt.

    Args:
        attempt: Its number, from 2.
        retry_after: Seconds that the API asks for, at the least.
        draw: A random number from 0 to 1.

    Returns:
        Seconds: by chance from none up to half a second, up to twice as much before each further one, eight at most.
    """
    return max(retry_after, draw * min(FIRST_PAUSE * 2.0 ** min(attempt - 2, 10), LONGEST_PAUSE))


class _Call(Generic[T]):
    """A call under way."""

    def __init__(self, request: Request[T], earlier: tuple[Attempt, ...], doubt: Doubt, policy: Policy) -> None:
        self._request = request
        self._attempts = list(earlier)
        self._doubt = doubt
        self._policy = policy
        self._may_replay = True

    def run(self) -> Generator[Step, Outcome, Reply[T]]:
        """Attempt until there is a reply, or another attempt makes no sense, has no time, or is one too many."""
        delay, number = 0.0, 1
        while True:
            outcome = yield from self._attempt(delay)
            reply = self._read(outcome)
            if isinstance(reply, Reply):
                return reply
            number += 1
            delay = self._pause(number, reply)
            if number > self._policy.attempts or not may_help(self._request, reply) or not (yield Wait(delay)):
                raise reply

    def ending(self, error: RedCloudError) -> RedCloudError:
        """Return the error to end with: unknown if an operation under a key may have been carried out all the same."""
        earlier = any(attempt.may_have_been_received for attempt in self._attempts)
        maybe = is_keyed(self._request) and (earlier or self._doubt.exists)
        ending = self._unknown(error) if maybe else error
        ending.attempts = tuple(self._attempts)
        return ending

    def _attempt(self, delay: float) -> Generator[Step, Outcome, TokenError | Answer | Failure]:
        """Make one attempt, and replay it with a new token if it is the first one whose token is refused."""
        if not self._request.operation.secured:
            return (yield from self._transmit(None, delay))
        authorization = yield from self._authorize(None, delay)
        if isinstance(authorization, TokenError):
            return authorization
        outcome = yield from self._transmit(authorization, delay)
        if not isinstance(outcome, Answer) or outcome.status != 401 or not self._may_replay:
            return outcome
        self._may_replay = False
        authorization = yield from self._authorize(authorization, 0.0)
        if isinstance(authorization, TokenError):
            return authorization
        return (yield from self._transmit(authorization, 0.0))

    def _authorize(
        self, rejected: Authorization | None, delay: float
    ) -> Generator[Step, Outcome, Authorization | TokenError]:
        at = self._policy.now()
        outcome = yield Authorize(rejected)
        if isinstance(outcome, TokenError):
            reason = f"HTTP {outcome.status}" if outcome.status else "no answer"
            self._note(at, delay, f"no token: {reason}", maybe=False)
        elif not isinstance(outcome, Authorization):
            raise TypeError(f"the driver answered Authorize with {outcome!r}")
        return outcome

    def _transmit(
        self, authorization: Authorization | None, delay: float
    ) -> Generator[Step, Outcome, Answer | Failure]:
        at = self._policy.now()
        self._doubt.begin()  # a caller that is cancelled now never comes back
        outcome = yield Transmit(self._request, authorization)
        if isinstance(outcome, Failure):
            reason, maybe = outcome.reason, not outcome.unsent
        elif isinstance(outcome, Answer):
            reason, maybe = f"HTTP {outcome.status}", not _is_refusal(outcome.status)
        else:
            raise TypeError(f"the driver answered Transmit with {outcome!r}")
        self._note(at, delay, reason, maybe=maybe)
        if not maybe:
            self._doubt.settle()
        return outcome

    def _note(self, at: datetime, delay: float, outcome: str, *, maybe: bool) -> None:
        self._attempts.append(Attempt(at=at, delay=delay, outcome=outcome, may_have_been_received=maybe))

    def _pause(self, number: int, error: RedCloudError) -> float:
        if isinstance(error, TokenUnavailableError):
            return error.retry_after  # all calls wait for the same try
        asked = error.retry_after if isinstance(error, APIError) else None
        return pause_before(number, asked or 0.0, self._policy.draw())

    def _read(self, outcome: TokenError | Answer | Failure) -> Reply[T] | RedCloudError:
        """Return what an attempt came to. An accepted operation under a key has a reply, whatever its body says."""
        if isinstance(outcome, TokenError):
            return outcome
        if isinstance(outcome, Failure):
            return _failed(self._request, outcome)
        said = _answers.read(self._request.operation, outcome, self._policy.now().timestamp())
        if isinstance(said, UnreadableAnswerError) and said.drift is not None and is_keyed(self._request):
            return Reply(outcome, self.ending(said), said.drift, tuple(self._attempts))
        if isinstance(said, RedCloudError):
            return said
        return Reply(outcome, said, None, tuple(self._attempts))

    def _unknown(self, error: RedCloudError) -> SendOutcomeUnknown:
        from ._sending import send_of

        send = send_of(self._request, self._policy.account, tuple(self._attempts))
        fact = str(error).removesuffix(getattr(error, "advice", "")).strip()
        unknown = SendOutcomeUnknown(
            f"{fact} It may have been queued all the same. Repeat the same call with the key {send.key!r}: "
            "the API answers it again and sends nothing twice."
        )
        unknown.send, unknown.last_error = send, error.with_traceback(None)
        if isinstance(error, APIError | UnreadableAnswerError):
            unknown.status, unknown.raw = error.status, error.raw
        if isinstance(error, UnreadableAnswerError):
            unknown.drift = error.drift
        return unknown


def _is_refusal(status: int) -> bool:
    """Tell whether a status proves that the request was not carried out."""
    return 400 <= status < 500 and status != 408


def _failed(request: Request[Any], failure: Failure) -> RedCloudError:
    if failure.status is not None:
        return _answers.unreadable(request.operation, failure.status, failure.raw, failure.reason)
    if failure.unsent:
        return ConnectError(
            f"{request.operation.id}: no connection: {failure.reason}. Nothing was sent. "
            "Check base_url, the network and the proxy."
        )
    return TransportError(f"{request.operation.id}: no answer: {failure.reason}.")
