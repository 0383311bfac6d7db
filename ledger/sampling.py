"""Checks due and made: how well a stretch of time was sampled. Never used to compute an availability."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from ledger.coverage import Key
from ledger.grid import base_of, dues, segments
from ledger.query import all_rows, scalar
from ledger.rolls import Piece, grid_of, pieces, ticks_within
from sla.spans import Span, Spans


def due_and_made(
    connection: Connection, endpoint: str, key: Key | None, *, from_ms: int, to_ms: int
) -> tuple[int | None, int | None]:
    """(due, made) in [from_ms, to_ms): ticks of the interval then in force, and those of them that were looked at.

    Several checks of one tick (retries) count once. (None, None) where no interval was ever agreed.
    """
    due, made, agreed = 0, 0, False
    for part in segments(connection, endpoint, from_ms, to_ms):
        agreed = True
        span = (part.from_ms, part.to_ms)
        grid = None if key is None else _grid(connection, key, span)
        ticks = dues(*span, part.interval_ms, grid)
        due += ticks
        if key is not None and grid is not None:
            made += min(ticks, _ticks_seen(connection, key, span, part.interval_ms, grid))
    return (due, made) if agreed else (None, None)


_WHERE = "endpoint = :endpoint AND location = :location AND at_ms >= :start AND at_ms < :end AND verdict <> 3"
_IMPORTED = f"SELECT at_ms FROM imported_check WHERE {_WHERE}"
_SEEN = f"SELECT at_ms FROM raw_check WHERE {_WHERE} UNION ALL {_IMPORTED}"


def _grid(connection: Connection, key: Key, span: Span) -> int | None:
    """An instant of the grid that the checks were due on: a regular check, else any that saw something."""
    limits = {**key, "start": span[0], "end": span[1]}
    regular = f"SELECT at_ms FROM raw_check WHERE {_WHERE} AND retry = 0 ORDER BY at_ms LIMIT 1"
    anyhow = f"SELECT at_ms FROM raw_check WHERE {_WHERE} ORDER BY at_ms LIMIT 1"
    imported = f"SELECT MIN(at_ms) FROM imported_check WHERE {_WHERE}"
    looks: tuple[Callable[[], int | None], ...] = (
        lambda: grid_of(connection, key, span, whole=True),
        lambda: scalar(connection, regular, **limits),
        lambda: scalar(connection, anyhow, **limits),
        lambda: grid_of(connection, key, span, whole=False),
        lambda: scalar(connection, imported, **limits),
    )
    found = (look() for look in looks)
    return next((at_ms for at_ms in found if at_ms is not None), None)


def _ticks_seen(connection: Connection, key: Key, span: Span, interval_ms: int, grid_ms: int) -> int:
    """Ticks due in the span with a check that saw something, from days rolled up and from raw checks.

    Of a day rolled up that others have looked at too, the better count of the two speaks.
    """
    imported = scalar(connection, f"{_IMPORTED} LIMIT 1", **key, start=span[0], end=span[1]) is not None
    total = 0
    for piece in pieces(connection, key, span):
        if piece.day is None or not (piece.whole or piece.pruned):
            total += _ticks_of(connection, key, piece, _SEEN, interval_ms=interval_ms, grid_ms=grid_ms)
            continue
        seen = ticks_within(connection, key, piece)
        if imported:
            others = _ticks_of(connection, key, piece, _IMPORTED, interval_ms=interval_ms, grid_ms=grid_ms)
            seen = max(seen, others)
        total += seen
    return total


def _ticks_of(connection: Connection, key: Key, piece: Piece, seen: str, *, interval_ms: int, grid_ms: int) -> int:
    """Ticks due within the piece that those checks saw; each reaches half an interval to both sides of its due time."""
    base = base_of(grid_ms, interval_ms)
    half = interval_ms // 2
    first_due = piece.from_ms + (grid_ms - piece.from_ms) % interval_ms
    behind = piece.to_ms + (grid_ms - piece.to_ms) % interval_ms
    count = f"SELECT COUNT(DISTINCT (at_ms - :base) / :interval) FROM ({seen}) AS seen"
    limits = {**key, "start": first_due - half, "end": behind - half}
    return int(scalar(connection, count, **limits, base=base, interval=interval_ms))


def unconfirmed_failures(connection: Connection, key: Key, outages: Spans, *, from_ms: int, to_ms: int) -> int:
    """Failed checks in [from_ms, to_ms) outside the spans in which the outages' own failed checks lie.

    Of imported checks those that their own source never made an outage of.
    """
    where = """c.endpoint = :endpoint AND c.location = :location AND c.verdict <> 0 AND c.verdict = 2
AND c.at_ms >= :from_ms"""  # <> 0 is what the small index is of
    live = f"SELECT at_ms FROM raw_check AS c WHERE {where} AND c.at_ms < :to_ms"
    imported = f"""SELECT COUNT(*) FROM imported_check AS c JOIN source AS s ON s.number = c.source
WHERE {where} AND c.at_ms < :to_ms AND NOT EXISTS (SELECT 1 FROM "interval" AS i WHERE i.endpoint = c.endpoint
AND i.location = c.location AND i.source = s.id AND i.kind = 'down' AND i.from_ms <= c.at_ms
AND i.last_bad_ms >= c.at_ms)"""
    limits = {**key, "from_ms": from_ms, "to_ms": to_ms}
    missed = sum(row.at_ms not in outages for row in all_rows(connection, live, **limits))
    return missed + int(scalar(connection, imported, **limits))
