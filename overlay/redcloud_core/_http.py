"""The only I/O: connections, the tasks that requests run in, reading with a limit, log records."""

import asyncio
import logging
import os
import re
import ssl
import threading
import time
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from functools import cache, lru_cache
from typing import Any, TypedDict, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary, finalize

import attrs

from ._binding import Answer, Request, httpx
from ._forks import forget_after_fork

logger = logging.getLogger("redcloud_core.http")
logger.addHandler(logging.NullHandler())

MOST_BYTES = 8 * 1024 * 1024
"""Bytes that an answer may have after decompression."""

MOST_AT_ONCE = 100
"""Connections of one pool, and requests under way at once in one event loop."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

_ANY_ZLIB = 32 + zlib.MAX_WBITS  # with the head of gzip or of zlib

_PHONE_NUMBER = re.compile(r"\d(?:[\d().-]|%20|%28|%29){5,}\d")


@attrs.frozen
class Wire:
    """How the API is reached: what a pool of connections is made of."""

    base_url: str
    verify: ssl.SSLContext | bool
    proxy: str | None = attrs.field(repr=False)
    transport: Any = attrs.field(default=None, repr=False)


@attrs.frozen
class Failure:
    """What happened to an attempt instead of an answer."""

    reason: str
    unsent: bool
    """Whether provably nothing left."""
    status: int | None = None
    """The HTTP status, where only the body could not be read."""
    raw: bytes = attrs.field(default=b"", repr=False)
    """What was read of the body."""


@attrs.frozen
class Patience:
    """How long things may take, in seconds."""

    connect: float = 5.0
    read: float = 30.0
    """How long no byte may come."""
    deadline: float = 45.0
    """How long a whole call may take."""


class Headers(dict[str, str]):
    """Headers that show only their names, since a traceback may show the values of variables."""

    def __repr__(self) -> str:
        return f"Headers({', '.join(self)})"


_of_parents: list[object] = []
"""Pools of the processes that this one was forked from: a thread there may have held a lock that closing them takes."""


class Connections:
    """One pool for all threads of a process, made when it is first used; a fork makes its own."""

    def __init__(self, wire: Wire) -> None:
        """Reach the API as `wire` says."""
        self._wire = wire
        self._lock = threading.Lock()
        self._transport: httpx.BaseTransport | None = None
        self._end: finalize[[], Connections] | None = None
        forget_after_fork(self)

    def transmit(self, request: Request[Any], headers: Headers, patience: Patience, ends_at: float) -> Answer | Failure:
        """Make one attempt.

        Args:
            request: What to send.
            headers: All headers, Authorization included.
            patience: How long things may take.
            ends_at: When to give up, by `time.monotonic`.

        Returns:
            The answer, read whole; or what happened instead.
        """
        body, got = _Body(ends_at), None
        try:
            got = self._connected().handle_request(_http_request(self._wire, request, headers, patience, ends_at))
            with closing(got):
                if not body.begins(got):
                    for chunk in cast(httpx.SyncByteStream, got.stream):
                        if not body.takes(chunk):
                            break
        except httpx.RequestError as error:
            body.fails(error, patience)
        except BaseException as error:  # Ctrl-C, say
            raise _bare(error) from None
        return _outcome(request, got, body)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def forget_parent(self) -> None:
        """Let go of the parent's connections, and of a lock that one of its threads may have held."""
        self._lock = threading.Lock()
        self._transport = None
        if self._end is not None:
            _of_parents.append(self._end.detach())

    def _connected(self) -> httpx.BaseTransport:
        with self._lock:
            if self._transport is None:
                given = self._wire.transport
                self._transport = httpx.HTTPTransport(**_pool_options(self._wire)) if given is None else given
                self._end = finalize(self, self._transport.close)  # for those who do not close their client
            return self._transport


@attrs.define
class _Loop:
    """What an event loop has of its own: connections, permits, and the requests under way."""

    transport: httpx.AsyncBaseTransport
    permits: asyncio.Semaphore
    end: AsyncGenerator[None]
    tasks: "set[asyncio.Task[Answer | Failure]]" = attrs.field(factory=set["asyncio.Task[Answer | Failure]"])


