"""The table of README.md: ten ratios out of the results that are there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from ..steps import Refused
from .comparisons import Comparison
from .contenders import BARE, OURS, STOCK


@attrs.frozen
class Line:
    """A line of the table.

    Attributes:
        what: What is compared, in README's words.
        group: The group that measures it.
        title: The title of the comparison.
        against: Whom we are compared with.
    """

    what: str
    group: str
    title: str
    against: str


LINES = (
    Line("`import redcloud_core`", "cold", "import alone", BARE),
    Line("import, client and first send, over https", "cold", "import, client and first send", BARE),
    Line("memory after it", "cold", "memory after it, peak", BARE),
    Line("a warm send", "call", "a call, sync, loopback", BARE),
    Line("a warm send, async", "call", "a call, async, loopback", BARE),
    Line("decoding 1,000 numbers", "codec", "decode 1,000 numbers", "msgspec"),
    Line("decoding 1,000 numbers", "codec", "decode 1,000 numbers", STOCK),
    Line("sends per second, 50 tasks", "throughput", "async, 50 tasks", BARE),
    Line("sends per second, 8 threads", "throughput", "sync, 8 threads", BARE),
    Line("generating 1,000 operations", "regeneration", "1,000 operations", STOCK),
)


def markdown(folder: Path) -> str:
    """Return the table.

    Args:
        folder: Where the results are.

    Raises:
        Refused: One of the groups has not been measured.
    """
    return "\n".join(["| what | against | ratio | measured by |", "|---|---|---|---|", *_rows(folder)])


def _rows(folder: Path) -> Iterator[str]:
    for line in LINES:
        ratio = _comparison(folder, line).ratio(OURS).median
        yield f"| {line.what} | {line.against} | {ratio:.2f} | `./scripts/bench {line.group}` |"


def _comparison(folder: Path, line: Line) -> Comparison:
    """Return the comparison of a line, with its own reference."""
    path = folder / f"{line.group}.json"
    if not path.is_file():
        raise Refused(f"{line.group} has not been measured\nRun `./scripts/bench {line.group}`.")
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["comparisons"]
    (chosen,) = (comparison for comparison in found if comparison["title"] == line.title)
    samples = {contender["name"]: contender["samples"] for contender in chosen["contenders"]}
    return Comparison(line.title, chosen["unit"], line.against, samples, chosen["more_is_better"])
