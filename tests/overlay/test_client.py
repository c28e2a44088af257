"""What both clients do, against the sandbox and a scripted server; what only `RedCloud` does."""

import asyncio
import copy
import inspect
import json
import pickle
import pydoc
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from redcloud_core import (
    AsyncRedCloud,
    BadRequestError,
    ConnectError,
    InvalidCallError,
    InvalidClientError,
    RedCloud,
    TokenUnavailableError,
    TransportError,
    contract,
)
from redcloud_core.models import UNSET, MessageMediaInput, MessageType
from redcloud_core.sandbox import Sandbox

TOKEN, WHOAMI, SEND = "/api/auth/token", "/api/core/whoami", "/api/core/messages/send"
CLIENTS = [RedCloud, AsyncRedCloud]
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]
LIST_BODY: dict[str, Any] = {"numbers": []}

# The operations, at the sandbox


def test_whoami(connect: Any, sandbox: Sandbox) -> None:
    """`whoami` tells who the client is, with nested objects typed."""
    who = connect(sandbox.url).whoami()
    assert (who.apiClientId, who.assignedNumbers.total) == ("rc_test_client_123", 4)


def test_list_numbers(connect: Any, sandbox: Sandbox) -> None:
    """`list_numbers` tells a campaign, no campaign and an override that is not there apart."""
    numbers = {number.numberId: number for number in connect(sandbox.url).list_numbers().numbers}
    assert numbers["num_abc123"].campaignRegId == "A1B2C3"
    assert numbers["num_no_campaign"].campaignRegId is None
    assert numbers["num_sms_only"].webhookInboundOverride is UNSET


