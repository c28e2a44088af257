"""Checks that can fail: each classic mistake of a client that sends is made on purpose; its check alone turns red."""

import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import msgspec
import pytest

import redcloud_core._client as client_module
import redcloud_core._http as http_module
import redcloud_core._retries as retries_module
from redcloud_core import APIError, ConflictError, RedCloud, RedCloudError, SendOutcomeUnknown
from redcloud_core._idempotency import KEY_HEADER

SEND = "/api/core/messages/send"
CORE = {"error": {"code": "CODE", "message": "Words", "details": {}}}
TO = ["+15551230001", "+15551230002"]
PARTIAL: dict[str, Any] = {
    "results": [{"to": TO[0], "messageId": "msg_1", "status": "QUEUED"}],
    "errors": [{"to": TO[1]}],
}
CREDENTIALS = {"client_id": "rc_test_client_123", "client_secret": "rc_secret_abc123"}


class Scene:
    """What a check needs: a server whose answers it scripts, and a client."""

    def __init__(self, server: Any, script: Any, sms: dict[str, Any]) -> None:
        self.server = server
        self.script = script
        self.message = {**sms, "to": TO}

    def send(self, *answers: Any) -> Any:
        """Send under one key, be answered so, and return what the send ends in."""
        self.server.seen.clear()
        self.server.answer(SEND, *answers)
        with RedCloud(self.server.url, **CREDENTIALS, timeout=1) as client:
            try:
                return client.send_message(**self.message, idempotency_key="idem_1")
            except RedCloudError as error:
                return error

    @property
    def seen(self) -> list[Any]:
        """The requests of the last send."""
        return list(self.server.requests(SEND))


def check_one_key(scene: Scene) -> None:
    """All attempts of a send carry its key."""
    scene.send(scene.script(503, CORE), scene.script(503, CORE), scene.script(202, PARTIAL))
    assert [seen.header(KEY_HEADER) for seen in scene.seen] == ["idem_1"] * 3


def check_same_bytes(scene: Scene) -> None:
    """All attempts of a send carry the same bytes."""
    scene.send(scene.script(503, CORE), scene.script(503, CORE), scene.script(202, PARTIAL))
    assert len({seen.body for seen in scene.seen}) == 1


def check_doubt(scene: Scene) -> None:
    """A refusal proves nothing of an attempt before it that may have been received."""
    assert isinstance(scene.send(scene.script(fault="reset"), scene.script(403, CORE)), SendOutcomeUnknown)


def check_conflict(scene: Scene) -> None:
    """A conflict is final."""
    assert isinstance(scene.send(scene.script(409, CORE)), ConflictError)
    assert len(scene.seen) == 1


def check_key_of_rejected(scene: Scene) -> None:
    """What goes to rejected recipients again is another operation, under another key."""
    scene.server.seen.clear()
    scene.server.answer(SEND, scene.script(202, PARTIAL))
    with RedCloud(scene.server.url, **CREDENTIALS) as client:
        client.retry_rejected(client.send_message(**scene.message, idempotency_key="idem_1"))
    first, second = scene.seen
    assert json.loads(second.body)["to"] == TO[1:]
    assert second.header(KEY_HEADER) != first.header(KEY_HEADER)


def check_retry_after(scene: Scene) -> None:
    """What the API asks to wait is waited."""
    answers = scene.script(429, CORE, headers={"Retry-After": "1"}), scene.script(202, PARTIAL)
    first, second = scene.send(*answers).attempts
    assert (second.at - first.at).total_seconds() >= 1


CHECKS: Mapping[str, Callable[[Scene], None]] = {
    check.__name__: check
    for check in (
        check_one_key, check_same_bytes, check_doubt, check_conflict, check_key_of_rejected, check_retry_after
    )
}  # fmt: skip


def a_key_per_attempt(patch: pytest.MonkeyPatch) -> None:
    """A new key for each attempt."""
    numbers, made = count(), client_module.Client._headers_of

    def headers_of(self: Any, step: Any) -> Any:
        headers = made(self, step)
        if KEY_HEADER in headers:
            headers[KEY_HEADER] += f"_{next(numbers)}"
        return headers

    patch.setattr(client_module.Client, "_headers_of", headers_of)


def a_clock_in_the_body(patch: pytest.MonkeyPatch) -> None:
    """A body that is made anew for each attempt, with something that changes."""
    numbers, made = count(), http_module.http_request

    def http_request(wire: Any, request: Any, *more: Any) -> Any:
        if request.target.endswith(SEND):
            request = msgspec.structs.replace(request, content=request.content + b" " * next(numbers))
        return made(wire, request, *more)

    patch.setattr(http_module, "http_request", http_request)


def any_4xx_is_a_refusal(patch: pytest.MonkeyPatch) -> None:
    """The last answer decides, whatever came before it."""
    made = retries_module._Call.ending

    def ending(self: Any, error: RedCloudError) -> RedCloudError:
        return error if isinstance(error, APIError) and error.status < 500 else made(self, error)

    patch.setattr(retries_module._Call, "ending", ending)


def conflicts_are_tried_again(patch: pytest.MonkeyPatch) -> None:
    """A 409 counts as temporary, as in Stripe's client."""
    made = retries_module.may_help
    patch.setattr(
        retries_module, "may_help", lambda request, error: isinstance(error, ConflictError) or made(request, error)
    )


def the_key_of_the_parent(patch: pytest.MonkeyPatch) -> None:
    """Rejected recipients are tried again under the first key."""
    made = client_module.rejected_again
    patch.setattr(client_module, "rejected_again", lambda done, to: {**made(done, to), "idempotency_key": done.key})


def retry_after_is_undercut(patch: pytest.MonkeyPatch) -> None:
    """The client's own pause counts, whatever the API asks for."""
    made = retries_module.pause_before
    patch.setattr(retries_module, "pause_before", lambda number, _asked, draw: made(number, 0.0, draw))


MUTANTS: Mapping[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "a key per attempt": (a_key_per_attempt, "check_one_key"),
    "a clock in the body": (a_clock_in_the_body, "check_same_bytes"),
    "any 4xx is a refusal": (any_4xx_is_a_refusal, "check_doubt"),
    "conflicts are tried again": (conflicts_are_tried_again, "check_conflict"),
    "the key of the parent": (the_key_of_the_parent, "check_key_of_rejected"),
    "Retry-After is undercut": (retry_after_is_undercut, "check_retry_after"),
}


@pytest.fixture
def scene(server: Any, script: Any, sms: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene in which chance draws no pauses."""
    monkeypatch.setattr(client_module.Client, "_draw", staticmethod(lambda: 0.0))
    return Scene(server, script, sms)


@pytest.mark.parametrize("check", CHECKS)
def test_check(scene: Scene, check: str) -> None:
    """The client passes each check."""
    CHECKS[check](scene)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant(scene: Scene, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    """A client that makes one mistake fails the check of it, and no other."""
    make, caught_by = MUTANTS[mutant]
    make(monkeypatch)
    assert [name for name, check in CHECKS.items() if not _passes(check, scene)] == [caught_by]


def _passes(check: Callable[[Scene], None], scene: Scene) -> bool:
    try:
        check(scene)
    except (AssertionError, RedCloudError):
        return False
    return True
