"""Throughput: many sends from one process, as many at once as a service would have."""

from collections.abc import Mapping

from ..steps import step
from .comparisons import Comparison
from .contenders import BARE, BARE_WITH_SNIFFIO, OURS, ready, start
from .environments import Contender
from .interleaving import Start, from_workers
from .results import Result
from .server import serving

SENDS, TASKS, THREADS = 20_000, 50, 8

_UNIT, _SOCKETS = "sends/s", "sockets alone"

_NOTES = (
    f"{SENDS:,} sends each, in parts that take turns; at most 100 connections; the server is another process.",
    f"`{_SOCKETS}` writes bytes that are ready: what the server, on one core, can answer.",
)


def measure(quick: bool) -> Result:
    """Measure throughput."""
    possible = ready((OURS, BARE, BARE_WITH_SNIFFIO, "aiohttp"))
    parts, sends = (2, 200) if quick else (10, SENDS // 10)
    with serving() as url:
        concurrent = _samples(_in_tasks(possible, url), parts, sends)
        threaded = _samples(_in_threads(possible, url), parts, sends)
    limit = {_SOCKETS: concurrent.pop(_SOCKETS)}
    found = [
        Comparison(f"async, {TASKS} tasks", _UNIT, BARE, concurrent, more_is_better=True),
        Comparison(f"sync, {THREADS} threads", _UNIT, BARE, threaded, more_is_better=True),
        Comparison("what the server can do", _UNIT, _SOCKETS, limit, more_is_better=True),
    ]
    versions = {name: known.versions() for name, known in possible.items()}
    return Result("throughput", "Sends from one process", found, versions, _NOTES)


def _in_tasks(possible: Mapping[str, Contender], url: str) -> dict[str, Start]:
    how = ("concurrently", url, str(TASKS))
    both = possible["aiohttp"]
    return {
        **{name: start(possible[name], *how) for name in (OURS, BARE, BARE_WITH_SNIFFIO)},
        f"{OURS} on aiohttp": start(both, *how, used_as="ours_aiohttp"),
        f"{BARE} on aiohttp": start(both, *how, used_as="bare_aiohttp"),
        _SOCKETS: start(both, *how, used_as="sockets"),
    }


def _in_threads(possible: Mapping[str, Contender], url: str) -> dict[str, Start]:
    return {name: start(possible[name], "in_threads", url, str(THREADS)) for name in (OURS, BARE)}


def _samples(starts: Mapping[str, Start], parts: int, sends: int) -> dict[str, list[float]]:
    with step(f"send {parts} x {sends:,} times with each of {', '.join(starts)}"):
        return from_workers(starts, lambda own: sends / own.seconds(sends), parts, warm_up=1)