def test_search_numbers(connect: Any, sandbox: Sandbox) -> None:
    """`search_numbers` finds by the filters that are given, and all without any."""
    client = connect(sandbox.url)
    assert client.search_numbers(city="Austin").providerResultCount == 2
    assert client.search_numbers(npa="999").groups == []
    assert client.search_numbers().providerResultCount == 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "A1B2C3"), ({"campaignregId": None, "clear_campaign": True}, None), ({"campaignregId": "Z9"}, "Z9")],
    ids=["unset", "null", "value"],
)
def test_update_number(connect: Any, sandbox: Sandbox, given: dict[str, Any], expected: str | None) -> None:
    """`update_number` leaves unset fields as they are, clears with None, and sets values."""
    client = connect(sandbox.url)
    client.update_number(numberId="num_abc123", mmsEnabled=False, **given)
    number = client.list_numbers().numbers[0]
    assert (expected, False, True) == (number.campaignRegId, number.mmsEnabled, number.smsEnabled)


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, {}), ({"webhookInboundOverride": None, "smsEnabled": False}, None), ({"smsEnabled": UNSET}, {})],
)
def test_update_number_on_the_wire(
    connect: Any, server: Any, script: Any, given: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    """What is unset is not in the body, null and false are."""
    server.answer("/api/core/numbers/num_1", script())
    connect(server.url).update_number(numberId="num_1", **given)
    assert (given if expected is None else expected) == json.loads(server.api_requests[0].body)


def test_path_value_is_one_segment(connect: Any, server: Any, script: Any) -> None:
    """An id with characters that mean something in a URL reaches the server percent-encoded, once."""
    server.answer("/api/core/numbers/a%2Fb%20c%3Fd%23e%252F%2B1", script())
    connect(server.url).update_number(numberId="a/b c?d#e%2F+1")
    assert [200 for _ in server.requests("/api/core/numbers/a%2Fb%20c%3Fd%23e%252F%2B1")] == [200]


@pytest.mark.parametrize("message_type", ["SMS", MessageType.SMS])
def test_send_sms(connect: Any, sandbox: Sandbox, sms: dict[str, Any], message_type: Any) -> None:
    """An SMS is queued; the type may be the member or its text."""
    receipt = connect(sandbox.url).send_message(**{**sms, "messageType": message_type}, idempotency_key="idem_1")
    assert (receipt.key, receipt.results[0].to, receipt.results[0].status) == ("idem_1", "+15551230001", "QUEUED")
    assert (receipt.errors, receipt.drift, len(receipt.attempts)) == ([], None, 1)
    assert (receipt.attempts[0].outcome, receipt.attempts[0].may_have_been_received) == ("HTTP 202", True)
    (entry,) = sandbox.ledger()["sends"]
    assert [receipt.results[0].messageId] == entry["message_ids"]


@pytest.mark.parametrize(
    "media",
    [[{"url": "https://example.com/a.png"}], [MessageMediaInput(url="https://example.com/a.png", size=1)]],
    ids=["mapping", "named"],
)
def test_send_mms(connect: Any, sandbox: Sandbox, sms: dict[str, Any], media: Any) -> None:
    """An MMS takes media as plain mappings, made by the name of the schema or not."""
    message = {**sms, "messageType": MessageType.MMS, "media": media}
    connect(sandbox.url).send_message(**message, idempotency_key="idem_1")
    assert sandbox.ledger()["sends"][0]["message_type"] == "MMS"


def test_partial_acceptance(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A send that is accepted for some recipients is a receipt with both lists."""
    recipients = ["+15551230001", "+15550000000"]
    receipt = connect(sandbox.url).send_message(**{**sms, "to": recipients}, idempotency_key="idem_1")
    assert [result.to for result in receipt.results] == ["+15551230001"]
    assert "+15550000000" in repr(receipt.errors)
    assert sandbox.ledger()["sends"][0]["rejected"] == ["+15550000000"]


def test_replay(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """The same call with the same key gives the same message ids and sends once; another payload does not leave."""
    client = connect(sandbox.url)
    first, second = (client.send_message(**sms, idempotency_key="idem_1") for _ in range(2))
    assert first.results == second.results
    with pytest.raises(InvalidCallError, match="idempotency_key"):
        client.send_message(**{**sms, "text": "other"}, idempotency_key="idem_1")
    (entry,) = sandbox.ledger()["sends"]
    assert (entry["attempts"], len(entry["message_ids"])) == (2, 1)


def test_base_url_with_a_path(connect: Any, server: Any, script: Any) -> None:
    """A base URL may hold a path, with or without a slash at its end."""
    server.answer("/gate/api/auth/token", script(body={"access_token": "tok"}))
    server.answer("/gate/api/core/whoami", script(body=WHOAMI_BODY))
    assert connect(f"{server.url}/gate/").whoami().apiClientStatus == "ACTIVE"


# Life: with and without `with`, closing, sharing


def test_with_block(sandbox: Sandbox, credentials: dict[str, str]) -> None:
    """A `with` block gives the client itself and closes it."""
    with RedCloud(sandbox.url, **credentials) as client:
        assert client.whoami().apiClientStatus == "ACTIVE"
    with pytest.raises(RuntimeError, match="this RedCloud is closed"):
        client.whoami()


def test_closed_client_refuses(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """A closed client refuses to call, says so, and nothing leaves; closing twice is fine."""
    client = connect(server.url)
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.send_message(**sms, idempotency_key="idem_1")
    assert server.seen == []


def test_threads_share(sandbox: Sandbox, credentials: dict[str, str], sms: dict[str, Any]) -> None:
    """32 threads share one client, one token and each get their own answer."""
    start = threading.Barrier(32)

    def send(number: int) -> str:
        start.wait()
        key = f"idem_{number}"
        assert client.send_message(**{**sms, "to": [f"+1555123{number:04}"]}, idempotency_key=key).key == key
        return client.whoami().apiClientId

    with RedCloud(sandbox.url, **credentials) as client, ThreadPoolExecutor(32) as pool:
        assert len(list(pool.map(send, range(32)))) == 32
    ledger = sandbox.ledger()
    assert (ledger["token_requests"], len(ledger["sends"])) == (1, 32)
    assert all(entry["recipients"] == [f"+1555123{int(entry['key'][5:]):04}"] for entry in ledger["sends"])


_FORKING = """
import os, sys
from redcloud_core import RedCloud
client = RedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123")
client.whoami()
pid = os.fork()
if pid == 0:
    for _ in range(3):
        client.whoami()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
client.whoami()
client.close()
"""


def test_fork(server: Any, script: Any) -> None:
    """A child uses the client that it inherits, over a connection of its own, while the parent's goes on."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    command = [sys.executable, "-W", "ignore", "-c", _FORKING, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    first, *childs, last = [seen.connection for seen in server.requests(WHOAMI)]
    assert (first, 1) == (last, len(set(childs)))
    assert first not in childs


_UNCLOSED = """
import sys
from redcloud_core import RedCloud
for _ in range(2):
    RedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123").whoami()
"""


def test_unclosed_client_leaves_no_warning(sandbox: Sandbox) -> None:
    """A client that nobody closes leaves no unclosed socket behind."""
    command = [sys.executable, "-W", "error", "-c", _UNCLOSED, sandbox.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# with_options


def test_copy_shares_token_and_connection(connect: Any, server: Any, script: Any) -> None:
    """A copy uses the token and the connection of its original, and leaves them open when it is closed."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = connect(server.url)
    client.whoami()
    before = server.connections
    changed = client.with_options(headers={"X-Team": "billing"}, timeout=7)
    changed.whoami()
    changed.close()
    client.whoami()
    assert (1, before) == (server.token_requests, server.connections)
    assert [seen.header("X-Team") for seen in server.requests(WHOAMI)] == [None, "billing", None]


def test_copy_in_a_with_block(sandbox: Sandbox, credentials: dict[str, str]) -> None:
    """A `with` block around a copy leaves the original usable."""
    with RedCloud(sandbox.url, **credentials) as client:
        with client.with_options(timeout=5) as changed:
            changed.whoami()
        assert client.whoami().apiClientStatus == "ACTIVE"


def test_copy_of_a_closed_client_refuses(connect: Any, server: Any) -> None:
    """When the original is closed its copies refuse as well: their connections are gone."""
    client = connect(server.url)
    changed = client.with_options(timeout=5)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        changed.whoami()
    assert server.seen == []


def test_options_add_up(connect: Any, server: Any, script: Any) -> None:
    """Headers of the constructor and of each copy add up; a later one wins, in whatever case it is spelled."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = connect(server.url, headers={"X-One": "1"})
    client.with_options(headers={"X-Two": "2"}).with_options(headers={"x-one": "11"}).whoami()
    (seen,) = server.requests(WHOAMI)
    assert (seen.header("X-One"), seen.header("X-Two")) == ("11", "2")


def test_user_agent(connect: Any, server: Any, script: Any) -> None:
    """Every request names the SDK and the versions; a caller may replace it."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = connect(server.url)
    client.whoami()
    assert all(str(seen.header("User-Agent")).startswith("redcloud-core/") for seen in server.seen)
    client.with_options(headers={"user-agent": "mine"}).whoami()
    assert server.requests(WHOAMI)[-1].header("User-Agent") == "mine"


def test_timeout(connect: Any, server: Any, script: Any) -> None:
    """A copy with a short timeout gives up on an answer that does not come; the original is patient."""
    server.answer(WHOAMI, script(fault="hang"))
    client = connect(server.url)
    with pytest.raises(TransportError, match=r"no byte came for 0\.1 s"):
        client.with_options(timeout=0.1).whoami()


def test_deadline(connect: Any, server: Any, script: Any) -> None:
    """The deadline ends a call whose body goes on and on, which no timeout between bytes would."""
    server.answer(WHOAMI, script(body=b"{", fault="drip"))
    client = connect(server.url, deadline=0.3)
    with pytest.raises(Exception, match="deadline"):
        client.whoami()


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "Content-Type", "HOST", "Idempotency-Key", "Content-Length"]
)
@pytest.mark.parametrize("kind_of_client", CLIENTS)
def test_own_headers_are_refused(kind_of_client: Any, credentials: dict[str, str], name: str) -> None:
    """Headers that the SDK sets itself are refused by name, in the constructor and in `with_options`."""
    with pytest.raises(ValueError, match=f"headers: {name} is set by the SDK"):
        kind_of_client("https://api.example.com", **credentials, headers={name: "x"})
    with pytest.raises(ValueError, match=f"headers: {name} is set by the SDK"):
        kind_of_client("https://api.example.com", **credentials).with_options(headers={name: "x"})


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "a\r\nX-B: b"}, {"X-A\n": "a"}, {"X-A": "ä"}, {"": "a"}, {"X A": "a"}, {"X-A": "\0"}, {"X:A": "a"}],
)
def test_broken_headers_are_refused(headers: dict[str, str], credentials: dict[str, str]) -> None:
    """A header that could not be sent, or would smuggle another one in, is refused when it is given."""
    with pytest.raises(ValueError, match="headers: "):
        RedCloud("https://api.example.com", **credentials, headers=headers)


@pytest.mark.parametrize("value", [" a", "a ", "", "a b"])
def test_headers_that_are_taken_can_be_sent(connect: Any, server: Any, script: Any, value: str) -> None:
    """A header value is refused when it is given, or it is sent: it never fails in the middle of a call."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    try:
        client = connect(server.url, headers={"X-A": value})
    except ValueError:
        return
    assert client.whoami().apiClientStatus == "ACTIVE"
    assert server.requests(WHOAMI)[0].header("X-A") == value


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), -0.0, None, "30", True])
@pytest.mark.parametrize("option", ["timeout", "deadline"])
def test_bad_seconds_are_refused(option: str, value: Any, credentials: dict[str, str]) -> None:
    """What is no positive number of seconds is refused by the name of the option."""
    client = RedCloud("https://api.example.com", **credentials)
    with pytest.raises((ValueError, TypeError), match=f"{option}: must be a positive number of seconds"):
        client.with_options(**{option: value})
    with pytest.raises((ValueError, TypeError), match=f"{option}: must be a positive number of seconds"):
        RedCloud("https://api.example.com", **credentials, **{option: value})


