"""Operations: how requests are written, judged by a second opinion, and how answers are read."""

import email
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from pipeline import account
from pipeline.document import load

Get = Callable[[str], Any]
DOCUMENT = Path(__file__).with_name("documents") / "operations.yaml"
FORM = "application/x-www-form-urlencoded"
NOTE: dict[str, Any] = {"text": "a & b", "count": 1}
POINT = {"x": 1, "y": 2}
DEEP = 100_000
OBJECTS = {"deep", "spread", "flat"}


@pytest.fixture(scope="session")
def openapi() -> OpenAPI:
    """Give openapi-core's own reading of the document, without objects in the query: it cannot decode those."""
    data = load(DOCUMENT).root.value
    search = data["paths"]["/search/{kind}"]["get"]
    search["parameters"] = [found for found in search["parameters"] if found["name"] not in OBJECTS]
    return OpenAPI.from_dict(data)


@pytest.fixture
def build(client: Get) -> Callable[..., Any]:
    """Give the function that builds the request of an operation by its name."""

    def made(operation: str, /, **keywords: Any) -> Any:
        return client("operations").operation(operation).build(**keywords)

    return made


@pytest.fixture
def parse(client: Get) -> Callable[..., Any]:
    """Give the function that reads an answer to an operation."""
    calls = client("operations").module("calls")

    def read(name: str, status: int, content: bytes, media: str = "application/json") -> Any:
        answer = calls.Answer(status, {"content-type": media}, content)
        return client("operations").operation(name).parse(answer)

    return read


@pytest.mark.parametrize(
    ("keywords", "target"),
    [
        ({}, ""),
        ({"many": ["a", "b&c"]}, "&many=a&many=b%26c"),
        ({"joined": [1, 2]}, "&joined=1%2C2"),
        ({"spaced": ["a", "b"]}, "&spaced=a+b"),
        ({"piped": ["a", "b"]}, "&piped=a%7Cb"),
        ({"deep": POINT}, "&deep%5Bx%5D=1&deep%5By%5D=2"),
        ({"spread": POINT}, "&x=1&y=2"),
        ({"flat": POINT}, "&flat=x%2C1%2Cy%2C2"),
        ({"json": POINT}, "&json=%7B%22x%22%3A1%2C%22y%22%3A2%7D"),
        ({"flag": True}, "&flag=true"),
        ({"day": "2026-01-02"}, "&day=2026-01-02"),
        ({"sort": "up"}, "&sort=up"),
    ],
)
def test_query(build: Any, openapi: OpenAPI, keywords: dict[str, Any], target: str) -> None:
    """Each style of a query parameter is written as OpenAPI says, and the second opinion takes it."""
    request = build("search", kind="a/b", shared=1, **keywords)
    assert request.target == f"/search/a%2Fb?shared=1{target}"
    if not OBJECTS & set(keywords):
        openapi.validate_request(seen(build("search", kind="a", shared=1, **keywords)))


def seen(request: Any) -> MockRequest:
    """Give a request as openapi-core sees it."""
    from urllib.parse import parse_qsl, urlsplit

    from werkzeug.datastructures import MultiDict

    parts = urlsplit(request.target)
    cookies = dict(part.split("=", 1) for part in request.headers.get("Cookie", "").split("; ") if part)
    return MockRequest(
        "https://api.example.com",
        request.operation.method.lower(),
        parts.path,
        args=MultiDict(parse_qsl(parts.query)),
        headers=dict(request.headers),
        cookies=cookies,
        data=request.content,
        content_type=request.headers.get("Content-Type", ""),
    )


def test_headers_and_cookies(build: Any, openapi: OpenAPI) -> None:
    """Header and cookie parameters travel under their exact names."""
    request = build("search", kind="a", shared=1, x_shared="s", x_trace="t", x_list=[1, 2], session="a b", theme=3)
    assert request.headers == {"X-Shared": "s", "X-Trace": "t", "X-List": "1,2", "Cookie": "session=a%20b; theme=3"}
    openapi.validate_request(seen(request))


