"""The outbox as its callers use it: what becomes of each message, counted at a server."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from redcloud_core import (
    AsyncRedCloud,
    ClientClosedError,
    ConflictError,
    InvalidCallError,
    OutboxError,
    RedCloud,
    RedCloudError,
    TokenError,
    UnauthorizedError,
)
from redcloud_core.outbox import Account, Entry, NewMessage, Outbox, Progress, Terms
from redcloud_core.outbox._shift import Ask, Await, Begin, End, Plan, shift
from redcloud_core.outbox._sqlite import SQLiteStore
from redcloud_core.sandbox import Sandbox

SEND = "/api/core/messages/send"
QUEUED = {"results": [{"to": "+15551230001", "messageId": "msg_1", "status": "QUEUED"}], "errors": []}
CORE: dict[str, Any] = {"error": {"code": "CODE", "message": "Words", "details": {}}, "requestId": "req_1"}
HALF_A_DAY = 12 * 3600.0


class Clock:
    """The time, which stands still unless a test moves it on."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._start = time.time()

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return self._start + self.ahead


@pytest.fixture(autouse=True)
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws no pauses between the attempts of a client."""
    monkeypatch.setattr("redcloud_core._client.Client._draw", staticmethod(lambda: 0.0))


@pytest.fixture
def clock() -> Clock:
    """The clock of the outbox."""
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    """An empty outbox."""
    with Outbox(tmp_path / "outbox", clock=clock) as outbox:
        yield outbox


@pytest.fixture
def client(sandbox: Sandbox, credentials: Any) -> Iterator[RedCloud]:
    """A client of the sandbox that tries once."""
    with RedCloud(sandbox.url, **credentials, attempts=1, timeout=5) as client:
        yield client


@pytest.fixture
def scripted(server: Any, credentials: Any) -> Iterator[RedCloud]:
    """A client of the scripted server that tries once."""
    with RedCloud(server.url, **credentials, attempts=1, timeout=1) as client:
        yield client


@pytest.fixture
def drain(outbox: Outbox, client: RedCloud, kind: str, sandbox: Sandbox, credentials: Any) -> Callable[..., Progress]:
    """Drains the outbox to the sandbox, in threads or in tasks."""

    async def in_tasks(on_settled: Callable[[Entry], Any] | None, **options: Any) -> Progress:
        async def settled(entry: Entry) -> None:
            cast("Callable[[Entry], Any]", on_settled)(entry)

        options |= {"on_settled": settled} if on_settled else {}
        async with AsyncRedCloud(sandbox.url, **credentials, attempts=1, timeout=5) as asynchronous:
            return await outbox.drain_async(asynchronous, **options)

    def drain(*, on_settled: Callable[[Entry], Any] | None = None, **options: Any) -> Progress:
        if kind == "sync":
            return outbox.drain(client, on_settled=on_settled, **options)
        return asyncio.run(in_tasks(on_settled, **options))

    return drain


def but(sms: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**sms, **changes}


def message(reference: str, sms: dict[str, Any]) -> NewMessage:
    return cast("NewMessage", {"reference": reference, **sms})


def entry_of(outbox: Outbox, reference: str = "order-1") -> Entry:
    entry = outbox.get(reference)
    assert entry is not None
    return entry


def sent(sandbox: Sandbox) -> list[str]:
    """Return the keys of the messages that were queued, one each."""
    return [send["key"] for send in sandbox.ledger()["sends"]]


def fail(sandbox: Sandbox, kind: str, **fault: Any) -> None:
    sandbox.add_fault({"kind": kind, "operation": "sendMessage", **fault})


# add


def test_added(outbox: Outbox, sms: dict[str, Any]) -> None:
    """What was added waits, under a key of its own."""
    one, other = outbox.add(reference="order-1", **sms), outbox.add(reference="order-2", **sms)

    assert (one.state, one.reference, one.receipt) == ("waiting", "order-1", None)
    assert one.key != other.key
    assert list(outbox.entries()) == [one, other]


def test_added_asynchronously(outbox: Outbox, sms: dict[str, Any]) -> None:
    """An event loop adds the same."""
    added = asyncio.run(outbox.add_async(reference="order-1", **sms))

    assert added == outbox.add(reference="order-1", **sms) == outbox.get("order-1")


def test_added_many(outbox: Outbox, sms: dict[str, Any]) -> None:
    """Many are added at once, and returned in their order."""
    messages = [message(f"order-{number}", sms) for number in range(300)]

    added = outbox.add_many(iter(messages))

    assert [entry.reference for entry in added] == [each["reference"] for each in messages]
    assert outbox.counts().waiting == 300
    assert outbox.add_many([]) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"text": None}, "text"),
        ({"to": []}, "to"),
        ({"to": ["5551230001"]}, r"to\[0\]"),
        ({"messageType": "FAX"}, "messageType"),
        ({"reference": ""}, "reference"),
        ({"reference": "x" * 256}, "reference"),
        ({"reference": 7}, "reference"),
        ({"reference": "\ud800"}, "surrogate"),
    ],
)
def test_refused_when_added(outbox: Outbox, sms: dict[str, Any], wrong: dict[str, Any], words: str) -> None:
    """What could never be sent is not stored, and takes what it came with along."""
    good, bad = but(sms, reference="order-1"), but(sms, **{"reference": "order-2", **wrong})

    with pytest.raises(InvalidCallError, match=words):
        outbox.add(**bad)
    with pytest.raises(InvalidCallError, match=words):
        outbox.add_many(cast("list[NewMessage]", [good, bad]))

    assert list(outbox.entries()) == []


def test_added_without_a_reference(outbox: Outbox, sms: dict[str, Any]) -> None:
    """Which message has no reference is said."""
    messages = cast("list[NewMessage]", [{"reference": "order-1", **sms}, sms])

    with pytest.raises(InvalidCallError, match=r"messages\[1\].*has no `reference`"):
        outbox.add_many(messages)
    with pytest.raises(TypeError, match="reference"):
        outbox.add(**sms)

    assert list(outbox.entries()) == []


def test_reference_of_another_message(outbox: Outbox, sms: dict[str, Any]) -> None:
    """One reference stands for one message."""
    first = outbox.add(reference="order-1", **sms)

    with pytest.raises(InvalidCallError, match="'order-1'"):
        outbox.add(reference="order-1", **but(sms, text="Bye"))

    assert list(outbox.entries()) == [first]


def test_same_message_in_other_bytes(outbox: Outbox, tmp_path: Path, sms: dict[str, Any]) -> None:
    """Another version of the SDK may order a body anew (W14): it is the same message, and its first bytes stay."""
    added = outbox.add(reference="order-1", **sms)
    plain = msgspec.json.decode(added.send.content)
    other = msgspec.json.encode(dict(reversed(plain.items())))
    assert other != added.send.content
    with closing(SQLiteStore(tmp_path / "outbox")) as store:
        store.add([("order-2", msgspec.structs.replace(added.send, key="k2", content=other))], time.time())

    again = outbox.add(reference="order-2", **sms)

    assert (again.send.content, again.key) == (other, "k2")


# drain


def test_drained(outbox: Outbox, drain: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """All that waits is sent once, and a second drain has nothing to do."""
    added = outbox.add_many([message(f"order-{number}", sms) for number in range(20)])

    assert drain() == Progress(accepted=20)
    assert drain() == Progress()

    assert sorted(sent(sandbox)) == sorted(entry.key for entry in added)
    entry = entry_of(outbox, "order-7")
    assert (entry.state, entry.tries, entry.due_at, entry.in_doubt_since) == ("accepted", 1, None, None)
    assert entry.since >= entry.added_at
    assert outbox.counts().accepted == 20


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_at_once_than_asked_for(
    outbox: Outbox, scripted: RedCloud, server: Any, script: Any, sms: dict[str, Any], eventually: Any, concurrency: int
) -> None:
    """So many messages are under way at once, and no more."""
    hold = threading.Event()
    server.answer(SEND, script(202, QUEUED, hold=hold))
    outbox.add_many([message(f"order-{number}", sms) for number in range(5)])

    with ThreadPoolExecutor(1) as threads:
        drained = threads.submit(outbox.drain, scripted, concurrency=concurrency)
        eventually(lambda: len(server.requests(SEND)) == concurrency)
        hold.set()
        assert drained.result(10).accepted == 5
    assert server.connections == concurrency  # one for each message under way


def test_no_more_tasks_at_once_than_asked_for(
    outbox: Outbox, server: Any, script: Any, credentials: Any, sms: dict[str, Any], eventually: Any
) -> None:
    """So many messages are under way at once in an event loop, and no more."""
    hold = threading.Event()
    server.answer(SEND, script(202, QUEUED, hold=hold))
    outbox.add_many([message(f"order-{number}", sms) for number in range(5)])

    async def drain() -> Progress:
        async with AsyncRedCloud(server.url, **credentials) as client:
            return await outbox.drain_async(client, concurrency=3)

    with ThreadPoolExecutor(1) as threads:
        drained = threads.submit(asyncio.run, drain())
        try:
            eventually(lambda: len(server.requests(SEND)) == 3)
        finally:
            hold.set()
        assert drained.result(10).accepted == 5
    assert server.connections == 3 + 1  # the token's


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.5, "8", None])
def test_concurrency_that_is_none(outbox: Outbox, client: RedCloud, concurrency: Any) -> None:
    """A number of messages is a positive number."""
    with pytest.raises(ValueError, match="concurrency: must be an integer"):
        outbox.drain(client, concurrency=concurrency)


def test_partly_accepted(outbox: Outbox, drain: Any, client: RedCloud, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """What came of each recipient is there to be asked for, and the rejected ones can be tried again."""
    recipients = ["+15550000001", "+15551230002", "+15551230001"]
    outbox.add(reference="order-1", **but(sms, to=recipients))

    assert drain() == Progress(accepted=1)

    results = outbox.results(reference="order-1")
    assert [(result.to, result.outcome) for result in results] == list(
        zip(recipients, ["rejected", "accepted", "accepted"], strict=True)
    )
    assert outbox.results(messageId=results[1].messageId) == [results[1]]
    receipt = entry_of(outbox).receipt
    assert receipt is not None
    assert (receipt.rejected, receipt.accepted) == (recipients[:1], recipients[1:])
    assert client.retry_rejected(receipt).rejected == recipients[:1]
    assert len(set(sent(sandbox))) == len(sent(sandbox)) == 2


def test_results_by_nothing(outbox: Outbox) -> None:
    """Results are asked for in one of two ways."""
    with pytest.raises(TypeError, match="either reference or messageId"):
        outbox.results()
    with pytest.raises(TypeError, match="either reference or messageId"):
        outbox.results(reference="order-1", messageId="msg_1")
    assert outbox.results(messageId="msg_1") == []


def test_drifted(outbox: Outbox, drain: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """An answer in another shape is an acceptance; what it said is kept."""
    fail(sandbox, "drift")
    outbox.add(reference="order-1", **sms)

    assert drain() == Progress(accepted=1)

    entry, results = entry_of(outbox), outbox.results(reference="order-1")
    assert (entry.drift is not None, entry.answer != b"") == (True, True)
    assert entry.receipt is not None
    assert entry.receipt.raw == entry.answer
    assert [(result.outcome, result.messageId) for result in results] == [("unaccounted", None)]


def test_refused(outbox: Outbox, drain: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """What the API refuses is refused, with its reason, and takes nothing else with it."""
    outbox.add(reference="order-1", **but(sms, sendFrom="num_no_campaign"))
    outbox.add(reference="order-2", **sms)

    assert drain() == Progress(accepted=1, refused=1)
    assert drain() == Progress()

    (entry,) = outbox.entries("refused")
    assert (entry.reference, entry.due_at, entry.in_doubt_since, entry.tries) == ("order-1", None, None, 1)
    assert entry.reason is not None
    assert "HTTP 4" in entry.reason
    assert len(sent(sandbox)) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "is_in_doubt"),
    [
        (429, None, False),
        (429, "40", False),
        (429, "7200", False),
        (425, None, False),
        (503, None, True),
        (503, "40", True),
    ],
)
def test_temporary(
    outbox: Outbox,
    drain: Any,
    sandbox: Sandbox,
    sms: dict[str, Any],
    status: int,
    retry_after: str | None,
    is_in_doubt: bool,
) -> None:
    """What may work later waits, as long as the API asks for, but a minute at the most."""
    fail(sandbox, "status", status=status, headers={"Retry-After": retry_after} if retry_after else {})
    outbox.add(reference="order-1", **sms)

    assert drain() == Progress(postponed=1)
    assert drain() == Progress()

    entry = entry_of(outbox)
    assert (entry.state, entry.tries) == ("waiting", 1)
    assert str(status) in str(entry.reason)
    assert (entry.in_doubt_since is not None) == is_in_doubt
    assert entry.due_at is not None
    wait = (entry.due_at - datetime.now(UTC)).total_seconds()
    if retry_after:
        assert min(float(retry_after), 60.0) - 2 < wait <= 60.0
    else:
        assert wait <= 60.0


def test_connection_refused(outbox: Outbox, unused_url: str, credentials: Any, sms: dict[str, Any]) -> None:
    """Without a network nothing is in doubt, and nothing is lost."""
    outbox.add(reference="order-1", **sms)

    with RedCloud(unused_url, **credentials, attempts=1, timeout=1) as client:
        assert outbox.drain(client) == Progress(postponed=1)

    entry = entry_of(outbox)
    assert (entry.state, entry.in_doubt_since, entry.tries) == ("waiting", None, 1)


def test_pauses_grow(outbox: Outbox, drain: Any, clock: Clock, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """Each try waits longer than the one before, up to a minute."""
    fail(sandbox, "status", status=429)
    outbox.add(reference="order-1", **sms)
    waits: list[float] = []

    for _ in range(9):
        assert drain() == Progress(postponed=1)
        entry = entry_of(outbox)
        assert entry.due_at is not None
        waits.append(round(entry.due_at.timestamp() - clock(), 3))
        clock.ahead += waits[-1] + 0.001

    assert waits == sorted(waits)
    assert 0.5 <= waits[0] <= 1.0
    assert waits[-1] == pytest.approx(60.0)


def test_answer_lost(outbox: Outbox, drain: Any, clock: Clock, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A message whose answer was lost is asked for again under its key: it was queued once, and is accepted."""
    fail(sandbox, "drop_after", count=1)
    added = outbox.add(reference="order-1", **sms)

    assert drain() == Progress(postponed=1)
    waiting = entry_of(outbox)
    assert (waiting.state, waiting.send) == ("waiting", added.send)
    assert waiting.in_doubt_since is not None
    clock.ahead += 60
    assert drain() == Progress(accepted=1)

    assert sent(sandbox) == [added.key]
    assert sandbox.ledger()["sends"][0]["attempts"] == 2
    entry = entry_of(outbox)
    assert (entry.state, entry.in_doubt_since, entry.tries) == ("accepted", None, 2)