@pytest.mark.parametrize("kind_of_client", CLIENTS)
def test_unknown_options_are_type_errors(
    kind_of_client: Any, credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped option is Python's TypeError that names it, wherever options are taken."""
    monkeypatch.setenv("REDCLOUD_BASE_URL", "https://api.example.com")
    monkeypatch.setenv("REDCLOUD_CLIENT_ID", "id")
    monkeypatch.setenv("REDCLOUD_CLIENT_SECRET", "secret")
    for make in (
        lambda: kind_of_client("https://api.example.com", **credentials, time_out=3),
        lambda: kind_of_client("https://api.example.com", **credentials).with_options(time_out=3),
        lambda: kind_of_client.from_env(time_out=3),
    ):
        with pytest.raises(TypeError, match="time_out"):
            make()


# What a client is


@pytest.mark.parametrize("kind_of_client", CLIENTS)
def test_repr(kind_of_client: Any) -> None:
    """The repr shows base URL and client id, nothing else, of copies too."""
    client = kind_of_client("https://api.example.com/", client_id="id_1", client_secret="s3cr3t", headers={"X": "y"})
    expected = f"{kind_of_client.__name__}('https://api.example.com', client_id='id_1')"
    assert expected == repr(client) == str(client)
    assert expected == repr(client.with_options(timeout=1))


@pytest.mark.parametrize("kind_of_client", CLIENTS)
@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.deepcopy])
def test_pickle_is_refused(kind_of_client: Any, duplicate: Callable[[Any], Any], credentials: dict[str, str]) -> None:
    """A client cannot be pickled or copied in depth: it holds a secret and connections, and says so."""
    with pytest.raises(TypeError, match="holds a secret"):
        duplicate(kind_of_client("https://api.example.com", **credentials))


