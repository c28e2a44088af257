"""The sandbox's own uvicorn: a fault can hold, cut and drop its connections, and have it refuse them for a while."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Never, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from uvicorn.protocols.http.h11_impl import H11Protocol

SHUTDOWN_GRACE = 1
"""How many seconds requests in flight are waited for when the server stops."""

BACKLOG = 2048
"""How many connections may wait until they are accepted."""


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Args:
        host: The address to bind.
        port: The port to bind, 0 for any free one.

    Returns:
        A socket that accepts connections.

    Raises:
        OSError: The address cannot be bound; `str()` is a sentence.
    """
    try:
        listener = _bind(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    listener.listen(BACKLOG)
    return listener


def _bind(family: int, address: Any) -> socket.socket:
    """Bind an address; until the socket listens, the kernel refuses connections to it."""
    bound = socket.socket(family)
    # What is left of earlier connections does not keep the port from being bound again.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it; asyncio sets it only on sockets that name their protocol. Without it the body
    # of an answer waits 40 ms for the acknowledgement of the head.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


class Connection(H11Protocol):
    """A connection that the application can hold, cut and drop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; uvicorn hands a copy of `app_state` to the application with each request."""
        super().connection_made(transport)
        self._lost = asyncio.Event()
        self._held = False
        self._stopping = False
        self.app_state = {**self.app_state, "connection": self}
        self._server = cast("Server", self.app_state["listener"])
        if self._server.refuses:  # it was accepted at the last moment
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._lost.set()

    async def hold(self, seconds: float | None = None) -> None:
        """Wait so long, but neither for a client that has gone nor beyond the server's end.

        Args:
            seconds: At the most; None for as long as the connection lasts.
        """
        self._held = True
        self._give_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        self._held = False

    async def delay(self, seconds: float) -> None:
        """Wait so long, whether or not the client is still there.

        Raises:
            ClientDisconnect: The server's end came first, and the connection is dropped.
        """
        if await self._server.ends_within(seconds):
            await self.drop()

    async def drop(self) -> Never:
        """End the connection at once.

        Raises:
            ClientDisconnect: Always: there is nobody to answer any more.
        """
        self.transport.abort()
        await self._lost.wait()  # from then on uvicorn throws away what the application still says
        raise ClientDisconnect

    async def cut(self) -> None:
        """End the connection when all that was written has left."""
        self.transport.close()
        await self.hold()

    def shutdown(self) -> None:
        """Begin the server's end; a client that is held up gets no answer any more."""
        super().shutdown()
        self._stopping = True
        self._give_up()

    def _give_up(self) -> None:
        if self._held and self._stopping:
            self.transport.abort()


class Server(uvicorn.Server):
    """A quiet uvicorn that tells when it accepts, and can refuse connections for a while."""

    loop: asyncio.AbstractEventLoop
    """The event loop that it runs in, once it accepts."""
    _listener: socket.socket

    def __init__(self, app: Starlette, on_started: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                loop="asyncio",  # another one may close a listener later than it is told
                lifespan="off",
                ws="none",
                access_log=False,
                log_config=None,
                log_level=None,
                timeout_graceful_shutdown=SHUTDOWN_GRACE,
            )
        )
        self._on_started = on_started
        self._changing = asyncio.Lock()
        self._ending = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._opening: asyncio.Task[None] | None = None

    @property
    def refuses(self) -> bool:
        """Whether connections are refused now."""
        return self._timer is not None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept on the one socket that is given."""
        (self._listener,) = sockets or []
        self.loop = asyncio.get_running_loop()
        self.lifespan.state["listener"] = self
        await super().startup(sockets)
        self._on_started()

    async def refuse(self, seconds: float, spared: Connection | None = None) -> None:
        """Refuse connections from now on, and end those that there are.

        Args:
            seconds: When to accept again, counted from now even if connections are refused already.
            spared: The connection that goes on.
        """
        async with self._changing:
            await self._settle()
            await self._close_listener()
            for connection in cast("set[Connection]", self.server_state.connections) - {spared}:
                connection.transport.abort()
            self._timer = self.loop.call_later(seconds, self._open)
            await asyncio.sleep(0)  # connections end in the next turn of the loop

    async def accept(self) -> None:
        """Accept connections again, if they are refused."""
        async with self._changing:
            if self.refuses:
                await self._settle()
                self._open()
            await self._settle()

    async def ends_within(self, seconds: float) -> bool:
        """Wait so long, or until the server's end begins; tell whether it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        return self._ending.is_set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, whether connections are refused or not."""
        self._ending.set()
        async with self._changing:
            await self._settle()
            await super().shutdown([self._listener])

    async def _settle(self) -> None:
        """Give up accepting again, or let it finish where it has begun."""
        if self._opening is not None:
            await self._opening
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _close_listener(self) -> None:
        """Close the listener, and hold its address with a socket that does not listen yet."""
        family, address = self._listener.family, self._listener.getsockname()
        self.loop.remove_reader(self._listener)
        await asyncio.sleep(0)  # asyncio would lose a connection that it accepts for a server that is closed
        for server in self.servers:
            server.close()
        self._listener.close()
        self._listener = _bind(family, address)

    def _open(self) -> None:
        self._timer = None
        self._opening = self.loop.create_task(super().startup([self._listener]))


def connection_of(request: Request) -> Connection:
    """Return the connection that a request came on."""
    return cast("Connection", request.scope["state"]["connection"])


def server_of(request: Request) -> Server:
    """Return the server that a request came to."""
    return cast("Server", request.scope["state"]["listener"])
