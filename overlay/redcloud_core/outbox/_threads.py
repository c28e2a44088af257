"""A drain in threads."""

import queue
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._client import RedCloud
from .._errors import RedCloudError
from .._sending import Receipt
from ._entries import Entry
from ._outcomes import send_of
from ._shift import Ask, Await, Begin, End, Progress, Step, Tell

Settled = Callable[[Entry], object]


def drive(
    steps: Generator[Step, Any, Progress], client: RedCloud, concurrency: int, on_settled: Settled | None
) -> Progress:
    """Carry out the steps of a drain, sending from so many threads; return what was done."""
    ended: queue.SimpleQueue[End] = queue.SimpleQueue()
    said: object = None

    def act(step: Begin | Tell) -> None:
        ended.put(End(step, _outcome_of(step, client, on_settled)))

    with ThreadPoolExecutor(concurrency, thread_name_prefix="redcloud-outbox") as threads:
        while True:
            try:
                step = steps.send(said)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            said = None
            if isinstance(step, Ask):
                said = step.call()
            elif isinstance(step, Await):
                said = _ended(ended, step.seconds)
            else:
                threads.submit(act, step)


def _outcome_of(step: Begin | Tell, client: RedCloud, on_settled: Settled | None) -> Receipt | BaseException | None:
    try:
        if isinstance(step, Tell):
            if on_settled is not None:
                on_settled(step.entry)  # W7
            return None
        return _sent(step, client)
    except BaseException as error:  # told to the drain, which raises it when all have ended
        return error


def _sent(step: Begin, client: RedCloud) -> Receipt | RedCloudError | None:
    try:
        send = send_of(step.lease)
        return client.resume(send) if step.is_fresh() else None  # W3
    except RedCloudError as error:
        return error


def _ended(ended: "queue.SimpleQueue[End]", seconds: float) -> list[End]:
    found: list[End] = []
    try:
        found.append(ended.get(timeout=seconds))
        while True:
            found.append(ended.get_nowait())
    except queue.Empty:
        return found  # W5
