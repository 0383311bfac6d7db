"""The ledger's tables. Times are integer milliseconds since the epoch, UTC; money integer minor units.

Rows are never validated by these classes (SQLModel does not for tables); SQLite's STRICT refuses a value of a wrong
type. `number` is an internal row number and is never shown; `id` is what people see.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from ledger.triggers import TRIGGERS

STRICT: dict[str, Any] = {"sqlite_strict": True}


class Whole(TypeDecorator[int]):
    """A 64-bit integer: INTEGER in SQLite (STRICT knows no BIGINT), BIGINT elsewhere."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class Meta(SQLModel, table=True):
    """Facts about this ledger itself: `ledger_id`, `created_ms`."""

    __table_args__ = STRICT
    key: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)


class EndpointNumber(SQLModel, table=True):
    """Small numbers for endpoint ids, so that a check costs few bytes."""

    __tablename__ = "endpoint"
    __table_args__ = STRICT
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)


class LocationNumber(SQLModel, table=True):
    """Small numbers for the places that checks are made from."""

    __tablename__ = "location"
    __table_args__ = STRICT
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)


class RawCheck(SQLModel, table=True):
    """One check. `verdict`: 0 up, 1 degraded, 2 down, 3 unknown. Six small numbers: there are millions of them."""

    __tablename__ = "raw_check"
    __table_args__ = (
        CheckConstraint("verdict BETWEEN 0 AND 3", name="verdict_is_known"),
        Index("raw_check_not_up", *("endpoint", "location", "verdict", "at_ms"), sqlite_where=text("verdict <> 0")),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    endpoint: int = Field(primary_key=True, foreign_key="endpoint.number")
    location: int = Field(primary_key=True, foreign_key="location.number")
    at_ms: int = Field(primary_key=True, sa_type=Whole)
    verdict: int
    retry: int
    latency_ms: int | None = None


class CheckEvidence(SQLModel, table=True):
    """What was seen in a check that was not up, and the phases of the good ones beside it."""

    __tablename__ = "check_evidence"
    __table_args__ = {"sqlite_strict": True, "sqlite_with_rowid": False}
    endpoint: int = Field(primary_key=True, foreign_key="endpoint.number")
    location: int = Field(primary_key=True, foreign_key="location.number")
    at_ms: int = Field(primary_key=True, sa_type=Whole)
    error: str | None = Field(default=None, sa_type=Text)
    phases: str | None = Field(default=None, sa_type=Text)  # see `ledger.phases`
    detail: str | None = Field(default=None, sa_type=Text)


class RolledDay(SQLModel, table=True):
    """One day (UTC) of live checks of one endpoint from one location, rolled up: see `ledger.rolls`.

    `checks` were counted, `ticks` of the interval seen; `grid_ms` is an instant of the grid that they were due on.
    `pruned`: 0 while its raw checks are there, and it can be made again when one comes late; 2 while they go; 1 then.
    """

    __tablename__ = "rolled_day"
    __table_args__ = (
        UniqueConstraint("endpoint", "location", "day", name="rolled_once"),
        Index("rolled_day_whole", "day", sqlite_where=text("pruned <> 1")),
        STRICT,
    )
    number: int | None = Field(default=None, primary_key=True)
    endpoint: int = Field(foreign_key="endpoint.number")
    location: int = Field(foreign_key="location.number")
    day: int  # whole days since the epoch
    pruned: int
    checks: int
    ticks: int
    grid_ms: int | None = Field(default=None, sa_type=Whole)
    counts: bytes = Field(sa_type=LargeBinary)  # by quarter of an hour
    latency: bytes = Field(sa_type=LargeBinary)  # by hour


class Interval(SQLModel, table=True):
    """A stretch of time of a kind: down, degraded, blind, off, clock_step. `to_ms` is NULL while it lasts.

    `endpoint` NULL: of the whole location. `error` is the first failure's; `cause` and `text` are for the client.
    """

    __table_args__ = (
        CheckConstraint("kind IN ('down', 'degraded', 'blind', 'off', 'clock_step')", name="kind_is_known"),
        CheckConstraint("to_ms IS NULL OR to_ms >= from_ms", name="ends_after_it_begins"),
        Index("interval_by_time", "endpoint", "location", "from_ms"),
        Index(
            "interval_open",
            *("endpoint", "location", "kind", "source"),
            unique=True,
            sqlite_where=text("to_ms IS NULL"),
        ),
        {"sqlite_strict": True},
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)
    endpoint: int | None = Field(default=None, foreign_key="endpoint.number")
    location: int = Field(foreign_key="location.number")
    kind: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    from_ms: int = Field(sa_type=Whole)
    to_ms: int | None = Field(default=None, sa_type=Whole)
    last_good_ms: int | None = Field(default=None, sa_type=Whole)
    first_bad_ms: int | None = Field(default=None, sa_type=Whole)
    confirmed_ms: int | None = Field(default=None, sa_type=Whole)
    last_bad_ms: int | None = Field(default=None, sa_type=Whole)
    first_good_ms: int | None = Field(default=None, sa_type=Whole)
    failed_checks: int | None = None
    end_reason: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)
    cause: str | None = Field(default=None, sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)


