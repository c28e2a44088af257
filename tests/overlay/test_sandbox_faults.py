"""The faults of the sandbox, seen by plain HTTP clients and at the socket."""

import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from importlib.resources import files
from random import Random
from typing import Any

import httpx
import jsonschema_rs
import pytest

from redcloud_core import contract
from redcloud_core.sandbox import Sandbox
from redcloud_core.sandbox._document import Document
from redcloud_core.sandbox._faults import Faults

BASIC = ("rc_test_client_123", "rc_secret_abc123")
GRANT = {"grant_type": "client_credentials"}
TOKEN = "/api/auth/token"
WHOAMI = "/api/core/whoami"
SEND = "/api/core/messages/send"
OPERATIONS = " or ".join(
    node["operationId"] for item in contract()["paths"].values() for node in item.values() if "operationId" in node
)
Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client with a token, before there is any fault."""
    with connect(sandbox.url) as client:
        yield client


@pytest.fixture
def lonely() -> Iterator[Sandbox]:
    """A sandbox that nobody else uses, for what ends all of its connections."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing worth a warning is logged, by whomever."""
    yield
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    assert [record.getMessage() for record in records if record.levelno >= logging.WARNING] == []


@contextmanager
def connect(url: str) -> Generator[httpx.Client]:
    """Open a client that authorizes itself."""
    with httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        client.headers["Authorization"] = f"Bearer {ask_token(client).json()['access_token']}"
        yield client


def ask_token(client: httpx.Client) -> httpx.Response:
    return client.post(TOKEN, auth=BASIC, data=GRANT)


def send(client: httpx.Client, sms: dict[str, Any], key: str = "k") -> httpx.Response:
    return client.post(SEND, json=sms, headers={"Idempotency-Key": key})


def plan(client: httpx.Client, kind: str, operation: str = "whoami", **fault: Any) -> None:
    """Plan a fault over HTTP."""
    response = client.post("/_sandbox/faults", json={"kind": kind, "operation": operation, **fault})
    assert (response.status_code, response.content) == (204, b"")


def plan_script(client: httpx.Client, *steps: dict[str, Any], operation: str = "sendMessage", **fault: Any) -> None:
    """Plan a script over HTTP."""
    response = client.post("/_sandbox/faults", json={"operation": operation, "script": steps, **fault})
    assert (response.status_code, response.content) == (204, b"")


def attempts(sandbox: Sandbox) -> dict[str, int]:
    """Tell how often each send that was accepted was asked for."""
    return {entry["key"]: entry["attempts"] for entry in sandbox.ledger()["sends"]}


def outcome(client: httpx.Client, sms: dict[str, Any], key: str = "k") -> str | int:
    """Send, and tell the status, or what became of the answer."""
    try:
        response = send(client, sms, key)
    except httpx.RemoteProtocolError as error:
        return "cut" if "body" in str(error) else "dropped"
    if not response.text.startswith("{"):
        return "garbage"
    results = response.json().get("results", [])
    return "drift" if any(isinstance(each["messageId"], int) for each in results) else response.status_code


def statuses(client: httpx.Client, number: int) -> list[int]:
    """Ask whoami so many times, one after another."""
    return [client.get(WHOAMI).status_code for _ in range(number)]


def ends(connection: socket.socket) -> bool:
    """Tell whether the other side ends a connection within five seconds."""
    connection.settimeout(5)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def is_refused(url: str) -> bool:
    """Tell whether the kernel refuses a new connection."""
    host, port = httpx.URL(url).host, httpx.URL(url).port
    try:
        with socket.create_connection((host, port or 0), timeout=5):
            return False
    except ConnectionRefusedError:
        return True


# Status