def _public(kind_of_client: type) -> dict[str, Any]:
    members = inspect.getmembers(kind_of_client, inspect.isfunction)
    return {name: member for name, member in members if not name.startswith("_")}


def test_equal_methods() -> None:
    """Both clients have the same methods with equal signatures and docstrings; only closing differs."""
    plain, asynchronous = _public(RedCloud), _public(AsyncRedCloud)
    assert {"close"} == plain.keys() - asynchronous.keys()
    assert {"aclose"} == asynchronous.keys() - plain.keys()
    shared = plain.keys() & asynchronous.keys()
    assert shared >= {"whoami", "list_numbers", "search_numbers", "update_number", "send_message", "with_options"}
    for name in shared:
        assert inspect.signature(plain[name]) == inspect.signature(asynchronous[name]), name
        assert inspect.getdoc(plain[name]) == inspect.getdoc(asynchronous[name]), name
        assert name in ("with_options", "token_state") or inspect.iscoroutinefunction(asynchronous[name]), name


@pytest.mark.parametrize("kind_of_client", CLIENTS)
def test_send_message_shows_its_fields(kind_of_client: Any) -> None:
    """`inspect.signature` and `help()` show the document's fields, the required ones without a default."""
    schema = contract()["components"]["schemas"]["SendMessageRequest"]
    parameters = dict(inspect.signature(kind_of_client.send_message).parameters)
    assert {"self", "idempotency_key", *schema["properties"]} == parameters.keys()
    without_default = {name for name, found in parameters.items() if found.default is inspect.Parameter.empty}
    assert {"self", "idempotency_key", *schema["required"]} == without_default
    shown = pydoc.render_doc(kind_of_client.send_message, renderer=pydoc.plaintext)
    assert all(f"{name}:" in shown for name in schema["properties"])


