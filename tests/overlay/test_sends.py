"""How a send ends, whatever happens to its attempts: one of three ways, and the true one, by the sandbox's ledger.

A row names what happens to one attempt after the other; when they are used up the API behaves. `SendOutcomeUnknown` is
never wrong, so the table also says where the end is certain.
"""

import asyncio
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from redcloud_core import (
    AsyncRedCloud,
    BadRequestError,
    ConflictError,
    ConnectError,
    ForbiddenError,
    InvalidCallError,
    Receipt,
    RedCloudError,
    Send,
    SendOutcomeUnknown,
    UnauthorizedError,
    UndocumentedStatusError,
    UnreadableAnswerError,
)
from redcloud_core.sandbox import Sandbox

KEY = "idem_order_789"
Step = dict[str, Any]


@pytest.fixture(autouse=True)
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws no pauses: what the API asks for is waited, and nothing else."""
    monkeypatch.setattr("redcloud_core._client.Client._draw", staticmethod(lambda: 0.0))


def status(code: int, when: str = "before", **fields: Any) -> Step:
    """A step that answers with a status."""
    return {"kind": "status", "status": code, "when": when, **fields}


FINE: Step = {"kind": "none"}
BEFORE: Step = {"kind": "drop_before"}
AFTER: Step = {"kind": "drop_after"}
CUT: Step = {"kind": "cut_body"}
GARBAGE: Step = {"kind": "garbage"}
DRIFT: Step = {"kind": "drift"}
SLOW: Step = {"kind": "slow", "seconds": 0.5, "when": "after"}
LATE: Step = {"kind": "slow", "seconds": 0.5, "when": "before"}
SOON = {"Retry-After": "1"}
LATER = {"Retry-After": "60"}
Unknown = SendOutcomeUnknown

#       what happens to the attempts                          ends in                  queued, attempts
TABLE: dict[str, tuple[list[Step], type, int | None, int]] = {
    "fine": ([FINE], Receipt, 1, 1),
    # one fault, then the same bytes again
    "dropped before": ([BEFORE], Receipt, 1, 2),
    "dropped after": ([AFTER], Receipt, 1, 2),
    "cut": ([CUT], Receipt, 1, 2),
    "garbage": ([GARBAGE], Receipt, 1, 2),
    "empty": ([status(202, "after", body="")], Receipt, 1, 2),
    "slow after": ([SLOW], Receipt, 1, 2),
    "slow before": ([LATE], Receipt, 1, 2),
    "408 before": ([status(408)], Receipt, 1, 2),
    "408 after": ([status(408, "after")], Receipt, 1, 2),
    "425": ([status(425)], Receipt, 1, 2),
    "429": ([status(429)], Receipt, 1, 2),
    "429, wait": ([status(429, headers=SOON)], Receipt, 1, 2),
    "500 before": ([status(500)], Receipt, 1, 2),
    "500 after": ([status(500, "after")], Receipt, 1, 2),
    "502 before": ([status(502)], Receipt, 1, 2),
    "502 after": ([status(502, "after")], Receipt, 1, 2),
    "503, wait": ([status(503, headers=SOON)], Receipt, 1, 2),
    "503 after": ([status(503, "after")], Receipt, 1, 2),
    "504 after": ([status(504, "after")], Receipt, 1, 2),
    "507 before": ([status(507)], Receipt, 1, 2),
    "401": ([status(401)], Receipt, 1, 2),
    # more than one
    "dropped before, after, cut": ([BEFORE, AFTER, CUT], Receipt, 1, 4),
    "garbage, 503, slow": ([GARBAGE, status(503), SLOW], Receipt, 1, 4),
    "401, dropped after": ([status(401), AFTER], Receipt, 1, 3),
    "dropped after, 401": ([AFTER, status(401)], Receipt, 1, 3),
    "429, 425, 503": ([status(429), status(425), status(503)], Receipt, 1, 4),
    # accepted in other words, and not asked again
    "drift": ([DRIFT], Receipt, 1, 1),
    "dropped after, drift": ([AFTER, DRIFT], Receipt, 1, 2),
    "200": ([status(200, "after", body={"results": [], "errors": []})], Receipt, 1, 1),
    "201, other words": ([status(201, "after", body={"ok": True})], Receipt, 1, 1),
    # refused, with certainty
    "400": ([status(400)], BadRequestError, 0, 1),
    "403": ([status(403)], ForbiddenError, 0, 1),
    "404": ([status(404)], UndocumentedStatusError, 0, 1),
    "409": ([status(409)], ConflictError, 0, 1),
    "413": ([status(413)], UndocumentedStatusError, 0, 1),
    "418": ([status(418)], UndocumentedStatusError, 0, 1),
    "422": ([status(422)], UndocumentedStatusError, 0, 1),
    "401, 401": ([status(401)] * 2, UnauthorizedError, 0, 2),
    "401, 403": ([status(401), status(403)], ForbiddenError, 0, 2),
    "425, 403": ([status(425), status(403)], ForbiddenError, 0, 2),
    "429, 400": ([status(429), status(400)], BadRequestError, 0, 2),
    "429, 409": ([status(429), status(409)], ConflictError, 0, 2),
    "401, 429, 425, 422": ([status(401), status(429), status(425), status(422)], UndocumentedStatusError, 0, 4),
    "429 to the end": ([status(429)] * 4, UndocumentedStatusError, 0, 4),
    "425 to the end": ([status(425)] * 4, UndocumentedStatusError, 0, 4),
    "429, no time": ([status(429, headers=LATER)], UndocumentedStatusError, 0, 1),
    # nobody can know
    "dropped before, 403": ([BEFORE, status(403)], Unknown, 0, 2),
    "dropped after, 403": ([AFTER, status(403)], Unknown, 1, 2),
    "dropped after, 400": ([AFTER, status(400)], Unknown, 1, 2),
    "dropped after, 404": ([AFTER, status(404)], Unknown, 1, 2),
    "dropped after, 409": ([AFTER, status(409)], Unknown, 1, 2),
    "dropped after, 418": ([AFTER, status(418)], Unknown, 1, 2),
    "dropped after, 422": ([AFTER, status(422)], Unknown, 1, 2),
    "dropped after, 401, 401": ([AFTER, status(401), status(401)], Unknown, 1, 3),
    "401, 503, 401": ([status(401), status(503), status(401)], Unknown, 0, 3),
    "dropped after, 429 to the end": ([AFTER, *[status(429)] * 3], Unknown, 1, 4),
    "cut, 403": ([CUT, status(403)], Unknown, 1, 2),
    "garbage, 409": ([GARBAGE, status(409)], Unknown, 1, 2),
    "slow after, 403": ([SLOW, status(403)], Unknown, 1, 2),
    "slow before, 403": ([LATE, status(403)], Unknown, None, 2),
    "408, 400": ([status(408, "after"), status(400)], Unknown, 1, 2),
    "500, 403": ([status(500, "after"), status(403)], Unknown, 1, 2),
    "503 before, 403": ([status(503), status(403)], Unknown, 0, 2),
    "429, dropped after, 403": ([status(429), AFTER, status(403)], Unknown, 1, 3),
    "302": ([status(302, "after", headers={"Location": "/elsewhere"})], Unknown, 1, 1),
    "307": ([status(307, headers={"Location": "/api/core/messages/send"})], Unknown, 0, 1),
    "503, no time": ([status(503, "after", headers=LATER)], Unknown, 1, 1),
    "dropped before to the end": ([BEFORE] * 4, Unknown, 0, 4),
    "dropped after to the end": ([AFTER] * 4, Unknown, 1, 4),
    "cut to the end": ([CUT] * 4, Unknown, 1, 4),
    "garbage to the end": ([GARBAGE] * 4, Unknown, 1, 4),
    "slow to the end": ([SLOW] * 4, Unknown, 1, 4),
    "500 to the end": ([status(500)] * 4, Unknown, 0, 4),
    "503 after to the end": ([status(503, "after")] * 4, Unknown, 1, 4),
    "408 to the end": ([status(408)] * 4, Unknown, 0, 4),
}


def end_of(call: Any, *arguments: Any, **keywords: Any) -> Any:
    """Return what a call ends in: what it returns, or the error of the SDK."""
    try:
        return call(*arguments, **keywords)
    except RedCloudError as error:
        return error


def plan(sandbox: Sandbox, *steps: Step) -> None:
    """Have the sandbox misbehave: a step an attempt."""
    sandbox.clear_faults()
    sandbox.add_fault({"operation": "sendMessage", "script": list(steps)})


def queued(sandbox: Sandbox) -> int:
    """How many messages the sandbox has queued."""
    return sum(len(entry["message_ids"]) for entry in sandbox.ledger()["sends"])


@pytest.fixture
def client(connect: Any, sandbox: Sandbox) -> Any:
    """A client of either kind, with a token, that waits for 0.25 s at the most."""
    made = connect(sandbox.url, timeout=0.25)
    made.whoami()
    return made


def test_the_table_is_large() -> None:
    """The fault scripts are at least 60."""
    assert len(TABLE) >= 60


@pytest.mark.parametrize("row", TABLE)
def test_end(client: Any, sandbox: Sandbox, sms: dict[str, Any], row: str) -> None:
    """The send ends as the row says; then the same call, repeated, ends in the one message that there is."""
    steps, expected, effects, attempts = TABLE[row]
    plan(sandbox, *steps)
    end = end_of(client.send_message, **sms, idempotency_key=KEY)
    assert type(end) is expected, repr(end)
    assert len(end.attempts) == attempts
    assert effects is None or queued(sandbox) == effects
    temporary = expected is Unknown or row in ("425 to the end", "429 to the end", "429, no time")
    assert isinstance(end, Receipt) or end.temporary == temporary
    sandbox.clear_faults()
    again = end_of(client.send_message, **sms, idempotency_key=KEY)
    assert (type(again), again.drift, queued(sandbox)) == (Receipt, None, 1)


def test_refused_connections(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Where nobody listens nothing leaves: it is tried again, and the end is certain, and temporary."""
    client = connect(sandbox.url)
    client.whoami()
    sandbox.add_fault({"kind": "refuse", "seconds": 60})
    end = end_of(client.send_message, **sms, idempotency_key=KEY)
    sandbox.reset()
    assert (type(end), end.temporary, len(end.attempts)) == (ConnectError, True, 4)
    assert not any(attempt.may_have_been_received for attempt in end.attempts)


