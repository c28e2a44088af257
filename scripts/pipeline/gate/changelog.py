"""What a new document leaves for the next release: a changelog fragment, and the fourth number."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..environment import ROOT
from ..steps import Refused
from .changes import Change

FRAGMENTS = ROOT / "scripts" / "changelog.d"
VERSION = ROOT / "overlay" / "redcloud_core" / "_version.py"

_REVISION = re.compile(r"^REVISION: int \| None = (None|\d+)$", re.MULTILINE)


def revision() -> int | None:
    """Return the SDK's own revision, the fourth number.

    Raises:
        Refused: `_version.py` does not say it where it should.
    """
    found = _REVISION.search(VERSION.read_text(encoding="utf-8"))
    if found is None:
        raise Refused(f"{VERSION.name} has no line `REVISION: int | None = ...`\nPut it back, as it was committed.")
    return None if found[1] == "None" else int(found[1])


def with_revision(number: int | None) -> str:
    """Return the text of `_version.py` with another fourth number."""
    return _REVISION.sub(f"REVISION: int | None = {number}", VERSION.read_text(encoding="utf-8"))


def next_revision(before: str, after: str, number: int | None) -> int | None:
    """Return the fourth number after a new document: one more for the same version, none for another or a candidate."""
    return (number or 0) + 1 if before == after and "-rc." not in after else None


def sdk_version(document_version: str, number: int | None) -> str:
    """Return the SDK's version, as `_version.py` makes it; the pipeline imports neither package."""
    plain = document_version.replace("-rc.", "rc")
    return plain if number is None else f"{plain}.{number}"


def fragment_path(sdk_version: str) -> Path:
    """Return where the fragment of a version of the SDK goes; the `+` says that it belongs to no issue."""
    return FRAGMENTS / f"+document-{sdk_version.replace('.', '-')}.spec.md"


def fragment(before: str, after: str, changes: Sequence[Change], reasons: Mapping[str, str]) -> str:
    """Return what the machine has to say of a new document, in Markdown.

    Args:
        before: The version of the document before.
        after: Its version now.
        changes: What it changes.
        reasons: What a maintainer accepted, and why, by the name of the option.
    """
    head = f"Document {after}" + (f", after {before}" if before != after else ", changed at the same version")
    lines = [f"{head}. {_summary(changes)}"]
    lines += [f"  - accepted by a maintainer ({option}): {' '.join(why.split())}" for option, why in reasons.items()]
    for kind, title in (
        ("correction", "corrects"),
        ("wire", "breaks"),
        ("python", "breaks Python"),
        ("additive", "adds"),
    ):
        lines += [f"  - {title}: {_plain(change.what)}" for change in changes if change.kind == kind]
    return "\n".join(lines) + "\n"


def _summary(changes: Sequence[Change]) -> str:
    kinds = [change.kind for change in changes]
    counts = {
        "that break callers": sum(kind in ("wire", "python") for kind in kinds),
        "that add": kinds.count("additive"),
        "that correct assumptions": kinds.count("correction"),
    }
    said = "; ".join(f"{what}: {count}" for what, count in counts.items() if count)
    return f"Changes {said}." if said else "Words only."


def _plain(text: str) -> str:
    """Return a text of the document without what would be more than text in Markdown."""
    return " ".join(text.replace("<", "&lt;").replace("[", "\\[").split())
