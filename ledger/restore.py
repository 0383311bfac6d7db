"""A backup in the place of the ledger: copied beside it, verified, put on record, and only then moved there.

A kill at any moment leaves the old ledger or the new one at the path, whole. The old one is kept beside it. Its log is
folded in first, for a log that stays behind would be read into the new database and break it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger import journal
from ledger.copying import contents_of, copy_database, opened_at_rest, sync
from ledger.errors import (
    DamagedDatabase,
    DatabaseLocked,
    LedgerError,
    NewerDatabase,
    NoFolder,
    NotADatabase,
    naming,
    of_sqlite,
)
from ledger.lease import lease
from ledger.opening import BESIDE, beside, engine_for, give_to_owner_of, is_there, use_wal
from ledger.persons import os_user
from ledger.progress import Progress, silent
from ledger.query import first_row, run
from ledger.schema import CURRENT, REVISIONS
from ledger.soundness import Finding, check_database
from ledger.store import Ledger

_STAGED = ".restoring"
_SPARED = "-spared"  # a second name of the present log
_READ = 1 << 20


class UnsoundBackup(LedgerError):
    """{where}: this backup is not sound; look at it with `nines --db {where} db check` and take an earlier one"""


class BackupOfAnother(LedgerError):
    """{where}: this is a backup of another ledger; --other-ledger takes it all the same"""


class LedgerInUse(DatabaseLocked):
    """{where}: another process has the ledger open; end it (`fuser {where}` names it) and restore again"""


@dataclass(frozen=True, slots=True)
class Head:
    """The journal's newest record, where it can be read."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Present:
    """What stands at the path now. `damaged`: it cannot be opened, and so its id may not be known."""

    there: bool
    damaged: bool = False
    ledger_id: str | None = None
    head: Head | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: `kept` is where the ledger that was replaced is now."""

    path: Path
    kept: Path | None
    record: journal.Head


@dataclass(frozen=True, slots=True)
class Plan:
    """A backup that was copied and verified, ready to be placed. Nothing was replaced so far."""

    source: Path
    database: Path
    staged: Path
    sha256: str
    ledger_id: str
    revision: str
    rows: int
    head: Head | None
    present: Present
    findings: Sequence[Finding]

    @property
    def is_older(self) -> bool:
        """Whether the next start has to migrate it."""
        return self.revision != CURRENT

    @property
    def shortens(self) -> bool:
        """Whether the chain becomes shorter than it is: anchors made since then tell so."""
        before, after = self.present.head, self.head
        return before is not None and (after is None or after.seq < before.seq or after.hash != before.hash)

    def place(self, *, at_ms: int, login: str) -> Restored:
        """Put the restore on record in it and move it to its place. `login` is who does it."""
        record = _put_on_record(self, at_ms=at_ms, login=login)
        kept = _kept(self.database, at_ms) if self.present.there else None
        with ExitStack() as held:
            if kept is not None:
                _keep_old(self, kept, held)
            else:
                _move_logs(self.database, beside(self.database, f".left-{_stamp(at_ms)}"))
            os.replace(self.staged, self.database)
            sync(self.database.parent)
        return Restored(self.database, kept, record)


@contextmanager
def restoring(
    source: Path, database: Path, *, at_ms: int, other_ledger: bool = False, progress: Progress = silent
) -> Iterator[Plan]:
    """Copy and verify a backup under the lease of `database`; what was not placed by the end of the block is removed.

    Raises LeaseHeld or LedgerInUse where somebody is at work, UnsoundBackup, BackupOfAnother, NewerDatabase.
    """
    source = source.expanduser().absolute()
    is_there(source, create=False)
    if not database.parent.is_dir():
        raise NoFolder(str(database.parent))
    staged = beside(database, _STAGED)
    with lease(database, doing="restores"):
        _remove_staged(database, staged)
        try:
            present = _present(database, staged)
            plan = _stage(source, database, staged, present, at_ms, progress)
            if present.ledger_id not in (None, plan.ledger_id) and not other_ledger:
                words = f"{source}: this is a backup of ledger {plan.ledger_id}, and {database} is {present.ledger_id}"
                raise BackupOfAnother(str(source), f"{words}; --other-ledger takes it all the same")
            yield plan
        finally:
            _remove_staged(database, staged)


def _stage(source: Path, database: Path, staged: Path, present: Present, at_ms: int, progress: Progress) -> Plan:
    sha256 = _sha256(source)
    with opened_at_rest(source) as connection:
        contents = contents_of(connection, progress)
        if contents.ledger_id is None:
            raise NotADatabase(str(source))
        if contents.revision not in REVISIONS:
            raise NewerDatabase(str(source))
        copy_database(connection, staged, thorough=False, replace=True, progress=progress)
    with naming(staged), closing(sqlite3.connect(staged, isolation_level=None)) as connection:
        use_wal(connection)
    with _opened(staged, contents.ledger_id) as ledger:
        findings = check_database(ledger, at_ms=at_ms, progress=progress)
        bad = [finding for finding in findings if finding.state == "bad"]
        if bad:
            words = "; ".join(f"{finding.subject}: {finding.found}" for finding in bad)
            raise UnsoundBackup(str(source), f"{source}: this backup is not sound ({words}); take an earlier one")
        head, rows = _head(ledger), sum(contents.rows.values())
    named = (contents.ledger_id, contents.revision, rows, head)
    return Plan(source, database, staged, sha256, *named, present, findings)


@contextmanager
def _opened(path: Path, ledger_id: str) -> Iterator[Ledger]:
    """A ledger of any revision, not migrated: its journal is the same in all of them."""
    with Ledger(path, engine_for(path), ledger_id) as ledger:
        yield ledger


def _head(ledger: Ledger) -> Head | None:
    with ledger.read() as connection:
        row = first_row(connection, "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
    return None if row is None else Head(row.seq, row.hash)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_READ):
            digest.update(part)
    return digest.hexdigest()


def _present(database: Path, staged: Path) -> Present:
    """What the path holds. Raises LedgerInUse where another process has it open."""
    if not database.exists() or database.stat().st_size == 0:
        return Present(there=database.exists())
    log, spared = beside(database, "-wal"), beside(staged, _SPARED)
    if log.exists():
        os.link(log, spared)  # SQLite takes the log of a file away that it cannot read
    try:
        with _using(database), closing(_alone(database)) as connection:
            ledger_id = connection.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone()
            row = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    except DamagedDatabase:
        return Present(there=True, damaged=True)
    spared.unlink(missing_ok=True)
    return Present(True, False, ledger_id and str(ledger_id[0]), Head(*row) if row else None)


def _alone(database: Path) -> sqlite3.Connection:
    """A connection beside which there is no other one, of any process. Errors of the driver, unnamed."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=0.5)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        connection.execute("COMMIT")  # the lock stays with the connection
    except BaseException:
        connection.close()
        raise
    return connection


