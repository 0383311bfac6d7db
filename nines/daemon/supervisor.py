"""The supervisor of `nines run`: stores the definitions, starts the children, brings back one that died.

It holds no data and probes nothing. Each child's standard input is a pipe from here: when the supervisor is gone,
however it went, the pipe closes and the children stop by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ledger.errors import LedgerError
from nines.daemon.children import child_command
from nines.daemon.waiting import wait_for_ledger
from nines.notify import notify

log = logging.getLogger("nines.supervisor")

CHILDREN = ("probe", "web")
RESTART_AFTER_S = (1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_AFTER_S = 60.0  # a child that ran this long starts its delays from the beginning
STOP_WITHIN_S = 20.0


class Supervisor:
    """Runs the children until SIGTERM or SIGINT; SIGHUP calls `reload` and, where it returns True, goes on to them.

    `begin` stores the definitions; it is called only where that failed before, until the ledger can be had.
    """

    def __init__(self, *, config: Path, database: str, begin: Callable[[], object], reload: Callable[[], bool]) -> None:
        self._command_of = partial(child_command, config=config, database=database)
        self._begin, self._reload = begin, reload
        self._try_now: asyncio.Event | None = None  # while the ledger is waited for
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stop = asyncio.Event()

    async def run(self, away: LedgerError | None = None) -> None:
        """`away`: why the ledger cannot be had yet. Raises what `begin` does where waiting would not help."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._on_reload)
        if away is not None:
            self._try_now = asyncio.Event()
            await wait_for_ledger(away, self._begin, try_now=self._try_now, stop=self._stop)
            self._try_now = None
        keepers = [asyncio.create_task(self._keep(role)) for role in CHILDREN]
        await self._stop.wait()
        notify("STOPPING=1")
        log.info("stopping")
        await self._stop_children()
        await asyncio.gather(*keepers)

    async def _keep(self, role: str) -> None:
        """Start one child again whenever it ends, later each time it ends early."""
        loop = asyncio.get_running_loop()
        failures = 0
        while not self._stop.is_set():
            began = loop.time()
            code = await self._run_once(role)
            if self._stop.is_set():
                return
            failures = 0 if loop.time() - began > STEADY_AFTER_S else failures + 1
            delay = RESTART_AFTER_S[min(max(failures - 1, 0), len(RESTART_AFTER_S) - 1)]
            log.error("%s ended with code %s; it starts again in %g s", role, code, delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), delay)

    async def _run_once(self, role: str) -> int:
        process = await asyncio.create_subprocess_exec(*self._command_of(role), stdin=asyncio.subprocess.PIPE)
        self._running[role] = process
        try:
            if self._stop.is_set():
                process.terminate()
            return await process.wait()
        finally:
            del self._running[role]
            if process.stdin is not None:
                process.stdin.close()

    def _on_reload(self) -> None:
        if self._try_now is not None:
            self._try_now.set()
            return
        if not self._reload():
            return
        for process in self._running.values():
            process.send_signal(signal.SIGHUP)

    async def _stop_children(self) -> None:
        running = list(self._running.values())
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        done = asyncio.gather(*(process.wait() for process in running))
        try:
            await asyncio.wait_for(done, STOP_WITHIN_S)
        except TimeoutError:
            log.error("a child did not stop within %g s and is ended", STOP_WITHIN_S)
            for process in running:
                if process.returncode is None:
                    process.kill()
