"""The lease of the daemon: two never observe into one ledger. Decisions need none, they are short transactions."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ledger.errors import DatabaseReadOnly, LedgerError
from ledger.opening import LOCK, beside, give_to_owner_of, of_system


class LeaseHeld(LedgerError):
    """{where}: another daemon observes into this ledger; stop it, or give this one its own with --db"""

    def __init__(self, where: str, message: str | None = None, *, doing: str = "") -> None:
        self.doing = doing  # "migrates", "restores"; empty for a daemon
        super().__init__(where, message)


@contextlib.contextmanager
def lease(database: Path, *, doing: str = "") -> Iterator[None]:
    """Hold `<database>.lock` until the block ends or the process does, however it dies. Raises LeaseHeld.

    `doing` is what is done under it by somebody who is no daemon: one word for the message that others get.
    """
    path = beside(database, LOCK)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise of_system(error, str(path)) from error
    try:
        _take(file, path, database)
        if database.exists():
            give_to_owner_of(database, path)
        with contextlib.suppress(OSError):  # the disk is full: the lock holds, its holder has no name
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()} {doing}".rstrip().encode() + b"\n", 0)
        yield
    finally:
        os.close(file)  # and with it the lock; the file stays, for removing it would let two hold "the" lock


def _take(file: int, path: Path, database: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _held(database, os.pread(file, 32, 0).decode(errors="replace").split()) from None
    except OSError as error:
        raise DatabaseReadOnly(str(path)) from error


def _held(database: Path, holder: list[str]) -> LeaseHeld:
    match holder:
        case [process]:
            words = f"another daemon (process {process}) observes into this ledger; stop it, or give this one its own"
            return LeaseHeld(str(database), f"{database}: {words} with --db")
        case [process, doing]:
            words = f"another process ({process}) {doing} this ledger; wait for it"
            return LeaseHeld(str(database), f"{database}: {words}", doing=doing)
        case _:
            return LeaseHeld(str(database))
