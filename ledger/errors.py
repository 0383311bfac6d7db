"""Every way in which a ledger cannot be opened or used: what, where, what to do, in one line.

LedgerError
  NoDatabase  NotADatabase  NewerDatabase  OlderDatabase  DamagedDatabase
  DatabaseLocked  DatabaseReadOnly  DiskFull (NoRoom)  DiskFailing  FileSizeLimited
  LedgerMissing  UnknownDatabaseUrl  JournalBlocked
"""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LedgerError(Exception):
    """The ledger cannot be used. The class docstring of each kind, with `{where}` filled in, is its message."""

    def __init__(self, where: str, message: str | None = None) -> None:
        self.where = where
        super().__init__(message or " ".join((type(self).__doc__ or "").split()).format(where=where))


class NoDatabase(LedgerError):
    """{where}: there is no ledger here; `nines config apply` or `nines run` makes it, --db names another one"""


class NoFolder(NoDatabase):
    """{where}: the folder does not exist; make it, or name another database with --db"""


class NotADatabase(LedgerError):
    """{where}: this file is no nines ledger; name the right one with --db, e.g. --db /var/lib/nines/nines.db"""


class NewerDatabase(LedgerError):
    """{where}: this ledger was written by a newer version of nines; install that version or restore an older backup"""


class OlderDatabase(LedgerError):
    """{where}: this ledger was written by an older version of nines; run `nines db migrate`"""


class DamagedDatabase(LedgerError):
    """{where}: this ledger is damaged; stop the daemon, keep a copy of the file and restore the last backup"""


class DatabaseLocked(LedgerError):
    """{where}: another program holds the ledger locked; try again, or look for it with `fuser {where}`"""


class DatabaseReadOnly(LedgerError):
    """{where}: the ledger or its folder may not be written; run as the user that owns it, e.g. `sudo -u nines nines`"""


class DiskFull(LedgerError):
    """{where}: no space is left for the ledger; free some on its file system"""


class NoRoom(DiskFull):
    """{where}: there is not enough room for another copy of the ledger; nothing was touched"""


class DiskFailing(LedgerError):
    """{where}: the disk under the ledger fails to read or write; look at `dmesg` and at the last backup"""


class FileSizeLimited(LedgerError):
    """{where}: this process may write no larger file; raise its limit (`ulimit -f`, `LimitFSIZE=` of its unit)"""


class LedgerMissing(LedgerError):
    """{where}: the ledger that was here is gone; move it back, or restore a backup with `nines db restore`"""


class UnknownDatabaseUrl(LedgerError):
    """{where}: a ledger is kept in SQLite; give a path or sqlite:///path, e.g. --db /var/lib/nines/nines.db"""


class JournalBlocked(LedgerError):
    """{where}: where the journal goes on, a body stands that belongs to no record; `nines db check` names it"""


AWAY = (DatabaseLocked, DatabaseReadOnly, DiskFull, DiskFailing, LedgerMissing)
"""What may pass, or be mended, while the daemon waits for it."""

_BY_NAME = {
    "SQLITE_BUSY": DatabaseLocked,
    "SQLITE_LOCKED": DatabaseLocked,
    "SQLITE_PROTOCOL": DatabaseLocked,
    "SQLITE_READONLY": DatabaseReadOnly,
    "SQLITE_CANTOPEN": DatabaseReadOnly,
    "SQLITE_PERM": DatabaseReadOnly,
    "SQLITE_NOTADB": NotADatabase,
    "SQLITE_CORRUPT": DamagedDatabase,
    "SQLITE_FULL": DiskFull,
    "SQLITE_IOERR": DiskFailing,
}
_GROWS_BY = 1 << 15  # bytes, at most: a page of the log, or a step of its index
_ROOM_BYTES = 4 * _GROWS_BY  # a disk with less than this is full


def of_sqlite(error: BaseException | None, where: str) -> LedgerError | None:
    """The named error behind an error of the driver; None where it is our own fault and should be seen."""
    name = getattr(error, "sqlite_errorname", None)
    if not isinstance(error, sqlite3.Error) or not isinstance(name, str):
        return None
    known = next((kind for start, kind in _BY_NAME.items() if name == start or name.startswith(f"{start}_")), None)
    if known in (DiskFull, DiskFailing) and _at_its_limit(where):
        known = FileSizeLimited
    elif known is DiskFailing and _is_full(where):
        known = DiskFull
    return known(where) if known else None


def _is_full(where: str) -> bool:
    """SQLite takes a full disk for a failing one where it is its index (`-shm`) that finds no room."""
    try:
        found = os.statvfs(Path(where).parent)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < _ROOM_BYTES


def _at_its_limit(where: str) -> bool:
    """Whether a file of the database is as large as this process may write one: SQLite tells it from no other fault."""
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    sizes = (_size(Path(where + ending)) for ending in ("", "-wal", "-shm"))
    return limit != resource.RLIM_INFINITY and any(size + _GROWS_BY > limit for size in sizes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the driver inside the block become named ones of the database at `path`.

    Of what is no text the driver cannot even word the error.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise of_sqlite(error, str(path)) or error from error
    except UnicodeDecodeError as error:
        raise DamagedDatabase(str(path)) from error
