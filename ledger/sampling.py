"""Checks due and made: how well a stretch of time was sampled. Never used to compute an availability."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from ledger.coverage import Key
from ledger.query import all_rows, scalar
from sla.spans import Span, Spans


def due_and_made(
    connection: Connection, endpoint: str, key: Key | None, *, from_ms: int, to_ms: int
) -> tuple[int | None, int | None]:
    """(due, made) in [from_ms, to_ms): ticks of the interval then in force, and those of them that were looked at.

    Several checks of one tick (retries) count once. (None, None) where no interval was ever agreed.
    """
    due, made, agreed = 0, 0, False
    for start_ms, end_ms, interval_ms in _intervals(connection, endpoint, from_ms, to_ms):
        agreed = True
        phase = None if key is None else _phase(connection, key, (start_ms, end_ms))
        ticks = _ticks(start_ms, end_ms, interval_ms, phase)
        due += ticks
        if key is not None and phase is not None:
            made += min(ticks, _ticks_seen(connection, key, (start_ms, end_ms), interval_ms, phase))
    return (due, made) if agreed else (None, None)


def _intervals(connection: Connection, endpoint: str, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, int]]:
    """(from_ms, to_ms, interval_ms) by the definition in force; time before the first version uses the first."""
    query = "SELECT known_from_ms, body FROM definition WHERE kind = 'endpoint' AND id = :id ORDER BY known_from_ms"
    rows = all_rows(connection, query, id=endpoint)
    ends = [row.known_from_ms for row in rows[1:]] + [to_ms]
    begins = [from_ms] + [row.known_from_ms for row in rows[1:]]
    for row, begin, end in zip(rows, begins, ends, strict=True) if rows else ():
        body: dict[str, Any] = {} if row.body is None else json.loads(row.body)
        interval_ms = body.get("interval_ms")
        start_ms, end_ms = max(from_ms, begin), min(to_ms, end)
        if isinstance(interval_ms, int) and interval_ms > 0 and start_ms < end_ms:
            yield start_ms, end_ms, interval_ms


_WHERE = "endpoint = :endpoint AND location = :location AND at_ms >= :start AND at_ms < :end AND verdict <> 3"
_SEEN = f"""(SELECT at_ms FROM raw_check WHERE {_WHERE}
UNION ALL SELECT at_ms FROM imported_check WHERE {_WHERE}) AS seen"""


def _phase(connection: Connection, key: Key, span: Span) -> int | None:
    """An instant of the grid that the checks were due on: a regular check, else any that saw something."""
    limits = {**key, "start": span[0], "end": span[1]}
    regular = f"SELECT at_ms FROM raw_check WHERE {_WHERE} AND retry = 0 ORDER BY at_ms LIMIT 1"
    anyhow = f"SELECT at_ms FROM raw_check WHERE {_WHERE} ORDER BY at_ms LIMIT 1"
    imported = f"SELECT MIN(at_ms) FROM imported_check WHERE {_WHERE}"
    found = (scalar(connection, query, **limits) for query in (regular, anyhow, imported))
    return next((int(at_ms) for at_ms in found if at_ms is not None), None)


def _ticks(start_ms: int, end_ms: int, interval_ms: int, phase: int | None) -> int:
    """Due times of the grid in [start, end); where no check shows the grid, as many as fit."""
    if phase is None:
        return (end_ms - start_ms) // interval_ms
    return (end_ms - 1 - phase) // interval_ms - (start_ms - 1 - phase) // interval_ms


def _ticks_seen(connection: Connection, key: Key, span: Span, interval_ms: int, phase: int) -> int:
    """Ticks with a check that saw something; each tick reaches half an interval to both sides of its due time."""
    base = phase % interval_ms - interval_ms // 2
    count = f"SELECT COUNT(DISTINCT (at_ms - :base) / :interval) FROM {_SEEN}"
    limits = {**key, "start": span[0], "end": span[1]}
    return int(scalar(connection, count, **limits, base=base, interval=interval_ms))


def unconfirmed_failures(connection: Connection, key: Key, outages: Spans, *, from_ms: int, to_ms: int) -> int:
    """Failed checks in [from_ms, to_ms) outside the spans in which the outages' own failed checks lie.

    Of imported checks those that their own source never made an outage of.
    """
    where = "c.endpoint = :endpoint AND c.location = :location AND c.verdict = 2 AND c.at_ms >= :from_ms"
    live = f"SELECT at_ms FROM raw_check AS c WHERE {where} AND c.at_ms < :to_ms"
    imported = f"""SELECT COUNT(*) FROM imported_check AS c JOIN source AS s ON s.number = c.source
WHERE {where} AND c.at_ms < :to_ms AND NOT EXISTS (SELECT 1 FROM "interval" AS i WHERE i.endpoint = c.endpoint
AND i.location = c.location AND i.source = s.id AND i.kind = 'down' AND i.from_ms <= c.at_ms
AND i.last_bad_ms >= c.at_ms)"""
    limits = {**key, "from_ms": from_ms, "to_ms": to_ms}
    missed = sum(row.at_ms not in outages for row in all_rows(connection, live, **limits))
    return missed + int(scalar(connection, imported, **limits))
