"""The sandbox as a real server, judged by plain HTTP and by openapi-core's reading of the document."""

import json
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import Any, cast
from urllib.parse import quote_plus

import httpx
import jsonschema_rs
import pytest
from openapi_core import OpenAPI
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.response.exceptions import InvalidData

from redcloud_core import contract
from redcloud_core.sandbox import Sandbox

BASIC = ("rc_test_client_123", "rc_secret_abc123")
CREDENTIALS = {"client_id": BASIC[0], "client_secret": BASIC[1]}
JSON = {"Content-Type": "application/json"}
GRANT = {"grant_type": "client_credentials"}
SMS: dict[str, Any] = {
    "sendFrom": "num_abc123",
    "to": ["+15551230001"],
    "messageType": "SMS",
    "text": "Hello from Red Cloud",
    "externalReference": "order_789",
}
MMS = {**SMS, "messageType": "MMS", "media": [{"url": "https://example.com/media/hello.png", "size": 1}]}


class Clock:
    """A clock that goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@cache
def document() -> OpenAPI:
    return OpenAPI.from_dict(cast("Any", contract()))


def check_answer(response: httpx.Response) -> None:
    """Validate an answer against the document; it knows nothing of other routes, and nothing of 413."""
    response.read()
    request = MockRequest("https://api.example.com", response.request.method, response.request.url.path)
    content_type = response.headers.get("Content-Type", "")
    answer = MockResponse(response.content, response.status_code, dict(response.headers), content_type)
    if response.status_code != 413:
        with suppress(PathError):
            document().validate_response(request, answer)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    return server


@pytest.fixture
def stranger(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client without a token."""
    hooks = {"response": [check_answer]}
    with httpx.Client(base_url=sandbox.url, trust_env=False, verify=False, event_hooks=hooks) as client:
        yield client


@pytest.fixture
def client(stranger: httpx.Client) -> httpx.Client:
    """A client with a token."""
    stranger.headers["Authorization"] = f"Bearer {get_token(stranger)}"
    return stranger


def get_token(client: httpx.Client) -> str:
    return str(client.post("/api/auth/token", auth=BASIC, data=GRANT).raise_for_status().json()["access_token"])


def send(client: httpx.Client, message: Any = SMS, key: str | None = "idem_order_789") -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/core/messages/send", json=message, headers=headers)


def assert_refused(response: httpx.Response, status: int, code: str, message: str) -> None:
    """Assert a CORE error, its requestId included."""
    body = response.json()
    assert (status, {"code": code, "message": message, "details": {}}) == (response.status_code, body["error"])
    assert body["requestId"].startswith("req_")


def test_openapi_core_sees_a_wrong_answer() -> None:
    """The check behind every test here refuses an answer that breaks the document, and a status that it lacks."""
    request = httpx.Request("GET", "http://127.0.0.1/api/core/whoami")
    with pytest.raises(InvalidData):
        check_answer(httpx.Response(200, json={"apiClientId": 1}, request=request))
    with pytest.raises(ResponseNotFound):
        check_answer(httpx.Response(418, json={}, request=request))


# Tokens


@pytest.mark.parametrize(
    "request_arguments",
    [
        {"auth": BASIC, "data": GRANT},
        {"data": {**GRANT, **CREDENTIALS}},
        {"json": {**GRANT, **CREDENTIALS}},
        {
            "data": {**GRANT, **CREDENTIALS},
            "headers": {"Content-Type": "Application/X-WWW-Form-URLencoded; charset=utf-8"},
        },
    ],
    ids=["basic", "form", "json", "spelling-of-content-type"],
)
def test_token_takes_credentials(stranger: httpx.Client, request_arguments: dict[str, Any]) -> None:
    """Each documented way of presenting the credentials gives a bearer token that works."""
    response = stranger.post("/api/auth/token", **request_arguments)
    token = response.json()
    assert (response.status_code, token["token_type"], token["expires_in"]) == (200, "bearer", 3600)
    assert response.headers["Cache-Control"] == "no-store"
    authorization = {"Authorization": f"Bearer {token['access_token']}"}
    assert stranger.get("/api/core/whoami", headers=authorization).status_code == 200


def test_token_decodes_basic_credentials(stranger: httpx.Client) -> None:
    """Basic credentials are form-decoded after they are split, as RFC 6749 says."""
    encoded = quote_plus("rc_test") + "%5f" + "client_123", "rc%5Fsecret%5fabc123"
    assert stranger.post("/api/auth/token", auth=encoded, data=GRANT).status_code == 200


def test_tokens_differ(stranger: httpx.Client) -> None:
    """Two tokens are never the same."""
    assert get_token(stranger) != get_token(stranger)


