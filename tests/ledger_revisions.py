"""Ledgers as earlier versions left them, with a row in every table, and what a database holds for comparing."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ledger_scenes import MINUTE, T0

from ledger.journal import PROGRAM, append
from ledger.opening import engine_for, make_private, use_wal
from ledger.schema import upgrade
from ledger.store import Ledger

ID = "ab" * 16
FIRST = f"""
INSERT INTO meta VALUES ('ledger_id', '{ID}'), ('created_ms', '{T0}');
INSERT INTO endpoint VALUES (7, 'api'), (8, 'shop');
INSERT INTO location VALUES (3, 'local');
INSERT INTO person VALUES ('P-1', 'A. Person', 'operator', {T0}, NULL);
INSERT INTO definition VALUES (1, 'endpoint', 'api', {T0}, '{{"url":"http://127.0.0.1/"}}');
INSERT INTO "window" VALUES (1, 'M-11111', 'nightly', {T0}, {T0 + MINUTE}, {T0 - 9}, '[["endpoint","api"]]', 'Nightly');
INSERT INTO acceptance VALUES (1, 'sample', 1, 'announced in time', {T0});
INSERT INTO coverage VALUES (1, 7, 3, 'live', {T0}, {T0 + MINUTE}, 130000), (2, 7, 3, 'live', {T0 + MINUTE}, NULL, 1);
INSERT INTO "interval" VALUES (1, 'O-11111', 7, 3, 'down', 'live', {T0 + 1}, {T0 + 2}, {T0}, {T0 + 1}, {T0 + 1},
  {T0 + 1}, {T0 + 2}, 2, 'recovered', 'http_status', 'hardware', 'for the client'),
  (2, 'O-22222', NULL, 3, 'off', 'live', {T0 + 5}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO exclusion VALUES (1, 'X-11111', 'endpoint', 'api', NULL, {T0}, {T0 + 2}, 'client', '4.2', 'theirs', 'why',
  'mail', 'P-1', {T0}, 'P-1', {T0}, NULL, NULL);
INSERT INTO event VALUES (1, 'E-11111', 'opened', {T0 + 1}, 'O-11111', '{{}}');
INSERT INTO delivery VALUES (1, 1, 'ops', 'sent', 1, {T0}, {T0 + 1}, NULL);
INSERT INTO life VALUES (1, 'boot-1', 3, {T0}, {T0 + MINUTE}, NULL);
INSERT INTO raw_check (endpoint, location, at_ms, verdict, retry, latency_ms, error, phases, detail) VALUES
  (7, 3, {T0}, 0, 0, 120, NULL, '{{"dns":5}}', NULL), (7, 3, {T0 + 1}, 2, 0, NULL, 'http_status', NULL, 'status 503'),
  (7, 3, {T0 + 2}, 0, 1, 90, NULL, NULL, NULL), (8, 3, {T0}, 3, 0, NULL, 'prober_error', NULL, NULL);
"""
SECOND = f"""
INSERT INTO source VALUES (1, 'gatus', 'checks'), (2, 'provider', 'outages');
INSERT INTO imported_check VALUES (7, 3, {T0}, 1, 2, NULL, 'timeout');
INSERT INTO imported_outage VALUES (7, 3, 2, {T0}, {T0 + 9}, 'network', 'for the client', 'internal');
INSERT INTO history_import VALUES (1, 'I-11111', {T0}, 'checks', 1, 'a.jsonl', 'ff', '{{}}', '{{}}');
"""
ROWS = {"0001": FIRST, "0002": FIRST + SECOND}
_MORE = f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO raw_check (endpoint, location, at_ms, verdict, retry, latency_ms) SELECT 8, 3, {T0} + i, 0, 0, 100 FROM n"""


def old_ledger(path: Path, revision: str, *, more_checks: int = 0) -> Path:
    """A ledger of an earlier revision, made by its own migrations, without incremental vacuum as they made it."""
    make_private(path)
    engine = engine_for(path)
    with Ledger(path, engine, ID) as ledger:
        with ledger.decide() as connection:
            upgrade(connection, revision)
        with closing(sqlite3.connect(path)) as raw:
            use_wal(raw)
            raw.executescript(ROWS[revision])
            if more_checks:
                raw.execute(_MORE, (more_checks,))
                raw.commit()
        with ledger.decide() as connection:
            for number in range(3):
                append(connection, at_ms=T0, actor=PROGRAM, action="config load", subject="config", body={"n": number})
    return path


def schema_of(path: Path) -> dict[str, object]:
    """Everything in the database by name; the constraints of a table in any order, its columns in theirs."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        columns = {name: connection.execute(f'PRAGMA table_xinfo("{name}")').fetchall() for name, _, _ in rows}
    return {
        name: (
            kind,
            sorted(re.split(r", (?=[A-Z])| (?=\) [SW])", " ".join(sql.split()))) if kind == "table" else sql,
            columns[name],
        )
        for name, kind, sql in rows
        if name != "alembic_version"
    }


def data_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, by column."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return {
            name: sorted((dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')), key=repr)
            for (name,) in names
        }


def asked(path: Path, question: str) -> Any:
    """The first value of the first row."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]
