"""The grid that checks are due on: the interval agreed at a time, and the due time that a check belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.query import all_rows


@dataclass(frozen=True, slots=True)
class Segment:
    """[from, to) under one interval."""

    from_ms: int
    to_ms: int
    interval_ms: int


def segments(connection: Connection, endpoint: str, from_ms: int, to_ms: int) -> Iterator[Segment]:
    """By the definition in force; time before the first version uses the first. Nothing where none was agreed."""
    query = "SELECT known_from_ms, body FROM definition WHERE kind = 'endpoint' AND id = :id ORDER BY known_from_ms"
    rows = all_rows(connection, query, id=endpoint)
    ends = [row.known_from_ms for row in rows[1:]] + [to_ms]
    begins = [from_ms] + [row.known_from_ms for row in rows[1:]]
    for row, begin, end in zip(rows, begins, ends, strict=True) if rows else ():
        body: dict[str, Any] = {} if row.body is None else json.loads(row.body)
        interval_ms = body.get("interval_ms")
        start_ms, end_ms = max(from_ms, begin), min(to_ms, end)
        if isinstance(interval_ms, int) and interval_ms > 0 and start_ms < end_ms:
            yield Segment(start_ms, end_ms, interval_ms)


def base_of(grid_ms: int, interval_ms: int) -> int:
    """Where the tick around `grid_ms` begins, modulo the interval: half of it lies on either side of the due time."""
    return grid_ms % interval_ms - interval_ms // 2


def tick_of(at_ms: int, grid_ms: int, interval_ms: int) -> int:
    """The due time that a check at that instant belongs to."""
    base = base_of(grid_ms, interval_ms)
    return (at_ms - base) // interval_ms * interval_ms + base + interval_ms // 2


def dues(start_ms: int, end_ms: int, interval_ms: int, grid_ms: int | None) -> int:
    """Due times in [start, end); where no check shows the grid, as many as fit."""
    if grid_ms is None:
        return (end_ms - start_ms) // interval_ms
    return (end_ms - 1 - grid_ms) // interval_ms - (start_ms - 1 - grid_ms) // interval_ms
