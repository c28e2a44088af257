"""The sandbox as a server: in the foreground for a process of its own, on a thread for the tests of one process."""

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine, Mapping
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Self

from .._contract import contract
from . import _seed
from ._app import create_app
from ._control import read_body, schema
from ._document import Document
from ._faults import Faults
from ._listener import Server, listen
from ._state import State

STARTUP_LIMIT = 30
"""How many seconds the server on a thread may take to start."""

NOT_RUNNING = "the sandbox does not run: use it as `with Sandbox() as sandbox: ...`"


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
        operations = Document(document or contract()).operations()
        self._state = State(clock)
        self._faults = Faults(operations)
        self._app = create_app(self._state, self._faults, operations)
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The base URL of the API, `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: The sandbox does not run.
        """
        if self._url is None:
            raise RuntimeError(NOT_RUNNING)
        return self._url

    def ledger(self) -> dict[str, Any]:
        """Tell what happened so far.

        Returns:
            `token_requests` and `sends`, as `schemas/ledger.json` describes them.
        """
        return self._state.ledger()

    def reset(self) -> None:
        """Make everything as it was at the start, without faults; tokens issued so far are refused."""
        self._state.reset()
        self.clear_faults()

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

    def forget_keys(self) -> None:
        """Take each idempotency key as new from now on, as the API does when its retention is over.

        The ledger forgets nothing: a message that is sent again under its key is there twice.
        """
        self._state.forget_keys()

    def add_fault(self, fault: Mapping[str, object]) -> None:
        """Make the API misbehave until `clear_faults()` or `reset()`.

        Args:
            fault: What to do to which requests, as `schemas/faults.json` describes it; for example
                `{"kind": "status", "operation": "sendMessage", "status": 503, "count": 2}`, or a script,
                `{"operation": "sendMessage", "script": [{"kind": "drop_after"}, {"kind": "none"}]}`. The kind `refuse`
                acts at once: no connection is open when this returns, and its seconds count from now even if
                connections are refused already.

        Raises:
            ValueError: The fault is not as described, or the document lacks its operation or a key for it.
            RuntimeError: The kind is `refuse`, and the sandbox does not run.
        """
        try:
            content = json.dumps(dict(fault)).encode()
        except (TypeError, RecursionError) as error:
            raise ValueError(f"The fault is not JSON: {error}.") from None
        checked = read_body("faults", content, "fault")
        if checked.get("kind") == "refuse":
            self._run(self._server_in_use().refuse(checked["seconds"]))
        else:
            self._faults.add(checked)

    def clear_faults(self) -> None:
        """End all faults; where connections are refused, they are accepted again when this returns."""
        self._faults.clear()
        if self._url is not None and self._server.refuses:
            self._run(self._server.accept())

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
        self._server = Server(self._app, started.set)
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

    def _server_in_use(self) -> Server:
        if self._url is None:
            raise RuntimeError(NOT_RUNNING)
        return self._server

    def _run(self, change: Coroutine[Any, Any, None]) -> None:
        """Have the server change on its own thread, and wait until it has."""
        asyncio.run_coroutine_threadsafe(change, self._server.loop).result()


def serve(listener: socket.socket) -> None:
    """Serve the API of `contract()` until a signal comes; the first line of output says where.

    Args:
        listener: A socket that accepts connections; it is closed at the end.
    """
    line = f"listening on {_url(listener)}"
    operations = Document(contract()).operations()
    app = create_app(State(), Faults(operations), operations)
    Server(app, lambda: print(line, flush=True)).run([listener])


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
