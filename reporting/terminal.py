"""The board on a terminal: one screen of 80 columns or more, in the order, words and symbols of the page.

Texts are `rich.text.Text`, never markup: a name like `[red]` is a name. What does not fit is summed in one line.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from reporting.board import BUCKETS, Board, Bucket, Row, lead, stale_warning
from reporting.terminal_cells import (
    COLOURS,
    FULL_WIDTH,
    Columns,
    budget_words,
    columns_for,
    fitted,
    red_at_words,
    row_line,
    state_words,
    used_words,
)
from reporting.wording import clock_time, left, near_time, zone_name

MIN_WIDTH = 80
_BUCKET_SYMBOLS = {"red": "✕", "orange": "◕", "yellow": "◑", "green": "◔", "no budget": "–"}


def screen(
    board: Board, *, width: int, height: int | None = None, ascii_only: bool = False, age_s: int | None = None
) -> Text:
    """The whole board. With a `height` what does not fit is folded. `age_s`, of a live board: how old it is."""
    width = max(width, MIN_WIDTH)
    above = [_head(board, width, age_s=age_s), *_sentences(lead(board), width, style="bold"), Text("")]
    if warning := stale_warning(board):
        above = [*_sentences(warning, width, style=COLOURS["down"]), *above]
    below = [Text(""), *_monitor_lines(board, ascii_only=ascii_only)]
    columns = columns_for(width, board.rows)
    shown, folded = _fold(board, None if height is None else height - len(above) - len(below) - 1)
    lines = [*above, _column_heads(columns, ascii_only=ascii_only)]
    lines += _bucket_lines(board, shown, folded, columns, width=width, ascii_only=ascii_only)
    lines += below
    for line in lines:
        line.rstrip()
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines[:height])


def plain_board(board: Board) -> str:
    """The board for a file or a pipe: one plain table without symbols, colours or box drawing, nothing folded."""
    lines = [stale_warning(board), f"nines board, {board.label}, as of {_as_of(board)}", lead(board)]
    heads = ("STATE", "SERVICE", "CLIENT", "TARGET", "BUDGET LEFT", "OF", "USED", "RED AT")
    rows = [heads, *(_plain_cells(row, board) for row in board.rows)]
    widths = [max(cell_len(row[number]) for row in rows) for number in range(len(heads))]
    table = [
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*(line for line in lines if line), "", *table])


def _plain_cells(row: Row, board: Board) -> tuple[str, ...]:
    figure, of = budget_words(row)
    target = f"{row.target_pct} %" if row.target_pct else "-"
    return (state_words(row, board), row.name, row.client or "-", target, figure, of, used_words(row),
            red_at_words(row, board))  # fmt: skip


def _as_of(board: Board) -> str:
    return f"{clock_time(board.at_ms, board.zone)} {zone_name(board.at_ms, board.zone)}"


def _head(board: Board, width: int, *, age_s: int | None) -> Text:
    wide = width >= FULL_WIDTH
    line = Text(f"nines board    {board.label}    " if wide else f"nines  {board.label}  ", "bold")
    for bucket, count in board.counts().items():
        if count or bucket != "no budget":
            line.append(f"{count} {bucket}  ", COLOURS[bucket] if count else COLOURS["quiet"])
    line.rstrip()
    freshness = _freshness(board, width - line.cell_len - 2, age_s=age_s)
    line.append(" " * max(2, width - line.cell_len - len(freshness)))
    line.append(freshness, COLOURS["head"])
    return line


def _freshness(board: Board, room: int, *, age_s: int | None) -> str:
    """When the figures were made, in the longest form that has room."""
    time = clock_time(board.at_ms, board.zone)
    zoned = f"{time} {zone_name(board.at_ms, board.zone)}"
    forms = [f"as of {zoned}", zoned] if age_s is None else [f"live, {zoned}, {age_s} s", f"{zoned}, {age_s} s"]
    return next((form for form in forms if len(form) <= room), time)


def _sentences(words: str, width: int, *, style: str) -> list[Text]:
    """On one line where there is room, else a line for each of two sentences."""
    if cell_len(words) <= width:
        return [Text(words, style)]
    first, stop, second = words.partition(". ")
    return [Text(first + stop.rstrip(), style), *([Text(second, style)] if second else [])]


def _column_heads(columns: Columns, *, ascii_only: bool) -> Text:
    heads = "   " + "STATE".ljust(columns.state) + fitted("SERVICE", columns.service)
    if columns.client:
        heads += fitted("CLIENT", columns.client)
    heads += "BUDGET LEFT".rjust(columns.left) + " OF".ljust(columns.of - 1)
    if columns.bar:
        heads += fitted(f" USED, {'|' if ascii_only else '┃'} IS 100 %", columns.bar_width)
    heads += (" " * columns.used if columns.bar else "USED".rjust(columns.used)) + "RED AT".rjust(columns.red_at)
    return Text(heads, COLOURS["head"])


def _bucket_lines(
    board: Board, shown: Sequence[Row], folded: Sequence[Row], columns: Columns, *, width: int, ascii_only: bool
) -> list[Text]:
    lines: list[Text] = []
    counts = board.counts()
    for bucket in BUCKETS:
        if counts[bucket]:
            lines.append(_bucket_head(bucket, counts[bucket], width, ascii_only=ascii_only))
        lines += [row_line(row, board, columns, ascii_only=ascii_only) for row in shown if row.bucket == bucket]
        rest = [row for row in folded if row.bucket == bucket]
        if rest:
            lines.append(_fold_line(rest, ascii_only=ascii_only))
    return lines


def _bucket_head(bucket: Bucket, count: int, width: int, *, ascii_only: bool) -> Text:
    words = f"{bucket.upper()} {count} "
    title = words if ascii_only else f"{_BUCKET_SYMBOLS[bucket]} {words}"
    line = Text(title, COLOURS[bucket])
    line.append(("-" if ascii_only else "─") * (width - cell_len(title)), COLOURS["quiet"])
    return line


def _fold_line(rows: Sequence[Row], *, ascii_only: bool) -> Text:
    shares = [row.share for row in rows if row.share is not None]
    under = f", all under {int(max(shares) * 100) + 1} %" if shares else ""
    names = ", ".join(row.name for row in rows)
    line = Text(" ")
    line.append("o" if ascii_only else "●", COLOURS["up"])
    line.append(f" {len(rows)} more up{under}: {names}")
    return line


def _fold(board: Board, room: int | None) -> tuple[list[Row], list[Row]]:
    """The rows shown and those summed, so that they take at most `room` lines; red and orange are never folded."""
    rows = list(board.rows)
    folded: list[Row] = []
    if room is None:
        return rows, folded
    for bucket in ("green", "no budget", "yellow"):
        for row in [row for row in reversed(rows) if row.bucket == bucket and row.state == "up"]:
            if _height(rows, folded, board) <= room:
                return rows, folded
            rows.remove(row)
            folded.insert(0, row)
    return rows, folded


def _height(rows: Sequence[Row], folded: Sequence[Row], board: Board) -> int:
    heads = sum(1 for count in board.counts().values() if count)
    return len(rows) + heads + len({row.bucket for row in folded})


def _monitor_lines(board: Board, *, ascii_only: bool) -> list[Text]:
    monitor = board.monitor
    line = Text("MONITOR  ", COLOURS["head"])
    if monitor.alive:
        line.append("o " if ascii_only else "● ", COLOURS["up"])
        line.append("watching")
    else:
        line.append("X off" if ascii_only else "✕ off", COLOURS["down"])
    if monitor.coverage_pct is not None:
        line.append(f"  coverage {monitor.coverage_pct} %")
    if monitor.unknown_ms:
        line.append(f"  not measured {left(monitor.unknown_ms)}")
    lines = [line]
    if board.coming:
        events = "   ".join(f"{near_time(e.at_ms, board.zone, now_ms=board.at_ms)} {e.text}" for e in board.coming[:3])
        lines.append(Text("NEXT     ", COLOURS["head"]) + Text(events))
    return lines
