"""The one thread of a process that talks to the file: what several callers want at once goes into one commit."""

import ctypes
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

from .._errors import OutboxError
from .._forks import forget_after_fork
from ._file import one_at_a_time

T = TypeVar("T")

LONGEST_BATCH = 256
"""Operations of one commit."""

BUSY_SECONDS = 30.0
"""How long another program may hold the file's lock."""

Operation = Callable[[sqlite3.Connection], Any]

_writers: "WeakSet[Writer]" = WeakSet()
_held: list[threading.Lock] = []


class Writer:
    """Runs operations one after the other, each whole or not at all, and those that wait together in one commit."""

    def __init__(self, path: Path, prepare: Callable[[sqlite3.Connection, Path], None]) -> None:
        """Write to a file.

        Args:
            path: The file.
            prepare: Called once with each new connection; what it raises all operations raise.
        """
        self._path = path
        self._prepare = prepare
        self._closed = False
        self._thread: threading.Thread | None = None
        self._begin()
        forget_after_fork(self)
        with one_at_a_time:
            _writers.add(self)

    def run(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run an operation; when this returns it is on disk.

        Raises:
            OutboxError: The file cannot be written now, or is damaged. Nothing of the operation is there then.
        """
        done: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise OutboxError.at(self._path, "it is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, args=(self._waiting,), daemon=True)
                self._thread.start()
            self._waiting.put((operation, done))
        try:
            return done.result()
        except sqlite3.Error as error:
            failure = told(self._path, error)
        raise failure

    def close(self) -> None:
        """Finish what waits, and let go of the file."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """Let go of the file once what waits is finished."""
        with self._lock:
            self._closed = True
            self._waiting.put(None)

    def forget_parent(self) -> None:
        """Begin anew in a forked child.

        The parent's connection is never freed here, not even at the end: to close it would roll back what the parent
        has under way, in the file that both have open.
        """
        for connection in self._connections:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self.at_work = threading.Lock()
        self._waiting: queue.SimpleQueue[tuple[Operation, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = None
        self._connections: list[sqlite3.Connection] = []
        self._place: tuple[int, int] | None = None

    def _work(self, waiting: "queue.SimpleQueue[tuple[Operation, Future[Any]] | None]") -> None:
        while True:
            batch = [waiting.get()]
            with suppress(queue.Empty):
                while len(batch) < LONGEST_BATCH:
                    batch.append(waiting.get_nowait())
            with self.at_work:
                outcomes = self._commit([entry for entry in batch if entry is not None])
            for done, result, failure in outcomes:  # W2
                if failure is None:
                    done.set_result(result)
                else:
                    done.set_exception(failure)
            if None in batch:
                break
        with self.at_work:
            for connection in self._connections:
                connection.close()

    def _commit(
        self, batch: list[tuple[Operation, "Future[Any]"]]
    ) -> "list[tuple[Future[Any], Any, BaseException | None]]":
        try:
            connection = self._connection()
            self._check_place()
            connection.execute("BEGIN IMMEDIATE")
            try:
                outcomes = [(done, *_tried(connection, operation)) for operation, done in batch]
                connection.execute("COMMIT")  # W1, W6
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except BaseException as error:
            return [(done, None, error) for _, done in batch]
        return outcomes

    def _connection(self) -> sqlite3.Connection:
        if not self._connections:
            connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._prepare(connection, self._path)
            except BaseException:
                connection.close()
                raise
            self._connections.append(connection)
            self._place = _place_of(self._path)
        return self._connections[0]

    def _check_place(self) -> None:
        """See that the file is still there: what is written to one that was deleted is lost when it is closed."""
        if _place_of(self._path) != self._place:
            said = "the file was deleted, moved or replaced while it was open; nothing of this was stored. Put it back"
            raise OutboxError.at(self._path, f"{said}, or open the outbox anew")


def _hold() -> None:
    """Let all writers finish what they are at before a fork.

    SQLite keeps its locks in the memory of the process: a child that is forked within a commit believes for ever that
    somebody in it holds the file's lock.
    """
    one_at_a_time.acquire()
    for writer in list(_writers):
        writer.at_work.acquire()
        _held.append(writer.at_work)


def _go_on() -> None:
    while _held:
        _held.pop().release()
    one_at_a_time.release()


os.register_at_fork(before=_hold, after_in_parent=_go_on, after_in_child=_go_on)


def _place_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _tried(connection: sqlite3.Connection, operation: Operation) -> tuple[Any, BaseException | None]:
    """Run an operation so that its failure takes nothing else with it."""
    connection.execute("SAVEPOINT operation")
    try:
        result = operation(connection)
    except BaseException as error:
        if not connection.in_transaction:  # a full disk, say, ends the whole of it
            raise
        connection.execute("ROLLBACK TO operation")
        connection.execute("RELEASE operation")
        return None, error
    connection.execute("RELEASE operation")
    return result, None


def told(path: Path, error: sqlite3.Error) -> OutboxError:
    """Return what SQLite's error means, and what to do."""
    name: str = getattr(error, "sqlite_errorname", "")
    meaning, temporary = next((known for prefix, known in _MEANINGS.items() if name.startswith(prefix)), ("", False))
    said = OutboxError.at(path, f"{meaning or f'it cannot be used: {error}'} ({name or 'SQLite'})")
    said.temporary = temporary
    return said


_MEANINGS = {
    "SQLITE_BUSY": (
        f"another program has held its lock for {BUSY_SECONDS:.0f} s; nothing of this was stored. Repeat it",
        True,
    ),
    "SQLITE_LOCKED": ("another program holds its lock", True),
    "SQLITE_FULL": ("the disk is full; nothing of this was stored. Make room and repeat the call", True),
    "SQLITE_IOERR": ("the disk cannot be read or written; nothing of this was stored. Repeat it later", True),
    "SQLITE_READONLY": ("the file or its folder cannot be written; the folder must take the journal as well", False),
    "SQLITE_CANTOPEN": ("the file or its journal cannot be opened; the folder must be writable", False),
    "SQLITE_CORRUPT": ("the file is damaged. Leave it as it is, and restore it from a copy", False),
    "SQLITE_NOTADB": ("the file is no database: give the outbox a file of its own", False),
}
"""What an error's name begins with, what it means, and whether the same may work later."""
