"""The low-level clients against real servers: one attempt, a timeout, the client's own errors, no policy."""

import asyncio
import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from redcloud_core_client import models
from redcloud_core_client.client import AsyncClient, Client
from redcloud_core_client.errors import DriftedAnswer, ErrorAnswer, UnreadableAnswer
from redcloud_core_client.http_library import httpx

Call = Callable[..., Any]

HTML = (502, {"Content-Type": "text/html"}, b"<html><body>Bad Gateway</body></html>")
NUMBERS = json.dumps(
    {"numbers": [{"numberId": "num_1", "e164": "+1", "status": "ACTIVE", "smsEnabled": True, "mmsEnabled": True}]}
).encode()
JSON = {"Content-Type": "application/json"}


@pytest.fixture(params=["Client", "AsyncClient"])
def call(request: pytest.FixtureRequest) -> Call:
    """Call a method of one of the two clients: `call(url, method, options, **arguments)`."""

    def run(url: str, method: str, options: dict[str, Any] | None = None, /, **arguments: Any) -> Any:
        if request.param == "Client":
            with Client(url, **options or {}) as client:
                return getattr(client, method)(**arguments)

        async def go() -> Any:
            async with AsyncClient(url, **options or {}) as client:
                return await getattr(client, method)(**arguments)

        return asyncio.run(go())

    return run


def test_typed_answers(server: Any, call: Call) -> None:
    """An answer is the type that the document names, ready for the next request."""
    server.answer = (200, JSON, NUMBERS)
    numbers = call(server.url, "list_numbers")
    assert isinstance(numbers, models.NumberList)
    assert numbers.numbers[0].numberId == "num_1"
    assert [(seen.method, seen.target, seen.content) for seen in server.seen] == [("GET", "/api/core/numbers", b"")]


def test_what_leaves(server: Any, call: Call) -> None:
    """Method, path, headers and body arrive as the request says, below any base URL."""
    call(f"{server.url}/base/", "update_number", numberId="a/b", campaignregId=None)
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("PATCH", "/base/api/core/numbers/a%2Fb")
    assert (seen.headers["content-type"], json.loads(seen.content)) == ("application/json", {"campaignregId": None})


def test_authorization_on_secured_operations_only(server: Any, call: Call) -> None:
    """The caller's Authorization goes with operations that ask for it, and not to the token operation."""
    options = {"authorization": "Bearer hush", "headers": {"X-More": "1"}}
    server.answer = (200, JSON, NUMBERS)
    call(server.url, "list_numbers", options)
    server.answer = (200, JSON, b'{"access_token": "x"}')
    call(server.url, "issue_token", options, grant_type="client_credentials", client_id="a", client_secret="b")
    assert [seen.headers.get("authorization") for seen in server.seen] == ["Bearer hush", None]
    assert [seen.headers["x-more"] for seen in server.seen] == ["1", "1"]


def test_no_authorization_of_its_own(server: Any, call: Call) -> None:
    """Without Authorization the request leaves without, and the API's refusal is typed."""
    body = {"error": {"code": "UNAUTHORIZED", "message": "no", "details": {}}, "requestId": "req_auth_001"}
    server.answer = (401, JSON, json.dumps(body).encode())
    with pytest.raises(ErrorAnswer, match="HTTP 401") as error:
        call(server.url, "whoami")
    assert error.value.body == models.CoreErrorResponse(
        error=models.CoreError(code="UNAUTHORIZED", message="no", details={}), requestId="req_auth_001"
    )
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_timeout_by_default(kind: Any) -> None:
    """Both clients give up by themselves, whether anybody set a timeout or not."""
    default = inspect.signature(kind).parameters["timeout"].default
    assert 0 < default <= 60


def test_the_timeout_holds(silent_url: str, call: Call) -> None:
    """A server that never answers ends in the HTTP library's timeout."""
    with pytest.raises(httpx.ReadTimeout):
        call(silent_url, "whoami", {"timeout": 0.2})


def test_html_error(server: Any, call: Call) -> None:
    """A proxy's HTML page is an error answer with its status, and its bytes are kept."""
    server.answer = HTML
    with pytest.raises(ErrorAnswer, match="HTTP 502") as error:
        call(server.url, "search_numbers", city="Austin")
    assert (error.value.answer.status, error.value.body, error.value.documented) == (502, None, True)
    assert error.value.answer.content == HTML[2]
    assert error.value.answer.headers["content-type"] == "text/html"


@pytest.mark.parametrize("status", [402, 418, 429, 503, 599])
def test_undocumented_status(server: Any, call: Call, status: int) -> None:
    """A status that the document does not name is an error answer that says so."""
    server.answer = (status, JSON, b'{"error": {"code": "X", "message": "y", "details": {}}}')
    with pytest.raises(ErrorAnswer, match="does not name") as error:
        call(server.url, "whoami")
    assert (error.value.answer.status, error.value.documented, error.value.body) == (status, False, None)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308, 304])