def test_status_in_the_style_of_core(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A status replaces the operation, in the CORE wrapper and with the headers that are given."""
    plan(client, "status", "sendMessage", status=503, headers={"Retry-After": "2"})
    response = send(client, sms)
    error = {"code": "SERVER_ERROR", "message": "The sandbox was told to answer this", "details": {}}
    assert (503, "2", error) == (response.status_code, response.headers["Retry-After"], response.json()["error"])
    assert response.json()["requestId"].startswith("req_")
    assert response.headers["Content-Type"] == "application/json"
    assert sandbox.ledger()["sends"] == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_REQUEST"),
        (401, "UNAUTHORIZED"),
        (409, "CONFLICT"),
        (429, "INVALID_REQUEST"),
        (599, "SERVER_ERROR"),
    ],
)
def test_status_has_the_code_of_core(client: httpx.Client, status: int, code: str) -> None:
    """The error's code is the status's own, or the general one of its side."""
    plan(client, "status", status=status)
    assert client.get(WHOAMI).json()["error"]["code"] == code


def test_status_in_the_style_of_oauth(client: httpx.Client, sandbox: Sandbox) -> None:
    """For the token it is an OAuth error; the request counts like any other."""
    for status, code in ((401, "invalid_client"), (503, "server_error"), (429, "invalid_request")):
        plan(client, "status", "issueToken", status=status, count=1)
        response = ask_token(client)
        assert {"error": code, "error_description": "The sandbox was told to answer this"} == response.json()
        assert (status, status == 401) == (response.status_code, "WWW-Authenticate" in response.headers)
    assert ask_token(client).status_code == 200
    assert sandbox.ledger()["token_requests"] == 5


def test_status_comes_before_authorization(client: httpx.Client) -> None:
    """A status is answered whatever is wrong with the request."""
    plan(client, "status", status=502)
    assert client.get(WHOAMI, headers={"Authorization": "none"}).status_code == 502


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ("<h1>Bad Gateway</h1>", b"<h1>Bad Gateway</h1>"),
        ("", b""),
        ("\u00e9", b"\xc3\xa9"),
        ("\ud800", b"\xed\xa0\x80"),
        ('{"cut": ', b'{"cut": '),
        ({"error": "\u00e9"}, b'{"error": "\\u00e9"}'),
        ([], b"[]"),
        (None, b"null"),
        (0.5, b"0.5"),
    ],
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_status_with_a_body(client: httpx.Client, body: Any, content: bytes, name: str) -> None:
    """A string is the body as it is, anything else is JSON, under the one content type that is given."""
    fault = {"kind": "status", "operation": "whoami", "status": 200, "headers": {name: "text/html"}, "body": body}
    assert client.post("/_sandbox/faults", content=json.dumps(fault)).status_code == 204
    response = client.get(WHOAMI)
    assert (content, ["text/html"]) == (response.content, response.headers.get_list("Content-Type"))


def test_status_replaces_the_headers_of_the_error(client: httpx.Client) -> None:
    """A header that the error has by itself is there once, as it is given."""
    plan(client, "status", status=401, headers={"www-authenticate": "Bearer error=invalid_token"})
    assert client.get(WHOAMI).headers.get_list("WWW-Authenticate") == ["Bearer error=invalid_token"]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body(client: httpx.Client, status: int) -> None:
    """A status that has no body has none here, and the connection goes on."""
    plan(client, "status", status=status, headers={"ETag": "x"}, count=1)
    response = client.get(WHOAMI)
    assert (status, "x", b"") == (response.status_code, response.headers["ETag"], response.content)
    assert client.get(WHOAMI).status_code == 200


@pytest.mark.usefixtures("quiet")
def test_status_for_head(client: httpx.Client) -> None:
    """A HEAD request is hit as the GET whose operation it shares."""
    plan(client, "status", status=503, count=1)
    assert [client.head(WHOAMI).status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(("when", "accepted"), [({}, {}), ({"when": "before"}, {}), ({"when": "after"}, {"k": 1})])
def test_status_before_or_after(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], when: dict[str, str], accepted: dict[str, int]
) -> None:
    """Before, the default, nothing is done; after, the send is accepted, and its key gives its answer later."""
    plan(client, "status", "sendMessage", status=503, headers={"Retry-After": "2"}, count=1, **when)
    response = send(client, sms)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert response.json()["error"]["code"] == "SERVER_ERROR"
    assert accepted == attempts(sandbox)
    assert send(client, sms).json()["results"][0]["messageId"] == "msg_000001"
    assert {"k": accepted.get("k", 0) + 1} == attempts(sandbox)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503, "when": "after"},
        {"kind": "slow", "seconds": 0.01, "when": "before"},
        {"kind": "slow", "seconds": 0.01, "when": "after"},
        {"kind": "in_progress", "seconds": 3600},
        {"kind": "drop_after"},
        {"kind": "drift"},
        {"kind": "drift", "body": {}},
    ],
    ids=json.dumps,
)
def test_performing_begins_with_authorization(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], fault: dict[str, Any]
) -> None:
    """Where the operation is performed, a refused request is answered as ever, and changes nothing."""
    client.post("/_sandbox/faults", json={"operation": "sendMessage", **fault}).raise_for_status()
    headers = {"Authorization": "none", "Idempotency-Key": "k"}
    response = client.post(SEND, json=sms, headers=headers, timeout=5)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert response.json()["error"]["code"] == "UNAUTHORIZED"
    refused = client.post(SEND, json={**sms, "to": []}, headers={"Idempotency-Key": "k"}, timeout=5)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert attempts(sandbox) == {}


# Slow


def test_slow_performs_first(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], eventually: Eventually
) -> None:
    """The send is accepted at once, its answer comes later, and others are served meanwhile."""
    plan(client, "slow", "sendMessage", seconds=0.3)
    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        answer = pool.submit(send, client, sms)
        eventually(lambda: len(sandbox.ledger()["sends"]) == 1)
        assert client.get(WHOAMI).status_code == 200
        assert not answer.done()
        assert answer.result().status_code == 202
    assert 0.3 <= time.monotonic() - began < 5


@pytest.mark.usefixtures("quiet")
def test_slow_does_not_wait_for_a_client_that_has_gone(
    client: httpx.Client, sandbox: Sandbox, eventually: Eventually
) -> None:
    """When the client hangs up nothing is left behind, and others are served."""
    plan(client, "slow", seconds=3600, count=1)
    with pytest.raises(httpx.ReadTimeout):
        client.get(WHOAMI, timeout=0.1)
    assert client.get(WHOAMI).status_code == 200
    eventually(lambda: not sandbox._server.server_state.tasks)


def test_slow_before(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """The send is accepted late, and others are served meanwhile."""
    plan(client, "slow", "sendMessage", seconds=0.5, when="before")
    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        answer = pool.submit(send, client, sms)
        assert client.get(WHOAMI).status_code == 200
        assert (attempts(sandbox), answer.done()) == ({}, False)
        assert answer.result().status_code == 202
    assert 0.5 <= time.monotonic() - began < 5
    assert attempts(sandbox) == {"k": 1}


@pytest.mark.usefixtures("quiet")
def test_slow_before_a_client_that_has_gone(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], eventually: Eventually
) -> None:
    """The send is accepted all the same, neither earlier nor later."""
    plan(client, "slow", "sendMessage", seconds=0.5, when="before", count=1)
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.post(SEND, json=sms, headers={"Idempotency-Key": "k"}, timeout=0.1)
    assert attempts(sandbox) == {}
    eventually(lambda: attempts(sandbox) == {"k": 1})
    assert 0.5 <= time.monotonic() - began < 5
    eventually(lambda: not sandbox._server.server_state.tasks)


# In progress


def is_in_progress(sandbox: Sandbox) -> bool:
    """Tell whether some request holds its key."""
    return bool(sandbox._state._processed)


IN_PROGRESS = {"code": "CONFLICT", "message": "A request with this Idempotency-Key is still in progress", "details": {}}


@pytest.mark.usefixtures("quiet")
def test_in_progress(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Of two requests with one key the second is a conflict, until the first is accepted; then it is a repeat."""
    plan(client, "in_progress", "sendMessage", seconds=0.5)
    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        early, late = as_completed([pool.submit(send, client, sms) for _ in range(2)])
        conflict, accepted = early.result(), late.result()
    assert (conflict.status_code, conflict.json()["error"]) == (409, IN_PROGRESS)
    assert (accepted.status_code, time.monotonic() - began >= 0.5) == (202, True)
    assert attempts(sandbox) == {"k": 1}
    client.delete("/_sandbox/faults")
    assert (202, accepted.json()) == ((repeat := send(client, sms)).status_code, repeat.json())
    assert attempts(sandbox) == {"k": 2}


@pytest.mark.usefixtures("quiet")
def test_in_progress_concerns_one_key(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], eventually: Eventually
) -> None:
    """Whatever comes with the key is a conflict, hit or not, but nothing is accepted yet, and other keys are free."""
    plan(client, "in_progress", "sendMessage", seconds=1, count=1)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(send, client, sms)
        eventually(lambda: is_in_progress(sandbox))
        assert send(client, sms).json()["error"] == IN_PROGRESS
        assert send(client, {**sms, "text": "Another"}).json()["error"] == IN_PROGRESS
        headers = {"Authorization": "none", "Idempotency-Key": "k"}
        assert client.post(SEND, json=sms, headers=headers).status_code == 401
        assert send(client, {**sms, "to": []}).status_code == 400
        assert send(client, sms, "other").status_code == 202
        assert client.get(WHOAMI, headers={"Idempotency-Key": "k"}).status_code == 200
        assert (attempts(sandbox), first.done()) == ({"other": 1}, False)
        assert first.result().json()["results"][0]["messageId"] == "msg_000002"
    conflict = send(client, {**sms, "text": "Another"}).json()["error"]
    assert conflict["message"] == "Idempotency-Key was already used with a different payload"
    assert attempts(sandbox) == {"other": 1, "k": 1}


