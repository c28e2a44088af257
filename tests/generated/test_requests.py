"""Requests are built whole or refused whole: everything that is wrong is named with its place."""

import datetime
import importlib
import json
import pickle
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from redcloud_core_client import models
from redcloud_core_client.api.authentication import issue_token
from redcloud_core_client.api.core import search_numbers, send_message, update_number, whoami
from redcloud_core_client.errors import InvalidRequest

SMS: dict[str, Any] = {
    "idempotency_key": "idem_order_789",
    "sendFrom": "num_abc123",
    "to": ["+15551234567"],
    "messageType": "SMS",
    "externalReference": "order_789",
}
ORDER: dict[str, Any] = {"orderId": "1", "address": {"street": "Main"}, "lines": [{"sku": "a", "quantity": 1}]}


def places(build: Any, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return what a build refuses: place and reason, each place once."""
    with pytest.raises(Exception, match="nothing was sent") as error:
        build(**arguments)
    assert type(error.value).__name__ == "InvalidRequest"
    found: dict[str, str] = {violation.place: violation.reason for violation in error.value.violations}  # type: ignore[attr-defined]
    assert len(found) == len(error.value.violations)  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="session")
def put_order(shop: str) -> Any:
    """Give the build function of a large operation."""
    return importlib.import_module(f"{shop}.api.default.put_order").build


@pytest.fixture(scope="session")
def add_note(shop: str) -> Any:
    """Give the build function of an operation with a raw body."""
    return importlib.import_module(f"{shop}.api.default.add_note").build


def test_a_request_is_what_leaves() -> None:
    """A request says method, target, headers and bytes, and nothing of the host or of Authorization."""
    request = send_message.build(**SMS)
    assert (request.operation.method, request.target) == ("POST", "/api/core/messages/send")
    assert request.headers == {"Idempotency-Key": "idem_order_789", "Content-Type": "application/json"}
    assert json.loads(request.content) == {name: SMS[name] for name in SMS if name != "idempotency_key"}


def test_same_call_same_bytes() -> None:
    """The same keywords give the same bytes, in whatever order they stand."""
    assert send_message.build(**SMS).content == send_message.build(**dict(reversed(SMS.items()))).content


def test_no_body_no_content_type() -> None:
    """A request without body has no content and no Content-Type."""
    request = whoami.build()
    assert (request.headers, request.content) == ({}, b"")


def test_nothing_set_nothing_sent() -> None:
    """A required body of which nothing is set is an empty object."""
    assert search_numbers.build().content == b"{}"
    assert update_number.build(numberId="num_abc123").content == b"{}"


def test_null_is_sent() -> None:
    """None is null, and null is sent."""
    request = update_number.build(numberId="num_abc123", campaignregId=None)
    assert json.loads(request.content) == {"campaignregId": None}


def test_defaults_of_the_document_are_not_sent(put_order: Any) -> None:
    """A default of the document is the API's to apply: nothing is sent that the caller did not set."""
    request = put_order(**ORDER)
    assert request.target == "/orders/1"
    assert json.loads(request.content) == {"address": {"street": "Main"}, "lines": [{"sku": "a", "quantity": 1}]}
    assert set(request.headers) == {"Content-Type"}


@pytest.mark.parametrize(
    ("media", "content"),
    [
        ("application/json", b'{"client_id":"a b&","client_secret":"s","grant_type":"client_credentials"}'),
        ("application/x-www-form-urlencoded", b"client_id=a+b%26&client_secret=s&grant_type=client_credentials"),
    ],
)
def test_two_content_types(media: Any, content: bytes) -> None:
    """An operation with two content types writes the body in the one that is asked for, and says so."""
    request = issue_token.build(
        grant_type="client_credentials", client_id="a b&", client_secret="s", content_type=media
    )
    assert request.headers == {"Content-Type": media}
    assert request.content == content


def test_form_without_credentials() -> None:
    """The form does without the credentials that JSON requires."""
    media: Any = "application/x-www-form-urlencoded"
    assert issue_token.build(grant_type="client_credentials", content_type=media).content == (
        b"grant_type=client_credentials"
    )
    assert places(issue_token.build, {"grant_type": "client_credentials"}) == {
        "client_id": "is required",
        "client_secret": "is required",
    }


def test_everything_wrong_is_named_at_once() -> None:
    """One refusal names every mismatch of a send, with its place."""
    wrong = {
        **SMS,
        "idempotency_key": "a\r\nX-Evil: 1",
        "sendFrom": 1,
        "to": ["+1", "+2", "+3", 4],
        "messageType": "RCS",
        "text": None,
        "media": [{"url": "x"}, "y"],
    }
    assert places(send_message.build, wrong) == {
        "idempotency_key": "must be printable ASCII: it is a header",
        "sendFrom": "expected `str`, got `int`",
        "to[3]": "expected `str`, got `int`",
        "messageType": "must be one of `SMS`, `MMS`",
        "text": "expected `str`, got `null`",
        "media[1]": "expected `object`, got `str`",
    }


def test_everything_nested_is_named_at_once(put_order: Any) -> None:
    """Nested objects are checked to their leaves: types, constraints, names, enums, numbers."""
    wrong = {
        **ORDER,
        "address": {"street": "M", "zip": "1", "stret": "Main"},
        "lines": [
            {"sku": 1, "quantity": 11},
            {"quantity": 0, "price": float("nan")},
            {"sku": "a", "quantity": 1, "size": 7, "media": [{"street": 1}, {}]},
        ],
        "labels": {"a": 1},
        "tags": ["", "x"],
        "colour": "blue",
        "due": "tomorrow",
        "step": 0.15,
        "limit": 101,
    }
    with pytest.raises(Exception, match="nothing was sent") as error:
        put_order(**wrong)
    found = {violation.place for violation in error.value.violations}  # type: ignore[attr-defined]
    assert found == {
        *("address.street", "address.zip", "address.stret", "lines[0].sku", "lines[0].quantity", "lines[1].sku"),
        *("lines[1].quantity", "lines[1].price", "lines[2].size", "lines[2].media[0].street"),
        *("lines[2].media[1].street", "labels.a", "tags[0]", "colour", "due", "step", "limit"),
    }


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"lines": []}, "lines", "at least 1 item"),
        ({"tags": ["x", "x"]}, "tags", "the same item twice"),
        ({"tags": "abc"}, "tags", "expected `array`, got `str`"),
        ({"address": {"street": "x" * 21}}, "address.street", "at most 20 characters"),
        ({"address": {}}, "address.street", "is required"),
        ({"address": {"street": "Main", "Zip": "12345"}}, "address.Zip", "is no property here"),
        ({"lines": [{"sku": "a", "quantity": True}]}, "lines[0].quantity", "expected `int`, got `bool`"),
        ({"lines": [{"sku": "a", "quantity": "1"}]}, "lines[0].quantity", "expected `int`, got `str`"),
        ({"lines": [{"sku": "a", "quantity": 1, "price": 0}]}, "lines[0].price", "more than 0"),
        ({"lines": [{"sku": "a", "quantity": 1, "price": float("inf")}]}, "lines[0].price", "finite"),
        (
            {"lines": [{"sku": "a", "quantity": 1, "media": [{"street": "Main"}] * 3}]},
            "lines[0].media",
            "at most 2 items",
        ),
        ({"expand": ["x", 2]}, "expand[1]", "expected `str`, got `int`"),
        ({"columns": "1,2"}, "columns", "expected `array`, got `str`"),
        ({"lines": [{"sku": "a", "quantity": 1}, {"sku": object(), "quantity": 1}]}, "lines[1].sku", "no form in JSON"),
    ],
)
def test_each_mismatch(put_order: Any, changes: dict[str, Any], place: str, reason: str) -> None:
    """A single mismatch is the only one that is named, at its place."""
    ((found, why),) = places(put_order, {**ORDER, **changes}).items()
    assert found == place
    assert reason in why


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"street": "Main"}, {"street": "Main"}),
        (MappingProxyType({"street": "Main"}), {"street": "Main"}),
        ({"street": "Main", "zip": "12345"}, {"street": "Main", "zip": "12345"}),
    ],
    ids=["dict", "read-only mapping", "two properties"],
)
def test_mappings_for_objects(put_order: Any, value: Any, written: Any) -> None:
    """Nested objects may be given as plain mappings of any kind, as the signature says."""
    assert json.loads(put_order(**{**ORDER, "address": value}).content)["address"] == written


