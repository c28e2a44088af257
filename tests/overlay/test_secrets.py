"""Secrets and tokens show nowhere: in no repr, log, error, traceback with locals, pickle, file name or stderr."""

import asyncio
import contextlib
import copy
import inspect
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest

from redcloud_core import AsyncRedCloud, FileTokenCache, MemoryTokenCache, RedCloud, RedCloudError, TokenError, contract
from redcloud_core._auth import Authorization
from redcloud_core._secrets import Secret
from redcloud_core._token_cache import Token
from redcloud_core_client.http_library import httpx

TOKEN, WHOAMI, SEND = "/api/auth/token", "/api/core/whoami", "/api/core/messages/send"
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]

CLIENT_ID = "rc_test_client_123"
SECRET = "s3cr3t/+ &%ü"
ACCESS = "t0k3n/a+b~c=%2F="
CORES = ("s3cr3t", "t0k3n")
"""How each canary begins, in every spelling but base64 and hex."""

QUOTED = quote(SECRET, safe="")
BASIC = b64encode(f"{quote(CLIENT_ID, safe='')}:{QUOTED}".encode()).decode()
FORM = urlencode({"client_id": CLIENT_ID, "client_secret": SECRET})
SPELLINGS = (
    SECRET,
    QUOTED,
    QUOTED.lower(),
    quote(QUOTED),
    quote_plus(SECRET),
    quote(SECRET),
    escape(SECRET),
    BASIC,
    FORM,
)

GOOD = {"access_token": ACCESS, "expires_in": 3600}
CORE = {"error": {"code": "FORBIDDEN", "message": "no", "details": {}}}
ECHO = " ".join(SPELLINGS)
"""What a server says that repeats all that it was told."""


def _needles() -> Iterator[str]:
    for core in CORES:
        yield core
        yield core.encode().hex()
        for shift in range(3):  # base64 spells a text in three ways, by where it begins
            encoded = b64encode(b"\0" * shift + core.encode()).decode()
            yield encoded[(shift * 8 + 5) // 6 : (shift + len(core)) * 8 // 6]


NEEDLES = tuple(_needles())


def found_in(text: str | bytes) -> list[str]:
    """Give the canaries that a text holds, in any spelling."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    return [needle for needle in NEEDLES if needle in text]


def below_the_tests(found: TracebackType | None) -> TracebackType | None:
    """Leave out the first frames, which are the test's own and hold what it planted."""
    while found is not None and Path(found.tb_frame.f_code.co_filename).parent == Path(__file__).parent:
        found = found.tb_next
    return found


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and all that it was raised from or during, shown or not."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def rendered(error: BaseException) -> str:
    """Give a traceback with the variables of all frames, as error reporters do, of the whole chain."""
    texts = [
        "".join(traceback.TracebackException(type(each), each, below, capture_locals=True).format(chain=False))
        for each in chain(error)
        for below in [below_the_tests(each.__traceback__)]
    ]
    return "\n".join(texts)


def insides(value: object, place: str = "it", depth: int = 4) -> Iterator[tuple[str, object]]:
    """Give an object and all that its attributes and members hold, to a depth, each with its place.

    What a closure holds is not followed: there the secret lives. Nor are the two attributes by which a token is read.
    """
    yield place, value
    if depth == 0 or isinstance(value, type | threading.Thread) or inspect.isroutine(value) or inspect.ismodule(value):
        return
    for name, held in attributes(value).items():
        if (type(value), name) not in {(Token, "access_token"), (Authorization, "header")}:
            yield from insides(held, f"{place}.{name}", depth - 1)
    members = list(value) if isinstance(value, list | tuple | set | frozenset | dict) else []
    for member in members + (list(value.values()) if isinstance(value, dict) else []):
        yield from insides(member, f"{place}[...]", depth - 1)


def attributes(value: object) -> dict[str, Any]:
    """Give what an object holds in its dictionary and in its slots."""
    slots = [name for kind in type(value).__mro__ for name in vars(kind).get("__slots__", ()) if name != "__weakref__"]
    in_slots = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    special = {name: getattr(value, name, None) for name in ("args", "__notes__", "__cause__", "__context__")}
    return {**in_slots, **getattr(value, "__dict__", {}), **(special if isinstance(value, BaseException) else {})}


def shown_by(value: object) -> Iterator[tuple[str, str | bytes]]:
    """Give all texts and bytes that an object shows of itself, each with its place."""
    for place, inside in insides(value):
        for show in (repr, str, format, ascii):
            yield f"{show.__name__}({place})", show(inside)
    if isinstance(value, BaseException):
        yield "its traceback", rendered(value)
        with contextlib.suppress(TypeError):
            yield "its pickle", pickle.dumps(value)


class Overheard(logging.Handler):
    """All log records of a process, with all that belongs to them, as texts."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []
        self.loggers: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as texts."""
        self.loggers.add(record.name.partition(".")[0])
        self.texts += [record.getMessage(), repr(vars(record)), self.format(record)]
        if record.exc_info and record.exc_info[1]:
            self.texts.append(rendered(record.exc_info[1]))


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Overheard]:
    """Listens to every logger at DEBUG, while asyncio is in its debug mode."""
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    monkeypatch.setattr(logging.getLogger("asyncio"), "level", logging.DEBUG)
    handler, root = Overheard(), logging.getLogger()
    monkeypatch.setattr(root, "level", logging.DEBUG)
    logging.getLogger("asyncio").manager._clear_cache()  # type: ignore[attr-defined]
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    logging.getLogger("asyncio").manager._clear_cache()  # type: ignore[attr-defined]


