"""History in: where it comes from, the checks and outages of others, and the files that were taken in.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MS = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds; SQLite's STRICT knows no BIGINT


def upgrade() -> None:
    _source()
    _history_import()
    _imported_check()
    _imported_outage()


def downgrade() -> None:
    raise NotImplementedError("a ledger never goes back: restore the copy that the migration made")


def _source() -> None:
    op.create_table(
        "source",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('checks', 'outages')", name="kind_is_known"),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )


def _history_import() -> None:
    op.create_table(
        "history_import",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at_ms", MS, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["source.number"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("history_import_by_file", "history_import", ["sha256"], unique=False)


def _imported_check() -> None:
    op.create_table(
        "imported_check",
        sa.Column("endpoint", sa.Integer(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("at_ms", MS, nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("verdict BETWEEN 0 AND 3", name="verdict_is_known"),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.ForeignKeyConstraint(["source"], ["source.number"]),
        sa.PrimaryKeyConstraint("endpoint", "location", "at_ms", "source"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "imported_check_not_up",
        "imported_check",
        ["endpoint", "location", "at_ms"],
        unique=False,
        sqlite_where=sa.text("verdict <> 0"),
    )


def _imported_outage() -> None:
    op.create_table(
        "imported_outage",
        sa.Column("endpoint", sa.Integer(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("from_ms", MS, nullable=False),
        sa.Column("to_ms", MS, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("to_ms > from_ms", name="ends_after_it_begins"),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.ForeignKeyConstraint(["source"], ["source.number"]),
        sa.PrimaryKeyConstraint("endpoint", "location", "source", "from_ms", "to_ms"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
