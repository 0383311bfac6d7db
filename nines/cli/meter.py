"""Where long work of the ledger is, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledger.progress import Progress, silent
from reporting.wording import plain

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_SHOWN_AFTER_S = 1.0


@contextmanager
def meter() -> Iterator[Progress]:
    """A line for each step of what takes longer than a second; nothing where standard error is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield silent
        return
    lines = _Lines()
    try:
        yield lines.told
    finally:
        lines.end()


class _Lines:
    """Shown once a second has passed; a step of unknown length moves without a figure."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._bar: Bar | None = None
        self._tasks: dict[str, TaskID] = {}

    def told(self, what: str, done: int, of: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._began_s < _SHOWN_AFTER_S:
                return
            self._bar = _bar()
            self._bar.start()
        if what not in self._tasks:
            for task in self._tasks.values():
                self._bar.update(task, total=1, completed=1)
            self._tasks[what] = self._bar.add_task(plain(what), total=of or None)
        self._bar.update(self._tasks[what], total=of or None, completed=done)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
