"""Time that the checks on record vouch for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from ledger.lives import newest_pulse, off_from
from ledger.query import all_rows, all_rows_of, scalar
from ledger.recording import LIVE
from sla.spans import Span, Spans

Key = dict[str, int]  # {"endpoint", "location"}: their numbers


def covered(connection: Connection, key: Key, *, from_ms: int, to_ms: int, now_ms: int) -> dict[str, Spans]:
    """What each source knows of [from_ms, to_ms) as seen at `now_ms`; live: and not known blind, off or stepped over.

    The live source is always there, and first.
    """
    where = "endpoint = :endpoint AND location = :location AND from_ms < :to_ms"
    query = f"""SELECT endpoint, source, from_ms, to_ms, reach_ms FROM coverage WHERE {where}
AND (to_ms IS NULL OR to_ms > :from_ms)"""
    until_ms = min(to_ms, now_ms)
    vouched: dict[str, list[Span]] = {LIVE: []}
    for row in all_rows(connection, query, **key, from_ms=from_ms, to_ms=until_ms):
        vouched.setdefault(row.source, []).append((row.from_ms, closed_ms(connection, key["location"], row, now_ms)))
    known = {source: Spans.of(spans).clip(from_ms, until_ms) for source, spans in vouched.items()}
    blind = unseen(connection, key["location"], (key["endpoint"],), from_ms=from_ms, now_ms=now_ms)
    return {**known, LIVE: known[LIVE] - blind[key["endpoint"]]}


def closed_ms(connection: Connection, location: int, row: Row[Any], now_ms: int) -> int:
    """Where one stretch of coverage ends: as is on record, or as `open_ends` has it."""
    return row.to_ms if row.to_ms is not None else open_ends(connection, location, [row], now_ms)[row.endpoint]


def open_ends(connection: Connection, location: int, rows: Sequence[Row[Any]], now_ms: int) -> dict[int, int]:
    """Where coverage still open ends at `now_ms`: its last check's reach, or where the daemon was last alive.

    `rows` have `endpoint` (each once), `from_ms`, `reach_ms`; the answer is by endpoint's number. While a daemon is
    alive it closes coverage itself, and so nothing is cut here for the time it was away before.
    """
    query = """SELECT e.number, (SELECT r.at_ms FROM raw_check AS r WHERE r.endpoint = e.number
AND r.location = :location AND r.verdict <> 3 AND r.at_ms <= :now_ms ORDER BY r.at_ms DESC LIMIT 1) AS at_ms
FROM endpoint AS e WHERE e.number IN :numbers"""
    numbers = [row.endpoint for row in rows]
    last = {row.number: row.at_ms for row in all_rows_of(connection, query, numbers, location=location, now_ms=now_ms)}
    alive = bool(rows) and newest_pulse(connection, location, now_ms).alive
    ends = {}
    for row in rows:
        seen_ms = row.from_ms if last[row.endpoint] is None else max(row.from_ms, last[row.endpoint])
        until_ms = min(seen_ms + row.reach_ms, now_ms)
        off_ms = None if alive else off_from(connection, location, seen_ms)
        ends[row.endpoint] = until_ms if off_ms is None else max(min(until_ms, off_ms), row.from_ms)
    return ends


def unseen(
    connection: Connection, location: int, endpoints: Sequence[int], *, from_ms: int, now_ms: int
) -> dict[int, Spans]:
    """Time in which nobody looked although checks vouch for it, by endpoint's number: blind, off, stepped over."""
    query = """SELECT endpoint, from_ms, COALESCE(to_ms, :now_ms) AS to_ms FROM "interval" WHERE {whose}
AND location = :location AND kind IN ('blind', 'off', 'clock_step') AND from_ms <= :now_ms
AND (to_ms IS NULL OR to_ms > :from_ms)"""  # two queries: one with OR would read the whole table
    values = {"location": location, "from_ms": from_ms, "now_ms": now_ms}
    everybody = all_rows(connection, query.format(whose="endpoint IS NULL"), **values)
    single = all_rows_of(connection, query.format(whose="endpoint IN :numbers"), endpoints, **values)
    spans: dict[int, list[Span]] = {number: [(row.from_ms, row.to_ms) for row in everybody] for number in endpoints}
    for row in single:
        spans[row.endpoint].append((row.from_ms, row.to_ms))
    return {number: Spans.of(found) for number, found in spans.items()}


def first_covered_ms(connection: Connection, key: Key) -> int | None:
    """The first check that saw something, ever."""
    query = "SELECT MIN(from_ms) FROM coverage WHERE endpoint = :endpoint AND location = :location"
    found = scalar(connection, query, **key)
    return None if found is None else int(found)


def has_imports(connection: Connection, key: Key) -> bool:
    """Whether anybody but the live checks vouches for any time of it."""
    query = """SELECT 1 FROM coverage WHERE endpoint = :endpoint AND location = :location AND source <> :live LIMIT 1"""
    return scalar(connection, query, **key, live=LIVE) is not None
