"""What is done in a round: each task prepares itself and gives a function that does it so many times, in seconds."""

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.bench.workers.wire import BATCH, NUMBER, RESULT

Measure = Callable[[int], float]

_keys = (f"idem_{os.getpid()}_{number}" for number in itertools.count())


def call(library: Any, url: str) -> Measure:
    """Send, one after the other."""
    send = library.connect(url)
    return _repeated(lambda: send(next(_keys)))


def call_async(library: Any, url: str) -> Measure:
    """Send in one task, one after the other."""

    async def several(send: Callable[[str], Awaitable[object]], count: int) -> None:
        for _ in range(count):
            await send(next(_keys))

    return _in_loop(library, url, several)


def call_in_tasks(library: Any, url: str) -> Measure:
    """Send one after the other, each in a task of its own."""

    async def several(send: Callable[[str], Coroutine[Any, Any, object]], count: int) -> None:
        for _ in range(count):
            await asyncio.create_task(send(next(_keys)))

    return _in_loop(library, url, several)


def concurrently(library: Any, url: str, at_once: str) -> Measure:
    """Send from so many tasks at once."""

    async def several(send: Callable[[str], Awaitable[object]], count: int) -> None:
        turns = iter(range(count))

        async def one() -> None:
            for _ in turns:
                await send(next(_keys))

        await asyncio.gather(*(one() for _ in range(int(at_once))))

    return _in_loop(library, url, several)


def in_threads(library: Any, url: str, at_once: str) -> Measure:
    """Send from so many threads at once."""
    return _spread(library.connect(url), int(at_once))


def add(library: Any, path: str) -> Measure:
    """Store messages, one after the other."""
    store = library.adder(path)
    return _repeated(lambda: store(next(_keys)))


def add_in_threads(library: Any, path: str, at_once: str) -> Measure:
    """Store messages one by one, from so many threads at once."""
    return _spread(library.adder(path), int(at_once))


def add_batches(library: Any, path: str) -> Measure:
    """Store messages in batches, one after the other."""
    add_many = library.batch_adder(path)

    def measure(count: int) -> float:
        batches = _batches(count)
        began = time.perf_counter()
        for batch in batches:
            add_many(batch)
        return time.perf_counter() - began

    return measure


def drain(library: Any, url: str, path: str, at_once: str) -> Measure:
    """Send what is stored from so many threads at once; the storing does not count."""
    add_many, send = library.drainer(url, path)
    return _drained(add_many, lambda: send(int(at_once)))


def drain_async(library: Any, url: str, path: str, at_once: str) -> Measure:
    """Send what is stored from so many tasks at once; the storing does not count."""
    runner = asyncio.Runner()

    async def connect() -> Any:
        return library.drainer_async(url, path)

    add_many, send = runner.run(connect())
    return _drained(add_many, lambda: runner.run(send(int(at_once))))


def encode_send(library: Any) -> Measure:
    """Make a send of its fields and encode it."""
    return _repeated(library.encoder())


def decode_numbers(library: Any) -> Measure:
    """Decode a list of 1,000 numbers."""
    return _decoding(library.number_decoder(), {"numbers": [NUMBER] * 1000})


def decode_results(library: Any) -> Measure:
    """Decode the answer to a send to 1,000 recipients."""
    return _decoding(library.result_decoder(), {"results": [RESULT] * 1000, "errors": []})


def warm_header(library: Any, url: str) -> Measure:
    """Get the header of a token that is at hand."""
    header = library.header_source(url)
    header()
    return _repeated(header)


def cold_threads(library: Any, url: str) -> Measure:
    """Get the header from so many threads at once, when there is no token."""

    def measure(count: int) -> float:
        header = library.header_source(url)
        start = threading.Barrier(count + 1)

        def one(_number: int) -> None:
            start.wait()
            header()

        with ThreadPoolExecutor(count) as pool:
            running = pool.map(one, range(count))
            start.wait()
            began = time.perf_counter()
            list(running)
            return time.perf_counter() - began

    return measure


def cold_tasks(library: Any, url: str) -> Measure:
    """Get the header from so many tasks at once, when there is no token."""

    async def all_at_once(count: int) -> float:
        header = library.header_source_async(url)
        began = time.perf_counter()
        await asyncio.gather(*(header() for _ in range(count)))
        return time.perf_counter() - began

    return lambda count: asyncio.run(all_at_once(count))


def _spread(once: Callable[[str], object], threads: int) -> Measure:
    """Give a function that shares out so many keys to so many threads."""

    def several(keys: list[str]) -> None:
        for key in keys:
            once(key)

    def measure(count: int) -> float:
        keys = [next(_keys) for _ in range(count)]
        with ThreadPoolExecutor(threads) as pool:
            began = time.perf_counter()
            list(pool.map(several, (keys[number::threads] for number in range(threads))))
            return time.perf_counter() - began

    return measure


def _batches(count: int) -> list[list[str]]:
    return [[next(_keys) for _ in range(min(BATCH, count - at))] for at in range(0, count, BATCH)]


def _drained(add_many: Callable[[list[str]], object], send: Callable[[], int]) -> Measure:
    """Give a function that stores so many messages, and then sends them."""

    def measure(count: int) -> float:
        for batch in _batches(count):
            add_many(batch)
        began = time.perf_counter()
        accepted = send()
        seconds = time.perf_counter() - began
        if accepted != count:
            raise RuntimeError(f"{accepted} of {count} messages were accepted")
        return seconds

    return measure


def _repeated(once: Callable[[], object]) -> Measure:
    def measure(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            once()
        return time.perf_counter() - began

    return measure


def _decoding(decode: Callable[[bytes], object], data: object) -> Measure:
    import json

    content = json.dumps(data).encode()
    return _repeated(lambda: decode(content))


def _in_loop(library: Any, url: str, several: Callable[[Any, int], Coroutine[Any, Any, None]]) -> Measure:
    """Give a function that runs in one event loop, with one client, round after round."""
    runner = asyncio.Runner()

    async def connect() -> Any:
        return library.connect_async(url)

    send = runner.run(connect())

    def measure(count: int) -> float:
        began = time.perf_counter()
        runner.run(several(send, count))
        return time.perf_counter() - began

    return measure
