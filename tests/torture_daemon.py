"""The daemon as the crash test handles it: killed whole or in part, frozen, its files copied, its log read."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from daemon_rig import House, wait_for
from torture_plan import Victim
from torture_server import now_ms

ACKNOWLEDGED = re.compile(r" INFO nines\.probe: recorded (O-\w+\.(?:opened|closed))$", re.MULTILINE)
STOPS_WITHIN_MS = 4_000  # a child whose supervisor was killed ends by itself


@dataclass(frozen=True, slots=True)
class Death:
    """When the prober ended, and whether it could still write: a clean end loses no check but those under way."""

    from_ms: int
    until_ms: int
    clean: bool


class Daemon(House):
    """`nines run` in a folder of its own."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        super().__init__(folder)
        self.log = log
        self.deaths: list[Death] = []
        self._groups: list[int] = []

    @property
    def database(self) -> Path:
        return self.folder / "nines.db"

    @property
    def running(self) -> bool:
        return self._daemon is not None

    def start(self) -> None:
        super().start()
        assert self._daemon is not None
        self._groups.append(self._daemon.pid)

    def strike(self, victim: Victim) -> None:
        """SIGKILL now. `group` and `supervisor` leave no daemon; a child comes back by itself."""
        if victim == "group":
            self._struck(self.kill)
        elif victim == "supervisor":
            self._kill_supervisor()
        else:
            pid = wait_for(lambda: self._child(victim), within_s=15, every_s=0.01)
            if victim == "probe":
                self._struck(lambda: os.kill(pid, signal.SIGKILL))
            else:
                os.kill(pid, signal.SIGKILL)

    def end(self) -> int:
        """A clean stop; the exit code."""
        from_ms = now_ms()
        code = self.stop()
        self.deaths.append(Death(from_ms, now_ms(), clean=True))
        return code

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All of its processes stopped where they are."""
        assert self._daemon is not None
        os.killpg(self._daemon.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._daemon.pid, signal.SIGCONT)

    def acknowledged(self) -> list[str]:
        """The events that the daemon said are on disk, in the order in which it said so."""
        return ACKNOWLEDGED.findall(self.log.read_text(errors="replace")) if self.log.exists() else []

    def close(self) -> None:
        super().close()
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def _struck(self, blow: Callable[[], None]) -> None:
        from_ms = now_ms()
        blow()
        self.deaths.append(Death(from_ms, now_ms(), clean=False))

    def _kill_supervisor(self) -> None:
        assert self._daemon is not None
        from_ms = now_ms()
        self._daemon.kill()
        self._daemon.wait(10)
        self._daemon = None
        self.deaths.append(Death(from_ms, from_ms + STOPS_WITHIN_MS, clean=True))

    def _child(self, role: str) -> int | None:
        """The process id of a child of the supervisor, by its parent and its command line."""
        assert self._daemon is not None
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if parent == self._daemon.pid and words[-3:-1] == [b"child", role.encode()]:
                    return int(entry.name)
        return None


def copied(database: Path, folder: Path) -> Path:
    """The files of a database whose writers are dead or frozen, as `cp` takes them."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for ending in ("", "-wal", "-shm"):
        source = database.with_name(database.name + ending)
        if source.exists():
            shutil.copyfile(source, folder / source.name)
    return folder / database.name
