"""Between bytes and models: exact types in, the same bytes out, and the codec's own errors for everything else."""

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from redcloud_core_client import models
from redcloud_core_client.codec import Drift, Malformed, decode, encode, to_builtins
from redcloud_core_client.types import UNSET, OpenIntEnum, Unset

NUMBER = {"numberId": "num_abc123", "e164": "+1", "status": "ACTIVE", "smsEnabled": True, "mmsEnabled": False}
DEEP = b"[" * 100_000 + b"]" * 100_000

COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol)) for protocol in range(6)),
]


class Size(OpenIntEnum):
    """An enum of integers."""

    SMALL = 1


def body(**changes: Any) -> bytes:
    """Give a list of numbers whose only number has changes."""
    return json.dumps({"numbers": [{**NUMBER, **changes}]}).encode()


def test_round_trip() -> None:
    """What is decoded is encoded to the same JSON."""
    content = body(campaignRegId=None, webhookInboundOverride="https://example.com/in")
    assert json.loads(content) == json.loads(encode(decode(content, models.NumberList)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body(numberId=1), "Expected `str`, got `int` - at `$.numbers[0].numberId`"),
        (body(numberId=None), "Expected `str`, got `null` - at `$.numbers[0].numberId`"),
        (body(smsEnabled="yes"), "Expected `bool`, got `str` - at `$.numbers[0].smsEnabled`"),
        (b'{"numbers": [{"e164": "+1"}]}', "Object missing required field `numberId` - at `$.numbers[0]`"),
        (b"{}", "Object missing required field `numbers`"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
    ],
)
def test_mismatch_names_the_place(content: bytes, message: str) -> None:
    """A body of another shape is drift, and the message names path, wanted and found."""
    with pytest.raises(Drift) as error:
        decode(content, models.NumberList)
    assert str(error.value) == message


@pytest.mark.parametrize("value", [3600.0, 1.5, "3600", True])
def test_integers_are_strict(value: Any) -> None:
    """Nothing but an integer is taken for one."""
    content = json.dumps({"access_token": "x", "expires_in": value}).encode()
    with pytest.raises(Drift, match=r"Expected `int \| null`, got `\w+` - at `\$\.expires_in`"):
        decode(content, models.TokenResponse)


def test_extra_properties_are_ignored() -> None:
    """A property that the document does not name is left out, whatever it holds."""
    (number,) = decode(body(added={"deep": [1, {"er": None}]}), models.NumberList).numbers
    assert to_builtins(number) == NUMBER


def test_unset_is_left_out() -> None:
    """What nobody set is not written, null is."""
    assert json.loads(encode(models.NumberUpdate(campaignregId=None))) == {"campaignregId": None}
    assert to_builtins(models.NumberUpdate()) == {}


def test_absent_is_not_null() -> None:
    """A reader can tell an absent property from null."""
    (absent,) = decode(body(), models.NumberList).numbers
    (null,) = decode(body(campaignRegId=None), models.NumberList).numbers
    assert absent.campaignRegId is UNSET
    assert null.campaignRegId is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b" " * 10_000_000,
        b'{"numbers": [',
        b'{"numbers": []} x',
        body()[:-1],
        b'{"numbers": [{"numberId": 1, "e164": ',
        b"{'numbers': []}",
        b"<html><body>502 Bad Gateway</body></html>",
        b"\xef\xbb\xbf" + body(),
        body().decode().encode("utf-16"),
        b"\xff\xfe",
        b'{"numbers": [{"numberId": "\xff"}]}',
        b'{"numbers": [NaN]}',
        DEEP,
        b'{"numbers": ' + DEEP + b"}",
        b'{"numbers": [], "added": ' + DEEP + b"}",
        b'{"numbers": 1, "added": ' + DEEP + b"}",
        b"\x00",
    ],
    ids=[
        "empty",
        "blank",
        "10 MB of blanks",
        "cut",
        "more behind",
        "last byte missing",
        "mismatch early in a cut body",
        "single quotes",
        "HTML",
        "byte-order mark",
        "UTF-16",
        "no UTF-8",
        "no UTF-8 in a text",
        "NaN",
        "nested deep",
        "nested deep in a property",
        "nested deep in an unknown property",
        "nested deep behind a mismatch",
        "NUL",
    ],
)
def test_no_json(content: bytes) -> None:
    """Bytes that are no whole JSON are malformed, never drift and never a foreign error."""
    with pytest.raises(Malformed):
        decode(content, models.NumberList)


