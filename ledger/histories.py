"""The live history of many endpoints from one location, read at once: a handful of queries, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row

from ledger.coverage import open_ends, unseen
from ledger.outages import COLUMNS, FROM
from ledger.query import all_rows_of
from ledger.recording import LIVE
from sla.spans import NOWHEN, Span, Spans


@dataclass(slots=True)
class History:
    """One endpoint's: what checks vouch for, its rows of trouble that touch the time, its first check ever."""

    known: Spans = NOWHEN
    troubles: list[Row[Any]] = field(default_factory=list)
    first_ms: int | None = None


def histories(
    connection: Connection, location: int, endpoints: Sequence[int], *, from_ms: int, to_ms: int, now_ms: int
) -> dict[int, History]:
    """By endpoint's number, as seen at `now_ms`; nothing is said of time after it."""
    until_ms = min(to_ms, now_ms)
    found = {number: History() for number in endpoints}
    vouched = _vouched(connection, location, endpoints, from_ms=from_ms, until_ms=until_ms, now_ms=now_ms)
    blind = unseen(connection, location, endpoints, from_ms=from_ms, now_ms=now_ms)
    for number, history in found.items():
        history.known = Spans.of(vouched.get(number, ())).clip(from_ms, until_ms) - blind[number]
    for row in _troubles(connection, location, endpoints, from_ms=from_ms, to_ms=to_ms, now_ms=now_ms):
        found[row.endpoint].troubles.append(row)
    first = """SELECT e.number, (SELECT MIN(c.from_ms) FROM coverage AS c WHERE c.endpoint = e.number
AND c.location = :location) AS first_ms FROM endpoint AS e WHERE e.number IN :numbers"""
    for row in all_rows_of(connection, first, endpoints, location=location):
        found[row.number].first_ms = row.first_ms
    return found


def _vouched(
    connection: Connection, location: int, endpoints: Sequence[int], *, from_ms: int, until_ms: int, now_ms: int
) -> dict[int, list[Span]]:
    query = """SELECT endpoint, from_ms, to_ms, reach_ms FROM coverage WHERE location = :location
AND endpoint IN :numbers AND from_ms < :until_ms AND (to_ms IS NULL OR to_ms > :from_ms) AND source = :live"""
    rows = all_rows_of(connection, query, endpoints, location=location, until_ms=until_ms, from_ms=from_ms, live=LIVE)
    ends = open_ends(connection, location, [row for row in rows if row.to_ms is None], now_ms)
    spans: dict[int, list[Span]] = {}
    for row in rows:
        spans.setdefault(row.endpoint, []).append((row.from_ms, ends[row.endpoint] if row.to_ms is None else row.to_ms))
    return spans


def _troubles(
    connection: Connection, location: int, endpoints: Sequence[int], *, from_ms: int, to_ms: int, now_ms: int
) -> Iterable[Row[Any]]:
    """Rows of outages and degraded stretches confirmed by `now_ms` that touch the time, in order of time."""
    query = f"""SELECT {COLUMNS} FROM {FROM} WHERE i.endpoint IN :numbers AND i.location = :location
AND i.kind IN ('down', 'degraded') AND i.source = :live AND i.from_ms < :to_ms
AND (i.to_ms IS NULL OR i.to_ms > :from_ms) AND (i.confirmed_ms IS NULL OR i.confirmed_ms <= :now_ms)
ORDER BY i.from_ms, i.number"""
    values = {"location": location, "live": LIVE, "from_ms": from_ms, "to_ms": to_ms, "now_ms": now_ms}
    return all_rows_of(connection, query, endpoints, **values)