class Coverage(SQLModel, table=True):
    """Time that checks vouch for. An open stretch reaches from its last check by `reach_ms` at most."""

    __table_args__ = (
        CheckConstraint("to_ms IS NULL OR to_ms >= from_ms", name="ends_after_it_begins"),
        Index("coverage_by_time", "endpoint", "location", "from_ms"),
        Index("coverage_open", *("endpoint", "location", "source"), unique=True, sqlite_where=text("to_ms IS NULL")),
        {"sqlite_strict": True},
    )
    number: int | None = Field(default=None, primary_key=True)
    endpoint: int = Field(foreign_key="endpoint.number")
    location: int = Field(foreign_key="location.number")
    source: str = Field(sa_type=Text)
    from_ms: int = Field(sa_type=Whole)
    to_ms: int | None = Field(default=None, sa_type=Whole)
    reach_ms: int = Field(sa_type=Whole)


class Life(SQLModel, table=True):
    """One life of the daemon at a location: it stamps each second; `stopped_ms` only after a clean stop.

    `written` counts the observations of this life that are on record: what comes again after a crash is known by it.
    """

    __table_args__ = (Index("life_by_time", "location", "started_ms"), {"sqlite_strict": True})
    number: int | None = Field(default=None, primary_key=True)
    boot: str = Field(unique=True, sa_type=Text)
    location: int = Field(foreign_key="location.number")
    started_ms: int = Field(sa_type=Whole)
    stamp_ms: int = Field(sa_type=Whole)
    stopped_ms: int | None = Field(default=None, sa_type=Whole)
    written: int | None = Field(default=None, sa_type=Whole)


class DefinitionRow(SQLModel, table=True):
    """One dated version of something agreed; `body` NULL says that it was removed. Never changed, never deleted."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("kind", "id", "known_from_ms", name="definition_version"), STRICT)
    number: int | None = Field(default=None, primary_key=True)
    kind: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    known_from_ms: int = Field(sa_type=Whole)
    body: str | None = Field(default=None, sa_type=Text)  # canonical JSON


class WindowRow(SQLModel, table=True):
    """One occurrence of announced maintenance, written once it has begun or ended; `definition` is the window's id."""

    __tablename__ = "window"
    __table_args__ = (
        UniqueConstraint("definition", "from_ms", name="window_occurrence"),
        Index("window_by_time", "from_ms"),
        STRICT,
    )
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)
    definition: str = Field(sa_type=Text)
    from_ms: int = Field(sa_type=Whole)
    to_ms: int = Field(sa_type=Whole)
    entered_ms: int | None = Field(default=None, sa_type=Whole)
    scope: str = Field(sa_type=Text)  # JSON: [["endpoint" | "service", id], ...]
    title: str = Field(sa_type=Text)


