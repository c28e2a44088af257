"""How a send ends by what happens to one attempt: a table of faults for both clients, counted at the server."""

import json
import threading
from typing import Any

import pytest

from redcloud_core import (
    BadRequestError,
    ConflictError,
    ConnectError,
    ForbiddenError,
    Receipt,
    RedCloudError,
    SendOutcomeUnknown,
    TokenUnavailableError,
    TransportError,
    UnauthorizedError,
    UndocumentedStatusError,
)

TOKEN, WHOAMI, SEND = "/api/auth/token", "/api/core/whoami", "/api/core/messages/send"
CORE = {"error": {"code": "CODE", "message": "Words", "details": {}}, "requestId": "req_1"}
QUEUED = {"results": [{"to": "+15551230001", "messageId": "msg_1", "status": "QUEUED"}], "errors": []}
DRIFTED: dict[str, Any] = {"results": [{"to": "+15551230001", "messageId": 7, "status": "QUEUED"}], "errors": []}


def end_of(client: Any, sms: dict[str, Any], key: str = "idem_1") -> Any:
    """Send, and return what the send ends in: the receipt or the error."""
    try:
        return client.send_message(**sms, idempotency_key=key)
    except RedCloudError as error:
        return error


TABLE: dict[str, tuple[list[dict[str, Any]], type, int]] = {
    # what the server does                                               ends in                  requests
    "202": ([{"status": 202, "body": QUEUED}], Receipt, 1),
    "202 drifted": ([{"status": 202, "body": DRIFTED}], Receipt, 1),
    "202 drifted list": ([{"status": 202, "body": []}], Receipt, 1),
    "202 html": ([{"status": 202, "body": b"<html>"}], SendOutcomeUnknown, 1),
    "202 empty": ([{"status": 202, "body": b""}], SendOutcomeUnknown, 1),
    "202 cut": ([{"status": 202, "body": b'{"results": [', "fault": "cut"}], SendOutcomeUnknown, 1),
    "202 cut after a drift": ([{"status": 202, "body": b'{"results": 7, "err'}], SendOutcomeUnknown, 1),
    "202 no gzip": ([{"status": 202, "body": b"x", "headers": {"Content-Encoding": "gzip"}}], SendOutcomeUnknown, 1),
    "202 dripped": ([{"status": 202, "body": b"{", "fault": "drip"}], SendOutcomeUnknown, 1),
    "reset": ([{"fault": "reset"}], SendOutcomeUnknown, 1),
    "end": ([{"fault": "end"}], SendOutcomeUnknown, 1),
    "hang": ([{"fault": "hang"}], SendOutcomeUnknown, 1),
    "204": ([{"status": 204}], SendOutcomeUnknown, 1),
    "302": ([{"status": 302, "headers": {"Location": "/elsewhere"}}], SendOutcomeUnknown, 1),
    "307": ([{"status": 307, "headers": {"Location": "/elsewhere"}}], SendOutcomeUnknown, 1),
    "400": ([{"status": 400, "body": CORE}], BadRequestError, 1),
    "403": ([{"status": 403, "body": CORE}], ForbiddenError, 1),
    "404": ([{"status": 404, "body": CORE}], UndocumentedStatusError, 1),
    "409": ([{"status": 409, "body": CORE}], ConflictError, 1),
    "422": ([{"status": 422, "body": CORE}], UndocumentedStatusError, 1),
    "401, 202": ([{"status": 401, "body": CORE}, {"status": 202, "body": QUEUED}], Receipt, 2),
    "401, 401": ([{"status": 401, "body": CORE}], UnauthorizedError, 2),
    "401, 500": ([{"status": 401, "body": CORE}, {"status": 500, "body": CORE}], SendOutcomeUnknown, 2),
    "401, reset": ([{"status": 401, "body": CORE}, {"fault": "reset"}], SendOutcomeUnknown, 2),
    "401, 403": ([{"status": 401, "body": CORE}, {"status": 403, "body": CORE}], ForbiddenError, 2),
    "408": ([{"status": 408, "body": CORE}], SendOutcomeUnknown, 1),
    "425": ([{"status": 425, "body": CORE}], UndocumentedStatusError, 1),
    "429": ([{"status": 429, "body": CORE}], UndocumentedStatusError, 1),
    "500": ([{"status": 500, "body": CORE}], SendOutcomeUnknown, 1),
    "502": ([{"status": 502, "body": b"<html>"}], SendOutcomeUnknown, 1),
    "503": ([{"status": 503, "body": CORE}], SendOutcomeUnknown, 1),
    "500 cut": ([{"status": 500, "body": b"{", "fault": "cut"}], SendOutcomeUnknown, 1),
    "400 cut": ([{"status": 400, "body": b"{", "fault": "cut"}], BadRequestError, 1),
}


