"""Is the file at the ledger's path still the one that we have open? SQLite writes happily into a file that is gone.

Displaced
  LedgerGone  LedgerReplaced  ForeignLedger

The path is compared by device and inode; it is never opened here: closing any descriptor of a database drops the locks
that this process holds on it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection

from ledger.errors import LedgerError, NotADatabase, of_sqlite
from ledger.store import Ledger

BUSY_TIMEOUT_MS = 1_000  # others only make short decisions; who waits longer could not be stopped meanwhile

Identity = tuple[int, int]


class Displaced(LedgerError):
    """{where}: the ledger is not where it was"""


class LedgerGone(Displaced):
    """{where}: the ledger was deleted or moved away; move it back, or restore a backup to this place"""


class LedgerReplaced(Displaced):
    """{where}: another file stands here than before; it is opened anew"""


class ForeignLedger(Displaced):
    """{where}: this is another ledger than the one observed into; put that one back, or stop the daemon first"""


def identity_of(path: Path) -> Identity | None:
    """(device, inode) of the file at the path; None where none can be found."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Held:
    """One connection of its own for writing, and the file that it leads to. Used by one thread."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._connection: Connection | None = None
        self._file: Identity | None = None

    def connection(self) -> Connection:
        """Every transaction of it takes the write lock first. Raises LedgerError where the ledger cannot be had."""
        if self._connection is None:
            self._open()
        self.check()
        assert self._connection is not None
        return self._connection

    def check(self) -> None:
        """Raises Displaced unless the path leads to the file that is open."""
        found = identity_of(self._ledger.path)
        if found is None:
            raise LedgerGone(str(self._ledger.path))
        if found != self._file:
            raise LedgerReplaced(str(self._ledger.path))

    def release(self) -> None:
        """Close it; a file that was moved away keeps its write-ahead log (SQLite looks whether it was)."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _open(self) -> None:
        before = identity_of(self._ledger.path)
        if before is None:
            raise LedgerGone(str(self._ledger.path))
        if self._file not in (None, before):
            self._ledger.engine.dispose()  # what readers had open leads to the old file
        connection = self._ledger.writing_connection()
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, before  # where it changed meanwhile, `check` says so

    def _prepare(self, connection: Connection) -> None:
        """Be patient for a moment only, and refuse what is not the ledger that this one was opened as."""
        where, driver = str(self._ledger.path), connection.connection.driver_connection
        connection.detach()
        assert isinstance(driver, sqlite3.Connection)
        try:
            (patience_ms,) = driver.execute("PRAGMA busy_timeout").fetchone()
            driver.execute(f"PRAGMA busy_timeout = {min(patience_ms, BUSY_TIMEOUT_MS)}")
            found = driver.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone()
        except sqlite3.Error as error:
            raise of_sqlite(error, where) or NotADatabase(where) from error
        if found != (self._ledger.id,):
            raise ForeignLedger(where)
