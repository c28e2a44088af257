"""The guards: what they refuse, in words that mend it, and what they let through."""

import asyncio
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redcloud_core import (
    AsyncRedCloud,
    DuplicateRecipientWarning,
    GuardError,
    InvalidCallError,
    Receipt,
    RedCloud,
    RedCloudError,
)
from redcloud_core._guards import is_e164, is_phone_number, masked
from redcloud_core.sandbox import Sandbox

CREDENTIALS = {"client_id": "rc_test_client_123", "client_secret": "rc_secret_abc123"}

PHONE_NUMBERS = [
    "+15551234567",
    "15551234567",
    "5551234567",
    "555-1234",
    "555-123-4567",
    "555.123.4567",
    "555 123 4567",
    "(555) 123-4567",
    "+1 (555) 123-4567",
    "1-555-123-4567",
    "+1/555/1234567",
    "0015551234567",
    "011 1 555 123 4567",
    "tel:+15551234567",
    "tel:+1-555-123-4567",
    "TEL:5551234567",
    "sms:+15551234567",
    "smsto:+15551234567",
    "+1 555 123 4567 ext. 89",
    "+15551234567;ext=89",
    "+15551234567 x89",
    " +15551234567 ",
    "+15551234567\n",
    "+1\u00a0555\u00a0123\u00a04567",
    "+1\u2009555\u2009123\u20094567",
    "\uff0b15551234567",
    "\u207a15551234567",
    "\u279515551234567",
    "\uff0b\uff11\uff15\uff15\uff15\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
    "\u0661\u0665\u0665\u0665\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
    "+\u0967\u096b\u096b\u096b\u0967\u0968\u0969\u096a\u096b\u096c\u096d",
    "555\u2011123\u20114567",
    "555\u2013123\u20134567",
    "555\u2014123\u20144567",
    "555\u2212123\u22124567",
    "+1555\u200b1234567",
    "\u202a+15551234567\u202c",
    "\ufeff+15551234567",
    "+1555\u00ad1234567",
    "+1\u1680555\u1680123\u16804567",
    "+1\u2028555\u20281234567",
    "5\ufe0f\u20e35\ufe0f\u20e35\ufe0f\u20e31\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e34\ufe0f\u20e3",
    "+44 20 7946 0958",
    "+49 (0)30 123456",
]

NUMBER_IDS = [
    "num_abc123",
    "num_15551234567",
    "num-15551234567",
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "12345678-1234-1234-1234-123456789012",
    "15551234567a",
    "a15551234567",
    "number15551234567",
    "x",
    "123456",
    "0",
    "n" * 1000,
    "id:15551234567",
]


def end_of(call: Any, *arguments: Any, **keywords: Any) -> Any:
    """Return what a call ends in."""
    try:
        return call(*arguments, **keywords)
    except RedCloudError as error:
        return error


# sendFrom


@pytest.mark.parametrize("number", PHONE_NUMBERS)
def test_phone_number_as_sender(connect: Any, server: Any, sms: dict[str, Any], number: str) -> None:
    """A phone number in any common spelling is refused before anything leaves, and not shown."""
    with pytest.raises(GuardError, match=r"sendFrom: .* is a phone number; write a number id") as caught:
        connect(server.url).send_message(**{**sms, "sendFrom": number}, idempotency_key="idem_1")
    (violation,) = caught.value.violations
    assert (violation.place, server.seen) == ("sendFrom", [])
    assert "1234567" not in str(caught.value)
    assert number not in str(caught.value)


@pytest.mark.parametrize("sender", NUMBER_IDS)
def test_id_as_sender(sender: str) -> None:
    """Ids that merely hold digits are none."""
    assert not is_phone_number(sender)


# campaignregId

OTHER_SPELLINGS = [
    "campaignRegId",
    "campaignRegID",
    "CampaignregId",
    "campaign_reg_id",
    "campaignId",
    "campaign",
    "CAMPAIGN",
]


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_other_spellings(connect: Any, server: Any, sms: dict[str, Any], name: str) -> None:
    """Every other spelling is refused by its name, as a keyword of the update and of a send, and inside of values."""
    client = connect(server.url)
    with pytest.raises(GuardError, match=rf"{name}: it is no field of this request; write campaignregId"):
        client.update_number(numberId="num_abc123", **{name: "A1B2C3"})
    with pytest.raises(GuardError, match=rf"{name}: .*register the number by update_number\(campaignregId"):
        client.send_message(**sms, **{name: "A1B2C3"}, idempotency_key="idem_1")
    nested = {**sms, "messageType": "MMS", "media": [{"url": "https://x.example/a.png", "more": [{name: 1}]}]}
    with pytest.raises(GuardError) as caught:
        client.send_message(**nested, idempotency_key="idem_1")
    assert [violation.place for violation in caught.value.violations] == [f"media[0].more[0].{name}"]
    assert server.seen == []


