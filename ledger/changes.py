"""Whether another process has written since we last looked: one cheap question, once a second."""

from __future__ import annotations

from ledger.store import Ledger


class Changes:
    """Watches from one connection of its own. `seen()` is True after every commit of somebody else."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._connection = ledger.engine.connect()
        self._version = ledger.data_version(self._connection)

    def seen(self) -> bool:
        version = self._ledger.data_version(self._connection)
        changed, self._version = version != self._version, version
        return changed

    def close(self) -> None:
        self._connection.close()