def test_parameters_of_the_path(build: Any) -> None:
    """An operation has the parameters of its path, and overrides them by its own."""
    assert build("remove_all", kind="a", shared="text").target == "/search/a?shared=text"
    with pytest.raises(Exception, match="shared: expected `int`, got `str`"):
        build("search", kind="a", shared="text")
    assert build("list_of", ids=[1, 2]).target == "/list/1%2C2"


def test_defaults_are_never_sent(client: Get) -> None:
    """A default of the document is the API's to apply."""
    request = client("presence").operation("patch_settings").build()
    assert (request.target, request.content) == ("/settings", b"")


def test_deprecated_warns_once_when_passed(client: Get) -> None:
    """A deprecated parameter, property or operation warns once, when it is used, and not otherwise."""
    found = client("presence").module("client")
    transport = httpx.MockTransport(lambda _: httpx.Response(204))
    with found.Client("http://127.0.0.1:1", transport=transport) as low:
        for call, keywords, count in (
            (low.patch_settings, {}, 0),
            (low.patch_settings, {"size": 1}, 0),
            (low.patch_settings, {"old": "a"}, 1),
            (low.patch_settings, {"before": "a"}, 1),
            (low.old_settings, {}, 1),
        ):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                call(**keywords)
            assert [warning.category for warning in caught] == [DeprecationWarning] * count
            assert all(warning.filename == __file__ for warning in caught)


def test_one_way_properties(client: Get) -> None:
    """A readOnly property is no keyword, a writeOnly one is; each is required in its own direction only."""
    found = client("presence")
    build = found.operation("put_account").build
    assert json.loads(build(name="a", secret="s").content) == {"name": "a", "secret": "s"}
    with pytest.raises(TypeError, match="id"):
        build(name="a", secret="s", id=1)
    answer = found.module("calls").Answer(200, {}, b'{"id":1,"name":"a"}')
    assert found.operation("put_account").parse(answer).id == 1


def test_json_bodies(build: Any, openapi: OpenAPI) -> None:
    """An object's properties are keywords, another body is `body`; both are JSON."""
    for request, content in ((build("post_json", **NOTE), NOTE), (build("post_array", body=[1, 2]), [1, 2])):
        assert json.loads(request.content) == content
        assert request.headers == {"Content-Type": "application/json"}
        openapi.validate_request(seen(request))


def test_form(build: Any, openapi: OpenAPI) -> None:
    """A form repeats the names of arrays, holds objects as JSON, and follows what `encoding` says."""
    request = build("post_form", name="a b", tags=["x", "y"], flat=[1, 2], point=POINT, deep=POINT)
    assert sorted(request.content.split(b"&")) == sorted(
        b"name=a+b&tags=x&tags=y&flat=1%2C2&point=%7B%22x%22%3A1%2C%22y%22%3A2%7D&deep%5Bx%5D=1&deep%5By%5D=2".split(
            b"&"
        )
    )
    openapi.validate_request(seen(build("post_form", name="a b", tags=["x", "y"])))


def test_multipart(client: Get, build: Any) -> None:
    """A multipart body holds files and texts that another parser reads back, and the same call gives the same bytes."""
    file = client("operations").module("types").File(b"\x00\r\n--\xff", 'a"b.png', "image/png")
    keywords = {"file": file, "more": [b"one", b"two"], "title": "Ä", "point": POINT, "count": 3}
    request = build("upload", **keywords)
    assert build("upload", **keywords) == request
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts: list[Any] = email.message_from_bytes(head + request.content).get_payload()  # type: ignore[assignment]
    found = [(part.get_param("name", header="Content-Disposition"), part.get_payload(decode=True)) for part in parts]
    assert sorted(found) == sorted(
        [
            *(("file", file.content), ("more", b"one"), ("more", b"two")),
            *(("title", "Ä".encode()), ("point", b'{"x":1,"y":2}'), ("count", b"3")),
        ]
    )
    first = next(part for part in parts if part.get_param("name", header="Content-Disposition") == "file")
    assert (first.get_content_type(), first.get_filename()) == ("image/png", "a%22b.png")


