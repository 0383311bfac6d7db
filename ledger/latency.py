"""Response times of successful checks: exact percentiles over any stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.coverage import Key
from ledger.numbers import find
from ledger.query import all_rows
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
    live, imported = (
        f"""SELECT latency_ms FROM {table} WHERE endpoint = :endpoint AND location = :location
AND at_ms >= :from_ms AND at_ms < :to_ms AND verdict < 2 AND latency_ms IS NOT NULL"""
        for table in ("raw_check", "imported_check")
    )
    with ledger.read() as connection:
        numbers = (find(connection, "endpoint", endpoint), find(connection, "location", location))
        if numbers[0] is None or numbers[1] is None:
            return tuple(_summary(span, []) for span in spans)
        key: Key = {"endpoint": numbers[0], "location": numbers[1]}
        limits: list[Key] = [{**key, "from_ms": span[0], "to_ms": span[1]} for span in spans]
        found = [all_rows(connection, live, **each) or all_rows(connection, imported, **each) for each in limits]
    return tuple(_summary(span, [row[0] for row in rows]) for span, rows in zip(spans, found, strict=True))


def _summary(span: Span, values: list[int]) -> Latency:
    values.sort()
    return Latency(
        span[0], span[1], len(values), _percentile(values, 50), _percentile(values, 95), _percentile(values, 99)
    )


def _percentile(ascending: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least so many percent of the values do not exceed (nearest rank)."""
    if not ascending:
        return None
    return ascending[-(-len(ascending) * percent // 100) - 1]
