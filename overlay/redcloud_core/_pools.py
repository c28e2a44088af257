"""The connections that are in no use, kept for the next request.

Each is a transport of the HTTP library with one connection in it. The library's own pool looks through all of its
connections at every request, and for each idle one through all again: with fifty that is most of its time.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")

IDLE_SECONDS = 5.0
"""How long a connection in no use is kept; by then the server may have closed it."""


class OwnPool(Generic[T]):
    """Connections that the client makes as it needs them; the one that was used last is the first to be used again."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Make connections by `make`."""
        self._make = make
        self._lock = threading.Lock()
        self._idle: deque[tuple[float, T]] = deque()
        self._closed = False

    def take(self) -> T:
        """Return an idle connection, or a new one."""
        with self._lock:
            if self._idle:
                return self._idle.pop()[1]
        return self._make()

    def give(self, connection: T, *, usable: bool) -> Iterable[T]:
        """Keep a connection that is usable; return it otherwise, and all that were idle for too long."""
        now = time.monotonic()
        with self._lock:
            if usable and not self._closed:
                self._idle.append((now, connection))
                ended = []
            else:
                ended = [connection]
            while self._idle and self._idle[0][0] < now - IDLE_SECONDS:
                ended.append(self._idle.popleft()[1])
        return ended

    def drain(self) -> Iterable[T]:
        """Return all idle connections, and keep none from now on."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, deque()
        return [connection for _, connection in idle]


class GivenPool(Generic[T]):
    """The one transport that the caller gave, which has a pool of its own and serves all requests at once."""

    def __init__(self, transport: T) -> None:
        """Hand out `transport`."""
        self._transport = transport

    def take(self) -> T:
        """Return the transport."""
        return self._transport

    def give(self, connection: T, *, usable: bool) -> Iterable[T]:
        """Return nothing: it is closed with the client alone."""
        return ()

    def drain(self) -> Iterable[T]:
        """Return the transport."""
        return (self._transport,)


Pool: TypeAlias = OwnPool[T] | GivenPool[T]
"""Where requests take a connection from, and give it back."""
