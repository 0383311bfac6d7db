"""Response times of successful checks: percentiles over any stretch of time.

They are exact while the raw checks stand alone, and within 1/32 where days were rolled up (`ledger.slots`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.coverage import Key
from ledger.numbers import find
from ledger.query import all_rows
from ledger.rolls import latencies_within, pieces
from ledger.slots import middle_ms
from ledger.store import Ledger
from sla.spans import Span


@dataclass(frozen=True, slots=True)
class Latency:
    """Of the checks in [from_ms, to_ms) that were up or degraded; the percentiles are None where there was none."""

    from_ms: int
    to_ms: int
    count: int
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


def latencies(ledger: Ledger, endpoint: str, spans: Sequence[Span], *, location: str = "local") -> tuple[Latency, ...]:
    """One value for each span, e.g. the local days of a month, in the order given.

    Imported checks speak only for a span without any live one: other places and clients answer at other speeds.
    """
    with ledger.read() as connection:
        numbers = (find(connection, "endpoint", endpoint), find(connection, "location", location))
        if numbers[0] is None or numbers[1] is None:
            return tuple(_summary(span, {}) for span in spans)
        key: Key = {"endpoint": numbers[0], "location": numbers[1]}
        found = [_live(connection, key, span) or _raw(connection, "imported_check", key, span) for span in spans]
    return tuple(_summary(span, values) for span, values in zip(spans, found, strict=True))


def _live(connection: Connection, key: Key, span: Span) -> Counter[int]:
    """How often each response time was seen in the span."""
    found: Counter[int] = Counter()
    for piece in pieces(connection, key, span):
        if piece.day is None:
            found += _raw(connection, "raw_check", key, (piece.from_ms, piece.to_ms))
        else:
            rolled = latencies_within(connection, key, piece)
            found += Counter({middle_ms(bucket): count for bucket, count in rolled.items()})
    return found


def _raw(connection: Connection, table: str, key: Key, span: Span) -> Counter[int]:
    query = f"""SELECT latency_ms FROM {table} WHERE endpoint = :endpoint AND location = :location
AND at_ms >= :from_ms AND at_ms < :to_ms AND verdict < 2 AND latency_ms IS NOT NULL"""
    return Counter(row[0] for row in all_rows(connection, query, **key, from_ms=span[0], to_ms=span[1]))


def _summary(span: Span, values: Mapping[int, int]) -> Latency:
    count = sum(values.values())
    ascending = sorted(values.items())
    return Latency(*span, count, *(_percentile(ascending, count, percent) for percent in (50, 95, 99)))


def _percentile(ascending: Sequence[tuple[int, int]], count: int, percent: int) -> int | None:
    """The smallest value that at least so many percent of the values do not exceed (nearest rank)."""
    rank = -(-count * percent // 100)
    for value, times in ascending:
        rank -= times
        if rank <= 0:
            return value
    return None
