"""A backup while everything goes on: one file that is a ledger, complete and verified before it has its name."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.copying import copy_database, size_of, sync
from ledger.errors import DamagedDatabase, LedgerError, NoFolder
from ledger.opening import BESIDE, beside, driver
from ledger.progress import Progress, silent
from ledger.query import run, scalar
from ledger.store import Ledger

_NAMED = "nines-{}-{}.db"
_AT = "%Y%m%dT%H%M%SZ"
_LAST = "last_backup_ms"  # in `meta`


class BackupExists(LedgerError):
    """{where}: is there already; name another file, or replace it with --force"""


class BackupIsTheLedger(LedgerError):
    """{where}: is the ledger itself, or a file that belongs to it; a backup needs a place of its own"""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was made: the file, its bytes, the rows in it, and older backups that went for it."""

    path: Path
    size: int
    ledger_id: str
    revision: str
    rows: int
    removed: Sequence[Path]


def back_up(
    ledger: Ledger, to: Path, *, at_ms: int, keep: int | None = None, force: bool = False, progress: Progress = silent
) -> Backup:
    """Copy the ledger to a file, or into a folder under a name of its own, of whose kind the newest `keep` stay."""
    to = to.expanduser().absolute()
    target = to / _name(ledger, at_ms) if to.is_dir() else to
    _refuse(ledger, target, force=force)
    with driver(ledger.engine) as connection:
        contents = copy_database(connection, target, thorough=True, replace=force, progress=progress)
    if contents.ledger_id != ledger.id:
        raise DamagedDatabase(str(ledger.path))
    removed = _remove_older(ledger, target, keep) if keep is not None and to.is_dir() else []
    return Backup(target, size_of(target), ledger.id, contents.revision, sum(contents.rows.values()), removed)


def _name(ledger: Ledger, at_ms: int) -> str:
    return _NAMED.format(ledger.id[:8], time.strftime(_AT, time.gmtime(at_ms / 1000)))


def _refuse(ledger: Ledger, target: Path, *, force: bool) -> None:
    if not target.parent.is_dir():
        words = f"{target.parent}: the folder does not exist; make it, or name another file or folder"
        raise NoFolder(str(target.parent), words)
    own = (ledger.path, beside(ledger.path, ".lock"), *(beside(ledger.path, end) for end in BESIDE))
    if any(target.resolve() == file.resolve() or _same(target, file) for file in own):
        raise BackupIsTheLedger(str(target))
    if target.exists() and not force:
        raise BackupExists(str(target))


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _remove_older(ledger: Ledger, newest: Path, keep: int) -> list[Path]:
    """Only what bears this ledger's own name, the oldest first; the one just made always stays."""
    ours = re.compile(re.escape(_NAMED.format(ledger.id[:8], "@")).replace("@", r"\d{8}T\d{6}Z"))
    found = sorted(path for path in newest.parent.iterdir() if ours.fullmatch(path.name) and path != newest)
    older = found[: max(0, len(found) - max(keep, 1) + 1)]
    for path in older:
        path.unlink()
    sync(newest.parent)
    return older


def note_backup(ledger: Ledger, at_ms: int) -> None:
    """Put on record when the last backup was made, for `nines doctor`."""
    with ledger.decide() as connection:
        upsert = "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = :value"
        run(connection, upsert, key=_LAST, value=str(at_ms))


def last_backup_ms(ledger: Ledger) -> int | None:
    """When the last backup was made as far as this ledger knows."""
    with ledger.read() as connection:
        found = scalar(connection, "SELECT value FROM meta WHERE key = :key", key=_LAST)
    return None if found is None else int(found)
