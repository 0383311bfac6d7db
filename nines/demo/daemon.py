"""The real daemon as a child process of the demo, in a session of its own, so that Ctrl-C reaches it through us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

STOP_WITHIN_S = 25.0  # longer than the supervisor itself waits for its children


class DaemonDied(Exception):
    """The daemon ended by itself in the middle of the demo."""

    def __init__(self, code: int, log: Path) -> None:
        last = log.read_text(errors="replace").strip().splitlines()[-3:]
        super().__init__(f"the daemon ended with code {code}: {' / '.join(last) or 'it said nothing'}")


class DaemonChild:
    """`nines run` on a config and a ledger; what it says goes to `log`."""

    def __init__(self, *, config: Path, database: Path, log: Path) -> None:
        self._command = [sys.executable, "-P", "-m", "nines", "--config", str(config), "--db", str(database), "run"]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "start() comes first"
        return self._process.pid

    async def start(self) -> None:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def reload(self) -> None:
        """SIGHUP: read the config again."""
        os.kill(self.pid, signal.SIGHUP)

    def still_runs(self) -> None:
        """Raises DaemonDied where it does not."""
        if self._process is not None and self._process.returncode is not None:
            raise DaemonDied(self._process.returncode, self._log)

    async def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None, "start() comes first"
        return await self._process.wait()

    async def stop(self) -> int | None:
        """SIGTERM, then patience, then SIGKILL to its whole session. The exit code; None where it never ran."""
        if self._process is None:
            return None
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_WITHIN_S)
            except TimeoutError:
                self._kill()
            except asyncio.CancelledError:  # a second Ctrl-C: no more patience, and still nothing left behind
                self._kill()
                raise
        return await self._process.wait()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