@pytest.mark.parametrize("row", TABLE)
def test_end_of_a_send(connect: Any, server: Any, script: Any, sms: dict[str, Any], row: str) -> None:
    """Each fault ends a send as it must, after exactly so many requests, all of the same bytes and key."""
    answers, expected, requests = TABLE[row]
    server.answer(SEND, *(script(**answer) for answer in answers))
    end = end_of(connect(server.url, timeout=0.2, deadline=0.5, attempts=1), sms)
    assert type(end) is expected, repr(end)
    seen = server.requests(SEND)
    assert (requests, requests) == (len(seen), len(end.attempts))
    assert {"idem_1"} == {request.header("Idempotency-Key") for request in seen}
    assert len({request.body for request in seen}) == 1
    assert json.loads(seen[0].body) == sms
    assert len({request.header("Authorization") for request in seen}) == requests == server.token_requests
    assert server.requests("/elsewhere") == []
    may = [attempt.may_have_been_received for attempt in end.attempts]
    assert any(may) == (expected in (Receipt, SendOutcomeUnknown))
    if expected is SendOutcomeUnknown:
        assert end.temporary
        assert "may have been queued" in str(end)
        assert "'idem_1'" in str(end)
    elif expected is not Receipt:
        assert end.temporary == (row in ("425", "429"))


def test_connection_refused(connect: Any, server: Any, sms: dict[str, Any], script: Any) -> None:
    """A send whose connection is refused was certainly not queued, and never left."""
    server.answer(WHOAMI, script(500))
    client = connect(server.url, attempts=1)
    with pytest.raises(RedCloudError):
        client.whoami()
    server.close()
    end = end_of(client, sms)
    assert (ConnectError, True, [False]) == (
        type(end),
        end.temporary,
        [attempt.may_have_been_received for attempt in end.attempts],
    )
    assert server.requests(SEND) == []


