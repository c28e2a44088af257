"""The life of a token: fetched once for all, replaced in time, dropped when refused, never missing from a request."""

import asyncio
import base64
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from redcloud_core import InvalidClientError, RedCloud, RedCloudError, TokenError, TokenUnavailableError, contract
from redcloud_core._auth import Token, TokenSource
from redcloud_core.sandbox import Sandbox

TOKEN, WHOAMI = "/api/auth/token", "/api/core/whoami"
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]
CORE = {"error": {"code": "UNAUTHORIZED", "message": "no", "details": {}}}
LONG = 10.0
"""Seconds that a wait may take before it counts as failed."""


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class Issuer:
    """A token operation that counts; it waits for `open`, and fails as long as `error` is set."""

    def __init__(self, lifetime: float = 3600.0) -> None:
        self.count = 0
        self.lifetime = lifetime
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.began = threading.Semaphore(0)

    def __call__(self) -> Token:
        """Issue a token."""
        self.count += 1
        number = self.count
        self.began.release()
        assert self.open.wait(LONG)
        if self.error is not None:
            raise self.error
        return Token(f"tok_{number}", self.lifetime)


@pytest.fixture
def issuer() -> Issuer:
    """A token operation that works."""
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    """The time as the source of tokens sees it."""
    return Clock()


@pytest.fixture
def tokens(issuer: Issuer, clock: Clock) -> TokenSource:
    """A source of tokens."""
    return TokenSource(issuer, clock=clock)


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, tokens: TokenSource) -> Any:
    """Asks the source for a header, in either way."""
    if request.param == "sync":
        return lambda timeout=LONG: tokens.authorization(timeout)
    return lambda timeout=LONG: asyncio.run(tokens.authorization_async(timeout))


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


def test_fetched_once(ask: Any, issuer: Issuer) -> None:
    """The same token serves all calls, as a bearer header."""
    assert [ask().header for _ in range(3)] == ["Bearer tok_1"] * 3
    assert issuer.count == 1


def test_replaced_in_the_background(ask: Any, issuer: Issuer, clock: Clock, eventually: Any) -> None:
    """Five minutes before its end a new token is fetched; who asks meanwhile gets the valid one at once."""
    ask()
    clock.now += 3299
    assert ask().header == "Bearer tok_1"
    assert issuer.count == 1
    issuer.open.clear()
    clock.now += 2
    assert [ask().header for _ in range(5)] == ["Bearer tok_1"] * 5
    assert issuer.began.acquire(timeout=LONG)
    issuer.open.set()
    eventually(lambda: ask().header == "Bearer tok_2")
    assert issuer.count == 2


def test_valid_token_survives_a_failing_refresh(ask: Any, issuer: Issuer, clock: Clock, eventually: Any) -> None:
    """While the token is valid a failing refresh disturbs nobody, and is not tried at every call."""
    ask()
    issuer.error = TokenUnavailableError("down")
    clock.now += 3400
    for _ in range(50):
        assert ask().header == "Bearer tok_1"
    eventually(lambda: issuer.count >= 2)
    for _ in range(50):
        ask()
    assert issuer.count <= 3  # one that begins as the first one ends is no storm


def test_expired(ask: Any, issuer: Issuer, clock: Clock) -> None:
    """An expired token is never served."""
    ask()
    clock.now += 3600
    assert ask().header == "Bearer tok_2"
    issuer.error = TokenUnavailableError("down")
    clock.now += 3600
    with pytest.raises(TokenUnavailableError, match="down"):
        ask()


def test_short_lifetime(ask: Any, issuer: Issuer, clock: Clock) -> None:
    """A lifetime below five minutes is not spent on fetching: the window is half of it."""
    issuer.lifetime = 60
    ask()
    clock.now += 29
    assert [ask().generation for _ in range(5)] == [1] * 5
    assert issuer.count == 1


def test_lifetime_counts_from_the_request(ask: Any, issuer: Issuer, clock: Clock) -> None:
    """The time that the answer took is part of the token's life."""
    issuer.open.clear()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        assert issuer.began.acquire(timeout=LONG)
        clock.now += 100
        issuer.open.set()
        assert asking.result().header == "Bearer tok_1"
    clock.now += 3500
    assert ask().header == "Bearer tok_2"


def test_invalidate_one_generation(ask: Any, tokens: TokenSource, issuer: Issuer) -> None:
    """A refused token is dropped; late refusals of the same one leave its successor alone."""
    first = ask()
    tokens.invalidate(first.generation)
    second = ask()
    for _ in range(32):
        tokens.invalidate(first.generation)
    assert (second.header, ask().header, issuer.count) == ("Bearer tok_2", "Bearer tok_2", 2)
    assert first.generation != second.generation


