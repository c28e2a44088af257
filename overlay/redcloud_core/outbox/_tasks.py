"""A drain in tasks of asyncio."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from .._async_client import AsyncRedCloud
from .._errors import RedCloudError
from .._sending import Receipt
from ._entries import Entry
from ._outcomes import send_of
from ._shift import Ask, Await, Begin, End, Progress, Step, Tell

Settled = Callable[[Entry], Awaitable[object]]


async def drive(steps: Generator[Step, Any, Progress], client: AsyncRedCloud, on_settled: Settled | None) -> Progress:
    """Carry out the steps of a drain, each send in a task of its own; return what was done."""
    ended: asyncio.Queue[End] = asyncio.Queue()
    said: object = None

    async def act(step: Begin | Tell) -> None:
        ended.put_nowait(End(step, await _outcome_of(step, client, on_settled)))

    tasks: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                step = steps.send(said)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            said = None
            if isinstance(step, Ask):
                said = await asyncio.to_thread(step.call)
            elif isinstance(step, Await):
                said = await _ended(ended, step.seconds)
            else:
                task = asyncio.create_task(act(step))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
    finally:  # nothing is left but if the drain is cancelled, or the store fails
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _outcome_of(
    step: Begin | Tell, client: AsyncRedCloud, on_settled: Settled | None
) -> Receipt | BaseException | None:
    try:
        if isinstance(step, Tell):
            if on_settled is not None:
                await on_settled(step.entry)  # W7
            return None
        return await _sent(step, client)
    except BaseException as error:  # told to the drain, which raises it when all have ended; or cancelled, by itself
        return error


async def _sent(step: Begin, client: AsyncRedCloud) -> Receipt | RedCloudError | None:
    try:
        send = send_of(step.lease)
        return await client.resume(send) if step.is_fresh() else None  # W3
    except RedCloudError as error:
        return error


async def _ended(ended: "asyncio.Queue[End]", seconds: float) -> list[End]:
    found: list[End] = []
    try:
        async with asyncio.timeout(seconds):
            found.append(await ended.get())
        while True:
            found.append(ended.get_nowait())
    except (TimeoutError, asyncio.QueueEmpty):
        return found  # W5
