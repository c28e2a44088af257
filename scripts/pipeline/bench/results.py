"""What a group came to: for people, for machines, and as a chart."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from .charts import chart
from .comparisons import Comparison, table

FORMAT = 1
"""Raised when what the JSON says changes its shape."""


@attrs.frozen
class Result:
    """What a group came to.

    Attributes:
        group: The group.
        title: What it measures.
        comparisons: What was compared.
        versions: The packages of each environment that took part.
        notes: What a reader must know to believe it.
    """

    group: str
    title: str
    comparisons: Sequence[Comparison]
    versions: Mapping[str, Mapping[str, str]]
    notes: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, with all samples and the machine."""
        return {
            "format": FORMAT,
            "group": self.group,
            "title": self.title,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "versions": {name: dict(packages) for name, packages in self.versions.items()},
            "notes": list(self.notes),
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }


def machine() -> dict[str, Any]:
    """Say where this was measured, and how busy the machine is."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def write(result: Result, folder: Path) -> tuple[Path, Path]:
    """Write a result as JSON and as SVG, and return the two files."""
    folder.mkdir(parents=True, exist_ok=True)
    data, drawing = folder / f"{result.group}.json", folder / f"{result.group}.svg"
    data.write_text(json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8")
    drawing.write_text(chart(result.title, _caption(), result.comparisons), encoding="utf-8")
    return data, drawing


def show(result: Result) -> None:
    """Print a result for people."""
    print(f"\n{result.group}: {result.title}\n")
    for comparison in result.comparisons:
        print(table(comparison) + "\n")
    for note in result.notes:
        print(f"  note: {note}")


def show_machine() -> None:
    """Print where this is measured."""
    facts = machine()
    print(f"{facts['python']} on {facts['cpu']}, {facts['cores']} cores, {facts['system']}")
    print(f"load {facts['load'][0]} over the last minute: the less, the better the numbers")


def _caption() -> str:
    facts = machine()
    return f"{facts['python']}, {facts['cores']} cores, {facts['cpu']}"


def _cpu() -> str:
    """Return the name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "a processor that has no name"
