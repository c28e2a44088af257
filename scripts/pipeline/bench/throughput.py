"""Throughput: many sends from one process, as many at once as a service would have."""

from collections.abc import Mapping

from ..steps import step
from .comparisons import Comparison
from .contenders import BARE, BARE_WITH_SNIFFIO, OURS, ready, start
from .interleaving import Start, from_workers
from .results import Result
from .server import serving

SENDS, TASKS, THREADS = 20_000, 50, 8

_NOTES = (
    f"{SENDS:,} sends each, in parts that take turns; at most 100 connections; the server is another process.",
    "`sockets alone` writes bytes that are ready: what the server, on one core, can answer.",
)


def measure(quick: bool) -> Result:
    """Measure throughput."""
    possible = ready((OURS, BARE, BARE_WITH_SNIFFIO, "aiohttp"))
    both = possible["aiohttp"]
    parts, sends = (2, 200) if quick else (10, SENDS // 10)
    with serving() as url:
        tasks = ("concurrently", url, str(TASKS))
        threads = ("in_threads", url, str(THREADS))
        in_tasks = {
            OURS: start(possible[OURS], *tasks),
            BARE: start(possible[BARE], *tasks),
            BARE_WITH_SNIFFIO: start(possible[BARE_WITH_SNIFFIO], *tasks),
            f"{OURS} on aiohttp": start(both, *tasks, used_as="ours_aiohttp"),
            f"{BARE} on aiohttp": start(both, *tasks, used_as="bare_aiohttp"),
            "sockets alone": start(both, *tasks, used_as="sockets"),
        }
        in_threads = {name: start(possible[name], *threads) for name in (OURS, BARE)}
        found = [
            _compare(f"async, {TASKS} tasks", in_tasks, parts, sends),
            _compare(f"sync, {THREADS} threads", in_threads, parts, sends),
        ]
    versions = {name: known.versions() for name, known in possible.items()}
    return Result("throughput", "Sends from one process", found, versions, _NOTES)


def _compare(title: str, starts: Mapping[str, Start], parts: int, sends: int) -> Comparison:
    with step(f"send {parts} x {sends:,} times with {len(starts)} clients: {title}"):
        taken = from_workers(starts, lambda own: sends / own.seconds(sends), parts, warm_up=1)
        return Comparison(title, "sends/s", BARE, taken, more_is_better=True)
