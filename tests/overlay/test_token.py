"""The life of a token: fetched once for all, replaced in time, dropped when refused, never missing from a request.

Each row of the table of peers has a test here, with what the peers did in its docstring (November 2026, counted at
simulated endpoints), or in `test_token_cache` and `test_cancellation`. All counts are the server's.
"""

import asyncio
import base64
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from redcloud_core import (
    AsyncRedCloud,
    InvalidClientError,
    RedCloud,
    RedCloudError,
    TokenError,
    TokenUnavailableError,
    UndocumentedStatusError,
    contract,
)
from redcloud_core._auth import LOCK_TIMEOUT, TokenSource
from redcloud_core._http import Connections, Patience, Wire
from redcloud_core._secrets import Secret
from redcloud_core._token_cache import MemoryTokenCache
from redcloud_core._token_endpoint import LONGEST_LIFETIME, TokenEndpoint
from redcloud_core.sandbox import Sandbox

TOKEN, WHOAMI = "/api/auth/token", "/api/core/whoami"
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]
CORE = {"error": {"code": "UNAUTHORIZED", "message": "no", "details": {}}}
INVALID_CLIENT = {"error": "invalid_client", "error_description": "Client authentication failed"}
LONG = 10.0
"""Seconds that a wait may take before it counts as failed."""


class Clock:
    """Both clocks, which stand still until they are set: the one that only goes on, and the one on the wall."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.wall = 1.8e9

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.wall += seconds

    def utc(self) -> datetime:
        """What the clock on the wall shows."""
        return datetime.fromtimestamp(self.wall, UTC)


@pytest.fixture
def clock() -> Clock:
    """The time as the source of tokens sees it."""
    return Clock()


@pytest.fixture
def tokens(server: Any, clock: Clock) -> TokenSource:
    """A source of tokens from a real server; time stands still, and chance draws nothing."""
    connections = Connections(Wire(server.url, True, None))
    endpoint = TokenEndpoint(connections, server.url, "id", Secret("secret"), headers={}, patience=Patience())
    return TokenSource(
        endpoint,
        MemoryTokenCache(),
        clock=lambda: clock.now,
        wall_clock=lambda: clock.wall,
        draw=lambda: 0.0,
    )


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, tokens: TokenSource) -> Any:
    """Asks the source for a header, in either way."""
    if request.param == "sync":
        return lambda timeout=LONG: tokens.authorization(timeout)
    return lambda timeout=LONG: asyncio.run(tokens.authorization_async(timeout))


def at_once(number: int, call: Callable[[], Any]) -> list[Any]:
    """Call from so many threads that start together, and return what each returned."""
    start = threading.Barrier(number)

    def begin() -> Any:
        start.wait()
        return call()

    with ThreadPoolExecutor(number) as pool:
        return [running.result() for running in [pool.submit(begin) for _ in range(number)]]


def error_of(call: Callable[[], Any]) -> RedCloudError | None:
    """Return the error that a call ends in."""
    try:
        call()
    except RedCloudError as error:
        return error
    return None


_FAILING = """
import asyncio, gc, sys
from redcloud_core import AsyncRedCloud, RedCloudError
async def main():
    async with AsyncRedCloud(sys.argv[1], client_id="id", client_secret="secret") as client:
        try:
            await client.whoami()
        except RedCloudError as error:
            print(type(error).__name__)
asyncio.run(main())
gc.collect()
"""

_FORKING = """
import os, sys, threading
from redcloud_core import RedCloud
client = RedCloud(sys.argv[1], client_id="id", client_secret="secret", deadline=5)
asking = threading.Thread(target=client.whoami)
asking.start()
print("asked", flush=True)
sys.stdin.readline()
pid = os.fork()
if pid == 0:
    try:
        client.whoami()
    except BaseException:
        os._exit(1)
    os._exit(0)