WRONG = "Client authentication failed"
MISSING = "client_id and client_secret are required"
OTHER_GRANT = "Only client_credentials is supported"


@pytest.mark.parametrize(
    ("request_arguments", "status", "error", "description"),
    [
        ({"auth": (BASIC[0], "wrong"), "data": GRANT}, 401, "invalid_client", WRONG),
        ({"auth": ("wrong", BASIC[1]), "data": GRANT}, 401, "invalid_client", WRONG),
        ({"data": GRANT, "headers": {"Authorization": "Basic %%%"}}, 401, "invalid_client", WRONG),
        (
            {"content": json.dumps({**GRANT, **CREDENTIALS, "client_secret": "\ud800"}), "headers": JSON},
            401,
            "invalid_client",
            WRONG,
        ),
        ({"json": {**GRANT, **CREDENTIALS, "client_secret": 5}}, 400, "invalid_request", None),
        ({"data": GRANT}, 400, "invalid_request", MISSING),
        ({"json": GRANT}, 400, "invalid_request", MISSING),
        ({"json": {**GRANT, "client_id": BASIC[0]}}, 400, "invalid_request", MISSING),
        ({"data": {**GRANT, **CREDENTIALS, "client_secret": ""}}, 400, "invalid_request", MISSING),
        ({"json": {**GRANT, **CREDENTIALS, "client_secret": ""}}, 400, "invalid_request", MISSING),
        ({"auth": BASIC, "data": {"grant_type": "password"}}, 400, "unsupported_grant_type", OTHER_GRANT),
        ({"json": {**CREDENTIALS, "grant_type": 1}}, 400, "unsupported_grant_type", OTHER_GRANT),
        ({"auth": BASIC, "data": {"scope": "all"}}, 400, "invalid_request", "grant_type is required"),
        ({"auth": BASIC, "json": []}, 400, "invalid_request", "grant_type is required"),
        ({"auth": BASIC}, 400, "invalid_request", "A request body is required"),
        ({"auth": BASIC, "content": "x", "headers": {"Content-Type": "text/plain"}}, 400, "invalid_request", None),
        ({"auth": BASIC, "data": {"grant_type": ["client_credentials"] * 2}}, 400, "invalid_request", None),
        ({"json": {**GRANT, **CREDENTIALS, "x": "x" * 2**20}}, 413, "invalid_request", None),
    ],
)
def test_token_errors(
    stranger: httpx.Client, request_arguments: dict[str, Any], status: int, error: str, description: str | None
) -> None:
    """A refused token request is answered in OAuth style, and never echoes a secret."""
    response = stranger.post("/api/auth/token", **request_arguments)
    body = response.json()
    assert (status, error) == (response.status_code, body["error"])
    assert description in (None, body["error_description"])
    assert {"error", "error_description"} == body.keys()
    assert BASIC[1] not in response.text
    assert (status == 401) == ("WWW-Authenticate" in response.headers)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/core/whoami"),
        ("GET", "/api/core/numbers"),
        ("POST", "/api/core/numbers/search"),
        ("PATCH", "/api/core/numbers/num_abc123"),
        ("POST", "/api/core/messages/send"),
    ],
)
@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Bearer", "Basic {token}", "{token}"])
def test_core_needs_a_token(client: httpx.Client, method: str, path: str, authorization: str | None) -> None:
    """No CORE operation answers without a valid bearer token, whatever else is wrong with the request."""
    token = client.headers.pop("Authorization").removeprefix("Bearer ")
    headers = {} if authorization is None else {"Authorization": authorization.format(token=token)}
    response = client.request(method, path, headers=headers)
    assert_refused(response, 401, "UNAUTHORIZED", "Invalid or missing bearer token")


def test_bearer_in_any_case(client: httpx.Client) -> None:
    """The scheme of the Authorization header is case-insensitive."""
    client.headers["Authorization"] = client.headers["Authorization"].replace("Bearer", "bEARER")
    assert client.get("/api/core/whoami").status_code == 200


def test_token_expires(client: httpx.Client, clock: Clock) -> None:
    """A token lives for exactly its lifetime."""
    clock.now += 3599.9
    assert client.get("/api/core/whoami").status_code == 200
    clock.now += 0.1
    assert client.get("/api/core/whoami").status_code == 401


def test_token_lifetime_applies_from_now_on(client: httpx.Client, clock: Clock) -> None:
    """A new lifetime is told in `expires_in` and leaves older tokens alone."""
    assert client.post("/_sandbox/tokens", json={"lifetime": 2.5}).status_code == 204
    answer = client.post("/api/auth/token", auth=BASIC, data=GRANT).json()
    assert answer["expires_in"] == 2
    clock.now += 2.5
    assert client.get("/api/core/whoami").status_code == 200
    newer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert client.get("/api/core/whoami", headers=newer).status_code == 401


