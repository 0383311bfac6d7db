"""SQL that any database understands, with named parameters. Only `ledger.store`, `ledger.schema` and
`ledger.stored` know of SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Row, TextClause, bindparam, text


@cache
def _prepared(sql: str) -> TextClause:
    return text(sql)


def run(connection: Connection, sql: str, **values: Any) -> CursorResult[Any]:
    return connection.execute(_prepared(sql), values)


def run_many(connection: Connection, sql: str, values: Sequence[dict[str, Any]]) -> None:
    """One prepared statement for many rows; nothing at all for none."""
    if values:
        connection.execute(_prepared(sql), values)


def all_rows(connection: Connection, sql: str, **values: Any) -> Sequence[Row[Any]]:
    return run(connection, sql, **values).all()


@cache
def _prepared_for_numbers(sql: str) -> TextClause:
    return text(sql).bindparams(bindparam("numbers", expanding=True))


def all_rows_of(connection: Connection, sql: str, numbers: Sequence[int], **values: Any) -> Sequence[Row[Any]]:
    """The rows of a query that says `IN :numbers`; none for no number."""
    if not numbers:
        return ()
    return connection.execute(_prepared_for_numbers(sql), {"numbers": list(numbers), **values}).all()


def first_row(connection: Connection, sql: str, **values: Any) -> Row[Any] | None:
    return run(connection, sql, **values).first()


def scalar(connection: Connection, sql: str, **values: Any) -> Any:
    """The first column of the first row; None where there is no row."""
    return run(connection, sql, **values).scalar()