@pytest.fixture
def quiet(overheard: Overheard, capfd: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Checks that neither some objects nor anything that was logged or printed so far show a canary."""

    def check(*values: object) -> None:
        for value in values:
            assert {place for place, text in shown_by(value) if found_in(text)} == set()
        for text in [*overheard.texts, *capfd.readouterr()]:
            assert found_in(text) == [], text[:2000]

    return check


@pytest.fixture
def plant(overheard: Overheard, connect: Any) -> Callable[..., Any]:
    """Makes clients that hold the canaries, hasty ones, whose event loop logs every callback."""

    def make(url: str, **settings: Any) -> Any:
        settings = {"client_secret": SECRET, "timeout": 0.2, "deadline": 0.4, "attempts": 1, **settings}
        driven = connect(url, client_id=CLIENT_ID, **settings)
        if driven.runner is not None:
            driven.runner.get_loop().slow_callback_duration = 0.0
        return driven

    return make


def failure_of(call: Callable[..., object], *arguments: Any, **keywords: Any) -> Exception:
    """Give the exception that a call ends in."""
    try:
        call(*arguments, **keywords)
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def raising(error: BaseException) -> Callable[[], str]:
    """Make a function that raises; its frame holds the secret."""

    def client_secret() -> str:
        planted = SECRET
        raise error if planted else ValueError

    return client_secret


@pytest.mark.parametrize(
    "spelling", [*SPELLINGS, ACCESS, quote(ACCESS, safe=""), repr(SECRET.encode()), json.dumps(SECRET)]
)
def test_the_hunt_finds_every_spelling(spelling: str) -> None:
    """Each spelling of a canary is found in a text, in its bytes, and in the base64 of either."""
    assert found_in(f"before {spelling} after")
    assert found_in(repr(f"before {spelling} after".encode()))
    assert spelling == BASIC or all(found_in(b64encode(b"x" * shift + spelling.encode())) for shift in range(3))


# Objects


@pytest.mark.parametrize("cache", [None, MemoryTokenCache(), "file"])
def test_client(plant: Any, server: Any, script: Any, quiet: Any, cache: Any, tmp_path: Path) -> None:
    """A client that has called shows neither secret nor token, however deep one looks; nor does its token's state."""
    server.answer(TOKEN, script(body=GOOD))
    server.answer(WHOAMI, script(401, CORE), script(body=WHOAMI_BODY))
    given = FileTokenCache(tmp_path / "tokens") if cache == "file" else cache
    driven = plant(server.url, **({"token_cache": given} if given else {}))
    driven.whoami()
    assert server.token_requests == 2
    client = driven.client
    quiet(client, client.with_options(timeout=1), client.token_state(), vars(client), given)
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied or pickled") as caught:
            copying(client)
        quiet(caught.value)
    assert not found_in(pickle.dumps(client.token_state()))


@pytest.mark.parametrize(
    "make", [lambda: Secret(SECRET), lambda: Token(ACCESS, 1.0, 1.0), lambda: Authorization(f"Bearer {ACCESS}", 1)]
)
def test_holders(make: Callable[[], object], quiet: Any) -> None:
    """What holds a secret or a token shows nothing of it, and cannot be copied or pickled, alone or inside others."""
    holder = make()
    quiet(holder, [holder], {"holder": holder})
    assert found_in(getattr(holder, "reveal", lambda: repr(attributes(holder)))())
    for copying in (copy.copy, copy.deepcopy, lambda each: copy.deepcopy([each]), pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied or pickled") as caught:
            copying(holder)
        quiet(caught.value)


# Calls that work


def test_success(plant: Any, server: Any, script: Any, quiet: Any, overheard: Overheard, kind: str, sms: Any) -> None:
    """With all loggers at DEBUG a call that works logs neither the secret nor the token."""
    server.answer(TOKEN, script(body=GOOD))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    server.answer(SEND, script(202, {"results": [], "errors": []}))
    driven = plant(server.url)
    quiet(driven.whoami(), driven.send_message(**sms, idempotency_key="idem_1"))
    assert overheard.loggers >= {"redcloud_core", "httpcore"} | ({"asyncio"} if kind == "async" else set())
    assert "httpx" not in overheard.loggers  # it would log whole URLs
    assert server.requests(WHOAMI)[0].header("Authorization") == f"Bearer {ACCESS}"


def test_form(plant: Any, server: Any, script: Any, quiet: Any) -> None:
    """A secret that travels in the form shows as little, whether the token is given or refused."""
    server.answer(TOKEN, script(body=GOOD), script(401, {"error": "invalid_client", "error_description": ECHO}))
    server.answer(WHOAMI, script(401, CORE))
    driven = plant(server.url, token_endpoint_auth_method="client_secret_post")
    quiet(failure_of(driven.whoami), driven.client)
    assert all(FORM.partition("client_secret")[2] in seen.body.decode() for seen in server.requests(TOKEN))
    assert server.token_requests == 2


def test_file_cache(plant: Any, server: Any, script: Any, quiet: Any, overheard: Overheard, tmp_path: Path) -> None:
    """Neither the cache file nor what lies beside it has a telling name, and none holds the secret."""
    server.answer(TOKEN, script(body=GOOD))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    plant(server.url, token_cache=FileTokenCache(tmp_path / "tokens")).whoami()
    quiet()
    assert "filelock" in overheard.loggers
    names = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert "tokens" in names
    assert not found_in("".join(names))
    assert {needle for text in names.values() for needle in found_in(text)} == {"t0k3n"}


class Recording(httpx.HTTPTransport):
    """A transport that notes which paths pass through it."""

    def __init__(self) -> None:
        super().__init__(verify=False)
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Note a request, and send it."""
        self.paths.append(request.url.path)
        return super().handle_request(request)


class AsyncRecording(httpx.AsyncHTTPTransport):
    """The same for asyncio."""

    def __init__(self) -> None:
        super().__init__(verify=False)
        self.paths: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Note a request, and send it."""
        self.paths.append(request.url.path)
        return await super().handle_async_request(request)


def test_transports_are_apart(plant: Any, server: Any, script: Any, quiet: Any, kind: str) -> None:
    """With `token_transport` the transport of the API never sees a request for a token, nor the other way round."""
    server.answer(TOKEN, script(body=GOOD))
    server.answer(WHOAMI, script(401, CORE), script(body=WHOAMI_BODY))
    of_api, of_tokens = Recording() if kind == "sync" else AsyncRecording(), Recording()
    plant(server.url, transport=of_api, token_transport=of_tokens).whoami()
    assert (of_api.paths, of_tokens.paths) == ([WHOAMI] * 2, [TOKEN] * 2)
    quiet()


# Calls that fail

_NO_TOKEN: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "body": {"error": "invalid_client", "error_description": ECHO}},
    "401-code": {"status": 401, "body": {"error": ECHO, "error_description": 7}},
    "400": {"status": 400, "body": {"error": "invalid_request", "error_description": ECHO}},
    "500": {"status": 500, "body": {"error": "server_error", "error_description": ECHO}},
    "503-html": {"status": 503, "body": f"<html>{ECHO}".encode()},
    "302": {"status": 302, "body": ECHO.encode(), "headers": {"Location": "/elsewhere"}},
    "html": {"body": f"<html>{ECHO}".encode()},
    "no-token": {"body": {"error": ECHO, "refresh_token": ACCESS}},
    "crlf": {"body": {"access_token": f"{ACCESS}\r\nX-Evil: {ACCESS}"}},
    "mac": {"body": {"access_token": ACCESS, "token_type": ECHO}},
    "reset": {"fault": "reset"},
    "hang": {"fault": "hang"},
    "crawl": {"fault": "crawl"},
    "cut": {"body": GOOD, "fault": "cut"},
    "huge": {"body": json.dumps(GOOD).encode() + b" " * 9_000_000},
    "garbage": {"body": GOOD, "headers": {"X Odd": "name"}},
    "not-gzip": {"body": GOOD, "headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.parametrize("answer", _NO_TOKEN.values(), ids=_NO_TOKEN)
def test_no_token(plant: Any, server: Any, script: Any, quiet: Any, answer: dict[str, Any]) -> None:
    """Whatever the token operation does instead of giving a token, and whatever it repeats, nothing shows a canary."""
    server.answer(TOKEN, script(**answer))
    driven = plant(server.url)
    error = failure_of(driven.whoami)
    assert isinstance(error, TokenError)
    quiet(error, driven.client, driven.client.token_state())
    assert {seen.path for seen in server.seen} == {TOKEN}


def test_no_connection(plant: Any, unused_url: str, quiet: Any) -> None:
    """Where nothing listens, neither error nor log show a canary."""
    driven = plant(unused_url)
    quiet(failure_of(driven.whoami), driven.client.token_state())


@pytest.mark.parametrize(
    "client_secret",
    [
        raising(OSError(f"cannot read {SECRET}")),
        raising(ValueError(SECRET, ACCESS)),
        raising(SystemExit(SECRET)),
        raising(asyncio.CancelledError(SECRET)),
        lambda: f"{SECRET}\n",
        SECRET.encode,
        lambda: f"{SECRET}\ud800",
    ],
    ids=["os-error", "value-error", "exit", "cancelled", "newline", "bytes", "surrogate"],
)
def test_secret_function_that_fails(plant: Any, server: Any, quiet: Any, client_secret: Any) -> None:
    """What a secret's function raises, or returns instead of a secret, is told without its words."""
    driven = plant(server.url, client_secret=client_secret)
    error = failure_of(driven.whoami)
    assert isinstance(error, TokenError)
    quiet(error, driven.client.token_state())
    assert server.seen == []


_NO_ANSWER: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "body": CORE},
    "403": {"status": 403, "body": CORE},
    "500": {"status": 500, "body": CORE},
    "302": {"status": 302, "headers": {"Location": "/elsewhere"}},
    "reset": {"fault": "reset"},
    "hang": {"fault": "hang"},
    "cut": {"body": WHOAMI_BODY, "fault": "cut"},
    "html": {"body": b"<html>"},
    "huge": {"body": b" " * 9_000_000},
    "garbage": {"headers": {"X Odd": "name"}},
    "not-gzip": {"headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.parametrize("answer", _NO_ANSWER.values(), ids=_NO_ANSWER)
def test_no_answer(plant: Any, server: Any, script: Any, quiet: Any, sms: Any, answer: dict[str, Any]) -> None:
    """An API call that fails after a token was had shows no canary; its error leads to nothing of the HTTP library."""
    server.answer(TOKEN, script(body=GOOD))
    server.answer(WHOAMI, script(**answer))
    server.answer(SEND, script(**answer))
    driven = plant(server.url)
    for call in (driven.whoami, lambda: driven.send_message(**sms, idempotency_key="idem_1")):
        error = failure_of(call)
        assert isinstance(error, RedCloudError)
        quiet(error)
        assert not [place for place, inside in insides(error) if type(inside).__module__.startswith(("http", "h11"))]
    assert {seen.path for seen in server.seen} == {TOKEN, WHOAMI, SEND}


class Broken(httpx.BaseTransport):
    """A transport with an error in it: its frames hold all that it was given."""

    def __init__(self, path: str) -> None:
        self._path = path

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Fail for one path, and give a token for the other."""
        planted = [request.headers["authorization"], request.read()]
        try:
            return {self._path: []}[request.url.path][len(planted)]
        except IndexError as error:
            error.add_note(SECRET)
            raise RuntimeError("broken")  # noqa: B904 - the context is the point
        except KeyError:
            return httpx.Response(200, json=GOOD)


class AsyncBroken(httpx.AsyncBaseTransport, Broken):
    """The same for asyncio."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail for one path."""
        return self.handle_request(request)


@pytest.mark.parametrize("path", [TOKEN, WHOAMI])
def test_broken_transport(plant: Any, quiet: Any, kind: str, path: str) -> None:
    """What a transport of the caller's raises comes without its frames, and without what it was raised during."""
    transport = Broken(path) if kind == "sync" else AsyncBroken(path)
    error = failure_of(plant("https://api.example.com", transport=transport).whoami)
    assert isinstance(error, TokenError if path == TOKEN else RuntimeError)
    quiet(error)


def test_cancelled(server: Any, script: Any, quiet: Any, eventually: Any) -> None:
    """A cancelled call's traceback shows no canary, whether it waited for the token or for the answer."""
    held = threading.Event()
    server.answer(TOKEN, script(body=GOOD, hold=held))
    server.answer(WHOAMI, script(fault="hang"))

    async def main() -> None:
        client = AsyncRedCloud(server.url, client_id=CLIENT_ID, client_secret=SECRET)
        for path in (TOKEN, WHOAMI):
            task = asyncio.create_task(client.whoami())
            await asyncio.to_thread(eventually, lambda path=path: len(server.requests(path)) == 1)
            quiet(repr(task), *map(repr, asyncio.all_tasks()))
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert "whoami" in rendered(caught.value)
            quiet(caught.value)
            held.set()

    asyncio.run(main())
    quiet()


def test_password_of_a_proxy(plant: Any, unused_url: str, quiet: Any) -> None:
    """The password in a proxy's URL shows neither in the attributes of a client nor in an error."""
    driven = plant("http://127.0.0.1:9", proxy=unused_url.replace("//", "//user:s3cr3t@"))
    quiet(failure_of(driven.whoami), repr(vars(driven.client)))


# Clients that cannot be made


@pytest.mark.parametrize("made", [RedCloud, AsyncRedCloud])
@pytest.mark.parametrize(
    "odd",
    [
        {"base_url": "http://api.example.com"},
        {"base_url": "no url"},
        {"client_id": "line\n"},
        {"client_id": ""},
        {"client_secret": f"{SECRET}\n"},
        {"client_secret": f"{SECRET}\0"},
        {"client_secret": f"{SECRET}\ud800"},
        {"client_secret": SECRET.encode()},
        {"client_secret": [SECRET]},
        {"timeout": -1},
        {"deadline": float("nan")},
        {"attempts": 0},
        {"no_such_setting": 1},
        {"headers": {"Authorization": "x"}},
        {"token_cache": "tokens.json"},
        {"token_endpoint_auth_method": "none"},
        {"transport": httpx.AsyncHTTPTransport(verify=False)},
        {"token_transport": 7},
    ],
    ids="-".join,
)
def test_refused_settings(made: type, odd: dict[str, Any], quiet: Any) -> None:
    """A client that cannot be made is refused in frames and words that do not hold the secret."""
    given = {"base_url": "https://api.example.com", "client_id": CLIENT_ID, "client_secret": SECRET, **odd}
    error = failure_of(made, given.pop("base_url"), **given)
    assert isinstance(error, ValueError | TypeError)
    assert "overlay/redcloud_core/_" in rendered(error)
    quiet(error)


@pytest.mark.parametrize(
    ("missing", "settings"), [("REDCLOUD_BASE_URL", {}), ("REDCLOUD_CLIENT_ID", {}), ("", {"timeout": -1})]
)
@pytest.mark.parametrize("made", [RedCloud, AsyncRedCloud])
def test_refused_environment(
    made: Any, missing: str, settings: dict[str, Any], quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that is not whole is refused in frames that do not hold the rest of it."""
    whole = {"BASE_URL": "https://api.example.com", "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": SECRET}
    for name, value in whole.items():
        monkeypatch.setenv(f"REDCLOUD_{name}", value)
    if missing:
        monkeypatch.delenv(missing)
    error = failure_of(made.from_env, **settings)
    assert isinstance(error, ValueError)
    assert "from_env" in rendered(error)
    quiet(error)


# Processes

_REPORTER = """
import asyncio, logging, sys, threading, traceback
from redcloud_core import AsyncRedCloud, RedCloud
def report(kind, error, frames):
    seen = set()
    while error is not None and id(error) not in seen:  # the chain, shown or not
        seen.add(id(error))
        text = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=True)
        sys.stderr.write("".join(text.format(chain=False)))
        error = error.__cause__ or error.__context__
sys.excepthook = report
threading.excepthook = lambda found: report(found.exc_type, found.exc_value, found.exc_traceback)
logging.basicConfig(level=logging.DEBUG)
async def main():
    await AsyncRedCloud.from_env().whoami()
if sys.argv[1] == "sync":
    RedCloud.from_env().whoami()
else:
    asyncio.run(main())
"""


@contextlib.contextmanager
def reporting(url: str, kind: str) -> Iterator[subprocess.Popen[str]]:
    """Run one call in a process that logs all, and prints what it dies of with the variables of all frames."""
    environment = {
        **os.environ,
        "REDCLOUD_BASE_URL": url,
        "REDCLOUD_CLIENT_ID": CLIENT_ID,
        "REDCLOUD_CLIENT_SECRET": SECRET,
        "PYTHONUTF8": "1",
    }
    command = [sys.executable, "-X", "dev", "-c", _REPORTER, kind]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        yield run


@pytest.mark.parametrize("waits_for", [TOKEN, WHOAMI])
def test_interrupted(server: Any, script: Any, eventually: Any, kind: str, waits_for: str) -> None:
    """Ctrl-C during a call, with the variables of all frames printed, shows no canary."""
    server.answer(TOKEN, script(body=GOOD) if waits_for == WHOAMI else script(fault="hang"))
    server.answer(WHOAMI, script(fault="hang"))
    with reporting(server.url, kind) as running:
        eventually(lambda: len(server.requests(waits_for)) == 1)
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=30)
    assert "KeyboardInterrupt" in stderr
    assert "in whoami" in stderr
    assert "DEBUG:httpcore" in stderr
    assert (stdout, found_in(stderr)) == ("", []), stderr


@pytest.mark.parametrize("status", [200, 401])
def test_whole_process(server: Any, script: Any, kind: str, status: int) -> None:
    """A process in Python's development mode, with all loggers on, prints no canary; nor does it when it dies."""
    server.answer(TOKEN, script(body=GOOD))
    server.answer(WHOAMI, script(status, WHOAMI_BODY if status == 200 else CORE))
    with reporting(server.url, kind) as running:
        stdout, stderr = running.communicate(timeout=30)
    assert running.returncode == (0 if status == 200 else 1)
    assert ("in whoami" in stderr) == (status == 401)
    assert (stdout, found_in(stderr)) == ("", []), stderr
    assert "ResourceWarning" not in stderr
