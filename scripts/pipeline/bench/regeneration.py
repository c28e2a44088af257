"""Regeneration: the generate step on documents of several sizes, and the whole of `./scripts/regenerate` by step."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from ..environment import ROOT
from ..steps import ToolFailed, execute, step
from .comparisons import Comparison
from .contenders import OURS, STOCK
from .documents import document_of
from .environments import stock_command
from .interleaving import WORKERS, interleaved
from .results import Result

SIZES = {10: 5, 100: 3, 1000: 3}
"""How many operations the documents have, and how often each is generated."""

_MIB = 1024.0 * 1024.0

_WHOLE = "all of ./scripts/regenerate"

_NOTES = (
    "A fresh process for each sample, from its start to its end, formatting included; memory is its largest process's.",
    f"{OURS} also reads what {STOCK} drops, and accounts for every node of the document.",
    "The documents are copies of the CORE operations, each set of five with all schemas under names of their own.",
)

Sample = tuple[float, float]
"""Seconds and bytes."""


def measure(quick: bool) -> Result:
    """Measure regeneration."""
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="redcloud-bench-") as name:
        for size, rounds in {10: 1}.items() if quick else SIZES.items():
            found += _compare(size, rounds, Path(name))
    found.append(_whole(1 if quick else 5))
    versions = {"pipeline": {package: version(package) for package in ("openapi-python-client", "ruff", "jinja2")}}
    return Result("regeneration", "From a document to a client", found, versions, _NOTES)


def _compare(size: int, rounds: int, folder: Path) -> list[Comparison]:
    document, target = folder / f"{size}.json", folder / "client"
    document.write_text(json.dumps(document_of(size)), encoding="utf-8")
    ours = [sys.executable, str(WORKERS / "generate_ours.py"), str(document), str(target)]
    commands = {OURS: ours, STOCK: stock_command(document, target)}
    with step(f"generate {size} operations, {rounds} times each"):
        takers = {name: partial(_sample, command, target) for name, command in commands.items()}
        samples = interleaved(takers, rounds)
    return [
        Comparison(f"{size:,} operations", "s", STOCK, _part(samples, 0, 1.0)),
        Comparison(f"{size:,} operations, peak memory", "MiB", STOCK, _part(samples, 1, 1 / _MIB)),
    ]


def _part(samples: Mapping[str, Sequence[Sample]], place: int, scale: float) -> dict[str, list[float]]:
    return {name: [sample[place] * scale for sample in own] for name, own in samples.items()}


def _sample(command: Sequence[str], target: Path) -> Sample:
    """Run a generator; the system tells how much memory it and what it started took."""
    shutil.rmtree(target, ignore_errors=True)
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=target.parent)
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if started.returncode:
            said.seek(0)
            raise ToolFailed(f"`{' '.join(command)}` failed\n{said.read()}")
    return seconds, used.ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)


def _whole(rounds: int) -> Comparison:
    """Take the seconds of each step of `./scripts/regenerate`, some of which run side by side."""
    samples: dict[str, list[float]] = {}
    with step(f"regenerate from openapi.yaml, {rounds} times, nothing put in place"):
        for _ in range(rounds):
            began = time.perf_counter()
            said = execute([sys.executable, "scripts/regenerate", "--dry-run", "--json"], cwd=ROOT).stdout
            whole = time.perf_counter() - began
            for title, seconds in {_WHOLE: whole, **json.loads(said)["seconds"]}.items():
                samples.setdefault(title.partition(" (")[0], []).append(seconds)
    return Comparison("our document with all checks, by step; some run side by side", "s", _WHOLE, samples)