def test_multipart_is_checked(build: Any) -> None:
    """What is wrong in a multipart body is named at once."""
    with pytest.raises(Exception, match="nothing was sent") as error:
        build("upload", file=1, title="x" * 21, count="y")
    assert {violation.place for violation in error.value.violations} == {"file", "title", "count"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "body", "content", "media"),
    [
        ("put_raw", b"\x00\xff", b"\x00\xff", "application/octet-stream"),
        ("put_text", "Ä", "Ä".encode(), "text/plain"),
    ],
)
def test_raw_bodies(build: Any, name: str, body: Any, content: bytes, media: str) -> None:
    """Bytes and texts leave as they are."""
    request = build(name, body=body)
    assert (request.content, request.headers) == (content, {"Content-Type": media})


@pytest.mark.parametrize(
    ("media", "begins", "content"),
    [
        ("application/json", "application/json", b'{"text":"a & b"}'),
        (FORM, FORM, b"text=a+%26+b"),
        ("multipart/form-data", "multipart/form-data; boundary=", b'name="text"\r\n\r\na & b\r\n'),
    ],
)
def test_the_content_type_is_the_callers_choice(build: Any, media: str, begins: str, content: bytes) -> None:
    """A body with several content types is written in the one that the keyword names."""
    request = build("post_several", text="a & b", content_type=media)
    assert request.headers["Content-Type"].startswith(begins)
    assert content in request.content


def test_the_content_type_must_be_a_known_one(build: Any, client: Get) -> None:
    """A content type that the document does not name is the package's own error."""
    with pytest.raises(client("operations").module("errors").InvalidRequest, match="content_type"):
        build("post_several", **NOTE, content_type="text/csv")


@pytest.mark.parametrize(
    ("name", "status", "content", "media", "value"),
    [
        ("answers", 200, b'{"text":"a"}', "application/json", {"text": "a"}),
        ("answers", 202, b'{"x":1}', "application/json", {"x": 1}),
        ("answers", 204, b"", "", None),
        ("answers", 299, b"[1]", "application/json", [1]),
        ("answers", 200, b'{"text":"a"}', "text/html", {"text": "a"}),
        ("answers", 200, b'{"text":"a","text":"b"}', "application/json", {"text": "b"}),
        ("only_default", 201, b'{"text":"a"}', "application/json", {"text": "a"}),
        ("put_raw", 200, b"\x00\xff", "application/octet-stream", b"\x00\xff"),
        ("put_text", 200, "Ä".encode(), "text/plain; charset=utf-8", "Ä"),
        ("post_array", 200, b"", "", None),
    ],
)
def test_answers(client: Get, parse: Any, name: str, status: int, content: bytes, media: str, value: Any) -> None:
    """An answer is read as the document says for its status, whatever it is called; the last of two names wins."""
    found = parse(name, status, content, media)
    plain = found if isinstance(found, bytes) else client("operations").module("codec").to_builtins(found)
    assert plain == value


@pytest.mark.parametrize(
    ("status", "content", "media", "body", "documented"),
    [
        (404, b'{"code":"none"}', "application/json", {"code": "none"}, True),
        (503, b"broken", "text/plain", "broken", True),
        (418, b'{"code":"tea"}', "application/problem+json", {"code": "tea"}, True),
        (404, b"<html>", "text/html", None, True),
        (404, b"[" * DEEP, "application/json", None, True),
        (503, b"\xff", "text/plain", None, True),
    ],
)
def test_errors(client: Get, parse: Any, status: int, content: bytes, media: str, body: Any, documented: bool) -> None:
    """An answer that is no success is an ErrorAnswer with its status, its body where that can be read."""
    found = client("operations")
    with pytest.raises(found.module("errors").ErrorAnswer) as error:
        parse("answers", status, content, media)
    assert (error.value.answer.status, error.value.documented) == (status, documented)
    assert found.module("codec").to_builtins(error.value.body) == body


