"""From an older ledger, or from none, to one of this version.

A copy first (`nines.db.before-0003`), then each revision in a transaction of its own together with its record: a kill
at any moment leaves a ledger of one revision or the next, and the next try goes on from there. It is done under the
daemon's lease, so that nobody observes into a ledger that changes below him, and of two who migrate one waits.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sqlite3
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ledger.copying import Contents, contents_of, copy_database, opened_at_rest, require_room, size_of
from ledger.errors import (
    DamagedDatabase,
    DatabaseLocked,
    DiskFull,
    LedgerError,
    NewerDatabase,
    NoDatabase,
    NotADatabase,
    OlderDatabase,
    naming,
)
from ledger.lease import LeaseHeld, lease
from ledger.opening import DECIDING, driver, use_wal
from ledger.progress import Progress, alive
from ledger.schema import CURRENT, REVISIONS, pending, revision_of, upgrade

log = logging.getLogger("nines.ledger")

ROOM = 4  # times its size: the copy, each table anew in the log, and the file grown by them as the log is folded in
_INCREMENTAL = 2  # PRAGMA auto_vacuum
_LOOK_AGAIN_S = 0.05
_SURE_AFTER_S = 1.0  # a lock file may name for a moment who held it before


def bring_to_version(
    engine: Engine, path: Path, *, at_ms: int, create: bool, migrate: bool, progress: Progress
) -> None:
    """Create or migrate where that is wanted and needed; else raise what the ledger is instead."""
    found = _found(engine, path)
    if found == "" and create:
        _create(engine, at_ms)
    elif not found:
        raise NotADatabase(str(path)) if found is None else NoDatabase(str(path))
    elif found not in REVISIONS:
        raise NewerDatabase(str(path))
    elif migrate:
        _migrate(engine, path, progress)
    elif found != CURRENT:
        raise OlderDatabase(str(path))


def _found(engine: Engine, path: Path) -> str | None:
    try:
        with engine.connect() as connection:
            return revision_of(connection)
    except (DBAPIError, UnicodeDecodeError) as error:
        raise DamagedDatabase(str(path)) from error  # of any database the question is answered


def _create(engine: Engine, at_ms: int) -> None:
    """The tables and the ledger's own id. Of two who create at once the second finds the work done."""
    with driver(engine) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # space is given back in small steps; before any table
        use_wal(connection)
    with engine.connect().execution_options(**DECIDING) as connection, connection.begin():
        if revision_of(connection) == CURRENT:
            return
        upgrade(connection)
        rows = [("ledger_id", secrets.token_hex(16)), ("created_ms", str(at_ms))]
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES (?, ?)", rows)


def _migrate(engine: Engine, path: Path, progress: Progress) -> None:
    if _found(engine, path) != CURRENT:
        with _lease(path, progress):
            found = _found(engine, path)  # another one may have done it while we waited
            assert found in REVISIONS
            _take_steps(engine, path, str(found), progress)
    _give_space_back(engine, path, progress)


def _lease(path: Path, progress: Progress) -> ExitStack:
    """The daemon's lease; waits for another process that migrates or restores. Raises LeaseHeld for a daemon."""
    began_s = time.monotonic()
    while True:
        held = ExitStack()
        try:
            held.enter_context(lease(path, doing="migrates"))
            return held
        except LeaseHeld as error:
            if not error.doing and time.monotonic() - began_s > _SURE_AFTER_S:
                raise
        progress("waiting for another process that migrates", 0, 0)
        time.sleep(_LOOK_AGAIN_S)


def _take_steps(engine: Engine, path: Path, found: str, progress: Progress) -> None:
    if found == CURRENT:
        return
    _copy_before(engine, path, found, progress)
    for before, after in pending(found):
        log.info("migrating the ledger %s from %s to %s", path, before, after)
        with engine.connect().execution_options(**DECIDING) as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            with alive(raw, progress, f"migrating to {after}"), connection.begin():
                if revision_of(connection) == before:
                    upgrade(connection, after)
    _empty_log(engine)


def _copy_before(engine: Engine, path: Path, found: str, progress: Progress) -> None:
    """The ledger as it was before its first step. Made again unless the one that is there is of an earlier step."""
    copy = path.with_name(f"{path.name}.before-{CURRENT}")
    require_room(path.parent, ROOM * size_of(path), "migrating (a copy, and each table written anew)")
    with driver(engine) as connection:
        kept = _read(copy)
        if kept is not None and kept.ledger_id != _ledger_id(connection):
            os.replace(copy, copy.with_name(f"{copy.name}-of-{str(kept.ledger_id)[:8]}"))  # another ledger's: kept
        elif kept is not None and kept.revision < found:
            return
        copy_database(connection, copy, thorough=False, replace=True, progress=progress)
    log.info("the ledger as it was is kept as %s", copy)


def _read(copy: Path) -> Contents | None:
    """What an earlier copy holds; None where there is none, or only half of one."""
    if not copy.exists():
        return None
    try:
        with opened_at_rest(copy) as connection:
            whole = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            found = contents_of(connection)
    except (LedgerError, sqlite3.Error):
        return None
    return found if whole and found.ledger_id else None


def _ledger_id(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone()[0])


def _empty_log(engine: Engine) -> None:
    """A large step leaves a large log; it is folded in now, as far as readers allow."""
    with driver(engine) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _give_space_back(engine: Engine, path: Path, progress: Progress) -> None:
    """An older file is written anew once, so that space is given back in small steps from then on.

    It waits for a better time where a daemon is at work, room is short, or somebody holds the ledger: nothing fails
    for it, and a kill leaves the file as it was.
    """
    with driver(engine) as connection:
        use_wal(connection)
        if connection.execute("PRAGMA auto_vacuum").fetchone()[0] == _INCREMENTAL:
            return
        try:
            with lease(path, doing="migrates"):
                _rewrite(connection, path, progress)
        except (LeaseHeld, DiskFull, DatabaseLocked) as error:
            log.warning("the ledger is sound, but not yet written anew to give space back in small steps: %s", error)


def _rewrite(connection: sqlite3.Connection, path: Path, progress: Progress) -> None:
    size = size_of(path)
    require_room(path.parent, 2 * size, "writing the ledger anew")
    if shutil.disk_usage(tempfile.gettempdir()).free < size:
        raise DiskFull(tempfile.gettempdir())
    log.info("writing the ledger %s anew, so that it gives space back in small steps", path)
    with naming(path), alive(connection, progress, "writing anew"):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