def test_waiters_share_a_failure(tokens: TokenSource, issuer: Issuer) -> None:
    """32 threads that wait for one fetch share its failure, each as an exception object of its own."""
    issuer.error = TokenUnavailableError("down")
    issuer.open.clear()
    asked = threading.Barrier(33)

    def wait_for_it() -> RedCloudError:
        asked.wait()
        with pytest.raises(TokenUnavailableError) as caught:
            tokens.authorization(LONG)
        return caught.value

    with ThreadPoolExecutor(33) as pool:
        leader = pool.submit(tokens.authorization, LONG)
        assert issuer.began.acquire(timeout=LONG)
        waiting = [pool.submit(wait_for_it) for _ in range(32)]
        asked.wait()
        with pytest.raises(TokenUnavailableError, match="did not answer"):
            tokens.authorization(0.05)  # the others are in by then, or share the next fetch
        issuer.open.set()
        errors = [future.result() for future in waiting] + [leader.exception()]
    assert len({id(error) for error in errors}) == 33
    assert issuer.count <= 2
    assert {"down"} == {str(error) for error in errors}


def test_timeout_of_a_caller_stops_nothing(ask: Any, issuer: Issuer) -> None:
    """A caller who gives up does not end the fetch: the next one gets its token, from the same fetch."""
    issuer.open.clear()
    with pytest.raises(TokenUnavailableError, match=r"did not answer within 0\.1 s") as caught:
        ask(0.1)
    assert caught.value.temporary
    issuer.open.set()
    assert (ask().header, issuer.count) == ("Bearer tok_1", 1)


def test_cancelled_caller_stops_nothing(tokens: TokenSource, issuer: Issuer) -> None:
    """A cancelled caller does not end the fetch that others wait for."""
    issuer.open.clear()

    async def main() -> list[str]:
        callers = [asyncio.create_task(tokens.authorization_async(LONG)) for _ in range(20)]
        await asyncio.to_thread(issuer.began.acquire, timeout=LONG)
        callers[0].cancel()
        issuer.open.set()
        ended = await asyncio.gather(*callers, return_exceptions=True)
        assert isinstance(ended[0], asyncio.CancelledError)
        return [found.header for found in ended[1:] if not isinstance(found, BaseException)]

    assert asyncio.run(main()) == ["Bearer tok_1"] * 19
    assert issuer.count == 1


def test_failed_fetch_says_nothing_of_its_own(unused_url: str) -> None:
    """A fetch that fails is told to those who wait for it, and to nobody else: asyncio prints no traceback."""
    command = [sys.executable, "-W", "error", "-c", _FAILING, unused_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "TokenUnavailableError\n", "")


def test_fork_during_a_fetch(server: Any, script: Any) -> None:
    """A child that is forked while a token is on its way fetches its own; it does not wait for the parent's thread."""
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


def test_cold_start_of_threads(tokens: TokenSource, issuer: Issuer) -> None:
    """64 threads that start together cost one fetch."""
    start = threading.Barrier(64)

    def ask_at_once() -> str:
        start.wait()
        return tokens.authorization(LONG).header

    with ThreadPoolExecutor(64) as pool:
        headers = [future.result() for future in [pool.submit(ask_at_once) for _ in range(64)]]
    assert ({"Bearer tok_1"}, 1) == (set(headers), issuer.count)


def test_late_starter_takes_the_token_that_just_came(issuer: Issuer) -> None:
    """A caller who found no token, and is slow to ask for one, takes the one that came meanwhile."""
    first_is_served = threading.Event()
    looked = threading.Event()

    def clock() -> float:
        if threading.current_thread().name.startswith("late"):
            looked.set()
            assert first_is_served.wait(LONG)
        return 1000.0

    tokens = TokenSource(issuer, clock=clock)
    with ThreadPoolExecutor(1, thread_name_prefix="late") as pool:
        late = pool.submit(tokens.authorization, LONG)
        assert looked.wait(LONG)
        assert tokens.authorization(LONG).header == "Bearer tok_1"
        first_is_served.set()
        assert late.result().header == "Bearer tok_1"
    assert issuer.count == 1