def test_tokens_are_revoked(client: httpx.Client) -> None:
    """Revoking refuses the tokens issued so far, not later ones."""
    assert client.post("/_sandbox/tokens", json={"revoke": True}).status_code == 204
    assert client.get("/api/core/whoami").status_code == 401
    client.headers["Authorization"] = f"Bearer {get_token(client)}"
    assert client.get("/api/core/whoami").status_code == 200


@pytest.mark.parametrize("over_http", [True, False], ids=["http", "in process"])
def test_keys_are_forgotten(client: httpx.Client, sandbox: Sandbox, over_http: bool) -> None:
    """A forgotten key is a new one; the ledger has both sends."""
    first = send(client).json()
    assert send(client).json() == first
    if over_http:
        response = client.post("/_sandbox/keys", json={"forget": True})
        assert (response.status_code, response.content) == (204, b"")
    else:
        sandbox.forget_keys()
    again = send(client, {**SMS, "text": "Something else"})
    assert (again.status_code, again.json()["results"][0]["messageId"]) == (202, "msg_000002")
    assert send(client).status_code == 409
    sends = sandbox.ledger()["sends"]
    assert [(entry["attempts"], entry["conflicts"]) for entry in sends] == [(2, 0), (1, 1)]
    assert len({entry["key"] for entry in sends}) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{}", "forget"),
        (b'{"forget": false}', "/forget"),
        (b'{"forget": true, "all": true}', "all"),
        (b" " * (2**20 + 1), "larger"),
    ],
)
def test_bad_key_settings(client: httpx.Client, content: bytes, reason: str) -> None:
    """A bad body is refused with a sentence that says what is wrong, and no key is forgotten."""
    first = send(client).json()
    response = client.post("/_sandbox/keys", content=content)
    assert response.status_code == 400
    schema_of("error").validate(response.json())
    assert reason in response.json()["error"]
    assert send(client).json() == first


# Identity and numbers


def test_whoami_counts_the_numbers(client: httpx.Client) -> None:
    """Whoami describes the documented client, and counts its numbers as they are now."""
    before = client.get("/api/core/whoami").json()
    assert (BASIC[0], "Red Cloud Test Client") == (before["apiClientId"], before["apiClientName"])
    assert before["assignedNumbers"] == {"total": 4, "smsEnabledCount": 4, "mmsEnabledCount": 3}
    client.patch("/api/core/numbers/num_abc123", json={"smsEnabled": False})
    after = client.get("/api/core/whoami").json()
    assert after["assignedNumbers"] == {"total": 4, "smsEnabledCount": 3, "mmsEnabledCount": 3}


def test_numbers_begin_with_the_documented_one(client: httpx.Client) -> None:
    """The first number is the document's example; another client's is not listed."""
    numbers = client.get("/api/core/numbers").json()["numbers"]
    example = contract()["paths"]["/api/core/numbers"]["get"]["responses"]["200"]["content"]["application/json"]
    assert example["examples"]["numbers"]["value"]["numbers"][0] == numbers[0]
    assert [each["numberId"] for each in numbers] == ["num_abc123", "num_sms_only", "num_no_campaign", "num_inactive"]


def test_numbers_without_values(client: httpx.Client) -> None:
    """A missing campaign is null, a missing override is absent, so that clients meet both."""
    number = client.get("/api/core/numbers").json()["numbers"][2]
    assert number["campaignRegId"] is None
    assert not number.keys() & {"webhookInboundOverride", "webhookDeliveryOverride"}


@pytest.mark.parametrize(
    ("filters", "count"),
    [({"npa": "555", "city": "austin", "state": "TX"}, 1), ({"state": "TX"}, 3), ({"npa": "999"}, 0)],
)
def test_search_filters(client: httpx.Client, filters: dict[str, str], count: int) -> None:
    """A search answers what fits all filters, in one group."""
    answer = client.post("/api/core/numbers/search", json=filters).json()
    assert (count, 250) == (answer["providerResultCount"], answer["requestedQuantity"])
    assert ([count] if count else []) == [len(group["numbers"]) for group in answer["groups"]]


def test_search_body_is_checked(client: httpx.Client) -> None:
    """A body that breaks the document is refused with its place."""
    response = client.post("/api/core/numbers/search", json={"npa": 555})
    message = 'Invalid request body: the value is not of type "string", at /npa'
    assert_refused(response, 400, "INVALID_REQUEST", message)


