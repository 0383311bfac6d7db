"""How long work says where it is: what is going on, how much is done, of how much (0: nobody knows)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], object]
_STEPS = 200_000  # of SQLite's machine between two signs of life: some milliseconds


def silent(what: str, done: int, of: int) -> None:
    """Nobody is told."""


@contextmanager
def alive(connection: sqlite3.Connection, progress: Progress, what: str) -> Iterator[None]:
    """Signs of life of one long statement on `connection`."""
    signs = 0

    def sign() -> int:
        nonlocal signs
        signs += 1
        progress(what, signs, 0)
        return 0

    progress(what, 0, 0)
    connection.set_progress_handler(sign, _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)