# Environment

OWN = {"REDCLOUD_BASE_URL": "https://own.example.com", "REDCLOUD_CLIENT_ID": "own", "REDCLOUD_CLIENT_SECRET": "s1"}
QUICKSTART = {"BASE_URL": "https://quick.example.com", "RC_CLIENT_ID": "quick", "RC_CLIENT_SECRET": "s2"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any of the variables."""
    for name in {**OWN, **QUICKSTART}:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("kind_of_client", CLIENTS)
@pytest.mark.parametrize(
    ("variables", "expected"),
    [(OWN, "own"), (QUICKSTART, "quick"), ({**OWN, **QUICKSTART}, "own")],
    ids=["own", "quickstart", "both"],
)
def test_from_env(
    environment: pytest.MonkeyPatch, kind_of_client: Any, variables: dict[str, str], expected: str
) -> None:
    """Each family of variables makes a client; the SDK's own comes first."""
    for name, value in variables.items():
        environment.setenv(name, value)
    assert f"https://{expected}.example.com', client_id='{expected}'" in repr(kind_of_client.from_env())


@pytest.mark.parametrize("family", [OWN, QUICKSTART], ids=["own", "quickstart"])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_from_env_names_what_is_missing(environment: pytest.MonkeyPatch, family: dict[str, str], position: int) -> None:
    """A missing or empty variable of the family is named, and the others are not."""
    missing = list(family)[position]
    for name, value in family.items():
        environment.setenv(name, "" if name == missing else value)
    with pytest.raises(ValueError, match=f"environment: {missing} must be set"):
        RedCloud.from_env()


def test_from_env_refuses_a_mixture(environment: pytest.MonkeyPatch) -> None:
    """A base URL of one family and credentials of the other are no client, and the secret is not in the message."""
    for name in ("BASE_URL", "REDCLOUD_CLIENT_ID", "REDCLOUD_CLIENT_SECRET"):
        environment.setenv(name, {**OWN, **QUICKSTART}[name])
    with pytest.raises(ValueError, match="REDCLOUD_BASE_URL must be set") as caught:
        RedCloud.from_env()
    assert "s1" not in str(caught.value)


def test_from_env_without_any(environment: pytest.MonkeyPatch) -> None:
    """Without any variable the message names what to set."""
    environment.setenv("BASE_URL", "https://everybody.example.com")
    with pytest.raises(ValueError, match=r"use REDCLOUD_BASE_URL, REDCLOUD_CLIENT_ID, REDCLOUD_CLIENT_SECRET"):
        RedCloud.from_env()


def test_from_env_passes_settings(environment: pytest.MonkeyPatch, server: Any, script: Any) -> None:
    """Settings reach the client that the environment makes."""
    for name, value in {**OWN, "REDCLOUD_BASE_URL": server.url}.items():
        environment.setenv(name, value)
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    with RedCloud.from_env(headers={"X-Team": "billing"}) as client:
        client.whoami()
    assert server.requests(WHOAMI)[0].header("X-Team") == "billing"


# Wrong input


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0:80",
        "http://[fe80::1]",
        "HTTP://api.example.com",
    ],
)
@pytest.mark.parametrize("kind_of_client", CLIENTS)
def test_plain_http_is_refused(kind_of_client: Any, url: str) -> None:
    """Plain http is for loopback only, and the message says why."""
    with pytest.raises(ValueError, match=r"^base_url: must begin with https://, since the secret .* in the clear"):
        kind_of_client(url, client_id="id", client_secret="s3cr3t")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1",
        "http://LOCALHOST",
        "http://127.0.0.1",
        "http://127.9.8.7:80",
        "http://[::1]:8080",
        "https://api.example.com",
        "https://api.example.com:8443/gate/",
        "HTTPS://api.example.com",
    ],
)
def test_urls_that_are_taken(url: str, credentials: dict[str, str]) -> None:
    """Loopback may be http, everything may be https, a port and a path may be there."""
    assert repr(url.rstrip("/")) in repr(RedCloud(url, **credentials))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "//api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///path",
        "https://user@api.example.com",
        "https://user:pa55@api.example.com",
        "https://@api.example.com",
        "https://api.example.com?a=b",
        "https://api.example.com?",
        "https://api.example.com#top",
        "https://api.example.com#",
        "https://api.example.com\n",
        "\thttps://api.example.com",
        "https://api.example\r\n.com",
        "https://api example.com",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https://[::1",
        "https://[nonsense]",
        "https://a..b",
        "https://api.example.com/\ud800",
        None,
        b"https://api.example.com",
    ],
)
@pytest.mark.parametrize("kind_of_client", CLIENTS)
def test_odd_urls_are_refused(kind_of_client: Any, url: Any) -> None:
    """What cannot be a base URL is refused at once, by name, without the credentials in it."""
    with pytest.raises((ValueError, TypeError), match=r"^base_url: must ") as caught:
        kind_of_client(url, client_id="id", client_secret="s3cr3t")
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize("value", ["", None, "pa55\r\nb", "pa55\n", "pa55\0", "pa55\x7f", 7, b"pa55"])
@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_odd_credentials_are_refused(name: str, value: Any, credentials: dict[str, str]) -> None:
    """Credentials that are empty, no text, or hold control characters are refused by name and not repeated."""
    with pytest.raises((ValueError, TypeError), match=f"^{name}: must ") as caught:
        RedCloud("https://api.example.com", **{**credentials, name: value})
    assert "pa55" not in str(caught.value)


