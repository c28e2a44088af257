"""What goes wrong, as a caller sees it: class, attributes, words; and what must never be seen."""

import gzip
import inspect
import json
import logging
import pickle
import re
import traceback
import tracemalloc
from typing import Any

import pytest

import redcloud_core
from redcloud_core import (
    APIError,
    BadRequestError,
    ClientClosedError,
    ConflictError,
    ConnectError,
    ForbiddenError,
    GuardError,
    InvalidCallError,
    InvalidClientError,
    NotFoundError,
    RedCloudError,
    SendOutcomeUnknown,
    ServerError,
    TokenError,
    TokenUnavailableError,
    TransportError,
    UnauthorizedError,
    UndocumentedStatusError,
    UnreadableAnswerError,
    UpstreamError,
    _errors,
)

TOKEN, WHOAMI, NUMBERS, SEND = (
    "/api/auth/token",
    "/api/core/whoami",
    "/api/core/numbers",
    "/api/core/messages/send",
)
CLASSES = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    500: ServerError,
    502: UpstreamError,
}
LIMIT = 8 * 1024 * 1024
SECRET, TOKENS = "s3cr3t-of-the-client", "t0k3n-of-the-server"
WRAPPER = {"error": {"code": "SERVER_ERROR", "message": "Internal server error", "details": {"a": [1]}}}


def caught(call: Any, *arguments: Any, **keywords: Any) -> Any:
    """Return the error of this SDK that a call raises."""
    with pytest.raises(RedCloudError) as raised:
        call(*arguments, **keywords)
    return raised.value


# The document's own errors


def test_documented_error(connect: Any, server: Any, script: Any, documented_error: Any) -> None:
    """Each documented example error of each operation has its class, its attributes, and words that say it all."""
    method, keywords, path, status, body = documented_error
    server.answer(path, script(status, body))
    error = caught(getattr(connect(server.url, attempts=1), method), **keywords)
    text = str(error)
    if method == "send_message" and status >= 500:
        assert isinstance(error, SendOutcomeUnknown)
    else:
        assert type(error) is CLASSES[status]
        assert (status, body["error"]["code"]) == (error.status, error.code)
        assert (body["error"]["message"], body["error"]["details"]) == (error.message, error.details)
        assert (body["requestId"], body["error"]["code"]) == (error.requestId, error.body.error.code)
        assert json.loads(error.raw) == body
        assert text.endswith(type(error).advice)
    assert error.temporary == (status >= 500)
    words = (f"HTTP {status}", body["error"]["code"], f"requestId {body['requestId']}", body["error"]["message"])
    assert all(word in text for word in words)
    assert len(server.requests(path)) == len(error.attempts) == (2 if status == 401 else 1)


def test_error_as_a_user_sees_it(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """The whole sentence, once in full."""
    body = {
        "error": {"code": "FORBIDDEN", "message": "sendFrom is not owned by this API client", "details": {}},
        "requestId": "req_send_002",
    }
    server.answer(SEND, script(403, body))
    assert str(caught(connect(server.url, attempts=1).send_message, **sms, idempotency_key="idem_1")) == (
        "sendMessage: HTTP 403 FORBIDDEN (requestId req_send_002): sendFrom is not owned by this API client. "
        "Use what this API client owns: list_numbers() shows its numbers, whoami() its capabilities."
    )


@pytest.mark.parametrize("extra", [{}, {"requestId": None}, {"requestId": ""}], ids=["absent", "null", "empty"])
def test_missing_request_id(connect: Any, server: Any, script: Any, extra: dict[str, Any]) -> None:
    """Without a requestId the error still reads well, and the attribute is None."""
    server.answer(WHOAMI, script(500, {**WRAPPER, **extra}))
    error = caught(connect(server.url, attempts=1).whoami)
    assert (error.requestId, error.code, error.details) == (None, "SERVER_ERROR", {"a": [1]})
    assert "HTTP 500 SERVER_ERROR: Internal server error. " in str(error)


# Answers that the document does not name


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b'{"error": {"co', b"[]", b"\xff\xfe", b"null"])
def test_documented_status_with_another_body(connect: Any, server: Any, script: Any, body: bytes) -> None:
    """A gateway's own error page keeps the class and the status, and is at hand as it came."""
    server.answer(NUMBERS + "/search", script(502, body))
    error = caught(connect(server.url, attempts=1).search_numbers)
    assert (UpstreamError, 502, body, None, True) == (type(error), error.status, error.raw, error.code, error.temporary)
    assert "HTTP 502" in str(error)


