"""The outbox with one classic mistake each: a check that none of them fails proves nothing."""

import importlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from redcloud_core.outbox import Lease, Record, Terms

Patch = Callable[[Any, str, Any], None]
"""Sets an attribute of a module or a class: `setattr`, or pytest's."""


def _module(name: str) -> Any:
    return importlib.import_module(f"redcloud_core.outbox.{name}")


def a_key_per_try(patch: Patch) -> None:
    """Send with another key in each try."""
    numbers, made = count(), _module("_outcomes").send_of

    def send_of(lease: Lease) -> Any:
        send = made(lease)
        key = f"{send.key}-{lease.epoch}-{next(numbers)}"
        return msgspec.structs.replace(send, key=key, headers={**send.headers, "Idempotency-Key": key})

    patch(_module("_threads"), "send_of", send_of)
    patch(_module("_tasks"), "send_of", send_of)


def sent_before_sending(patch: Patch) -> None:
    """Store that a message was accepted before it leaves."""
    store = _module("_sqlite").SQLiteStore
    made = store.lease

    def lease(self: Any, limit: int, now: float, terms: Terms) -> list[Lease]:
        taken: list[Lease] = made(self, limit, now, terms)
        early = [Record(lease=found, state="accepted", at=now, tries=found.tries + 1) for found in taken]
        self.record(early, keeps=True)
        return taken

    patch(store, "lease", lease)


def no_epoch_check(patch: Patch) -> None:
    """Take the word of a drain that has lost its entry to another one."""
    made = _module("_sqlite")._record

    def record(connection: sqlite3.Connection, record: Record, *more: Any) -> bool:
        ((epoch,),) = connection.execute("SELECT epoch FROM sends WHERE id = ?", (record.lease.id,))
        lease = msgspec.structs.replace(record.lease, epoch=epoch)
        done: bool = made(connection, msgspec.structs.replace(record, lease=lease), *more)
        return done

    patch(_module("_sqlite"), "_record", record)


def past_retention(patch: Patch) -> None:
    """Send again what may have been queued, however long ago."""
    store = _module("_sqlite").SQLiteStore
    made = store.lease

    def lease(self: Any, limit: int, now: float, terms: Terms) -> Sequence[Lease]:
        found: Sequence[Lease] = made(self, limit, now, msgspec.structs.replace(terms, retention=1e15))
        return found

    patch(store, "lease", lease)


def no_sync(patch: Patch) -> None:
    """Leave it to the system when a commit is on disk. No kill shows that: only a trace of system calls does."""
    made = _module("_sqlite")._prepare

    def prepare(connection: sqlite3.Connection, path: Path) -> None:
        made(connection, path)
        connection.execute("PRAGMA synchronous = OFF")

    patch(_module("_sqlite"), "_prepare", prepare)


MUTANTS: Mapping[str, Callable[[Patch], None]] = {
    mutant.__name__.replace("_", "-"): mutant
    for mutant in (a_key_per_try, sent_before_sending, no_epoch_check, past_retention, no_sync)
}