class Acceptance(SQLModel, table=True):
    """Whether a contract accepts an occurrence: decided once, when it has ended."""

    __table_args__ = STRICT
    window: int = Field(primary_key=True, foreign_key="window.number")
    contract: str = Field(primary_key=True, sa_type=Text)
    accepted: int
    why: str = Field(sa_type=Text)
    decided_ms: int = Field(sa_type=Whole)


class ExclusionRow(SQLModel, table=True):
    """A span taken out by agreement. It counts once approved, until withdrawn; both persons are on record."""

    __tablename__ = "exclusion"
    __table_args__ = (Index("exclusion_by_time", "subject_kind", "subject", "from_ms"), STRICT)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)
    subject_kind: str = Field(sa_type=Text)  # endpoint, service
    subject: str = Field(sa_type=Text)
    contract: str | None = Field(default=None, sa_type=Text)
    from_ms: int = Field(sa_type=Whole)
    to_ms: int = Field(sa_type=Whole)
    category: str = Field(sa_type=Text)
    clause: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)  # audience: client
    reason: str = Field(sa_type=Text)  # audience: internal
    evidence: str = Field(sa_type=Text)
    proposed_by: str = Field(sa_type=Text, foreign_key="person.id")
    proposed_ms: int = Field(sa_type=Whole)
    approved_by: str | None = Field(default=None, sa_type=Text, foreign_key="person.id")
    approved_ms: int | None = Field(default=None, sa_type=Whole)
    withdrawn_by: str | None = Field(default=None, sa_type=Text, foreign_key="person.id")
    withdrawn_ms: int | None = Field(default=None, sa_type=Whole)


class Event(SQLModel, table=True):
    """Something that happened and may be told, in one transaction with what it tells of."""

    __table_args__ = (Index("event_by_time", "at_ms"), STRICT)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    at_ms: int = Field(sa_type=Whole)
    outage: str | None = Field(default=None, sa_type=Text)  # the interval's id, where it tells of one
    body: str = Field(sa_type=Text)  # JSON


class Delivery(SQLModel, table=True):
    """One event to one channel. `state`: pending, sent, given_up (nobody took it, or it was withheld; `error` says)."""

    __table_args__ = (
        UniqueConstraint("event", "channel", name="delivery_once"),
        CheckConstraint("state IN ('pending', 'sent', 'given_up')", name="state_is_known"),
        Index("delivery_due", "next_ms", sqlite_where=text("state = 'pending'")),
        STRICT,
    )
    number: int | None = Field(default=None, primary_key=True)
    event: int = Field(foreign_key="event.number")
    channel: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    attempts: int
    next_ms: int = Field(sa_type=Whole)  # not before; while claimed: when the claim runs out
    sent_ms: int | None = Field(default=None, sa_type=Whole)
    error: str | None = Field(default=None, sa_type=Text)


class Journal(SQLModel, table=True):
    """The journal's record, version 1: the hashed part in columns, and its hash. Append only."""

    __table_args__ = STRICT
    seq: int = Field(primary_key=True)
    v: int
    ledger_id: str = Field(sa_type=Text)
    at_ms: int = Field(sa_type=Whole)
    actor: str = Field(sa_type=Text)
    actor_kind: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    subject_id: str | None = Field(default=None, sa_type=Text)
    body_sha256: str = Field(sa_type=Text)
    prev: str | None = Field(default=None, sa_type=Text)
    hash: str = Field(unique=True, sa_type=Text)


class JournalBody(SQLModel, table=True):
    """What a record says in full, canonical JSON. It may be erased on request: then only hash, reason and date stay."""

    __tablename__ = "journal_body"
    __table_args__ = STRICT
    seq: int = Field(primary_key=True, foreign_key="journal.seq")
    body: str | None = Field(default=None, sa_type=Text)
    erased_ms: int | None = Field(default=None, sa_type=Whole)
    erased_reason: str | None = Field(default=None, sa_type=Text)


