"""The first tables: what was observed, what was agreed, what was decided.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MS = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # milliseconds; SQLite's STRICT knows no BIGINT
TRIGGERS = (
    """CREATE TRIGGER journal_is_not_updated BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append only'); END""",
    """CREATE TRIGGER journal_is_one_chain BEFORE INSERT ON journal
WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM journal)
  OR NEW.prev IS NOT (SELECT hash FROM journal ORDER BY seq DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'the journal is one chain: a record follows the last one'); END""",
    """CREATE TRIGGER definition_is_not_updated BEFORE UPDATE ON definition
BEGIN SELECT RAISE(ABORT, 'a dated definition never changes'); END""",
    """CREATE TRIGGER definition_is_not_deleted BEFORE DELETE ON definition
BEGIN SELECT RAISE(ABORT, 'a dated definition is never deleted'); END""",
    """CREATE TRIGGER definition_is_not_replaced BEFORE INSERT ON definition
WHEN EXISTS (SELECT 1 FROM definition AS d WHERE d.number IS NEW.number
  OR (d.kind = NEW.kind AND d.id = NEW.id AND d.known_from_ms = NEW.known_from_ms))
BEGIN SELECT RAISE(ABORT, 'a dated definition is never replaced'); END""",
)


def upgrade() -> None:
    _definition()
    _endpoint()
    _event()
    _journal()
    _location()
    _meta()
    _person()
    _window()
    _acceptance()
    _coverage()
    _delivery()
    _exclusion()
    _interval()
    _journal_body()
    _life()
    _raw_check()
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    raise NotImplementedError("a ledger never goes back: restore the copy that the migration made")


def _definition() -> None:
    op.create_table(
        "definition",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("known_from_ms", MS, nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("kind", "id", "known_from_ms", name="definition_version"),
        sqlite_strict=True,
    )


def _endpoint() -> None:
    op.create_table(
        "endpoint",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_ms", MS, nullable=False),
        sa.Column("outage", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("event_by_time", "event", ["at_ms"], unique=False)


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("at_ms", MS, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("hash"),
        sqlite_strict=True,
    )


def _location() -> None:
    op.create_table(
        "location",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_strict=True,
    )


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("os_user", sa.Text(), nullable=True),
        sa.Column("created_ms", MS, nullable=False),
        sa.Column("erased_ms", MS, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("os_user"),
        sqlite_strict=True,
    )


def _window() -> None:
    op.create_table(
        "window",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("from_ms", MS, nullable=False),
        sa.Column("to_ms", MS, nullable=False),
        sa.Column("entered_ms", MS, nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("definition", "from_ms", name="window_occurrence"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("window_by_time", "window", ["from_ms"], unique=False)


def _acceptance() -> None:
    op.create_table(
        "acceptance",
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_ms", MS, nullable=False),
        sa.ForeignKeyConstraint(["window"], ["window.number"]),
        sa.PrimaryKeyConstraint("window", "contract"),
        sqlite_strict=True,
    )


def _coverage() -> None:
    op.create_table(
        "coverage",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.Integer(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("from_ms", MS, nullable=False),
        sa.Column("to_ms", MS, nullable=True),
        sa.Column("reach_ms", MS, nullable=False),
        sa.CheckConstraint("to_ms IS NULL OR to_ms >= from_ms", name="ends_after_it_begins"),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.PrimaryKeyConstraint("number"),
        sqlite_strict=True,
    )
    op.create_index("coverage_by_time", "coverage", ["endpoint", "location", "from_ms"], unique=False)
    op.create_index(
        "coverage_open",
        "coverage",
        ["endpoint", "location", "source"],
        unique=True,
        sqlite_where=sa.text("to_ms IS NULL"),
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_ms", MS, nullable=False),
        sa.Column("sent_ms", MS, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'sent', 'given_up')", name="state_is_known"),
        sa.ForeignKeyConstraint(["event"], ["event.number"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("event", "channel", name="delivery_once"),
        sqlite_strict=True,
    )
    op.create_index("delivery_due", "delivery", ["next_ms"], unique=False, sqlite_where=sa.text("state = 'pending'"))


def _exclusion() -> None:
    op.create_table(
        "exclusion",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=True),
        sa.Column("from_ms", MS, nullable=False),
        sa.Column("to_ms", MS, nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_ms", MS, nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_ms", MS, nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_ms", MS, nullable=True),
        sa.ForeignKeyConstraint(["approved_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("exclusion_by_time", "exclusion", ["subject_kind", "subject", "from_ms"], unique=False)


def _interval() -> None:
    op.create_table(
        "interval",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Integer(), nullable=True),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("from_ms", MS, nullable=False),
        sa.Column("to_ms", MS, nullable=True),
        sa.Column("last_good_ms", MS, nullable=True),
        sa.Column("first_bad_ms", MS, nullable=True),
        sa.Column("confirmed_ms", MS, nullable=True),
        sa.Column("last_bad_ms", MS, nullable=True),
        sa.Column("first_good_ms", MS, nullable=True),
        sa.Column("failed_checks", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('down', 'degraded', 'blind', 'off', 'clock_step')", name="kind_is_known"),
        sa.CheckConstraint("to_ms IS NULL OR to_ms >= from_ms", name="ends_after_it_begins"),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("interval_by_time", "interval", ["endpoint", "location", "from_ms"], unique=False)
    op.create_index(
        "interval_open",
        "interval",
        ["endpoint", "location", "kind", "source"],
        unique=True,
        sqlite_where=sa.text("to_ms IS NULL"),
    )


def _journal_body() -> None:
    op.create_table(
        "journal_body",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("erased_ms", MS, nullable=True),
        sa.Column("erased_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["seq"], ["journal.seq"]),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_strict=True,
    )


def _life() -> None:
    op.create_table(
        "life",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("started_ms", MS, nullable=False),
        sa.Column("stamp_ms", MS, nullable=False),
        sa.Column("stopped_ms", MS, nullable=True),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("boot"),
        sqlite_strict=True,
    )
    op.create_index("life_by_time", "life", ["location", "started_ms"], unique=False)


def _raw_check() -> None:
    op.create_table(
        "raw_check",
        sa.Column("endpoint", sa.Integer(), nullable=False),
        sa.Column("location", sa.Integer(), nullable=False),
        sa.Column("at_ms", MS, nullable=False),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.Column("retry", sa.Integer(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("phases", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint("verdict BETWEEN 0 AND 3", name="verdict_is_known"),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoint.number"]),
        sa.ForeignKeyConstraint(["location"], ["location.number"]),
        sa.PrimaryKeyConstraint("endpoint", "location", "at_ms"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "raw_check_not_up",
        "raw_check",
        ["endpoint", "location", "at_ms"],
        unique=False,
        sqlite_where=sa.text("verdict <> 0"),
    )
