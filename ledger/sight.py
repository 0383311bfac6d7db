"""What concerns a whole location: time in which nothing could be seen, a clock that stepped, notices to operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection

from ledger.identity import short_id
from ledger.journal import canonical
from ledger.query import run, scalar

Unseeing: TypeAlias = Literal["blind", "off", "clock_step"]
_INSERT = """INSERT INTO "interval" (id, endpoint, location, kind, source, from_ms, to_ms, error)
VALUES (:id, NULL, :location, :kind, :source, :from_ms, :to_ms, :error)"""
_CLOSE = """UPDATE "interval" SET to_ms = CASE WHEN from_ms > :to_ms THEN from_ms ELSE :to_ms END
WHERE endpoint IS NULL AND location = :location AND kind = :kind AND source = :source AND to_ms IS NULL"""
_MOVE = """UPDATE "interval" SET from_ms = from_ms + :by, last_good_ms = last_good_ms + :by,
first_bad_ms = first_bad_ms + :by, confirmed_ms = confirmed_ms + :by, last_bad_ms = last_bad_ms + :by
WHERE endpoint IS :endpoint AND location = :location AND source = :source AND to_ms IS NULL"""


@dataclass(frozen=True, slots=True)
class Unseen:
    """From `from_ms` on nothing could be seen from this location; `to_ms` None: it lasts.

    A clock step is on record with no length: what it leaves unread, the coverage of each endpoint says.
    """

    kind: Unseeing
    from_ms: int
    to_ms: int | None
    error: str

    @property
    def at_ms(self) -> int:
        return self.from_ms if self.to_ms is None else self.to_ms


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """What was unseen of that kind ends."""

    kind: Unseeing
    at_ms: int


@dataclass(frozen=True, slots=True)
class Moved:
    """The clock stepped: what is open moves by so much, what is closed stays. `at_ms` by the clock after it."""

    by_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Told to operations once, as an event `prober.<what>`."""

    what: str
    at_ms: int
    body: Mapping[str, Any] = field(default_factory=dict)


Sight: TypeAlias = Unseen | SeenAgain | Moved | Notice


def write_sight(connection: Connection, ledger_id: str, told: Sight, key: Mapping[str, Any]) -> list[str]:
    """Write one of them for an endpoint, or for the location where `key`'s endpoint is None; the ids of its events."""
    match told:
        case Unseen():
            _insert(connection, ledger_id, told, key)
        case SeenAgain():
            where = {name: key[name] for name in ("location", "source")}
            run(connection, _CLOSE, **where, kind=told.kind, to_ms=told.at_ms)
        case Moved():
            run(connection, _MOVE, **key, by=told.by_ms)
        case Notice():
            return [_tell(connection, ledger_id, told, key)]
    return []


def _insert(connection: Connection, ledger_id: str, unseen: Unseen, key: Mapping[str, Any]) -> None:
    def taken(id: str) -> bool:
        return scalar(connection, 'SELECT 1 FROM "interval" WHERE id = :id', id=id) is not None

    where = {name: key[name] for name in ("location", "source")}
    run(
        connection,
        _INSERT,
        **where,
        id=short_id("O", ledger_id, *where.values(), unseen.kind, unseen.from_ms, taken=taken),
        kind=unseen.kind,
        from_ms=unseen.from_ms,
        to_ms=unseen.to_ms,
        error=unseen.error,
    )


def _tell(connection: Connection, ledger_id: str, notice: Notice, key: Mapping[str, Any]) -> str:
    def taken(id: str) -> bool:
        return scalar(connection, "SELECT 1 FROM event WHERE id = :id", id=id) is not None

    id = short_id("P", ledger_id, key["location"], notice.what, notice.at_ms, taken=taken)
    insert = "INSERT INTO event (id, kind, at_ms, outage, body) VALUES (:id, :kind, :at_ms, NULL, :body)"
    run(connection, insert, id=id, kind=f"prober.{notice.what}", at_ms=notice.at_ms, body=canonical(dict(notice.body)))
    return id
