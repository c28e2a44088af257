"""Checks that can fail: each classic mistake of an outbox is made on purpose, and turns its figure red, no other."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import pipeline
from pipeline.campaign.chance import RETENTION
from pipeline.campaign.figures import count
from pipeline.campaign.messages import message_of, number_of
from pipeline.campaign.mutants import MUTANTS
from pipeline.campaign.worker import Kept
from redcloud_core import RedCloud
from redcloud_core.outbox import Entry, Outbox
from redcloud_core.sandbox import Sandbox

LATER = 61.0
"""Seconds after which everything is due, and no lease lasts."""


class Frozen(RedCloud):
    """A client that stands still when the answer is there, until it is told to go on."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.answered, self.goes_on = threading.Event(), threading.Event()

    def resume(self, send: Any) -> Any:
        """Send, and stand still."""
        try:
            return super().resume(send)
        finally:
            self.answered.set()
            assert self.goes_on.wait(10)


class Scene:
    """An outbox with one message, a clock that is set, and a sandbox."""

    def __init__(self, sandbox: Sandbox, credentials: dict[str, str], path: Path) -> None:
        self.sandbox = sandbox
        self.now = 1_000_000.0
        self._credentials = credentials
        self._settled: dict[int, set[str]] = defaultdict(set)
        self._outboxes = [Outbox(path, retention=RETENTION, clock=lambda: self.now) for _ in range(2)]
        self._outboxes[0].add(**message_of(1, 1))

    def fault(self, kind: str, **fault: Any) -> None:
        """Have the next send fail."""
        self.sandbox.add_fault({"kind": kind, "operation": "sendMessage", "count": 1, **fault})

    def drain(self, client: RedCloud | None = None, outbox: int = 0) -> None:
        """Drain once, with one attempt for each try."""
        with client or self.client() as used:
            self._outboxes[outbox].drain(used, on_settled=self._told)

    def client(self, kind: type[RedCloud] = RedCloud) -> Any:
        """Make a client."""
        return kind(self.sandbox.url, **self._credentials, attempts=1)

    def wrong(self) -> dict[str, int]:
        """Count what is wrong."""
        kept = {
            number_of(entry.reference): Kept(entry.state, entry.key, None, None)
            for entry in self._outboxes[0].entries()
        }
        found = count({1}, self._settled, [], kept, self.sandbox.ledger()["sends"]).faults
        return {name: value for name, value in found.items() if value}

    def close(self) -> None:
        """Let go of the file."""
        for outbox in self._outboxes:
            outbox.close()

    def _told(self, entry: Entry) -> None:
        self._settled[number_of(entry.reference)].add(entry.state)


def lost_answer(scene: Scene) -> None:
    """The message is queued, the answer is lost; it is tried again."""
    scene.fault("drop_after")
    scene.drain()
    scene.now += LATER
    scene.drain()


def failed_send(scene: Scene) -> None:
    """The message does not get through; it is tried again."""
    scene.fault("status", status=503)
    scene.drain()
    scene.now += LATER
    scene.drain()


def frozen_drain(scene: Scene) -> None:
    """A drain stands still, with a refusal in its hands, until another one has sent the message."""
    frozen, other = scene.client(Frozen), scene.client(Frozen)
    drains = [
        threading.Thread(target=scene.drain, args=(client, place)) for place, client in enumerate((frozen, other))
    ]
    scene.fault("status", status=403)
    drains[0].start()
    assert frozen.answered.wait(10)
    scene.now += LATER
    drains[1].start()
    assert other.answered.wait(10)
    for drain, client in zip(drains, (frozen, other), strict=True):
        client.goes_on.set()
        drain.join()


def forgotten_key(scene: Scene) -> None:
    """The message is queued, the answer is lost, and the API has forgotten the key when the drain is there again."""
    scene.fault("drop_after")
    scene.drain()
    scene.sandbox.forget_keys()
    scene.now += RETENTION + LATER
    scene.drain()


SCENARIOS: Mapping[str, tuple[Callable[[Scene], None], Mapping[str, int]]] = {
    "a-key-per-try": (lost_answer, {"doubled": 1}),
    "sent-before-sending": (failed_send, {"lost": 1, "phantom": 1}),  # it is one and the same here
    "no-epoch-check": (frozen_drain, {"false_dead": 1}),
    "past-retention": (forgotten_key, {"doubled": 1}),
}


@pytest.fixture
def scene(sandbox: Sandbox, credentials: dict[str, str], tmp_path: Path) -> Any:
    """A scene."""
    made = Scene(sandbox, credentials, tmp_path / "outbox.db")
    yield made
    made.close()


@pytest.mark.parametrize("mutant", SCENARIOS)
def test_scenario(scene: Scene, mutant: str) -> None:
    """The outbox comes out of each scenario well."""
    SCENARIOS[mutant][0](scene)
    assert scene.wrong() == {}


@pytest.mark.parametrize("mutant", SCENARIOS)
def test_mutant(scene: Scene, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    """An outbox that makes one mistake does not, and it shows in the figure of the mistake alone."""
    scenario, wrong = SCENARIOS[mutant]
    MUTANTS[mutant](monkeypatch.setattr)
    scenario(scene)
    assert scene.wrong() == wrong


def test_every_mutant_is_tested() -> None:
    """Each mutant of the campaign is here: one that no kill shows is seen by its system calls."""
    assert {*SCENARIOS, "no-sync"} == set(MUTANTS)


ADDS = 3
ADDING = f"""
import os, sys
from pipeline.campaign.messages import message_of
from pipeline.campaign.mutants import MUTANTS
from redcloud_core.outbox import Outbox
if len(sys.argv) > 2:
    MUTANTS[sys.argv[2]](setattr)
with Outbox(sys.argv[1]) as outbox:
    os.write(1, b"acknowledged")
    for number in range({ADDS}):
        outbox.add(**message_of(1, number))
        os.write(1, b"acknowledged")
"""


def _unsynced(folder: Path, *mutant: str) -> int:
    """Count the acknowledgements before which nothing was synced, in the system calls of a process that adds."""
    trace = folder / "trace"
    strace = ["strace", "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,write"]
    command = [*strace, sys.executable, "-c", ADDING, str(folder / "outbox.db"), *mutant]
    env = {**os.environ, "PYTHONPATH": str(Path(pipeline.__path__[0]).parent)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("this machine lets nobody trace system calls")
    assert (done.returncode, done.stderr) == (0, "")
    _, *between = re.split(r'write\(1, "acknowledged"', trace.read_text())
    assert len(between) == ADDS + 1
    return sum(not re.search(r"\b(fsync|fdatasync)\(", calls) for calls in between[:-1])


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: it shows what is synced when")
def test_synced(tmp_path: Path) -> None:
    """What an add returned for is synced before that; kills do not show it, system calls do."""
    (tmp_path / "sound").mkdir()
    (tmp_path / "mutant").mkdir()
    assert (_unsynced(tmp_path / "sound"), _unsynced(tmp_path / "mutant", "no-sync")) == (0, ADDS)
