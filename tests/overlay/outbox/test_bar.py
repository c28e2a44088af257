"""The bar of a drain: there on a terminal, silent elsewhere, and of use without its extra in no other way."""

import os
import pty
import subprocess
import sys

_DRAIN = """
from redcloud_core.outbox import Progress, progress_bar
with progress_bar() as progress:
    for accepted in range(4):
        progress(Progress(total=3, accepted=accepted))
"""


def test_terminal() -> None:
    """It tells what became of how many."""
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", _DRAIN], stderr=theirs, stdout=subprocess.PIPE, check=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)

    assert "3 accepted, 0 refused" in shown
    assert "100%" in shown
    assert done.stdout == b""


def test_no_terminal() -> None:
    """In a log nothing of it is to be seen."""
    done = subprocess.run([sys.executable, "-c", _DRAIN], capture_output=True, check=True)

    assert (done.stdout, done.stderr) == (b"", b"")


def test_no_extra() -> None:
    """Without rich the error says what to install."""
    program = f"import sys; sys.modules['rich.console'] = None\n{_DRAIN}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "the progress bar needs rich: install `redcloud-core[progress]`" in done.stderr