def test_right_spelling_in_a_send(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """The request's own spelling has no place in a send either."""
    with pytest.raises(GuardError, match=r"campaignregId: it is no field of this request; register"):
        connect(server.url).send_message(**sms, campaignregId="A1B2C3", idempotency_key="idem_1")


def test_unset_null_and_value(connect: Any, server: Any, script: Any) -> None:
    """Left out is unchanged, a value is set, null clears if it is meant; each leaves as the API tells them apart."""
    path = "/api/core/numbers/num_abc123"
    server.answer(path, script(body={}))
    client = connect(server.url)
    client.update_number(numberId="num_abc123", smsEnabled=True)
    client.update_number(numberId="num_abc123", campaignregId="A1B2C3")
    client.update_number(numberId="num_abc123", campaignregId=None, clear_campaign=True)
    sent = [json.loads(seen.body) for seen in server.requests(path)]
    assert sent == [{"smsEnabled": True}, {"campaignregId": "A1B2C3"}, {"campaignregId": None}]
    for keywords, words in (
        ({"campaignregId": None}, "clears the campaign.*say clear_campaign=True as well"),
        ({"campaignregId": "A1B2C3", "clear_campaign": True}, "clear_campaign: True contradicts"),
        ({"clear_campaign": True}, "clear_campaign: True contradicts"),
    ):
        with pytest.raises(GuardError, match=words):
            client.update_number(numberId="num_abc123", **keywords)
    assert len(server.requests(path)) == 3


def test_spelling_of_answers(connect: Any, sandbox: Sandbox) -> None:
    """Who reads a number by the request's spelling is told the answer's; other names get Python's own words."""
    (number, *_) = connect(sandbox.url).list_numbers().numbers
    assert number.campaignRegId == "A1B2C3"
    with pytest.raises(AttributeError, match="a number that is read spells it campaignRegId"):
        _ = number.campaignregId
    with pytest.raises(AttributeError, match=r"'Number' object has no attribute 'e146'$"):
        _ = number.e146
    assert not hasattr(number, "campaignregId")


# The message

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"media": [{"url": "https://x.example"}]}, "media", "is forbidden for SMS"),
    ({"media": []}, "media", "an empty list is media all the same"),
    ({"messageType": "MMS"}, "media", "is missing, and MMS requires it"),
    ({"messageType": "MMS", "media": []}, "media", "is missing, and MMS requires it"),
    ({"to": []}, "to", "names no recipient"),
    ({"to": ["15551234567"]}, "to[0]", "is no E.164 phone number"),
    ({"to": ["+15551234567", "+1 555 123 4567"]}, "to[1]", "without anything between"),
    ({"to": ["+05551234567"]}, "to[0]", "is no E.164 phone number"),
    ({"to": ["+1234567890123456"]}, "to[0]", "is no E.164 phone number"),
    ({"to": ["+\uff11\uff15\uff15\uff15\uff11\uff12\uff13\uff14"]}, "to[0]", "is no E.164 phone number"),
    ({"to": ["num_abc123"]}, "to[0]", "is no E.164 phone number"),
    ({"to": [""]}, "to[0]", "is no E.164 phone number"),
    ({"externalReference": ""}, "externalReference", "is empty"),
    ({"text": "Hi \ud83d!"}, "text", "half of a surrogate pair at index 3"),
    ({"text": "Hi \udc00"}, "text", "half of a surrogate pair at index 3"),
]


@pytest.mark.parametrize(("changes", "place", "words"), WRONG, ids=lambda value: ascii(value)[:40])
def test_wrong_messages(
    connect: Any, server: Any, sms: dict[str, Any], changes: dict[str, Any], place: str, words: str
) -> None:
    """What the API would refuse late is refused at its place, once, with what to write instead."""
    with pytest.raises(GuardError, match=words) as caught:
        connect(server.url).send_message(**{**sms, **changes}, idempotency_key="idem_1")
    assert [violation.place for violation in caught.value.violations] == [place]
    assert all(violation.instead for violation in caught.value.violations)
    assert server.seen == []


