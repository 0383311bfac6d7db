"""The lease of the daemon: two never observe into one ledger. Decisions need none, they are short transactions."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import DatabaseReadOnly, LedgerError


class LeaseHeld(LedgerError):
    """{where}: another daemon observes into this ledger; stop it, or give this one its own with --db"""


@contextmanager
def lease(database: Path) -> Iterator[None]:
    """Hold `<database>.lock` until the block ends or the process does, however it dies. Raises LeaseHeld."""
    path = database.with_name(f"{database.name}.lock")
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseReadOnly(str(path)) from error
    try:
        _take(file, path, database)
        yield
    finally:
        os.close(file)  # and with it the lock; the file stays, for removing it would let two hold "the" lock


def _take(file: int, path: Path, database: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(file, 32, 0).decode(errors="replace").strip()
        words = f"{database}: another daemon (process {holder}) observes into this ledger" if holder else None
        hint = "; stop it, or give this one its own with --db"
        raise LeaseHeld(str(database), words and words + hint) from None
    except OSError as error:
        raise DatabaseReadOnly(str(path)) from error
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
