"""The cells of the terminal board: what one row says in each column, and how wide the columns are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from reporting.board import Board, Row
from reporting.wording import SHORT_UNITS, at_zone, clock_time, day, left, near_time, share_up, used, weekday

FULL_WIDTH = 100  # everything fits; below it the client's name goes, below 90 the bar
COLOURS = {  # the dark theme's hues in 256 colours
    "red": "bold color(209)",
    "orange": "color(215)",
    "yellow": "color(221)",
    "green": "color(79)",
    "no budget": "color(249)",
    "down": "bold red reverse",
    "degraded": "color(215)",
    "unknown": "color(175)",
    "maintenance": "color(75)",
    "up": "color(79)",
    "no data": "color(246)",
    "quiet": "color(246)",
    "head": "color(249)",
}
_SYMBOLS = {"down": "✕", "degraded": "▲", "unknown": "?", "maintenance": "◆", "up": "●", "no data": "–"}
_ASCII_SYMBOLS = {"down": "X", "degraded": "!", "unknown": "?", "maintenance": "#", "up": "o", "no data": "-"}
_WORDS = {"down": "Down", "degraded": "Degraded", "unknown": "Unknown", "up": "Up", "no data": "No data"}
_EIGHTHS = "▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells, gaps included. A column of width 0 is left out."""

    state: int = 16
    service: int = 15
    client: int = 10
    left: int = 10
    of: int = 10
    bar: int = 14  # up to the line at 100 %
    used: int = 8
    red_at: int = 9

    @property
    def over(self) -> int:
        """Room behind the line at 100 %."""
        return max(2, self.bar // 7) if self.bar else 0

    @property
    def bar_width(self) -> int:
        return 1 + self.bar + 1 + self.over if self.bar else 0

    @property
    def total(self) -> int:
        names = 3 + self.state + self.service + self.client
        return names + self.left + self.of + self.bar_width + self.used + self.red_at


def columns_for(width: int, rows: Sequence[Row]) -> Columns:
    """The columns for a screen. Room to spare goes to names that need it, then to the bar."""
    columns = Columns()
    if width < FULL_WIDTH:
        columns = replace(columns, client=0)
    if width < columns.total:
        columns = replace(columns, bar=0)
    names = {"service": [row.name for row in rows], "client": [row.client for row in rows]}
    if not columns.client:
        del names["client"]
    columns = replace(columns, **{column: min(getattr(columns, column), _wanted(names[column])) for column in names})
    for column, texts in names.items():
        spare = max(0, width - columns.total)
        columns = replace(columns, **{column: min(_wanted(texts), getattr(columns, column) + spare)})
    if columns.bar:
        columns = replace(columns, bar=columns.bar + max(0, min(width - columns.total, 30)) * 7 // 8)
    return columns


def _wanted(texts: Sequence[str]) -> int:
    """Room for the longest text and a gap, at least for the column's head."""
    return 1 + max(7, *map(cell_len, texts)) if texts else 8


def fitted(text: str, width: int) -> str:
    """`text` in exactly `width` cells, one of them a gap; cut with … where it is longer."""
    if cell_len(text) < width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(0, width - 2)).rstrip() + "…", width)


def row_line(row: Row, board: Board, columns: Columns, *, ascii_only: bool) -> Text:
    """One service, one line."""
    line = Text(" ")
    symbol = (_ASCII_SYMBOLS if ascii_only else _SYMBOLS)[row.state]
    _append_state(line, f"{symbol} {state_words(row, board)}", row, columns)
    line.append(fitted(row.name, columns.service))
    if columns.client:
        line.append(fitted(row.client, columns.client), COLOURS["head"])
    figure, of = budget_words(row)
    line.append(figure.rjust(columns.left), COLOURS["red"] if row.bucket == "red" else "bold")
    line.append(f" {of}".ljust(columns.of), COLOURS["head"])
    if columns.bar:
        line.append(" ")
        line.append_text(bar(row, columns, ascii_only=ascii_only))
    line.append(used_words(row).rjust(columns.used), COLOURS[row.bucket])
    line.append(red_at_words(row, board).rjust(columns.red_at), COLOURS["red"] if row.bucket == "red" else "")
    return line


def _append_state(line: Text, words: str, row: Row, columns: Columns) -> None:
    width = columns.state + 2
    shown = fitted(words, width)
    filled = shown.rstrip()
    line.append(filled, COLOURS[row.state])
    line.append(shown[len(filled) :])


def state_words(row: Row, board: Board) -> str:
    """`Down 9 m 20 s`, `Maint. to 14:00`, `Up`: the word, and how long or until when where that matters."""
    if row.state == "maintenance":
        until = f" to {near_time(row.until_ms, board.zone, now_ms=board.at_ms)}" if row.until_ms is not None else ""
        return f"Maint.{until}"
    word = _WORDS[row.state]
    if row.state not in ("down", "unknown") or row.since_ms is None:
        return word
    lasted = used(max(0, board.at_ms - row.since_ms), units=SHORT_UNITS)
    return f"{word} {lasted if row.state == 'down' else ' '.join(lasted.split()[:2])}"


def budget_words(row: Row) -> tuple[str, str]:
    """What is left and of how much; or how much over."""
    if row.budget is None:
        return "", ""
    if row.bucket == "red":
        return used(max(0, -row.budget.remaining_ms), units=SHORT_UNITS), "over"
    whole = left(row.budget.allowed_ms, units=SHORT_UNITS)
    return left(max(0, row.budget.remaining_ms), units=SHORT_UNITS), whole


def used_words(row: Row) -> str:
    if row.budget is None:
        return ""
    return share_up(row.share) if row.share is not None else "> 100 %"


def red_at_words(row: Row, board: Board) -> str:
    """When the budget was or will be used up: a time today, else a day; `-` where this period does not see it."""
    forecast = row.forecast
    if forecast is None or forecast.at_ms is None:
        return "-" if row.budget is not None else ""
    zone = board.zone
    if at_zone(forecast.at_ms, zone).date() == at_zone(board.at_ms, zone).date():
        return clock_time(forecast.at_ms, zone)
    if forecast.kind == "since":
        return day(forecast.at_ms, zone)
    return f"{weekday(forecast.at_ms, zone)} {at_zone(forecast.at_ms, zone).day}"


def bar(row: Row, columns: Columns, *, ascii_only: bool) -> Text:
    """The share used in eighths of a cell, an upright line at 100 %, what is over behind it."""
    if row.budget is None:
        return Text(" " * (columns.bar_width - 1))
    share = row.share if row.share is not None else Fraction(4, 3)
    marks = _ascii_marks(share, columns.bar) if ascii_only else _eighths(share, columns.bar)
    over = min(columns.over, -(-int(max(Fraction(0), share - 1) * 1000) * columns.bar // 1000))
    text = Text()
    text.append(marks, COLOURS[row.bucket])
    text.append(("." if ascii_only else "·") * (columns.bar - len(marks)), COLOURS["quiet"])
    text.append("|" if ascii_only else "┃")
    text.append(("+" if ascii_only else "▒") * over, COLOURS["red"])
    text.append(" " * (columns.over - over))
    return text


def _eighths(share: Fraction, width: int) -> str:
    eighths = int(min(share, Fraction(1)) * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest - 1] if rest else "")


def _ascii_marks(share: Fraction, width: int) -> str:
    return "=" * int(min(share, Fraction(1)) * width)