def test_refused_connections_after_a_drop(client: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A connection that is refused says nothing of the attempt before it."""
    plan(sandbox, *[AFTER] * 4)
    assert type(end_of(client.send_message, **sms, idempotency_key=KEY)) is Unknown
    sandbox.add_fault({"kind": "refuse", "seconds": 60})
    end = end_of(client.send_message, **sms, idempotency_key=KEY)
    sandbox.clear_faults()
    assert (type(end), queued(sandbox)) == (Unknown, 1)


def test_in_progress(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A 409 while the first attempt is still being processed proves nothing: the message is out a moment later."""
    client = connect(sandbox.url, timeout=0.25)
    plan(sandbox, {"kind": "in_progress", "seconds": 0.6})
    end = end_of(client.send_message, **sms, idempotency_key=KEY)
    assert (type(end), end.status, len(end.attempts)) == (Unknown, 409, 2)
    sandbox.clear_faults()
    receipt = end_of(connect(sandbox.url, timeout=5).resume, end.send)
    while isinstance(receipt, SendOutcomeUnknown):  # it is still in progress
        receipt = end_of(client.resume, end.send)
    assert (type(receipt), queued(sandbox)) == (Receipt, 1)


REPEATED: dict[str, tuple[list[tuple[list[Step], type]], int]] = {
    # one call after the other, with one key, on one client
    "unknown, then 403": ([([AFTER] * 4, Unknown), ([status(403)], Unknown), ([FINE], Receipt)], 1),
    "unknown, then 409": ([([BEFORE] * 4, Unknown), ([status(409)], Unknown), ([FINE], Receipt)], 1),
    "unknown, then 429": ([([CUT] * 4, Unknown), ([status(429)] * 4, Unknown), ([DRIFT], Receipt)], 1),
    "unknown, then 401": ([([GARBAGE] * 4, Unknown), ([status(401)] * 2, Unknown)], 1),
    "accepted, then 403": ([([FINE], Receipt), ([status(403)], Unknown), ([FINE], Receipt)], 1),
    "refused, then refused": ([([status(403)], ForbiddenError), ([status(400)], BadRequestError)], 0),
    "refused, then fine": ([([status(429)] * 4, UndocumentedStatusError), ([FINE], Receipt)], 1),
    "refused, then unknown": ([([status(403)], ForbiddenError), ([BEFORE, status(403)], Unknown)], 0),
}


@pytest.mark.parametrize("row", REPEATED)
def test_repeated(client: Any, sandbox: Sandbox, sms: dict[str, Any], row: str) -> None:
    """The same call on the same client starts from what the client knows of the key."""
    calls, effects = REPEATED[row]
    for steps, expected in calls:
        plan(sandbox, *steps)
        end = end_of(client.send_message, **sms, idempotency_key=KEY)
        assert type(end) is expected, repr(end)
    assert queued(sandbox) == effects


_RESUMING = """
import pickle, sys
from pathlib import Path
from redcloud_core import RedCloud, RedCloudError, Send
kept = Path(sys.argv[2]).read_bytes()
send = pickle.loads(kept) if sys.argv[3] == "pickle" else Send.from_json(kept)
with RedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123") as client:
    try:
        end = client.resume(send)
    except RedCloudError as error:
        end = error
print(type(end).__name__, len(end.attempts))
"""


@pytest.mark.parametrize("form", ["pickle", "json"])
@pytest.mark.parametrize(
    ("steps", "resumed", "expected", "effects"),
    [
        ([AFTER] * 4, [FINE], "Receipt 5", 1),
        ([BEFORE] * 4, [status(503), FINE], "Receipt 6", 1),
        ([AFTER] * 4, [status(403)], "SendOutcomeUnknown 5", 1),
        ([GARBAGE, status(409)], [DRIFT], "Receipt 3", 1),
    ],
    ids=["after, fine", "before, 503", "after, 403", "garbage, drift"],
)
def test_resumed_elsewhere(
    client: Any, sandbox: Sandbox, sms: dict[str, Any], tmp_path: Any, form: str, steps: list[Step],
    resumed: list[Step], expected: str, effects: int,
) -> None:  # fmt: skip
    """A send that is kept goes on in another process, with its bytes, its key, and what was tried before."""
    plan(sandbox, *steps)
    send = end_of(client.send_message, **sms, idempotency_key=KEY).send
    kept = tmp_path / "send"
    kept.write_bytes(pickle.dumps(send) if form == "pickle" else send.to_json().encode())
    plan(sandbox, *resumed)
    command = [sys.executable, "-c", _RESUMING, sandbox.url, str(kept), form]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout.strip(), queued(sandbox)) == (expected, effects)