def test_models_for_objects(shop: str, put_order: Any) -> None:
    """Nested objects may be given as models, and those are checked alike."""
    address = importlib.import_module(f"{shop}.models").Address
    request = put_order(**{**ORDER, "address": address(street="Main")})
    assert json.loads(request.content)["address"] == {"street": "Main"}
    assert places(put_order, {**ORDER, "address": address(street="Main", zip="x")}) == {
        "address.zip": r"must match the pattern `^\d{5}$`"
    }


@pytest.mark.parametrize("value", ["RCS", models.MessageType("RCS"), "sms", "", None, 1])
def test_enums_are_closed(value: Any) -> None:
    """What is sent must be a member of its enum, even where an answer brought another."""
    assert set(places(send_message.build, {**SMS, "messageType": value})) == {"messageType"}


@pytest.mark.parametrize("value", ["SMS", models.MessageType.SMS])
def test_enums_take_members_and_texts(value: Any) -> None:
    """A member and its text are the same to a request."""
    assert send_message.build(**{**SMS, "messageType": value}).content == send_message.build(**SMS).content


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"text": "caf\u00e9 \ud83d"}, "text"),
        ({"to": ["+1", "+\udc00"]}, "to[1]"),
        ({"media": [{"url": "x"}, {"url": {"deep": ["\ud800"]}}]}, "media[1].url.deep[0]"),
    ],
)
def test_lone_surrogates(changes: dict[str, Any], place: str) -> None:
    """A text that no UTF-8 can hold is refused, with its place and the index in it."""
    (text,) = (value for value in ["caf\u00e9 \ud83d", "+\udc00", "\ud800"] if repr(value)[1:-1] in repr(changes))
    ((found, why),) = places(send_message.build, {**SMS, **changes}).items()
    assert found == place
    assert f"index {len(text) - 1} is a lone surrogate" in why


