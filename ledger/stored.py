"""What SQLite really holds, past the driver's reading of it: text byte for byte, triggers as written, whole trees.

Beside `ledger.store` and `ledger.schema` the third place that knows of SQLite.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from ledger.query import all_rows
from ledger.store import Ledger

_TRIGGERS = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"


@contextmanager
def bytes_kept(connection: Connection) -> Iterator[None]:
    """Text that is no UTF-8 any more is read with its bytes as surrogates; the driver alone would refuse the row."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    usual, driver.text_factory = driver.text_factory, _text
    try:
        yield
    finally:
        driver.text_factory = usual


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes behind a text read under `bytes_kept`."""
    return text.encode("utf-8", "surrogateescape")


def triggers(connection: Connection) -> dict[str, tuple[str, str]]:
    """Name -> (its table, the statement that made it)."""
    return {row.name: (row.tbl_name, row.sql) for row in all_rows(connection, _TRIGGERS)}


def file_of(connection: Connection) -> str:
    """The database's file as this connection knows it."""
    return str(connection.exec_driver_sql("SELECT file FROM pragma_database_list WHERE name = 'main'").scalar_one())


def tree_faults(connection: Connection, table: str) -> list[str]:
    """What SQLite finds wrong with the pages of a table and its indexes, one line each."""
    rows: list[Any] = list(connection.exec_driver_sql(f"PRAGMA integrity_check({table})").scalars())
    return [" ".join(str(row).split()) for row in rows if row != "ok"]


def overwrite_what_goes(connection: Connection) -> None:
    """From here on what is deleted or replaced is overwritten with zeros in the database's pages."""
    connection.exec_driver_sql("PRAGMA secure_delete = ON")


def empty_the_log(ledger: Ledger) -> bool:
    """Write the write-ahead log back and cut it to nothing: old pages stand in it. False while a reader needs it."""
    raw = ledger.engine.raw_connection()
    try:
        busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        raw.close()
    return not busy
