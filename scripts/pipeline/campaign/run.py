"""A campaign: things happen to the workers and to the API until enough were killed; then everything is counted."""

import heapq
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from .api import Api, serving
from .chance import JUMP, LONGEST_DELAY, RETENTION, Chance, Happening
from .crew import Clock, Crew, Worker, crew_for
from .figures import Figures, Happened, count
from .worker import Scene, kept_of

ADDERS, DRAINERS = 2, 4
"""How many workers there are at a time."""

BATCH = 24
"""How many messages an adder is given."""

BACKLOG = 120
"""With so many messages on their way no more are added."""

LAST_PATIENCE = 90.0
"""Seconds in which everything must be sent in the end."""


class Report(NamedTuple):
    """What a campaign came to."""

    happened: Happened
    figures: Figures
    surprises: Sequence[str]


def campaign(kills: int, seed: int) -> Report:
    """Run a campaign in a temporary folder, with all that it starts gone in the end.

    Args:
        kills: How many workers to kill.
        seed: Decides what happens.
    """
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="redcloud-campaign-") as name, serving(Path(name)) as api:

        def scene(say: Callable[[str], None]) -> Scene:
            return Scene(api.url, Path(name) / "outbox.db", seed, clock, say)

        with crew_for(scene) as crew:
            return _Campaign(crew, api, clock, Chance(seed)).run(kills)


class _Campaign:
    def __init__(self, crew: Crew, api: Api, clock: Clock, chance: Chance) -> None:
        self._crew = crew
        self._api = api
        self._clock = clock
        self._chance = chance
        self._happened = Happened()
        self._next = 0
        self._again: list[int] = []  # messages whose adder is dead, and has not said that they were added
        self._frozen: list[tuple[float, Worker]] = []
        self._base = 0.0
        self._acts: dict[Happening, Callable[[], None]] = {
            "kill": self._kill,
            "stop": self._stop,
            "jump": self._jump,
            "outage": self._outage,
            "fault": self._fault,
            "clear": self._api.clear_faults,
            "revoke": self._revoke,
        }

    def run(self, kills: int) -> Report:
        began = time.monotonic()
        while self._happened.kills < kills:
            self._employ()
            self._crew.listen(self._chance.pause())
            self._thaw()
            self._acts[self._chance.happening()]()
        self._finish()
        self._happened.seconds = time.monotonic() - began
        said = self._crew.said
        figures = count(said.added, said.settled, said.surprises, kept_of(self._crew.scene), self._api.sends())
        return Report(self._happened, figures, said.surprises)

    def _employ(self) -> None:
        """Fork workers in place of those that are gone."""
        for ended in self._crew.gone():
            self._repeat_later(ended)
        adders = sum(bool(found.numbers) for found in self._crew.workers)
        for _ in range(adders, ADDERS):
            numbers = self._numbers()
            if numbers:
                self._crew.add(self._chance.role(), numbers)
        for _ in range(len([found for found in self._crew.workers if not found.numbers]), DRAINERS):
            self._crew.drain(self._chance.role())

    def _numbers(self) -> list[int]:
        """Choose the messages of an adder: those that another one left, and new ones if there are not too many."""
        numbers = [self._again.pop() for _ in range(min(BATCH, len(self._again)))]
        said = self._crew.said
        if len(said.added) - len(said.settled) < BACKLOG:
            new = range(self._next, self._next + BATCH - len(numbers))
            self._next += len(new)
            numbers += new
        return numbers

    def _repeat_later(self, gone: Worker) -> None:
        self._crew.listen(0.0)
        self._again += [number for number in gone.numbers if number not in self._crew.said.added]

    def _kill(self) -> None:
        workers = self._crew.workers
        if workers:
            doomed = workers[self._chance.place(len(workers))]
            self._crew.kill(doomed)
            self._happened.kills += 1
            self._repeat_later(doomed)

    def _stop(self) -> None:
        workers = self._crew.workers
        if workers:
            frozen = workers[self._chance.place(len(workers))]
            self._crew.signal(frozen, signal.SIGSTOP)
            heapq.heappush(self._frozen, (time.monotonic() + self._chance.stop(), frozen))
            self._happened.stops += 1

    def _thaw(self) -> None:
        while self._frozen and self._frozen[0][0] <= time.monotonic():
            _, frozen = heapq.heappop(self._frozen)
            self._crew.signal(frozen, signal.SIGCONT)

    def _jump(self) -> None:
        self._clock.set(self._base + self._chance.jump())
        self._happened.jumps += 1

    def _outage(self) -> None:
        """Have all workers die, and others begin when the API has forgotten every key."""
        while self._crew.workers:
            doomed = self._crew.workers[-1]
            self._crew.kill(doomed)
            self._happened.kills += 1
            self._repeat_later(doomed)
        self._end_retention()
        self._happened.outages += 1

    def _end_retention(self) -> None:
        time.sleep(LONGEST_DELAY + 0.2)  # what the sandbox has in its hands it performs under keys that it knows
        self._base += RETENTION + 2 * JUMP + 60
        self._clock.set(self._base)
        self._api.forget_keys()

    def _fault(self) -> None:
        self._api.plan(self._chance.fault())
        self._happened.faults += 1

    def _revoke(self) -> None:
        self._api.revoke_tokens()
        self._happened.revocations += 1

    def _finish(self) -> None:
        """Have everything added and sent, without faults."""
        for doomed in list(self._crew.workers):
            self._crew.kill(doomed)
            self._repeat_later(doomed)
        self._api.clear_faults()
        while self._again:
            numbers = [self._again.pop() for _ in range(min(BATCH, len(self._again)))]
            adder = self._crew.add(self._chance.role(), numbers)
            self._wait_for(adder)
            self._repeat_later(adder)
        if self._wait_for(self._crew.finish(everything=False)):
            self._end_retention()
            self._wait_for(self._crew.finish(everything=True), LAST_PATIENCE / 4)

    def _wait_for(self, worker: Worker, patience: float = LAST_PATIENCE) -> bool:
        """Wait for a worker to end by itself; tell whether it did, before it was killed for taking too long."""
        ends_at = time.monotonic() + patience
        while worker not in self._crew.gone():
            self._crew.listen(0.02)
            if time.monotonic() > ends_at:
                self._crew.kill(worker)
                return False
        self._crew.listen(0.0)
        return True