def test_unreachable_host(connect: Any, unused_url: str, sms: dict[str, Any]) -> None:
    """Where nothing listens no token can be had: temporary, nothing was sent, the host and the reason are named."""
    with pytest.raises(TokenUnavailableError) as caught:
        connect(unused_url, attempts=2).send_message(**sms, idempotency_key="idem_1")
    error = caught.value
    assert error.temporary
    assert error.retry_at is not None
    assert [attempt.may_have_been_received for attempt in error.attempts] == [False, False]
    assert all(part in str(error) for part in (unused_url, "Connection refused", "not carried out"))


def test_api_that_died_after_the_token(connect: Any, sms: dict[str, Any]) -> None:
    """With a token in hand and nothing listening any more, the call ends in ConnectError: nothing left."""
    with Sandbox() as sandbox:
        client = connect(sandbox.url)
        client.whoami()
    with pytest.raises(ConnectError, match=r"Connection refused.*Nothing was sent") as caught:
        client.with_options(attempts=2).send_message(**sms, idempotency_key="idem_1")
    assert [attempt.may_have_been_received for attempt in caught.value.attempts] == [False, False]
    assert caught.value.temporary


def test_wrong_secret(connect: Any, sandbox: Sandbox) -> None:
    """A wrong secret is InvalidClientError; the message says what to check, and not the secret."""
    with pytest.raises(
        InvalidClientError, match=r"HTTP 401, invalid_client.*Check client_id and client_secret"
    ) as caught:
        connect(sandbox.url, client_secret="wr0ng").whoami()
    assert (caught.value.status, caught.value.error, caught.value.temporary) == (401, "invalid_client", False)
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize(
    ("method", "keywords", "words"),
    [
        ("send_message", {}, r"send_message\(\) missing 1 required keyword-only argument: 'idempotency_key'"),
        ("send_message", {"idempotency_key": "k"}, r"send_message\(\) missing .*'sendFrom'"),
        ("update_number", {}, r"update_number\(\) missing .*'numberId'"),
        ("update_number", {"numberId": "n", "smsenabled": True}, r"update_number\(\) got an unexpected .*'smsenabled'"),
        ("whoami", {"verbose": True}, r"whoami\(\) got an unexpected .*'verbose'"),
    ],
)
def test_wrong_keywords_are_type_errors(
    connect: Any, server: Any, method: str, keywords: dict[str, Any], words: str
) -> None:
    """A missing or unknown keyword is Python's TypeError that names the method; nothing reaches the server."""
    with pytest.raises(TypeError, match=words):
        getattr(connect(server.url), method)(**keywords)
    assert server.seen == []