def test_token_is_in_no_repr(ask: Any, tokens: TokenSource, issuer: Issuer) -> None:
    """Neither the source nor a header nor a token shows what it holds."""
    for holder in (ask(), tokens, issuer()):
        assert "tok_" not in repr(holder)


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
    """The token is asked for with a form, without the credentials in it, over a connection of its own."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    connect(server.url).whoami()
    (seen,) = server.requests(TOKEN)
    assert (seen.method, seen.header("Content-Type")) == ("POST", "application/x-www-form-urlencoded")
    assert parse_qs(seen.body.decode(), strict_parsing=True) == {"grant_type": ["client_credentials"]}
    assert seen.connection != server.requests(WHOAMI)[0].connection
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
        ({"body": b'{"access_token": "tok", "expires_in": NaN}'}, TokenError),
    ],
)
def test_no_request_without_a_token(
    connect: Any, server: Any, script: Any, answer: dict[str, Any], expected: type
) -> None:
    """Whatever the token operation does wrong, the error is its own and nothing reaches the API."""
    server.answer(TOKEN, script(**answer))
    with pytest.raises(TokenError) as caught:
        connect(server.url, timeout=0.2, client_secret="s3cr3t").whoami()
    error = caught.value
    assert type(error) is expected
    assert (expected is TokenUnavailableError) == error.temporary == hasattr(error, "retry_at")
    assert server.api_requests == []
    assert all(planted not in str(error) + repr(vars(error)) for planted in ("s3cr3t", "tok\r", "X-Evil", "Basic"))
    assert (answer.get("status", 200) if "fault" not in answer else None) == error.status
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


@pytest.mark.parametrize(
    "expires_in",
    ["3600", 3600.0, None, 0, -1, "abc", True, 1e300, 10**400, "1e400", [], {}, "", "NaN", 0.001, "-inf"],
    ids=lambda value: repr(value)[:8],
)
def test_odd_lifetimes(connect: Any, server: Any, script: Any, expires_in: Any) -> None:
    """An odd lifetime gives a token that is used, or an error of the SDK's own; never another exception."""
    server.answer(TOKEN, script(200, {"access_token": "s3cr3t-t0k3n", "expires_in": expires_in}))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = connect(server.url)
    refusal: TokenError | None = None
    try:
        client.whoami()
    except TokenError as error:
        refusal = error
    used = [seen.header("Authorization") for seen in server.requests(WHOAMI)]
    assert used == ([] if refusal else ["Bearer s3cr3t-t0k3n"])
    assert "s3cr3t-t0k3n" not in str(refusal)


@pytest.mark.parametrize("expires_in", [b"", b', "expires_in": null', b', "expires_in": 0', b', "expires_in": 1e300'])
def test_lifetime_is_bounded(expires_in: bytes) -> None:
    """A lifetime that is missing, or more than anybody means, does not make a token that lives for ever."""
    from redcloud_core._auth import read_token
    from redcloud_core._binding import Answer

    token = read_token(Answer(200, {}, b'{"access_token": "tok"%b}' % expires_in))
    assert 0 < token.lifetime <= 366 * 24 * 3600


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
    """Refusals that come after a new token is there do not cost another."""
    hold = threading.Event()
    server.answer(WHOAMI, *[script(401, CORE, hold=hold) for _ in range(16)], script(body=WHOAMI_BODY))
    with RedCloud(server.url, **credentials) as client, ThreadPoolExecutor(16) as pool:
        calls = [pool.submit(client.whoami) for _ in range(16)]
        while len(server.requests(WHOAMI)) < 16:
            assert not any(call.done() for call in calls)
        hold.set()
        assert {"ACTIVE"} == {call.result().apiClientStatus for call in calls}
    assert (server.token_requests, len(server.requests(WHOAMI))) == (2, 32)


def test_unsecured_failure_is_shared(server: Any, script: Any, credentials: dict[str, str]) -> None:
    """While the token operation fails, not one request of 16 threads reaches the API."""
    hold = threading.Event()
    server.answer(TOKEN, script(500, hold=hold))
    with RedCloud(server.url, **credentials) as client, ThreadPoolExecutor(16) as pool:
        calls = [pool.submit(client.whoami) for _ in range(16)]
        hold.set()
        assert all(isinstance(call.exception(), TokenUnavailableError) for call in calls)
    assert server.api_requests == []


def test_token_goes_the_same_way(connect: Any, server: Any, script: Any) -> None:
    """A proxy that is set is the token's too; loopback http makes it visible at the proxy."""
    server.answer("http://127.0.0.1:9/api/auth/token", script(body={"access_token": "tok"}))
    server.answer("http://127.0.0.1:9/api/core/whoami", script(body=WHOAMI_BODY))
    connect("http://127.0.0.1:9", proxy=server.url).whoami()
    assert [seen.path.rpartition("/")[2] for seen in server.seen] == ["token", "whoami"]
