"""Samples in turn, A, B, A, B, ...: what disturbs the machine for a while disturbs all that are compared."""

import shlex
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import attrs

from ..publish.loopback import without_proxy
from ..steps import ToolFailed

WORKERS = Path(__file__).with_name("workers")

T = TypeVar("T")


def turns(names: Sequence[str], rounds: int) -> Iterator[str]:
    """Yield whose turn it is: each once in every round, always in the same order."""
    for _ in range(rounds):
        yield from names


def interleaved(takers: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Take samples in turn.

    Args:
        takers: What takes one sample, for each contender.
        rounds: How many samples each of them gives.
    """
    samples: dict[str, list[T]] = {name: [] for name in takers}
    for name in turns(list(takers), rounds):
        samples[name].append(takers[name]())
    return samples


class Worker:
    """A program that takes a sample when told how much to do; between its turns it waits, and costs nothing."""

    def __init__(self, command: Sequence[str], process: "subprocess.Popen[str]", errors: IO[str]) -> None:
        self._command = command
        self._process = process
        self._errors = errors
        self._read()  # it is ready

    def seconds(self, count: int) -> float:
        """Let it do so much, and return the seconds that it took.

        Raises:
            ToolFailed: It ended instead.
        """
        assert self._process.stdin is not None  # noqa: S101 - for the type checkers
        print(count, file=self._process.stdin, flush=True)
        return float(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None  # noqa: S101 - for the type checkers
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            said = self._errors.read().strip()
            raise ToolFailed(f"a worker of the benchmark ended: `{shlex.join(self._command)}`\n{said}", said)
        return line


@attrs.frozen
class Start:
    """How a worker is started.

    Attributes:
        python: The Python of its environment.
        library: The file that says how the library is used.
        task: What to do in a round: a function of `workers/tasks.py`.
        arguments: What the task takes besides.
    """

    python: Path
    library: Path
    task: str
    arguments: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """The command line."""
        return [str(self.python), "-I", str(WORKERS / "rounds.py"), str(self.library), self.task, *self.arguments]


@contextmanager
def worker(start: Start) -> Generator[Worker]:
    """Run a worker while the block runs."""
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            start.command, env=without_proxy(), stdin=pipe, stdout=pipe, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield Worker(start.command, process, errors)
        finally:
            process.kill()


@contextmanager
def workers(starts: Mapping[str, Start]) -> Generator[dict[str, Worker]]:
    """Run several workers while the block runs."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(worker(start)) for name, start in starts.items()}


def from_workers(
    starts: Mapping[str, Start], sample: Callable[[Worker], T], rounds: int, *, warm_up: int = 2
) -> dict[str, list[T]]:
    """Take samples in turn, each contender's from a worker of its own.

    Args:
        starts: How the workers are started.
        sample: What takes one sample from a worker.
        rounds: How many samples each of them gives.
        warm_up: How many each gives before, which do not count: connections, caches and the processor get warm.
    """
    with workers(starts) as running:
        takers = {name: partial(sample, own) for name, own in running.items()}
        interleaved(takers, warm_up)
        return interleaved(takers, rounds)
