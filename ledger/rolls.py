"""Days of live checks rolled up: what stays of them when the raw checks are gone.

A day (UTC) is rolled up once it is over. Until its raw checks are deleted it can be made again from them, and readers
may use either: both say the same of checks due and made, and of response times within what `ledger.slots` promises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ledger.grid import Segment, segments, tick_of
from ledger.query import all_rows, first_row, run, scalar
from ledger.slots import (
    DAY_MS,
    HOUR_MS,
    HOURS,
    QUARTER_MS,
    QUARTERS,
    Quarter,
    bucket,
    read_counts,
    read_latency,
    write_counts,
    write_latency,
)
from sla.spans import Span

Key = dict[str, int]  # {"endpoint", "location"}: their numbers

_WHERE = "endpoint = :endpoint AND location = :location"
_CHECKS = f"SELECT at_ms, verdict, retry, latency_ms FROM raw_check WHERE {_WHERE} AND at_ms >= :start AND at_ms < :end"
_KEEP = """INSERT INTO rolled_day (endpoint, location, day, pruned, checks, ticks, grid_ms, counts, latency)
VALUES (:endpoint, :location, :day, 0, :checks, :ticks, :grid_ms, :counts, :latency)
ON CONFLICT (endpoint, location, day) DO UPDATE SET checks = excluded.checks, ticks = excluded.ticks,
grid_ms = excluded.grid_ms, counts = excluded.counts, latency = excluded.latency WHERE pruned = 0"""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A day's checks in short; `checks` is how many there were."""

    checks: int
    ticks: int
    grid_ms: int | None
    counts: bytes
    latency: bytes


def day_of(at_ms: int) -> int:
    """The day (UTC) that an instant lies in, in whole days since the epoch."""
    return at_ms // DAY_MS


def roll(connection: Connection, endpoint: str, key: Key, day: int) -> Rolled | None:
    """That day's raw checks rolled up; None where there is none."""
    start, end = day * DAY_MS, (day + 1) * DAY_MS
    parts = tuple(segments(connection, endpoint, start, end))
    margin = max((part.interval_ms for part in parts), default=0)  # a tick at midnight is seen a little off midnight
    rows = all_rows(connection, _CHECKS, **key, start=start - margin, end=end + margin)
    own = [row for row in rows if start <= row.at_ms < end]
    if not own:
        return None
    quarters = [Quarter() for _ in range(QUARTERS)]
    hours: list[Counter[int]] = [Counter() for _ in range(HOURS)]
    for row in own:
        quarters[(row.at_ms - start) // QUARTER_MS].made[row.verdict] += 1
        if row.verdict < 2 and row.latency_ms is not None:
            hours[(row.at_ms - start) // HOUR_MS][bucket(row.latency_ms)] += 1
    grid_ms = None
    for part in parts:
        grid_ms = _grid(own, part)
        for due_ms in _ticks_seen(rows, part, grid_ms):
            quarters[(due_ms - start) // QUARTER_MS].ticks += 1
    ticks = sum(quarter.ticks for quarter in quarters)
    return Rolled(len(own), ticks, grid_ms, write_counts(quarters), write_latency(hours))


def _grid(rows: Sequence[Row[Any]], part: Segment) -> int | None:
    """An instant of the grid that the part's checks were due on: a regular one's, else any that saw something."""
    seen = [row for row in rows if row.verdict != 3 and part.from_ms <= row.at_ms < part.to_ms]
    return next((row.at_ms for row in seen if not row.retry), seen[0].at_ms if seen else None)


def _ticks_seen(rows: Sequence[Row[Any]], part: Segment, grid_ms: int | None) -> set[int]:
    """The due times in that part at which a check saw something."""
    if grid_ms is None:
        return set()
    found = {tick_of(row.at_ms, grid_ms, part.interval_ms) for row in rows if row.verdict != 3}
    return {due for due in found if part.from_ms <= due < part.to_ms}


def keep(connection: Connection, key: Key, day: int, rolled: Rolled) -> None:
    """Put a day on record, in a deciding transaction; one whose raw checks are gone already stays as it is."""
    values = {"checks": rolled.checks, "ticks": rolled.ticks, "grid_ms": rolled.grid_ms}
    run(connection, _KEEP, **key, day=day, **values, counts=rolled.counts, latency=rolled.latency)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time within days: read from the day's roll-up (`day`), or from its raw checks (`day` None)."""

    from_ms: int
    to_ms: int
    day: int | None = None
    ticks: int = 0  # of the whole day
    pruned: bool = False

    @property
    def whole(self) -> bool:
        return self.day is not None and self.to_ms - self.from_ms == DAY_MS


def pieces(connection: Connection, key: Key, span: Span) -> list[Piece]:
    """[from, to) in order: a piece for each rolled-up day, and the time between them."""
    query = (
        f"""SELECT day, ticks, pruned FROM rolled_day WHERE {_WHERE} AND day >= :first AND day <= :last ORDER BY day"""
    )
    found: list[Piece] = []
    at_ms, end_ms = span
    if at_ms >= end_ms:
        return []
    for row in all_rows(connection, query, **key, first=day_of(at_ms), last=day_of(end_ms - 1)):
        start, end = max(at_ms, row.day * DAY_MS), min(end_ms, (row.day + 1) * DAY_MS)
        if at_ms < start:
            found.append(Piece(at_ms, start))
        found.append(Piece(start, end, row.day, row.ticks, bool(row.pruned)))
        at_ms = end
    return [*found, Piece(at_ms, end_ms)] if at_ms < end_ms else found


def ticks_within(connection: Connection, key: Key, piece: Piece) -> int:
    """Ticks seen in those quarters of a rolled-up day that begin within the piece."""
    if piece.whole:
        return piece.ticks
    packed = scalar(connection, f"SELECT counts FROM rolled_day WHERE {_WHERE} AND day = :day", **key, day=piece.day)
    first, last = _within(piece, QUARTER_MS)
    return sum(quarter.ticks for quarter in read_counts(packed)[first:last])


def latencies_within(connection: Connection, key: Key, piece: Piece) -> Counter[int]:
    """How many successful checks fell into each bucket, of those hours of a rolled-up day whose middle is within."""
    packed = scalar(connection, f"SELECT latency FROM rolled_day WHERE {_WHERE} AND day = :day", **key, day=piece.day)
    first, last = _within(Piece(piece.from_ms - HOUR_MS // 2, piece.to_ms - HOUR_MS // 2, piece.day), HOUR_MS)
    return sum(read_latency(packed)[max(first, 0) : max(last, 0)], Counter())


def _within(piece: Piece, step_ms: int) -> tuple[int, int]:
    """The first and behind the last step of the day that begins within the piece."""
    assert piece.day is not None
    start = piece.day * DAY_MS
    return -((start - piece.from_ms) // step_ms), -((start - piece.to_ms) // step_ms)


def grid_of(connection: Connection, key: Key, span: Span, *, whole: bool) -> int | None:
    """An instant of the grid, from the first rolled-up day in the span; `whole`: only of one that lies whole in it."""
    query = f"""SELECT grid_ms FROM rolled_day WHERE {_WHERE} AND day >= :first AND day < :behind
AND grid_ms IS NOT NULL ORDER BY day LIMIT 1"""
    start, end = (-(-span[0] // DAY_MS), span[1] // DAY_MS) if whole else (day_of(span[0]), -(-span[1] // DAY_MS))
    row = first_row(connection, query, **key, first=start, behind=end)
    return None if row is None else int(row.grid_ms)
