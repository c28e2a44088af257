"""The outbox in a file of SQLite.

The journal mode is TRUNCATE and every commit is synced: what `add` returned for survives a crash of the machine, too.
The comments `W1` to `W18` name the moments in which a process may die; the tests kill it at each of them.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from weakref import finalize

import msgspec

from .._errors import InvalidCallError, OutboxError
from .._sending import Account, Send
from ._entries import Counts, Entry, Lease, Record, Result, State, Terms, same_message
from ._file import make_private, secure
from ._writer import Writer

APPLICATION_ID = 0x5243_4F42
"""Marks a file of SQLite as an outbox: `RCOB`."""

MIGRATIONS = (
    """
    CREATE TABLE account (only INTEGER PRIMARY KEY CHECK (only = 1), base_url TEXT NOT NULL, client_id TEXT NOT NULL);
    CREATE TABLE sends (
        id INTEGER PRIMARY KEY,
        reference TEXT NOT NULL UNIQUE,
        send TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'refused', 'unknown')),
        added_at REAL NOT NULL,
        since REAL NOT NULL,
        due_at REAL,
        in_doubt_since REAL,
        tries INTEGER NOT NULL DEFAULT 0,
        reason TEXT,
        answer BLOB NOT NULL DEFAULT x'',
        drift TEXT,
        epoch INTEGER NOT NULL DEFAULT 0,
        leased_until REAL,
        told INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX sends_by_state ON sends (state, due_at);
    CREATE INDEX sends_in_doubt ON sends (in_doubt_since) WHERE state = 'waiting' AND in_doubt_since IS NOT NULL;
    CREATE INDEX sends_untold ON sends (id) WHERE told = 0 AND state <> 'waiting';
    CREATE TABLE results (
        send INTEGER NOT NULL REFERENCES sends (id),
        position INTEGER NOT NULL,
        recipient TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'rejected', 'unaccounted')),
        message_id TEXT,
        PRIMARY KEY (send, position)
    ) WITHOUT ROWID;
    CREATE INDEX results_by_message ON results (message_id) WHERE message_id IS NOT NULL;
    """,
)
"""What makes each version of the schema of the one before. Steps are added at the end, and never changed."""

LATE = 120.0
"""Seconds that a call may wait for the file after it was told the time: what others stored meanwhile is newer."""

_NOBODYS = "(leased_until IS NULL OR leased_until <= :now OR leased_until > :now + :lease + :late)"
_DUE = "(due_at <= :now OR due_at > :now + :longest_pause + :late)"
_COLUMNS = "id, reference, send, state, added_at, since, due_at, in_doubt_since, tries, reason, answer, drift"


class SQLiteStore:
    """An outbox in one file, for all threads and processes of one machine."""

    def __init__(self, path: Path) -> None:
        """Open the outbox in a file, or make it.

        Raises:
            OutboxError: The file cannot be used, or is another program's or a newer SDK's.
        """
        self._path = secure(path)
        self._writer = Writer(self._path, _prepare)
        finalize(self, self._writer.stop)  # for those who do not close their outbox
        try:
            self._writer.run(lambda _connection: None)
        except BaseException:
            self.close()
            raise

    def bind(self, account: Account) -> Account:
        """As `Store.bind`."""

        def bind(connection: sqlite3.Connection) -> Account:
            connection.execute("INSERT OR IGNORE INTO account VALUES (1, ?, ?)", (account.base_url, account.client_id))
            return Account(*connection.execute("SELECT base_url, client_id FROM account").fetchone())

        return self._writer.run(bind)

    def add(self, sends: Sequence[tuple[str, Send]], at: float) -> list[Entry]:
        """As `Store.add`."""
        rows = [(reference, send, send.to_json()) for reference, send in sends]
        return self._writer.run(lambda connection: [_add(connection, *row, at) for row in rows])  # W1

    def lease(self, limit: int, now: float, terms: Terms) -> list[Lease]:
        """As `Store.lease`."""
        times = {"now": now, "late": LATE, **msgspec.structs.asdict(terms)}

        def lease(connection: sqlite3.Connection) -> list[Lease]:
            due = f"state = 'waiting' AND {_DUE} AND {_NOBODYS}"
            for too_far in ("< :now - :retention", "> :now + :retention"):  # each by its index
                connection.execute(f"{_GIVE_UP} WHERE {due} AND in_doubt_since {too_far}", times)
            columns = "id, epoch + 1, reference, send, :now, in_doubt_since, tries"
            query = f"SELECT {columns} FROM sends WHERE {due} ORDER BY due_at, id LIMIT :limit"
            taken = [Lease(*row) for row in connection.execute(query, {**times, "limit": limit})]
            _take(connection, taken, now + terms.lease)
            doubt = "UPDATE sends SET in_doubt_since = coalesce(in_doubt_since, ?) WHERE id = ?"
            connection.executemany(doubt, [(now, lease.id) for lease in taken])
            return taken

        return self._writer.run(lease)

    def renew(self, leases: Sequence[Lease], until: float) -> None:
        """As `Store.renew`."""
        rows = [(until, lease.id, lease.epoch) for lease in leases]
        renew = "UPDATE sends SET leased_until = ? WHERE id = ? AND epoch = ? AND leased_until IS NOT NULL"
        self._writer.run(lambda connection: connection.executemany(renew, rows))

    def record(self, records: Sequence[Record], *, keeps: bool) -> list[bool]:
        """As `Store.record`."""
        return self._writer.run(lambda connection: [_record(connection, record, keeps) for record in records])

    def untold(self, limit: int, now: float, terms: Terms) -> list[tuple[Lease, Entry]]:
        """As `Store.untold`."""

        def untold(connection: sqlite3.Connection) -> list[tuple[Lease, Entry]]:
            where = f"told = 0 AND state <> 'waiting' AND {_NOBODYS} ORDER BY id LIMIT :limit"
            query = f"SELECT epoch + 1, {_COLUMNS} FROM sends WHERE {where}"
            rows = connection.execute(
                query, {"now": now, "late": LATE, "lease": terms.lease, "limit": limit}
            ).fetchall()
            found = [(Lease(row[1], row[0], row[2], row[3], now, None, 0), _entry(row[1:])) for row in rows]
            _take(connection, [lease for lease, _ in found], now + terms.lease)
            return found

        return self._writer.run(untold)

    def tell(self, leases: Sequence[Lease]) -> None:
        """As `Store.tell`."""
        rows = [(lease.id, lease.epoch) for lease in leases]
        told = "UPDATE sends SET told = 1, leased_until = NULL WHERE id = ? AND epoch = ?"
        self._writer.run(lambda connection: connection.executemany(told, rows))

    def requeue(self, reference: str, send: Send, at: float, states: Sequence[State]) -> Entry | None:
        """As `Store.requeue`."""
        again = f"""
            UPDATE sends SET send = ?, state = 'waiting', since = ?, due_at = ?, in_doubt_since = NULL, tries = 0,
                reason = NULL, epoch = epoch + 1, leased_until = NULL, told = 0
            WHERE reference = ? AND state IN ({", ".join("?" * len(states))})
        """

        def requeue(connection: sqlite3.Connection) -> Entry | None:
            done = connection.execute(again, (send.to_json(), at, at, reference, *states))
            return _get(connection, reference) if done.rowcount else None

        return self._writer.run(requeue)

    def get(self, reference: str) -> Entry | None:
        """As `Store.get`."""
        return self._writer.run(lambda connection: _get(connection, reference))

    def entries(self, state: State | None, after: int, limit: int) -> list[tuple[int, Entry]]:
        """As `Store.entries`."""
        query = f"SELECT {_COLUMNS} FROM sends WHERE id > ? AND (? IS NULL OR state = ?) ORDER BY id LIMIT ?"
        rows = self._writer.run(lambda connection: connection.execute(query, (after, state, state, limit)).fetchall())
        return [(row[0], _entry(row)) for row in rows]

    def results(self, name: Literal["reference", "messageId"], value: str) -> list[Result]:
        """As `Store.results`."""
        column = {"reference": "sends.reference", "messageId": "results.message_id"}[name]
        query = f"""
            SELECT sends.reference, recipient, outcome, message_id FROM results JOIN sends ON sends.id = results.send
            WHERE {column} = ? ORDER BY sends.id, position
        """
        rows = self._writer.run(lambda connection: connection.execute(query, (value,)).fetchall())
        return [Result(reference=row[0], to=row[1], outcome=row[2], messageId=row[3]) for row in rows]

    def counts(self) -> Counts:
        """As `Store.counts`."""
        query = "SELECT state, count(*) FROM sends GROUP BY state"
        return Counts(**dict(self._writer.run(lambda connection: connection.execute(query).fetchall())))

    def next_due(self) -> float | None:
        """As `Store.next_due`."""
        query = "SELECT min(max(due_at, coalesce(leased_until, 0))) FROM sends WHERE state = 'waiting'"
        found: tuple[float | None] = self._writer.run(lambda connection: connection.execute(query).fetchone())
        return found[0]

    def close(self) -> None:
        """As `Store.close`."""
        self._writer.close()


_GIVE_UP = """
    UPDATE sends INDEXED BY sends_in_doubt
    SET state = 'unknown', since = :now, due_at = NULL, leased_until = NULL, epoch = epoch + 1,
        reason = 'it may have been queued, and the API may have forgotten its key by now: '
            || coalesce(reason, 'no try was recorded')
