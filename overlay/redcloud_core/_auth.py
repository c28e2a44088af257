"""The life of a token: fetched once for all who need it, replaced before it expires, and when the API refuses it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ._chance import chance
from ._errors import InvalidClientError, TokenError, TokenUnavailableError
from ._forks import forget_after_fork
from ._token_cache import CarefulCache, Token, TokenCache, cache_key
from ._token_endpoint import TokenEndpoint

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("redcloud_core.auth")
logger.addHandler(logging.NullHandler())

EARLY = 300.0
"""Seconds before its end at which a token is replaced, unless half of its lifetime is less."""

JITTER = 0.1
"""The part of that window by which it may begin earlier still, so that many processes do not ask at once."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds between two fetches after the first failure, and at the most; each failure in a row doubles them."""

REJECTED_REMEMBERED = 16
"""Tokens that the API refused, and that are not taken from a cache again."""

LOCK_TIMEOUT = 10.0
"""Seconds that a fetch waits for another process; then it goes on without the cache's lock."""


class Authorization(msgspec.Struct, frozen=True):
    """A token as the header that carries it. `generation` tells one token from the next."""

    header: str
    generation: int

    def __repr__(self) -> str:
        return f"Authorization(generation={self.generation})"

    def __reduce__(self) -> Any:
        raise TypeError("an authorization cannot be copied or pickled")

    __copy__ = __reduce__


class TokenState(msgspec.Struct, frozen=True):
    """What a client knows of its token, without the token."""

    age: float | None
    """Seconds since the token was asked for; None without a token."""
    expires_in: float | None
    """Seconds that it is used for; None without a token."""
    last_refresh: datetime | None
    """When a token was last got, in UTC."""
    last_failure: str | None
    """Why a fetch failed last; None if none ever did."""
    last_failure_at: datetime | None
    """When that was, in UTC."""
    retry_at: datetime | None
    """When the next fetch makes sense after a failure, in UTC; None if that is now, or never."""


def refresh_after(lifetime: float, draw: float) -> float:
    """Return how old a token gets before it is replaced.

    Args:
        lifetime: Seconds that it lives.
        draw: A random number from 0 to 1.

    Returns:
        Seconds: five minutes before its end, or half of its life if that is less, or up to a tenth of that earlier.
    """
    window = min(EARLY, lifetime / 2)
    return lifetime - window * (1 + JITTER * draw)


def pause_after(failures: int, retry_after: float, draw: float) -> float:
    """Return how long to wait before the next fetch.

    Args:
        failures: How many failed in a row.
        retry_after: Seconds that the API asks for, at the least.
        draw: A random number from 0 to 1.

    Returns:
        Seconds: half a second after the first failure, doubled by each to eight at the most, and less by up to half.
    """
    return max(retry_after, min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE) * (1 - draw / 2))


class _Held(msgspec.Struct, frozen=True):
    """The token at hand."""

    authorization: Authorization
    token: Token
    born: float
    """When it was asked for, by the clock that is never set."""
    refresh_after: float
    """Seconds."""

    def age(self, now: float, wall: float) -> float:
        """Return the greater age of both clocks: one stands still while a laptop sleeps, the other can be put back."""
        return max(now - self.born, wall - self.token.issued_at)


class _Failure(msgspec.Struct, frozen=True):
    """Why there is no token; all who ask before `retry_at` are told so."""

    error: TokenError
    retry_at: float
    at: datetime


