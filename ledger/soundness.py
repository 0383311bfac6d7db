"""Whether a ledger is sound: every thing that is examined gives one finding, good or bad.

It reads one snapshot beside a running daemon. A damaged file makes findings, never a traceback.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

from ledger import journal_check, tables
from ledger.errors import DamagedDatabase, DiskFailing, NotADatabase
from ledger.networks import mount_of
from ledger.progress import Progress, alive, silent
from ledger.query import run
from ledger.schema import CURRENT
from ledger.store import Ledger

State = Literal["ok", "warning", "bad"]
RESTORE = "keep a copy of the file, then `nines db restore` the last good backup"
TELL = "keep a copy of the file and report it: the program should never write this"
_SHOWN = 5  # of the rows at fault; the rest is a number
_SLACK_MS = 60_000  # a clock that is set is not a fault
_DAMAGE = (DamagedDatabase, DiskFailing, NotADatabase, SQLAlchemyError, sqlite3.Error, ValueError, TypeError)
_END = "COALESCE(to_ms, 9223372036854775807)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: its state, what was found, and what to do where it is not good."""

    subject: str
    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """No row may come of `sql`; each that does names itself in its first column. Needs `tables` to be asked."""

    subject: str
    tables: tuple[str, ...]
    sql: str
    good: str
    bad: str
    state: State = "bad"
    advice: str = TELL


def _overlaps(table: str, same: str, name: str, where: str) -> str:
    """Rows that begin before an earlier one of the same things has ended; one that is open never ends."""
    return f"""SELECT {name} FROM (SELECT *, MAX({_END}) OVER (PARTITION BY {same} ORDER BY from_ms, number
ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_ms FROM "{table}" WHERE {where})
WHERE before_ms > from_ms"""


RULES = (
    Rule(
        "outages",
        ("interval",),
        _overlaps("interval", "endpoint, location, source, kind", "id", "1"),
        *(
            "none overlaps another of its kind",
            "overlap an earlier one of the same endpoint, location, source and kind",
        ),
    ),
    Rule(
        "coverage",
        ("coverage",),
        _overlaps("coverage", "endpoint, location", "'coverage ' || number", "source = 'live'"),
        *("no stretch overlaps another", "overlap an earlier stretch of the same endpoint and location"),
    ),
    Rule(
        "bounds",
        ("interval", "coverage"),
        """SELECT id FROM "interval" WHERE to_ms < from_ms UNION ALL
SELECT 'coverage ' || number FROM coverage WHERE to_ms < from_ms""",
        *("everything ends after it begins", "end before they begin"),
    ),
    Rule(
        "future",
        ("interval",),
        'SELECT id FROM "interval" WHERE from_ms > :soon_ms OR to_ms > :soon_ms',
        *("nothing is said of the future", "lie in the future"),
        state="warning",
        advice="the machine's clock is wrong, or was: look at `timedatectl`",
    ),
    Rule(
        "deliveries",
        ("delivery", "event"),
        "SELECT 'delivery ' || number FROM delivery WHERE event NOT IN (SELECT number FROM event)",
        *("each has its event", "have no event"),
    ),
    Rule(
        "events",
        ("event", "interval"),
        'SELECT id FROM event WHERE outage IS NOT NULL AND outage NOT IN (SELECT id FROM "interval")',
        *("each outage that one names is there", "name an outage that is not there"),
    ),
    Rule(
        "evidence",
        ("check_evidence", "raw_check"),
        """SELECT 'evidence at ' || e.at_ms FROM check_evidence AS e WHERE NOT EXISTS (SELECT 1 FROM raw_check AS c
WHERE c.endpoint = e.endpoint AND c.location = e.location AND c.at_ms = e.at_ms)""",
        *("each has its check", "have no check"),
    ),
    Rule(
        "roll-ups",
        ("rolled_day", "raw_check"),
        """SELECT 'day ' || d.day || ' of endpoint ' || d.endpoint FROM rolled_day AS d WHERE d.pruned = 0
AND d.checks <> (SELECT COUNT(*) FROM raw_check AS c WHERE c.endpoint = d.endpoint AND c.location = d.location
AND c.at_ms >= d.day * 86400000 AND c.at_ms < (d.day + 1) * 86400000)""",
        *("each day says what its raw checks say", "differ from their raw checks"),
        state="warning",
        advice="late checks: `nines db prune` rolls young days up again, and an older one before its checks go",
    ),
    Rule(
        "bodies",
        ("journal_body", "journal"),
        "SELECT 'body ' || seq FROM journal_body WHERE seq NOT IN (SELECT seq FROM journal)",
        *("each has its record in the journal", "have no record in the journal"),
    ),
)


def check(ledger: Ledger, *, at_ms: int, progress: Progress = silent) -> list[Finding]:
    """Everything, one finding each. `at_ms` is now."""
    return [*check_database(ledger, at_ms=at_ms, progress=progress), *check_file(ledger.path)]


def check_database(ledger: Ledger, *, at_ms: int, progress: Progress = silent) -> list[Finding]:
    """What stands in the database, wherever its file lies."""
    examined: list[tuple[str, Callable[[Connection], Finding]]] = [
        ("database", lambda connection: _integrity(connection, progress)),
        ("keys", lambda connection: _keys(connection, progress)),
        ("tables", _tables),
        *((rule.subject, partial(_judge, rule=rule, at_ms=at_ms, progress=progress)) for rule in RULES),
        ("documents", lambda connection: _documents(connection, progress)),
    ]
    findings = []
    try:
        with ledger.read() as connection:
            for subject, examine in examined:
                findings.append(_named(subject, partial(examine, connection)))
    except _DAMAGE as error:
        findings.append(_unreadable("database", error))
    progress("journal", 0, 0)
    return [*findings, _named("journal", partial(_journal, ledger))]


