"""What a person sees of the first act: the board in place on a terminal, else one plain line per second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from reporting.board import Board
from reporting.terminal import screen
from reporting.wording import clock_time, left

Say = Callable[[str], None]
NEWS_KEPT = 9


class View(Protocol):
    """News are sentences that stay; the board is shown again each second."""

    def news(self, text: str) -> None: ...

    def board(self, board: Board) -> None: ...

    def close(self) -> None: ...


class TerminalView:
    """The board redrawn in place with the latest news under it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._news: deque[str] = deque(maxlen=NEWS_KEPT)
        self._board: Board | None = None
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def news(self, text: str) -> None:
        self._news.append(text)
        self._draw()

    def board(self, board: Board) -> None:
        self._board = board
        self._draw()

    def close(self) -> None:
        self._live.stop()

    def _draw(self) -> None:
        parts = [screen(self._board, width=self._console.width, age_s=0)] if self._board else []
        lines = [Text(line, "bold" if line == self._news[-1] else "") for line in self._news]
        self._live.update(Group(*parts, Text(""), *lines), refresh=True)


class PlainView:
    """For a pipe or a file: every line once, nothing redrawn."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def news(self, text: str) -> None:
        self._say(text)

    def board(self, board: Board) -> None:
        self._say(f"{clock_time(board.at_ms, board.zone)}  {states(board)}")

    def close(self) -> None:
        pass


def states(board: Board) -> str:
    """Every service with its state in one line, by name, so that the columns stand still."""
    words = []
    for row in sorted(board.rows, key=lambda row: row.name):
        since = f" {left(board.at_ms - row.since_ms)}" if row.state != "up" and row.since_ms is not None else ""
        words.append(f"{row.name} {row.state}{since}")
    return ", ".join(words)
