"""README's table is made of results, not written by hand."""

from pathlib import Path

import pytest

from pipeline.bench.comparisons import Comparison
from pipeline.bench.results import Result, write
from pipeline.bench.summary import LINES, markdown
from pipeline.steps import Refused


def measured(folder: Path) -> None:
    """Write results in which everybody takes 2, and we take 1."""
    for group in {line.group for line in LINES}:
        samples: dict[str, dict[str, list[float]]] = {}
        for line in LINES:
            if line.group == group:
                samples.setdefault(line.title, {"redcloud-core": [1.0]})[line.against] = [2.0]
        comparisons = [Comparison(title, "s", next(iter(own)), own) for title, own in samples.items()]
        write(Result(group, "All", comparisons, {}, []), folder)


def test_table(tmp_path: Path) -> None:
    """Ten lines, each with its ratio and the command that makes it."""
    measured(tmp_path)
    _, _, *rows = markdown(tmp_path).splitlines()
    assert len(rows) == 10
    assert rows[0] == "| `import redcloud_core` | httpx | 0.50 | `./scripts/bench cold` |"


def test_table_needs_results(tmp_path: Path) -> None:
    """What was not measured is not told."""
    with pytest.raises(Refused, match=r"Run `\./scripts/bench cold`"):
        markdown(tmp_path)
