"""Time that the checks on record vouch for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from ledger.lives import newest_pulse, off_from
from ledger.query import all_rows, scalar
from ledger.recording import LIVE
from sla.spans import Span, Spans

Key = dict[str, int]  # {"endpoint", "location"}: their numbers


def covered(connection: Connection, key: Key, *, from_ms: int, to_ms: int, now_ms: int) -> dict[str, Spans]:
    """What each source knows of [from_ms, to_ms) as seen at `now_ms`; live: and not known blind, off or stepped over.

    The live source is always there, and first.
    """
    where = "endpoint = :endpoint AND location = :location AND from_ms < :to_ms"
    query = f"""SELECT source, from_ms, to_ms, reach_ms FROM coverage WHERE {where}
AND (to_ms IS NULL OR to_ms > :from_ms)"""
    vouched: dict[str, list[Span]] = {LIVE: []}
    for row in all_rows(connection, query, **key, from_ms=from_ms, to_ms=min(to_ms, now_ms)):
        vouched.setdefault(row.source, []).append(_span(connection, key, row, now_ms))
    known = {source: Spans.of(spans).clip(from_ms, min(to_ms, now_ms)) for source, spans in vouched.items()}
    return {**known, LIVE: known[LIVE] - _unseen(connection, key, now_ms)}


def _span(connection: Connection, key: Key, row: Row[Any], now_ms: int) -> Span:
    if row.to_ms is not None:
        return (row.from_ms, row.to_ms)
    return (row.from_ms, open_until(connection, key, row.from_ms, row.reach_ms, now_ms))


def open_until(connection: Connection, key: Key, from_ms: int, reach_ms: int, now_ms: int) -> int:
    """Where the coverage still open ends at `now_ms`: its last check's reach, or where the daemon was last alive.

    While a daemon is alive it closes coverage itself, and so nothing is cut here for the time it was away before.
    """
    query = """SELECT at_ms FROM raw_check WHERE endpoint = :endpoint AND location = :location AND verdict <> 3
AND at_ms <= :now_ms ORDER BY at_ms DESC LIMIT 1"""
    last_check_ms = scalar(connection, query, **key, now_ms=now_ms)
    last_seen_ms = from_ms if last_check_ms is None else max(from_ms, int(last_check_ms))
    until_ms = min(last_seen_ms + reach_ms, now_ms)
    if newest_pulse(connection, key["location"], now_ms).alive:
        return until_ms
    off_ms = off_from(connection, key["location"], last_seen_ms)
    return until_ms if off_ms is None else max(min(until_ms, off_ms), from_ms)


def _unseen(connection: Connection, key: Key, now_ms: int) -> Spans:
    query = """SELECT from_ms, COALESCE(to_ms, :now_ms) AS to_ms FROM "interval"
WHERE kind IN ('blind', 'off', 'clock_step') AND location = :location AND (endpoint IS NULL OR endpoint = :endpoint)
AND from_ms <= :now_ms"""
    return Spans.of((row.from_ms, row.to_ms) for row in all_rows(connection, query, **key, now_ms=now_ms))


def first_covered_ms(connection: Connection, key: Key) -> int | None:
    """The first check that saw something, ever."""
    query = "SELECT MIN(from_ms) FROM coverage WHERE endpoint = :endpoint AND location = :location"
    found = scalar(connection, query, **key)
    return None if found is None else int(found)


def has_imports(connection: Connection, key: Key) -> bool:
    """Whether anybody but the live checks vouches for any time of it."""
    query = """SELECT 1 FROM coverage WHERE endpoint = :endpoint AND location = :location AND source <> :live LIMIT 1"""
    return scalar(connection, query, **key, live=LIVE) is not None