# A send as something that is kept


@pytest.fixture
def send(client: Any, sandbox: Sandbox, sms: dict[str, Any]) -> Send:
    """A send whose end is unknown."""
    plan(sandbox, AFTER, status(403))
    kept: Send = end_of(client.send_message, **sms, idempotency_key=KEY).send
    sandbox.clear_faults()
    return kept


def test_forms(send: Send) -> None:
    """Both forms give the same send back, and neither holds a secret or a token."""
    assert Send.from_json(send.to_json()) == send == pickle.loads(pickle.dumps(send))
    assert Send.from_json(send.to_json().encode()) == send
    assert all(planted not in send.to_json() for planted in ("rc_secret_abc123", "Bearer", "uthorization"))


def damaged(send: Send) -> Iterator[str | bytes]:
    """The JSON form with something wrong."""
    text = send.to_json()
    plain = json.loads(text)
    yield from ("", "{", "[]", "null", "7", '"text"', "{}", b"\xff", "[" * 100_000, text[:-1])
    for name in plain:
        yield json.dumps({key: value for key, value in plain.items() if key != name})
        if name != "format":
            yield json.dumps({**plain, name: "something else"})
            yield json.dumps({**plain, name: None})
    yield json.dumps({**plain, "more": 1})
    yield text.replace("HTTP 403", "HTTP 401")