class _Flight:
    """A fetch under way. It belongs to no caller: one who gives up waiting, or is cancelled, does not stop it."""

    def __init__(self, ends_at: float, lock_timeout: float) -> None:
        self.ends_at = ends_at
        """When it must have landed; a server that sends heads for ever keeps it in the air longer."""
        self.lock_timeout = lock_timeout
        """Seconds that it waits for the cache's lock."""
        self._landing: Future[Authorization | _Failure] = Future()

    def begin(self, fly: "Callable[[_Flight], object]") -> None:
        threading.Thread(target=fly, args=(self,), name="redcloud-token", daemon=True).start()

    def land(self, outcome: Authorization | _Failure) -> None:
        self._landing.set_result(outcome)

    def wait(self, timeout: float) -> Authorization | _Failure | None:
        wait([self._landing], max(timeout, 0.0))
        return self._outcome()

    async def wait_async(self, timeout: float) -> Authorization | _Failure | None:  # noqa: ASYNC109
        import asyncio

        loop = asyncio.get_running_loop()
        landed = loop.create_future()

        def wake(_landing: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(_settle, landed)

        self._landing.add_done_callback(wake)
        await asyncio.wait([landed], timeout=max(timeout, 0.0))
        return self._outcome()

    def _outcome(self) -> Authorization | _Failure | None:
        return self._landing.result() if self._landing.done() else None


class TokenSource:
    """One token for all callers: threads, tasks, event loops and, with a shared cache, processes.

    A fetch runs on a thread of its own, so that those who wait for it hold nothing, and none of them can stop it.
    """

    def __init__(
        self,
        endpoint: TokenEndpoint,
        cache: TokenCache,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = chance,
    ) -> None:
        """Get tokens.

        Args:
            endpoint: Where they are asked for.
            cache: Where they live between fetches.
            clock: Seconds; only differences count.
            wall_clock: Seconds since the epoch.
            draw: Random numbers from 0 to 1.
        """
        self._endpoint = endpoint
        self._cache = CarefulCache(cache)
        self._clock = clock
        self._wall_clock = wall_clock
        self._draw = draw
        self._generation = 0
        self._held: _Held | None = None
        self._rejected: deque[Token] = deque(maxlen=REJECTED_REMEMBERED)
        self._invalid: tuple[str, _Failure] | None = None
        self._failures = 0
        self._failure: _Failure | None = None
        self._last_failure: _Failure | None = None
        self._last_refresh: datetime | None = None
        self._lock = threading.RLock()  # a signal's handler may call the API while its thread holds it
        self._flight: _Flight | None = None
        forget_after_fork(self)

    def authorization(self, timeout: float) -> Authorization:
        """Return the header for a request.

        Args:
            timeout: Seconds to wait for a token, if none is at hand.

        Raises:
            TokenError: There is none; a `TokenUnavailableError` says when the next try makes sense.
        """
        at_hand = self._at_hand()
        if at_hand is not None:
            return at_hand
        flight = self._flight_under_way()
        return self._arrived(flight.wait(timeout) if isinstance(flight, _Flight) else flight, timeout)

    async def authorization_async(self, timeout: float) -> Authorization:  # noqa: ASYNC109
        """Return the header for a request, as `authorization` does."""
        at_hand = self._at_hand()
        if at_hand is not None:
            return at_hand
        flight = self._flight_under_way()
        return self._arrived(await flight.wait_async(timeout) if isinstance(flight, _Flight) else flight, timeout)

    def invalidate(self, generation: int) -> None:
        """Forget the token of a generation, which the API has refused; a newer one stays."""
        with self._lock:
            if self._held is not None and self._held.authorization.generation == generation:
                self._rejected.append(self._held.token)
                self._held = None

    def state(self) -> TokenState:
        """Tell about the token, without the token."""
        held, failure, last = self._held, self._failure, self._last_failure
        now, wall = self._clock(), self._wall_clock()
        age = held.age(now, wall) if held is not None else None
        waits = failure is not None and now < failure.retry_at < float("inf")
        return TokenState(
            age=age,
            expires_in=max(held.token.lifetime - age, 0.0) if held is not None and age is not None else None,
            last_refresh=self._last_refresh,
            last_failure=str(last.error) if last is not None else None,
            last_failure_at=last.at if last is not None else None,
            retry_at=self._utc(failure.retry_at - now) if failure is not None and waits else None,
        )

    def forget_parent(self) -> None:
        """Let go of the fetch that was under way, and of a lock that its thread may have held."""
        self._lock = threading.RLock()
        self._flight = None

    def _at_hand(self) -> Authorization | None:
        """Return the token at hand; if it is about to expire, a new one is on its way by then."""
        held = self._held
        if held is None:
            return None
        age = held.age(self._clock(), self._wall_clock())
        if age >= held.token.lifetime:
            return None
        if age >= held.refresh_after:
            self._flight_under_way()
        return held.authorization

    def _flight_under_way(self) -> _Flight | Authorization | _Failure:
        """Return the fetch to wait for, begun if there is none; or what another caller's has just ended in."""
        with self._lock:
            now, held = self._clock(), self._held
            if self._flight is not None and now < self._flight.ends_at:
                return self._flight
            if held is not None and held.age(now, self._wall_clock()) < held.refresh_after:
                return held.authorization
            if self._failure is not None and now < self._failure.retry_at:
                return self._failure
            lock_timeout = LOCK_TIMEOUT if self._flight is None else 0.0  # one that never ends holds the lock as well
            self._flight = _Flight(now + lock_timeout + self._endpoint.patience.deadline, lock_timeout)
            try:
                self._flight.begin(self._fly)
            except RuntimeError:  # Python's error for a thread that the system does not give
                self._flight = None
                return self._note(TokenUnavailableError("no token: no thread can be started to fetch one."))
            return self._flight

    def _fly(self, flight: _Flight) -> None:
        """Fetch, and tell those who wait. What happens is logged last: a handler may call the API itself."""
        began, invalid = self._clock(), self._invalid
        try:
            outcome = self._fetch(flight.lock_timeout)
        except TokenError as error:
            outcome = self._note(error)
        except BaseException as error:  # it must reach those who wait, and its traceback holds the secret
            outcome = self._note(TokenUnavailableError(f"no token: {type(error).__name__} while fetching one."))
        with self._lock:
            self._flight = None if self._flight is flight else self._flight
        flight.land(outcome)
        seconds = self._clock() - began
        if isinstance(outcome, Authorization):
            logger.info("a token for %.0f s came in %.3f s", self.state().expires_in or 0.0, seconds)
        elif invalid is None or outcome is not invalid[1]:  # what is remembered was logged before
            logger.warning("%s It took %.3f s.", outcome.error, seconds)
        problem = self._cache.take_problem()
        if problem is not None:
            logger.warning("%s", problem)

    def _fetch(self, lock_timeout: float) -> Authorization | _Failure:
        """Get a new token: the one that another process has put into the cache, or else one from the endpoint."""
        credentials = self._endpoint.credentials()
        key = cache_key(self._endpoint.url, credentials.client_id, credentials.secret)
        if self._invalid is not None and self._invalid[0] == key:
            return self._invalid[1]
        with self._cache.lock(key, lock_timeout):
            cached = self._cached(key)
            if cached is not None and self._age(cached) < refresh_after(cached.lifetime, self._draw()):
                return self._keep(cached)
            try:
                token = self._endpoint.fetch(credentials, self._wall_clock())
            except TokenError as error:
                if cached is not None:
                    self._keep(cached)
                failure = self._note(error)
                if isinstance(error, InvalidClientError):
                    self._invalid = key, failure
                return failure
            self._cache.store(key, token)
            return self._keep(token)

    def _cached(self, key: str) -> Token | None:
        """Return the token of the cache, if it is alive and none that is to be replaced."""
        token, unwanted = self._cache.load(key), [*self._rejected]
        if self._held is not None:
            unwanted.append(self._held.token)
        if token is None or token.access_token in {known.access_token for known in unwanted}:
            return None
        # One from the future says that the clock was put back: how old it is, nobody knows.
        return token if 0 <= self._age(token) < token.lifetime else None

    def _age(self, token: Token) -> float:
        return self._wall_clock() - token.issued_at

    def _keep(self, token: Token) -> Authorization:
        with self._lock:
            self._generation += 1
            authorization = Authorization(f"Bearer {token.access_token}", self._generation)
            born = self._clock() - max(self._age(token), 0.0)
            self._held = _Held(authorization, token, born, refresh_after(token.lifetime, self._draw()))
            self._failures, self._failure, self._last_refresh = 0, None, self._utc()
            return authorization

    def _note(self, error: TokenError) -> _Failure:
        """Remember a failure, without its traceback."""
        with self._lock:
            self._failures += 1
            pause = pause_after(self._failures, getattr(error, "retry_after", 0.0), self._draw())
            if isinstance(error, InvalidClientError):
                pause = 0.0 if self._endpoint.rotates else float("inf")  # until the secret changes
            self._failure = self._last_failure = _Failure(copy(error), self._clock() + pause, self._utc())
            return self._failure

    def _arrived(self, outcome: Authorization | _Failure | None, timeout: float) -> Authorization:
        """Return what a fetch gave; each caller raises an error of its own, since they add their own attempts to it."""
        if isinstance(outcome, Authorization):
            return outcome
        at_hand = self._at_hand()
        if at_hand is not None:
            return at_hand
        if outcome is None:
            late = TokenUnavailableError(
                f"no token: the token endpoint did not answer within {max(timeout, 0.0):.1f} s."
            )
            outcome = _Failure(late, self._clock(), self._utc())
        raise self._error(outcome)

    def _error(self, failure: _Failure) -> TokenError:
        """Return a failure as the error that one caller gets: with the time of the next try, and what to do."""
        error = copy(failure.error)
        if isinstance(error, TokenUnavailableError):
            error.retry_after = max(failure.retry_at - self._clock(), 0.0)
            error.retry_at = self._utc(error.retry_after)
            error.advice = f"{error.advice} The next try makes sense at {error.retry_at:%H:%M:%S} UTC."
        error.args = (f"{error} {error.advice}",)
        return error

    def _utc(self, later: float = 0.0) -> datetime:
        return datetime.fromtimestamp(self._wall_clock() + later, UTC)


def _settle(landed: "asyncio.Future[None]") -> None:
    if not landed.done():
        landed.set_result(None)
