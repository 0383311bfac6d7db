"""Where an endpoint's history stopped: what the judge needs to go on after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.lives import off_from
from ledger.numbers import find
from ledger.outages import COLUMNS, FROM, recorded
from ledger.query import all_rows, first_row, scalar
from ledger.recording import LIVE, VERDICTS, Observed
from ledger.store import Ledger
from sla.facts import Outage
from sla.judge import Check, Judged, Method, resume

LONGEST_REPLAY = 10_000  # checks; a run of trouble that was never confirmed is far shorter


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """`checks` ascend, from the last good one before what is open (or the last `up` one) to the newest.

    `coverage_from_ms` and `reach_ms`: the coverage still open; where it was closed, `covered_until_ms` says at what
    instant. `off_from_ms`: the clean stop or the last life stamp of the daemon that made the newest check; None where
    no life was stamped.
    """

    open_outage: Outage | None = None
    open_degraded: Outage | None = None
    coverage_from_ms: int | None = None
    reach_ms: int | None = None
    covered_until_ms: int | None = None
    checks: tuple[Check, ...] = ()
    last_check_ms: int | None = None
    off_from_ms: int | None = None


def resume_point(ledger: Ledger, endpoint: str, location: str) -> ResumePoint:
    """Where the live history of that endpoint from that location stopped; empty where there is none."""
    with ledger.read() as connection:
        key = _key(connection, endpoint, location)
        return ResumePoint() if key is None else _point(connection, key)


def open_endpoints(ledger: Ledger) -> tuple[tuple[str, str], ...]:
    """(endpoint, location) of everything with coverage, an outage or a degraded stretch still open."""
    query = """SELECT DISTINCT e.id AS endpoint, l.id AS location FROM
(SELECT endpoint, location FROM coverage WHERE to_ms IS NULL AND source = :live
UNION SELECT endpoint, location FROM "interval" WHERE to_ms IS NULL AND source = :live) AS o
JOIN endpoint AS e ON e.number = o.endpoint JOIN location AS l ON l.number = o.location ORDER BY 1, 2"""
    with ledger.read() as connection:
        return tuple((row.endpoint, row.location) for row in all_rows(connection, query, live=LIVE))


def is_blind(ledger: Ledger, location: str) -> bool:
    """Whether a blind spell of that location is still open."""
    query = """SELECT 1 FROM "interval" WHERE endpoint IS NULL AND location = :location AND kind = 'blind'
AND source = :live AND to_ms IS NULL"""
    with ledger.read() as connection:
        number = find(connection, "location", location)
        return number is not None and scalar(connection, query, location=number, live=LIVE) is not None


def resumed(ledger: Ledger, endpoint: str, location: str, *, method: Method | None, at_ms: int) -> Judged:
    """The judge's state after a restart at `at_ms`, and what the restart itself decides. Without a method the time
    that its checks vouched for stands for it.

    Checks later than now were made before the clock was set back: they decide nothing any more.
    """
    point = resume_point(ledger, endpoint, location)
    return resume(
        method or Method(point.reach_ms or 60_000, 0),
        at_ms=at_ms,
        checks=[check for check in point.checks if check.at_ms <= at_ms],
        open_outage=point.open_outage,
        open_degraded=point.open_degraded,
        coverage_from_ms=point.coverage_from_ms,
        reach_ms=point.reach_ms,
        covered_until_ms=point.covered_until_ms,
        off_from_ms=point.off_from_ms,
    )


def ended_unseen(ledger: Ledger, location: str, *, at_ms: int) -> list[Observed]:
    """What is open there and was not looked at until `at_ms`, ended as a restart at that instant would end it."""
    ended = []
    for endpoint, place in open_endpoints(ledger):
        if place == location:
            _, said = resumed(ledger, endpoint, location, method=None, at_ms=at_ms)
            ended.append(Observed(endpoint, location, None, transitions=said))
    return ended


def _key(connection: Connection, endpoint: str, location: str) -> dict[str, int] | None:
    numbers = (find(connection, "endpoint", endpoint), find(connection, "location", location))
    return None if numbers[0] is None or numbers[1] is None else {"endpoint": numbers[0], "location": numbers[1]}


def _point(connection: Connection, key: dict[str, int]) -> ResumePoint:
    down, degraded = _open(connection, key, "down"), _open(connection, key, "degraded")
    where = "endpoint = :endpoint AND location = :location AND source = :live"
    newest = f"""SELECT from_ms, to_ms, reach_ms FROM coverage WHERE {where}
ORDER BY to_ms IS NULL DESC, from_ms DESC, number DESC LIMIT 1"""
    coverage = first_row(connection, newest, **key, live=LIVE)
    is_open = coverage is not None and coverage.to_ms is None
    checks = _checks(connection, key, down, degraded)
    last_check_ms = checks[-1].at_ms if checks else None
    return ResumePoint(
        open_outage=down,
        open_degraded=degraded,
        coverage_from_ms=coverage.from_ms if coverage is not None and is_open else None,
        reach_ms=coverage.reach_ms if coverage is not None and is_open else None,
        covered_until_ms=None if coverage is None else coverage.to_ms,
        checks=checks,
        last_check_ms=last_check_ms,
        off_from_ms=None if last_check_ms is None else off_from(connection, key["location"], last_check_ms),
    )


def _open(connection: Connection, key: dict[str, int], kind: str) -> Outage | None:
    where = "i.endpoint = :endpoint AND i.location = :location AND i.kind = :kind AND i.source = :live"
    query = f"SELECT {COLUMNS} FROM {FROM} WHERE {where} AND i.to_ms IS NULL"
    row = first_row(connection, query, **key, kind=kind, live=LIVE)
    return None if row is None else recorded(connection, row).outage


def _checks(
    connection: Connection, key: dict[str, int], down: Outage | None, degraded: Outage | None
) -> tuple[Check, ...]:
    where = "endpoint = :endpoint AND location = :location"
    before = min((outage.from_ms for outage in (down, degraded) if outage is not None), default=None)
    limits: dict[str, Any] = {} if before is None else {"before": before}
    cut = "" if before is None else "AND at_ms < :before"
    up = f"SELECT at_ms FROM raw_check WHERE {where} AND verdict = 0 {cut} ORDER BY at_ms DESC LIMIT 1"
    from_ms = scalar(connection, up, **key, **limits)
    query = f"""SELECT at_ms, verdict, error, latency_ms FROM raw_check LEFT JOIN check_evidence
USING (endpoint, location, at_ms) WHERE {where} AND at_ms >= :from_ms ORDER BY at_ms DESC LIMIT :most"""
    rows = all_rows(connection, query, **key, from_ms=-1 if from_ms is None else from_ms, most=LONGEST_REPLAY)
    return tuple(Check(row.at_ms, VERDICTS[row.verdict], row.error, row.latency_ms) for row in reversed(rows))