def test_damaged_forms(send: Send) -> None:
    """A form that is not as it was written is refused, whatever is wrong with it."""
    for text in damaged(send):
        with pytest.raises(InvalidCallError, match="send: nothing was sent, because it is damaged") as caught:
            Send.from_json(text)
        assert caught.value.__cause__ is None


def test_newer_form(client: Any, sandbox: Sandbox, send: Send) -> None:
    """A form of a later version is refused, and the send too if it came by pickle."""
    newer = json.dumps({**json.loads(send.to_json()), "format": 2, "more": 1})
    with pytest.raises(InvalidCallError, match="has format 2, this SDK knows 1"):
        Send.from_json(newer)
    refused(client, sandbox, changed(send, format=2), "has format 2, this SDK knows 1")


def test_sends_that_cannot_go_on(client: Any, sandbox: Sandbox, send: Send) -> None:
    """A send of another account or operation, or one that was tampered with, does not leave."""
    account = send.account
    assert account is not None
    refused(client, sandbox, changed(send, account=type(account)(sandbox.url, "other")), "belongs to another account")
    refused(
        client, sandbox, changed(send, account=type(account)("https://x.example", account.client_id)), "another account"
    )
    refused(client, sandbox, changed(send, operation_id="updateNumber"), "is none of sendMessage")
    refused(client, sandbox, changed(send, target="/api/core/numbers"), "is none of sendMessage")
    refused(client, sandbox, changed(send, key="other"), "is damaged")
    refused(client, sandbox, changed(send, headers={}), "is damaged")
    refused(client, sandbox, changed(send, content=b""), "is damaged")
    evil = "a\r\nX-Evil: 1"
    refused(
        client, sandbox, changed(send, key=evil, headers={**send.headers, "Idempotency-Key": evil}), "printable ASCII"
    )
    refused(client, sandbox, "idem_1", "must be a Send")
    refused(client, sandbox, None, "must be a Send")