@pytest.mark.parametrize(
    ("content", "drift"),
    [
        (b'{"text":1}', "at `$.text`"),
        (b"{}", "`text`"),
        (b"[]", "Expected `object`"),
        (b'{"text":"a', ""),
        (b'{"text":1', ""),
        (b"", ""),
        (b"<html>", ""),
        (b'\xef\xbb\xbf{"text":"a"}', ""),
        (b'{"text":"\xff"}', ""),
        (b'{"more":' + b"[" * DEEP + b"]" * DEEP + b',"text":"a"}', ""),
        (b"[" * DEEP, ""),
        (b" " * DEEP, ""),
        (b'{"text":"a"} x', ""),
    ],
    ids=lambda value: str(value[:20]),
)
def test_hostile_answers(client: Get, parse: Any, content: bytes, drift: str) -> None:
    """An answer that cannot be read is the package's own error: drift where it is whole, and the status is told."""
    errors = client("operations").module("errors")
    with pytest.raises(errors.UnreadableAnswer) as error:
        parse("answers", 200, content)
    assert isinstance(error.value, errors.DriftedAnswer) is bool(drift)
    assert error.value.answer.status == 200
    assert str(error.value).startswith("HTTP 200")
    assert drift in error.value.reason


def test_without_operation_id_or_tag(client: Get, build: Any) -> None:
    """An operation without operationId gets a stable name, which a note tells; tags are folders."""
    assert build("get_unnamed_id_more_things", id="a").target == "/unnamed/a/more-things"
    notes = client("operations").contract.notes
    assert any("get_unnamed_id_more_things" in note and "~1unnamed" in note for note in notes)
    assert client("operations").operation("tagged", tag="two_words").build().target == "/tagged"


@pytest.mark.parametrize("what", ["webhooks at #/webhooks", "callbacks at #/paths/~1tagged/post/callbacks"])
def test_what_a_client_cannot_call_is_waived(client: Get, what: str) -> None:
    """What is received is waived in the ledger by its name and place."""
    found = client("operations")
    lines = account.waived(account.ledger(found.document, found.contract))
    assert any(line.startswith(what) for line in lines), lines


def test_the_wrong_is_named_at_once(client: Get) -> None:
    """One refusal names every mismatch: in unions with a discriminator, open objects, maps, arrays and scalars."""
    with pytest.raises(Exception, match="nothing was sent") as error:
        client("constraints").operation("put_thing").build(
            told={"kind": "a", "code": 1, "inner": {}},
            tolds=[{"kind": "b", "size": "x"}, {"kind": "b", "size": 0}],
            open={"code": "abcd", "more": "x"},
            map={"a": "x"},
            rows=[[6], ["x"]],
            pattern="a",
        )
    places = sorted(violation.place for violation in error.value.violations)  # type: ignore[attr-defined]
    assert places == sorted(
        [
            *("told.code", "told.inner.code", "tolds[0].size", "tolds[1].size", "open.code", "open.more"),
            *("map.a", "rows[0][0]", "rows[1][0]", "pattern"),
        ]
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("pattern", "12\n"), ("pattern", "\u0663"), ("inner", "b\n")],
    ids=["$ is the end", "d is ASCII", "$ behind a letter"],
)
def test_patterns_are_of_ecma(client: Get, field: str, value: str) -> None:
    """A pattern means what it means in ECMA-262, where the second opinion applies Python's dialect."""
    with pytest.raises(Exception, match=field):
        client("constraints").operation("put_thing").build(**{field: value})
