"""The file behind a ledger and the connections to it: where it is, who may read it, what every connection keeps.

A database file is never opened by hand while SQLite has it open in this process: closing such a file would drop the
locks that SQLite holds on it, and another process would take the write-ahead log away from under us.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext

from ledger.errors import (
    DatabaseReadOnly,
    DiskFull,
    LedgerError,
    LedgerMissing,
    NoDatabase,
    NoFolder,
    NotADatabase,
    UnknownDatabaseUrl,
    naming,
    of_sqlite,
)

BUSY_TIMEOUT_MS = 5_000
DECIDING = {"nines_deciding": True}
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database, under its name
LOCK = ".lock"  # what the daemon holds while it observes, and leaves
_RETRY_S = 0.02


def path_of(url_or_path: str | Path) -> Path:
    """The file that a path or an `sqlite:///` URL names, made absolute."""
    text = str(url_or_path)
    scheme, found, rest = text.partition("://")
    if not found:
        return Path(text).expanduser().absolute()
    if scheme != "sqlite" or not rest.startswith("/") or len(rest) == 1:
        raise UnknownDatabaseUrl(f"{scheme}://...")  # the rest may hold a password
    return Path(rest[1:]).absolute()


def beside(path: Path, suffix: str) -> Path:
    """`nines.db-wal` beside `nines.db`."""
    return path.with_name(path.name + suffix)


def was_there(path: Path) -> list[Path]:
    """What lies beside the path of a ledger that was here before: its log, or the lock of a daemon."""
    return [left for suffix in ("-wal", "-journal", LOCK) if (left := beside(path, suffix)).exists()]


def is_there(path: Path, *, create: bool) -> bool:
    """Whether there is a file that may be a ledger; one that is missing or empty and not to be made is refused.

    One that was moved away or cut to nothing is never made anew, empty: nobody would miss what it held.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        _refuse_if_gone(path)
        if not create:
            raise NoDatabase(str(path)) from None
        if not path.parent.is_dir():
            raise NoFolder(str(path.parent)) from None
        return False
    except NotADirectoryError:
        raise NoFolder(str(path.parent)) from None
    except OSError as error:
        raise DatabaseReadOnly(str(path)) from error
    if not stat.S_ISREG(found.st_mode):
        raise NotADatabase(str(path))
    if found.st_size == 0:
        if beside(path, LOCK).exists():  # a log beside an empty file may be of one who makes it now
            _refuse_if_gone(path)
        if not create:
            raise NoDatabase(str(path))
    return True


def _refuse_if_gone(path: Path) -> None:
    if left := was_there(path):
        gone = LedgerMissing(str(path))
        raise LedgerMissing(str(path), f"{gone}; to begin anew without it, remove {', '.join(map(str, left))}")


def make_private(path: Path) -> None:
    """An empty file that only its owner may read: a ledger holds what clients and persons are called."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise of_system(error, str(path.parent)) from error


def of_system(error: OSError, where: str) -> LedgerError:
    """The named error behind one of the system at writing a file."""
    return DiskFull(where) if error.errno in (errno.ENOSPC, errno.EDQUOT) else DatabaseReadOnly(where)


def give_to_owner_of(model: Path, path: Path) -> None:
    """What root makes beside a ledger belongs to the ledger's owner, or the daemon could not open it."""
    if os.geteuid() == 0:
        owner = model.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def engine_for(path: Path, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Connections that know foreign keys, sync every commit, and raise the errors of `ledger.errors`."""
    # mode=rw: a file that was moved away must not be made anew, empty, by whoever connects next.
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
    engine = create_engine(url, connect_args={"timeout": busy_timeout_ms / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are ours: the driver would leave DDL outside of them
        with naming(path):
            for pragma in ("foreign_keys = ON", "recursive_triggers = ON", "synchronous = FULL"):
                connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        deciding = connection.get_execution_options().get("nines_deciding")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if deciding else "BEGIN")

    @event.listens_for(engine, "handle_error")
    def name(context: ExceptionContext) -> None:
        if (named := of_sqlite(context.original_exception, str(path))) is not None:
            raise named from context.original_exception

    return engine


@contextlib.contextmanager
def driver(engine: Engine) -> Any:
    """The driver's own connection, for what can only be asked outside of a transaction; its errors are named."""
    path = Path(unquote(str(engine.url.database).removeprefix("file:")))
    raw = engine.raw_connection()
    try:
        with naming(path):
            yield raw.driver_connection
    finally:
        raw.close()


def use_wal(connection: sqlite3.Connection) -> None:
    """Readers and the writer side by side, for good. The mode can only be changed outside of any transaction.

    Whoever changes it while another does so is told at once that the file is busy, without the usual patience.
    """
    patience_ms = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    give_up_s = time.monotonic() + patience_ms / 1000
    while not _changed_to_wal(connection, last=time.monotonic() >= give_up_s):
        time.sleep(_RETRY_S)


def _changed_to_wal(connection: sqlite3.Connection, *, last: bool) -> bool:
    """False where another connection was in the way, unless it is the `last` try."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