def test_update_changes_what_it_names(client: httpx.Client) -> None:
    """An update leaves out, clears and sets; the answer and the list show the number as it is now."""
    before = client.get("/api/core/numbers").json()["numbers"][0]
    update = {"campaignregId": "Z9", "webhookInboundOverride": None}
    after = client.patch("/api/core/numbers/num_abc123", json=update).json()
    del before["webhookInboundOverride"]
    assert {**before, "campaignRegId": "Z9"} == after
    assert after == client.get("/api/core/numbers").json()["numbers"][0]


def test_update_clears_the_campaign(client: httpx.Client) -> None:
    """A campaign set to null is gone, and the number cannot send."""
    response = client.patch("/api/core/numbers/num_abc123", json={"campaignregId": None})
    assert response.json()["campaignRegId"] is None
    assert_refused(send(client), 400, "INVALID_REQUEST", "sendFrom must have campaignregId configured")


def test_update_ignores_the_other_spelling(client: httpx.Client) -> None:
    """`campaignRegId` is no field of the request."""
    response = client.patch("/api/core/numbers/num_abc123", json={"campaignRegId": "Z9", "numberId": "x"})
    assert (response.json()["campaignRegId"], response.json()["numberId"]) == ("A1B2C3", "num_abc123")


@pytest.mark.parametrize(
    ("number_id", "body", "status", "code", "message"),
    [
        ("num_unknown", {}, 404, "NOT_FOUND", "Number not found"),
        ("num_foreign", {}, 403, "FORBIDDEN", "Number is not owned by this API client"),
        (
            "num_unknown",
            {"smsEnabled": None},
            400,
            "INVALID_REQUEST",
            'Invalid request body: the value is not of type "boolean", at /smsEnabled',
        ),
    ],
)
def test_update_errors(
    client: httpx.Client, number_id: str, body: dict[str, Any], status: int, code: str, message: str
) -> None:
    """An update of what is unknown, foreign or malformed is refused."""
    assert_refused(client.patch(f"/api/core/numbers/{number_id}", json=body), status, code, message)


# Sends


def test_send_is_queued(client: httpx.Client) -> None:
    """An SMS and an MMS are accepted, with message ids in order."""
    response = send(client)
    result = {"to": "+15551230001", "messageId": "msg_000001", "status": "QUEUED"}
    assert (202, {"results": [result], "errors": []}) == (response.status_code, response.json())
    assert send(client, MMS, "other").json()["results"][0]["messageId"] == "msg_000002"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in SMS.items() if key != name}


OWNED = "sendFrom is not owned by this API client"
INVALID = "Invalid request body: "


@pytest.mark.parametrize(
    ("message", "status", "text"),
    [
        ({**SMS, "sendFrom": "num_unknown"}, 403, OWNED),
        ({**SMS, "sendFrom": "num_foreign"}, 403, OWNED),
        ({**SMS, "sendFrom": "+15551234567"}, 403, OWNED),
        ({**SMS, "sendFrom": "num_inactive"}, 400, "sendFrom must be ACTIVE"),
        ({**SMS, "sendFrom": "num_no_campaign"}, 400, "sendFrom must have campaignregId configured"),
        ({**MMS, "sendFrom": "num_sms_only"}, 400, "sendFrom is not enabled for MMS"),
        ({**SMS, "media": MMS["media"]}, 400, "SMS cannot include media"),
        ({**SMS, "media": []}, 400, "SMS cannot include media"),
        ({**SMS, "messageType": "MMS"}, 400, "MMS requires media"),
        ({**MMS, "media": []}, 400, "MMS requires media"),
        (without("text"), 400, "SMS requires text"),
        ({**SMS, "text": ""}, 400, "SMS requires text"),
        *(
            ({**SMS, "to": ["+15551230001", recipient]}, 400, "Recipients must be E.164 phone numbers, at /to/1")
            for recipient in (
                "15551230001",
                "+05551230001",
                "+1",
                "+1234567890123456",
                "+1555\n",
                "+1555123000\u0661",
                "",
            )
        ),
        (without("to"), 400, f'{INVALID}"to" is a required property'),
        (without("externalReference"), 400, f'{INVALID}"externalReference" is a required property'),
        ({**SMS, "to": []}, 400, f"{INVALID}the value has less than 1 item, at /to"),
        ({**SMS, "to": "+15551230001"}, 400, f'{INVALID}the value is not of type "array", at /to'),
        ({**SMS, "messageType": "sms"}, 400, f'{INVALID}the value is not one of "SMS" or "MMS", at /messageType'),
        ({**SMS, "text": None}, 400, f'{INVALID}the value is not of type "string", at /text'),
        ([], 400, f'{INVALID}the value is not of type "object"'),
    ],
)
def test_send_rules(client: httpx.Client, sandbox: Sandbox, message: Any, status: int, text: str) -> None:
    """A broken rule is refused with its status and message, nothing is sent, and the key stays free."""
    code = {400: "INVALID_REQUEST", 403: "FORBIDDEN"}[status]
    assert_refused(send(client, message), status, code, text)
    assert sandbox.ledger()["sends"] == []
    assert send(client).status_code == 202