@pytest.mark.parametrize(("status", "temporary"), [(503, True), (504, True), (429, True), (418, False), (404, False)])
def test_undocumented_status(connect: Any, server: Any, script: Any, status: int, temporary: bool) -> None:
    """A status that the document does not name is an error of its own, with the body as it came."""
    server.answer(WHOAMI, script(status, b"<html>words</html>"))
    error = caught(connect(server.url, attempts=1).whoami)
    assert (UndocumentedStatusError, status, temporary) == (type(error), error.status, error.temporary)
    assert error.raw == b"<html>words</html>"
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304])
def test_redirects_are_not_followed(connect: Any, server: Any, script: Any, status: int) -> None:
    """A redirect is an undocumented status; nothing is asked of the other place."""
    body = b"" if status == 304 else b"moved"
    server.answer(WHOAMI, script(status, body, headers={"Location": f"{server.url}/elsewhere"}))
    error = caught(connect(server.url, attempts=1).whoami)
    assert (UndocumentedStatusError, status) == (type(error), error.status)
    assert server.requests("/elsewhere") == []


# Successes that cannot be read


@pytest.mark.parametrize(("status", "body"), [(204, b""), (201, b'{"numbers": []}'), (206, b"{")])
def test_other_success(connect: Any, server: Any, script: Any, status: int, body: bytes) -> None:
    """A success status that the document does not name is no refusal, but nothing typed can be made of it."""
    server.answer(NUMBERS, script(status, body))
    error = caught(connect(server.url, attempts=1).list_numbers)
    assert (UnreadableAnswerError, status, body) == (type(error), error.status, error.raw)
    assert "the document does not name this status" in str(error)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"body": b"<html>Welcome</html>"}, "malformed"),
        ({"body": b'{"numbers": [{"numb'}, "truncated"),
        ({"body": b""}, "truncated"),
        ({"body": b'{"numbers": []}\xff'}, "trailing characters"),
        ({"body": b'{"numbers": [', "fault": "cut"}, "RemoteProtocolError"),
        ({"body": b'{"numbers": []}', "headers": {"Content-Encoding": "gzip"}}, "damaged"),
        ({"body": b'{"numbers": "%b"}' % (b"x" * (LIMIT + 1))}, "over 8 MiB"),
        ({"body": b"[" * 100_000}, "recursion"),
        ({"body": b" " * 1_000_000}, "truncated"),
        ({"body": b"\xef\xbb\xbf{}"}, "malformed"),
    ],
    ids=["html", "cut", "empty", "more", "cut-connection", "no-gzip", "large", "deep", "blanks", "bom"],
)
def test_unreadable_answer(connect: Any, server: Any, script: Any, answer: dict[str, Any], words: str) -> None:
    """A success whose body cannot be read says why, keeps the status and what came, and can be tried again."""
    server.answer(NUMBERS, script(200, **answer))
    error = caught(connect(server.url, attempts=1).list_numbers)
    assert (UnreadableAnswerError, 200, True) == (type(error), error.status, error.temporary)
    assert "HTTP 200" in str(error)
    assert words.lower() in str(error).lower()
    assert "Error of" not in str(error)
    if "fault" not in answer and "headers" not in answer and len(answer["body"]) <= LIMIT:
        assert answer["body"] == error.raw
    assert len(error.raw) <= LIMIT + 65536


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"numbers": [{"numberId": 7}]}, "$.numbers[0].numberId"),
        ({"numbers": {}}, "$.numbers"),
        ({}, "numbers"),
        ([], "object"),
    ],
)
def test_drifted_answer(connect: Any, server: Any, script: Any, body: Any, path: str) -> None:
    """A whole body of another shape names the path at which it differs, in a class that is public."""
    server.answer(NUMBERS, script(200, body))
    error = caught(connect(server.url, attempts=1).list_numbers)
    assert isinstance(error, UnreadableAnswerError)
    assert path in str(error)
    assert json.loads(error.raw) == body
    assert type(error).__name__ in redcloud_core.__all__


