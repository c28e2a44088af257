"""sqlite3 alone: rows as long as the outbox's, in commits that last as its do; no checks, no keys, no index."""

import sqlite3
import time

TEXT = "s" * 568  # as long as what the outbox keeps of MESSAGE


def _connection(path):
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    columns = "reference TEXT, send TEXT, state TEXT, added_at REAL, since REAL, due_at REAL"
    connection.execute(f"CREATE TABLE sends (id INTEGER PRIMARY KEY, {columns})")
    return connection


_INSERT = "INSERT INTO sends (reference, send, state, added_at, since, due_at) VALUES (?, ?, 'waiting', ?, ?, ?)"


def _row(reference):
    at = time.time()
    return reference, TEXT, at, at, at


def adder(path):
    """Give a function that inserts a row, and commits."""
    execute = _connection(path).execute
    return lambda reference: execute(_INSERT, _row(reference))


def batch_adder(path):
    """Give a function that inserts some rows, and commits."""
    connection = _connection(path)

    def add_many(references):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, map(_row, references))
        connection.execute("COMMIT")

    return add_many
