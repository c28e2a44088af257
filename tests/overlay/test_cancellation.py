"""What cancelled tasks, ended event loops and forks leave behind: a client that works, one token, and silence."""

import asyncio
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.request import urlopen

import pytest

from redcloud_core import AsyncRedCloud, contract

TOKEN, WHOAMI, NUMBERS = "/api/auth/token", "/api/core/whoami", "/api/core/numbers"
CREDENTIALS: dict[str, Any] = {"client_id": "rc_test_client_123", "client_secret": "rc_secret_abc123"}
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]
LIMIT = 100
"""Requests that are under way at once in one event loop, at the most."""

_PACED_SERVER = """
import asyncio, json, random, sys, time
BODIES = {"/api/auth/token": b'{"access_token": "tok", "expires_in": 3600}', "/api/core/numbers": b'{"numbers": []}',
          "/api/core/whoami": sys.argv[1].encode()}
LIMIT, chance, full, turn = int(sys.argv[2]), random.Random(4), asyncio.Event(), 0.0
seen, now, most = (dict.fromkeys(BODIES, 0) for _ in range(3))
def head(body, more=b""):
    return b"HTTP/1.1 200 OK\\r\\n%bContent-Length: %d\\r\\n\\r\\n" % (more, len(body))
async def answer(path, writer):
    global turn
    body, kind = BODIES[path], 1.0
    if path == "/api/auth/token":
        await asyncio.sleep(0.03)
    elif path == "/api/core/numbers":  # held until all whom the limit lets through are here
        if now[path] >= LIMIT:
            full.set()
        await full.wait()
    else:
        kind, turn = chance.random(), max(turn, time.monotonic()) + 0.005
        await asyncio.sleep(turn - time.monotonic())
    writer.write(head(body, b"Connection: close\\r\\n" if kind < 0.1 else b""))
    if kind < 0.5:
        writer.write(body[:20])
        await asyncio.sleep(0.02 * chance.random())
    writer.write(body[20:] if kind < 0.5 else body)
    return kind >= 0.1
async def serve(reader, writer):
    goes_on = True
    while goes_on:
        request = await reader.readuntil(b"\\r\\n\\r\\n")
        path = request.split(b" ", 2)[1].decode()
        if path == "/stats":
            stats = json.dumps({"seen": seen, "now": sum(now.values()), "most": most}).encode()
            writer.write(head(stats, b"Connection: close\\r\\n") + stats)
            break
        seen[path] += 1
        now[path] += 1
        most[path] = max(most[path], now[path])
        try:
            length = request.lower().partition(b"content-length:")[2].partition(b"\\r")[0]
            await reader.readexactly(int(length or 0))
            goes_on = await answer(path, writer)
        finally:
            now[path] -= 1
    await writer.drain()
async def connected(reader, writer):
    try:
        await serve(reader, writer)
    except (EOFError, OSError):
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class PacedServer:
    """An HTTP server in a process of its own, since thousands of requests leave a test little time to serve them.

    It answers 200 whoami a second, half of them in two parts, and closes one connection in ten. A list of numbers is
    answered when as many are asked for at once as the client's limit lets through.
    """

    def __init__(self, port: str) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def stats(self) -> dict[str, Any]:
        """How many requests came to a path, how many are under way, and how many were at once at the most."""
        with urlopen(f"{self.url}/stats") as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@pytest.fixture
def paced_server() -> Iterator[PacedServer]:
    """A server that counts, and is slower than those who call it."""
    command = [sys.executable, "-c", _PACED_SERVER, json.dumps(WHOAMI_BODY), str(LIMIT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield PacedServer(running.stdout.readline().strip())
        running.kill()


class Cancelling:
    """Calls one client from many tasks, and cancels them at random moments."""

    def __init__(self, client: AsyncRedCloud, tasks: int) -> None:
        self.cancelled = 0
        self._client = client
        self._tasks = tasks
        self._chance = random.Random(tasks)

    async def until(self, cancelled: int) -> None:
        """Go on until so many have ended as cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._tasks):
                group.create_task(self._cancel(cancelled))

    async def _cancel(self, cancelled: int) -> None:
        while self.cancelled < cancelled:
            call = asyncio.create_task(self._client.whoami())
            if self._chance.random() < 0.5:
                for _ in range(self._chance.randrange(12)):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(self._chance.random() * 0.0006 * self._tasks)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call
            self.cancelled += call.cancelled()