def _named(subject: str, examine: Callable[[], Finding]) -> Finding:
    """Whatever a damaged file does to the one who reads it is what was found."""
    try:
        return examine()
    except _DAMAGE as error:
        return _unreadable(subject, error)


def _unreadable(subject: str, error: Exception) -> Finding:
    cause = getattr(error, "orig", None) or error.__cause__ or error
    return Finding(subject, "bad", f"cannot be read: {' '.join(str(cause).split())}", RESTORE)


def _driver(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def _integrity(connection: Connection, progress: Progress) -> Finding:
    with alive(_driver(connection), progress, "integrity"):
        said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    if said == ["ok"]:
        return Finding("database", "ok", "every page, row and index is whole")
    return Finding("database", "bad", _some(" ".join(line.split()) for line in said), RESTORE)


def _keys(connection: Connection, progress: Progress) -> Finding:
    with alive(_driver(connection), progress, "keys"):
        rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if not rows:
        return Finding("keys", "ok", "every row that is referred to is there")
    return Finding("keys", "bad", _some(f"{row[0]} refers to a {row[2]} that is not there" for row in rows), TELL)


def _tables(connection: Connection) -> Finding:
    revision = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
    missing = set(SQLModel.metadata.tables) - _there(connection) if revision == CURRENT else set()
    if missing:
        return Finding("tables", "bad", f"{', '.join(sorted(missing))}: missing", RESTORE)
    return Finding("tables", "ok", f"of revision {revision}")


def _there(connection: Connection) -> set[str]:
    assert tables.STRICT  # imported for what it registers
    return {str(row[0]) for row in connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def _judge(connection: Connection, *, rule: Rule, at_ms: int, progress: Progress) -> Finding:
    if not set(rule.tables) <= _there(connection):
        return Finding(rule.subject, "ok", "this revision has none")
    values: dict[str, Any] = {"soon_ms": at_ms + _SLACK_MS} if ":soon_ms" in rule.sql else {}
    with alive(_driver(connection), progress, rule.subject):
        rows = [str(row[0]) for row in run(connection, rule.sql, **values)]
    if not rows:
        return Finding(rule.subject, "ok", rule.good)
    return Finding(rule.subject, rule.state, f"{_some(rows)}: {rule.bad}", rule.advice)


def _documents(connection: Connection, progress: Progress) -> Finding:
    if "document" not in _there(connection):
        return Finding("documents", "ok", "this revision has none")
    wrong, count = [], 0
    total = int(connection.exec_driver_sql("SELECT COUNT(*) FROM document").scalar_one())
    for count, row in enumerate(_each_document(connection), 1):
        progress("documents", count, total)
        if hashlib.sha256(row.content).hexdigest() != row.sha256:
            wrong.append(str(row.id))
    if wrong:
        return Finding("documents", "bad", f"{_some(wrong)}: no longer what was stored", RESTORE)
    return Finding("documents", "ok", f"{count}, each as it was stored")


def _each_document(connection: Connection) -> Iterator[Any]:
    """One at a time: a year of PDFs does not fit into memory."""
    for (number,) in connection.exec_driver_sql("SELECT number FROM document ORDER BY number").all():
        yield from run(connection, "SELECT id, sha256, content FROM document WHERE number = :number", number=number)


def _journal(ledger: Ledger) -> Finding:
    found = journal_check.verify(ledger)
    if found.sound:
        words = f"{found.records} records; no accident found; `nines journal verify` says what that proves"
        return Finding("journal", "ok", words)
    return Finding("journal", "bad", _some(found.problems), "`nines journal verify` lists all; " + RESTORE)


def check_file(path: Path) -> list[Finding]:
    """The file itself: who may read it, where it lies, whether it has one name."""
    return [_mode(path), _place(path), _name(path)]


def _mode(path: Path) -> Finding:
    loose = [
        found for end in ("", "-wal", "-shm", ".lock") if (found := path.with_name(path.name + end)).exists()
        and found.stat().st_mode & 0o077
    ]  # fmt: skip
    if loose:
        words = f"others may read or write {', '.join(file.name for file in loose)}"
        return Finding("mode", "warning", words, f"chmod 600 {' '.join(str(file) for file in loose)}")
    return Finding("mode", "ok", "only its owner reads it")


def _place(path: Path) -> Finding:
    mount = mount_of(path)
    if mount is not None and mount.remote:
        words = f"{mount.point} is a network file system ({mount.kind}): its locks and syncs may not hold"
        return Finding("place", "warning", words, "move the ledger to a local disk while the daemon is stopped")
    return Finding("place", "ok", f"a local file system ({mount.kind})" if mount else "the system does not tell")


def _name(path: Path) -> Finding:
    if path.stat().st_nlink == 1:
        return Finding("name", "ok", "the file has one name")
    twins = [str(twin) for twin in path.parent.glob(f"{path.name}.*") if twin.samefile(path)]
    words = f"the file has another name ({', '.join(twins) or 'elsewhere'}): whoever opens it by that one breaks it"
    return Finding("name", "bad", words, f"rm {' '.join(twins)}" if twins else "find it with `find / -samefile`")


def _some(rows: Iterator[str] | Sequence[str]) -> str:
    """The first few, and how many more."""
    rows = list(rows)
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return "; ".join(islice(rows, _SHOWN)) + more
