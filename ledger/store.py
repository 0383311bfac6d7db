"""A ledger that is open, and the one line a person gets when it cannot be had.

Every transaction of the product is one of two: `read` sees one snapshot and never waits for a writer; `decide` takes
the write lock before it reads anything (BEGIN IMMEDIATE), so that nobody decides on what is already past.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

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
)
from ledger.migrating import bring_to_version
from ledger.opening import BUSY_TIMEOUT_MS, DECIDING, engine_for, is_there, make_private, path_of
from ledger.progress import Progress, silent

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
    "path_of",
]


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
        with self.engine.connect().execution_options(**DECIDING) as connection, connection.begin():
            yield connection

    def writing_connection(self) -> Connection:
        """A connection whose every transaction is one of `decide`; whoever asks for it closes it."""
        return self.engine.connect().execution_options(**DECIDING)

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
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute(f"PRAGMA incremental_vacuum({int(count)})").fetchall()  # a page for each row that is read

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
    progress: Progress = silent,
) -> Ledger:
    """Open the ledger at a path or `sqlite:///path`. `create` makes one where none is; `migrate` brings an older one
    to this version after copying it beside itself. Raises a LedgerError that says what, where and what to do.
    """
    path = path_of(url_or_path)
    if not is_there(path, create=create):
        make_private(path)
    engine = engine_for(path, busy_timeout_ms)
    try:
        bring_to_version(engine, path, at_ms=at_ms, create=create, migrate=migrate, progress=progress)
        return Ledger(path, engine, _ledger_id(engine, path))
    except BaseException:
        engine.dispose()
        raise


def _ledger_id(engine: Engine, path: Path) -> str:
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'ledger_id'").scalar()
    except (DBAPIError, UnicodeDecodeError) as error:
        raise DamagedDatabase(str(path)) from error  # of a sound ledger the question is always answered
    if found is None:
        raise DamagedDatabase(str(path))
    return str(found)