def test_send_without_an_account(client: Any, sandbox: Sandbox, send: Send) -> None:
    """A send that belongs to nobody yet is the client's own from then on."""
    receipt = client.resume(changed(send, account=None, attempts=()))
    assert (receipt.send.account, receipt.results[0].messageId) == (send.account, "msg_000001")


def changed(send: Send, **fields: Any) -> Send:
    """A send with other values."""
    import msgspec

    return msgspec.structs.replace(send, **fields)


def refused(client: Any, sandbox: Sandbox, send: Any, words: str) -> None:
    """See that a send does not leave."""
    before = sandbox.ledger()
    with pytest.raises(InvalidCallError, match=words):
        client.resume(send)
    assert sandbox.ledger() == before


def test_closed_client(client: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A closed client refuses in an error of the SDK's own, which is a RuntimeError as well."""
    client.close()
    for kind in (InvalidCallError, RuntimeError):
        with pytest.raises(kind, match="is closed: nothing was sent"):
            client.send_message(**sms, idempotency_key=KEY)
    assert sandbox.ledger()["sends"] == []


# The receipt, and recipients who were rejected

REACHED, UNREACHABLE = ["+15551230001", "+15551230002"], ["+15550001111", "+15550002222"]


def test_rejected_recipients(client: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Those who were rejected are told apart, can be raised, and are sent to again under a key of their own."""
    to = [REACHED[0], UNREACHABLE[0], REACHED[1], UNREACHABLE[1]]
    receipt = client.send_message(**{**sms, "to": to}, idempotency_key=KEY)
    assert (receipt.accepted, receipt.rejected, receipt.unaccounted) == (REACHED, UNREACHABLE, [])
    with pytest.raises(RedCloudError, match="2 of 4 recipients were rejected") as caught:
        receipt.raise_for_rejected()
    assert getattr(caught.value, "receipt", None) == receipt
    again = client.retry_rejected(receipt)
    assert (again.key != KEY, again.rejected, again.accepted) == (True, UNREACHABLE, [])
    assert client.retry_rejected(receipt).key == again.key
    sends = {entry["key"]: entry for entry in sandbox.ledger()["sends"]}
    assert (sends[KEY]["attempts"], sends[again.key]["attempts"], len(sends)) == (1, 2, 2)
    assert client.retry_rejected(receipt, to=[*reversed(UNREACHABLE), UNREACHABLE[0]]).key == again.key
    one = client.retry_rejected(receipt, to=UNREACHABLE[:1])
    assert one.key not in sends


def test_nobody_was_rejected(client: Any, sms: dict[str, Any]) -> None:
    """With nobody rejected nothing is raised, and there is nothing to send again."""
    receipt = client.send_message(**sms, idempotency_key=KEY)
    receipt.raise_for_rejected()
    with pytest.raises(InvalidCallError, match="nobody who was rejected"):
        client.retry_rejected(receipt)
    with pytest.raises(InvalidCallError, match=r"to\[0\]: .*the message would go there twice"):
        client.retry_rejected(receipt, to=sms["to"])


def test_unaccounted_recipients(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """A recipient whom no list names literally is not sent to again without the caller's word."""
    to = ["+15551230001", "+15551230002", "+15551230003"]
    answer = {
        "results": [{"to": "+1 555 123 0001", "messageId": "msg_1", "status": "QUEUED"}],
        "errors": [{"anything": {"deep": ["+15551230002"]}}],
    }
    queued_again = {"results": [{"to": to[1], "messageId": "msg_2", "status": "QUEUED"}], "errors": []}
    server.answer("/api/core/messages/send", script(202, answer), script(202, queued_again))
    client = connect(server.url)
    receipt = client.send_message(**{**sms, "to": to}, idempotency_key=KEY)
    assert (receipt.accepted, receipt.rejected, receipt.unaccounted) == ([], to[1:2], [to[0], to[2]])
    with pytest.raises(InvalidCallError, match="leaves 2 recipients unaccounted for"):
        client.retry_rejected(receipt)
    again = client.retry_rejected(receipt, to=to[1:2])
    first, second = server.requests("/api/core/messages/send")
    assert json.loads(second.body) == {**json.loads(first.body), "to": to[1:2]}
    assert (again.key, second.header("Idempotency-Key") == again.key != KEY) == (again.key, True)


def test_recipient_in_both_lists(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """A recipient whom both lists name was accepted: nothing goes there again."""
    answer = {
        "results": [{"to": sms["to"][0], "messageId": "msg_1", "status": "QUEUED"}],
        "errors": [{"to": sms["to"][0], "warning": "slow carrier"}],
    }
    server.answer("/api/core/messages/send", script(202, answer))
    receipt = connect(server.url).send_message(**sms, idempotency_key=KEY)
    assert (receipt.accepted, receipt.rejected, receipt.unaccounted) == (sms["to"], [], [])
    receipt.raise_for_rejected()


def test_drifted_receipt_accounts_for_nobody(client: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Of an answer in other words nobody can say who was accepted."""
    plan(sandbox, DRIFT)
    receipt = client.send_message(**sms, idempotency_key=KEY)
    assert (receipt.accepted, receipt.rejected, receipt.unaccounted) == ([], [], sms["to"])
    with pytest.raises(InvalidCallError, match="unaccounted for"):
        client.retry_rejected(receipt)


def test_attempts_are_told(client: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Each attempt says when it began, what was waited before it, what came of it, and whether it may have arrived."""
    plan(sandbox, status(429, headers=SOON), AFTER)
    attempts = client.send_message(**sms, idempotency_key=KEY).attempts
    assert [attempt.outcome for attempt in attempts][::2] == ["HTTP 429", "HTTP 202"]
    assert [attempt.delay for attempt in attempts] == [0.0, 1.0, 0.0]
    assert [attempt.may_have_been_received for attempt in attempts] == [False, True, True]
    times = [attempt.at for attempt in attempts]
    assert times == sorted(times)
    assert (times[1] - times[0]).total_seconds() >= 1.0


# Reads and settings, by their class


@pytest.mark.parametrize(
    ("method", "operation", "keywords"),
    [
        ("whoami", "whoami", {}),
        ("list_numbers", "listNumbers", {}),
        ("search_numbers", "searchNumbers", {"npa": "555"}),
        ("update_number", "updateNumber", {"numberId": "num_abc123", "smsEnabled": True}),
    ],
)
@pytest.mark.parametrize("step", [BEFORE, AFTER, CUT, GARBAGE, status(429), status(503)], ids=str)
def test_other_operations(
    connect: Any, sandbox: Sandbox, method: str, operation: str, keywords: dict[str, Any], step: Step
) -> None:
    """Reads, the search and the update are tried again: each may be repeated without harm."""
    client = connect(sandbox.url)
    sandbox.add_fault({"operation": operation, "script": [step, step]})
    getattr(client, method)(**keywords)


def test_drifted_answer_is_not_asked_again(connect: Any, sandbox: Sandbox) -> None:
    """A whole answer of another shape would be the same again: the first one is told, with its path."""
    sandbox.add_fault({"operation": "listNumbers", "kind": "drift"})
    error = end_of(connect(sandbox.url).list_numbers)
    assert (type(error), len(error.attempts), "$." in error.drift) == (UnreadableAnswerError, 1, True)


def test_cancelled_send_is_in_doubt(sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A send that was cancelled may have been queued: a refusal of the same call afterwards proves nothing."""
    plan(sandbox, {**SLOW, "seconds": 1}, status(403))

    async def main() -> Any:
        async with AsyncRedCloud(sandbox.url, client_id=sandbox.client_id, client_secret="rc_secret_abc123") as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.send_message(**sms, idempotency_key=KEY)
            with pytest.raises(SendOutcomeUnknown) as caught:
                await client.send_message(**sms, idempotency_key=KEY)
            sandbox.clear_faults()
            return await client.resume(caught.value.send)

    assert (type(asyncio.run(main())), queued(sandbox)) == (Receipt, 1)


def test_conflict_is_not_tried_again(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Another payload under a key that another client used is one 409, in the API's words."""
    connect(sandbox.url).send_message(**sms, idempotency_key=KEY)
    error = end_of(connect(sandbox.url).send_message, **{**sms, "text": "Other"}, idempotency_key=KEY)
    assert (type(error), error.code, len(error.attempts)) == (ConflictError, "CONFLICT", 1)