def test_unknown_keyword_of_a_send(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """A mistyped field of a message is a TypeError that names method and field."""
    with pytest.raises(TypeError, match=r"send_message\(\) got an unexpected keyword argument 'sendfrom'"):
        connect(server.url).send_message(**sms, sendfrom="num_1", idempotency_key="idem_1")
    assert server.seen == []


def test_invalid_call_names_everything(connect: Any, server: Any) -> None:
    """A call that the document does not allow names all that is wrong, and not even a token is asked for."""
    with pytest.raises(InvalidCallError) as caught:
        connect(server.url).send_message(
            idempotency_key="idem\r\nX: y", sendFrom=7, to=[], messageType="FAX", media=[7], externalReference=None
        )
    error = caught.value
    places = [violation.place for violation in error.violations]
    assert {"idempotency_key", "sendFrom", "to", "messageType", "media[0]", "externalReference"} == set(places)
    assert all(place in str(error) for place in places)
    assert (error.temporary, error.attempts, server.seen) == (False, (), [])
    assert "nothing was sent" in str(error)


@pytest.mark.parametrize("number_id", ["", ".", ".."])
def test_path_values_that_change_the_path(connect: Any, server: Any, number_id: str) -> None:
    """An id that would be another path is refused."""
    with pytest.raises(InvalidCallError, match="numberId: must not be empty"):
        connect(server.url).update_number(numberId=number_id)
    assert server.seen == []


def test_refusal_of_the_api(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """What the API refuses is an error with its words, and nothing is queued."""
    with pytest.raises(BadRequestError, match="sendFrom must have campaignregId configured") as caught:
        connect(sandbox.url).send_message(**{**sms, "sendFrom": "num_no_campaign"}, idempotency_key="idem_1")
    assert str(caught.value.requestId).startswith("req_")
    assert sandbox.ledger()["sends"] == []


def test_loopback_needs_no_proxy(connect: Any, server: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http is for loopback: no proxy of the environment gets to see its secret and tokens."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    connect(sandbox.url).whoami()
    assert server.seen == []


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({"https_proxy": "http://{proxy}"}, True),
        ({"all_proxy": "{proxy}"}, True),
        ({"https_proxy": "http://{proxy}", "no_proxy": "other.example.com,127.0.0.1"}, False),
        ({"http_proxy": "http://{proxy}"}, False),
    ],
    ids=["https", "all, without a scheme", "but not before this host", "http alone"],
)
def test_proxy_of_the_environment(
    connect: Any, unused_url: str, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], asked: bool
) -> None:
    """The proxy that the environment names for https is asked for a way to the host, unless it is excepted."""
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    said: list[bytes] = []

    def listen() -> None:
        while said[-1:] != [b"end"]:
            connection, _ = listener.accept()
            with connection:
                said.append(connection.recv(4096).partition(b"\r\n")[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name, value in variables.items():
            monkeypatch.setenv(name, value.format(proxy=f"127.0.0.1:{listener.getsockname()[1]}"))
        listening = threading.Thread(target=listen)
        listening.start()
        with pytest.raises(TokenUnavailableError):
            connect(unused_url.replace("http://", "https://"), attempts=1).whoami()
        with socket.create_connection(listener.getsockname()) as last:
            last.sendall(b"end")
        listening.join()

    host = unused_url.removeprefix("http://")
    assert said == [*([f"CONNECT {host} HTTP/1.1".encode()] if asked else []), b"end"]


def test_transport_and_proxy_are_one_too_many(connect: Any) -> None:
    """A transport of the caller's would pass the proxy by, so both are refused."""
    transport = httpx.MockTransport(lambda _: httpx.Response(500))
    with pytest.raises(ValueError, match="give the proxy to the transport"):
        connect("https://api.example.com", transport=transport, proxy="http://127.0.0.1:9")


def test_a_transport_for_tests(sms: dict[str, Any]) -> None:
    """The HTTP library's own transport for tests, whose answers are read already, serves tokens and calls."""
    accepted = {"results": [{"to": "+15551234567", "messageId": "msg_1", "status": "QUEUED"}], "errors": []}

    def answer(request: httpx.Request) -> httpx.Response:
        token = request.url.path == "/api/auth/token"
        return httpx.Response(200, json={"access_token": "t"}) if token else httpx.Response(202, json=accepted)

    async def send() -> str:
        client = AsyncRedCloud(
            "https://api.example.com", client_id="a", client_secret="b", transport=httpx.MockTransport(answer)
        )
        async with client:
            return (await client.send_message(**sms, idempotency_key="idem_1")).results[0].messageId

    with RedCloud(
        "https://api.example.com", client_id="a", client_secret="b", transport=httpx.MockTransport(answer)
    ) as client:
        assert client.send_message(**sms, idempotency_key="idem_1").results[0].messageId == "msg_1"
    assert asyncio.run(send()) == "msg_1"