@pytest.mark.parametrize("status", [400, 403, 409])
def test_refusal_after_a_doubt(
    outbox: Outbox, drain: Any, clock: Clock, sandbox: Sandbox, sms: dict[str, Any], status: int
) -> None:
    """A 4xx says nothing of the attempt before it, which a drain of another process may have made."""
    fail(sandbox, "drop_after", count=1)
    outbox.add(reference="order-1", **sms)
    drain()
    since = entry_of(outbox).in_doubt_since
    fail(sandbox, "status", status=status)
    clock.ahead += 60

    with RedCloud(sandbox.url, client_id=sandbox.client_id, client_secret=sandbox.client_secret, attempts=1) as another:
        assert outbox.drain(another) == Progress(postponed=1)

    entry = entry_of(outbox)
    assert (entry.state, entry.in_doubt_since) == ("waiting", since)


def test_refusal_of_the_client_after_a_doubt(
    outbox: Outbox, drain: Any, clock: Clock, sandbox: Sandbox, credentials: Any, sms: dict[str, Any]
) -> None:
    """A client that will not send it, its key being used for something else, says nothing of the attempt before."""
    fail(sandbox, "drop_after", count=1)
    added = outbox.add(reference="order-1", **sms)
    drain()
    clock.ahead += 60

    with RedCloud(sandbox.url, **credentials, attempts=1) as another:
        with pytest.raises(ConflictError):
            another.send_message(idempotency_key=added.key, **but(sms, text="Bye"))
        assert outbox.drain(another) == Progress(unknown=1)

    entry = entry_of(outbox)
    assert (entry.state, entry.in_doubt_since is None) == ("unknown", False)