def test_duplicates_warn(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A recipient who is named twice is warned of at the caller's line, with both places, and the message goes out."""
    client = connect(sandbox.url)
    with pytest.warns(DuplicateRecipientWarning, match=r"to\[2\] repeats to\[0\]: \+\*+01") as caught:
        client.send_message(**{**sms, "to": ["+15551230001", "+15551230002", "+15551230001"]}, idempotency_key="idem_1")
    assert "redcloud_core" not in caught[0].filename.replace("\\", "/").split("/")


def test_all_at_once(connect: Any, server: Any) -> None:
    """Everything that is wrong is in one error, whether a guard or the document says so, each place once."""
    with pytest.raises(GuardError) as caught:
        connect(server.url).send_message(
            sendFrom="+15551234567", to=["x", "+15551230001", 7], messageType="SMS", text="\ud800", media=[],
            externalReference="", campaignRegId="A1", idempotency_key=" k",
        )  # fmt: skip
    error = caught.value
    places = [violation.place for violation in error.violations]
    assert sorted(places) == sorted(
        ["campaignRegId", "sendFrom", "to[0]", "to[2]", "media", "externalReference", "text", "idempotency_key"]
    )
    lines = str(error).splitlines()
    assert lines[0] == "sendMessage: nothing was sent, because of 8 mistakes:"
    assert lines[1:] == [f"  {violation}" for violation in error.violations]
    assert (isinstance(error, InvalidCallError), error.temporary, server.seen) == (True, False, [])


def test_twenty_at_once(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """Twenty wrong recipients are twenty lines."""
    error = end_of(connect(server.url).send_message, **{**sms, "to": ["5551234567"] * 20}, idempotency_key="idem_1")
    assert len(str(error).splitlines()) == 21
    assert "to[19]: '********67' is no E.164 phone number" in str(error)


def test_one_reads_as_a_sentence(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """One mistake is one line."""
    error = end_of(connect(server.url).send_message, **{**sms, "sendFrom": "+15551234567"}, idempotency_key="idem_1")
    assert str(error) == (
        "sendMessage: nothing was sent. sendFrom: '+*********67' is a phone number; write a number id, "
        "a `numberId` of list_numbers() such as 'num_abc123'."
    )


def test_guards_off(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Who knows better turns them off, on the client or for a copy; the key's syntax is no guard."""
    strict = connect(sandbox.url)
    for client in (connect(sandbox.url, guards=False), strict.with_options(guards=False)):
        error = end_of(client.send_message, **{**sms, "sendFrom": "+15551234567"}, idempotency_key="idem_1")
        assert (error.status, error.code) == (403, "FORBIDDEN")
        client.update_number(numberId="num_abc123", campaignregId=None)
        with pytest.raises(TypeError, match="campaignRegId"):
            client.update_number(numberId="num_abc123", campaignRegId="A1")
        with pytest.raises(InvalidCallError, match="idempotency_key"):
            client.send_message(**sms, idempotency_key=" k")
    assert isinstance(end_of(strict.update_number, numberId="num_abc123", campaignregId=None), GuardError)
    with pytest.raises(ValueError, match="guards: must be True or False"):
        strict.with_options(guards="no")


def test_missing_and_unknown_keywords(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """They are Python's own TypeError, as everywhere."""
    client = connect(server.url)
    with pytest.raises(TypeError, match="recipients"):
        client.send_message(**sms, recipients=[], idempotency_key="idem_1")
    with pytest.raises(TypeError, match="sendFrom"):
        client.send_message(to=sms["to"], messageType="SMS", externalReference="x", idempotency_key="idem_1")
    with pytest.raises(TypeError, match="numberId"):
        client.update_number(smsEnabled=True)


# Preflight


def test_preflight(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """With preflight the list of numbers answers before the API does, and says what to write instead."""
    client = connect(sandbox.url, preflight=True)
    rows = [
        ("num_abc12", "SMS", "is no number of yours; did you mean 'num_abc123'?"),
        ("something else", "SMS", "is no number of yours; list_numbers()"),
        ("num_foreign", "SMS", "is no number of yours"),
        ("num_inactive", "SMS", "is INACTIVE, not ACTIVE"),
        ("num_sms_only", "MMS", "is not enabled for MMS"),
        ("num_no_campaign", "SMS", "has no campaign; register it by update_number"),
    ]
    for sender, kind, words in rows:
        message = {**sms, "sendFrom": sender, "messageType": kind}
        if kind == "MMS":
            message["media"] = [{"url": "https://example.com/a.png"}]
        error = end_of(client.send_message, **message, idempotency_key="idem_1")
        assert type(error) is GuardError, repr(error)
        assert words in str(error)
    assert isinstance(client.send_message(**sms, idempotency_key="idem_2"), Receipt)
    assert len(sandbox.ledger()["sends"]) == 1


def test_preflight_names_the_id_of_a_phone_number(connect: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A phone number of one's own is answered with its id."""
    client = connect(sandbox.url, preflight=True)
    for sender in ("+15551234567", "(555) 123-4567", "0015551234567", PHONE_NUMBERS[25]):
        error = end_of(client.send_message, **{**sms, "sendFrom": sender}, idempotency_key="idem_1")
        assert "write 'num_abc123', the id of that phone number" in str(error)


def test_preflight_asks_once(connect: Any, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """The list is asked for once for many sends, and again after an update through the same client or a copy."""
    numbers, send = "/api/core/numbers", "/api/core/messages/send"
    number = {"numberId": "num_abc123", "e164": "+15551234567", "status": "ACTIVE", "smsEnabled": True,
              "mmsEnabled": True, "campaignRegId": "A1"}  # fmt: skip
    server.answer(numbers, script(body={"numbers": [number]}))
    server.answer(send, script(202, {"results": [], "errors": []}))
    server.answer(f"{numbers}/num_abc123", script(body={}))
    client = connect(server.url, preflight=True)
    for key in range(5):
        client.send_message(**sms, idempotency_key=f"idem_{key}")
    assert len(server.requests(numbers)) == 1
    client.with_options(timeout=5).update_number(numberId="num_abc123", smsEnabled=True)
    client.send_message(**sms, idempotency_key="idem_9")
    assert (len(server.requests(numbers)), len(server.requests(send))) == (2, 6)


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"fault": "hang"}, {"fault": "reset"}, {"body": b"<html>"}], ids=str
)
def test_preflight_stands_in_no_way(
    connect: Any, server: Any, script: Any, sms: dict[str, Any], fault: dict[str, Any]
) -> None:
    """Where the list cannot be had the send goes out, and the list is not asked for at every send."""
    server.answer("/api/core/numbers", script(**fault))
    server.answer("/api/core/messages/send", script(202, {"results": [], "errors": []}))
    client = connect(server.url, preflight=True, timeout=0.3)
    for key in range(3):
        assert isinstance(client.send_message(**sms, idempotency_key=f"idem_{key}"), Receipt)
    assert len(server.requests("/api/core/numbers")) == 1


def test_preflight_refuses_by_a_fresh_list_only(sms: dict[str, Any]) -> None:
    """A list that is not of now refuses nothing: it is asked for again first."""
    from redcloud_core._preflight import JUST_NOW, KEPT, NumberBook, preflight
    from redcloud_core.models import Number

    now = [1000.0]
    book = NumberBook(lambda: now[0])
    good = Number(
        numberId="num_abc123", e164="+1555", status="ACTIVE", smsEnabled=True, mmsEnabled=True, campaignRegId="A"
    )

    def run(answer: list[Any] | None) -> tuple[int, bool]:
        steps, asked, given = preflight(book, sms), 0, None
        try:
            while True:
                steps.send(given)
                asked, given = asked + 1, answer
        except StopIteration as stop:
            return asked, stop.value is not None

    assert run([]) == (1, True)
    assert run([good]) == (0, True)
    now[0] += JUST_NOW + 1
    assert run([good]) == (1, False)
    now[0] += KEPT - 1
    assert run([]) == (0, False)
    now[0] += 2
    assert run([]) == (1, True)
    now[0] += JUST_NOW + 1
    assert run(None) == (1, False)
    assert run([]) == (0, False)


# Both directions, against the sandbox

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALID = st.fixed_dictionaries(
    {
        "sendFrom": st.sampled_from(["num_abc123", "num_sms_only", "num_foreign", "num_15551234567"]) | TEXT,
        "to": st.lists(st.from_regex(r"\A\+[1-9][0-9]{1,14}\Z"), min_size=1, max_size=4, unique=True),
        "messageType": st.sampled_from(["SMS", "MMS"]),
        "externalReference": TEXT.filter(bool),
    },
    optional={
        "text": TEXT,
        "media": st.lists(st.dictionaries(st.text(max_size=5), TEXT, max_size=2), max_size=2),
    },
)


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """A sandbox for all examples."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def clients(served: Sandbox) -> Iterator[tuple[RedCloud, RedCloud]]:
    """A client with guards, and one without."""
    with RedCloud(served.url, **CREDENTIALS) as guarded, RedCloud(served.url, **CREDENTIALS, guards=False) as free:
        yield guarded, free


NUMBERS = iter(range(1_000_000))


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(message=VALID)
def test_what_the_api_accepts_passes(clients: tuple[RedCloud, RedCloud], message: dict[str, Any]) -> None:
    """What the API accepts no guard refuses; and what a guard refuses the API would not have accepted."""
    guarded, free = clients
    number = next(NUMBERS)
    named = is_phone_number(message["sendFrom"]) or any(
        "campaign" in str(item).lower() for item in message.get("media", [])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        without = end_of(free.send_message, **message, idempotency_key=f"free_{number}")
        within = end_of(guarded.send_message, **message, idempotency_key=f"guarded_{number}")
    if isinstance(without, Receipt):
        assert isinstance(within, Receipt) or named, repr(within)
    if isinstance(within, GuardError):
        assert not isinstance(without, Receipt) or named


PHONE = st.builds(
    lambda plus, digits, gaps, invisible: plus + "".join(d + g for d, g in zip(digits, gaps, strict=False)) + invisible,
    st.sampled_from(["+", "\uff0b", "00", "011", "", "tel:+", "sms:", "\u2795"]),
    st.text("0123456789\uff10\uff11\u0661\u0967", min_size=7, max_size=15),
    st.lists(
        st.sampled_from(["", "", " ", "-", ".", "\u2011", "\u2212", "\u00a0", "\u200b"]), min_size=15, max_size=15
    ),
    st.sampled_from(["", " ", "\u200b", "\n", " x12", ";ext=3"]),
)


@settings(max_examples=2000, deadline=None)
@given(sender=PHONE)
def test_what_guards_are_for_is_refused(sender: str) -> None:
    """No phone number gets through, however it is written."""
    assert is_phone_number(sender)


@settings(max_examples=500, deadline=None)
@given(text=st.text(max_size=30))
def test_e164_is_the_sandboxs(text: str) -> None:
    """What counts as E.164 is what the API's rule says."""
    import re

    assert is_e164(text) == bool(re.fullmatch(r"\+[1-9][0-9]{1,14}", text, re.ASCII))


# Hostile input

MEGABYTE = 1_000_000
HOSTILE = {
    "digits": "1" * MEGABYTE,
    "blanks": " " * MEGABYTE,
    "dashes": "+" + "-" * MEGABYTE,
    "extensions": "+15551234567" + "x1" * (MEGABYTE // 2),
    "invisible": "\u200b" * MEGABYTE + "+15551234567",
    "combining": "a" + "\u0301" * MEGABYTE,
    "almost": "1 " * (MEGABYTE // 2) + "a",
    "schemes": "tel:" * (MEGABYTE // 4),
    "wide": "\ufdfa" * (MEGABYTE // 4),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_values(connect: Any, server: Any, sms: dict[str, Any], kind: str) -> None:
    """A megabyte of anything in any field is judged in time in proportion to it, and shown shortened."""
    text = HOSTILE[kind]
    changes = {"sendFrom": text, "to": [text], "externalReference": text, "text": text + "\ud800", "messageType": text}
    client = connect(server.url)
    for name, value in changes.items():
        error = (
            end_of(client.send_message, **{**sms, name: value}, idempotency_key="idem_1")
            if name != "externalReference"
            else None
        )
        assert error is None or len(str(error)) < 1000
    error = end_of(client.update_number, numberId="num_abc123", **{f"campaign{text}": 1})
    assert isinstance(error, GuardError)


def test_nesting(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """A value that is nested without end does not end the guard."""
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    message = {**sms, "messageType": "MMS", "media": [deep]}
    error = end_of(connect(server.url).send_message, **message, idempotency_key="idem_1")
    assert isinstance(error, RedCloudError)


def test_masks() -> None:
    """Digits of what may be a phone number are masked but for two; short ones are not."""
    assert [masked(text) for text in ("+15551234567", "num_123", "abc")] == ["+*********67", "num_123", "abc"]


def test_async_too(sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A guard speaks when the call is awaited, before anything leaves."""

    async def main() -> None:
        async with AsyncRedCloud(sandbox.url, **CREDENTIALS) as client:
            with pytest.raises(GuardError):
                await client.send_message(**{**sms, "sendFrom": "5551234567"}, idempotency_key="k")

    asyncio.run(main())
    assert sandbox.ledger()["token_requests"] == 0
