"""What only `AsyncRedCloud` does: tasks, cancellation, event loops."""

import asyncio
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from redcloud_core import AsyncRedCloud, RedCloud, SendOutcomeUnknown, TransportError, contract
from redcloud_core.sandbox import Sandbox

WHOAMI, SEND = "/api/core/whoami", "/api/core/messages/send"
CREDENTIALS = {"client_id": "rc_test_client_123", "client_secret": "rc_secret_abc123"}
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]
QUEUED: dict[str, Any] = {"results": [{"to": "+1555", "messageId": "msg_1", "status": "QUEUED"}], "errors": []}


def test_with_block(sandbox: Sandbox) -> None:
    """An `async with` block gives the client itself and closes it."""

    async def main() -> None:
        async with AsyncRedCloud(sandbox.url, **CREDENTIALS) as client:
            assert (await client.whoami()).apiClientStatus == "ACTIVE"
        with pytest.raises(RuntimeError, match="this AsyncRedCloud is closed"):
            await client.whoami()

    asyncio.run(main())


def test_tasks_share(sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """200 tasks share one client and one token, and each gets its own answer."""

    async def main() -> None:
        async with AsyncRedCloud(sandbox.url, **CREDENTIALS) as client:

            async def send(number: int) -> None:
                message = {**sms, "to": [f"+1555123{number:04}"]}
                receipt = await client.send_message(**message, idempotency_key=f"idem_{number}")
                assert receipt.results[0].to == f"+1555123{number:04}"

            await asyncio.gather(*map(send, range(200)))

    asyncio.run(main())
    ledger = sandbox.ledger()
    assert (ledger["token_requests"], len(ledger["sends"])) == (1, 200)
    assert {1} == {entry["attempts"] for entry in ledger["sends"]}


_UNCLOSED = """
import asyncio, gc, sys
from redcloud_core import AsyncRedCloud
client = AsyncRedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123")
async def main():
    await asyncio.gather(*(client.whoami() for _ in range(3)))
for _ in range(3):
    asyncio.run(main())
gc.collect()
print("done")
"""


@pytest.mark.parametrize("warnings", ["ignore", "error"])
def test_three_runs_in_a_row(sandbox: Sandbox, warnings: str) -> None:
    """A client that nobody closes serves several `asyncio.run` with one token, and leaves no transport unclosed."""
    command = [sys.executable, "-W", warnings, "-c", _UNCLOSED, sandbox.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert sandbox.ledger()["token_requests"] == 1


def test_two_loops_at_once(sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """One client serves two event loops in two threads at the same time, with one token."""
    client = AsyncRedCloud(sandbox.url, **CREDENTIALS)
    start = threading.Barrier(2)

    async def sends(thread: int) -> None:
        keys = [f"idem_{thread}_{number}" for number in range(20)]
        receipts = await asyncio.gather(*(client.send_message(**sms, idempotency_key=key) for key in keys))
        assert keys == [receipt.key for receipt in receipts]

    def work(thread: int) -> None:
        with asyncio.Runner() as runner:
            start.wait()
            runner.run(sends(thread))
            start.wait()  # closing refuses new calls in either loop
            runner.run(client.aclose())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert (sandbox.ledger()["token_requests"], len(sandbox.ledger()["sends"])) == (1, 40)


def test_cancelled_send_goes_on(
    server: Any, script: Any, sms: dict[str, Any], eventually: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The request of a cancelled caller goes on to its answer, and the client stays whole: the next 20 calls work."""
    caplog.set_level(logging.INFO, logger="redcloud_core.http")
    hold = threading.Event()
    server.answer(SEND, script(202, QUEUED, hold=hold))
    server.answer(WHOAMI, script(body=WHOAMI_BODY))

    async def main() -> None:
        async with AsyncRedCloud(server.url, **CREDENTIALS) as client:
            tasks = [
                asyncio.create_task(client.send_message(**sms, idempotency_key=f"idem_{number}"))
                for number in range(10)
            ]
            await asyncio.to_thread(eventually, lambda: len(server.requests(SEND)) == 10)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(error, asyncio.CancelledError) for error in ended)
            hold.set()
            await asyncio.gather(*(client.whoami() for _ in range(20)))

    asyncio.run(main())
    assert (len(server.requests(SEND)), len(server.requests(WHOAMI))) == (10, 20)
    assert sum(f"{SEND} 202" in record.getMessage() for record in caplog.records) == 10


def test_cancelled_at_random(server: Any, script: Any) -> None:
    """Many calls cancelled at any moment leave a client whose next 20 calls work."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))

    async def main() -> None:
        async with AsyncRedCloud(server.url, **CREDENTIALS) as client:
            for number in range(100):
                tasks = [asyncio.create_task(client.whoami()) for _ in range(4)]
                for _ in range(number % 10):
                    await asyncio.sleep(0)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            answers = await asyncio.gather(*(client.whoami() for _ in range(20)))
            assert {"ACTIVE"} == {who.apiClientStatus for who in answers}

    asyncio.run(main())
    assert server.token_requests == 1


def test_close_waits_for_requests_under_way(server: Any, script: Any, sms: dict[str, Any], eventually: Any) -> None:
    """`aclose` lets a request under way come to its end."""
    hold = threading.Event()
    server.answer(SEND, script(202, QUEUED, hold=hold))

    async def main() -> None:
        client = AsyncRedCloud(server.url, **CREDENTIALS)
        send = asyncio.create_task(client.send_message(**sms, idempotency_key="idem_1"))
        await asyncio.to_thread(eventually, lambda: len(server.requests(SEND)) == 1)
        closing = asyncio.create_task(client.aclose())
        await asyncio.sleep(0)
        hold.set()
        assert (await send).results[0].messageId == "msg_1"
        await closing

    asyncio.run(main())


def test_close_waits_no_longer_than_the_deadline(server: Any, script: Any, eventually: Any) -> None:
    """`aclose` gives up on a request that does not end at the deadline."""
    server.answer(WHOAMI, script(fault="hang"))

    async def main() -> float:
        client = AsyncRedCloud(server.url, **CREDENTIALS, deadline=0.3)
        call = asyncio.create_task(client.whoami())
        await asyncio.to_thread(eventually, lambda: len(server.requests(WHOAMI)) == 1)
        began = time.monotonic()
        await client.aclose()
        with pytest.raises(TransportError):
            await call
        return time.monotonic() - began

    assert asyncio.run(main()) < 2


def test_deadline_while_headers_trickle(server: Any, script: Any, sms: dict[str, Any]) -> None:
    """An answer whose headers never end is not waited for beyond the deadline; a send is unknown then."""
    server.answer(SEND, script(fault="crawl"))

    async def main() -> None:
        async with AsyncRedCloud(server.url, **CREDENTIALS, deadline=0.3) as client:
            began = time.monotonic()
            with pytest.raises(SendOutcomeUnknown, match="deadline"):
                await client.send_message(**sms, idempotency_key="idem_1")
            assert time.monotonic() - began < 2

    asyncio.run(main())


def test_asynchronous_transport_needs_another_for_tokens() -> None:
    """A transport that cannot be used without an event loop is refused for tokens, with the way out."""
    from redcloud_core_client.http_library import httpx

    transport = httpx.AsyncHTTPTransport(verify=False)
    with pytest.raises(ValueError, match="give token_transport= as well"):
        AsyncRedCloud("https://api.example.com", **CREDENTIALS, transport=transport)
    AsyncRedCloud("https://api.example.com", **CREDENTIALS, transport=transport, token_transport=httpx.HTTPTransport())


def test_wrong_kind_of_with_says_so(unused_url: str) -> None:
    """`with` around the asynchronous client, and `async with` around the other, are Python's TypeErrors."""
    with pytest.raises(TypeError, match="context manager"), AsyncRedCloud(unused_url, **CREDENTIALS):  # type: ignore[attr-defined]
        pass

    async def main() -> None:
        async with RedCloud(unused_url, **CREDENTIALS):  # type: ignore[attr-defined]
            pass

    with pytest.raises(TypeError, match="context manager"):
        asyncio.run(main())