@pytest.mark.parametrize(
    "changes",
    [{"media": [{"\ud800": "x"}]}, {"media": [{"url": {"\udfff": 1}}]}],
    ids=["name", "nested name"],
)
def test_lone_surrogates_in_names(changes: dict[str, Any]) -> None:
    """A name that no UTF-8 can hold is refused as well: a body must never leave empty instead."""
    ((place, _),) = places(send_message.build, {**SMS, **changes}).items()
    assert place.startswith("media[0]")


def test_lone_surrogates_beside_the_body(put_order: Any, add_note: Any) -> None:
    """A path value, a query value, a form field and a raw text are refused alike, by their keywords."""
    assert set(places(update_number.build, {"numberId": "num_\ud800"})) == {"numberId"}
    assert set(places(put_order, {**ORDER, "expand": ["a", "\ud800"]})) == {"expand[1]"}
    assert set(places(add_note, {"orderId": 1, "body": "\ud800"})) == {"body"}
    form = {"grant_type": "client_credentials", "client_id": "\ud800"}
    form["content_type"] = "application/x-www-form-urlencoded"
    assert set(places(issue_token.build, form)) == {"client_id"}


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00", "\u00e9", "a\tb", "\x7f"])
def test_headers_are_printable(value: str) -> None:
    """Nothing that could end or bend a header gets into one."""
    assert places(send_message.build, {**SMS, "idempotency_key": value}) == {
        "idempotency_key": "must be printable ASCII: it is a header"
    }


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_path_values_that_change_the_path(value: str) -> None:
    """A path value that would make another path of it is refused."""
    assert set(places(update_number.build, {"numberId": value})) == {"numberId"}


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("num_abc123", "num_abc123"),
        ("../whoami", "..%2Fwhoami"),
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ("a b%2F", "a%20b%252F"),
        ("\u00e9", "%C3%A9"),
        ("{numberId}", "%7BnumberId%7D"),
        ("a\r\nb", "a%0D%0Ab"),
        ("...", "..."),
    ],
)
def test_path_values_are_encoded(value: str, part: str) -> None:
    """A path value is one part of the path, whatever it holds."""
    assert update_number.build(numberId=value).target == f"/api/core/numbers/{part}"


