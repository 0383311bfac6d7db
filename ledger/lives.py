"""The daemon's lives: when it was there to look, and when it was not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.numbers import find
from ledger.query import first_row
from ledger.store import Ledger

SILENT_AFTER_MS = 5_000  # it stamps each second; older than this, it is gone


@dataclass(frozen=True, slots=True)
class Pulse:
    """The newest life at a location. `seen_ms`: its last stamp; None where no daemon ever ran."""

    seen_ms: int | None
    stopped_ms: int | None
    alive: bool


def pulse(ledger: Ledger, *, now_ms: int, location: str = "local") -> Pulse:
    """Whether the daemon is alive now, and when it was last seen."""
    with ledger.read() as connection:
        return newest_pulse(connection, find(connection, "location", location), now_ms)


def newest_pulse(connection: Connection, location: int | None, now_ms: int) -> Pulse:
    """The same within a transaction, for a location's number; lives begun after `now_ms` are left out."""
    query = """SELECT stamp_ms, stopped_ms FROM life WHERE location = :location AND started_ms <= :now_ms
ORDER BY started_ms DESC, number DESC LIMIT 1"""
    row = None if location is None else first_row(connection, query, location=location, now_ms=now_ms)
    if row is None:
        return Pulse(None, None, False)
    return Pulse(row.stamp_ms, row.stopped_ms, row.stopped_ms is None and now_ms - row.stamp_ms <= SILENT_AFTER_MS)


def off_from(connection: Connection, location: int, check_ms: int) -> int | None:
    """Where the life that made a check at that instant ended (or stands): clean stop or last stamp.

    Never before the check itself. None where no life was on record then.
    """
    query = """SELECT stamp_ms, stopped_ms FROM life WHERE location = :location AND started_ms <= :at_ms
ORDER BY started_ms DESC, number DESC LIMIT 1"""
    row = first_row(connection, query, location=location, at_ms=check_ms)
    if row is None:
        return None
    return max(check_ms, int(row.stamp_ms if row.stopped_ms is None else row.stopped_ms))
