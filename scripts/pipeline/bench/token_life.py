"""The token: what its header costs when it is at hand, and what happens when all need it at once."""

from collections.abc import Mapping

from ..steps import step
from .comparisons import Comparison
from .contenders import BARE, OURS, ready, start
from .environments import Contender
from .interleaving import Start, Worker, from_workers
from .results import Result
from .server import requests_for, serving
from .workers.wire import TOKEN_PATH

SECONDS = 0.02
"""How long the server takes for a token."""

_HAND_MADE = f"{BARE} and a lock"

_NOTES = (
    f"`{_HAND_MADE}` keeps one token behind a lock, and knows nothing of its end, of failures or of refusals.",
    f"The server takes {SECONDS * 1000:.0f} ms for a token; each round of the cold ones is a client of its own.",
)


def measure(quick: bool) -> Result:
    """Measure the token's header."""
    possible = ready((OURS, BARE))
    rounds = 3 if quick else 15
    with serving(token_seconds=SECONDS) as url:
        found = [_warm(possible, url, rounds)]
        for kind, count in (("threads", 64), ("tasks", 500)):
            found += _cold(possible, url, kind, count, rounds)
    versions = {name: known.versions() for name, known in possible.items()}
    return Result("token", "The token's header", found, versions, _NOTES)


def _warm(possible: Mapping[str, Contender], url: str, rounds: int) -> Comparison:
    count = 50_000
    with step(f"get the header of a token at hand, {rounds} x {count:,} times"):
        taken = from_workers(
            _starts(possible, url, "warm_header"), lambda own: own.seconds(count) / count * 1e9, rounds
        )
    return Comparison("the header of a token at hand", "ns", _HAND_MADE, taken)


def _cold(possible: Mapping[str, Contender], url: str, kind: str, count: int, rounds: int) -> list[Comparison]:
    """Compare the milliseconds until all have the header, and the requests that it took."""

    def sample(own: Worker) -> tuple[float, float]:
        before = requests_for(url, TOKEN_PATH)
        seconds = own.seconds(count)
        return seconds * 1000, requests_for(url, TOKEN_PATH) - before

    title = f"{count} {kind} without a token"
    with step(f"get it from {count} {kind} at once, {rounds} times"):
        taken = from_workers(_starts(possible, url, f"cold_{kind}"), sample, rounds)
    milliseconds = {name: [sample[0] for sample in own] for name, own in taken.items()}
    requests = {name: [sample[1] for sample in own] for name, own in taken.items()}
    return [
        Comparison(f"{title}, until all have it", "ms", _HAND_MADE, milliseconds),
        Comparison(f"{title}, how often it is asked for", "requests", _HAND_MADE, requests),
    ]


def _starts(possible: Mapping[str, Contender], url: str, task: str) -> dict[str, Start]:
    return {OURS: start(possible[OURS], task, url), _HAND_MADE: start(possible[BARE], task, url)}