def test_sms_disabled(client: httpx.Client) -> None:
    """A number that is not enabled for SMS sends none, but MMS."""
    client.patch("/api/core/numbers/num_abc123", json={"smsEnabled": False})
    assert_refused(send(client), 400, "INVALID_REQUEST", "sendFrom is not enabled for SMS")
    assert send(client, MMS).status_code == 202


@pytest.mark.parametrize("key", [None, ""])
def test_send_needs_a_key(client: httpx.Client, key: str | None) -> None:
    """A missing key is refused before anything in the body."""
    response = send(client, {"sendFrom": 1}, key)
    assert_refused(response, 400, "INVALID_REQUEST", "Idempotency-Key header is required")


@pytest.mark.parametrize(
    "extra",
    ["", ",", "\xff", "NaN", "Infinity", "[" * 201 + "]" * 201, "[" * 900 + "]" * 900, "[" * 150_000 + "]" * 150_000],
    ids=["nothing", "comma", "latin-1", "nan", "infinity", "deep", "deeper", "deepest"],
)
def test_send_needs_json(client: httpx.Client, extra: str) -> None:
    """What is not JSON, or too deep to be read and compared, is a bad request and no internal error."""
    content = json.dumps({**SMS, "extra": "EXTRA"}).replace('"EXTRA"', extra).encode("latin-1")
    for _ in range(2):
        response = client.post("/api/core/messages/send", content=content, headers={"Idempotency-Key": "k", **JSON})
        assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_send_needs_the_content_type(client: httpx.Client, content_type: str | None) -> None:
    """A body of a content type that the document lacks is refused."""
    headers = {"Idempotency-Key": "k"} | ({} if content_type is None else {"Content-Type": content_type})
    response = client.post("/api/core/messages/send", content=json.dumps(SMS), headers=headers)
    assert_refused(response, 400, "INVALID_REQUEST", "Content-Type must be application/json")


def test_lone_surrogates(client: httpx.Client) -> None:
    """JSON can escape what UTF-8 cannot hold: it is taken, stored and told without an internal error."""
    body = json.dumps({**SMS, "externalReference": "\ud800"})
    headers = {"Idempotency-Key": "k", **JSON}
    assert client.post("/api/core/messages/send", content=body, headers=headers).status_code == 202
    assert client.get("/_sandbox/ledger").json()["sends"][0]["external_reference"] == "\ud800"


