"""All state of the sandbox: one SQLite file, changed in one transaction per request.

WAL without fsync: a commit is in the kernel's page cache when the answer leaves, so it survives a kill -9 of this
program (not a power cut, which no campaign makes).
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.sandbox.exchange import Answer, Call

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fault_rule (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, rule TEXT NOT NULL, seen INTEGER NOT NULL, fired INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,
    status INTEGER, fault TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS effect (
    id INTEGER PRIMARY KEY, request_id INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS effect_request ON effect (request_id);
"""
JOURNAL_KEPT = 200_000
TRIM_EVERY = 10_000
EXCERPT = 400

Seed = Callable[["Store"], None]


def now_ms() -> int:
    """Milliseconds since 1970, the only clock the sandbox stores."""
    return time.time_ns() // 1_000_000


class Store:
    """The open database. Every system hands in its schema and its seed; ``reset`` goes back to exactly these."""

    def __init__(self, path: Path, parts: Sequence[tuple[str, Seed]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._parts = parts
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._settings: dict[str, Any] = {}
        self._next_request = 1
        self._open()

    def _open(self) -> None:
        self._db.executescript("\n".join((SCHEMA, *(schema for schema, _ in self._parts))))
        with self.transaction():
            for number, (_, seed) in enumerate(self._parts):
                # One mark a system: a folder of an earlier sandbox gets the systems that it does not know yet.
                mark = f"seeded.{number}" if number else "seeded"
                if self.setting(mark, False) is not True:
                    seed(self)
                    self.set_setting(mark, True)
        self._next_request = int(self.value("SELECT coalesce(max(id), 0) FROM journal")) + 1

    def reset(self) -> None:
        """Drop everything, settings, faults and journal included, and seed again."""
        names = [str(row["name"]) for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        with self.transaction():
            for name in names:
                if not name.startswith("sqlite_"):
                    self._db.execute(f'DROP TABLE "{name}"')
        self._settings.clear()
        self._open()

    def close(self) -> None:
        """Close the file; the next start continues where this one ended."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end, roll back when the block raises."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self._db.execute("COMMIT")

    def begin(self) -> None:
        """Open the request's transaction; :meth:`commit` or :meth:`rollback` ends it."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the open transaction durable against the death of this process."""
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the open transaction and forget cached settings it may have changed."""
        self._db.execute("ROLLBACK")
        self._settings.clear()

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._db.execute(sql, values)

    def insert(self, sql: str, *values: Any) -> int:
        """Execute an INSERT and return the new row's id."""
        row_id = self._db.execute(sql, values).lastrowid
        if row_id is None:
            raise RuntimeError("the statement inserted nothing")
        return row_id

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query."""
        found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return found

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.row(sql, *values)
        return None if row is None else row[0]

    def setting(self, name: str, default: Any) -> Any:
        """A JSON value that control calls set; read often, so it is kept in memory."""
        if name not in self._settings:
            raw = self.value("SELECT value FROM setting WHERE name = ?", name)
            if raw is None:
                return default
            self._settings[name] = json.loads(raw)
        return self._settings[name]

    def set_setting(self, name: str, value: Any) -> None:
        """Write a setting; the caller holds the transaction."""
        self.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, json.dumps(value))
        self._settings.pop(name, None)

    def take_request_id(self) -> int:
        """The number under which the next request stands in the journal."""
        number = self._next_request
        self._next_request += 1
        return number

    def effect(self, request_id: int, kind: str, subject: str, **detail: Any) -> None:
        """Note that something changed; later consumers (webhooks) read these rows in order."""
        sql = "INSERT INTO effect (request_id, at, kind, subject, detail) VALUES (?, ?, ?, ?, ?)"
        self.run(sql, request_id, now_ms(), kind, subject, json.dumps(detail))

    def journal(self, call: Call, answer: Answer | None) -> None:
        """Write the request's line. ``answer`` is None when the client gets nothing back."""
        query = "&".join(f"{name}={value}" for name, values in call.query.items() for value in values)
        text = call.body[:EXCERPT].decode("utf-8", "replace")
        fault = ",".join(fault.kind for fault in call.faults)
        status = None if answer is None else answer.status
        sql = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self.run(sql, call.request_id, now_ms(), call.method, call.path, query, status, fault, call.subject, text)
        if call.request_id % TRIM_EVERY == 0:
            self.run("DELETE FROM journal WHERE id <= ?", call.request_id - JOURNAL_KEPT)