class Person(SQLModel, table=True):
    """Who acts. Names and addresses stand here and nowhere else; everything else names the opaque id."""

    __table_args__ = STRICT
    id: str = Field(primary_key=True, sa_type=Text)
    name: str | None = Field(default=None, sa_type=Text)
    os_user: str | None = Field(default=None, unique=True, sa_type=Text)
    created_ms: int = Field(sa_type=Whole)
    erased_ms: int | None = Field(default=None, sa_type=Whole)


class Source(SQLModel, table=True):
    """Where imported history comes from: one history for each source, of checks or of outages."""

    __table_args__ = (CheckConstraint("kind IN ('checks', 'outages')", name="kind_is_known"), STRICT)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)
    kind: str = Field(sa_type=Text)


class ImportedCheck(SQLModel, table=True):
    """One check that somebody else made, beside the live ones and never in their place. `verdict` as in raw_check."""

    __tablename__ = "imported_check"
    __table_args__ = (
        CheckConstraint("verdict BETWEEN 0 AND 3", name="verdict_is_known"),
        Index(
            "imported_check_not_up", *("endpoint", "location", "verdict", "at_ms"), sqlite_where=text("verdict <> 0")
        ),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    endpoint: int = Field(primary_key=True, foreign_key="endpoint.number")
    location: int = Field(primary_key=True, foreign_key="location.number")
    at_ms: int = Field(primary_key=True, sa_type=Whole)
    source: int = Field(primary_key=True, foreign_key="source.number")
    verdict: int
    latency_ms: int | None = None
    error: str | None = Field(default=None, sa_type=Text)


class ImportedOutage(SQLModel, table=True):
    """One outage as somebody else reported it. `cause` and `text` are for the client, `note` is internal."""

    __tablename__ = "imported_outage"
    __table_args__ = (
        CheckConstraint("to_ms > from_ms", name="ends_after_it_begins"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    endpoint: int = Field(primary_key=True, foreign_key="endpoint.number")
    location: int = Field(primary_key=True, foreign_key="location.number")
    source: int = Field(primary_key=True, foreign_key="source.number")
    from_ms: int = Field(primary_key=True, sa_type=Whole)
    to_ms: int = Field(primary_key=True, sa_type=Whole)
    cause: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)


class HistoryImport(SQLModel, table=True):
    """One file that was taken in, by its hash. `options` and `counts` are canonical JSON."""

    __tablename__ = "history_import"
    __table_args__ = (Index("history_import_by_file", "sha256"), STRICT)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)
    at_ms: int = Field(sa_type=Whole)
    kind: str = Field(sa_type=Text)  # checks, outages
    source: int = Field(foreign_key="source.number")
    file: str = Field(sa_type=Text)
    sha256: str = Field(sa_type=Text)
    options: str = Field(sa_type=Text)
    counts: str = Field(sa_type=Text)


class Document(SQLModel, table=True):
    """A document as it was handed out, byte for byte: one backup holds all. Never changed, never deleted."""

    __table_args__ = (Index("document_by_subject", "kind", "subject"), STRICT)
    number: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)  # what it is about, by the id of that kind
    name: str = Field(sa_type=Text)  # a file's name
    media_type: str = Field(sa_type=Text)
    created_ms: int = Field(sa_type=Whole)
    sha256: str = Field(sa_type=Text)
    content: bytes = Field(sa_type=LargeBinary)


for _trigger in TRIGGERS:
    _named = _trigger.split(" ON ")[1].split()[0]
    event.listen(
        SQLModel.metadata.tables[_named],
        "after_create",
        DDL(_trigger).execute_if(dialect="sqlite"),  # type: ignore[no-untyped-call]
    )