@pytest.mark.parametrize("status", [200, 500])
def test_gzip_bomb(connect: Any, server: Any, script: Any, bomb: bytes, status: int) -> None:
    """50 kB of gzip that unfold to 50 MB end at the limit, and never lie in memory whole."""
    server.answer(WHOAMI, script(status, bomb, headers={"Content-Encoding": "gzip"}))
    client = connect(server.url)
    tracemalloc.start()
    try:
        error = caught(client.whoami)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.status == status
    assert len(error.raw) <= LIMIT + 65536
    assert peak < 5 * LIMIT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "GZIP"])
def test_compressed_answers_are_read(connect: Any, server: Any, script: Any, encoding: str) -> None:
    """An ordinary compressed answer is read."""
    import zlib

    content = b'{"numbers": []}'
    body = zlib.compress(content) if encoding == "deflate" else gzip.compress(content)
    server.answer(NUMBERS, script(200, body, headers={"Content-Encoding": encoding}))
    assert connect(server.url).list_numbers().numbers == []


# The tree


def _drawn(text: str, indent: str = "    ") -> dict[str, str]:
    """Read a drawing of classes by indentation: each name with that of its parent."""
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.match(rf"{indent}( *)([A-Z]\w+(?:Error|Unknown))(\s|$)", line)
        if match is None:
            continue
        depth = len(match[1])
        path = [entry for entry in path if entry[0] < depth]
        parents[match[2]] = path[-1][1] if path else "Exception"
        path.append((depth, match[2]))
    return parents


def _subclasses(kind: type) -> set[type]:
    return {kind}.union(*(_subclasses(child) for child in kind.__subclasses__()))


def test_tree_is_as_its_docstring_draws_it() -> None:
    """The docstring of the module of errors draws every class, below its parent, and no other."""
    actual = {kind.__name__: kind.__base__.__name__ for kind in _subclasses(RedCloudError) if kind.__base__}
    assert _drawn(str(_errors.__doc__)) == actual


def test_tree_is_public() -> None:
    """Every error class is a public name, has a docstring, and no class but the root stands beside the root."""
    for kind in _subclasses(RedCloudError):
        assert getattr(redcloud_core, kind.__name__) is kind
        assert kind.__doc__


def test_tree_is_as_designed() -> None:
    """The families of errors: two contracts, transport, reading, sending."""
    assert {kind.__name__ for kind in RedCloudError.__subclasses__()} == {
        "InvalidCallError",
        "TokenError",
        "TransportError",
        "APIError",
        "UnreadableAnswerError",
        "SendOutcomeUnknown",
        "RecipientsRejectedError",
        "OutboxError",
    }
    assert {GuardError, ClientClosedError} == set(InvalidCallError.__subclasses__())
    assert {InvalidClientError, TokenUnavailableError} == set(TokenError.__subclasses__())
    assert [ConnectError] == TransportError.__subclasses__()
    assert {*CLASSES.values(), UndocumentedStatusError} == set(APIError.__subclasses__())
    temporary = {kind.__name__ for kind in _subclasses(RedCloudError) if kind.temporary}
    assert temporary >= {"TokenUnavailableError", "TransportError", "ConnectError", "SendOutcomeUnknown"}
    assert not temporary & {"InvalidClientError", "InvalidCallError", "BadRequestError", "ConflictError"}


# Each error once: what all of them must be


