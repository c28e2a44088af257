"""The sandbox as a server: in the foreground for a process of its own, on a thread for the tests of one process."""

import socket
from collections.abc import Callable, Mapping
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette

from .._contract import contract
from . import _seed
from ._app import create_app
from ._control import schema
from ._state import State

STARTUP_LIMIT = 30
"""How many seconds the server on a thread may take to start."""

SHUTDOWN_GRACE = 1
"""How many seconds requests in flight are waited for when the server stops."""


class Sandbox:
    """Run the CORE API on a thread, on a free port of the loopback interface.

    Use it as a context manager: the server accepts when the block begins, and is gone when it ends.
    """

    client_id: str = _seed.CLIENT_ID
    """The id of the API client that the sandbox knows."""
    client_secret: str = _seed.CLIENT_SECRET
    """The secret of that client."""

    def __init__(self, *, document: Mapping[str, Any] | None = None, clock: Callable[[], float] = monotonic) -> None:
        """Prepare a sandbox.

        Args:
            document: The API document to serve as plain data, by default the one that this SDK was made from.
            clock: Tells the time in seconds that tokens expire by; it must never go back.
        """
        self._state = State(clock)
        self._app = create_app(self._state, document or contract())
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The base URL of the API, `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: The sandbox does not run.
        """
        if self._url is None:
            raise RuntimeError("the sandbox does not run: use it as `with Sandbox() as sandbox: ...`")
        return self._url

    def ledger(self) -> dict[str, Any]:
        """Tell what happened so far.

        Returns:
            `token_requests` and `sends`, as `schemas/ledger.json` describes them.
        """
        return self._state.ledger()

    def reset(self) -> None:
        """Make everything as it was at the start; tokens issued so far are refused."""
        self._state.reset()

    def set_token_lifetime(self, seconds: float) -> None:
        """Set how long the tokens live that are issued from now on.

        Args:
            seconds: More than zero, a year at most; `expires_in` says it in whole seconds, rounded down.

        Raises:
            ValueError: The lifetime is out of range.
        """
        problem = schema("tokens").problem({"lifetime": seconds})
        if problem:
            raise ValueError(f"lifetime of tokens: {problem}")
        self._state.set_token_lifetime(seconds)

    def revoke_tokens(self) -> None:
        """Refuse all tokens issued so far."""
        self._state.revoke_tokens()

    def __enter__(self) -> Self:
        """Start the server.

        Raises:
            RuntimeError: The sandbox runs already, or it does not start.
        """
        if self._url is not None:
            raise RuntimeError("the sandbox runs already")
        listener = listen("127.0.0.1", 0)
        url = _url(listener)
        started = Event()
        self._server = _Server(self._app, started.set)
        self._thread = Thread(target=self._server.run, args=([listener],), name="redcloud-sandbox", daemon=True)
        self._thread.start()
        if not started.wait(STARTUP_LIMIT):
            raise RuntimeError(f"the sandbox did not start within {STARTUP_LIMIT} seconds")
        self._url = url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the server, and wait until it is gone."""
        self._server.should_exit = True
        self._thread.join()
        self._url = None


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
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python repeats the address in parentheses
        raise OSError(f"cannot listen on {host}:{port}: {reason}") from None
    # Accepted connections inherit it; asyncio sets it only on sockets that name their protocol. Without it the body
    # of an answer waits 40 ms for the acknowledgement of the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(listener: socket.socket) -> None:
    """Serve the API of `contract()` until a signal comes; the first line of output says where.

    Args:
        listener: A socket that accepts connections; it is closed at the end.
    """
    line = f"listening on {_url(listener)}"
    _Server(create_app(State(), contract()), lambda: print(line, flush=True)).run([listener])


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A quiet uvicorn that tells when it accepts."""

    def __init__(self, app: Starlette, on_started: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                access_log=False,
                log_config=None,
                log_level=None,
                timeout_graceful_shutdown=SHUTDOWN_GRACE,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()
