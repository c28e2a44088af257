"""Servers and clients that the tests of the overlay share: the sandbox, and one whose every answer is scripted."""

import asyncio
import gzip
import inspect
import json
import os
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from redcloud_core import AsyncRedCloud, RedCloud, contract
from redcloud_core.sandbox import Sandbox

TOKEN = "/api/auth/token"
SMS: dict[str, Any] = {
    "sendFrom": "num_abc123",
    "to": ["+15551230001"],
    "messageType": "SMS",
    "text": "Hello from Red Cloud",
    "externalReference": "order_789",
}


@dataclass
class Script:
    """One answer of the scripted server, or what it does instead of one."""

    status: int = 200
    body: Any = b"{}"
    """Bytes as they are; anything else as JSON."""
    headers: dict[str, str] = field(default_factory=dict)
    fault: str | None = None
    """`reset` or `end` the connection, `hang`, `cut` the body, `drip` it for ever, `crawl` through heads."""
    hold: threading.Event | None = None
    """Answer when it is set."""

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Seen:
    """A request as the server saw it."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int

    def header(self, name: str) -> str | None:
        """The value of a header that is there once; None if it is not there."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1
        return values[0] if values else None


class ScriptedServer:
    """An HTTP server on loopback. The last answer of a path's script is repeated.

    Tokens `tok_1`, `tok_2`, ... are given unless scripted, to live for `token_lifetime`, once `token_hold` is set.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.closing = threading.Event()
        self.token_lifetime: object = 3600
        self.token_hold: threading.Event | None = None
        self._scripts: dict[str, list[Script]] = defaultdict(list)
        self._lock = threading.Lock()
        self._tokens = 0
        self._sockets: set[socket.socket] = set()
        self._http = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, path: str, *scripts: Script) -> None:
        """Replace the script of a path."""
        with self._lock:
            self._scripts[path] = list(scripts)

    def requests(self, path: str) -> list[Seen]:
        """The requests for a path, oldest first."""
        with self._lock:
            return [seen for seen in self.seen if seen.path == path]

    @property
    def api_requests(self) -> list[Seen]:
        """The requests for anything but a token."""
        with self._lock:
            return [seen for seen in self.seen if seen.path != TOKEN]

    @property
    def token_requests(self) -> int:
        """How often a token was asked for."""
        return len(self.requests(TOKEN))

    def take(self, seen: Seen) -> Script:
        """Note a request and give what it is to be answered."""
        with self._lock:
            self.seen.append(seen)
            scripts = self._scripts[seen.path]
            if not scripts and seen.path == TOKEN:
                self._tokens += 1
                body = {"access_token": f"tok_{self._tokens}", "expires_in": self.token_lifetime}
                return Script(200, body, hold=self.token_hold)
            return (scripts.pop(0) if len(scripts) > 1 else scripts[0]) if scripts else Script(404, b"not scripted")

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        with self._lock:
            return len(self._sockets)

    def connected(self, connection: socket.socket) -> int:
        """Note a connection and give its number."""
        with self._lock:
            self.connections += 1
            self._sockets.add(connection)
            return self.connections

    def disconnected(self, connection: socket.socket) -> None:
        """Note that a connection is over."""
        with self._lock:
            self._sockets.discard(connection)

    def close(self) -> None:
        """End all connections and threads."""
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that went away."""


def _handler_of(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def setup(self) -> None:
            super().setup()
            self.number = server.connected(self.connection)

        def finish(self) -> None:
            server.disconnected(self.connection)
            super().finish()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen = Seen(self.command, self.path, list(self.headers.items()), body, self.number)
            script = server.take(seen)
            if script.hold is not None:
                _wait_for_either(script.hold, server.closing)
            if script.fault == "hang":
                server.closing.wait(30)
            if script.fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())
            if script.fault == "crawl":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                self.trickle(b"X-More: heads\r\n")
            if script.fault in ("reset", "hang", "end", "crawl"):
                self.close_connection = True
            else:
                self.say(script)

        def say(self, script: Script) -> None:
            content = script.content
            self.send_response(script.status)
            kind = "application/json" if not isinstance(script.body, bytes) or content[:1] in b"{[" else "text/html"
            for name, value in {"Content-Type": kind, **script.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + (1000 if script.fault else 0)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
            if script.fault is not None:
                self.close_connection = True
            if script.fault == "drip":
                self.trickle(b" ")

        def trickle(self, content: bytes) -> None:
            while not server.closing.wait(0.02):
                self.wfile.write(content)
                self.wfile.flush()

        do_GET = do_POST = do_PATCH = answer

    return Handler


def _wait_for_either(first: threading.Event, second: threading.Event) -> None:
    while not first.wait(0.01) and not second.is_set():
        pass


class Driven:
    """A client of either kind, called the same way: what is a coroutine is run to its end in one event loop."""

    def __init__(self, client: RedCloud | AsyncRedCloud, runner: "asyncio.Runner | None") -> None:
        self.client = client
        self.runner = runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)

        def call(*arguments: Any, **keywords: Any) -> Any:
            result = found(*arguments, **keywords)
            if inspect.iscoroutine(result):
                return cast("asyncio.Runner", self.runner).run(result)
            return Driven(result, self.runner) if isinstance(result, RedCloud | AsyncRedCloud) else result

        return call

    def close(self) -> None:
        """Close the client, whichever it is."""
        if isinstance(self.client, RedCloud):
            self.client.close()
        else:
            cast("asyncio.Runner", self.runner).run(self.client.aclose())


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One sandbox for a whole run."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Sandbox:
    """The CORE API as it is at the start."""
    sandbox_server.reset()
    return sandbox_server