def _put_on_record(plan: Plan, *, at_ms: int, login: str) -> journal.Head:
    """The record `restore` in the copy, and the copy on disk without anything beside it."""
    body: dict[str, Any] = {
        "sha256": plan.sha256,
        "before": _as_data(plan.present.head),
        "after": _as_data(plan.head),
        "replaced_ledger": plan.present.ledger_id,
    }
    with _opened(plan.staged, plan.ledger_id) as ledger:
        actor = os_user(ledger, login, at_ms=at_ms)
        with ledger.decide() as connection:
            run(connection, "DELETE FROM meta WHERE key = 'last_backup_ms'")
            record = journal.append(connection, at_ms=at_ms, actor=actor, action="restore", subject="ledger", body=body)
    if any(beside(plan.staged, suffix).exists() for suffix in BESIDE):
        raise DamagedDatabase(str(plan.staged))  # closing the last connection folds the log in
    give_to_owner_of(plan.database if plan.present.there else plan.database.parent, plan.staged)
    sync(plan.staged)
    return record


def _as_data(head: Head | None) -> dict[str, Any] | None:
    return None if head is None else {"seq": head.seq, "hash": head.hash}


def _stamp(at_ms: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at_ms / 1000))


def _kept(database: Path, at_ms: int) -> Path:
    """A name that nothing has yet."""
    name = beside(database, f".replaced-{_stamp(at_ms)}")
    number = 1
    while name.exists():
        number += 1
        name = beside(database, f".replaced-{_stamp(at_ms)}-{number}")
    return name


def _keep_old(plan: Plan, kept: Path, held: ExitStack) -> None:
    """Give the present file a second name, under which it stays. Nobody opens it until `held` ends.

    Folding its log in leaves it in the mode without one: whoever waits to open it meanwhile finds no log to read from
    a name that is the new ledger's by then, and SQLite refuses to write into a file that was moved.
    """
    database = plan.database
    if plan.present.damaged:  # it is kept as it is, with its log
        _move_logs(database, kept)
        if (spared := beside(plan.staged, _SPARED)).exists():
            os.replace(spared, beside(kept, "-wal"))
    else:
        with _using(database):
            connection = held.enter_context(closing(_alone(database)))
            if connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
                raise LedgerInUse(str(database))
    try:
        os.link(database, kept)
    except OSError as error:
        words = f"{database}: its file system gives a file no second name ({error.strerror}); move it away by hand"
        raise LedgerError(str(database), f"{words}, and restore again") from error
    sync(database.parent)


@contextmanager
def _using(database: Path) -> Iterator[None]:
    """A lock of another process is its use of the ledger; whatever else goes wrong is a damaged file."""
    try:
        yield
    except sqlite3.Error as error:
        if isinstance(of_sqlite(error, ""), DatabaseLocked):
            raise LedgerInUse(str(database)) from error
        raise DamagedDatabase(str(database)) from error


def _move_logs(database: Path, kept: Path) -> None:
    """What SQLite left beside a database that is damaged or gone goes with it."""
    for suffix in BESIDE:
        if beside(database, suffix).exists():
            os.replace(beside(database, suffix), beside(kept, suffix))
    sync(database.parent)


def _remove_staged(database: Path, staged: Path) -> None:
    """What this or an earlier try left: the copy, its log, and a second name of a ledger that was not replaced."""
    for suffix in ("", *BESIDE, _SPARED):
        beside(staged, suffix).unlink(missing_ok=True)
    for twin in database.parent.glob(f"{database.name}.replaced-*"):
        if database.exists() and twin.samefile(database):
            twin.unlink()
