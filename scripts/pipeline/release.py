"""Release the SDK: build, check, try, upload, and try again what the index hands out."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import regenerate, steps
from .environment import ROOT
from .generate import PACKAGE
from .publish import caller, notes
from .publish.distribution import NAME, Distribution, bill_of_materials, build_twice, check
from .publish.index import Index, check_free, find_index, index_of_url, upload
from .publish.loopback import serve_index
from .publish.promises import check_promises
from .publish.tree import check_committed
from .steps import Refused, ToolFailed, execute, step

DIST = ROOT / "dist"
"""Where the files of the last release are kept, ignored by git; those of the index on loopback in `index` below it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of `./scripts/release`."""
    parser = argparse.ArgumentParser(
        prog="./scripts/release",
        description="Build what is committed twice, check it, install it in a clean environment and send with it, "
        "upload it, install it from the index by name and version, and send again. Interrupted, it can be run again.",
        epilog="Credentials come from the environment as uv reads them (UV_PUBLISH_USERNAME, UV_PUBLISH_PASSWORD or "
        "UV_PUBLISH_TOKEN), or from keyring with UV_KEYRING_PROVIDER=subprocess. "
        "Exit code 0: done. 1: refused, the message says why. 2: a tool or an index failed.",
    )
    parser.add_argument(
        "--index",
        metavar="NAME|URL",
        help="an index of pyproject.toml, or the URL of an index's root, which takes uploads and has `simple/` below "
        "it for installs; without it a pypiserver on loopback that keeps its files in dist/index",
    )
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--dry-run", action="store_true", help="do all but the upload and what comes after it")
    modes.add_argument("--prepare", action="store_true", help="only write CHANGELOG.md and README.md for this version")
    options = parser.parse_args(arguments)
    if options.prepare and options.index:
        parser.error("--prepare is about this tree alone: it takes no --index")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up, as after Ctrl-C
    return steps.run(notes.prepare if options.prepare else lambda: release(options.index, dry=options.dry_run))


def release(wanted: str | None, *, dry: bool) -> None:
    """Release what is committed, and show each step.

    Args:
        wanted: The name of an index or the URL of its root; None for the one on loopback.
        dry: Whether to leave out the upload and what comes after it.

    Raises:
        Refused: The tree is not ready, or the index has other bytes under this version.
        ToolFailed: A step failed; its message tells which command and why.
    """
    began = time.monotonic()
    asked = find_index(wanted) if wanted is not None else None
    check_ready()
    with _serving(asked) as index, tempfile.TemporaryDirectory(prefix="redcloud-release-") as folder:
        distribution = publish(index, Path(folder), dry=dry)
        _keep(distribution)
        verdict = "tried, and not uploaded" if dry else "released"
        print(f"\n{verdict}: {NAME} {distribution.version}, in {time.monotonic() - began:.1f} s")
        for path, known in zip(distribution.files, distribution.hashes, strict=True):
            print(f"  {path.name}  sha256 {known}")
        print("  kept in dist/, with the SBOM")


def check_ready() -> None:
    """Make sure that the tree may be released.

    Raises:
        Refused: It is not all committed, does not say its version, has drifted, or its types do not hold.
    """
    with step("the tree is committed, and tells its version") as looking:
        check_committed()
        version = notes.version()
        notes.check_notes(version)
        looking.note(version)
    regenerate.check()
    with step("check the types of the client and the overlay (mypy --strict)"):
        _check_types()


def publish(index: Index, folder: Path, *, dry: bool = False) -> Distribution:
    """Build the tree, try it, upload it, and try again what the index hands out.

    Args:
        index: Where it goes.
        folder: Where builds and environments go, for a while.
        dry: Whether to leave out the upload and what comes after it.
    """
    distribution = build_twice(folder)
    check(distribution)
    check_free(index, distribution)
    check_promises(index, distribution, folder / "before")
    _try(distribution, distribution.wheel.parent, folder / "built", with_sbom=True)
    if not dry:
        upload(index, distribution)
        _try(distribution, index, folder / "published", with_sbom=False)
    return distribution


def _try(distribution: Distribution, source: Path | Index, folder: Path, *, with_sbom: bool) -> None:
    """Meet a distribution as a caller does: first without the extra, then with the sandbox, to send."""
    requirement = f"=={distribution.version}"
    python = caller.install(distribution, source, folder)
    caller.add(python, NAME + requirement)
    caller.import_all(python)
    if with_sbom:
        bill_of_materials(distribution, python)
    caller.add(python, f"{NAME}[sandbox]{requirement}")
    print(_indented(caller.send_first(python, folder)))


@contextmanager
def _serving(asked: Index | None) -> Generator[Index]:
    """Give the index that was asked for, or else the one on loopback, which serves while the block runs."""
    if asked is not None:
        yield asked
        return
    folder = DIST / "index"
    folder.mkdir(parents=True, exist_ok=True)
    with serve_index(folder) as url:
        yield index_of_url(url)


def _check_types() -> None:
    command = [sys.executable, "-m", "mypy", str(regenerate.OVERLAY), str(regenerate.GENERATED / PACKAGE)]
    try:
        execute(command, cwd=ROOT)
    except ToolFailed as failure:
        if ": error: " not in failure.output:
            raise
        raise Refused(f"the types do not hold:\n{failure.output}\nMend them; ./scripts/test shows all.") from None


def _keep(distribution: Distribution) -> None:
    """Put the files of a release and its SBOM into `dist`, each of them whole or not at all."""
    DIST.mkdir(exist_ok=True)
    for path in distribution.wheel.parent.iterdir():
        if path.is_file() and not path.name.startswith("."):
            passing = DIST / f".{path.name}"
            shutil.copyfile(path, passing)
            os.replace(passing, DIST / path.name)


def _indented(text: str) -> str:
    return "\n".join(f"                {line}" for line in text.splitlines())