@pytest.fixture
def credentials(sandbox_server: Sandbox) -> dict[str, str]:
    """What the sandbox takes for a token."""
    return {"client_id": sandbox_server.client_id, "client_secret": sandbox_server.client_secret}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server whose answers a test scripts."""
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


@pytest.fixture
def script() -> type[Script]:
    """Makes one scripted answer."""
    return Script


@pytest.fixture
def sms() -> dict[str, Any]:
    """The fields of a message that the sandbox accepts."""
    return {**SMS, "to": list(SMS["to"])}


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two clients is used."""
    return cast("str", request.param)


@pytest.fixture
def connect(kind: str) -> Iterator[Callable[..., Driven]]:
    """Makes clients of either kind, and closes them."""
    runner = asyncio.Runner() if kind == "async" else None
    made: list[Driven] = []

    def make(url: str, **settings: Any) -> Driven:
        settings = {"client_id": "rc_test_client_123", "client_secret": "rc_secret_abc123", **settings}
        client = RedCloud(url, **settings) if runner is None else AsyncRedCloud(url, **settings)
        made.append(Driven(client, runner))
        return made[-1]

    yield make
    for driven in made:
        driven.close()
    if runner is not None:
        runner.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is so, at the most five seconds."""

    def wait(is_so: Callable[[], bool]) -> None:
        ends_at = time.monotonic() + 5
        while not is_so():
            assert time.monotonic() < ends_at, "it did not come to be so within 5 s"
            time.sleep(0.005)

    return wait


@pytest.fixture(scope="session")
def bomb() -> bytes:
    """50 MB of blanks in a few bytes of gzip."""
    return gzip.compress(b" " * 50_000_000, 9)


@pytest.fixture(scope="session")
def unused_url() -> Iterator[str]:
    """A URL at which nothing listens; its port is held, so that nobody else gets it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def _calls() -> list[tuple[str, str, dict[str, Any]]]:
    """Each operation of the document as (path, method, keywords)."""
    return [
        ("/api/core/whoami", "whoami", {}),
        ("/api/core/numbers", "list_numbers", {}),
        ("/api/core/numbers/search", "search_numbers", {"npa": "555"}),
        ("/api/core/numbers/num_abc123", "update_number", {"numberId": "num_abc123", "smsEnabled": True}),
        ("/api/core/messages/send", "send_message", {**SMS, "idempotency_key": "idem_order_789"}),
    ]


def documented_errors() -> list[Any]:
    """Every example error of every operation but the token's, as parameters (method, keywords, path, status, body)."""
    document = contract()
    found = []
    for path, method, keywords in _calls():
        template = path.replace("num_abc123", "{numberId}")
        for operation in document["paths"][template].values():
            if not isinstance(operation, dict):
                continue
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    continue
                for name, example in _examples(document, answer):
                    case = (method, keywords, path, int(status), example)
                    found.append(pytest.param(case, id=f"{method}-{status}-{name}"))
    return found


def _examples(document: dict[str, Any], answer: dict[str, Any]) -> list[tuple[str, Any]]:
    answer = _resolved(document, answer)
    examples = answer["content"]["application/json"]["examples"]
    return [(name, _resolved(document, example)["value"]) for name, example in examples.items()]


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the documented errors and the operations to the tests that ask for them."""
    if "documented_error" in metafunc.fixturenames:
        metafunc.parametrize("documented_error", documented_errors())
    if "documented_call" in metafunc.fixturenames:
        metafunc.parametrize("documented_call", [pytest.param(call, id=call[1]) for call in _calls()])
