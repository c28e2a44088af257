"""How a drain works: which entry to take when, what to store of it, when to stop. Without I/O, as a generator of steps.

The drain in threads and the one of asyncio drive it alike, as both clients drive `exchange`.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, TypeAlias

import msgspec

from .._chance import chance
from .._errors import RedCloudError
from .._sending import Receipt
from ._entries import Entry, Lease, Record, Store, Terms
from ._outcomes import account_error, record_of, untouched

LOOK_AGAIN = 1.0
"""Seconds after which a busy drain asks again for what has become due, if nothing was before."""


class Ask(msgspec.Struct, frozen=True):
    """Ask the store. Told: what it says."""

    call: Callable[[], Any]


class Begin(msgspec.Struct, frozen=True):
    """Begin to send. Told: nothing; its end is an `End`."""

    lease: Lease
    is_fresh: Callable[[], bool]
    """Whether the entry is certainly still in our hands; asked right before it is sent."""


class Tell(msgspec.Struct, frozen=True):
    """Begin the callback of a settled entry. Told: nothing; its end is an `End`."""

    lease: Lease
    entry: Entry


class Await(msgspec.Struct, frozen=True):
    """Wait until something ends, for so many seconds at the most. Told: what has ended."""

    seconds: float


class End(msgspec.Struct, frozen=True):
    """What a `Begin` or a `Tell` came to: its step, and a receipt, an error, or nothing."""

    step: Begin | Tell
    outcome: Receipt | BaseException | None


Step: TypeAlias = Ask | Begin | Tell | Await


class Progress(msgspec.Struct, frozen=True):
    """How far a drain has come."""

    total: int = 0
    """Entries that were waiting when it began."""
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    postponed: int = 0
    """Tries that did not settle anything."""


class Plan(msgspec.Struct, frozen=True):
    """What a drain is given to work with."""

    store: Store
    concurrency: int
    terms: Terms
    tells: bool
    """Whether there is a callback for settled entries."""
    total: int
    """Entries that are waiting now."""
    is_stopped: Callable[[], bool]
    """Whether nothing more is to be begun."""
    note: Callable[[Progress], object]
    """Told after each step that changes it."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""
    ticks: Callable[[], float] = time.monotonic
    """Seconds by a clock that nobody sets."""
    draw: Callable[[], float] = chance
    """Random numbers from 0 to 1."""


def shift(plan: Plan) -> Generator[Step, Any, Progress]:
    """Send what is due, until nothing is.

    Yields:
        The next step; send what came of it into the generator.

    Returns:
        What was done.

    Raises:
        BaseException: What a callback raised, or what is wrong with the account or the store, once all that was begun
            has ended. What was not begun stays due.
    """
    return (yield from _Shift(plan).run())


