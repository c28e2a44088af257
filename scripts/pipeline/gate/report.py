"""What the gate found, for people on a terminal and for machines as JSON."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from rich.console import Console
from rich.text import Text

from ..steps import printable
from .changes import Change
from .corrections import Mark
from .ledger import Move
from .touched import Touched
from .versions import Level

_MOST = 20
_FEW = 3

_TITLES = {
    "correction": "corrects assumptions, which breaks no promise",
    "wire": "breaks callers on the wire",
    "python": "breaks Python names",
    "additive": "adds",
}

Line = tuple[str, str]
"""A line and its style."""


@attrs.frozen
class Report:
    """What a new document changes, for whom, and whether it is accepted.

    Attributes:
        before: The version of the committed document.
        after: The version of the new one.
        level: What the changes amount to.
        required_version: The least version that suffices for them.
        changes: All of them, corrections first, then the worst.
        refusals: Why it is not accepted; each says what to do.
        unconfirmed: The assumptions that it corrects.
        moves: What moved in the ledger.
        touched: Calls that callers must touch, before and after.
        warnings: What the linter warns of.
        overlay: Where the overlay no longer type-checks.
        reasons: What a maintainer accepted, and why, by the name of the option.
    """

    before: str
    after: str
    level: Level
    required_version: str
    changes: tuple[Change, ...] = ()
    refusals: tuple[str, ...] = ()
    unconfirmed: tuple[Mark, ...] = ()
    moves: tuple[Move, ...] = ()
    touched: tuple[Touched, ...] = ()
    warnings: tuple[str, ...] = ()
    overlay: tuple[str, ...] = ()
    reasons: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def accepted(self) -> bool:
        """Whether the document may come in."""
        return not self.refusals

    def to_json(self, seconds: Mapping[str, float]) -> dict[str, Any]:
        """Return it as plain data.

        Args:
            seconds: How long each step took.
        """
        return {
            "accepted": self.accepted,
            "level": self.level,
            "version": self.after,
            "version_before": self.before,
            "required_version": self.required_version,
            "changes": [
                {"where": found.where, "what": found.what, "class": found.kind, "operations": list(found.operations)}
                for found in self.changes
            ],
            "refusals": list(self.refusals),
            "unconfirmed": [attrs.asdict(mark) for mark in self.unconfirmed],
            "ledger": [attrs.asdict(move) for move in self.moves],
            "calls": [{"before": call.before, "after": call.after} for call in self.touched],
            "warnings": list(self.warnings),
            "overlay": list(self.overlay),
            "accepted_because": dict(self.reasons),
            "seconds": dict(seconds),
        }


def show(report: Report, *, place: str) -> None:
    """Print a report: the verdict first, short when little changed, in colours on a terminal only.

    Args:
        report: What was found.
        place: What became of the document.
    """
    console = Console(highlight=False, soft_wrap=True)
    for line, style in _lines(report, place):
        text = printable(line)
        if sys.stdout.isatty():
            console.print(Text(text, style=style))
        else:  # whatever variables such as FORCE_COLOR say
            print(text)


def _lines(report: Report, place: str) -> Iterator[Line]:
    yield "", ""
    yield from _verdict(report, place)
    yield from _changes(report)
    yield from _calls(report)
    yield from _section("moved in the ledger", [_moved(move) for move in report.moves])
    yield from _section("the linter warns", report.warnings)
    if report.overlay:
        yield "", ""
        yield "the overlay does not fit it any more; mend it here, usually in _binding.py alone:", "yellow"
        for misfit in report.overlay:
            yield f"  {misfit}", ""


def _verdict(report: Report, place: str) -> Iterator[Line]:
    versions = report.after if report.before == report.after else f"{report.before} -> {report.after}"
    if report.level == "none" and report.accepted:
        yield f"accepted: {versions}, nothing changes for callers; {place}", "bold green"
        return
    verdict, style = ("accepted", "bold green") if report.accepted else ("refused", "bold red")
    yield f"{verdict}: {versions}, {_in_words(report.level)}; {place}", style
    for option, why in report.reasons.items():
        yield f"  accepted by a maintainer ({option}): {why}", "yellow"


def _in_words(level: Level) -> str:
    return {"breaking": "breaks callers", "additive": "adds", "words": "words only", "none": "nothing changes"}[level]


def _changes(report: Report) -> Iterator[Line]:
    for kind, title in _TITLES.items():
        yield from _section(title, [_for_whom(change) for change in report.changes if change.kind == kind])
        if kind == "correction":
            yield from ((f"  was assumed: {mark.why} ({mark.where})", "dim") for mark in report.unconfirmed)
    words = [change.what for change in report.changes if change.kind == "words"]
    yield from _section("words", words if len(words) <= 3 else [f"{words[0]}, and {len(words) - 1} more places"])


def _for_whom(change: Change) -> str:
    """Say what changed, and which operations' callers it concerns where that does not say it."""
    count = len(change.operations)
    if not count:
        return change.what
    named = ", ".join(f"`{name}`" for name in change.operations) if count <= _FEW else f"{count} operations"
    return f"{change.what} (in {named})"


def _calls(report: Report) -> Iterator[Line]:
    if report.touched:
        yield "", ""
        yield "calls that must be touched", "bold"
    for call in report.touched:
        yield f"  - {call.before}", "red"
        yield f"  + {call.after or '(nothing takes its place)'}", "green"


def _moved(move: Move) -> str:
    before = f"{move.before} before" if move.before else "new"
    return f"{move.what} at {move.where} is {move.after}, {before}{f': {move.reason}' if move.reason else ''}"


def _section(title: str, lines: list[str] | tuple[str, ...]) -> Iterator[Line]:
    if lines:
        yield "", ""
        yield title, "bold"
    for line in lines[:_MOST]:
        yield f"  {line}", ""
    if len(lines) > _MOST:
        yield f"  ... and {len(lines) - _MOST} more; --json names all", ""
