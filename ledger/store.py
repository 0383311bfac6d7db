"""Opening a ledger: the database behind it, how it is locked, and the one line a person gets when it cannot be had.

Every transaction of the product is one of two: `read` sees one snapshot and never waits for a writer; `decide` takes
the write lock before it reads anything (BEGIN IMMEDIATE), so that nobody decides on what is already past.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext

from ledger.errors import (
    DamagedDatabase,
    DatabaseLocked,
    DatabaseReadOnly,
    DiskFull,
    LedgerError,
    NewerDatabase,
    NoDatabase,
    NoFolder,
    NotADatabase,
    OlderDatabase,
    UnknownDatabaseUrl,
    of_sqlite,
)
from ledger.schema import CURRENT, REVISIONS, revision_of, upgrade

__all__ = [
    "DamagedDatabase",
    "DatabaseLocked",
    "DatabaseReadOnly",
    "DiskFull",
    "Ledger",
    "LedgerError",
    "NewerDatabase",
    "NoDatabase",
    "NoFolder",
    "NotADatabase",
    "OlderDatabase",
    "UnknownDatabaseUrl",
    "open_ledger",
]

BUSY_TIMEOUT_MS = 5_000
_DECIDING = {"nines_deciding": True}
_HEADER = b"SQLite format 3\x00"


class Ledger:
    """An open ledger. `id` is random, made with it; `url` and `path` say where it is. Close it, or use it in `with`."""

    def __init__(self, path: Path, engine: Engine, ledger_id: str) -> None:
        self.path, self.engine, self.id = path, engine, ledger_id

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot of everything, while others may write."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def decide(self) -> Iterator[Connection]:
        """One short transaction under the write lock; rolled back when the block raises."""
        with self.engine.connect().execution_options(**_DECIDING) as connection, connection.begin():
            yield connection

    def writing_connection(self) -> Connection:
        """A connection whose every transaction is one of `decide`; whoever asks for it closes it."""
        return self.engine.connect().execution_options(**_DECIDING)

    def data_version(self, connection: Connection) -> int:
        """A number that changes for this connection with every commit of another one."""
        version = int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
        connection.rollback()  # an open snapshot would never see a change
        return version

    def free_pages(self) -> int:
        """Pages of the file that hold nothing."""
        with self.read() as connection:
            return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())

    def give_back_pages(self, count: int) -> None:
        """Shorten the file by so many free pages, under the write lock."""
        with self.decide() as connection:
            connection.exec_driver_sql(f"PRAGMA incremental_vacuum({int(count)})").all()

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_deciding(connection: Connection) -> bool:
    """Whether this connection's transaction took the write lock at its start (`Ledger.decide`)."""
    return bool(connection.get_execution_options().get("nines_deciding")) and connection.in_transaction()


