"""Which version a database has, and how it is brought to this one. Alembic is imported only when something is to do."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection, inspect

REVISIONS = ("0001", "0002", "0003")  # ascending; a test holds it against ledger/migrations/versions
CURRENT = REVISIONS[-1]
MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """The revision on record, "" for a database without one table, None for tables that are not ours."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return ""
    if not {"alembic_version", "meta", "journal"} <= tables:
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def pending(found: str) -> tuple[tuple[str, str], ...]:
    """The steps still to do, each (from, to)."""
    rest = REVISIONS[REVISIONS.index(found) :]
    return tuple(pairwise(rest))


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the schema to revision `to`, inside the transaction that `connection` is in."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
