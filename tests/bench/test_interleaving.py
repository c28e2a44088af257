"""Samples are taken in turn, by programs that wait for theirs."""

import sys
from pathlib import Path

import pytest

from pipeline.bench.comparisons import Comparison
from pipeline.bench.interleaving import Start, from_workers, interleaved, turns, workers
from pipeline.steps import ToolFailed

SLOW = "import time\ndef encoder():\n    return lambda: time.sleep(0.002)\n"
FAST = "def encoder():\n    return lambda: None\n"


def start(folder: Path, name: str, code: str) -> Start:
    """Say how a library of a few lines, which needs nothing installed, does its task."""
    library = folder / f"{name}.py"
    library.write_text(code)
    return Start(Path(sys.executable), library, "encode_send")


def test_turns() -> None:
    """A, B, A, B: each in every round."""
    assert list(turns(["A", "B"], 3)) == ["A", "B"] * 3


def test_samples_come_in_turn() -> None:
    """The samples of one contender are not taken in a row."""
    seen: list[str] = []
    takers = {name: lambda name=name: seen.append(name) or len(seen) for name in ("A", "B")}
    assert interleaved(takers, 2) == {"A": [1, 3], "B": [2, 4]}
    assert seen == ["A", "B", "A", "B"]


def test_real_comparison(tmp_path: Path) -> None:
    """Two programs, each in a process of its own: the slow one is found slow, whatever the machine does."""
    starts = {"slow": start(tmp_path, "slow", SLOW), "fast": start(tmp_path, "fast", FAST)}
    taken = from_workers(starts, lambda own: own.seconds(5) * 1000, 3, warm_up=1)
    found = Comparison("a nap", "ms", "fast", taken)
    assert len(found.samples["slow"]) == 3
    assert found.spread("slow").low >= 10
    assert found.ratio("slow").median > 1


def test_worker_that_fails_is_named(tmp_path: Path) -> None:
    """Its own traceback says why."""
    broken = start(tmp_path, "broken", "def encoder():\n    raise LookupError('no such peer')\n")
    with pytest.raises(ToolFailed, match=r"broken\.py(.|\n)*LookupError: no such peer"), workers({"broken": broken}):
        pass


def test_worker_that_fails_in_a_round_is_named(tmp_path: Path) -> None:
    """Also when it fails later."""
    broken = start(tmp_path, "later", "def encoder():\n    return lambda: 1 / 0\n")
    with workers({"later": broken}) as running, pytest.raises(ToolFailed, match="ZeroDivisionError"):
        running["later"].seconds(1)