def _provoke(name: str, connect: Any, server: Any, script: Any, sms: dict[str, Any], unused_url: str) -> Any:
    """Return an error of a class, raised by a client whose secret and token are marked."""
    server.answer(TOKEN, script(200, {"access_token": TOKENS, "expires_in": 3600}))
    url = server.url
    scripts = {
        "InvalidClientError": (TOKEN, script(401, {"error": "invalid_client", "error_description": "no"})),
        "TokenError": (TOKEN, script(404, b"<html>not here</html>")),
        "TokenUnavailableError": (TOKEN, script(503, b"down")),
        "TokenSilent": (TOKEN, script(fault="reset")),
        "TokenOdd": (TOKEN, script(200, {"access_token": f"{TOKENS}\n", "expires_in": 1})),
        "TransportError": (WHOAMI, script(fault="reset")),
        "Ended": (WHOAMI, script(fault="end")),
        "Timeout": (WHOAMI, script(fault="hang")),
        "UnreadableAnswerError": (WHOAMI, script(200, b"<html>")),
        "Cut": (WHOAMI, script(200, b"{", fault="cut")),
        "Drifted": (WHOAMI, script(200, {})),
        "UndocumentedStatusError": (WHOAMI, script(418, b"tea")),
        "SendOutcomeUnknown": (SEND, script(500, {**WRAPPER, "requestId": "req_1"})),
        "SendRedirect": (SEND, script(302, b"moved", headers={"Location": "/elsewhere"})),
        "SendReset": (SEND, script(fault="reset")),
        "SendCut": (SEND, script(202, b"{", fault="cut")),
        **{kind.__name__: (SEND, script(status, WRAPPER)) for status, kind in CLASSES.items() if status < 500},
        "ServerError": (WHOAMI, script(500, WRAPPER)),
        "UpstreamError": (f"{NUMBERS}/search", script(502, WRAPPER)),
    }
    path, answer = scripts.get(name, (WHOAMI, script()))
    server.answer(path, answer)
    if name == "NotReached":
        url = unused_url
    client = connect(url, client_secret=SECRET, timeout=0.2, attempts=1)
    if name == "InvalidCallError":
        return caught(client.send_message, **{**sms, "to": 7}, idempotency_key="idem_1")
    if name == "GuardError":
        return caught(client.send_message, **{**sms, "sendFrom": "+15551234567"}, idempotency_key="idem_1")
    if name == "NotFoundError":
        server.answer(f"{NUMBERS}/num_1", script(404, WRAPPER))
        return caught(client.update_number, numberId="num_1")
    if name == "UpstreamError":
        return caught(client.search_numbers)
    call = client.send_message if path == SEND else client.whoami
    return caught(call, **({**sms, "idempotency_key": "idem_1"} if path == SEND else {}))


PROVOKED = [
    "InvalidCallError",
    "GuardError",
    "InvalidClientError",
    "TokenError",
    "TokenUnavailableError",
    "TokenSilent",
    "TokenOdd",
    "NotReached",
    "TransportError",
    "Ended",
    "Timeout",
    "UnreadableAnswerError",
    "Cut",
    "Drifted",
    "UndocumentedStatusError",
    "SendOutcomeUnknown",
    "SendRedirect",
    "SendReset",
    "SendCut",
    *(kind.__name__ for kind in CLASSES.values()),
]


@pytest.fixture(params=PROVOKED)
def provoked(
    request: pytest.FixtureRequest, connect: Any, server: Any, script: Any, sms: dict[str, Any], unused_url: str
) -> Any:
    """Each error once, as a client raised it."""
    error = _provoke(request.param, connect, server, script, sms, unused_url)
    named = getattr(redcloud_core, request.param, None)
    assert named is None or type(error) is named
    return error


def _comparable(value: object) -> object:
    return (type(value), str(value)) if isinstance(value, Exception) else value


def test_pickles(provoked: RedCloudError) -> None:
    """Every error survives pickling with its class, its words and its attributes."""
    again = pickle.loads(pickle.dumps(provoked))
    assert (type(provoked), str(provoked)) == (type(again), str(again))
    names = {name for name, _ in inspect.getmembers(provoked) if not name.startswith("_")} - {"with_traceback"}
    for name in names - {"add_note", "of"}:
        assert _comparable(getattr(provoked, name)) == _comparable(getattr(again, name)), name
    if isinstance(provoked, SendOutcomeUnknown):
        assert ("idem_1", provoked.send.content) == (again.send.key, again.send.content)
        assert provoked.attempts == again.send.attempts


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def test_chain_holds_no_foreign_error(provoked: RedCloudError) -> None:
    """No exception of the HTTP library or the codec hangs behind an error: it would drag the request along."""
    homes = {type(error).__module__.partition(".")[0] for error in _chain(provoked)}
    assert homes == {"redcloud_core"}