def test_query_values(put_order: Any) -> None:
    """The query holds what was set: arrays once an element or joined, booleans and dates as JSON writes them."""
    request = put_order(
        **ORDER,
        expand=["a", "b&c"],
        columns=[1, 2],
        limit=5,
        dry=False,
        since=datetime.date(2026, 1, 2),
        x_trace="t 1",
    )
    assert request.target == "/orders/1?expand=a&expand=b%26c&columns=1%2C2&limit=5&dry=false&since=2026-01-02"
    assert request.headers["X-Trace"] == "t 1"


def test_raw_bodies(add_note: Any) -> None:
    """A body that is no JSON leaves as it is; one that is optional may be left out."""
    request = add_note(orderId=1, body="h\u00e9")
    assert (request.content, request.headers) == (b"h\xc3\xa9", {"Content-Type": "text/plain"})
    assert (add_note(orderId=1).content, add_note(orderId=1).headers) == (b"", {})


def test_odd_names(shop: str) -> None:
    """Names that Python cannot bear have keywords of their own, and leave under the document's names."""
    names = ["class", "_id", "self", "x-y", "str", "list", "Line", "Odd"]
    values = ["c", "i", "s", 1, "t", ["l"], "n", {"sku": "a", "quantity": 1}]
    module = importlib.import_module(f"{shop}.api.default.keep_odd")
    answer = importlib.import_module(f"{shop}.calls").Answer
    content = json.dumps(dict(zip(names, values, strict=True))).encode()
    kept = module.parse(answer(200, {"content-type": "application/json"}, content))
    keywords = ["class_", "id_", "self_", "x_y", "str_", "list_", "Line_2", "Odd_2"]
    assert {name for name in dir(kept) if name[0] != "_"} == set(keywords)
    request = module.build(**{name: getattr(kept, name) for name in keywords})
    assert json.loads(request.content) == json.loads(content)


@pytest.mark.parametrize(
    ("arguments", "hidden"),
    [
        ({"grant_type": "hush", "client_id": "id", "client_secret": "s"}, "hush"),
        ({"grant_type": "client_credentials", "client_id": "id", "client_secret": 12345}, "12345"),
        ({"grant_type": "client_credentials", "client_id": "\ud800", "client_secret": "hush"}, "hush"),
    ],
)
def test_values_are_not_repeated(arguments: dict[str, Any], hidden: str) -> None:
    """A refusal says what is wrong with a value without repeating it: it may be a secret."""
    with pytest.raises(InvalidRequest) as error:
        issue_token.build(**arguments)
    assert hidden not in f"{error.value} {error.value!r}"


def test_secrets_of_requests_are_not_shown() -> None:
    """The repr of a request shows what is asked, not what is said."""
    request = issue_token.build(grant_type="client_credentials", client_id="id", client_secret="hush")
    assert "hush" not in repr(request)
    assert "/api/auth/token" in repr(request)


def test_refusals_are_sentences_and_pickle() -> None:
    """A refusal names operation and places in words, and survives a process boundary."""
    with pytest.raises(InvalidRequest) as error:
        send_message.build(**{**SMS, "to": []})
    assert str(error.value) == (
        "sendMessage: nothing was sent, because the document does not allow this:\n  to: must hold at least 1 item"
    )
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({**SMS, "campaignRegId": "A1B2C3"}, "campaignRegId"),
        ({name: SMS[name] for name in SMS if name != "idempotency_key"}, "idempotency_key"),
    ],
)
def test_keywords_are_pythons(arguments: dict[str, Any], named: str) -> None:
    """An unknown or missing keyword is Python's TypeError, which calls the operation by its method."""
    with pytest.raises(TypeError, match=rf"send_message\(\).*'{named}'"):
        send_message.build(**arguments)
