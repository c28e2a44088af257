"""The life of a token: fetched once for all who need it, replaced before it expires, and when the API refuses it."""

import asyncio
import os
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future, wait
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import attrs

from ._binding import Answer, ErrorAnswer, Malformed, OAuthError, Request, decode_plain, is_object, issue_token, match
from ._errors import InvalidClientError, TokenError, TokenUnavailableError

FALLBACK_LIFETIME = 300.0
"""Seconds that a token is used for when the answer does not say how long it lives."""

LONGEST_LIFETIME = 86_400.0
"""Seconds that a token is used for at the most, whatever the answer says."""

EARLY = 300.0
"""Seconds before its end at which a token is replaced, unless half of its lifetime is less."""

PAUSE = 1.0
"""Seconds after a failed fetch before the next one."""


@attrs.frozen
class Authorization:
    """A token as the header that carries it. `generation` tells one token from the next."""

    header: str = attrs.field(repr=False)
    generation: int


@attrs.frozen
class Token:
    """What the token operation gave."""

    access_token: str = attrs.field(repr=False)
    lifetime: float
    """Seconds."""


@attrs.frozen
class _Held:
    authorization: Authorization
    refresh_at: float
    expires_at: float


class TokenSource:
    """One token for all callers: threads, tasks and event loops.

    A fetch runs on a thread of its own and belongs to no caller: one who gives up waiting does not stop it.
    """

    def __init__(self, fetch: Callable[[], Token], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Get tokens from `fetch`, which raises a TokenError when it cannot.

        Args:
            fetch: Asks the token operation, once.
            clock: Seconds; only differences count.
        """
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._held: _Held | None = None
        self._flight: Future[Authorization] | None = None
        self._generation = 0
        self._not_before = float("-inf")

    def authorization(self, timeout: float) -> Authorization:
        """Return the header for a request.

        Args:
            timeout: Seconds to wait for a token, if none is at hand.

        Raises:
            TokenError: The token operation said no, or did not answer in time.
        """
        held = self._valid()
        if held is not None:
            return held
        flight = self._flight_under_way(needed=True)
        wait([flight], timeout)
        return _landed(flight, timeout)

    async def authorization_async(self, timeout: float) -> Authorization:  # noqa: ASYNC109
        """Return the header for a request, as `authorization` does."""
        held = self._valid()
        if held is not None:
            return held
        flight = self._flight_under_way(needed=True)
        landed = asyncio.wrap_future(flight)
        landed.add_done_callback(_take_exception)
        await asyncio.wait([landed], timeout=timeout)
        return _landed(flight, timeout)

    def invalidate(self, generation: int) -> None:
        """Forget the token of a generation, which the API has refused; a newer one stays."""
        with self._lock:
            if self._held is not None and self._held.authorization.generation == generation:
                self._held = None

    def _valid(self) -> Authorization | None:
        """Return the token at hand; if it is about to expire, a new one is on its way by then."""
        if self._process != os.getpid():
            self._leave_parent()
        held, now = self._held, self._clock()
        if held is None or now >= held.expires_at:
            return None
        if now >= held.refresh_at:
            self._flight_under_way(needed=False)
        return held.authorization

    def _leave_parent(self) -> None:
        """After a fork the thread that was fetching, and may have held the lock, does not exist."""
        self._process, self._lock, self._flight = os.getpid(), threading.Lock(), None

    def _flight_under_way(self, *, needed: bool) -> "Future[Authorization]":
        """Return the fetch that is under way, or begin one unless another has just brought what is asked for.

        Args:
            needed: Whether the caller has no token; otherwise the one at hand is about to expire.
        """
        with self._lock:
            now, held = self._clock(), self._held
            if self._flight is not None:
                return self._flight
            good_until = float("-inf") if held is None else held.expires_at if needed else held.refresh_at
            if held is not None and (now < good_until or (not needed and now < self._not_before)):
                return _done(held.authorization)
            self._flight = Future()
            self._flight.set_running_or_notify_cancel()  # from here on no waiter can cancel it
            threading.Thread(target=self._fly, args=(self._flight,), name="redcloud-token", daemon=True).start()
            return self._flight

    def _fly(self, flight: "Future[Authorization]") -> None:
        try:
            began = self._clock()
            authorization = self._keep(self._fetch(), began)
        except BaseException as error:  # it must reach those who wait
            self._land(self._clock() + PAUSE)
            flight.set_exception(error)
        else:
            self._land(self._not_before)
            flight.set_result(authorization)

    def _keep(self, token: Token, began: float) -> Authorization:
        with self._lock:
            self._generation += 1
            authorization = Authorization(f"Bearer {token.access_token}", self._generation)
            expires_at = began + token.lifetime
            self._held = _Held(authorization, expires_at - min(EARLY, token.lifetime / 2), expires_at)
            return authorization

    def _land(self, not_before: float) -> None:
        with self._lock:
            self._flight = None
            self._not_before = not_before


def token_request(client_id: str, client_secret: str) -> "tuple[Request[Any], str]":
    """Return the request for a token and the header with the credentials (HTTP Basic, RFC 6749 section 2.3.1)."""
    request = issue_token.build(grant_type="client_credentials", content_type="application/x-www-form-urlencoded")
    pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
    return request, f"Basic {b64encode(pair.encode()).decode()}"


def read_token(answer: Answer) -> Token:
    """Return the token of an answer.

    Raises:
        InvalidClientError: The credentials are wrong.
        TokenUnavailableError: The API failed; a later try may succeed.
        TokenError: Any other answer, or one that holds no token.
    """
    if match(issue_token.OPERATION.success, answer.status) is None or answer.status >= 300:
        raise _refused(answer)
    try:
        plain = decode_plain(answer.content)
    except Malformed:
        plain = None
    said = plain if is_object(plain) else {}
    access_token = said.get("access_token")
    if not isinstance(access_token, str) or not access_token or not _fits_header(access_token):
        raise _token_error(TokenError, answer, "the answer holds no access_token")
    return Token(access_token, _lifetime(said.get("expires_in")))


def unavailable(reason: str) -> TokenUnavailableError:
    """Return the error for a token operation that did not answer."""
    error = TokenUnavailableError(f"no token: {reason}. The call was not carried out. {TokenUnavailableError.advice}")
    error.retry_at = datetime.now(UTC) + timedelta(seconds=PAUSE)
    return error


def _refused(answer: Answer) -> TokenError:
    body = _error_body(answer)
    code = str(body.error) if isinstance(body, OAuthError) else None
    said = body.error_description if isinstance(body, OAuthError) else "the body is no OAuth error"
    if answer.status >= 500 or answer.status == 429:
        kind: type[TokenError] = TokenUnavailableError
    else:
        kind = InvalidClientError if code == "invalid_client" else TokenError
    error = _token_error(kind, answer, f"{code}: {said}" if code else said)
    error.error, error.error_description = code, said if code else None
    if isinstance(error, TokenUnavailableError):
        error.retry_at = datetime.now(UTC) + timedelta(seconds=PAUSE)
    return error


def _error_body(answer: Answer) -> object:
    try:
        issue_token.parse(answer)
    except ErrorAnswer as error:
        return error.body
    return None


def _token_error(kind: type[TokenError], answer: Answer, reason: str) -> TokenError:
    error = kind(f"no token: HTTP {answer.status}, {reason.rstrip('.')}. The call was not carried out. {kind.advice}")
    error.status = answer.status
    return error


def _lifetime(expires_in: object) -> float:
    """Return seconds; an answer that names none, or an odd one, gives the fallback."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return FALLBACK_LIFETIME
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return FALLBACK_LIFETIME
    return min(seconds, LONGEST_LIFETIME) if 0 < seconds < float("inf") else FALLBACK_LIFETIME


def _fits_header(token: str) -> bool:
    return token.isascii() and token.isprintable() and " " not in token


def _done(authorization: Authorization) -> "Future[Authorization]":
    done: Future[Authorization] = Future()
    done.set_result(authorization)
    return done


def _take_exception(landed: "asyncio.Future[Authorization]") -> None:
    """Take what a fetch raised, or asyncio would report it as forgotten: each waiter raises its own."""
    if not landed.cancelled():
        landed.exception()


def _landed(flight: "Future[Authorization]", timeout: float) -> Authorization:
    """Return what a fetch gave; each caller raises an error of its own, since they add their own attempts to it."""
    if not flight.done():
        raise unavailable(f"the token operation did not answer within {timeout:.1f} s")
    error = flight.exception()
    if isinstance(error, TokenError):
        raise copy(error)
    return flight.result()