def test_no_secret_is_seen(provoked: RedCloudError) -> None:
    """Neither secret nor token is in an error's words, attributes, or traceback with all locals."""
    frames = traceback.TracebackException.from_exception(provoked, capture_locals=True)
    # the locals of this test's own callers do hold them; only the SDK's frames are judged
    for part in [frames, *([frames.__context__] if frames.__context__ else [])]:
        part.stack = traceback.StackSummary.from_list(
            [frame for frame in part.stack if "redcloud_core" in frame.filename]
        )
    shown = "".join(frames.format())
    attributes = " ".join(repr(getattr(provoked, name)) for name in dir(provoked) if not name.startswith("__"))
    for text in (str(provoked), repr(provoked), shown, attributes):
        for planted in (SECRET, TOKENS, "Basic ", "Bearer ey", f"Bearer {TOKENS}"):
            assert planted not in text


def test_attempts_are_told(provoked: RedCloudError) -> None:
    """Every error tells its attempts; each says its outcome in words."""
    assert all(attempt.outcome for attempt in provoked.attempts)
    expected = 0 if isinstance(provoked, InvalidCallError) else 1
    assert len(provoked.attempts) == (2 if isinstance(provoked, UnauthorizedError) else expected)


def test_words_end_in_a_sentence(provoked: RedCloudError) -> None:
    """Every message is made of sentences, with nothing of Python's or a library's innards at its ends."""
    text = str(provoked)
    assert text[-1] in ".,:" or isinstance(provoked, InvalidCallError)
    assert not re.search(r"<[\w.]+ object|Traceback|\.\.|: \.|  \S|None", text.replace("\n  ", " "))


def test_advice_points_at_what_holds(provoked: RedCloudError) -> None:
    """Where a message says that `.raw` holds the body, it does."""
    raw = getattr(provoked, "raw", b"")
    assert "`.raw`" not in str(provoked) or raw


# Log records


def test_one_record_an_attempt(
    connect: Any, server: Any, script: Any, sms: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt is one record of level INFO, with method, path, status and time; nothing of it is secret."""
    server.answer(TOKEN, script(200, {"access_token": TOKENS, "expires_in": 3600}))
    server.answer(SEND, script(401, WRAPPER), script(202, {"results": [], "errors": []}))
    server.answer(f"{NUMBERS}/%2B15551234567", script())
    with caplog.at_level(logging.DEBUG, logger="redcloud_core.http"):
        client = connect(server.url, client_secret=SECRET)
        client.send_message(**sms, idempotency_key="idem_1")
        client.update_number(numberId="+15551234567", campaignregId="A1")
    records = [record for record in caplog.records if record.name.startswith("redcloud_core")]
    assert {logging.INFO} == {record.levelno for record in records}
    said = [re.sub(r"[\d.]+ s$", "T s", record.getMessage()) for record in records]
    token = f"POST {TOKEN} 200 in T s"
    assert said[1:] == [f"POST {SEND} 401 in T s", token, f"POST {SEND} 202 in T s", said[-1]]
    assert said[0] == token
    assert said[-1].startswith(f"PATCH {NUMBERS}/%2B")
    everything = " ".join(record.getMessage() for record in caplog.records)
    for planted in (SECRET, TOKENS, "5551234567", "555123", "Bearer", "Basic"):
        assert planted not in everything


def test_record_of_a_failure(connect: Any, server: Any, script: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An attempt without an answer is a record too, with the reason."""
    server.answer(WHOAMI, script(fault="reset"))
    with caplog.at_level(logging.INFO, logger="redcloud_core.http"):
        caught(connect(server.url, attempts=1).whoami)
    last = [record for record in caplog.records if record.name == "redcloud_core.http"][-1]
    assert "GET /api/core/whoami ReadError" in last.getMessage()
    assert last.exc_info is None