@pytest.mark.usefixtures("quiet")
def test_in_progress_without_its_client(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], eventually: Eventually
) -> None:
    """When the client hangs up its send goes on, is a conflict meanwhile, and is accepted at its time."""
    plan(client, "in_progress", "sendMessage", seconds=1, count=1)
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.post(SEND, json=sms, headers={"Idempotency-Key": "k"}, timeout=0.1)
    assert send(client, sms).status_code == 409
    assert attempts(sandbox) == {}
    eventually(lambda: attempts(sandbox) == {"k": 1})
    assert 1 <= time.monotonic() - began < 5
    assert send(client, sms).json()["results"][0]["messageId"] == "msg_000001"
    assert attempts(sandbox) == {"k": 2}
    eventually(lambda: not sandbox._server.server_state.tasks)


@pytest.mark.usefixtures("quiet")
def test_in_progress_outlives_its_token(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], eventually: Eventually
) -> None:
    """What was let in is finished, though its token is refused meanwhile."""
    plan(client, "in_progress", "sendMessage", seconds=0.3)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(send, client, sms)
        eventually(lambda: is_in_progress(sandbox))
        sandbox.revoke_tokens()
        assert answer.result().status_code == 202
    assert attempts(sandbox) == {"k": 1}


@pytest.mark.usefixtures("quiet")
def test_in_progress_ends_with_a_reset(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], eventually: Eventually
) -> None:
    """What began before a reset is not accepted after it, and holds its key no more."""
    plan(client, "in_progress", "sendMessage", seconds=0.5)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(send, client, sms)
        eventually(lambda: is_in_progress(sandbox))
        sandbox.reset()
        with connect(sandbox.url) as other:
            assert send(other, sms).status_code == 202
        assert not answer.done()
        assert answer.result().status_code == 401
    assert attempts(sandbox) == {"k": 1}