def open_ledger(
    url_or_path: str | Path,
    *,
    at_ms: int,
    create: bool = False,
    migrate: bool = False,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> Ledger:
    """Open the ledger at a path or `sqlite:///path`. `create` makes one where none is; `migrate` brings an older one
    to this version after copying it beside itself. Raises a LedgerError that says what, where and what to do.
    """
    path = path_of(url_or_path)
    if not _is_there(path, create=create):
        _make_file(path)
    engine = _engine(path, busy_timeout_ms)
    try:
        _bring_to_version(engine, path, at_ms=at_ms, create=create, migrate=migrate)
        with engine.connect() as connection:
            ledger_id = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'ledger_id'").scalar_one()
    except BaseException:
        engine.dispose()
        raise
    return Ledger(path, engine, str(ledger_id))


def path_of(url_or_path: str | Path) -> Path:
    """The file that a path or an `sqlite:///` URL names, made absolute."""
    text = str(url_or_path)
    scheme, found, rest = text.partition("://")
    if not found:
        return Path(text).expanduser().absolute()
    if scheme != "sqlite" or not rest.startswith("/") or len(rest) == 1:
        raise UnknownDatabaseUrl(f"{scheme}://...")  # the rest may hold a password
    return Path(rest[1:]).absolute()


def _is_there(path: Path, *, create: bool) -> bool:
    """Whether there is a database file; one that is something else, or missing and not to be made, is refused."""
    try:
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
    except FileNotFoundError:
        if not create:
            raise NoDatabase(str(path)) from None
        if not path.parent.is_dir():
            raise NoFolder(str(path.parent)) from None
        return False
    except IsADirectoryError:
        raise NotADatabase(str(path)) from None
    except OSError as error:
        raise DatabaseReadOnly(str(path)) from error
    if header == b"" and not create:
        raise NoDatabase(str(path))
    if header not in (_HEADER, b""):
        raise NotADatabase(str(path))
    return True


def _make_file(path: Path) -> None:
    """An empty file that only its owner may read: a ledger holds what clients and persons are called."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise DatabaseReadOnly(str(path.parent)) from error


def _engine(path: Path, busy_timeout_ms: int) -> Engine:
    # mode=rw: a file that was moved away must not be made anew, empty, by whoever connects next.
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
    engine = create_engine(url, connect_args={"timeout": busy_timeout_ms / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are ours: the driver would leave DDL outside of them
        try:
            for pragma in ("foreign_keys = ON", "recursive_triggers = ON", "synchronous = FULL"):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise of_sqlite(error, str(path)) or error from error

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        deciding = connection.get_execution_options().get("nines_deciding")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if deciding else "BEGIN")

    @event.listens_for(engine, "handle_error")
    def name(context: ExceptionContext) -> None:
        if (named := of_sqlite(context.original_exception, str(path))) is not None:
            raise named from context.original_exception

    return engine


def _bring_to_version(engine: Engine, path: Path, *, at_ms: int, create: bool, migrate: bool) -> None:
    with engine.connect() as connection:
        found = revision_of(connection)
    if found == CURRENT:
        return
    if found == "" and create:
        _create(engine, path, at_ms)
    elif not found:
        raise NotADatabase(str(path)) if found is None else NoDatabase(str(path))
    elif found not in REVISIONS:
        raise NewerDatabase(str(path))
    elif not migrate:
        raise OlderDatabase(str(path))
    else:
        _migrate(engine, path, found)


def _create(engine: Engine, path: Path, at_ms: int) -> None:
    """The tables and the ledger's own id. Of two who create at once the second finds the work done."""
    _use_wal(engine, str(path))
    with engine.connect().execution_options(**_DECIDING) as connection, connection.begin():
        if revision_of(connection) == CURRENT:
            return
        upgrade(connection)
        rows = [("ledger_id", secrets.token_hex(16)), ("created_ms", str(at_ms))]
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES (?, ?)", rows)


def _use_wal(engine: Engine, where: str) -> None:
    """Readers and the writer side by side, for good. The mode can only be changed outside of any transaction.

    Whoever changes it while another does so is told at once that the file is busy, without the usual patience.
    """
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        patience_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")  # space is given back in small steps; only before a table
        give_up_s = time.monotonic() + patience_ms / 1000
        while not _changed_to_wal(cursor, last=time.monotonic() >= give_up_s):
            time.sleep(0.02)
    except sqlite3.Error as error:
        raise of_sqlite(error, where) or error from error
    finally:
        raw.close()


def _changed_to_wal(cursor: Any, *, last: bool) -> bool:
    """False where another connection was in the way, unless it is the `last` try."""
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _migrate(engine: Engine, path: Path, found: str) -> None:
    """Copy first (`nines.db.before-0002`), then everything in one transaction: it is done whole or not at all."""
    copy = path.with_name(f"{path.name}.before-{CURRENT}")
    if not copy.exists():
        _make_file(copy)
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            target = sqlite3.connect(copy)
            driver.backup(target)
            target.close()
    with engine.connect().execution_options(**_DECIDING) as connection, connection.begin():
        if revision_of(connection) == found:
            upgrade(connection)
