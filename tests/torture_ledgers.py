"""Ledgers of some size for the tools to work on: of an older version, and of this one."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from ledger import schema
from ledger.store import open_ledger

DAY_MS = 86_400_000
ENDPOINTS, EVERY_MS, AGE_DAYS = 20, 60_000, 50
OLDER = "0002"
_RAW = "INSERT INTO raw_check (endpoint, location, at_ms, verdict, retry, latency_ms, error, detail)"
_COVERAGE = "INSERT INTO coverage (endpoint, location, source, from_ms, to_ms, reach_ms)"
_OUTAGE = """INSERT INTO "interval" (id, endpoint, location, kind, source, from_ms, to_ms, last_good_ms, first_bad_ms,
confirmed_ms, last_bad_ms, first_good_ms, failed_checks, end_reason, error)
VALUES (?, ?, 1, 'down', 'live', ?, ?, ?, ?, ?, ?, ?, ?, 'recovered', 'http_status')"""


def older_ledger(path: Path, *, now_ms: int, days: int) -> None:
    """A ledger as the version before wrote it: so many days of checks, the first AGE_DAYS ago, outages among them."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, OLDER)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        _fill(connection, now_ms - AGE_DAYS * DAY_MS, days)
    path.chmod(0o600)


def _fill(connection: sqlite3.Connection, from_ms: int, days: int) -> None:
    meta = [("ledger_id", "5" * 32), ("created_ms", str(from_ms))]
    connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", meta)
    connection.execute("INSERT INTO location (number, id) VALUES (1, 'local')")
    for number in range(1, ENDPOINTS + 1):
        connection.execute("INSERT INTO endpoint (number, id) VALUES (?, ?)", (number, f"e{number}"))
        rows = list(_checks(number, from_ms, days))
        connection.executemany(f"{_RAW} VALUES (?, 1, ?, ?, 0, ?, ?, ?)", rows)
        connection.execute(
            f"{_COVERAGE} VALUES (?, 1, 'live', ?, ?, ?)",
            (number, from_ms, from_ms + days * DAY_MS, 3 * EVERY_MS),
        )
        for outage in _outages(number, rows):
            connection.execute(_OUTAGE, outage)
            _tell(connection, outage)


def _checks(number: int, from_ms: int, days: int) -> Iterator[tuple[object, ...]]:
    """One in five hundred begins a trouble of three bad checks."""
    chance = random.Random(number)
    bad = 0
    for at_ms in range(from_ms, from_ms + days * DAY_MS, EVERY_MS):
        bad = bad - 1 if bad else 3 * (chance.random() < 1 / 500)
        if bad:
            yield (number, at_ms, 2, None, "http_status", "status 503")
        else:
            yield (number, at_ms, 0, chance.randrange(20, 200), None, None)


def _outages(number: int, rows: list[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    verdicts = [(row[1], row[2]) for row in rows]
    place = 1
    while place < len(verdicts) - 3:
        if verdicts[place][1] == 2:
            bad = [at for at, verdict in verdicts[place : place + 3] if verdict == 2]
            end = verdicts[place + len(bad)][0]
            if len(bad) >= 2:
                bounds = (bad[0], end, verdicts[place - 1][0], bad[0], bad[1], bad[-1], end, len(bad))
                yield (f"O-{number:02d}{place:06d}", number, *bounds)
            place += len(bad)
        place += 1


def _tell(connection: sqlite3.Connection, outage: tuple[object, ...]) -> None:
    insert = "INSERT INTO event (id, kind, at_ms, outage, body) VALUES (?, ?, ?, ?, '{}')"
    connection.execute(insert, (f"{outage[0]}.opened", "outage.opened", outage[6], outage[0]))
    connection.execute(insert, (f"{outage[0]}.closed", "outage.closed", outage[3], outage[0]))


def migrated(path: Path, *, now_ms: int) -> None:
    """Bring it to this version."""
    open_ledger(path, at_ms=now_ms, migrate=True).close()
    for copy in path.parent.glob(f"{path.name}.before-*"):
        copy.unlink()
