"""Every moment in which a sender may die: killed there by SIGKILL, gone on with by another one, counted at the server.

The moments are comments in the SDK, `W1` to `W18` as the outbox's modules name them, so that nothing of this is in use:
a child process traces itself, and kills itself when a line with such a comment is about to run.
"""

import asyncio
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import redcloud_core
from redcloud_core import AsyncRedCloud, RedCloud
from redcloud_core.outbox import Entry, Outbox
from redcloud_core.sandbox import Sandbox

REFERENCES = ("order-1", "order-2", "order-3")

WINDOWS = ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W18")
"""Those that end a process; the others are in test_outbox.py and test_store.py under their own names."""

DEEPEST = 6
"""How often a window is passed unharmed before the kill, at the most."""


def _lines_of(window: str) -> set[tuple[str, int]]:
    """Return where a window is: files, with numbers of lines."""
    package = Path(redcloud_core.__file__).parent
    return {
        (str(path), number)
        for path in (*package.glob("*.py"), *package.glob("outbox/*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(rf"# (W\d+, )*{window}\b", line)
    }


def _die_at(window: str, passed: int) -> None:
    """Have this process killed when it comes to a window for the next time after `passed` times."""
    lines, passes = _lines_of(window), count()
    files = {path for path, _ in lines}

    def in_file(frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and (frame.f_code.co_filename, frame.f_lineno) in lines and next(passes) == passed:
            os.kill(os.getpid(), signal.SIGKILL)
        return in_file

    def anywhere(frame: FrameType, _event: str, _: object) -> Any:
        return in_file if frame.f_code.co_filename in files else None

    threading.settrace(anywhere)
    sys.settrace(anywhere)


def _work(path: Path, client: Callable[[], Any], sms: dict[str, Any], note: Callable[[str, str], object]) -> None:
    """Add messages and drain them; note each acknowledgement and each callback where a kill does not reach."""
    outbox, sender = Outbox(path), client()
    for reference in REFERENCES:
        outbox.add(reference=reference, **sms)
        note("added", reference)

    async def told(entry: Entry) -> None:
        note("told", entry.reference)

    if isinstance(sender, RedCloud):
        outbox.drain(sender, concurrency=2, on_settled=lambda entry: note("told", entry.reference))
    else:
        asyncio.run(outbox.drain_async(sender, concurrency=2, on_settled=told))


@pytest.fixture
def client(sandbox: Sandbox, credentials: dict[str, str], kind: str) -> Callable[[], RedCloud | AsyncRedCloud]:
    """Makes clients of either kind."""
    return lambda: (RedCloud if kind == "sync" else AsyncRedCloud)(sandbox.url, **credentials)


@pytest.fixture
def killed(tmp_path: Path, client: Callable[[], Any], sms: dict[str, Any]) -> Callable[..., tuple[Path, bool]]:
    """Works in a child that dies in a window; gives the folder of what is left, and whether it came to that."""

    def run(window: str, passed: int) -> tuple[Path, bool]:
        folder = tmp_path / f"{window}-{passed}"
        folder.mkdir()
        notes = os.open(folder / "notes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        child = os.fork()
        if not child:
            try:
                _die_at(window, passed)
                _work(folder / "outbox", client, sms, lambda *words: os.write(notes, f"{' '.join(words)}\n".encode()))
            finally:
                os._exit(3 if sys.exc_info()[0] else 0)
        os.close(notes)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL)
        return folder, code != 0

    return run


def _noted(folder: Path, word: str) -> list[str]:
    lines = [line.split() for line in (folder / "notes").read_text().splitlines()]
    return [reference for found, reference in lines if found == word]


@pytest.mark.parametrize("window", WINDOWS)
def test_killed(
    window: str, killed: Any, sandbox: Sandbox, credentials: dict[str, str], sms: dict[str, Any], kind: str
) -> None:
    """What was acknowledged is sent once and told at least once, whoever died when; no key met a conflict."""
    deaths = 0
    for passed in range(DEEPEST):
        sandbox.reset()
        folder, died = killed(window, passed)
        if not died:
            break
        deaths += 1
        _check(folder, sandbox, credentials, sms)
    assert deaths >= 3, f"nothing dies in {window}: is its comment still where it was?"


def _check(folder: Path, sandbox: Sandbox, credentials: dict[str, str], sms: dict[str, Any]) -> None:
    """Go on where the dead one was, once its leases have ended, and count."""
    acknowledged, told = _noted(folder, "added"), _noted(folder, "told")
    with (
        Outbox(folder / "outbox", clock=lambda: time.time() + 31.0) as outbox,
        RedCloud(sandbox.url, **credentials) as client,
    ):
        stored = [entry.reference for entry in outbox.entries()]
        assert set(stored) >= set(acknowledged)
        for reference in REFERENCES:  # who got no answer asks again
            outbox.add(reference=reference, **sms)
        outbox.drain(client, on_settled=lambda entry: told.append(entry.reference))
        settled = {entry.reference: entry for entry in outbox.entries("accepted")}
        results = [outbox.results(reference=reference) for reference in REFERENCES]
    assert set(settled) == set(REFERENCES)
    sends = sandbox.ledger()["sends"]
    assert sorted(send["key"] for send in sends) == sorted(entry.key for entry in settled.values())
    assert [[result.messageId for result in found] for found in results] == [
        next(send["message_ids"] for send in sends if send["key"] == settled[reference].key) for reference in REFERENCES
    ]
    assert set(told) == set(REFERENCES)


def test_every_window_is_named() -> None:
    """Each comment in the SDK is one that is tested, or of a window that kills nobody."""
    named = {f"W{number}" for number in range(1, 20) if _lines_of(f"W{number}")}
    assert named - {"W9"} == set(WINDOWS)
