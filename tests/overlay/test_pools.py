"""The connections of a client, counted at the server: as few as can be, and none left open."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import redcloud_core._async_http as async_http_module
import redcloud_core._http as http_module
import redcloud_core._pools as pools_module
from redcloud_core import AsyncRedCloud, RedCloud, TransportError, contract
from redcloud_core._pools import OwnPool

WHOAMI = "/api/core/whoami"
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]
CREDENTIALS: dict[str, Any] = {"client_id": "rc_test_client_123", "client_secret": "rc_secret_abc123"}


@pytest.fixture(params=["sync", "async"])
def at_once(request: pytest.FixtureRequest, server: Any) -> Any:
    """Makes so many calls of one client at once, and gives what each came to."""
    kind: str = request.param
    with RedCloud(server.url, **CREDENTIALS) as client, asyncio.Runner() as runner:
        asynchronous = AsyncRedCloud(server.url, **CREDENTIALS)

        async def gathered(count: int) -> list[Any]:
            return await asyncio.gather(*(asynchronous.whoami() for _ in range(count)), return_exceptions=True)

        def call(_: int) -> Any:
            try:
                return client.whoami()
            except TransportError as error:
                return error

        def calls(count: int) -> list[Any]:
            if kind == "async":
                return runner.run(gathered(count))
            with ThreadPoolExecutor(count) as threads:
                return list(threads.map(call, range(count)))

        yield calls
        runner.run(asynchronous.aclose())


def _connections(server: Any) -> list[int]:
    return [seen.connection for seen in server.requests(WHOAMI)]


def test_one_after_the_other_share_a_connection(server: Any, script: Any, at_once: Any) -> None:
    """Calls in a row need one connection."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))

    for _ in range(5):
        at_once(1)

    assert len(set(_connections(server))) == 1


def test_token_and_calls_share_a_connection(server: Any, script: Any) -> None:
    """A first call needs one connection, the token's: another one would cost two round trips."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))

    with RedCloud(server.url, **CREDENTIALS) as client:
        client.whoami()

    assert server.connections == 1


def test_token_does_not_wait_for_calls(
    server: Any, script: Any, monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    """A new token is fetched though as many calls are under way as may be: they would wait for each other."""
    monkeypatch.setattr(http_module, "MOST_AT_ONCE", 1)
    hold = threading.Event()
    server.answer(WHOAMI, script(body=WHOAMI_BODY, hold=hold))
    with RedCloud(server.url, **CREDENTIALS) as client, ThreadPoolExecutor(2) as threads:
        under_way = threads.submit(client.whoami)
        eventually(lambda: len(_connections(server)) == 1)
        client._tokens.invalidate(1)
        waits = threads.submit(client.whoami)

        eventually(lambda: server.token_requests == 2)

        hold.set()
        assert [call.result().apiClientStatus for call in (under_way, waits)] == ["ACTIVE"] * 2


def test_the_last_used_is_used_first(server: Any, script: Any, at_once: Any, eventually: Any) -> None:
    """After many calls at once, calls in a row keep to one of their connections, so that the others may go."""
    hold = threading.Event()
    server.answer(WHOAMI, script(body=WHOAMI_BODY, hold=hold))
    _let_go(hold, server, eventually)

    at_once(8)
    busy = set(_connections(server))
    for _ in range(5):
        at_once(1)

    assert len(busy) == 8
    later = set(_connections(server)[8:])
    assert len(later) == 1
    assert later < busy


def test_idle_connections_are_closed(
    server: Any, script: Any, at_once: Any, monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    """What nobody has used for a while is closed by the next call."""
    hold = threading.Event()
    server.answer(WHOAMI, script(body=WHOAMI_BODY, hold=hold))
    _let_go(hold, server, eventually)
    at_once(8)
    monkeypatch.setattr(pools_module, "IDLE_SECONDS", -1.0)

    at_once(1)

    eventually(lambda: server.open_connections <= 1)  # that of the token


def test_failed_connection_is_not_used_again(server: Any, script: Any, at_once: Any) -> None:
    """A call whose connection was cut leaves nothing behind for the next one."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY), script(fault="cut", body=WHOAMI_BODY), script(body=WHOAMI_BODY))

    ended = [at_once(1)[0] for _ in range(3)]

    assert [getattr(one, "apiClientStatus", "") for one in ended] == ["ACTIVE"] * 3
    first, cut, *others = _connections(server)
    assert first == cut
    assert cut not in others


@pytest.fixture
def three_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that is easily reached."""
    for module in (http_module, async_http_module):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 3)


@pytest.mark.usefixtures("three_at_most")
def test_no_more_than_the_limit(server: Any, script: Any, at_once: Any) -> None:
    """Callers beyond the limit wait for a connection, and are served."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))

    ended = at_once(20)

    assert [one.apiClientStatus for one in ended] == ["ACTIVE"] * 20
    assert len(set(_connections(server))) <= 3


def test_closed_pool_keeps_nothing() -> None:
    """What comes back after the end is closed, and so is what is not usable."""
    made = iter("abc")
    pool = OwnPool(lambda: next(made))
    first, second, third = pool.take(), pool.take(), pool.take()

    assert list(pool.give(first, usable=False)) == ["a"]
    assert list(pool.give(second, usable=True)) == []
    assert list(pool.drain()) == ["b"]
    assert list(pool.give(third, usable=True)) == ["c"]


def _let_go(hold: threading.Event, server: Any, eventually: Any) -> None:
    """Let the server answer once eight calls are there at once."""

    def wait() -> None:
        eventually(lambda: len(_connections(server)) >= 8)
        hold.set()

    threading.Thread(target=wait).start()


def test_connection_that_cannot_be_made_holds_nothing(
    server: Any, script: Any, monkeypatch: pytest.MonkeyPatch, three_at_most: None
) -> None:
    """What fails before there is a connection takes no place of the limit with it."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    with RedCloud(server.url, **CREDENTIALS) as client:
        client.whoami()
        with monkeypatch.context() as broken:
            broken.setattr(client._connections, "_pool", OwnPool(lambda: 1 // 0))
            for _ in range(4):
                with pytest.raises(ZeroDivisionError):
                    client.whoami()
        assert client.whoami().apiClientStatus == "ACTIVE"
