"""Lint a document: what OpenAPI and the house ask of it, as scripts/pipeline/node/redocly.yaml says."""

import json
from pathlib import Path
from typing import Any

import attrs

from ..environment import NODE_PINS, node
from ..steps import ToolFailed, execute
from .diff_tools import PATIENCE

_MOST = 50


@attrs.frozen
class Linted:
    """What the linter found, a line each with the place in the document."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def lint(document: Path) -> Linted:
    """Lint the document in a file.

    Raises:
        ToolFailed: The linter failed, hung, or its report cannot be read.
    """
    options = ["--format=json", f"--max-problems={_MOST}", f"--config={NODE_PINS / 'redocly.yaml'}"]
    command = node("redocly", "lint", document.name, *options)
    try:
        output = execute(command, cwd=document.parent, patience=PATIENCE).stdout
    except ToolFailed as failure:
        if not failure.output.startswith("{"):
            raise
        output = failure.output
    return _read(output)


def _read(output: str) -> Linted:
    try:
        report, _ = json.JSONDecoder().raw_decode(output)
        problems = [(found["severity"], _line(found)) for found in report["problems"]]
    except (ValueError, KeyError, TypeError, IndexError):
        shown = output.strip()[:200] or "nothing"
        raise ToolFailed(f"`redocly lint` gives a report that cannot be read; it says: {shown}") from None
    return Linted(
        tuple(line for severity, line in problems if severity == "error"),
        tuple(line for severity, line in problems if severity != "error"),
    )


def _line(found: dict[str, Any]) -> str:
    return f"{found['location'][0].get('pointer', '#')}: {found['message']} ({found['ruleId']})"