def test_replay_is_equal_as_json(client: httpx.Client, sandbox: Sandbox) -> None:
    """The same payload in other bytes gets the stored answer again and sends nothing more."""
    first = send(client, MMS)
    reordered = json.dumps(dict(reversed(MMS.items())), indent=3).replace('"size": 1', '"size": 1.0')
    headers = {"Idempotency-Key": "idem_order_789", **JSON}
    again = client.post("/api/core/messages/send", content=reordered, headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert [entry["attempts"] for entry in sandbox.ledger()["sends"]] == [2]


def test_replay_outlives_the_rules(client: httpx.Client) -> None:
    """An accepted send is replayed even if its number could not send any more."""
    first = send(client)
    client.patch("/api/core/numbers/num_abc123", json={"campaignregId": None})
    assert first.json() == send(client).json()


@pytest.mark.parametrize(
    "message",
    [
        {**MMS, "text": "Other"},
        {**MMS, "media": [{**MMS["media"][0], "size": True}]},
        {**MMS, "media": MMS["media"] * 2},
        {**MMS, "extra": None},
        SMS,
        {**MMS, "to": ["none"]},
    ],
)
def test_conflict(client: httpx.Client, sandbox: Sandbox, message: dict[str, Any]) -> None:
    """A key that was accepted with another payload is a conflict, and the first send stays as it is."""
    send(client, MMS)
    assert_refused(send(client, message), 409, "CONFLICT", "Idempotency-Key was already used with a different payload")
    assert [(entry["key"], entry["attempts"]) for entry in sandbox.ledger()["sends"]] == [("idem_order_789", 1)]


def test_partial_acceptance(client: httpx.Client) -> None:
    """An unreachable recipient ends in `errors`, the others are queued; a repeat gets the same."""
    message = {**SMS, "to": ["+15551230001", "+15550000000", "+15551230002"]}
    response = send(client, message)
    answer = response.json()
    error = {"code": "INVALID_REQUEST", "message": "Recipient cannot be reached"}
    assert (202, [{"to": "+15550000000", "error": error}]) == (response.status_code, answer["errors"])
    assert [(result["to"], result["messageId"]) for result in answer["results"]] == [
        ("+15551230001", "msg_000001"),
        ("+15551230002", "msg_000002"),
    ]
    assert answer == send(client, message).json()


def test_nobody_reachable(client: httpx.Client, sandbox: Sandbox) -> None:
    """A send that reaches nobody is accepted all the same, with no message."""
    response = send(client, {**SMS, "to": ["+15550009999"]})
    assert (response.status_code, response.json()["results"]) == (202, [])
    assert sandbox.ledger()["sends"][0]["rejected"] == ["+15550009999"]


def test_concurrent_sends_have_one_effect(client: httpx.Client, sandbox: Sandbox) -> None:
    """Many requests at once with one key queue one message, and all get its id."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: send(client).text, range(64)))
    assert len(set(answers)) == 1
    assert [(entry["message_ids"], entry["attempts"]) for entry in sandbox.ledger()["sends"]] == [(["msg_000001"], 64)]


def test_concurrent_payloads_have_one_winner(client: httpx.Client, sandbox: Sandbox) -> None:
    """Of many payloads at once with one key one is accepted, the others conflict."""
    messages = [{**SMS, "text": str(number)} for number in range(32)]
    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(lambda message: send(client, message).status_code, messages))
    assert statuses == [202] + [409] * 31
    assert len(sandbox.ledger()["sends"]) == 1


# Routes


def test_unknown_route(stranger: httpx.Client) -> None:
    """An unknown path is NOT_FOUND in the CORE wrapper, with or without a token."""
    for path in ("/", "/api/core/nope", "/api/core/whoami/"):
        assert_refused(stranger.get(path), 404, "NOT_FOUND", "Route not found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/auth/token", {"POST"}),
        ("POST", "/api/core/whoami", {"GET", "HEAD"}),
        ("GET", "/api/core/numbers/search", {"POST"}),
        ("DELETE", "/api/core/numbers/num_abc123", {"PATCH"}),
    ],
)
def test_wrong_method(stranger: httpx.Client, method: str, path: str, allow: set[str]) -> None:
    """A method that a path lacks is 405 in the CORE wrapper, and Allow names the others."""
    response = stranger.request(method, path)
    assert_refused(response, 405, "INVALID_REQUEST", "Method not allowed")
    assert allow == set(response.headers["Allow"].split(", "))


def test_too_large(client: httpx.Client) -> None:
    """A body over 1 MiB is refused, one of 1 MiB is read."""
    size = 2**20 - len(json.dumps({"npa": ""}, separators=(",", ":")))
    response = client.post("/api/core/numbers/search", json={"npa": "x" * (size + 1)})
    assert_refused(response, 413, "INVALID_REQUEST", "The request body is larger than 1048576 bytes")
    assert client.post("/api/core/numbers/search", json={"npa": "x" * size}).status_code == 200


def test_request_ids_differ(stranger: httpx.Client) -> None:
    """Each error has a request id of its own."""
    assert [stranger.get("/").json()["requestId"] for _ in range(2)] == ["req_000001", "req_000002"]


@pytest.mark.parametrize("operation", ["whoami", "token"])
def test_internal_errors(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    """An unexpected failure is told in the operation's own style, its traceback stays in the log."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("redcloud_core.sandbox._state.State.whoami", fail)
    monkeypatch.setattr("redcloud_core.sandbox._state.State.issue_token", fail)
    if operation == "whoami":
        response = client.get("/api/core/whoami")
        assert_refused(response, 500, "SERVER_ERROR", "Internal server error")
    else:
        response = client.post("/api/auth/token", auth=BASIC, data=GRANT)
        assert (response.status_code, response.json()["error"]) == (500, "server_error")
    assert "planted" not in response.text
    assert "planted" in caplog.text
    assert BASIC[1] not in caplog.text


# Control routes


def schema_of(name: str) -> jsonschema_rs.Draft202012Validator:
    text = files("redcloud_core.sandbox").joinpath("schemas", f"{name}.json").read_text()
    jsonschema_rs.meta.validate(json.loads(text))
    return jsonschema_rs.Draft202012Validator(json.loads(text))


def test_ledger(client: httpx.Client, sandbox: Sandbox) -> None:
    """The ledger tells token requests and accepted sends, over HTTP as in process, and fits its schema."""
    client.post("/api/auth/token", auth=("wrong", "wrong"), data=GRANT)
    send(client, {**SMS, "to": ["+15551230001", "+15550000000"]}, "first")
    send(client, {**MMS, "externalReference": "order_790"}, "second")
    send(client, {**MMS, "externalReference": "order_790"}, "second")
    send(client, SMS, "second")
    send(client, without("text"), "third")
    ledger = client.get("/_sandbox/ledger").json()
    schema_of("ledger").validate(ledger)
    assert ledger == sandbox.ledger()
    assert ledger == {
        "token_requests": 2,
        "sends": [
            {
                "key": "first",
                "send_from": "num_abc123",
                "message_type": "SMS",
                "external_reference": "order_789",
                "recipients": ["+15551230001"],
                "rejected": ["+15550000000"],
                "message_ids": ["msg_000001"],
                "attempts": 1,
                "conflicts": 0,
            },
            {
                "key": "second",
                "send_from": "num_abc123",
                "message_type": "MMS",
                "external_reference": "order_790",
                "recipients": ["+15551230001"],
                "rejected": [],
                "message_ids": ["msg_000002"],
                "attempts": 2,
                "conflicts": 1,
            },
        ],
    }


def test_reset(client: httpx.Client) -> None:
    """A reset makes everything as it was at the start: tokens, lifetime, numbers, keys and counters."""
    client.patch("/api/core/numbers/num_abc123", json={"smsEnabled": False})
    send(client, MMS)
    client.post("/_sandbox/tokens", json={"lifetime": 5})
    assert ((response := client.post("/_sandbox/reset")).status_code, response.content) == (204, b"")
    assert client.get("/api/core/whoami").status_code == 401
    assert client.get("/_sandbox/ledger").json() == {"token_requests": 0, "sends": []}
    token = client.post("/api/auth/token", auth=BASIC, data=GRANT).json()
    assert token["expires_in"] == 3600
    client.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert send(client).json()["results"][0]["messageId"] == "msg_000001"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "object"),
        (b"{}", "less than 1 property"),
        (b'{"lifetime": 0}', "/lifetime"),
        (b'{"lifetime": -1}', "/lifetime"),
        (b'{"lifetime": "5"}', "/lifetime"),
        (b'{"lifetime": true}', "/lifetime"),
        (b'{"lifetime": 1e999}', "/lifetime"),
        (b'{"revoke": false}', "/revoke"),
        (b'{"revoke": true, "lifetimes": 5}', "lifetimes"),
        (b" " * (2**20 + 1), "larger"),
    ],
)
def test_bad_token_settings(client: httpx.Client, content: bytes, reason: str) -> None:
    """A bad body is refused with a sentence that says what is wrong, and changes nothing."""
    response = client.post("/_sandbox/tokens", content=content)
    assert response.status_code == 400
    schema_of("error").validate(response.json())
    assert reason in response.json()["error"]
    assert client.get("/api/core/whoami").status_code == 200