@pytest.mark.parametrize("tasks", [20, 250])
def test_ten_thousand_cancellations(
    paced_server: PacedServer, eventually: Any, caplog: pytest.LogCaptureFixture, tasks: int
) -> None:
    """After 10,000 cancellations fresh calls work, no connection is in use, all permits are back: with one token."""
    client = AsyncRedCloud(paced_server.url, **CREDENTIALS)
    cancelling = Cancelling(client, tasks)

    async def fresh() -> list[str]:
        return [who.apiClientStatus for who in await asyncio.gather(*(client.whoami() for _ in range(20)))]

    async def first() -> None:
        await cancelling.until(10_000)
        assert await fresh() == ["ACTIVE"] * 20
        await asyncio.gather(*(client.list_numbers() for _ in range(LIMIT + 50)))
        loop = client._connections._loops[asyncio.get_running_loop()]
        await asyncio.wait(loop.tasks or [asyncio.create_task(asyncio.sleep(0))])
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        connections = [one for _, kept in loop.pool._idle for one in kept._pool.connections]  # type: ignore[attr-defined]
        assert connections
        assert all(connection.is_idle() or connection.is_closed() for connection in connections)

    async def again() -> None:
        await cancelling.until(cancelling.cancelled + 200)
        assert await fresh() == ["ACTIVE"] * 20
        await cancelling.until(cancelling.cancelled + 1)  # and the loop ends with requests under way

    for main in (first, again, again):
        asyncio.run(main())
        eventually(lambda: paced_server.stats()["now"] == 0)
    found = paced_server.stats()
    assert cancelling.cancelled >= 10_400
    assert (found["seen"][TOKEN], found["seen"][NUMBERS]) == (1, LIMIT + 50)
    assert found["most"][NUMBERS] == LIMIT
    assert 300 < found["seen"][WHOAMI] < 10_000
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# Waiting for a token


def test_waiters_hold_no_threads(server: Any, script: Any, eventually: Any) -> None:
    """While 300 tasks wait for a slow token, the event loop's thread pool is free for others."""
    server.token_hold = threading.Event()
    server.answer(WHOAMI, script(body=WHOAMI_BODY))

    async def main() -> list[str]:
        async with AsyncRedCloud(server.url, **CREDENTIALS) as client:
            before = threading.active_count()
            calls = [asyncio.create_task(client.whoami()) for _ in range(300)]
            try:
                async with asyncio.timeout(5):
                    await asyncio.to_thread(eventually, lambda: server.token_requests == 1)
                # The one that fetches, the pool's one that has just waited, and the server's own.
                assert threading.active_count() <= before + 3
                assert not any(call.done() for call in calls)
            finally:
                server.token_hold.set()
            return [who.apiClientStatus for who in await asyncio.gather(*calls)]

    assert asyncio.run(main()) == ["ACTIVE"] * 300
    assert (server.token_requests, len(server.requests(WHOAMI))) == (1, 300)


_CANCELLED = """
import asyncio, gc, sys
from redcloud_core import AsyncRedCloud
client = AsyncRedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123")
async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no finding here
    calls = [asyncio.create_task(client.whoami()) for _ in range(300)]
    for _ in range(10):
        await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    print(sum(call.cancelled() for call in calls), len(asyncio.all_tasks()), flush=True)
    print((await client.whoami()).apiClientStatus, len(asyncio.all_tasks()))
    await client.aclose()
asyncio.run(main())
gc.collect()
"""

_ENDED = """
import asyncio, gc, sys, time
from redcloud_core import AsyncRedCloud
client = AsyncRedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123")
async def begin():
    asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no finding here
    asyncio.current_task().calls = [asyncio.create_task(client.whoami()) for _ in range(20)]
    await asyncio.sleep(0.1)
async def call():
    asyncio.get_running_loop().slow_callback_duration = 60
    print((await client.whoami()).apiClientStatus)
asyncio.run(begin())
print("ended", flush=True)
while client.token_state().last_refresh is None:
    time.sleep(0.01)
asyncio.run(call())
gc.collect()
"""


