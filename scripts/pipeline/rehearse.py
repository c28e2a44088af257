"""From the document to a first SMS, the way a caller meets it: regenerate, build, publish, install, send."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from . import steps
from .drill import drill
from .environment import ROOT
from .publish.index import index_of_url
from .publish.loopback import serve_index
from .release import publish
from .steps import execute, step


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line of `./scripts/rehearse`."""
    parser = argparse.ArgumentParser(
        prog="./scripts/rehearse",
        description="Regenerate, then do all that a release does, with an index on loopback that is thrown away: "
        "build, check, install into a clean environment, start the sandbox in it, send a first SMS, publish, and once "
        "more from there. Only the regenerated code stays.",
    )
    parser.add_argument("--full", action="store_true", help="then drill: release a fix and a new document from clones")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up, as after Ctrl-C
    return steps.run(_rehearse_and_drill if options.full else rehearse)


def _rehearse_and_drill() -> None:
    rehearse()
    print()
    drill()


def rehearse() -> None:
    """Go all the way and show each step.

    Raises:
        ToolFailed: A step failed; its message tells which command and why.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="redcloud-rehearsal-") as temporary:
        folder = Path(temporary)
        with step("regenerate from openapi.yaml"):
            execute([sys.executable, "scripts/regenerate"], cwd=ROOT)
        packages = folder / "index"
        packages.mkdir()
        with serve_index(packages) as url:
            publish(index_of_url(url), folder)
    print(f"\nrehearsed in {time.monotonic() - began:.1f} s: from the document to a first SMS")
