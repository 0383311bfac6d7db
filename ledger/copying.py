"""One copy of a ledger's database, as it is at one instant, while others write: whole under its name, or not there.

It grows under a partial name beside its place, step by step so that nobody's commit waits behind our writing; it is
synced, read again and compared before it takes its name. What a kill leaves behind is the partial file only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ledger.errors import DamagedDatabase, DatabaseReadOnly, DiskFull, LedgerError, NoRoom, naming
from ledger.opening import BESIDE, beside
from ledger.progress import Progress, alive, silent

PARTIAL = ".partial"
_STEP_PAGES = 256  # 1 MiB; the writer's own sync waits behind no more of ours than this
_MIB = 1 << 20
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


class CopyUnderWay(LedgerError):
    """{where}: another process is writing this copy just now; wait for it, or give another name"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds, for comparing two: `rows` by table."""

    ledger_id: str | None
    revision: str
    rows: dict[str, int]


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """One state of everything for the block; a copy made in it never starts again because somebody wrote."""
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        yield
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def opened_at_rest(path: Path) -> Iterator[sqlite3.Connection]:
    """A database that nobody writes, read without making a file beside it; its own log is read where it has one."""
    logged = any(beside(path, suffix).exists() and beside(path, suffix).stat().st_size for suffix in BESIDE)
    uri = f"file:{quote(str(path))}?mode=ro" + ("" if logged else "&immutable=1")
    with naming(path), closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield connection


def contents_of(connection: sqlite3.Connection, progress: Progress = silent) -> Contents:
    """Ledger id, revision, rows of every table."""
    tables = [
        str(row[0])
        for row in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    with alive(connection, progress, "counting"):
        rows = {name: int(connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]) for name in tables}
    if not {"meta", "alembic_version"} <= set(tables):
        return Contents(None, "", rows)
    ledger_id = connection.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone()
    revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return Contents(ledger_id and str(ledger_id[0]), str(revision[0]) if revision else "", rows)


def require_room(folder: Path, needed: int, purpose: str) -> None:
    """NoRoom, with both figures, where less than `needed` bytes (and a little) are free."""
    free = shutil.disk_usage(folder).free
    if free < needed + 4 * _MIB:
        words = f"{purpose} needs {_mib(needed)} MiB, {_mib(free)} MiB are free; nothing was touched; free some space"
        raise NoRoom(str(folder), f"{folder}: {words}")


def _mib(count: int) -> int:
    return -(-count // _MIB)


def size_of(path: Path) -> int:
    """Bytes of the database and its log; 0 where there is none."""
    return sum(found.stat().st_size for found in (path, beside(path, "-wal")) if found.exists())


def copy_database(
    source: sqlite3.Connection, target: Path, *, thorough: bool, replace: bool, progress: Progress = silent
) -> Contents:
    """The database behind `source` at `target`, mode 0600, on disk when this returns. `thorough` reads indices too.

    Raises FileExistsError where `target` is there and is not to be replaced, NoRoom before anything is written.
    """
    pages, page_size = (int(source.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size"))
    require_room(target.parent, pages * page_size, "a copy of the ledger")
    with _partial(target) as (file, partial), snapshot(source):
        _copy_pages(source, partial, file, progress)
        expected = contents_of(source, progress)
        found = _read_again(partial, progress, thorough=thorough)
        if found != expected:
            raise DamagedDatabase(str(partial), f"{partial}: the copy differs from the ledger; look at the disk")
        take_name(partial, target, replace=replace)
    return expected


@contextmanager
def _partial(target: Path) -> Iterator[tuple[int, Path]]:
    """An empty private file beside `target`, ours alone; gone after the block unless it took its name."""
    partial = beside(target, PARTIAL)
    try:
        file = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseReadOnly(str(target.parent)) from error
    try:
        _take(file, partial)
        try:
            yield file, partial
        except OSError as error:
            raise _named(error, target) from error
        finally:
            _remove_own(file, partial)
    finally:
        os.close(file)


def _take(file: int, partial: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CopyUnderWay(str(partial)) from None
    if not _is_file(partial, file):  # it took its name between our opening it and our locking it
        raise CopyUnderWay(str(partial))
    os.fchmod(file, 0o600)
    os.ftruncate(file, 0)


def _is_file(path: Path, file: int) -> bool:
    return path.exists() and os.path.samestat(path.stat(), os.fstat(file))


def _remove_own(file: int, partial: Path) -> None:
    if _is_file(partial, file):
        partial.unlink()


def _named(error: OSError, target: Path) -> Exception:
    """A disk that is full says so by the ledger's own error; FileExistsError and the rest stay what they are."""
    return DiskFull(str(target.parent)) if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else error


def _copy_pages(source: sqlite3.Connection, partial: Path, file: int, progress: Progress) -> None:
    def step(_status: int, remaining: int, of: int) -> None:
        os.fdatasync(file)  # in small pieces: one large sync would hold up the syncs of the writer beside us
        progress("copying", of - remaining, of)

    with naming(partial), closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # synced by hand; a copy that breaks off is thrown away
        copy.execute("PRAGMA journal_mode = OFF")
        source.backup(copy, pages=_STEP_PAGES, progress=step)
    os.fsync(file)


def _read_again(partial: Path, progress: Progress, *, thorough: bool) -> Contents:
    with opened_at_rest(partial) as copy:
        with alive(copy, progress, "verifying"):
            said = copy.execute(f"PRAGMA {'integrity_check' if thorough else 'quick_check'}(1)").fetchone()[0]
        if said != "ok":
            raise DamagedDatabase(
                str(partial), f"{partial}: the copy is damaged ({said}); is the ledger? nines db check"
            )
        return contents_of(copy, progress)


def take_name(partial: Path, target: Path, *, replace: bool) -> None:
    """The finished file under its name, and the folder on disk. FileExistsError unless it may `replace`."""
    if target.exists() and not replace:
        raise FileExistsError(errno.EEXIST, "is there already", str(target))
    os.replace(partial, target)
    sync(target.parent)


def sync(path: Path) -> None:
    """A file, or the names in a folder, are on disk when this returns."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
