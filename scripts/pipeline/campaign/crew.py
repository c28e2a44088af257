"""The workers: forked from a process that has imported everything, so that another one is there in a moment."""

import fcntl
import gc
import importlib
import mmap
import os
import select
import signal
import struct
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from . import worker
from .chance import Role
from .worker import Scene

LIFETIME = 120
"""Seconds after which a worker ends by itself, should it be left alone."""

PIPE_SIZE = 1 << 20

_IMPORTED_LATE = (
    "redcloud_core._async_http",
    "redcloud_core._http",
    "redcloud_core._token_endpoint",
    "redcloud_core.models",
    "redcloud_core.outbox._tasks",
    "redcloud_core.outbox._threads",
)
"""What the SDK imports when it is first of use: here before the first fork."""


class Clock:
    """The time that all workers share, and that jumps when it is told to."""

    def __init__(self) -> None:
        self._offset = mmap.mmap(-1, 8)

    def __call__(self) -> float:
        """Return the seconds since the epoch, and so many off."""
        found: float = struct.unpack("d", self._offset[:8])[0]
        return time.time() + found

    def set(self, offset: float) -> None:
        """Have it be off by so many seconds."""
        self._offset[:8] = struct.pack("d", offset)


class Worker(NamedTuple):
    """A process."""

    pid: int
    numbers: tuple[int, ...]
    """The messages that it is to add; none for one that drains."""


class Said:
    """All that workers have said so far."""

    def __init__(self) -> None:
        self.added: set[int] = set()
        self.settled: dict[int, set[str]] = {}
        self.surprises: list[str] = []
        self._rest = b""

    def take(self, content: bytes) -> None:
        """Take more of what comes out of the pipe."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "added":
            self.added.add(int(rest))
        elif word == "settled":
            number, _, state = rest.partition(" ")
            self.settled.setdefault(int(number), set()).add(state)
        else:
            self.surprises.append(rest)


class Crew:
    """Forks workers, stops and kills them, and listens to what they say."""

    def __init__(self, scene: Callable[[Callable[[str], None]], Scene]) -> None:
        self.said = Said()
        self.workers: list[Worker] = []
        self._reading, writing = os.pipe()
        self._writing = writing
        os.set_blocking(self._reading, False)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        self._scene = scene(worker.pipe_says(writing))

    @property
    def scene(self) -> Scene:
        """Where the workers work."""
        return self._scene

    def add(self, role: Role, numbers: Sequence[int]) -> Worker:
        """Have a new worker add messages."""
        return self._fork(lambda: worker.add(self._scene, role, numbers), tuple(numbers))

    def drain(self, role: Role) -> Worker:
        """Have a new worker drain."""
        return self._fork(lambda: worker.drain(self._scene, role))

    def finish(self, *, everything: bool) -> Worker:
        """Have a new worker drain until nothing waits, as `worker.finish` does."""
        return self._fork(lambda: worker.finish(self._scene, everything))

    def _fork(self, work: Callable[[], None], numbers: tuple[int, ...] = ()) -> Worker:
        pid = os.fork()
        if pid == 0:
            _live(work, self._scene.say)
        self.workers.append(Worker(pid, numbers))
        return self.workers[-1]

    def kill(self, doomed: Worker) -> None:
        """Kill a worker, and wait until it is gone."""
        os.kill(doomed.pid, signal.SIGKILL)
        os.waitpid(doomed.pid, 0)
        self.workers.remove(doomed)

    def kill_all(self) -> None:
        """Kill all workers."""
        while self.workers:
            self.kill(self.workers[-1])

    def signal(self, to: Worker, number: signal.Signals) -> None:
        """Stop a worker, or let it go on; nothing, if it is gone."""
        if to in self.workers:
            os.kill(to.pid, number)

    def gone(self) -> list[Worker]:
        """Return the workers that have ended by themselves since the last time."""
        ended = [found for found in self.workers if os.waitpid(found.pid, os.WNOHANG)[0]]
        for found in ended:
            self.workers.remove(found)
        return ended

    def listen(self, seconds: float) -> None:
        """Take what workers say, for so long."""
        ends_at = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, ends_at - time.monotonic()))
            if not ready:
                return
            with suppress(BlockingIOError):
                self.said.take(os.read(self._reading, PIPE_SIZE))

    def close(self) -> None:
        """Kill all workers, and let go of the pipe."""
        self.kill_all()
        os.close(self._reading)
        os.close(self._writing)


@contextmanager
def crew_for(scene: Callable[[Callable[[str], None]], Scene]) -> Generator[Crew]:
    """Make a crew, none of which outlives the block."""
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    crew = Crew(scene)
    try:
        yield crew
    finally:
        crew.close()
        gc.unfreeze()


def _live(work: Callable[[], None], say: Callable[[str], None]) -> Any:
    """Be a worker: work, and end without a trace of the process that this one was forked from."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(LIFETIME)
        work()
        code = 0
    except BaseException as error:
        with suppress(OSError):
            say(worker.surprise_of(error))
    finally:
        os._exit(code)