class AsyncConnections:
    """One pool and one limit for each event loop, made when they are first used.

    A request runs in a task of its own that nothing of the caller's cancels, because the pool does not survive
    cancellation. So the request of a cancelled caller goes on.
    """

    def __init__(self, wire: Wire) -> None:
        """Reach the API as `wire` says."""
        self._wire = wire
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()

    async def transmit(
        self, request: Request[Any], headers: Headers, patience: Patience, ends_at: float
    ) -> Answer | Failure:
        """Make one attempt, as `Connections.transmit` does."""
        loop = await self._running_loop()
        try:
            async with asyncio.timeout(ends_at - time.monotonic()):
                await loop.permits.acquire()
        except TimeoutError:
            return Failure("the deadline passed before a connection was free", unsent=True)
        task = asyncio.create_task(self._attempt(loop.transport, request, headers, patience, ends_at))
        loop.tasks.add(task)
        task.add_done_callback(loop.tasks.discard)
        task.add_done_callback(lambda _: loop.permits.release())
        await asyncio.wait([task], timeout=ends_at - time.monotonic())
        return task.result() if task.done() else Failure("the deadline passed", unsent=False)

    async def aclose(self, timeout: float) -> None:  # noqa: ASYNC109
        """Wait for the requests under way in this event loop, then close its connections.

        Args:
            timeout: Seconds to wait at the most.
        """
        loop = self._loops.pop(asyncio.get_running_loop(), None)
        if loop is None:
            return
        if loop.tasks:
            await asyncio.wait(loop.tasks, timeout=timeout)
        await loop.end.aclose()

    async def _attempt(
        self,
        transport: httpx.AsyncBaseTransport,
        request: Request[Any],
        headers: Headers,
        patience: Patience,
        ends_at: float,
    ) -> Answer | Failure:
        body, got = _Body(ends_at), None
        try:
            sent = _http_request(self._wire, request, headers, patience, ends_at)
            got = await transport.handle_async_request(sent)
            async with aclosing(got):
                if not body.begins(got):
                    async for chunk in cast(httpx.AsyncByteStream, got.stream):
                        if not body.takes(chunk):
                            break
        except httpx.RequestError as error:
            body.fails(error, patience)
        except BaseException as error:
            raise _bare(error) from None
        return _outcome(request, got, body)

    async def _running_loop(self) -> _Loop:
        running = asyncio.get_running_loop()
        if running not in self._loops:
            for loop in [known() for known in self._loops.keyrefs()]:  # a copy: those of other threads come and go
                if loop is not None and loop.is_closed():
                    self._loops.pop(loop, None)
            given = self._wire.transport
            transport = httpx.AsyncHTTPTransport(**_pool_options(self._wire)) if given is None else given
            self._loops[running] = _Loop(transport, asyncio.Semaphore(MOST_AT_ONCE), _closing(transport))
            await anext(self._loops[running].end)
        return self._loops[running]


async def _closing(transport: httpx.AsyncBaseTransport) -> AsyncGenerator[None]:
    """Close a transport when its loop ends: `asyncio.run` then closes the asynchronous generators that have begun."""
    try:
        yield
    finally:
        await transport.aclose()


