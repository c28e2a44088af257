"""The only I/O, with `_async_http`: connections, requests, log records."""

import logging
import re
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from functools import cache, lru_cache
from typing import Any, TypedDict, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import finalize

import msgspec

from ._binding import Answer, Request, httpx
from ._forks import forget_after_fork
from ._pools import IDLE_SECONDS, GivenPool, OwnPool, Pool
from ._reading import Body

logger = logging.getLogger("redcloud_core.http")
logger.addHandler(logging.NullHandler())

MOST_AT_ONCE = 100
"""Requests under way at once in one process or in one event loop, each on a connection of its own."""

_PHONE_NUMBER = re.compile(r"\d(?:[\d().-]|%20|%28|%29){5,}\d")


class Wire(msgspec.Struct, frozen=True):
    """How the API is reached: what a pool of connections is made of."""

    base_url: str
    verify: ssl.SSLContext | bool
    proxy: str | None
    transport: Any = None

    def __repr__(self) -> str:
        return f"Wire({self.base_url!r})"  # a proxy's URL may hold a password


class Failure(msgspec.Struct, frozen=True):
    """What happened to an attempt instead of an answer."""

    reason: str
    unsent: bool
    """Whether provably nothing left."""
    status: int | None = None
    """The HTTP status, where only the body could not be read."""
    raw: bytes = b""
    """What was read of the body."""

    def __repr__(self) -> str:
        return f"Failure({self.reason!r}, unsent={self.unsent}, status={self.status})"


class Patience(msgspec.Struct, frozen=True):
    """How long things may take, in seconds."""

    connect: float = 5.0
    read: float = 30.0
    """How long no byte may come."""
    deadline: float = 45.0
    """How long a whole call may take."""


NO_CONNECTION = Failure("the deadline passed before a connection was free", unsent=True)


class Headers(dict[str, str]):
    """Headers that show only their names, since a traceback may show the values of variables."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"


_of_parents: list[object] = []
"""Pools of the processes that this one was forked from: their connections are the parent's to close."""


class Connections:
    """The connections of all threads of a process, made as they are needed; a fork makes its own."""

    def __init__(self, wire: Wire) -> None:
        """Reach the API as `wire` says."""
        self._wire = wire
        self._begin()
        forget_after_fork(self)

    def transmit(self, request: Request[Any], headers: Headers, patience: Patience, ends_at: float) -> Answer | Failure:
        """Make one attempt, as soon as fewer than `MOST_AT_ONCE` are under way.

        Args:
            request: What to send.
            headers: All headers, Authorization included.
            patience: How long things may take.
            ends_at: When to give up, by `time.monotonic`.

        Returns:
            The answer, read whole; or what happened instead.
        """
        if not self._permits.acquire(timeout=max(0, ends_at - time.monotonic())):
            return NO_CONNECTION
        try:
            return self.transmit_at_once(request, headers, patience, ends_at)
        finally:
            self._permits.release()

    def transmit_at_once(
        self, request: Request[Any], headers: Headers, patience: Patience, ends_at: float
    ) -> Answer | Failure:
        """Make one attempt, as `transmit` does, however many are under way: all of them may need this token."""
        body, connection, got = Body(ends_at), self._pool.take(), None
        try:
            got = connection.handle_request(http_request(self._wire, request, headers, patience, ends_at))
            with closing(got):  # W4
                if not body.begins(got):
                    for chunk in cast(httpx.SyncByteStream, got.stream):
                        if not body.takes(chunk):
                            break
        except httpx.RequestError as error:
            body.fails(error, patience.read)
        except BaseException as error:  # Ctrl-C, say
            raise bare(error) from None
        else:
            body.ends()
        finally:
            _close_all(self._pool.give(connection, usable=body.is_whole))
        return outcome_of(request, got, body)

    def close(self) -> None:
        """Close the connections."""
        self._end()

    def forget_parent(self) -> None:
        """Let go of the parent's connections, and of locks that one of its threads may have held."""
        _of_parents.append(self._end.detach())
        self._begin()

    def _begin(self) -> None:
        self._pool = _pool(self._wire)
        self._permits = threading.Semaphore(MOST_AT_ONCE)
        self._end = finalize(self, _end, self._pool)  # for those who do not close their client


def _pool(wire: Wire) -> Pool[httpx.BaseTransport]:
    if wire.transport is not None:
        return GivenPool(wire.transport)
    return OwnPool(lambda: httpx.HTTPTransport(**transport_options(wire)))


def _end(pool: Pool[httpx.BaseTransport]) -> None:
    _close_all(pool.drain())


def _close_all(connections: Iterable[httpx.BaseTransport]) -> None:
    for connection in connections:
        with suppress(Exception):  # nobody waits for it, and what was answered stays so
            connection.close()


def outcome_of(request: Request[Any], got: httpx.Response | None, body: Body) -> Answer | Failure:
    """Return what an attempt came to; of an error whose body was cut the status is enough."""
    status = got.status_code if got is not None else None
    seconds = time.monotonic() - body.began
    target = _PHONE_NUMBER.sub("#######", request.target)
    logger.info("%s %s %s in %.3f s", request.operation.method, target, status or body.problem, seconds)
    if got is not None and (body.problem is None or got.status_code >= 400):
        return Answer(got.status_code, {name.lower(): value for name, value in got.headers.items()}, body.content)
    return Failure(body.problem or "nothing came", unsent=body.unsent, status=status, raw=body.content)


def http_request(
    wire: Wire, request: Request[Any], headers: Headers, patience: Patience, ends_at: float
) -> httpx.Request:
    left = max(0.001, ends_at - time.monotonic())
    read, connect = min(patience.read, left), min(patience.connect, left)
    return httpx.Request(
        request.operation.method,
        _url(wire.base_url + request.target),
        headers=headers,
        content=request.content,
        extensions={"timeout": {"connect": connect, "read": read, "write": read, "pool": left}},
    )


_url = lru_cache(maxsize=128)(httpx.URL)  # most calls go to the same few


class _Options(TypedDict):
    verify: ssl.SSLContext
    proxy: str | None
    limits: httpx.Limits


def transport_options(wire: Wire) -> _Options:
    loopback = wire.base_url.lower().startswith("http://")
    return {
        # Loopback has no TLS, and reading the system's certificates would take longer than the first call.
        "verify": wire.verify if isinstance(wire.verify, ssl.SSLContext) else _context(not loopback and wire.verify),
        # or the secret would go in the clear to the proxy that the environment names
        "proxy": wire.proxy if wire.proxy or loopback else _proxy_of_environment(wire.base_url),
        "limits": httpx.Limits(max_connections=1, keepalive_expiry=IDLE_SECONDS),
    }


@cache
def _context(verify: bool) -> ssl.SSLContext:
    """Return one TLS context for all connections: making one takes longer than a call."""
    return httpx.create_ssl_context(verify=verify)


def _proxy_of_environment(base_url: str) -> str | None:
    """Return the proxy that the environment names for a URL, unless it says that there is none before this host."""
    parts, proxies = urlsplit(base_url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def bare(error: BaseException) -> BaseException:
    """Return an error without frames, and without what it was raised during: the HTTP library's hold the token."""
    error.__context__ = None
    return error.with_traceback(None)