def test_receipt(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """An accepted send gives a receipt with its key, typed results, the attempts and the answer as it came."""
    server.answer(SEND, script(202, QUEUED))
    receipt = end_of(connect(server.url, attempts=1), sms)
    assert (receipt.key, receipt.results[0].messageId, receipt.errors, receipt.drift) == ("idem_1", "msg_1", [], None)
    assert json.loads(receipt.raw) == QUEUED
    assert [(attempt.outcome, attempt.may_have_been_received) for attempt in receipt.attempts] == [("HTTP 202", True)]


def test_drifted_receipt(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """A 202 of another shape was accepted: the receipt names the path and holds the body as it came."""
    server.answer(SEND, script(202, DRIFTED))
    receipt = end_of(connect(server.url, attempts=1), sms)
    assert "$.results[0].messageId" in receipt.drift
    assert (receipt.results, receipt.errors, json.loads(receipt.raw)) == ([], [], DRIFTED)


@pytest.mark.parametrize("status", [200, 201])
def test_other_success_status(connect: Any, server: Any, script: Any, sms: dict[str, Any], status: int) -> None:
    """Another 2xx with a well-formed body was accepted too, and says that the document does not name it."""
    server.answer(SEND, script(status, QUEUED))
    receipt = end_of(connect(server.url, attempts=1), sms)
    assert isinstance(receipt, Receipt), repr(receipt)
    assert receipt.drift


def test_send_of_an_unknown_end(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """An unknown end carries the send: key, bytes, account, attempts; no secret, no Authorization."""
    server.answer(SEND, script(500, CORE))
    send = end_of(connect(server.url, attempts=1), sms).send
    (seen,) = server.requests(SEND)
    assert (send.key, send.operation_id, send.method, send.target) == ("idem_1", "sendMessage", "POST", SEND)
    assert seen.body == send.content
    assert (server.url, "rc_test_client_123") == (send.account.base_url, send.account.client_id)
    assert [(attempt.outcome, attempt.may_have_been_received) for attempt in send.attempts] == [("HTTP 500", True)]
    assert {"authorization"}.isdisjoint(name.lower() for name in send.headers)
    assert dict(send.headers) == {"Idempotency-Key": "idem_1", "Content-Type": "application/json"}


def test_unknown_end_keeps_what_came(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """What came of an answer that cannot be read is kept."""
    server.answer(SEND, script(202, b"<html>"))
    assert end_of(connect(server.url, attempts=1), sms).raw == b"<html>"


def test_repeat_settles_an_unknown_end(connect: Any, sandbox: Any, server: Any, sms: dict[str, Any]) -> None:
    """The same call again, with the same key, ends in the receipt of the one message."""
    client = connect(sandbox.url)
    first = end_of(client, sms)
    assert first.results == end_of(client, sms).results
    assert [len(entry["message_ids"]) for entry in sandbox.ledger()["sends"]] == [1]


def test_replay_after_401(connect: Any, sandbox: Any, sms: dict[str, Any]) -> None:
    """When all tokens are revoked a send gets a new one and goes through, in two attempts."""
    client = connect(sandbox.url)
    client.whoami()
    sandbox.revoke_tokens()
    receipt = end_of(client, sms)
    assert [attempt.outcome for attempt in receipt.attempts] == ["HTTP 401", "HTTP 202"]
    assert (sandbox.ledger()["token_requests"], len(sandbox.ledger()["sends"])) == (2, 1)


def test_replay_differs_in_authorization_alone(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """Both attempts carry the same headers but for Authorization, whatever the first answer sets."""
    refused = script(401, CORE, headers={"Set-Cookie": "session=1; Path=/"})
    server.answer(SEND, refused, script(202, QUEUED))
    end_of(connect(server.url, attempts=1), sms)
    first, second = (
        {(name, value) for name, value in seen.headers if name != "Authorization"} for seen in server.requests(SEND)
    )
    assert first == second


def test_token_fails_after_401(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """A refused send that gets no new token was certainly not queued, and is not sent again."""
    server.answer(SEND, script(401, CORE))
    server.answer(TOKEN, script(200, {"access_token": "tok"}), script(500, b"down"))
    end = end_of(connect(server.url, attempts=2), sms)
    assert type(end) is TokenUnavailableError
    tried = ["HTTP 401", "no token: HTTP 500", "no token: HTTP 500"]
    assert [attempt.outcome for attempt in end.attempts] == tried
    assert len(server.requests(SEND)) == 1


@pytest.mark.parametrize("fault", ["reset", "end", "hang"])
def test_reads_without_an_answer(connect: Any, server: Any, script: Any, fault: str) -> None:
    """A read without an answer is a TransportError: temporary, with its attempt, made once."""
    server.answer(WHOAMI, script(fault=fault))
    with pytest.raises(TransportError) as caught:
        connect(server.url, timeout=0.2, attempts=1).whoami()
    assert (TransportError, True, 1) == (type(caught.value), caught.value.temporary, len(caught.value.attempts))
    assert len(server.requests(WHOAMI)) == 1


def test_deadline_covers_the_token(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """A call that spends its deadline on the token sends nothing, then or later."""
    hold = threading.Event()
    server.answer(TOKEN, script(200, {"access_token": "tok"}, hold=hold))
    end = end_of(connect(server.url, deadline=0.2), sms)
    assert (TokenUnavailableError, True) == (type(end), end.temporary)
    hold.set()
    assert server.api_requests == []
