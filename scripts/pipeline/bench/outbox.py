"""The outbox: what it costs to have a message on disk before it is sent, in time and in memory."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from ..publish.loopback import without_proxy
from ..steps import execute, step
from .comparisons import Comparison
from .contenders import OURS, library, ready, start
from .environments import FOLDER, Contender
from .interleaving import WORKERS, Start, from_workers, interleaved
from .results import Result
from .server import serving
from .workers.wire import BATCH

TASKS, THREADS = 50, 8

MANY, FEW, SENT = 100_000, 1000, 500
"""How many messages are stored when memory is measured, and how many of them are sent."""

BARE = "sqlite3"
DIRECT = "direct sends"

_MIB = 1024.0 * 1024.0

_NOTES = (
    f"`{BARE}`: one thread; rows as long as the outbox's, one a commit or {BATCH}; journal and sync as the outbox has "
    "them; no checks, no keys, no index.",
    f"`{DIRECT}`: the same client without an outbox, from as many threads or tasks; the server is another process.",
    "Storing does not count where sends are measured. Files are on the disk of this checkout.",
    f"Memory: messages stored in batches of {BATCH}, all read with `entries()`, {SENT} sent. A fresh process for each.",
)

Sample = Mapping[str, float]


def measure(quick: bool) -> Result:
    """Measure the outbox."""
    possible = ready((OURS,))
    ours = possible[OURS]
    with tempfile.TemporaryDirectory(prefix="outbox-", dir=FOLDER) as name, serving() as url:
        found = [*_adds(ours, Path(name), quick), *_sends(ours, Path(name), url, quick)]
        found += _memory(ours, Path(name), url, quick)
    versions = {name: known.versions() for name, known in possible.items()}
    return Result("outbox", "Messages that are on disk before they are sent", found, versions, _NOTES)


def _adds(ours: Contender, folder: Path, quick: bool) -> list[Comparison]:
    """Compare how many messages a second are stored with how many rows SQLite commits."""
    chosen = {
        "adds, 1 thread": (500, _adding(ours, folder / "added-one-by-one", "add", "add")),
        f"adds, {THREADS} threads": (
            500,
            _adding(ours, folder / "added-from-threads", "add", "add_in_threads", str(THREADS)),
        ),
        f"adds in batches of {BATCH}": (2000, _adding(ours, folder / "added-in-batches", "add_batches", "add_batches")),
    }
    rounds = 2 if quick else 20
    return [
        _rates(title, starts, BARE, "adds/s", (rounds, BATCH if quick else count))
        for title, (count, starts) in chosen.items()
    ]


def _adding(ours: Contender, file: Path, bare: str, *task: str) -> dict[str, Start]:
    """Say how the outbox does a task, and how SQLite does one of its own; each has its own file."""
    name, *arguments = task
    return {
        OURS: start(ours, name, f"{file}.outbox", *arguments),
        BARE: start(ours, bare, f"{file}.sqlite3", used_as="sqlite3_alone"),
    }


def _sends(ours: Contender, folder: Path, url: str, quick: bool) -> list[Comparison]:
    """Compare how many messages a second leave the outbox with how many leave without one."""
    threads, tasks = str(THREADS), str(TASKS)
    chosen: dict[str, dict[str, Start]] = {
        f"a drain, {THREADS} threads": {
            OURS: start(ours, "drain", url, str(folder / "sent-from-threads.outbox"), threads),
            DIRECT: start(ours, "in_threads", url, threads),
        },
        f"a drain, {TASKS} tasks": {
            OURS: start(ours, "drain_async", url, str(folder / "sent-from-tasks.outbox"), tasks),
            DIRECT: start(ours, "concurrently", url, tasks),
        },
    }
    much = (2, 200) if quick else (10, 2000)
    return [_rates(title, starts, DIRECT, "sends/s", much) for title, starts in chosen.items()]


def _rates(title: str, starts: Mapping[str, Start], reference: str, unit: str, much: tuple[int, int]) -> Comparison:
    rounds, count = much
    with step(f"{title}: {rounds} x {count:,} with each of {', '.join(starts)}"):
        taken = from_workers(starts, lambda own: count / own.seconds(count), rounds, warm_up=1)
    return Comparison(title, unit, reference, taken, more_is_better=True)


def _memory(ours: Contender, folder: Path, url: str, quick: bool) -> list[Comparison]:
    """Compare the memory that many messages take with what few take."""
    rounds, many = (1, 2 * FEW) if quick else (3, MANY)
    names = {f"{count:,} messages": count for count in (many, FEW)}
    takers = {name: partial(_sample, ours, folder, url, count) for name, count in names.items()}
    with step(f"store {', '.join(names)} and send {SENT}, {rounds} times each"):
        samples = interleaved(takers, rounds)
    return _comparisons(samples, reference=f"{FEW:,} messages")


def _sample(ours: Contender, folder: Path, url: str, count: int) -> Sample:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        arguments = [url, str(Path(name) / "memory.outbox"), str(count), str(SENT)]
        command = [str(ours.python), "-I", str(WORKERS / "outbox_memory.py"), str(library(OURS)), *arguments]
        found: Sample = json.loads(execute(command, env=without_proxy()).stdout)
    return found


def _comparisons(samples: Mapping[str, Sequence[Sample]], reference: str) -> list[Comparison]:
    """Return what was found; nothing where the system does not tell the memory of a process."""
    if "peak" not in samples[reference][0]:
        return []
    taken = {name: [sample["peak"] / _MIB for sample in own] for name, own in samples.items()}
    return [Comparison("peak memory", "MiB", reference, taken)]