"""


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check whose file it is, bring its schema to this version, and set what a commit means."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # of use on macOS, where a sync is none without it
    connection.execute("BEGIN EXCLUSIVE")
    version = _version(connection, path)
    make_private(path)  # only now: another program's file is left as it is
    if version < len(MIGRATIONS):
        for step in MIGRATIONS[version:]:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")
    mode = connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()[0]
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("truncate", 2):
        raise OutboxError.at(path, f"its journal mode is {mode}, synchronous is {level}: a commit would not be safe")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == 0 and version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        return 0
    if application != APPLICATION_ID:
        raise OutboxError.at(path, "it is another program's database: give the outbox a file of its own")
    if version > len(MIGRATIONS):
        raise OutboxError.at(
            path, f"its schema has version {version}, this SDK knows {len(MIGRATIONS)}: use a newer SDK"
        )
    return version


def _add(connection: sqlite3.Connection, reference: str, send: Send, written: str, at: float) -> Entry:
    new = """
        INSERT INTO sends (reference, send, state, added_at, since, due_at) VALUES (?, ?, 'waiting', ?, ?, ?)
        ON CONFLICT (reference) DO NOTHING
    """
    if connection.execute(new, (reference, written, at, at, at)).rowcount:
        return _entry((0, reference, written, "waiting", at, at, at, None, 0, None, b"", None))
    there = _get(connection, reference)
    if there is None or not same_message(there.send, send):
        raise InvalidCallError.at("reference", f"stands for another message already: {reference!r}")
    return there


def _take(connection: sqlite3.Connection, leases: Sequence[Lease], until: float) -> None:
    take = "UPDATE sends SET epoch = ?, leased_until = ? WHERE id = ?"
    connection.executemany(take, [(lease.epoch, until, lease.id) for lease in leases])


def _record(connection: sqlite3.Connection, record: Record, keeps: bool) -> bool:
    new = """
        UPDATE sends SET state = ?, since = CASE state WHEN ? THEN since ELSE ? END, due_at = ?, in_doubt_since = ?,
            tries = ?, reason = coalesce(?, reason), answer = ?, drift = ?,
            leased_until = CASE WHEN ? THEN leased_until END
        WHERE id = ? AND epoch = ? AND state = 'waiting'
    """
    values: tuple[Any, ...] = (record.state, record.state, record.at, record.due_at, record.in_doubt_since)
    values += (record.tries, record.reason, record.answer, record.drift, keeps and record.state != "waiting")
    if not connection.execute(new, (*values, record.lease.id, record.lease.epoch)).rowcount:
        return False  # W9: another drain has it
    _record_results(connection, record.lease.id, record.results)  # W18
    return True


def _record_results(connection: sqlite3.Connection, send: int, results: Iterable[Result]) -> None:
    rows = [(send, position, result.to, result.outcome, result.messageId) for position, result in enumerate(results)]
    connection.executemany("INSERT INTO results VALUES (?, ?, ?, ?, ?)", rows)


def _get(connection: sqlite3.Connection, reference: str) -> Entry | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM sends WHERE reference = ?", (reference,)).fetchone()
    return _entry(row) if row else None


def _time(seconds: Any) -> Any:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _entry(row: tuple[Any, ...]) -> Entry:
    _, reference, written, state, added_at, since, due_at, in_doubt_since, tries, reason, answer, drift = row
    return Entry(
        reference=reference,
        state=state,
        written=written,
        added_at=_time(added_at),
        since=_time(since),
        due_at=_time(due_at),
        in_doubt_since=_time(in_doubt_since),
        tries=tries,
        reason=reason,
        answer=answer,
        drift=drift,
    )