def test_no_success_but_the_documented(server: Any, call: Call, status: int) -> None:
    """Another success and a redirect are error answers, and no redirect is followed."""
    server.answer = (status, {"Location": f"{server.url}/elsewhere"}, b"")
    with pytest.raises(ErrorAnswer) as error:
        call(server.url, "whoami")
    assert (error.value.answer.status, error.value.documented) == (status, False)
    assert [seen.target for seen in server.seen] == ["/api/core/whoami"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", "APPLICATION/JSON", ""])
def test_json_under_another_content_type(server: Any, call: Call, content_type: str) -> None:
    """JSON is read as the document types it, whatever the header calls it."""
    server.answer = (200, {"Content-Type": content_type}, NUMBERS)
    assert call(server.url, "list_numbers").numbers[0].e164 == "+1"


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", NUMBERS[:-1], b"\xff", b"\xef\xbb\xbf" + NUMBERS])
def test_unreadable_success(server: Any, call: Call, body: bytes) -> None:
    """A success whose body is no JSON is unreadable, with its status and bytes."""
    server.answer = (200, JSON, body)
    with pytest.raises(UnreadableAnswer, match="HTTP 200") as error:
        call(server.url, "list_numbers")
    assert not isinstance(error.value, DriftedAnswer)
    assert error.value.answer.content == body


def test_drifted_success(server: Any, call: Call) -> None:
    """A success of another shape is drift that names the path."""
    server.answer = (200, JSON, NUMBERS.replace(b'"num_1"', b"1"))
    with pytest.raises(DriftedAnswer, match=r"`\$\.numbers\[0\]\.numberId`"):
        call(server.url, "list_numbers")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"error": "text"}', b"\xff", b"[" * 100_000])
def test_errors_of_another_shape(server: Any, call: Call, body: bytes) -> None:
    """An error whose body is not as documented keeps its status, which is never hidden."""
    server.answer = (409, JSON, body)
    with pytest.raises(ErrorAnswer, match="HTTP 409") as error:
        call(
            server.url,
            "send_message",
            idempotency_key="k",
            sendFrom="n",
            to=["+1"],
            messageType="SMS",
            externalReference="o",
        )
    assert (error.value.body, error.value.documented, error.value.answer.content) == (None, True, body)


def test_token_errors_are_oauth(server: Any, call: Call) -> None:
    """The token operation's errors are of the other family."""
    server.answer = (401, JSON, b'{"error": "invalid_client", "error_description": "Client authentication failed"}')
    with pytest.raises(ErrorAnswer) as error:
        call(server.url, "issue_token", grant_type="client_credentials", client_id="a", client_secret="b")
    assert error.value.body == models.OAuthError(
        error=models.OAuthErrorCode.invalid_client, error_description="Client authentication failed"
    )


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_repr_without_secrets(kind: Any) -> None:
    """The repr says where the API is, and nothing else."""
    client = kind("https://api.example.com/", authorization="Bearer hush", headers={"X-Key": "hush"})
    assert repr(client) == f"{kind.__name__}('https://api.example.com')"


def test_errors_show_no_bodies(server: Any, call: Call) -> None:
    """The error's text and its answer's repr show the status and no bytes of the body."""
    server.answer = (503, JSON, b'{"access_token": "hush"}')
    with pytest.raises(ErrorAnswer) as error:
        call(server.url, "issue_token", grant_type="client_credentials", client_id="a", client_secret="b")
    assert "hush" not in f"{error.value} {error.value!r} {error.value.answer!r}"
    assert "503" in repr(error.value.answer)


def test_both_clients_have_the_same_methods() -> None:
    """The two clients take the same keywords and return the same types, but for `await`."""

    def methods(kind: type) -> dict[str, str]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {name: str(inspect.signature(method)) for name, method in found if not name.startswith("_")}

    own = {"close", "aclose"}
    sync, asynchronous = methods(Client), methods(AsyncClient)
    assert {name: sync[name] for name in sync.keys() - own} == {
        name: asynchronous[name] for name in asynchronous.keys() - own
    }
    document = json.loads((files("redcloud_core_client") / "openapi.json").read_text())
    operations = [node for item in document["paths"].values() for node in item.values() if "operationId" in node]
    assert len(sync) == len(operations) + 1, "and close()"
    assert all(inspect.iscoroutinefunction(getattr(AsyncClient, name)) for name in asynchronous)


def test_undocumented_range_and_text(shop: str, server: Any) -> None:
    """A status range, a text body, an answer without body and the default answer are read as documented."""
    errors = importlib.import_module(f"{shop}.errors")
    with importlib.import_module(f"{shop}.client").Client(server.url) as client:
        server.answer = (204, {}, b"")
        assert client.add_note(orderId=1, body="x") is None
        server.answer = (418, {"Content-Type": "text/plain"}, "caf\u00e9".encode())
        with pytest.raises(errors.ErrorAnswer) as error:
            client.add_note(orderId=1, body="x")
        assert (error.value.body, error.value.documented) == ("caf\u00e9", True)
        server.answer = (503, {"Content-Type": "application/problem+json"}, b'{"street": "Main"}')
        with pytest.raises(errors.ErrorAnswer) as error:
            client.put_order(orderId="1", address={"street": "Main"}, lines=[{"sku": "a", "quantity": 1}])
        assert (error.value.body.street, error.value.documented) == ("Main", True)


@pytest.mark.parametrize("name", ["redcloud_core_client", "redcloud_core_client.models"])
def test_importing_is_light(name: str) -> None:
    """Importing the package, or the door to its models, loads no library that it stands on."""
    heavy = "{'httpx', 'msgspec', 'attrs', 'attr', 'asyncio', 'dateutil'}"
    code = f"import sys, {name}; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_models_are_lazy_and_complete() -> None:
    """The door to the models names all of them, sorted, gives each, and refuses others as modules do."""
    assert sorted(models.__all__) == models.__all__ == dir(models)
    assert {getattr(models, name).__name__ for name in models.__all__} - set(models.__all__) <= {"dict"}
    with pytest.raises(AttributeError, match=r"models' has no attribute 'Numbr'"):
        models.Numbr  # noqa: B018
