"""Whether another process has written since we last looked: one cheap question, once a second."""

from __future__ import annotations

from ledger.presence import identity_of
from ledger.query import scalar
from ledger.store import Ledger


class Changes:
    """Watches from one connection of its own. `seen()` is True after every commit of somebody else.

    A ledger that was put in the place of this one has changed, and is watched from then on.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._open()

    def _open(self) -> None:
        self._file = identity_of(self._ledger.path)
        self._connection = self._ledger.engine.connect()
        self._connection.detach()
        self._version = self._ledger.data_version(self._connection)

    def seen(self) -> bool:
        if identity_of(self._ledger.path) != self._file:
            self.close()
            self._open()
            return True
        version = self._ledger.data_version(self._connection)
        changed, self._version = version != self._version, version
        return changed

    def close(self) -> None:
        self._connection.close()


class ConfigLoads:
    """Whether somebody took a config in since this was made, or since it last said so. Cheap enough for each second."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._changes: Changes | None = None
        self._newest = self._look()

    def seen(self) -> bool:
        """Raises LedgerError where the ledger cannot be read."""
        if self._changes is None:
            self._changes = Changes(self._ledger)
        elif not self._changes.seen():
            return False
        newest = self._look()
        seen, self._newest = newest != self._newest, newest
        return seen

    def close(self) -> None:
        if self._changes is not None:
            self._changes.close()

    def _look(self) -> int:
        query = "SELECT seq FROM journal WHERE action = 'config load' ORDER BY seq DESC LIMIT 1"
        with self._ledger.read() as connection:
            return int(scalar(connection, query) or 0)