def test_retention_is_over(outbox: Outbox, drain: Any, clock: Clock, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """What may have been queued, and is older than what the API remembers, is never sent again by itself."""
    fail(sandbox, "drop_after", count=1)
    outbox.add(reference="order-1", **sms)
    drain()
    sandbox.forget_keys()
    clock.ahead += HALF_A_DAY + 61
    told: list[Entry] = []

    for _ in range(2):
        drain(on_settled=told.append)

    (entry,) = outbox.entries("unknown")
    assert told == [entry]
    assert "may have been queued" in str(entry.reason)
    assert entry.since.timestamp() == pytest.approx(clock(), abs=5)
    assert len(sent(sandbox)) == 1


def test_retention_of_the_caller(tmp_path: Path, client: RedCloud, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """The caller says for how long keys are known."""
    clock = Clock()
    fail(sandbox, "drop_after", count=1)
    with Outbox(tmp_path / "outbox", retention=100, clock=clock) as outbox:
        outbox.add(reference="order-1", **sms)
        outbox.drain(client)
        clock.ahead += 102
        outbox.drain(client)

        assert outbox.counts().unknown == 1

    for wrong in (0, -1, float("nan"), float("inf"), True, "1"):
        with pytest.raises(ValueError, match="retention"):
            Outbox(tmp_path / "outbox", retention=cast("float", wrong))


# what is wrong with the account


def test_wrong_secret(outbox: Outbox, sandbox: Sandbox, client: RedCloud, sms: dict[str, Any], kind: str) -> None:
    """A wrong secret is nobody's message: the drain raises, and everything is due as it was."""
    added = outbox.add_many([message(f"order-{number}", sms) for number in range(30)])
    wrong: dict[str, Any] = {"client_id": sandbox.client_id, "client_secret": "wrong", "attempts": 1}

    def drain() -> Progress:
        if kind == "sync":
            return outbox.drain(RedCloud(sandbox.url, **wrong))
        return asyncio.run(outbox.drain_async(AsyncRedCloud(sandbox.url, **wrong)))

    with pytest.raises(TokenError):
        drain()

    left = list(outbox.entries())
    assert [(entry.state, entry.tries, entry.in_doubt_since) for entry in left] == [("waiting", 0, None)] * len(added)
    assert outbox.drain(client) == Progress(accepted=30)


def test_account_trouble_after_a_doubt(
    outbox: Outbox, drain: Any, clock: Clock, sandbox: Sandbox, sms: dict[str, Any]
) -> None:
    """A wrong secret, or a 401, stops a drain even if all that is left may have been queued; the doubt stays."""
    fail(sandbox, "drop_after", count=1)
    outbox.add(reference="order-1", **sms)
    drain()
    since = entry_of(outbox).in_doubt_since
    clock.ahead += 60

    with pytest.raises(TokenError):
        outbox.drain(RedCloud(sandbox.url, client_id=sandbox.client_id, client_secret="wrong", attempts=1))
    assert (entry_of(outbox).state, entry_of(outbox).in_doubt_since) == ("waiting", since)
    fail(sandbox, "status", status=401, count=2)
    with pytest.raises(UnauthorizedError):
        drain()
    assert (entry_of(outbox).state, entry_of(outbox).in_doubt_since) == ("waiting", since)
    assert drain() == Progress(accepted=1)
    assert len(sent(sandbox)) == 1


def test_account_trouble_in_the_doubtful_try(outbox: Outbox, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """An attempt that got no answer is in doubt, also if the next one of the same try finds the token refused."""
    outbox.add(reference="order-1", **sms)
    fail(sandbox, "drop_after", count=1)
    fail(sandbox, "status", status=401, count=2)

    with RedCloud(sandbox.url, client_id=sandbox.client_id, client_secret=sandbox.client_secret, attempts=2) as client:
        with pytest.raises(UnauthorizedError):
            outbox.drain(client)
        assert entry_of(outbox).in_doubt_since is not None
        assert outbox.drain(client) == Progress(accepted=1)
    assert len(sent(sandbox)) == 1


def test_damaged_entry(outbox: Outbox, drain: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """An entry that cannot be read is refused and told by its name, and holds up nothing else."""
    outbox.add_many([message(f"order-{number}", sms) for number in range(3)])
    store: Any = outbox._store
    store._writer.run(lambda file: file.execute("UPDATE sends SET send = '{}' WHERE reference = 'order-1'"))
    told: list[tuple[str, str]] = []

    assert drain(on_settled=lambda entry: told.append((entry.reference, entry.state))).accepted == 2

    assert sorted(told) == [("order-0", "accepted"), ("order-1", "refused"), ("order-2", "accepted")]
    (refused,) = outbox.entries("refused")
    assert (refused.reference, "damaged" in str(refused.reason)) == ("order-1", True)
    with pytest.raises(InvalidCallError, match="damaged"):
        _ = refused.send


def test_key_is_not_the_callers(outbox: Outbox, sms: dict[str, Any]) -> None:
    """A key of the caller's own is refused: two references would share it."""
    with pytest.raises(InvalidCallError, match="is made of the reference here"):
        outbox.add(reference="order-1", **sms, idempotency_key="mine")
    assert outbox.counts().waiting == 0


def test_tokens_refused(outbox: Outbox, scripted: RedCloud, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """An API that takes no token of this account settles no message."""
    server.answer(SEND, script(401, CORE))
    outbox.add_many([message(f"order-{number}", sms) for number in range(30)])

    with pytest.raises(UnauthorizedError):
        outbox.drain(scripted, concurrency=2)

    assert {(entry.state, entry.in_doubt_since) for entry in outbox.entries()} == {("waiting", None)}
    assert len(server.requests(SEND)) <= 8
    server.answer(SEND, script(202, QUEUED))
    assert outbox.drain(scripted).accepted == 30


def test_closed_client(outbox: Outbox, client: RedCloud, sms: dict[str, Any]) -> None:
    """A client that was closed sends nothing, and spoils nothing."""
    outbox.add(reference="order-1", **sms)
    client.close()

    with pytest.raises(ClientClosedError):
        outbox.drain(client)

    entry = entry_of(outbox)
    assert (entry.state, entry.in_doubt_since, entry.tries) == ("waiting", None, 0)


def test_token_server_down(outbox: Outbox, scripted: RedCloud, server: Any, script: Any, sms: dict[str, Any]) -> None:
    """A token that cannot be had now is waited for."""
    server.answer("/api/auth/token", script(503))
    outbox.add(reference="order-1", **sms)

    assert outbox.drain(scripted) == Progress(postponed=1)
    entry = entry_of(outbox)
    assert (entry.state, entry.in_doubt_since) == ("waiting", None)


def test_another_account(outbox: Outbox, client: RedCloud, server: Any, credentials: Any, sms: dict[str, Any]) -> None:
    """What was begun under one account is not sent under another (W15): the error names both."""
    outbox.add(reference="order-1", **sms)
    outbox.drain(client)
    outbox.add(reference="order-2", **sms)

    for url, name in ((server.url, credentials["client_id"]), (client.account.base_url, "rc_other")):
        with RedCloud(url, client_id=name, client_secret="s") as other, pytest.raises(OutboxError) as caught:
            outbox.drain(other)
        for word in (url, name, client.account.base_url, credentials["client_id"], "nothing was sent"):
            assert word in str(caught.value)

    assert server.seen == []
    assert outbox.drain(client) == Progress(accepted=1)


def test_account_from_the_start(tmp_path: Path) -> None:
    """Who adds can say whose messages they are before anybody drains."""
    mine, yours = Account("https://api.example.com", "rc_1"), Account("https://api.example.com", "rc_2")
    Outbox(tmp_path / "outbox", account=mine).close()
    Outbox(tmp_path / "outbox", account=mine).close()

    with pytest.raises(OutboxError, match=r"'rc_1' at 'https://api\.example\.com', not of 'rc_2'"):
        Outbox(tmp_path / "outbox", account=yours)


def test_thawed_after_the_retention(outbox: Outbox, sms: dict[str, Any], clock: Clock) -> None:
    """A drain that was frozen for longer than its leases does not renew them: what it had taken it leaves alone."""
    outbox.add_many([message(f"order-{number}", sms) for number in range(2)])
    plan = Plan(
        store=outbox._store,
        concurrency=1,
        terms=Terms(),
        tells=False,
        total=0,
        is_stopped=lambda: False,
        note=lambda _: None,
        clock=clock,
        ticks=lambda: clock.ahead,
    )
    steps, said, begun = shift(plan), None, list[Begin]()
    while len(begun) < 2:
        step = steps.send(said)
        said = None
        if isinstance(step, Ask):
            said = step.call()
        elif isinstance(step, Await) and clock.ahead:
            said = [End(begun[0], None)]
        elif isinstance(step, Await):
            said, clock.ahead = [], HALF_A_DAY + 1
        elif isinstance(step, Begin):
            begun.append(step)

    assert not begun[1].is_fresh()


# requeue


def test_requeued_when_refused(outbox: Outbox, drain: Any, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A message that was refused is sent again under another key, once the reason is gone."""
    fail(sandbox, "status", status=400, count=1)
    refused = outbox.add(reference="order-1", **sms)
    drain()

    again = outbox.requeue("order-1")

    assert (again.state, again.tries, again.reason) == ("waiting", 0, None)
    assert again.key != refused.key
    assert again.send.content == refused.send.content
    assert drain() == Progress(accepted=1)
    assert sent(sandbox) == [again.key]


def test_requeued_when_unknown(outbox: Outbox, drain: Any, clock: Clock, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A message that may have been queued is sent again only by somebody who says that it may go out twice."""
    fail(sandbox, "drop_after", count=1)
    outbox.add(reference="order-1", **sms)
    drain()
    clock.ahead += HALF_A_DAY + 61
    drain()

    with pytest.raises(InvalidCallError, match="risk_double=True"):
        outbox.requeue("order-1")
    assert entry_of(outbox).state == "unknown"
    again = outbox.requeue("order-1", risk_double=True)

    assert (again.state, again.in_doubt_since) == ("waiting", None)
    assert drain() == Progress(accepted=1)
    assert len(set(sent(sandbox))) == 2


def test_requeued_by_mistake(outbox: Outbox, drain: Any, sms: dict[str, Any]) -> None:
    """What waits, was accepted or is not there is not sent again, whatever the risk."""
    outbox.add(reference="order-1", **sms)
    for words in ("is waiting", "is accepted"):
        for risk in (False, True):
            with pytest.raises(InvalidCallError, match=words):
                outbox.requeue("order-1", risk_double=risk)
        drain()

    with pytest.raises(InvalidCallError, match="is not in the outbox"):
        outbox.requeue("order-2")


# callbacks and progress


def test_told(outbox: Outbox, drain: Any, sms: dict[str, Any]) -> None:
    """Each entry that is settled is told once, as it then is."""
    outbox.add(reference="order-1", **sms)
    outbox.add(reference="order-2", **but(sms, sendFrom="num_no_campaign"))
    told: list[Entry] = []

    drain(on_settled=told.append)
    drain(on_settled=told.append)

    assert sorted(told, key=lambda entry: entry.reference) == list(outbox.entries())


def test_told_later(outbox: Outbox, drain: Any, sms: dict[str, Any]) -> None:
    """What was settled while nobody listened is told to the first who does."""
    outbox.add_many([message(f"order-{number}", sms) for number in range(20)])
    drain()
    told: list[Entry] = []

    drain(on_settled=told.append)

    assert told == list(outbox.entries())


class PlannedError(Exception):
    """What a callback raises."""


@pytest.mark.parametrize("failure", [PlannedError, asyncio.CancelledError])
def test_callback_that_raises(
    outbox: Outbox, drain: Any, clock: Clock, sms: dict[str, Any], failure: type[BaseException]
) -> None:
    """What a callback raises the drain raises; the entry is told again, and sent no more."""
    outbox.add(reference="order-1", **sms)

    def raises(_: Entry) -> None:
        raise failure

    with pytest.raises(failure):
        drain(on_settled=raises)

    assert entry_of(outbox).state == "accepted"
    told: list[Entry] = []
    clock.ahead += 31
    assert drain(on_settled=told.append) == Progress()
    assert told == [entry_of(outbox)]


def test_progress(outbox: Outbox, drain: Any, sms: dict[str, Any]) -> None:
    """A caller is told how far it has come, each time it has come further."""
    outbox.add_many([message(f"order-{number}", sms) for number in range(5)])
    outbox.add(reference="wrong", **but(sms, sendFrom="num_no_campaign"))
    seen: list[Progress] = []

    done = drain(progress=seen.append, concurrency=1)

    assert done == seen[-1] == Progress(total=6, accepted=5, refused=1)
    assert [progress.accepted + progress.refused for progress in seen] == list(range(1, 7))


# run


def test_run(outbox: Outbox, client: RedCloud, sandbox: Sandbox, sms: dict[str, Any], eventually: Any) -> None:
    """What is added while it runs is sent soon; told to stop it ends."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(outbox.run, client, stop)
        for number in range(2):
            outbox.add(reference=f"order-{number}", **sms)
            eventually(lambda expected=number + 1: len(sent(sandbox)) == expected)
        stop.set()
        running.result(5)
    assert outbox.counts().accepted == 2


def test_run_finishes_what_it_began(
    outbox: Outbox, scripted: RedCloud, server: Any, script: Any, sms: dict[str, Any], eventually: Any
) -> None:
    """Told to stop, it waits for the answers of what left, and begins nothing more."""
    hold, stop = threading.Event(), threading.Event()
    server.answer(SEND, script(202, QUEUED, hold=hold))
    outbox.add_many([message(f"order-{number}", sms) for number in range(10)])

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(outbox.run, scripted, stop, concurrency=2)
        eventually(lambda: len(server.requests(SEND)) == 2)
        stop.set()
        hold.set()
        running.result(5)

    assert len(server.requests(SEND)) == 2
    counts = outbox.counts()
    assert (counts.accepted, counts.waiting) == (2, 8)
    assert {entry.in_doubt_since for entry in outbox.entries("waiting")} == {None}
    assert outbox.drain(scripted).accepted == 8


def test_run_async(outbox: Outbox, sandbox: Sandbox, credentials: Any, sms: dict[str, Any]) -> None:
    """The same in an event loop."""

    async def work() -> None:
        stop, told = asyncio.Event(), asyncio.Event()

        async def settled(_: Entry) -> None:
            told.set()

        async with AsyncRedCloud(sandbox.url, **credentials) as client:
            running = asyncio.create_task(outbox.run_async(client, stop, on_settled=settled))
            await outbox.add_async(reference="order-1", **sms)
            await asyncio.wait_for(told.wait(), 5)
            stop.set()
            await asyncio.wait_for(running, 5)

    asyncio.run(work())
    assert outbox.counts().accepted == 1


def test_run_raises(outbox: Outbox, sandbox: Sandbox, sms: dict[str, Any]) -> None:
    """A wrong secret ends it: to go on would hide it."""
    outbox.add(reference="order-1", **sms)
    with (
        RedCloud(sandbox.url, client_id=sandbox.client_id, client_secret="wrong") as client,
        pytest.raises(RedCloudError),
    ):
        outbox.run(client, threading.Event())


def test_cancelled_drain(
    outbox: Outbox,
    server: Any,
    script: Any,
    credentials: Any,
    clock: Clock,
    sms: dict[str, Any],
    eventually: Any,
) -> None:
    """What a cancelled drain had under way is in doubt, and the next one asks for it under the same key."""
    hold = threading.Event()
    server.answer(SEND, script(202, QUEUED, hold=hold))
    added = outbox.add(reference="order-1", **sms)

    async def work() -> None:
        async with AsyncRedCloud(server.url, **credentials) as client:
            draining = asyncio.create_task(outbox.drain_async(client))
            await asyncio.to_thread(eventually, lambda: len(server.requests(SEND)) == 1)
            draining.cancel()
            with pytest.raises(asyncio.CancelledError):
                await draining
            assert entry_of(outbox).in_doubt_since is not None
            hold.set()
            clock.ahead += 31
            assert (await outbox.drain_async(client)).accepted == 1

    asyncio.run(work())
    assert {seen.header("Idempotency-Key") for seen in server.requests(SEND)} == {added.key}


# at once


def test_drains_at_once(
    tmp_path: Path, outbox: Outbox, sandbox: Sandbox, client: RedCloud, sms: dict[str, Any]
) -> None:
    """Several drains of several outboxes on one file send each message once, while others are added."""
    first = [message(f"order-{number}", sms) for number in range(60)]
    outbox.add_many(first)
    told: list[str] = []

    def work(number: int) -> int:
        with Outbox(tmp_path / "outbox") as mine:
            mine.add(reference=f"more-{number}", **sms)
            return mine.drain(client, concurrency=4, on_settled=lambda entry: told.append(entry.reference)).accepted

    with ThreadPoolExecutor(4) as threads:
        accepted = list(threads.map(work, range(4)))

    assert sum(accepted) == outbox.counts().accepted == 64
    sends = sandbox.ledger()["sends"]
    assert len(sends) == 64
    assert {send["attempts"] for send in sends} == {1}
    assert sorted(told) == sorted(entry.reference for entry in outbox.entries())


# the rest


def test_closed(outbox: Outbox, client: RedCloud, sms: dict[str, Any]) -> None:
    """A closed outbox says so, whatever is asked of it; to close it again does nothing."""
    outbox.close()
    outbox.close()

    uses: list[Callable[[], object]] = [
        lambda: outbox.add(reference="order-1", **sms),
        lambda: outbox.drain(client),
        lambda: list(outbox.entries()),
        outbox.counts,
    ]
    for use in uses:
        with pytest.raises(OutboxError, match="it is closed"):
            use()


def test_closed_while_it_drains(
    outbox: Outbox, tmp_path: Path, scripted: RedCloud, server: Any, script: Any, sms: dict[str, Any], eventually: Any
) -> None:
    """A drain whose outbox is closed says so; what it sent is in doubt, and asked for again."""
    hold = threading.Event()
    server.answer(SEND, script(202, QUEUED, hold=hold))
    outbox.add(reference="order-1", **sms)
    with ThreadPoolExecutor(1) as threads:
        drained = threads.submit(outbox.drain, scripted)
        eventually(lambda: len(server.requests(SEND)) == 1)
        outbox.close()
        hold.set()
        with pytest.raises(OutboxError, match="it is closed"):
            drained.result(5)

    with Outbox(tmp_path / "outbox", clock=lambda: time.time() + 31) as again:
        assert again.drain(scripted).accepted == 1
    assert len({seen.header("Idempotency-Key") for seen in server.requests(SEND)}) == 1


def test_texts_are_not_shown(outbox: Outbox, client: RedCloud, tmp_path: Path, sms: dict[str, Any]) -> None:
    """What is shown, in a log for instance, holds neither a text nor a number; the file holds no secret."""
    outbox.add(reference="order-1", **sms)
    shown = repr(outbox) + repr(outbox.get("order-1"))
    outbox.drain(client)
    shown += repr(outbox.get("order-1"))

    assert sms["text"] not in shown
    assert sms["to"][0] not in shown
    assert "order-1" in shown
    held = (tmp_path / "outbox").read_bytes()
    for secret in ("rc_secret_abc123", "Bearer", "Authorization"):
        assert secret.encode() not in held
