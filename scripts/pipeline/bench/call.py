"""A warm call: a send with everything on, against bare httpx doing the same POST."""

from collections.abc import Mapping

from ..steps import step
from .comparisons import Comparison
from .contenders import BARE, BARE_WITH_SNIFFIO, OPENAPI_GENERATOR, OURS, STOCK, ready, start
from .environments import Contender
from .interleaving import Start, from_workers
from .results import Result
from .server import serving

_IN_TASKS = f"{BARE}, a task each"

_NAMES = (OURS, BARE, BARE_WITH_SNIFFIO, STOCK, OPENAPI_GENERATOR, "telnyx", "twilio", "stripe")

_NOTES = (
    "One call after the other on one connection, a fresh idempotency key each; the server is another process.",
    f"{OURS}: token, guards, checks, key, policy, decoding, all on. {BARE}: the same headers and JSON, and `.json()`.",
    f"The async {OURS} makes a task for each request, so that cancelling breaks nothing; so does `{_IN_TASKS}`.",
    f"httpx looks for sniffio in every asynchronous call over a network, and does not bring it: {OURS} does.",
    "stripe sends no messages: it makes a customer under an idempotency key. vonage speaks https alone: left out.",
)


def measure(quick: bool) -> Result:
    """Measure warm calls."""
    possible = ready(_NAMES)
    rounds, count = (3, 50) if quick else (25, 200)
    without_network = {name: possible[name] for name in (OURS, BARE, STOCK)}
    with serving() as url:
        chosen = {
            "sync, loopback": _sync(possible, url),
            "async, loopback": _async(possible, url),
            "sync, no network": _sync(without_network, "mock"),
            "async, no network": _async(without_network, "mock"),
        }
        found = [_compare(title, starts, rounds, count) for title, starts in chosen.items()]
    versions = {name: known.versions() for name, known in possible.items()}
    return Result("call", "A warm send", found, versions, _NOTES)


def _sync(possible: Mapping[str, Contender], url: str) -> dict[str, Start]:
    return {name: start(known, "call", url) for name, known in possible.items() if name != BARE_WITH_SNIFFIO}


def _async(possible: Mapping[str, Contender], url: str) -> dict[str, Start]:
    chosen = [name for name in (OURS, BARE, BARE_WITH_SNIFFIO, STOCK, "telnyx") if name in possible]
    starts = {name: start(possible[name], "call_async", url) for name in chosen}
    return {**starts, _IN_TASKS: start(possible[BARE], "call_in_tasks", url)}


def _compare(title: str, starts: Mapping[str, Start], rounds: int, count: int) -> Comparison:
    with step(f"call {len(starts)} clients, {rounds} x {count} times each: {title}"):
        taken = from_workers(starts, lambda own: own.seconds(count) / count * 1e6, rounds)
        return Comparison(f"a call, {title}", "us", BARE, taken)