def test_in_process_controls(client: httpx.Client, sandbox: Sandbox) -> None:
    """The methods of `Sandbox` do what the control routes do."""
    sandbox.set_token_lifetime(7)
    assert client.post("/api/auth/token", auth=BASIC, data=GRANT).json()["expires_in"] == 7
    sandbox.revoke_tokens()
    assert client.get("/api/core/whoami").status_code == 401
    with pytest.raises(ValueError, match="minimum"):
        sandbox.set_token_lifetime(0)
    assert (sandbox.client_id, sandbox.client_secret) == BASIC


# Any document


def changed_document() -> dict[str, Any]:
    """Return the document with two more operations and a new constraint."""
    changed = contract()
    changed["components"]["schemas"]["NumberSearch"]["required"] = ["npa"]
    changed["components"]["schemas"]["NumberSearch"]["properties"]["npa"]["pattern"] = "^[0-9]{3}$"
    changed["components"]["parameters"] = {
        "Limit": {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 10}}
    }
    example = {"application/json": {"schema": {}, "example": {"state": "SENT"}}}
    changed["paths"]["/api/core/tests/{message-id}"] = {
        "parameters": [{"$ref": "#/components/parameters/Limit"}],
        "get": {"operationId": "getMessage", "responses": {"203": {"description": "It.", "content": example}}},
        "delete": {"operationId": "deleteMessage", "responses": {"204": {"description": "Gone."}}},
    }
    return changed


