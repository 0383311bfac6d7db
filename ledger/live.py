"""How each endpoint is now: what the board and `nines status` begin with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ledger.coverage import Key, closed_ms
from ledger.numbers import find, find_all
from ledger.outages import COLUMNS, FROM
from ledger.query import first_row, scalar
from ledger.recording import LIVE, VERDICTS
from ledger.store import Ledger
from sla.facts import Verdict


@dataclass(frozen=True, slots=True)
class Live:
    """`verdict` is confirmed, None before the first check; `since_ms` is when it began to hold.

    The rest is of the newest check, whatever it saw: a failure in it may not be confirmed yet.
    """

    endpoint: str
    verdict: Verdict | None = None
    since_ms: int | None = None
    outage: str | None = None  # its id while down or degraded
    last_check_ms: int | None = None
    last_verdict: Verdict | None = None
    latency_ms: int | None = None
    error: str | None = None


def live(ledger: Ledger, ids: Iterable[str], *, now_ms: int, location: str = "local") -> dict[str, Live]:
    """The state of each endpoint at `now_ms`; unknown where its checks do not reach until now."""
    wanted = tuple(dict.fromkeys(ids))
    with ledger.read() as connection:
        place = find(connection, "location", location)
        numbers = {} if place is None else find_all(connection, "endpoint", wanted)
        return {
            id: _live(connection, id, {"endpoint": numbers[id], "location": place}, now_ms)
            if place is not None and id in numbers
            else Live(id)
            for id in wanted
        }


def last_check_ms(ledger: Ledger) -> int | None:
    """The newest check of anything from anywhere; None before the first. One look-up per endpoint and location."""
    query = """SELECT MAX((SELECT MAX(r.at_ms) FROM raw_check AS r WHERE r.endpoint = e.number
AND r.location = l.number)) FROM endpoint AS e CROSS JOIN location AS l"""
    with ledger.read() as connection:
        found = scalar(connection, query)
    return None if found is None else int(found)


def _live(connection: Connection, id: str, key: Key, now_ms: int) -> Live:
    newest = """SELECT at_ms, verdict, latency_ms, error FROM raw_check LEFT JOIN check_evidence
USING (endpoint, location, at_ms) WHERE endpoint = :endpoint AND location = :location AND at_ms <= :now_ms
ORDER BY at_ms DESC LIMIT 1"""
    check = first_row(connection, newest, **key, now_ms=now_ms)
    if check is None:
        return Live(id)
    verdict, since_ms, outage = _state(connection, key, now_ms)
    return Live(
        id,
        verdict,
        since_ms,
        outage,
        check.at_ms,
        VERDICTS[check.verdict],
        check.latency_ms,
        check.error,
    )


def _state(connection: Connection, key: Key, now_ms: int) -> tuple[Verdict, int | None, str | None]:
    """(verdict, since when, id of the outage)."""
    query = """SELECT endpoint, from_ms, to_ms, reach_ms FROM coverage
WHERE endpoint = :endpoint AND location = :location
AND source = :live ORDER BY to_ms IS NULL DESC, from_ms DESC, number DESC LIMIT 1"""
    coverage = first_row(connection, query, **key, live=LIVE)
    if coverage is None:
        return "unknown", None, None
    until_ms = closed_ms(connection, key["location"], coverage, now_ms)
    if until_ms < now_ms:
        return "unknown", until_ms, None
    for kind in ("down", "degraded"):
        trouble = _open(connection, key, kind)
        if trouble is not None:
            return trouble.kind, trouble.from_ms, trouble.id
    return "up", max(coverage.from_ms, _last_end(connection, key) or 0), None


def _open(connection: Connection, key: Key, kind: str) -> Row[Any] | None:
    query = f"""SELECT {COLUMNS} FROM {FROM} WHERE i.endpoint = :endpoint AND i.location = :location
AND i.kind = :kind AND i.source = :live AND i.to_ms IS NULL"""
    return first_row(connection, query, **key, kind=kind, live=LIVE)


def _last_end(connection: Connection, key: Key) -> int | None:
    query = """SELECT MAX(to_ms) FROM "interval" WHERE endpoint = :endpoint AND location = :location
AND kind IN ('down', 'degraded') AND source = :live"""
    found = scalar(connection, query, **key, live=LIVE)
    return None if found is None else int(found)
