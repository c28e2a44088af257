"""The I/O of asyncio: connections of each event loop, and the tasks that requests run in."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from typing import Any, cast
from weakref import WeakKeyDictionary

import msgspec

from ._binding import Answer, Request, httpx
from ._http import (
    MOST_AT_ONCE,
    NO_CONNECTION,
    Failure,
    Headers,
    Patience,
    Wire,
    bare,
    http_request,
    outcome_of,
    transport_options,
)
from ._pools import GivenPool, OwnPool, Pool
from ._reading import Body


class _Loop(msgspec.Struct):
    """What an event loop has of its own: connections, permits, and the requests under way."""

    pool: Pool[httpx.AsyncBaseTransport]
    permits: asyncio.Semaphore
    end: AsyncGenerator[None]
    tasks: set[asyncio.Task[Answer | Failure]] = msgspec.field(default_factory=set[asyncio.Task[Answer | Failure]])


class AsyncConnections:
    """The connections of each event loop, and a limit of its own, made when they are first used.

    A request runs in a task of its own that nothing of the caller's cancels, because a connection does not survive
    cancellation. So the request of a cancelled caller goes on.
    """

    def __init__(self, wire: Wire) -> None:
        """Reach the API as `wire` says."""
        self._wire = wire
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()

    async def transmit(
        self, request: Request[Any], headers: Headers, patience: Patience, ends_at: float
    ) -> Answer | Failure:
        """Make one attempt, as `Connections.transmit` does."""
        loop = await self._running_loop()
        if not await _acquired(loop.permits, ends_at):
            return NO_CONNECTION
        task = asyncio.create_task(self._attempt(loop.pool, request, headers, patience, ends_at))
        loop.tasks.add(task)
        task.add_done_callback(loop.tasks.discard)
        task.add_done_callback(lambda _: loop.permits.release())
        await asyncio.wait([task], timeout=ends_at - time.monotonic())
        return task.result() if task.done() else Failure("the deadline passed", unsent=False)

    async def aclose(self, timeout: float) -> None:  # noqa: ASYNC109
        """Wait for the requests under way in this event loop, then close its connections.

        Args:
            timeout: Seconds to wait at the most.
        """
        loop = self._loops.pop(asyncio.get_running_loop(), None)
        if loop is None:
            return
        if loop.tasks:
            await asyncio.wait(loop.tasks, timeout=timeout)
        await loop.end.aclose()

    async def _attempt(
        self,
        pool: Pool[httpx.AsyncBaseTransport],
        request: Request[Any],
        headers: Headers,
        patience: Patience,
        ends_at: float,
    ) -> Answer | Failure:
        body, connection, got = Body(ends_at), pool.take(), None
        try:
            got = await connection.handle_async_request(http_request(self._wire, request, headers, patience, ends_at))
            async with aclosing(got):  # W4
                if not body.begins(got):
                    async for chunk in cast(httpx.AsyncByteStream, got.stream):
                        if not body.takes(chunk):
                            break
        except httpx.RequestError as error:
            body.fails(error, patience.read)
        except BaseException as error:
            raise bare(error) from None
        else:
            body.ends()
        finally:
            await _aclose_all(pool.give(connection, usable=body.is_whole))
        return outcome_of(request, got, body)

    async def _running_loop(self) -> _Loop:
        running = asyncio.get_running_loop()
        if running not in self._loops:
            for loop in [known() for known in self._loops.keyrefs()]:  # a copy: those of other threads come and go
                if loop is not None and loop.is_closed():
                    self._loops.pop(loop, None)
            pool = _pool(self._wire)
            self._loops[running] = _Loop(pool, asyncio.Semaphore(MOST_AT_ONCE), _closing(pool))
            await anext(self._loops[running].end)
        return self._loops[running]


def _pool(wire: Wire) -> Pool[httpx.AsyncBaseTransport]:
    if wire.transport is not None:
        return GivenPool(wire.transport)
    return OwnPool(lambda: httpx.AsyncHTTPTransport(**transport_options(wire)))


async def _acquired(permits: asyncio.Semaphore, ends_at: float) -> bool:
    """Wait for a permit; tell whether there was one in time."""
    if not permits.locked():
        return await permits.acquire()
    try:
        async with asyncio.timeout(ends_at - time.monotonic()):
            return await permits.acquire()
    except TimeoutError:
        return False


async def _closing(pool: Pool[httpx.AsyncBaseTransport]) -> AsyncGenerator[None]:
    """Close a pool when its loop ends: `asyncio.run` then closes the asynchronous generators that have begun."""
    try:
        yield
    finally:
        await _aclose_all(pool.drain())


async def _aclose_all(connections: Iterable[httpx.AsyncBaseTransport]) -> None:
    for connection in connections:
        with suppress(Exception):
            await connection.aclose()
