"""What a caller pays, in things that can be counted: modules of an import, calls of a send."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import httpx
import pytest

from redcloud_core import AsyncRedCloud, RedCloud

MODULES = {
    "import redcloud_core": 1,
    "from redcloud_core import RedCloud": 60,
    "from redcloud_core import AsyncRedCloud": 62,
    "from redcloud_core import RedCloudError": 2,
    "from redcloud_core.models import SendMessageRequest": 8,
}
"""Modules of the two packages that each statement may load."""

CALLS = {"sync": 313, "async": 398}
"""Calls of Python functions that a warm send may make, the HTTP library's among them; a mock transport's left out."""

_TRANSPORT = {httpx.MockTransport.handle_request.__code__, httpx.MockTransport.handle_async_request.__code__}

ACCEPTED = {"results": [{"to": "+15551230001", "messageId": "msg_1", "status": "QUEUED"}], "errors": []}


@pytest.mark.parametrize("statement", MODULES)
def test_modules_of_an_import(statement: str) -> None:
    """An import loads no more modules of ours than it did."""
    program = f"{statement}\nimport sys\nprint(sum(name.startswith('redcloud_core') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert int(done.stdout) <= MODULES[statement]


def _answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/api/auth/token":
        return httpx.Response(200, json={"access_token": "t"})
    return httpx.Response(202, json=ACCEPTED)


@contextmanager
def _counting() -> Iterator[list[str]]:
    """Note each Python function that is called while the block runs, but for those of the transport."""
    seen: list[str] = []
    depth = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal depth
        if frame.f_code in _TRANSPORT:
            depth += {"call": 1, "return": -1}.get(event, 0)
        elif event == "call" and not depth:
            seen.append(f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}")

    gc.disable()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        gc.enable()


def _bare_post(client: httpx.Client, sms: dict[str, Any], key: str) -> object:
    headers = {"Authorization": "Bearer t", "Idempotency-Key": key}
    return client.post("/api/core/messages/send", json=sms, headers=headers).json()


def test_calls_of_a_send(sms: dict[str, Any]) -> None:
    """A warm send, with token, guards, key and typed answer, makes fewer calls than the bare HTTP library's post."""
    base_url, transport = "https://api.example.com", httpx.MockTransport(_answer)
    with (
        RedCloud(base_url, client_id="a", client_secret="b", transport=transport) as client,
        httpx.Client(base_url=base_url, transport=transport) as bare,
    ):
        for number in range(3):
            client.send_message(**sms, idempotency_key=f"warm_{number}")
            _bare_post(bare, sms, f"warm_{number}")

        with _counting() as ours:
            client.send_message(**sms, idempotency_key="counted")
        with _counting() as theirs:
            _bare_post(bare, sms, "counted")

    assert len(ours) <= CALLS["sync"]
    assert len(ours) < len(theirs)


def test_calls_of_an_asynchronous_send(sms: dict[str, Any]) -> None:
    """A warm asynchronous send makes no more calls than it did, its own task and asyncio's part included."""

    async def count() -> int:
        client = AsyncRedCloud(
            "https://api.example.com", client_id="a", client_secret="b", transport=httpx.MockTransport(_answer)
        )
        for number in range(3):
            await client.send_message(**sms, idempotency_key=f"warm_{number}")
        with _counting() as ours:
            await client.send_message(**sms, idempotency_key="counted")
        return len(ours)

    assert asyncio.run(count()) <= CALLS["async"]
