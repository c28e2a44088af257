"""The codec: encode a send, decode many numbers and results."""

from collections.abc import Mapping

from ..steps import step
from .comparisons import Comparison
from .contenders import OPENAPI_GENERATOR, OURS, STOCK, ready, start
from .environments import Contender
from .interleaving import from_workers
from .results import Result

_TASKS = {
    "encode_send": ("make a send and encode it", 5000),
    "decode_numbers": ("decode 1,000 numbers", 20),
    "decode_results": ("decode 1,000 results of a send", 20),
}

_NOTES = (
    "Models into JSON bytes, and JSON bytes into models; json alone gives dictionaries.",
    f"{OURS} checks the types of what it decodes, as msgspec and pydantic do; {STOCK} and json do not.",
)


def measure(quick: bool) -> Result:
    """Measure encoding and decoding."""
    possible = ready((OURS, STOCK, OPENAPI_GENERATOR, "pydantic"))
    places = {**possible, "msgspec": possible[OURS], "json": possible[OURS]}
    rounds = 3 if quick else 25
    found = [_compare(task, places, rounds) for task in _TASKS]
    versions = {name: known.versions() for name, known in possible.items()}
    return Result("codec", "JSON into models, and back", found, versions, _NOTES)


def _compare(task: str, places: Mapping[str, Contender], rounds: int) -> Comparison:
    title, count = _TASKS[task]
    starts = {name: start(place, task, used_as=name) for name, place in places.items()}
    with step(f"{title}, {rounds} x {count} times"):
        taken = from_workers(starts, lambda own: own.seconds(count) / count * 1e6, rounds)
        return Comparison(title, "us", "msgspec", taken)