def test_another_document() -> None:
    """A new operation and a new constraint are enforced without code; the answer is the document's example."""
    with Sandbox(document=changed_document()) as sandbox, httpx.Client(base_url=sandbox.url, trust_env=False) as client:
        path = "/api/core/tests/msg_1"
        assert client.get(path, params={"limit": 5}).status_code == 401
        client.headers["Authorization"] = f"Bearer {get_token(client)}"
        assert_refused(client.get(path), 400, "INVALID_REQUEST", "limit query parameter is required")
        assert [client.get(path, params={"limit": limit}).status_code for limit in ("x", 11, 10)] == [400, 400, 203]
        assert client.get(path, params={"limit": 1}).json() == {"state": "SENT"}
        assert ((gone := client.delete(path, params={"limit": 1})).status_code, gone.content) == (204, b"")
        for content, status in (
            ("{}", 400),
            ('{"npa": "55"}', 400),
            ('{"npa": "\\ud800"}', 400),
            ('{"npa": "555"}', 200),
        ):
            assert client.post("/api/core/numbers/search", content=content, headers=JSON).status_code == status


# The server


def test_sandbox_is_gone_after_its_block() -> None:
    """The server accepts inside the block only, and can be started again."""
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            url = sandbox.url
            assert httpx.get(url, trust_env=False).status_code == 404
            with pytest.raises(RuntimeError, match="already"):
                sandbox.__enter__()
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)
        with pytest.raises(RuntimeError, match="with Sandbox"):
            _ = sandbox.url


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "redcloud_core.sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def free_port() -> int:
    """Find a free port outside the range that the kernel hands out to others meanwhile."""
    for port in random.sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_stops_cleanly(number: signal.Signals) -> None:
    """The first line says where it listens, at once; a signal ends it with 0 and without a word, connections or not."""
    port = free_port()
    with start("--port", str(port)) as process, httpx.Client(trust_env=False) as client:
        assert process.stdout is not None
        assert process.stdout.readline() == f"listening on http://127.0.0.1:{port}\n"
        assert client.post(f"http://127.0.0.1:{port}/api/auth/token", auth=BASIC, data=GRANT).status_code == 200
        process.send_signal(number)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0


def test_process_picks_a_port() -> None:
    """Without --port a free one is picked and told."""
    with start() as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        assert httpx.get(f"{url}/_sandbox/ledger", trust_env=False).status_code == 200
        process.terminate()
        process.communicate(timeout=10)


def test_client_hangs_up() -> None:
    """A client that hangs up in the middle of its body leaves no word on standard error, and harms no other."""
    with start() as process:
        assert process.stdout is not None
        url = httpx.URL(process.stdout.readline().removeprefix("listening on ").strip())
        with socket.create_connection((url.host, url.port or 0)) as connection:
            connection.sendall(b"POST /api/auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        assert httpx.get(f"{url}/_sandbox/ledger", trust_env=False).json()["token_requests"] == 0
        process.terminate()
        assert process.communicate(timeout=10) == ("", "")


def test_port_in_use() -> None:
    """A port in use is one sentence on standard error and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        with start("--port", port) as process:
            output, errors = process.communicate(timeout=10)
    assert (1, "", f"cannot listen on 127.0.0.1:{port}: Address already in use\n") == (
        process.returncode,
        output,
        errors,
    )


@pytest.mark.parametrize("port", ["65536", "-1", "http", "\u0661"])
def test_impossible_port(port: str) -> None:
    """What is no port number is refused with exit code 2."""
    with start(f"--port={port}") as process:
        assert "from 0 to 65535" in process.communicate(timeout=10)[1]
    assert process.returncode == 2


def test_unknown_host() -> None:
    """An address that is not of this machine is one sentence and exit code 1."""
    with start("--host", "no-such-host.invalid") as process:
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert errors.startswith("cannot listen on no-such-host.invalid:0: ")
    assert errors.count("\n") == 1


def run_without(package: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process where a package is not installed."""
    program = f"import sys, runpy; sys.modules[{package!r}] = None; {program}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "jsonschema_rs"])
def test_missing_extra(package: str) -> None:
    """Without a package of the extra the command says in one sentence what to install."""
    command = "runpy.run_module('redcloud_core.sandbox', run_name='__main__', alter_sys=True)"
    result = run_without(package, command)
    sentence = f"the sandbox needs {package}: install `redcloud-core[sandbox]`\n"
    assert (2, "", sentence) == (result.returncode, result.stdout, result.stderr)


def test_missing_extra_in_python() -> None:
    """Without the extra importing the package works, and asking for `Sandbox` says what to install."""
    result = run_without("starlette", "import redcloud_core.sandbox; from redcloud_core.sandbox import Sandbox")
    assert "ImportError: the sandbox needs starlette: install `redcloud-core[sandbox]`" in result.stderr


def test_import_is_light() -> None:
    """Importing the package loads neither framework nor server."""
    program = "import redcloud_core.sandbox, sys; print({'starlette', 'uvicorn', 'jsonschema_rs'} & sys.modules.keys())"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
