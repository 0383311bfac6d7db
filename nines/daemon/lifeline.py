"""What a child of the supervisor needs to live and stop well: signals, and the pipe that closes with the supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import Callable


class Lifeline:
    """`stop` is set by SIGTERM, SIGINT or the supervisor's end; SIGHUP calls `on_reload`."""

    def __init__(self, on_reload: Callable[[], None]) -> None:
        self.stop = asyncio.Event()
        self._on_reload = on_reload

    def attach(self) -> None:
        """Install the handlers in the running loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._on_reload)
        if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
            loop.add_reader(sys.stdin.fileno(), self._read)

    def _read(self) -> None:
        if not os.read(sys.stdin.fileno(), 64):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self.stop.set()