print("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
asking.join()
client.close()
"""

# The source


def test_fetched_once(ask: Any, server: Any) -> None:
    """The same token serves all calls, as a bearer header."""
    assert [ask().header for _ in range(3)] == ["Bearer tok_1"] * 3
    assert server.token_requests == 1


@pytest.mark.parametrize("number", [64, 256])
def test_cold_start_of_threads(tokens: TokenSource, server: Any, number: int) -> None:
    """Threads that start together cost one fetch; google-auth, azure, msal, Authlib, httpx-auth: 64 of 64."""
    headers = at_once(number, lambda: tokens.authorization(LONG).header)
    assert ({"Bearer tok_1"}, 1) == (set(headers), server.token_requests)


def test_cold_start_of_tasks(tokens: TokenSource, server: Any) -> None:
    """500 tasks that start together cost one fetch."""

    async def main() -> set[str]:
        given = await asyncio.gather(*(tokens.authorization_async(LONG) for _ in range(500)))
        return {authorization.header for authorization in given}

    assert (asyncio.run(main()), server.token_requests) == ({"Bearer tok_1"}, 1)


def test_refresh_window(tokens: TokenSource, server: Any, clock: Clock, eventually: Any) -> None:
    """64 threads in the window cost one fetch and wait for none; openai blocks all 64, anthropic's leader pays."""
    tokens.authorization(LONG)
    clock.advance(3299)
    assert at_once(8, lambda: tokens.authorization(LONG).header) == ["Bearer tok_1"] * 8
    assert server.token_requests == 1
    server.token_hold = threading.Event()
    clock.advance(1)
    assert at_once(64, lambda: tokens.authorization(LONG).header) == ["Bearer tok_1"] * 64
    server.token_hold.set()
    eventually(lambda: tokens.authorization(LONG).header == "Bearer tok_2")
    assert server.token_requests == 2


def test_down_while_the_token_is_valid(ask: Any, server: Any, script: Any, clock: Clock, eventually: Any) -> None:
    """A failing refresh disturbs nobody; google-auth, azure and botocore raise minutes before the token's end."""
    ask()
    server.answer(TOKEN, script(503))
    clock.advance(3400)
    ask()
    eventually(lambda: server.token_requests == 2)
    assert [ask().header for _ in range(50)] == ["Bearer tok_1"] * 50
    assert server.token_requests <= 3  # one that begins as the first one ends is no storm


def test_expired(ask: Any, server: Any, script: Any, clock: Clock) -> None:
    """An expired token is never served."""
    ask()
    clock.advance(3600)
    assert ask().header == "Bearer tok_2"
    server.answer(TOKEN, script(503))
    clock.advance(3600)
    with pytest.raises(TokenUnavailableError, match="HTTP 503"):
        ask()


@pytest.mark.parametrize(
    ("monotonic", "wall"),
    [(3600, 0), (0, 3600), (3600, -86_400), (0, 86_400)],
    ids=["clock set back by as much", "laptop slept", "clock set back by a day", "clock set forward by a day"],
)
def test_either_clock(ask: Any, server: Any, clock: Clock, monotonic: float, wall: float) -> None:
    """Expired is what either clock says; Fern's local clock used dead tokens for 58 minutes after summer time."""
    ask()
    clock.now += monotonic
    clock.wall += wall
    assert (ask().header, server.token_requests) == ("Bearer tok_2", 2)
    assert (ask().header, server.token_requests) == ("Bearer tok_2", 2)


def test_clock_set_back(ask: Any, server: Any, clock: Clock) -> None:
    """A clock that is set back makes no token older, and none younger."""
    ask()
    clock.wall -= 7200
    assert ask().header == "Bearer tok_1"
    clock.advance(3599)
    assert ask().header in ("Bearer tok_1", "Bearer tok_2")
    clock.advance(1)
    assert ask().header == "Bearer tok_2"


def test_short_lifetime(ask: Any, server: Any, clock: Clock, eventually: Any) -> None:
    """The window is half of a short life; botocore, Authlib, Fern, Speakeasy, anthropic fetch on every call then."""
    server.token_lifetime = 60
    ask()
    clock.advance(29)
    assert [ask().generation for _ in range(5)] == [1] * 5
    assert server.token_requests == 1
    clock.advance(2)
    eventually(lambda: ask().generation == 2)
    assert server.token_requests == 2


def test_lifetime_counts_from_the_request(tokens: TokenSource, server: Any, clock: Clock, eventually: Any) -> None:
    """The time that the answer took is part of the token's life."""
    server.token_hold = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(tokens.authorization, LONG)
        eventually(lambda: server.token_requests == 1)
        clock.advance(100)
        server.token_hold.set()
        assert asking.result().header == "Bearer tok_1"
    clock.advance(3500)
    assert tokens.authorization(LONG).header == "Bearer tok_2"


def test_invalidate_one_generation(ask: Any, tokens: TokenSource, server: Any) -> None:
    """A refused token is dropped; 32 late refusals of it leave its successor alone (google: 32 fetches, azure: 38)."""
    first = ask()
    tokens.invalidate(first.generation)
    second = ask()
    for _ in range(32):
        tokens.invalidate(first.generation)
    assert (second.header, ask().header, server.token_requests) == ("Bearer tok_2", "Bearer tok_2", 2)
    assert first.generation != second.generation


def test_invalidate_during_a_refresh(tokens: TokenSource, server: Any, clock: Clock, eventually: Any) -> None:
    """A token that is refused while its successor is on its way is not served again: the successor is waited for."""
    first = tokens.authorization(LONG)
    server.token_hold = threading.Event()
    clock.advance(3400)
    tokens.authorization(LONG)
    eventually(lambda: server.token_requests == 2)
    tokens.invalidate(first.generation)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(tokens.authorization, LONG)
        server.token_hold.set()
        assert asking.result().header == "Bearer tok_2"
    assert server.token_requests == 2


def test_waiters_share_a_failure(tokens: TokenSource, server: Any, script: Any, eventually: Any) -> None:
    """32 who wait for one fetch share its failure, each as an error of its own; nine caches of nine fetch 32 times."""
    hold = threading.Event()
    server.answer(TOKEN, script(503, hold=hold))
    with ThreadPoolExecutor(32) as pool:
        waiting = [pool.submit(tokens.authorization, LONG) for _ in range(32)]
        eventually(lambda: server.token_requests == 1)
        hold.set()
        errors = [future.exception() for future in waiting]
    assert (len({id(error) for error in errors}), {TokenUnavailableError}) == (32, {type(error) for error in errors})
    assert server.token_requests == 1  # those who came late are told of it until the next try is due


def test_backing_off(ask: Any, server: Any, script: Any, clock: Clock) -> None:
    """After a failure nobody asks before the time that all are told; each one in a row makes it later."""
    server.answer(TOKEN, script(503))
    for number, pause in enumerate([0.5, 1, 2, 4, 8, 8], start=1):
        for _ in range(3):
            error = error_of(ask)
            assert isinstance(error, TokenUnavailableError)
            assert error.retry_after == pytest.approx(pause)
            assert error.retry_at == clock.utc() + timedelta(seconds=pause)
            assert f"{error.retry_at:%H:%M:%S} UTC" in str(error)
        assert server.token_requests == number
        clock.advance(pause - 0.01)
        error_of(ask)
        assert server.token_requests == number
        clock.advance(0.02)
    server.answer(TOKEN)
    assert ask().header == "Bearer tok_1"


def test_retry_after(ask: Any, server: Any, script: Any, clock: Clock) -> None:
    """The API's own Retry-After is never undercut."""
    server.answer(TOKEN, script(429, headers={"Retry-After": "120"}))
    error = error_of(ask)
    assert isinstance(error, TokenUnavailableError)
    assert (error.retry_after, error.status) == (120, 429)
    clock.advance(119)
    error_of(ask)
    assert server.token_requests == 1
    clock.advance(2)
    error_of(ask)
    assert server.token_requests == 2


def test_timeout_of_a_caller_stops_nothing(ask: Any, server: Any) -> None:
    """A caller who gives up does not end the fetch: the next one gets its token, from the same fetch."""
    server.token_hold = threading.Event()
    with pytest.raises(TokenUnavailableError, match=r"did not answer within 0\.1 s") as caught:
        ask(0.1)
    assert caught.value.temporary
    server.token_hold.set()
    assert (ask().header, server.token_requests) == ("Bearer tok_1", 1)


def test_one_impatient_caller(tokens: TokenSource, server: Any, eventually: Any) -> None:
    """Of 60 callers one gives up: 59 are served by one fetch; Authlib, azure, Fern and openfga served 0."""
    server.token_hold = threading.Event()

    async def main() -> list[Any]:
        patient = [asyncio.create_task(tokens.authorization_async(LONG)) for _ in range(59)]
        with pytest.raises(TokenUnavailableError):
            await tokens.authorization_async(0.05)
        server.token_hold.set()
        return await asyncio.gather(*patient)

    assert [given.header for given in asyncio.run(main())] == ["Bearer tok_1"] * 59
    assert server.token_requests == 1


def test_cancelled_caller_stops_nothing(tokens: TokenSource, server: Any, eventually: Any) -> None:
    """A cancelled caller does not end the fetch that others wait for, not even the one who began it."""
    server.token_hold = threading.Event()

    async def main() -> list[str]:
        callers = [asyncio.create_task(tokens.authorization_async(LONG)) for _ in range(20)]
        await asyncio.to_thread(eventually, lambda: server.token_requests == 1)
        callers[0].cancel()
        server.token_hold.set()
        ended = await asyncio.gather(*callers, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError)
        return [found.header for found in ended[1:] if not isinstance(found, BaseException)]

    assert asyncio.run(main()) == ["Bearer tok_1"] * 19
    assert server.token_requests == 1


def test_event_loops(tokens: TokenSource, server: Any) -> None:
    """One source serves eight loops at once, and then more in a row; azure, Fern, openfga raise, Authlib hangs."""
    headers = at_once(8, lambda: asyncio.run(tokens.authorization_async(LONG)).header)
    headers += [asyncio.run(tokens.authorization_async(LONG)).header for _ in range(3)]
    assert (headers, server.token_requests) == (["Bearer tok_1"] * 11, 1)


def test_fetch_that_never_ends(tokens: TokenSource, server: Any, script: Any, clock: Clock) -> None:
    """An answer whose heads never end is given up when it is overdue: the next caller begins another fetch."""
    server.answer(TOKEN, script(fault="crawl"), script(body={"access_token": "tok"}))
    for _ in range(2):
        with pytest.raises(TokenUnavailableError):
            tokens.authorization(0.05)
    assert server.token_requests == 1
    clock.advance(LOCK_TIMEOUT + Patience().deadline + 1)
    assert (tokens.authorization(LONG).header, server.token_requests) == ("Bearer tok", 2)


def test_no_thread_to_be_had(tokens: TokenSource, server: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """A system without a thread to spare gives an error of the SDK's own; later it works."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(TokenUnavailableError, match="no thread can be started"):
            tokens.authorization(LONG)
    clock.advance(1)
    assert tokens.authorization(LONG).header == "Bearer tok_1"


def test_late_starter_takes_the_token_that_just_came(server: Any, tokens: TokenSource, clock: Clock) -> None:
    """A caller who found an old token, and is slow to ask for a new one, takes the one that came meanwhile."""
    tokens.authorization(LONG)
    clock.advance(3600)
    looked, served = threading.Event(), threading.Event()

    def slowly() -> float:
        if threading.current_thread().name.startswith("late"):
            looked.set()
            assert served.wait(LONG)
        return clock.now

    tokens._clock = slowly
    with ThreadPoolExecutor(1, thread_name_prefix="late") as pool:
        late = pool.submit(tokens.authorization, LONG)
        assert looked.wait(LONG)
        assert tokens.authorization(LONG).header == "Bearer tok_2"
        served.set()
        assert late.result().header == "Bearer tok_2"
    assert server.token_requests == 2


def test_failed_fetch_says_nothing_of_its_own(unused_url: str) -> None:
    """A fetch that fails is told to those who wait for it, and to nobody else: asyncio prints no traceback."""
    command = [sys.executable, "-W", "error", "-c", _FAILING, unused_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "TokenUnavailableError\n", "")


def test_fork_during_a_fetch(server: Any, script: Any) -> None:
    """A child that is forked while a token is on its way fetches its own; all five peers that were tested hang."""
    hold = threading.Event()
    good = {"access_token": "tok", "expires_in": 3600}
    server.answer(TOKEN, script(200, good, hold=hold), script(200, good))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    command = [sys.executable, "-W", "ignore", "-c", _FORKING, server.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == "asked\n"
            while server.token_requests < 1:
                assert running.poll() is None
            running.stdin.write("fork\n")
            running.stdin.flush()
            assert running.stdout.readline() == "child 0\n"
        finally:
            hold.set()
        assert running.wait(LONG) == 0
    assert (server.token_requests, len(server.requests(WHOAMI))) == (2, 2)


# The request for a token


@pytest.mark.parametrize(
    ("client_id", "client_secret"),
    [("id", "a:b"), ("i:d", "a+b c"), ("id", "%41%zz&=?/~"), ("ïd ", "pässwörd✓"), ("id", '"\\;,*')],
)
def test_credentials_arrive_whole(connect: Any, server: Any, script: Any, client_id: str, client_secret: str) -> None:
    """HTTP Basic with both parts form-encoded first, as RFC 6749 section 2.3.1 says, gives the pair back."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    connect(server.url, client_id=client_id, client_secret=client_secret).whoami()
    scheme, _, encoded = str(server.requests(TOKEN)[0].header("Authorization")).partition(" ")
    decoded = base64.b64decode(encoded, validate=True).decode("ascii")
    assert (scheme, 1) == ("Basic", decoded.count(":"))
    assert (client_id, client_secret) == tuple(unquote_plus(part) for part in decoded.split(":"))


def test_request_is_a_form(connect: Any, server: Any, script: Any) -> None:
    """The token is asked for with a form, without the credentials in it."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    connect(server.url).whoami()
    (seen,) = server.requests(TOKEN)
    assert (seen.method, seen.header("Content-Type")) == ("POST", "application/x-www-form-urlencoded")
    assert parse_qs(seen.body.decode(), strict_parsing=True) == {"grant_type": ["client_credentials"]}
    assert [request.header("Cookie") for request in server.seen] == [None, None]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 401, "body": {"error": "invalid_client", "error_description": "no"}}, InvalidClientError),
        ({"status": 400, "body": {"error": "invalid_client", "error_description": "no"}}, InvalidClientError),
        ({"status": 400, "body": {"error": "invalid_request", "error_description": "no"}}, TokenError),
        ({"status": 401, "body": b"<html>"}, TokenError),
        ({"status": 404, "body": b"<html>"}, TokenError),
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, TokenError),
        ({"status": 429}, TokenUnavailableError),
        ({"status": 500, "body": {"error": "server_error", "error_description": "no"}}, TokenUnavailableError),
        ({"status": 503, "body": b"<html>"}, TokenUnavailableError),
        ({"fault": "reset"}, TokenUnavailableError),
        ({"fault": "hang"}, TokenUnavailableError),
        ({"body": b"<html>Welcome"}, TokenError),
        ({"body": b'{"access_tok', "fault": "cut"}, TokenUnavailableError),
        ({"body": {}}, TokenError),
        ({"body": []}, TokenError),
        ({"body": {"access_token": None}}, TokenError),
        ({"body": {"access_token": ""}}, TokenError),
        ({"body": {"access_token": 7}}, TokenError),
        ({"body": {"access_token": "a b"}}, TokenError),
        ({"body": {"access_token": "tök"}}, TokenError),
        ({"body": {"access_token": "tok\r\nX-Evil: 1"}}, TokenError),
        ({"body": {"access_token": "t" * 70_000}}, TokenError),
        ({"body": b" " * 10_000_000}, TokenUnavailableError),
        ({"body": {"access_token": "tok", "token_type": "mac"}}, TokenError),
        ({"body": {"access_token": "tok", "token_type": 7}}, TokenError),
        ({"status": 301, "headers": {"Location": "/api/core/whoami"}}, TokenError),
        ({"status": 307, "headers": {"Location": "/api/core/whoami"}}, TokenError),
    ],
)
def test_no_request_without_a_token(
    connect: Any, server: Any, script: Any, answer: dict[str, Any], expected: type
) -> None:
    """Whatever the token operation does wrong, the error is its own and nothing reaches the API."""
    server.answer(TOKEN, script(**answer))
    with pytest.raises(TokenError) as caught:
        connect(server.url, timeout=0.2, attempts=1, client_secret="s3cr3t").whoami()
    error = caught.value
    assert type(error) is expected
    assert (expected is TokenUnavailableError) == error.temporary == hasattr(error, "retry_at")
    assert (tuple(server.api_requests), server.token_requests) == ((), 1)
    assert all(planted not in str(error) + repr(vars(error)) for planted in ("s3cr3t", "tok\r", "X-Evil", "Basic"))
    assert (None if answer.get("fault") in ("reset", "hang") else answer.get("status", 200)) == error.status
    assert "no token: " in str(error)


def test_oauth_words(connect: Any, server: Any, script: Any) -> None:
    """An OAuth error's code and description are attributes and part of the sentence."""
    body = {"error": "unsupported_grant_type", "error_description": "Only client_credentials is supported"}
    server.answer(TOKEN, script(400, body))
    with pytest.raises(
        TokenError, match=r"HTTP 400, unsupported_grant_type: Only client_cred.*Check base_url"
    ) as caught:
        connect(server.url).whoami()
    assert (body["error"], body["error_description"]) == (caught.value.error, caught.value.error_description)


@pytest.mark.parametrize("token_type", ["bearer", "Bearer", "BEARER", None])
def test_token_type_in_any_case(connect: Any, server: Any, script: Any, token_type: str | None) -> None:
    """A bearer token is one in any case, and where the answer does not say."""
    server.answer(TOKEN, script(body={"access_token": "tok", "token_type": token_type}))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    assert connect(server.url).whoami().apiClientStatus == "ACTIVE"


@pytest.mark.parametrize("words", ["s3cr3t", "a%2Fb s3cr3t", "Basic aWQ6czNjcjN0", "\x1b[31ms3cr3t\r\n" * 1000])
def test_words_of_the_endpoint_are_cleaned(connect: Any, server: Any, script: Any, words: str) -> None:
    """What the endpoint repeats of the secret is not shown, nor are control characters or endless words."""
    server.answer(TOKEN, script(400, {"error": words, "error_description": words}))
    error = error_of(connect(server.url, client_id="id", client_secret="s3cr3t").whoami)
    said = f"{error} {vars(error)}"
    assert all(planted not in said for planted in ("s3cr3t", "aWQ6czNjcjN0", "\\x1b", "\\r", "\r", "\x1b"))
    assert len(said) < 2000


@pytest.mark.parametrize("expires_in", ["3600", "3600.0", '"3600"', '"3600.0"', "3.6e3"])
def test_lifetime_in_any_spelling(tokens: TokenSource, server: Any, script: Any, clock: Clock, expires_in: str) -> None:
    """A number, an integer or not, or its text: each is a lifetime."""
    server.answer(TOKEN, script(body=b'{"access_token": "tok", "expires_in": %b}' % expires_in.encode()))
    tokens.authorization(LONG)
    clock.advance(3299)
    tokens.authorization(LONG)
    assert server.token_requests == 1
    clock.advance(301)
    tokens.authorization(LONG)
    assert server.token_requests == 2


@pytest.mark.parametrize(
    "expires_in",
    ["null", "0", "-1", '"abc"', "true", "NaN", "1e309", "Infinity", "9" * 400, '"NaN"', '"1e400"', '"-inf"', '""',
     "[]", "{}", "1e300", "0.001", "0x10"],
    ids=lambda text: text[:10],
)  # fmt: skip
def test_odd_lifetimes(tokens: TokenSource, server: Any, script: Any, clock: Clock, expires_in: str) -> None:
    """An odd lifetime is bounded or a typed error; Authlib's 0 and openai's NaN live for ever, others: ValueError."""
    server.answer(TOKEN, script(body=b'{"access_token": "t0k3n", "expires_in": %b}' % expires_in.encode()))
    refusal = error_of(lambda: tokens.authorization(LONG))
    assert refusal is None or (type(refusal) is TokenError and "t0k3n" not in str(refusal))
    clock.advance(LONGEST_LIFETIME)
    error_of(lambda: tokens.authorization(LONG))
    assert server.token_requests == 2


def test_missing_lifetime(tokens: TokenSource, server: Any, script: Any, clock: Clock) -> None:
    """A token whose life is not told is used for five minutes."""
    server.answer(TOKEN, script(body={"access_token": "tok"}))
    for seconds, requests in ((0, 1), (149, 1), (151, 2)):
        clock.advance(seconds)
        tokens.authorization(LONG)
        assert server.token_requests == requests


# Credentials


def test_credentials_in_the_form(connect: Any, sandbox: Sandbox, server: Any, script: Any) -> None:
    """With `client_secret_post` both are fields of the form, percent-encoded, and no header has them."""
    credentials = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    post = {"token_endpoint_auth_method": "client_secret_post"}
    assert connect(sandbox.url, **credentials, **post).whoami().apiClientStatus == "ACTIVE"
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    connect(server.url, client_id="i:d", client_secret="a+b &=ü", **post).whoami()
    (seen,) = server.requests(TOKEN)
    form = {"grant_type": ["client_credentials"], "client_id": ["i:d"], "client_secret": ["a+b &=ü"]}
    assert (parse_qs(seen.body.decode(), strict_parsing=True), seen.header("Authorization")) == (form, None)


def test_rotation(connect: Any, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A function is asked for the secret of the moment; 50 calls with a wrong one cost one fetch (msal: 50)."""
    secrets = ["outdated"]
    client = connect(sandbox.url, client_id=sandbox.client_id, client_secret=lambda: secrets[-1])
    with caplog.at_level(logging.WARNING, "redcloud_core.auth"):
        for _ in range(50):
            assert type(error_of(client.whoami)) is InvalidClientError
    assert (sandbox.ledger()["token_requests"], len(records_of(caplog))) == (1, 1)
    secrets.append(sandbox.client_secret)
    assert client.whoami().apiClientStatus == "ACTIVE"
    assert sandbox.ledger()["token_requests"] == 2


def test_wrong_secret(sandbox: Sandbox, caplog: pytest.LogCaptureFixture, eventually: Any) -> None:
    """50 threads with a wrong secret cost one fetch, however often they call; the next client may ask again."""
    with RedCloud(sandbox.url, client_id=sandbox.client_id, client_secret="wrong") as client:
        for _ in range(3):
            errors = at_once(50, lambda: error_of(client.whoami))
            assert {(InvalidClientError, False)} == {(type(error), error.temporary) for error in errors}
    assert sandbox.ledger()["token_requests"] == 1
    eventually(lambda: len(records_of(caplog)) == 1)  # no thread is started to find out again
    with RedCloud(sandbox.url, client_id=sandbox.client_id, client_secret=sandbox.client_secret) as client:
        client.whoami()


def test_secret_is_revoked_while_the_token_lives(
    tokens: TokenSource, server: Any, script: Any, clock: Clock, eventually: Any
) -> None:
    """A refresh that is told invalid_client leaves the valid token in use, to its end."""
    tokens.authorization(LONG)
    server.answer(TOKEN, script(401, INVALID_CLIENT))
    clock.advance(3400)
    for _ in range(20):
        assert tokens.authorization(LONG).header == "Bearer tok_1"
    eventually(lambda: tokens.state().last_failure is not None)
    clock.advance(199)
    assert tokens.authorization(LONG).header == "Bearer tok_1"
    clock.advance(1)
    assert type(error_of(lambda: tokens.authorization(LONG))) is InvalidClientError
    assert server.token_requests == 2


@pytest.mark.parametrize("returned", [None, "", "s3cr3t\n", 7, b"s3cr3t"])
def test_function_that_returns_no_secret(connect: Any, server: Any, returned: Any) -> None:
    """What a function returns is checked as a string is; nothing leaves."""
    error = error_of(connect(server.url, client_secret=lambda: returned).whoami)
    assert (type(error), server.seen) == (TokenError, [])
    assert "what client_secret() returned is no secret" in str(error)
    assert "s3cr3t" not in str(error)


def test_function_that_fails(connect: Any, server: Any, script: Any) -> None:
    """A function that raises is asked again, as an endpoint that is down would be; its words are not shown."""
    asked = []

    def secret() -> str:
        asked.append(1)
        if len(asked) < 3:
            raise ConnectionError("vault said s3cr3t")
        return "s3cr3t"

    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = connect(server.url, client_secret=secret)
    error = error_of(client.with_options(attempts=1).whoami)
    assert (type(error), "client_secret() raised ConnectionError" in str(error)) == (TokenUnavailableError, True)
    assert "s3cr3t" not in str(error)
    assert client.whoami().apiClientStatus == "ACTIVE"
    assert (len(asked), server.token_requests) == (3, 1)


def test_credentials_that_cannot_be(connect: Any, unused_url: str) -> None:
    """What can be known when the client is made is refused there."""

    async def secret() -> str:
        return "secret"

    for settings, words in (
        ({"client_secret": secret}, "must be an ordinary function"),
        ({"client_secret": ""}, "not an empty one"),
        ({"client_secret": "a\0b"}, "control characters"),
        ({"client_id": "a\rb"}, "control characters"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "client_secret_basic, client_secret_post"),
        ({"token_cache": "tokens.json"}, r"FileTokenCache\(path\)"),
        ({"attempts": 0}, "must be an integer, 1 or more"),
        ({"attempts": 2.5}, "must be an integer, 1 or more"),
        ({"attempts": True}, "must be an integer, 1 or more"),
    ):
        with pytest.raises(ValueError, match=words):
            connect(unused_url, **settings)


# Through the clients


def test_expired_token_is_replaced(connect: Any, sandbox: Sandbox) -> None:
    """Tokens that live for a second are replaced, and every call works."""
    sandbox.set_token_lifetime(1)
    client = connect(sandbox.url)
    for _ in range(30):
        assert client.whoami().apiClientStatus == "ACTIVE"
    assert sandbox.ledger()["token_requests"] < 10


def test_revoked_under_load(sandbox: Sandbox, credentials: dict[str, str]) -> None:
    """When a token is revoked 32 threads that hold it cost one new token."""
    start = threading.Barrier(32)

    def call() -> str:
        start.wait()
        return client.whoami().apiClientStatus

    with RedCloud(sandbox.url, **credentials) as client, ThreadPoolExecutor(32) as pool:
        client.whoami()
        sandbox.revoke_tokens()
        assert {"ACTIVE"} == {future.result() for future in [pool.submit(call) for _ in range(32)]}
    assert sandbox.ledger()["token_requests"] == 2


def test_late_refusals(server: Any, script: Any, credentials: dict[str, str]) -> None:
    """32 refusals that come late cost one new token: the rejected one is compared with the one at hand."""
    hold = threading.Event()
    server.answer(WHOAMI, *[script(401, CORE, hold=hold) for _ in range(32)], script(body=WHOAMI_BODY))
    with RedCloud(server.url, **credentials) as client, ThreadPoolExecutor(32) as pool:
        calls = [pool.submit(client.whoami) for _ in range(32)]
        while len(server.requests(WHOAMI)) < 32:
            assert not any(call.done() for call in calls)
        hold.set()
        assert {"ACTIVE"} == {call.result().apiClientStatus for call in calls}
    assert (server.token_requests, len(server.requests(WHOAMI))) == (2, 64)


def test_new_token_is_refused_as_well(connect: Any, server: Any, script: Any) -> None:
    """A token that was fetched for this very call, and is refused, is not replaced again: two requests, no loop."""
    server.answer(WHOAMI, script(401, CORE))
    client = connect(server.url)
    for number in range(1, 4):
        error = error_of(client.whoami)
        assert error is not None
        assert [attempt.outcome for attempt in error.attempts] == ["HTTP 401", "HTTP 401"]
        assert (len(server.requests(WHOAMI)), server.token_requests) == (2 * number, number + 1)


def test_calls_run_side_by_side(server: Any, script: Any, credentials: dict[str, str], eventually: Any) -> None:
    """No lock is held over a request: eight calls are at the server at once; telnyx makes one after the other."""
    hold = threading.Event()
    server.answer(WHOAMI, script(body=WHOAMI_BODY, hold=hold))
    with RedCloud(server.url, **credentials) as client, ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(client.whoami) for _ in range(8)]
        eventually(lambda: len(server.requests(WHOAMI)) == 8)
        hold.set()
        assert {"ACTIVE"} == {call.result().apiClientStatus for call in calls}


@pytest.mark.parametrize("number", [1, 32])
def test_tries_are_shared(server: Any, script: Any, credentials: dict[str, str], number: int) -> None:
    """While the endpoint is down 32 callers cost what one does: its own attempts; nine caches of nine cost 32."""
    server.answer(TOKEN, script(503))
    with RedCloud(server.url, **credentials, attempts=3) as client:
        errors = at_once(number, lambda: error_of(client.whoami))
    assert {TokenUnavailableError} == {type(error) for error in errors}
    assert {("no token: HTTP 503",) * 3} == {tuple(step.outcome for step in error.attempts) for error in errors}
    assert (server.token_requests, server.api_requests) == (3, [])


def test_call_outlives_an_outage(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """A send waits for the token within its own attempts, then goes out once."""
    queued = {"results": [{"to": "+1555", "messageId": "msg_1", "status": "QUEUED"}], "errors": []}
    server.answer(TOKEN, script(503), script(fault="reset"), script(body={"access_token": "tok"}))
    server.answer("/api/core/messages/send", script(202, queued))
    receipt = connect(server.url).send_message(**sms, idempotency_key="idem_1")
    tried = ["no token: HTTP 503", "no token: no answer", "HTTP 202"]
    assert [attempt.outcome for attempt in receipt.attempts] == tried
    assert [attempt.may_have_been_received for attempt in receipt.attempts] == [False, False, True]
    assert (server.token_requests, len(server.api_requests)) == (3, 1)


@pytest.mark.parametrize(
    ("fault", "requests", "end"),
    [
        ({"kind": "status", "status": 503, "headers": {"Retry-After": "1"}}, 2, None),
        ({"kind": "status", "status": 429}, 2, None),
        ({"kind": "cut_body"}, 2, None),
        ({"kind": "slow", "seconds": 0.6}, 2, None),
        ({"kind": "garbage", "bytes": 10_000_000}, 2, None),
        ({"kind": "expires_in", "value": "3600"}, 1, None),
        ({"kind": "expires_in", "literal": "NaN"}, 1, TokenError),
        ({"kind": "garbage"}, 1, TokenError),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_faults_of_the_sandbox(
    connect: Any, sandbox: Sandbox, fault: dict[str, Any], requests: int, end: type | None
) -> None:
    """One fault of the endpoint costs a call one more try where that can help; else it is a typed error."""
    sandbox.add_fault({"operation": "issueToken", "count": 1, **fault})
    error = error_of(connect(sandbox.url, timeout=0.3).whoami)
    assert sandbox.ledger()["token_requests"] == requests
    assert (type(error) if error else None) is end


def test_nobody_listens_for_a_while(connect: Any, sandbox: Sandbox) -> None:
    """A call that begins while nothing listens at the API's address ends well when it comes back in time."""
    sandbox.add_fault({"kind": "refuse", "seconds": 0.6})
    who = connect(sandbox.url).whoami()
    assert (who.apiClientStatus, sandbox.ledger()["token_requests"]) == ("ACTIVE", 1)


def test_no_wait_past_the_deadline(connect: Any, server: Any, script: Any) -> None:
    """A call does not wait for a try that its deadline does not allow: it ends at once, with the time of it."""
    server.answer(TOKEN, script(503, headers={"Retry-After": "60"}))
    began = time.monotonic()
    error = error_of(connect(server.url).whoami)
    assert isinstance(error, TokenUnavailableError)
    assert 59 < error.retry_after <= 60
    assert (len(error.attempts), server.token_requests, time.monotonic() - began < LONG) == (1, 1, True)


def test_retry_after_as_a_date(connect: Any, server: Any, script: Any) -> None:
    """Retry-After may be an HTTP date."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    server.answer(TOKEN, script(503, headers={"Retry-After": date}))
    error = error_of(connect(server.url).whoami)
    assert isinstance(error, TokenUnavailableError)
    assert 95 < error.retry_after <= 100


def test_refused_request_is_not_a_token_error(connect: Any, server: Any, script: Any) -> None:
    """A 403 of the API is the API's word, and leaves the token alone."""
    server.answer(WHOAMI, script(403, CORE), script(body=WHOAMI_BODY))
    client = connect(server.url)
    assert type(error_of(client.whoami)) is UndocumentedStatusError
    client.whoami()
    assert server.token_requests == 1


def test_token_goes_the_same_way(connect: Any, server: Any, script: Any) -> None:
    """A proxy that is set is the token's too; loopback http makes it visible at the proxy."""
    server.answer("http://127.0.0.1:9/api/auth/token", script(body={"access_token": "tok"}))
    server.answer("http://127.0.0.1:9/api/core/whoami", script(body=WHOAMI_BODY))
    connect("http://127.0.0.1:9", proxy=server.url).whoami()
    assert [seen.path.rpartition("/")[2] for seen in server.seen] == ["token", "whoami"]


# What a caller sees


def test_state(connect: Any, server: Any, script: Any) -> None:
    """The state tells age, life and failures, and nothing secret; a copy of the client has the same."""
    server.answer(TOKEN, script(503), script(body={"access_token": "t0k3n", "expires_in": 3600}))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = connect(server.url, client_secret="s3cr3t")
    assert set(vars_of(client.token_state()).values()) == {None}
    error_of(client.with_options(attempts=1).whoami)
    failed = client.token_state()
    assert (failed.age, failed.expires_in, failed.last_refresh) == (None, None, None)
    assert failed.last_failure.startswith("no token: HTTP 503")
    assert failed.last_failure_at < failed.retry_at
    client.whoami()
    state = client.with_options(timeout=1).token_state()
    assert 0 <= state.age < LONG
    assert state.age + state.expires_in == pytest.approx(3600)
    assert (state.retry_at, state.last_failure) == (None, failed.last_failure)
    assert failed.last_failure_at < state.last_refresh
    assert all(planted not in repr(state) for planted in ("t0k3n", "s3cr3t"))


def vars_of(state: Any) -> dict[str, Any]:
    """The fields of a state."""
    return {name: getattr(state, name) for name in type(state).__slots__ if not name.startswith("_")}


def test_log(connect: Any, server: Any, script: Any, caplog: pytest.LogCaptureFixture, eventually: Any) -> None:
    """A fetch is one INFO record, a failed one a WARNING with its reason."""
    server.answer(TOKEN, script(503), script(body={"access_token": "tok", "expires_in": 3600}))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    with caplog.at_level(logging.INFO, "redcloud_core.auth"):
        connect(server.url).whoami()
        eventually(lambda: len(records_of(caplog)) == 2)
    failed, fetched = records_of(caplog)
    assert (failed.levelname, fetched.levelname) == ("WARNING", "INFO")
    assert failed.getMessage().startswith("no token: HTTP 503")
    assert fetched.getMessage().startswith("a token for 3600 s came in")


def records_of(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """The records of the token's logger."""
    return [record for record in caplog.records if record.name == "redcloud_core.auth"]


def test_log_handler_may_use_the_client(server: Any, script: Any, credentials: dict[str, str]) -> None:
    """A handler that calls the API about a failed fetch, to send an alert for instance, does not wait for itself."""
    ended: list[RedCloudError | None] = []
    done = threading.Event()

    class Alert(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ended.append(error_of(client.with_options(attempts=1).whoami))
            done.set()

    server.answer(TOKEN, script(503))
    handler, logger = Alert(logging.WARNING), logging.getLogger("redcloud_core.auth")
    with RedCloud(server.url, **credentials, attempts=1) as client:
        logger.addHandler(handler)
        try:
            error_of(client.whoami)
            assert done.wait(LONG)
        finally:
            logger.removeHandler(handler)
    assert (type(ended[0]), server.token_requests) == (TokenUnavailableError, 1)


def test_client_in_several_runs(server: Any, script: Any, credentials: dict[str, str]) -> None:
    """Three `asyncio.run` in a row on one client share its token."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = AsyncRedCloud(server.url, **credentials)

    async def main() -> str:
        return (await client.whoami()).apiClientStatus

    assert [asyncio.run(main()) for _ in range(3)] == ["ACTIVE"] * 3
    assert server.token_requests == 1
