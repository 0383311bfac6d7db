"""Room for years: smaller raw checks with their evidence apart, days rolled up, stored documents, bodies only erased.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MS = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds; SQLite's STRICT knows no BIGINT
TRIGGERS = (
    """CREATE TRIGGER journal_record_is_not_replaced BEFORE INSERT ON journal
WHEN EXISTS (SELECT 1 FROM journal AS j WHERE j.hash IS NEW.hash)
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_body_is_only_erased BEFORE UPDATE ON journal_body
WHEN NEW.seq IS NOT OLD.seq OR OLD.body IS NULL OR NEW.body IS NOT NULL
  OR NEW.erased_ms IS NULL OR NEW.erased_reason IS NULL
BEGIN SELECT RAISE(ABORT, 'the body of a record is erased once, with reason and date, and never changed'); END""",
    """CREATE TRIGGER journal_body_is_not_deleted BEFORE DELETE ON journal_body
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_body_is_not_replaced BEFORE INSERT ON journal_body
WHEN EXISTS (SELECT 1 FROM journal_body AS b WHERE b.seq IS NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER document_is_not_updated BEFORE UPDATE ON document
BEGIN SELECT RAISE(ABORT, 'a stored document never changes'); END""",
    """CREATE TRIGGER document_is_not_deleted BEFORE DELETE ON document
BEGIN SELECT RAISE(ABORT, 'a stored document is never deleted'); END""",
    """CREATE TRIGGER document_is_not_replaced BEFORE INSERT ON document
WHEN EXISTS (SELECT 1 FROM document AS d WHERE d.number IS NEW.number OR d.id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a stored document is never replaced'); END""",
)


def upgrade() -> None:
    _check_evidence()
    _raw_check()
    op.drop_index("imported_check_not_up", "imported_check")
    _index_not_up("imported_check")
    _rolled_day()
    _document()
    op.add_column("life", sa.Column("written", MS, nullable=True))
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    raise NotImplementedError("a ledger never goes back: restore the copy that the migration made")


def _check_evidence() -> None:
    op.create_table(
        "check_evidence",
        sa.Column("endpoint", sa.Integer(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("at_ms", MS, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("phases", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.PrimaryKeyConstraint("endpoint", "location", "at_ms"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        f"""INSERT INTO check_evidence (endpoint, location, at_ms, error, phases, detail)
SELECT endpoint, location, at_ms, error, {_shorter("phases")}, detail FROM raw_check
WHERE error IS NOT NULL OR phases IS NOT NULL OR detail IS NOT NULL"""
    )


def _shorter(phases: str) -> str:
    """`{"dns":300,"first_byte":31000}`, as it was written, as `d300 f31000`."""
    for name, letter in (("dns", "d"), ("connect", "c"), ("tls", "t"), ("first_byte", "f"), ("body", "b")):
        phases = f"""REPLACE({phases}, '"{name}":', '{letter}')"""
    for mark, instead in (("{", ""), ("}", ""), ('":', "="), ('"', ""), (",", " ")):
        phases = f"REPLACE({phases}, '{mark}', '{instead}')"
    return phases


def _raw_check() -> None:
    """SQLite takes no column away without writing the table anew, so it is written anew at once."""
    op.drop_index("raw_check_not_up", "raw_check")
    op.rename_table("raw_check", "raw_check_before")
    op.create_table(
        "raw_check",
        sa.Column("endpoint", sa.Integer(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("at_ms", MS, nullable=False),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.Column("retry", sa.Integer(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.CheckConstraint("verdict BETWEEN 0 AND 3", name="verdict_is_known"),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.PrimaryKeyConstraint("endpoint", "location", "at_ms"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        """INSERT INTO raw_check (endpoint, location, at_ms, verdict, retry, latency_ms)
SELECT endpoint, location, at_ms, verdict, retry, latency_ms FROM raw_check_before
ORDER BY endpoint, location, at_ms"""
    )
    op.drop_table("raw_check_before")
    _index_not_up("raw_check")


def _index_not_up(table: str) -> None:
    """With the verdict before the time, for only then is it preferred to the primary key."""
    columns = ["endpoint", "location", "verdict", "at_ms"]
    where = sa.text("verdict <> 0")
    op.create_index(f"{table}_not_up", table, columns, unique=False, sqlite_where=where)


def _rolled_day() -> None:
    op.create_table(
        "rolled_day",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.Integer(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("pruned", sa.Integer(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("ticks", sa.Integer(), nullable=False),
        sa.Column("grid_ms", MS, nullable=True),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("latency", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("endpoint", "location", "day", name="rolled_once"),
        sqlite_strict=True,
    )
    op.create_index("rolled_day_whole", "rolled_day", ["day"], unique=False, sqlite_where=sa.text("pruned <> 1"))


def _document() -> None:
    op.create_table(
        "document",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("created_ms", MS, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("document_by_subject", "document", ["kind", "subject"], unique=False)
