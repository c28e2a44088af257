"""What callers who pin a document were promised: a revision of the SDK takes nothing public from them."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

from ..environment import ROOT
from ..gate.listing import load_package, public_names
from ..steps import Refused, ToolFailed, execute, step
from .caller import options_for
from .distribution import NAME, Distribution
from .index import Index
from .loopback import without_proxy
from .notes import pin_of

PACKAGES = {"redcloud_core": ROOT / "overlay", "redcloud_core_client": ROOT / "generated"}
"""The folders in which the tree has what is published."""


def check_promises(index: Index, distribution: Distribution, folder: Path) -> None:
    """Compare what is public with the revision before it, which callers with `~= X.Y.Z.0` have from the index.

    A break of the overlay waits for the next version of the document, whose callers read what is new.

    Args:
        index: Where the revision before is.
        distribution: What is to be released.
        folder: Where the revision before goes; it does not exist yet.

    Raises:
        Refused: It takes something from them; each such thing is named.
    """
    with step("keep what the revision before promised") as comparing:
        if not _fetch_before(index, distribution, folder):
            comparing.note("there is none")
            return
        broken = [line for name, home in PACKAGES.items() for line in _broken(folder / name, home / name)]
    if broken:
        listed = "\n  ".join(broken)
        raise Refused(
            f"{distribution.version} would take from callers who pin {NAME} ~= {pin_of(distribution.version)}:\n"
            f"  {listed}\n"
            "Put it back, with a DeprecationWarning if it must go; it may go with the next version of the document."
        )


def _fetch_before(index: Index, distribution: Distribution, folder: Path) -> bool:
    """Install the newest earlier revision of the same document into a folder; tell whether there is one."""
    if distribution.version.count(".") < 3:
        return False  # the first of its document
    wanted = f"{NAME} ~= {pin_of(distribution.version)}, < {distribution.version}"
    command = ["uv", "pip", "install", "--python", sys.executable, "--target", str(folder), "--no-deps", "--no-build"]
    try:
        execute([*command, *options_for(index), wanted], env={**without_proxy(), "COLUMNS": "1000"})
    except ToolFailed as failure:
        if "authentication" in failure.output or not re.search("unsatisfiable|was not found", failure.output):
            raise
        return False
    return True


def _broken(before: Path, now: Path) -> Iterator[str]:
    old, new = load_package(before), load_package(now)
    names = {path for path, _ in public_names(new)}
    for path, _ in public_names(old):
        if path not in names:
            yield f"{before.name}.{path} is gone"
    for breakage in griffe.find_breaking_changes(old, new):
        if breakage.kind is not griffe.BreakageKind.OBJECT_REMOVED:
            yield f"{breakage.obj.path}: {_words(breakage)}"


def _words(breakage: griffe.Breakage) -> str:
    changed = breakage.old_value or breakage.new_value
    name = f" `{changed.name}`" if isinstance(changed, griffe.Parameter) else ""
    return f"{breakage.kind.value.lower()}{name}"
