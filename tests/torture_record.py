"""What stands in the ledger's tables, read without the product's code, and whether the file is sound."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UP, DEGRADED, DOWN, UNKNOWN = range(4)
OVERLAPS = """SELECT a.id, b.id FROM "interval" AS a JOIN "interval" AS b USING (endpoint, location, kind, source)
WHERE a.number <> b.number AND (a.from_ms < b.from_ms OR (a.from_ms = b.from_ms AND a.number < b.number))
AND (a.to_ms IS NULL OR a.to_ms > b.from_ms)"""
HALF = {
    "an outage without the event that tells of it": """SELECT id FROM "interval" AS i WHERE kind IN ('down', 'degraded')
AND NOT EXISTS (SELECT 1 FROM event AS e WHERE e.id = i.id || '.opened')""",
    "an outage that ended without the event that tells so": """SELECT id FROM "interval" AS i WHERE to_ms IS NOT NULL
AND kind IN ('down', 'degraded') AND NOT EXISTS (SELECT 1 FROM event AS e WHERE e.id = i.id || '.closed')""",
    "an event that tells of an outage that is not there": """SELECT id FROM event AS e
WHERE outage IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "interval" AS i WHERE i.id = e.outage)""",
    "an event that says closed of an outage still open": """SELECT e.id FROM event AS e JOIN "interval" AS i
ON i.id = e.outage WHERE e.kind = 'outage.closed' AND i.to_ms IS NULL""",
    "two open outages of one endpoint": """SELECT endpoint FROM "interval" WHERE to_ms IS NULL
GROUP BY endpoint, location, kind, source HAVING count(*) > 1""",
    "two open stretches of coverage of one endpoint": """SELECT endpoint FROM coverage WHERE to_ms IS NULL
GROUP BY endpoint, location, source HAVING count(*) > 1""",
    "evidence of a check that is not there": """SELECT endpoint, at_ms FROM check_evidence AS v WHERE NOT EXISTS
(SELECT 1 FROM raw_check AS c WHERE (c.endpoint, c.location, c.at_ms) = (v.endpoint, v.location, v.at_ms))""",
    "outages that overlap": OVERLAPS,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One check on record."""

    at_ms: int
    verdict: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Booked:
    """One outage on record."""

    id: str
    from_ms: int
    to_ms: int | None
    last_good_ms: int | None
    first_bad_ms: int | None
    confirmed_ms: int | None
    last_bad_ms: int | None
    first_good_ms: int | None
    failed_checks: int | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Stamps:
    """One life of the daemon as it stamped it."""

    started_ms: int
    stamp_ms: int
    stopped_ms: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """All that the comparison needs. `events` maps the id of an event to the number of rows with it."""

    checks: dict[str, list[Row]]
    outages: dict[str, list[Booked]]
    lives: list[Stamps]
    events: dict[str, int]
    told: dict[str, list[tuple[str, int]]]  # (id, at_ms) of the events of each endpoint, in the order of writing


def read(database: Path) -> Record:
    with closing(_open(database)) as connection:
        return Record(
            checks=_by_endpoint(connection, Row, _CHECKS),
            outages=_by_endpoint(connection, Booked, _OUTAGES),
            lives=[Stamps(*row) for row in connection.execute(_LIVES)],
            events=dict(connection.execute("SELECT id, count(*) FROM event GROUP BY id").fetchall()),
            told=_by_endpoint(connection, _pair, _EVENTS),
        )


def is_made(database: Path) -> bool:
    """Whether there is a ledger: a kill may come before its tables are made, all in one transaction."""
    if not database.exists():
        return False
    with closing(_open(database)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'event'").fetchone() is not None


def unsound(database: Path) -> list[str]:
    """What is wrong with the file or half in it, one line each."""
    with closing(_open(database)) as connection:
        return [*_damage(connection), *_halves(connection)]


def events(database: Path) -> dict[str, int]:
    with closing(_open(database)) as connection:
        return dict(connection.execute("SELECT id, count(*) FROM event GROUP BY id").fetchall())


_CHECKS = """SELECT e.id, c.at_ms, c.verdict, v.error FROM raw_check AS c JOIN endpoint AS e ON e.number = c.endpoint
LEFT JOIN check_evidence AS v USING (endpoint, location, at_ms) ORDER BY e.id, c.at_ms"""
_OUTAGES = """SELECT e.id, i.id, i.from_ms, i.to_ms, i.last_good_ms, i.first_bad_ms, i.confirmed_ms, i.last_bad_ms,
i.first_good_ms, i.failed_checks, i.end_reason FROM "interval" AS i JOIN endpoint AS e ON e.number = i.endpoint
WHERE i.kind = 'down' ORDER BY e.id, i.from_ms"""
_LIVES = "SELECT started_ms, stamp_ms, stopped_ms FROM life ORDER BY started_ms, number"


_EVENTS = "SELECT json_extract(body, '$.endpoint'), id, at_ms FROM event ORDER BY number"


def _pair(id: str, at_ms: int) -> tuple[str, int]:
    return id, at_ms


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=30)


def _by_endpoint(connection: sqlite3.Connection, kind: Any, query: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for endpoint, *values in connection.execute(query):
        found.setdefault(endpoint, []).append(kind(*values))
    return found


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"integrity_check: {line}"
    for row in connection.execute("PRAGMA foreign_key_check"):
        yield f"foreign_key_check: {row}"


def _halves(connection: sqlite3.Connection) -> Iterator[str]:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for what, query in HALF.items():
        if "check_evidence" in query and "check_evidence" not in tables:
            continue  # an older version kept it in raw_check
        rows = connection.execute(query).fetchmany(3)
        if rows:
            yield f"{what}: {', '.join(map(str, rows))}"