class _Body:
    """A body as it is read, against a limit of bytes and a clock."""

    def __init__(self, ends_at: float) -> None:
        self.began = time.monotonic()
        self.problem: str | None = None
        self.unsent = False
        self._ends_at = ends_at
        self._inflater: Any = None
        self._content = bytearray()

    @property
    def content(self) -> bytes:
        """What has been read."""
        return bytes(self._content)

    def begins(self, got: httpx.Response) -> bool:
        """Note how the body is compressed; tell whether it is whole already, as transports for tests give it.

        It is inflated here and not by the HTTP library, because a small body may hold a huge one.
        """
        if got.is_stream_consumed:
            self.takes(got.content)
            return True
        encoding = got.headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            self._inflater = zlib.decompressobj(_ANY_ZLIB)
        elif encoding != "identity":
            self.problem = "the body is compressed in a way that was not asked for"
        return self.problem is not None

    def takes(self, chunk: bytes) -> bool:
        """Add a chunk; tell whether to go on reading."""
        try:
            inflated = chunk if self._inflater is None else self._inflater.decompress(chunk, self._room)
        except zlib.error:
            self.problem = "the compressed body is damaged"
            return False
        self._content += inflated
        if self._room <= 0:
            self.problem = f"the body is over {MOST_BYTES // 1024 // 1024} MiB"
        elif time.monotonic() > self._ends_at:
            self.problem = "the deadline passed while the body was read"
        return self.problem is None

    def ends(self) -> None:
        """Note that nothing more comes; a compressed body may be cut all the same."""
        if self.problem is None and self._inflater is not None and not self._inflater.eof:
            self.problem = "the compressed body is cut"

    def fails(self, error: httpx.RequestError, patience: Patience) -> None:
        """Note that the HTTP library gave up, in words that hold nothing of the request."""
        self.unsent = isinstance(error, _UNSENT)
        if isinstance(error, httpx.ReadTimeout) and time.monotonic() < self._ends_at:
            self.problem = f"no byte came for {patience.read:g} s (ReadTimeout)"
        elif isinstance(error, httpx.TimeoutException) and time.monotonic() >= self._ends_at:
            self.problem = f"the deadline passed ({type(error).__name__})"
        else:
            self.problem = " ".join([type(error).__name__, *_system_errors(error)])

    @property
    def _room(self) -> int:
        return MOST_BYTES + 1 - len(self._content)


def _outcome(request: Request[Any], got: httpx.Response | None, body: _Body) -> Answer | Failure:
    """Return what an attempt came to; of an error whose body was cut the status is enough."""
    body.ends()
    status = got.status_code if got is not None else None
    seconds = time.monotonic() - body.began
    target = _PHONE_NUMBER.sub("#######", request.target)
    logger.info("%s %s %s in %.3f s", request.operation.method, target, status or body.problem, seconds)
    if got is not None and (body.problem is None or got.status_code >= 400):
        return Answer(got.status_code, {name.lower(): value for name, value in got.headers.items()}, body.content)
    return Failure(body.problem or "nothing came", unsent=body.unsent, status=status, raw=body.content)


def _http_request(
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


class _PoolOptions(TypedDict):
    verify: ssl.SSLContext | bool
    proxy: str | None
    limits: httpx.Limits


def _pool_options(wire: Wire) -> _PoolOptions:
    loopback = wire.base_url.lower().startswith("http://")
    return {
        # Loopback has no TLS, and making a context would take longer than the first call.
        "verify": False if loopback else _default_context() if wire.verify is True else wire.verify,
        # or the secret would go in the clear to the proxy that the environment names
        "proxy": wire.proxy if wire.proxy or loopback else _proxy_of_environment(wire.base_url),
        "limits": httpx.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=MOST_AT_ONCE),
    }


def _proxy_of_environment(base_url: str) -> str | None:
    """Return the proxy that the environment names for a URL, unless it says that there is none before this host."""
    parts, proxies = urlsplit(base_url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@cache
def _default_context() -> ssl.SSLContext:
    """Return one TLS context for all pools: making one takes longer than a call."""
    return httpx.create_ssl_context()


def _bare(error: BaseException) -> BaseException:
    """Return an error without frames, and without what it was raised during: the HTTP library's hold the token."""
    error.__context__ = None
    return error.with_traceback(None)


def _system_errors(error: BaseException | None) -> Iterator[str]:
    """Yield what the system said, of the causes of an error: their texts hold nothing of the request."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            yield f"({getattr(error, 'verify_message', '') or error.reason or 'TLS failed'})"
            return
        if isinstance(error, OSError) and error.strerror:
            number = error.errno or 0
            text = os.strerror(number) if number > 0 else error.strerror  # asyncio puts addresses into its own
            yield f"(errno {number}: {text})"
            return
        error = error.__cause__ or error.__context__