@pytest.mark.parametrize(
    ("program", "first", "last"), [(_CANCELLED, "300 1\n", "ACTIVE 1\n"), (_ENDED, "ended\n", "ACTIVE\n")]
)
def test_nobody_waits_any_more(server: Any, script: Any, program: str, first: str, last: str) -> None:
    """A token that lands after its waiters were cancelled, or their loop ended, disturbs nobody; the next uses it."""
    server.token_hold = threading.Event()
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    with _silent_python(program, server.url) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == first
        server.token_hold.set()
        assert (running.communicate(timeout=30), running.returncode) == ((last, ""), 0)
    assert (server.token_requests, len(server.requests(WHOAMI))) == (1, 1)


def test_eight_loops_at_once(server: Any, script: Any) -> None:
    """Eight threads with an event loop each, and 20 tasks in each loop, share one client and one token."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    client = AsyncRedCloud(server.url, **CREDENTIALS)
    start = threading.Barrier(8)

    async def calls() -> list[str]:
        return [who.apiClientStatus for who in await asyncio.gather(*(client.whoami() for _ in range(20)))]

    def work(_thread: int) -> list[str]:
        start.wait()
        return asyncio.run(calls()) + asyncio.run(calls())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [["ACTIVE"] * 40] * 8
    assert (server.token_requests, len(server.requests(WHOAMI))) == (1, 320)


def test_loops_come_and_go(unused_url: str) -> None:
    """Event loops that begin and end in many threads do not trip over each other's connections."""
    client = AsyncRedCloud(unused_url, **CREDENTIALS)
    interval = sys.getswitchinterval()

    def work(_thread: int) -> None:
        for _ in range(50):
            asyncio.run(client._connections._running_loop())

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, range(16)))
    finally:
        sys.setswitchinterval(interval)


# Forks

_FORKED = """
import asyncio, os, sys
from redcloud_core import AsyncRedCloud, RedCloud
kind = {"sync": RedCloud, "async": AsyncRedCloud}[sys.argv[2]]
client = kind(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123")
def call():
    found = client.whoami()
    who = asyncio.run(found) if asyncio.iscoroutine(found) else found
    os.write(1, f"{who.apiClientStatus}\\n".encode())  # in one piece
call()
pid = os.fork()
call()
if pid:
    assert os.waitpid(pid, 0)[1] == 0
    call()
"""


def test_idle_fork(server: Any, script: Any, kind: str) -> None:
    """A child that is forked while nothing is under way calls with the token at hand, over a connection of its own."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    with _silent_python(_FORKED, server.url, kind) as running:
        assert (running.communicate(timeout=30), running.returncode) == (("ACTIVE\n" * 4, ""), 0)
    assert (server.token_requests, len(server.requests(WHOAMI))) == (1, 4)
    assert len({seen.connection for seen in server.requests(WHOAMI)}) == (2 if kind == "sync" else 4)


_LOCKED = """
import os, sys, threading
from redcloud_core import RedCloud
client = RedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123")
client.whoami()
held, forked = threading.Event(), threading.Event()
def hold():
    with client._connections._pool._lock:
        held.set()
        forked.wait()
threading.Thread(target=hold).start()
held.wait()
pid = os.fork()
if not pid:
    os.write(1, client.whoami().apiClientStatus.encode())
    sys.exit()
forked.set()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_fork_while_the_pool_is_locked(server: Any, script: Any) -> None:
    """A child that is forked while another thread holds the lock of the HTTP library's pool calls, and ends."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    with _silent_python(_LOCKED, server.url) as running:
        assert (running.communicate(timeout=10), running.returncode) == (("ACTIVE", ""), 0)


@contextmanager
def _silent_python(program: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a program in Python's development mode, in which it says whatever is not in order; end its children too."""
    # Python 3.12 and later warn of a fork beside threads, which is what one test is about.
    warnings = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    command = [sys.executable, "-X", "dev", *warnings, "-c", program, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as running:
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