@pytest.mark.usefixtures("quiet")
def test_in_progress_among_threads(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Of eight requests with one key one is accepted, each of eight keys is, and all of them end in one answer."""
    plan(client, "in_progress", "sendMessage", seconds=0.5)
    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(lambda _: send(client, sms).status_code, range(8)))
        assert found == {202: 1, 409: 7}
        assert {*pool.map(lambda number: send(client, sms, f"k{number}").status_code, range(8))} == {202}
        client.delete("/_sandbox/faults")
        answers = {*pool.map(lambda _: send(client, sms).text, range(8))}
    assert len(answers) == 1
    assert {**{f"k{number}": 1 for number in range(8)}, "k": 9} == attempts(sandbox)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("fault", [{"kind": "in_progress"}, {"kind": "slow", "when": "before"}], ids=json.dumps)
def test_end_while_a_send_waits(
    lonely: Sandbox, sms: dict[str, Any], eventually: Eventually, fault: dict[str, Any]
) -> None:
    """The server stops at once, whether the client is still there or not; the send is not done, its key is free."""
    lonely.add_fault({"operation": "sendMessage", "seconds": 3600, **fault})
    with ThreadPoolExecutor() as pool, connect(lonely.url) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(SEND, json=sms, headers={"Idempotency-Key": "gone"}, timeout=0.1)
        answer = pool.submit(send, client, sms, "there")
        eventually(lambda: len(lonely._server.server_state.tasks) == 2)
        began = time.monotonic()
        lonely.__exit__(None, None, None)
        assert time.monotonic() - began < 0.9  # a second is the grace for what does not end by itself
        assert isinstance(answer.exception(5), httpx.RemoteProtocolError)
    assert attempts(lonely) == {}
    lonely.__enter__()
    lonely.clear_faults()
    with connect(lonely.url) as client:
        assert [send(client, sms, key).status_code for key in ("gone", "there")] == [202, 202]


# Dropped connections


def begin_to_send(client: httpx.Client, sms: dict[str, Any]) -> tuple[socket.socket, bytes]:
    """Send at the socket all but the last byte of a message, which is returned with the connection."""
    content = json.dumps(sms).encode()
    head = (
        f"POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: {client.headers['Authorization']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nIdempotency-Key: k\r\n\r\n"
    )
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=5)
    connection.sendall(head.encode() + content[:-1])
    return connection, content[-1:]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("kind", "accepted"), [("drop_before", {}), ("drop_after", {"k": 1})])
def test_drop_at_the_socket(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], kind: str, accepted: dict[str, int]
) -> None:
    """When the request is there, and not before, the connection ends without a byte; the send is accepted or not."""
    plan(client, kind, "sendMessage", count=1)
    connection, rest = begin_to_send(client, sms)
    with connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.sendall(rest)
        assert ends(connection)
    assert accepted == attempts(sandbox)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("kind", "total"), [("drop_before", 1), ("drop_after", 3)])
def test_drop_counts_what_was_performed(
    client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], kind: str, total: int
) -> None:
    """A client sees no answer; the ledger counts the requests that were performed, and the key gives the answer."""
    plan(client, kind, "sendMessage", count=2)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            send(client, sms)
    assert send(client, sms).json()["results"][0]["messageId"] == "msg_000001"
    assert {"k": total} == attempts(sandbox)


def test_drop_before_comes_before_authorization(client: httpx.Client, sandbox: Sandbox) -> None:
    """The connection ends whatever is wrong with the request; a request for a token counts all the same."""
    plan(client, "drop_before")
    plan(client, "drop_before", "issueToken", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(WHOAMI, headers={"Authorization": "none"})
    with pytest.raises(httpx.RemoteProtocolError):
        ask_token(client)
    assert sandbox.ledger()["token_requests"] == 2


# Garbage


@pytest.mark.usefixtures("quiet")
def test_garbage_is_no_json(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """The send is accepted, and answered with its status and content type, but with HTML."""
    plan(client, "garbage", "sendMessage", count=1)
    response = send(client, sms)
    assert (response.status_code, response.headers["Content-Type"]) == (202, "application/json")
    assert response.text.startswith("<!doctype html>")
    assert len(sandbox.ledger()["sends"]) == 1
    assert send(client, sms).json()["results"][0]["messageId"] == "msg_000001"


@pytest.mark.parametrize("size", [1, 1000, 2 * 1024 * 1024, 64 * 1024 * 1024])
def test_garbage_of_any_size(client: httpx.Client, size: int) -> None:
    """Blanks fill the body up to the size that is given."""
    plan(client, "garbage", bytes=size)
    content = client.get(WHOAMI).content
    assert len(content) == max(size, len(content.rstrip()) + 1)


def test_garbage_for_a_refused_request(client: httpx.Client) -> None:
    """An error keeps its status, too."""
    plan(client, "garbage")
    response = client.get(WHOAMI, headers={"Authorization": "none"})
    assert (response.status_code, response.headers["WWW-Authenticate"], response.text[0]) == (401, "Bearer", "<")


# Cut bodies


def answer_of(url: str, path: str, headers: str) -> tuple[bytes, bytes]:
    """Read an answer to the end of its connection, as head and body."""
    host, port = httpx.URL(url).host, httpx.URL(url).port
    with socket.create_connection((host, port or 0), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    return head, body


@pytest.mark.usefixtures("quiet")
def test_cut_body_at_the_socket(client: httpx.Client) -> None:
    """The head announces the whole body, half of it comes, and then the end of the connection."""
    whole = client.get(WHOAMI).content
    plan(client, "cut_body", count=1)
    head, body = answer_of(str(client.base_url), WHOAMI, f"Authorization: {client.headers['Authorization']}\r\n")
    assert f"content-length: {len(whole)}" in head.decode().splitlines()
    assert whole[: len(whole) // 2] == body
    assert client.get(WHOAMI).content == whole


@pytest.mark.usefixtures("quiet")
def test_cut_body_performs(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """The send is accepted; a client sees an incomplete body, and the same key gives the answer afterwards."""
    plan(client, "cut_body", "sendMessage", count=2)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
            send(client, sms)
    assert send(client, sms).json()["results"][0]["messageId"] == "msg_000001"
    assert [entry["attempts"] for entry in sandbox.ledger()["sends"]] == [3]


# Drift


def test_drift(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """The send is accepted, and answered with its status in JSON, but each string is a number."""
    plan(client, "drift", "sendMessage", count=1)
    response = send(client, {**sms, "to": ["+15551230001", "+15550000000"]})
    body = response.json()
    assert (response.status_code, response.headers["Content-Type"]) == (202, "application/json")
    assert body["results"] == [{"to": 12, "messageId": 10, "status": 6}]
    assert [error["to"] for error in body["errors"]] == [12]
    assert attempts(sandbox) == {"k": 1}
    assert send(client, {**sms, "to": ["+15551230001", "+15550000000"]}).json()["results"][0]["messageId"] == (
        "msg_000001"
    )


def test_drift_of_all_but_strings(client: httpx.Client) -> None:
    """Numbers and booleans are what they were, names and lists, too."""
    expected = client.get(WHOAMI).json()
    plan(client, "drift")
    expected["capabilities"] = [len(text) for text in expected["capabilities"]]
    expected = {name: len(value) if isinstance(value, str) else value for name, value in expected.items()}
    assert expected == client.get(WHOAMI).json()
    assert {type(value) for value in expected.values()} == {int, bool, list, dict}


@pytest.mark.parametrize("body", [{"results": [{"to": "x"}]}, {}, [], None, 5, "text", "\ud800"], ids=json.dumps)
def test_drift_to_a_body(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any], body: Any) -> None:
    """Any JSON value can be the answer, a string included."""
    sandbox.add_fault({"kind": "drift", "operation": "sendMessage", "body": body})
    response = send(client, sms)
    assert (202, json.dumps(body)) == (response.status_code, response.text)
    assert attempts(sandbox) == {"k": 1}


# expires_in


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"value": 5}, '"expires_in": 5}'),
        ({"value": "3600"}, '"expires_in": "3600"}'),
        ({"value": None}, '"expires_in": null}'),
        ({"value": -1.5}, '"expires_in": -1.5}'),
        ({"value": {"seconds": [1]}}, '"expires_in": {"seconds": [1]}}'),
        ({"literal": "NaN"}, '"expires_in": NaN}'),
        ({"literal": "1e309"}, '"expires_in": 1e309}'),
        ({"literal": "\u00e9"}, '"expires_in": \u00e9}'),
        ({}, '"token_type": "bearer"}'),
    ],
)
def test_expires_in(client: httpx.Client, fault: dict[str, Any], text: str) -> None:
    """The answer says what is given in place of the lifetime; the token works all the same."""
    plan(client, "expires_in", "issueToken", **fault)
    response = ask_token(client)
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert response.text.startswith('{"access_token": "')
    assert response.text.endswith(text)
    assert response.text.count("expires_in") == bool(fault)
    token = response.text.split('"')[3]
    assert client.get(WHOAMI, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_expires_in_leaves_errors_alone(client: httpx.Client) -> None:
    """A refused request for a token is answered as ever."""
    plan(client, "expires_in", "issueToken", value=5)
    response = client.post(TOKEN, auth=("wrong", "wrong"), data=GRANT)
    assert (401, {"error", "error_description"}) == (response.status_code, response.json().keys())


# Refused connections


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("over_http", [True, False])
def test_refuse(lonely: Sandbox, eventually: Eventually, over_http: bool) -> None:
    """When the fault is answered nobody is connected, the kernel refuses, and later the same port accepts again."""
    with connect(lonely.url) as client, socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as silent:
        fault = {"kind": "refuse", "seconds": 0.5}
        began = time.monotonic()
        if over_http:
            response = client.post("/_sandbox/faults", json=fault)
            assert (response.status_code, response.headers["Connection"]) == (204, "close")
        else:
            lonely.add_fault(fault)
        assert is_refused(lonely.url)
        assert ends(silent)
        with pytest.raises(httpx.ConnectError):
            client.get(WHOAMI)
        eventually(lambda: not is_refused(lonely.url))
        assert 0.5 <= time.monotonic() - began < 5
        assert client.get(WHOAMI).status_code == 200


@pytest.mark.usefixtures("quiet")
def test_refuse_ends_requests_in_flight(lonely: Sandbox, eventually: Eventually) -> None:
    """Who waits for an answer gets none, and what only began to be sent is lost."""
    with connect(lonely.url) as client, ThreadPoolExecutor() as pool:
        plan(client, "slow", seconds=3600)
        slow = pool.submit(client.get, WHOAMI)
        eventually(lambda: bool(lonely._server.server_state.tasks))
        with socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as half:
            half.sendall(b"POST /api/auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
            eventually(lambda: len(lonely._server.server_state.tasks) == 2)
            lonely.add_fault({"kind": "refuse", "seconds": 0.1})
            assert isinstance(slow.exception(5), httpx.RemoteProtocolError)
            assert ends(half)
        eventually(lambda: not is_refused(lonely.url))
        assert lonely.ledger()["token_requests"] == 1


def test_refuse_ends_connections_that_are_just_being_accepted(lonely: Sandbox) -> None:
    """However a connection falls, before, at or after the end of the listener, it is not served."""
    address = ("127.0.0.1", httpx.URL(lonely.url).port or 0)
    for _ in range(50):
        with socket.create_connection(address) as connection:
            lonely.add_fault({"kind": "refuse", "seconds": 3600})
            assert ends(connection)
        lonely.clear_faults()


@pytest.mark.usefixtures("quiet")
def test_refuse_is_replaced(lonely: Sandbox, eventually: Eventually) -> None:
    """A second one counts from now, whether it ends later or earlier than the first."""
    lonely.add_fault({"kind": "refuse", "seconds": 0.05})
    lonely.add_fault({"kind": "refuse", "seconds": 3600})
    time.sleep(0.1)
    assert is_refused(lonely.url)
    lonely.add_fault({"kind": "refuse", "seconds": 0.05})
    eventually(lambda: not is_refused(lonely.url))


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("end", ["clear_faults", "reset"])
def test_refuse_ends_with_the_faults(lonely: Sandbox, end: str) -> None:
    """When all faults end, connections are accepted at once."""
    lonely.add_fault({"kind": "refuse", "seconds": 3600})
    assert is_refused(lonely.url)
    getattr(lonely, end)()
    for _ in range(2):
        with connect(lonely.url) as client:
            assert client.get(WHOAMI).status_code == 200
        getattr(lonely, end)()


@pytest.mark.usefixtures("quiet")
def test_refuse_from_many_threads(lonely: Sandbox) -> None:
    """Faults and their ends may come from all threads at once."""

    def change(number: int) -> None:
        if number % 3:
            lonely.add_fault({"kind": "refuse", "seconds": 0.001 if number % 2 else 3600})
        else:
            lonely.clear_faults()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(change, range(300)))
    lonely.add_fault({"kind": "refuse", "seconds": 3600})
    assert is_refused(lonely.url)
    lonely.clear_faults()
    assert not is_refused(lonely.url)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.25, 3600])
def test_end_while_connections_are_refused(seconds: float) -> None:
    """The server stops at once, whenever it would accept again, and leaves no socket open."""
    with Sandbox() as sandbox:
        pass  # what is loaded once is loaded now
    opened = len(os.listdir("/dev/fd"))
    with sandbox:
        sandbox.add_fault({"kind": "refuse", "seconds": seconds})
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert len(os.listdir("/dev/fd")) <= opened
    with pytest.raises(RuntimeError, match="with Sandbox"):
        sandbox.add_fault({"kind": "refuse", "seconds": 1})
    del sandbox
    gc.collect()  # an error in a task that nobody awaits is logged now


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "refuse", "seconds": 3600},
        {"kind": "slow", "operation": "whoami", "seconds": 3600},
        {"kind": "slow", "operation": "whoami", "seconds": 3600, "when": "before"},
    ],
)
def test_process_ends_in_spite_of_a_fault(fault: dict[str, Any]) -> None:
    """SIGTERM ends the process at once, with 0 and without a word; who waits for an answer gets none."""
    command = [sys.executable, "-m", "redcloud_core.sandbox"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process, ThreadPoolExecutor() as pool:
        assert process.stdout is not None
        with connect(process.stdout.readline().removeprefix("listening on ").strip()) as client:
            assert client.post("/_sandbox/faults", json=fault).status_code == 204
            answer = pool.submit(client.get, WHOAMI)
            with pytest.raises(TimeoutError if fault["kind"] == "slow" else httpx.ConnectError):
                answer.result(0.2)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=10) == ("", "")
            assert (process.returncode, time.monotonic() - began < 5) == (0, True)
            assert isinstance(answer.exception(5), httpx.RemoteProtocolError | httpx.ConnectError)


# Which requests are hit


def test_count_hits_the_next_requests(client: httpx.Client) -> None:
    """So many requests are hit, and no more; a whole number may be written with a fraction."""
    plan(client, "status", status=503.0, count=2.0)
    assert statuses(client, 4) == [503, 503, 200, 200]


def test_every_request_is_hit(client: httpx.Client) -> None:
    """Without count and rate a fault goes on until the faults end."""
    for end in ({"method": "DELETE", "url": "/_sandbox/faults"}, {"method": "POST", "url": "/_sandbox/reset"}):
        plan(client, "status", status=503)
        assert statuses(client, 3) == [503] * 3
        assert ((response := client.request(**end)).status_code, response.content) == (204, b"")
        client.headers["Authorization"] = f"Bearer {ask_token(client).json()['access_token']}"
        assert statuses(client, 2) == [200] * 2


def test_rate_is_reproducible(client: httpx.Client) -> None:
    """The same seed hits the same requests, another one others, and each as often as the rate says."""
    sequences: list[list[int]] = []
    for seed in (7, 7.0, 8):
        plan(client, "status", status=503, rate=0.25, seed=seed)
        sequences.append(statuses(client, 200))
        client.delete("/_sandbox/faults")
    assert sequences[0] == sequences[1] != sequences[2]
    assert all(25 < sequence.count(503) < 75 for sequence in sequences)


def test_rate_of_one(client: httpx.Client) -> None:
    """Each request is hit with certainty."""
    plan(client, "status", status=503, rate=1, seed=-1)
    assert statuses(client, 50) == [503] * 50


def test_first_fault_acts(client: httpx.Client) -> None:
    """Of several faults the first that is not used up acts, and no other."""
    plan(client, "status", status=501, count=1)
    plan(client, "status", status=502, rate=1e-9, seed=0)
    plan(client, "status", status=503, count=2)
    plan(client, "garbage")
    assert statuses(client, 5) == [501, 503, 503, 200, 200]
    assert client.get(WHOAMI).text.startswith("<")


def test_other_operations_are_undisturbed(client: httpx.Client, sms: dict[str, Any]) -> None:
    """A fault hits its operation alone, and requests of others do not use it up."""
    plan(client, "status", status=503, count=1)
    assert client.get("/api/core/numbers").status_code == 200
    assert client.patch("/api/core/numbers/num_abc123", json={}).status_code == 200
    assert client.post("/api/core/numbers/search", json={}).status_code == 200
    assert (ask_token(client).status_code, send(client, sms).status_code) == (200, 202)
    assert client.get("/_sandbox/ledger").status_code == 200
    assert statuses(client, 2) == [503, 200]


def test_count_is_exact_among_threads(client: httpx.Client, sandbox: Sandbox) -> None:
    """However many requests come at once, and faults with them, exactly as many as planned are hit."""

    def ask(_: int) -> int:
        sandbox.add_fault({"kind": "status", "operation": "whoami", "status": 503, "count": 1})
        sandbox.add_fault({"kind": "status", "operation": "listNumbers", "status": 503, "count": 1})
        return client.get(WHOAMI).status_code

    plan(client, "status", status=503, count=40)
    with ThreadPoolExecutor(16) as pool:
        found = [*pool.map(ask, range(64)), *pool.map(lambda _: client.get(WHOAMI).status_code, range(64))]
    assert (found.count(503), found.count(200)) == (104, 24)


def test_plan_is_safe_among_threads() -> None:
    """Each fault is taken exactly as often as it is planned, whoever asks."""
    faults = Faults(Document(contract()).operations())
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(500):
            faults.add({"kind": str(number), "operation": "whoami", "count": 1})
        faults.add({"kind": "rate", "operation": "whoami", "rate": 0.5, "seed": 1})
        with ThreadPoolExecutor(16) as pool:
            taken = Counter(fault and fault["kind"] for fault in pool.map(lambda _: faults.take("whoami"), range(1500)))
    finally:
        sys.setswitchinterval(interval)
    numbers = Random(1)
    hits = sum(numbers.random() < 0.5 for _ in range(1000))
    assert Counter({**dict.fromkeys(map(str, range(500)), 1), "rate": hits, None: 1000 - hits}) == taken


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "garbage", "cut_body"])
def test_fault_of_one_key(client: httpx.Client, sms: dict[str, Any], kind: str) -> None:
    """With a key a fault hits the requests that carry it, and others do not use it up."""
    plan(client, kind, "sendMessage", key="k", count=1)
    names = {"drop_before": "dropped", "drop_after": "dropped", "cut_body": "cut"}
    found = [outcome(client, sms, key) for key in ("other", "k", "k", "other")]
    assert found == [202, names.get(kind, kind), 202, 202]


# Scripts


def test_script_in_its_order(client: httpx.Client) -> None:
    """Each step is for one request, also the one that leaves it alone; then later faults have their turn."""
    steps: list[dict[str, Any]] = [
        {"kind": "status", "status": 501},
        {"kind": "none"},
        {"kind": "status", "status": 503},
    ]
    plan_script(client, *steps, operation="whoami")
    plan(client, "status", status=599, count=2)
    assert client.get("/api/core/numbers").status_code == 200
    assert statuses(client, 6) == [501, 200, 503, 599, 599, 200]


@pytest.mark.usefixtures("quiet")
def test_script_of_all_kinds(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """The attempts of one send meet one kind after another, and the ledger has those that were performed."""
    steps: list[tuple[dict[str, Any], str | int]] = [
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "drop_before"}, "dropped"),
        ({"kind": "drop_after"}, "dropped"),
        ({"kind": "status", "status": 504, "when": "after"}, 504),
        ({"kind": "slow", "seconds": 0.01}, 202),
        ({"kind": "slow", "seconds": 0.01, "when": "before"}, 202),
        ({"kind": "in_progress", "seconds": 0.01}, 202),
        ({"kind": "garbage", "bytes": 100}, "garbage"),
        ({"kind": "cut_body"}, "cut"),
        ({"kind": "drift"}, "drift"),
        ({"kind": "drift", "body": {"results": []}}, 202),
        ({"kind": "none"}, 202),
    ]
    plan_script(client, *(step for step, _ in steps))
    assert [outcome(client, sms) for _ in steps] == [expected for _, expected in steps]
    assert attempts(sandbox) == {"k": len(steps) - 2}
    assert outcome(client, sms) == 202


def test_script_of_one_key(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Only requests with its key are its attempts; another script may have another key."""
    plan_script(client, {"kind": "drop_before"}, {"kind": "drop_after"}, key="a")
    plan_script(client, {"kind": "garbage"}, key="b")
    found = [outcome(client, sms, key) for key in ("c", "a", "b", "c", "a", "b", "a")]
    assert found == [202, "dropped", "garbage", 202, "dropped", 202, 202]
    assert attempts(sandbox) == {"c": 2, "b": 2, "a": 2}


def test_script_of_tokens(client: httpx.Client) -> None:
    """A script can lie about the lifetime of tokens, too."""
    plan_script(client, {"kind": "expires_in", "value": 5}, {"kind": "none"}, operation="issueToken")
    assert [ask_token(client).json()["expires_in"] for _ in range(3)] == [5, 3600, 3600]


def test_script_ends_with_the_faults(client: httpx.Client) -> None:
    """What is left of a script is gone when the faults end."""
    plan_script(client, *[{"kind": "status", "status": 503}] * 20, operation="whoami")
    assert statuses(client, 2) == [503, 503]
    client.delete("/_sandbox/faults")
    assert statuses(client, 2) == [200, 200]


@pytest.mark.usefixtures("quiet")
def test_scripts_among_threads(client: httpx.Client, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Sends from eight threads at once meet each their own script, in its order."""
    steps: list[dict[str, Any]] = [
        {"kind": "drop_after"},
        {"kind": "in_progress", "seconds": 0.01},
        {"kind": "drop_before"},
        {"kind": "status", "status": 503, "when": "after"},
        {"kind": "none"},
        {"kind": "cut_body"},
    ]
    keys = [f"k{number}" for number in range(24)]
    for key in keys:
        plan_script(client, *steps, key=key)
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda key: [outcome(client, sms, key) for _ in range(7)], keys)]
    assert found == [["dropped", 202, "dropped", 503, 202, "cut", 202]] * len(keys)
    assert attempts(sandbox) == dict.fromkeys(keys, 6)


def test_script_is_exact_among_threads(client: httpx.Client) -> None:
    """However many requests come at once, each step is taken once."""
    plan_script(client, *({"kind": "status", "status": 500 + number} for number in range(20)), operation="whoami")
    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(lambda _: client.get(WHOAMI).status_code, range(40)))
    assert {**{500 + number: 1 for number in range(20)}, 200: 20} == found


def test_fault_of_another_document() -> None:
    """Operations are those of the document that is served; an answer without a body has none to spoil."""
    changed = contract()
    gone = {"delete": {"operationId": "deleteMessage", "security": [], "responses": {"204": {"description": "Gone."}}}}
    changed["paths"] = {"/gone": gone}
    with Sandbox(document=changed) as sandbox, httpx.Client(base_url=sandbox.url, trust_env=False) as client:
        for kind in ("garbage", "drift", "cut_body"):
            sandbox.add_fault({"kind": kind, "operation": "deleteMessage", "count": 1})
            assert ((response := client.delete("/gone")).status_code, response.content) == (204, b"")
        with pytest.raises(ValueError, match="the operation must be deleteMessage, at /operation"):
            sandbox.add_fault({"kind": "expires_in", "operation": "issueToken"})


# Faults that cannot be planned


def faults_schema() -> Any:
    text = files("redcloud_core.sandbox").joinpath("schemas", "faults.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_schema() -> None:
    """The schema is one, each of its kinds has an example, as has a script, and each example can be planned."""
    schema = faults_schema()
    jsonschema_rs.meta.validate(schema)
    *kinds, refuse = schema["$defs"]["single"]["properties"]["kind"]["enum"]
    assert {*kinds, refuse, "script"} == {example.get("kind", "script") for example in schema["examples"]}
    assert ["none", *kinds] == schema["$defs"]["step"]["properties"]["kind"]["enum"]
    branches = schema["$defs"]["kinds"]["allOf"]
    assert [branch["if"]["properties"]["kind"]["const"] for branch in branches] == kinds
    assert [branch["then"]["$ref"] for branch in branches] == [f"#/$defs/{kind}" for kind in kinds]
    with Sandbox() as sandbox:
        for example in schema["examples"]:
            jsonschema_rs.Draft202012Validator(schema).validate(example)
            sandbox.add_fault(example)


STATUS: dict[str, Any] = {"kind": "status", "operation": "whoami", "status": 503}
SLOW: dict[str, Any] = {"kind": "slow", "operation": "whoami", "seconds": 1}
GARBAGE: dict[str, Any] = {"kind": "garbage", "operation": "whoami"}
CUT: dict[str, Any] = {"kind": "cut_body", "operation": "whoami"}
EXPIRES: dict[str, Any] = {"kind": "expires_in", "operation": "issueToken"}
REFUSE: dict[str, Any] = {"kind": "refuse", "seconds": 1}
PROGRESS: dict[str, Any] = {"kind": "in_progress", "operation": "sendMessage", "seconds": 1}
BEFORE: dict[str, Any] = {"kind": "drop_before", "operation": "whoami"}
AFTER: dict[str, Any] = {"kind": "drop_after", "operation": "whoami"}
DRIFT: dict[str, Any] = {"kind": "drift", "operation": "whoami"}
NONE: dict[str, Any] = {"kind": "none"}
SCRIPT: dict[str, Any] = {"operation": "sendMessage", "script": [NONE]}
KINDS = "status slow in_progress drop_before drop_after garbage cut_body drift expires_in"
ONE_OF_KINDS = " or ".join(f'"{kind}"' for kind in KINDS.split())

BAD: list[tuple[Any, str]] = [
    ([], 'the value is not of type "object"'),
    ("status", 'the value is not of type "object"'),
    ({}, '"kind" is a required property'),
    ({"kind": "explode"}, f'the value is not one of {ONE_OF_KINDS} or "refuse", at /kind'),
    ({**NONE, "operation": "whoami"}, f'the value is not one of {ONE_OF_KINDS} or "refuse", at /kind'),
    ({"kind": None}, ", at /kind"),
    ({"kind": "status", "status": 503}, '"operation" is a required property'),
    ({"kind": "status", "operation": "whoami"}, '"status" is a required property'),
    ({"kind": "slow", "operation": "whoami"}, '"seconds" is a required property'),
    ({"kind": "slow", "seconds": 1}, '"operation" is a required property'),
    ({"kind": "garbage"}, '"operation" is a required property'),
    ({"kind": "cut_body"}, '"operation" is a required property'),
    ({"kind": "expires_in"}, '"operation" is a required property'),
    ({"kind": "refuse"}, '"seconds" is a required property'),
    ({**CUT, "operation": "whoAmI"}, f"the operation must be {OPERATIONS}, at /operation"),
    ({**CUT, "operation": "\ud800"}, f"the operation must be {OPERATIONS}, at /operation"),
    ({**CUT, "operation": None}, 'the value is not of type "string", at /operation'),
    ({**STATUS, "status": 199}, "the value is less than the minimum of 200, at /status"),
    ({**STATUS, "status": 600}, "the value is greater than the maximum of 599, at /status"),
    ({**STATUS, "status": 503.5}, 'the value is not of type "integer", at /status'),
    ({**STATUS, "status": "503"}, 'the value is not of type "integer", at /status'),
    ({**STATUS, "headers": []}, 'the value is not of type "object", at /headers'),
    ({**STATUS, "headers": {"Retry-After": 2}}, 'the value is not of type "string", at /headers/Retry-After'),
    ({**STATUS, "headers": {"A": "x\r\nB: y"}}, ", at /headers/A"),
    ({**STATUS, "headers": {"A": "x\n"}}, ", at /headers/A"),
    ({**STATUS, "headers": {"A": " x"}}, ", at /headers/A"),
    ({**STATUS, "headers": {"A": "\x00"}}, ", at /headers/A"),
    ({**STATUS, "headers": {"A": "\u0141"}}, ", at /headers/A"),
    ({**STATUS, "headers": {"A: x\r\nB": "y"}}, ", at /headers"),
    ({**STATUS, "headers": {"A\n": "y"}}, ", at /headers"),
    ({**STATUS, "headers": {"": "y"}}, ", at /headers"),
    ({**STATUS, "headers": {"content-LENGTH": "5"}}, "no value is allowed, at /headers/content-LENGTH"),
    ({**STATUS, "headers": {"Transfer-Encoding": "chunked"}}, "no value is allowed, at /headers/Transfer-Encoding"),
    ({**STATUS, "status": 204, "body": ""}, "no value is allowed, at /body"),
    ({**STATUS, "seconds": 1}, "('seconds' was unexpected)"),
    ({**SLOW, "seconds": 0}, "the value is less than or equal to the minimum of 0, at /seconds"),
    ({**SLOW, "seconds": 3601}, "the value is greater than the maximum of 3600, at /seconds"),
    ({**SLOW, "seconds": "1"}, 'the value is not of type "number", at /seconds'),
    ({**GARBAGE, "bytes": 0}, "the value is less than the minimum of 1, at /bytes"),
    ({**GARBAGE, "bytes": 2**26 + 1}, "the value is greater than the maximum of 67108864, at /bytes"),
    ({**EXPIRES, "operation": "whoami"}, '"issueToken" was expected, at /operation'),
    ({**EXPIRES, "value": None, "literal": "NaN"}, "no value is allowed, at /value"),
    ({**EXPIRES, "literal": 5}, 'the value is not of type "string", at /literal'),
    ({**EXPIRES, "literal": ""}, "the value is shorter than 1 character, at /literal"),
    ({**REFUSE, "operation": "whoami"}, "('operation' was unexpected)"),
    ({**REFUSE, "count": 1}, "('count' was unexpected)"),
    ({**REFUSE, "seconds": 3600.5}, "the value is greater than the maximum of 3600, at /seconds"),
    ({**REFUSE, "key": "k"}, "Additional properties are not allowed ('key' was unexpected)"),
    ({**STATUS, "when": "during"}, 'the value is not one of "before" or "after", at /when'),
    ({**SLOW, "when": None}, 'the value is not one of "before" or "after", at /when'),
    *[({**fault, "when": "after"}, "('when' was unexpected)") for fault in (PROGRESS, BEFORE, AFTER, DRIFT, CUT)],
    *[({**fault, "body": {}}, "('body' was unexpected)") for fault in (PROGRESS, BEFORE, AFTER)],
    *[({**fault, "seconds": 1}, "('seconds' was unexpected)") for fault in (BEFORE, AFTER, DRIFT)],
    ({"kind": "in_progress", "operation": "sendMessage"}, '"seconds" is a required property'),
    ({**PROGRESS, "seconds": 0}, "the value is less than or equal to the minimum of 0, at /seconds"),
    ({**PROGRESS, "operation": "whoami"}, "whoami does not declare Idempotency-Key, at /kind"),
    ({"kind": "drop_before"}, '"operation" is a required property'),
    ({"kind": "drop_after"}, '"operation" is a required property'),
    ({"kind": "drift"}, '"operation" is a required property'),
    ({**STATUS, "key": "k"}, "whoami does not declare Idempotency-Key, at /key"),
    ({**EXPIRES, "key": "k"}, "issueToken does not declare Idempotency-Key, at /key"),
    ({**PROGRESS, "key": ""}, "the value is shorter than 1 character, at /key"),
    ({**PROGRESS, "key": 1}, 'the value is not of type "string", at /key'),
    ({"script": [NONE]}, '"operation" is a required property'),
    ({**SCRIPT, "operation": "whoAmI"}, f"the operation must be {OPERATIONS}, at /operation"),
    ({**SCRIPT, "operation": "whoami", "key": "k"}, "whoami does not declare Idempotency-Key, at /key"),
    ({**SCRIPT, "key": None}, 'the value is not of type "string", at /key'),
    ({**SCRIPT, "kind": "drop_after"}, "('kind' was unexpected)"),
    ({**SCRIPT, "count": 1}, "('count' was unexpected)"),
    ({**SCRIPT, "rate": 0.5, "seed": 1}, "('rate', 'seed' were unexpected)"),
    ({**SCRIPT, "script": {}}, 'the value is not of type "array", at /script'),
    ({**SCRIPT, "script": []}, "the value has less than 1 item, at /script"),
    ({**SCRIPT, "script": [NONE] * 21}, "the value has more than 20 items, at /script"),
    *[
        ({**SCRIPT, "script": [NONE, step]}, reason)
        for step, reason in (
            ("none", 'the value is not of type "object", at /script/1'),
            ({}, '"kind" is a required property, at /script/1'),
            ({"kind": "explode"}, f'the value is not one of "none" or {ONE_OF_KINDS}, at /script/1/kind'),
            (REFUSE, f'the value is not one of "none" or {ONE_OF_KINDS}, at /script/1/kind'),
            ({**NONE, "seconds": 1}, "('seconds' was unexpected), at /script/1"),
            ({"kind": "drop_after", "operation": "sendMessage"}, "('operation' was unexpected), at /script/1"),
            ({"kind": "drop_after", "key": "k"}, "('key' was unexpected), at /script/1"),
            ({"kind": "drop_after", "count": 1}, "('count' was unexpected), at /script/1"),
            ({"kind": "drop_after", "rate": 1, "seed": 1}, "('rate', 'seed' were unexpected), at /script/1"),
            ({"kind": "status"}, '"status" is a required property, at /script/1'),
            ({"kind": "status", "status": 99}, "the value is less than the minimum of 200, at /script/1/status"),
            ({"kind": "status", "status": 204, "body": ""}, "no value is allowed, at /script/1/body"),
            ({"kind": "slow", "seconds": 1, "when": 1}, 'not one of "before" or "after", at /script/1/when'),
            ({"kind": "expires_in"}, '"issueToken" was expected, at /operation'),
        )
    ],
    ({**SCRIPT, "operation": "issueToken", "script": [EXPIRES]}, "('operation' was unexpected), at /script/0"),
    (
        {"operation": "whoami", "script": [NONE, {"kind": "in_progress", "seconds": 1}]},
        "whoami does not declare Idempotency-Key, at /script/1/kind",
    ),
    *[
        ({**fault, **frequency}, reason)
        for fault in (STATUS, SLOW, GARBAGE, CUT, EXPIRES, PROGRESS, BEFORE, AFTER, DRIFT)
        for frequency, reason in (
            ({"count": 0}, "the value is less than the minimum of 1, at /count"),
            ({"count": 1.5}, 'the value is not of type "integer", at /count'),
            ({"count": True}, 'the value is not of type "integer", at /count'),
            ({"rate": 0, "seed": 1}, "the value is less than or equal to the minimum of 0, at /rate"),
            ({"rate": 1.1, "seed": 1}, "the value is greater than the maximum of 1, at /rate"),
            ({"rate": 0.5}, '"seed" is a required property'),
            ({"seed": 1}, '"rate" is a required property'),
            ({"rate": 0.5, "seed": "1"}, 'the value is not of type "integer", at /seed'),
            ({"rate": 0.5, "seed": 1, "count": 1}, "no value is allowed, at /rate"),
            ({"counts": 1}, "('counts' was unexpected)"),
        )
    ],
]


@pytest.mark.parametrize(("fault", "reason"), BAD, ids=[json.dumps(fault) for fault, _ in BAD])
def test_bad_faults(client: httpx.Client, sandbox: Sandbox, fault: Any, reason: str) -> None:
    """What cannot be planned is refused with a sentence that says what and where, over HTTP as in process."""
    response = client.post("/_sandbox/faults", content=json.dumps(fault))
    assert (400, {"error"}) == (response.status_code, response.json().keys())
    sentence = response.json()["error"]
    assert (reason in sentence, sentence[-1]) == (True, "."), sentence
    if isinstance(fault, dict):
        with pytest.raises(ValueError, match=r"^The fault is invalid: ") as caught:
            sandbox.add_fault(fault)
        assert reason in str(caught.value)
    assert client.get(WHOAMI).json()["apiClientId"] == BASIC[0]
    assert "expires_in" in ask_token(client).text


@pytest.mark.parametrize("content", [b"", b"{", b'{"kind": NaN}', b"\xff", b" " * (2**20 + 1)])
def test_bad_json(client: httpx.Client, content: bytes) -> None:
    """What is not JSON, or too large, is refused like a fault that does not fit."""
    response = client.post("/_sandbox/faults", content=content)
    assert response.status_code == 400
    assert response.json()["error"].startswith("The request body is ")


@pytest.mark.parametrize("body", [object(), {1, 2}, b"x", float("nan"), {"deep": [float("inf")]}])
def test_bad_python(sandbox: Sandbox, body: Any) -> None:
    """What JSON cannot say is refused in process, too."""
    with pytest.raises(ValueError, match=r"^The fault is not JSON: .*\.$"):
        sandbox.add_fault({**STATUS, "body": body})


def test_fault_is_copied(client: httpx.Client, sandbox: Sandbox) -> None:
    """A fault is what it was when it was given, and may be planned before the server runs."""
    fault = {**STATUS, "body": {"list": [1]}}
    sandbox.add_fault(fault)
    fault["body"]["list"].append(2)
    fault["status"] = 200
    assert ((response := client.get(WHOAMI)).status_code, response.json()) == (503, {"list": [1]})
    early = Sandbox()
    early.add_fault(STATUS)
    with early, httpx.Client(base_url=early.url, trust_env=False) as other:
        assert statuses(other, 1) == [503]


def test_wrong_method(client: httpx.Client) -> None:
    """Faults are given and ended, nothing else."""
    assert client.get("/_sandbox/faults").status_code == 405