class _Shift:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ready: deque[Lease] = deque()
        self._working: dict[tuple[int, int], Begin | Tell] = {}
        self._fresh_until: dict[tuple[int, int], tuple[float, float]] = {}
        self._failure: BaseException | None = None
        self._look_at = 0.0
        self._renew_at = plan.ticks() + plan.terms.lease / 3
        self._done = Progress(total=plan.total)

    def run(self) -> Generator[Step, Any, Progress]:
        yield from self._tell_untold()
        while True:
            yield from self._take()
            yield from self._begin_ready()
            if not self._working:
                break
            ended: list[End] = yield Await(max(0.0, self._renew_at - self._plan.ticks()))
            self._note(ended)
            yield from self._begin_ready()  # nobody waits while the store writes
            yield from self._renew()
            yield from self._record(ended)
        yield from self._put_back()
        yield from self._tell_untold()
        if self._failure is not None:
            raise self._failure
        return self._done

    @property
    def _ends(self) -> bool:
        return self._failure is not None or self._plan.is_stopped()

    def _take(self) -> Generator[Step, Any, None]:
        """Take as many entries as are begun at once, so that nobody waits for the store between two of them."""
        idle = not self._working and not self._ready
        wanted = 2 * self._plan.concurrency - len(self._working) - len(self._ready)
        if self._ends or wanted < self._plan.concurrency or (self._plan.ticks() < self._look_at and not idle):
            return
        fresh_until, now = self._lease_from_now(), self._plan.clock()
        taken: list[Lease] = yield Ask(partial(self._plan.store.lease, wanted, now, self._plan.terms))
        for lease in taken:
            self._fresh_until[lease.id, lease.epoch] = fresh_until
        self._ready += taken
        self._look_at = self._plan.ticks() + LOOK_AGAIN if len(taken) < wanted else 0.0

    def _begin_ready(self) -> Generator[Step, Any, None]:
        while self._ready and len(self._working) < self._plan.concurrency and not self._ends:
            lease = self._ready.popleft()
            step = Begin(lease, partial(self._is_fresh, lease))
            self._working[lease.id, lease.epoch] = step
            yield step

    def _is_fresh(self, lease: Lease) -> bool:
        """Tell whether an entry is in our hands by both clocks: one stands still while a machine sleeps."""
        ticks, wall = self._fresh_until[lease.id, lease.epoch]
        return self._plan.ticks() < ticks and self._plan.clock() < wall

    def _lease_from_now(self) -> tuple[float, float]:
        return self._plan.ticks() + self._plan.terms.lease, self._plan.clock() + self._plan.terms.lease

    def _renew(self) -> Generator[Step, Any, None]:
        if self._plan.ticks() < self._renew_at:
            return
        fresh_until = self._lease_from_now()
        held = [*(step.lease for step in self._working.values()), *self._ready]
        # A drain that was frozen has lost what it held: it may have been sent so long ago that its key is forgotten.
        held = [lease for lease in held if self._is_fresh(lease)]
        yield Ask(partial(self._plan.store.renew, held, fresh_until[1]))
        for lease in held:
            self._fresh_until[lease.id, lease.epoch] = fresh_until
        self._renew_at = self._plan.ticks() + self._plan.terms.lease / 3

    def _record(self, ended: Sequence[End]) -> Generator[Step, Any, None]:
        sent = [end for end in ended if isinstance(end.step, Begin)]
        told = [end.step.lease for end in ended if isinstance(end.step, Tell) and end.outcome is None]
        if told:
            yield Ask(partial(self._plan.store.tell, told))  # W7
        records = [record for end in sent if (record := self._record_of(end)) is not None]
        if records:
            yield from self._store(records)

    def _note(self, ended: Sequence[End]) -> None:
        """Take what has ended out of our hands, and see whether anything more may begin."""
        for end in ended:
            ours = end.step.lease.id, end.step.lease.epoch
            del self._working[ours]
            self._fresh_until.pop(ours, None)
            if isinstance(end.outcome, BaseException):
                error = end.outcome if isinstance(end.step, Tell) else account_error(end.outcome)
                self._failure = self._failure or error

    def _record_of(self, end: End) -> Record | None:
        """Return what to store of a try; nothing of one that broke off: nobody knows what it did."""
        at, plan = self._plan.clock(), self._plan
        if end.outcome is None:
            return None  # it was not in our hands any more
        if isinstance(end.outcome, Receipt | RedCloudError):
            return record_of(end.step.lease, end.outcome, at, plan.terms, plan.draw())
        return None

    def _store(self, records: list[Record]) -> Generator[Step, Any, None]:
        store = self._plan.store
        ours: list[bool] = yield Ask(partial(store.record, records, keeps=self._plan.tells))
        counted = msgspec.structs.asdict(self._done)
        settled: list[Record] = []
        for record, is_ours in zip(records, ours, strict=True):
            if is_ours:
                counted["postponed" if record.state == "waiting" else record.state] += 1
                settled += [record] if record.state != "waiting" else []
        self._done = Progress(**counted)
        self._plan.note(self._done)
        for record in settled if self._plan.tells else ():
            entry: Entry = yield Ask(partial(store.get, record.lease.reference))
            yield from self._begin_telling(record.lease, entry)

    def _begin_telling(self, lease: Lease, entry: Entry) -> Generator[Step, Any, None]:
        step = Tell(lease, entry)
        self._working[lease.id, lease.epoch] = step
        self._fresh_until[lease.id, lease.epoch] = self._lease_from_now()
        yield step

    def _tell_untold(self) -> Generator[Step, Any, None]:
        """Tell what a drain before this one did not live to tell, and what has become unknown."""
        while self._plan.tells and not self._ends:
            ask = partial(self._plan.store.untold, self._plan.concurrency, self._plan.clock(), self._plan.terms)
            untold: list[tuple[Lease, Entry]] = yield Ask(ask)
            if not untold:
                return
            for lease, entry in untold:
                yield from self._begin_telling(lease, entry)
            while self._working:
                ended: list[End] = yield Await(max(0.0, self._renew_at - self._plan.ticks()))
                self._note(ended)
                yield from self._renew()
                yield from self._record(ended)

    def _put_back(self) -> Generator[Step, Any, None]:
        """Give back what was taken and not begun."""
        if self._ready:
            at = self._plan.clock()
            records = [untouched(lease, at, lease.in_doubt_since) for lease in self._ready]
            yield Ask(partial(self._plan.store.record, records, keeps=self._plan.tells))