def test_errors_hold_no_cause() -> None:
    """The codec's errors drag no foreign exception along: it would hold the body."""
    for content in (b"{", b"[]"):
        with pytest.raises(ValueError, match=r".") as error:
            decode(content, models.TokenResponse)
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__ or error.value.__context__ is None


def test_same_value_same_bytes() -> None:
    """Equal values give equal bytes, in whatever order they were made."""
    one = models.Number(**NUMBER)
    other = models.Number(**dict(reversed(NUMBER.items())))
    assert encode(one) == encode(other) == encode(copy.deepcopy(one))


@pytest.mark.parametrize("copied", COPIES)
def test_unset_survives(copied: Callable[[Any], Any]) -> None:
    """UNSET is one object, however it is copied, alone or in a model."""
    assert copied(UNSET) is UNSET
    assert isinstance(UNSET, Unset)
    number = copied(models.Number(**NUMBER))
    assert number == models.Number(**NUMBER)
    assert number.campaignRegId is UNSET


@pytest.mark.parametrize("copied", COPIES)
def test_models_survive(copied: Callable[[Any], Any]) -> None:
    """A model with models inside is equal after every kind of copy."""
    wrapper = decode(
        b'{"error": {"code": "X", "message": "y", "details": {"a": [1]}}, "requestId": null}', models.CoreErrorResponse
    )
    assert copied(wrapper) == wrapper
    assert encode(copied(wrapper)) == encode(wrapper)


@pytest.mark.parametrize("copied", COPIES)
def test_enums_are_open(copied: Callable[[Any], Any]) -> None:
    """A value that the document does not know survives as itself: decoded, copied, encoded."""
    content = b'{"error":"slow_down","error_description":"x"}'
    error = copied(decode(content, models.OAuthError)).error
    assert error == "slow_down"
    assert (error.name, error.value) == ("slow_down", "slow_down")
    assert isinstance(error, models.OAuthErrorCode)
    assert json.loads(encode(error)) == "slow_down"


def test_known_values_are_members() -> None:
    """A value that the document knows is the member itself, and equals its text."""
    error = decode(b'{"error":"invalid_client","error_description":"x"}', models.OAuthError).error
    assert error is models.OAuthErrorCode.invalid_client
    assert error == "invalid_client"


def test_unknown_values_do_not_become_known() -> None:
    """An unknown value leaves the enum as it was."""
    before = list(models.OAuthErrorCode)
    models.OAuthErrorCode("slow_down")
    assert list(models.OAuthErrorCode) == before
    assert "slow_down" not in models.OAuthErrorCode.__members__


@pytest.mark.parametrize("content", [b"1", b"null", b"true", b"[]"])
def test_enums_keep_their_type(content: bytes) -> None:
    """An enum of texts takes texts only."""
    with pytest.raises(Drift, match="got"):
        decode(content, models.MessageType)


@pytest.mark.parametrize("copied", COPIES)
def test_integer_enums_are_open(copied: Callable[[Any], Any]) -> None:
    """An enum of integers keeps unknown integers, and nothing else."""
    unknown = copied(decode(b"7", Size))
    assert (unknown, unknown.value, type(unknown)) == (7, 7, Size)
    assert encode(unknown) == b"7"
    assert decode(b"1", Size) is Size.SMALL
    for content in (b"true", b"1.5", b'"1"'):
        with pytest.raises(Drift, match="got"):
            decode(content, Size)


@pytest.mark.parametrize(
    "model",
    [
        models.TokenRequest(grant_type="client_credentials", client_id="id", client_secret="hush"),
        models.TokenForm(grant_type="client_credentials", client_id="id", client_secret="hush"),
        models.TokenResponse(access_token="hush", token_type="bearer"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_secrets_are_not_shown(model: Any) -> None:
    """A model's repr keeps its secrets, alone and inside others, and shows the rest."""
    assert "hush" not in f"{model!r} {model} {[model]}"
    assert "id" in repr(model) or "bearer" in repr(model)
    assert b"hush" in encode(model)


def test_models_take_no_other_names() -> None:
    """A misspelled keyword is Python's TypeError, as is a missing one."""
    with pytest.raises(TypeError, match="campaignRegId"):
        models.NumberUpdate(campaignRegId="A1B2C3")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="numbers"):
        models.NumberList()  # type: ignore[call-arg]


def test_unencodable_values() -> None:
    """What has no form in JSON is refused when it is encoded."""
    with pytest.raises(TypeError):
        encode(object())
    with pytest.raises(UnicodeEncodeError):
        encode(models.NumberSearch(city="\ud800"))
