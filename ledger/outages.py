"""Outages and degraded stretches on record, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row

from ledger.query import all_rows, first_row
from ledger.recording import VERDICTS
from ledger.store import Ledger
from sla.facts import Outage

Kind = Literal["down", "degraded"]
COLUMNS = """i.number, i.id, e.id AS endpoint_id, l.id AS location_id, i.endpoint, i.location, i.kind, i.source,
i.from_ms, i.to_ms, i.last_good_ms, i.first_bad_ms, i.confirmed_ms, i.last_bad_ms, i.first_good_ms, i.failed_checks,
i.end_reason, i.error, i.cause, i.text"""
FROM = '"interval" AS i JOIN endpoint AS e ON e.number = i.endpoint JOIN location AS l ON l.number = i.location'


@dataclass(frozen=True, slots=True)
class Recorded:
    """One outage or degraded stretch of an endpoint as it stands on record; `outage.to_ms` is None while it lasts."""

    outage: Outage
    endpoint: str
    location: str
    kind: Kind
    source: str
    error: str | None
    end_reason: str | None

    @property
    def is_open(self) -> bool:
        return self.outage.to_ms is None


def outages(
    ledger: Ledger,
    *,
    endpoints: Sequence[str] | None = None,
    kinds: Sequence[Kind] = ("down",),
    from_ms: int | None = None,
    to_ms: int | None = None,
    open_only: bool = False,
    limit: int | None = None,
) -> tuple[Recorded, ...]:
    """What overlaps [from_ms, to_ms), open ones first, then the newest; only of the endpoints named, if given."""
    named: dict[str, str] = {f"kind{number}": kind for number, kind in enumerate(kinds)}
    where = [f"i.kind IN ({', '.join(f':{name}' for name in named)})"]
    where += ["i.to_ms IS NULL"] if open_only else []
    where += ["(i.to_ms IS NULL OR i.to_ms > :from_ms)"] if from_ms is not None else []
    where += ["i.from_ms < :to_ms"] if to_ms is not None else []
    values = {name: value for name, value in (("from_ms", from_ms), ("to_ms", to_ms)) if value is not None}
    order = "ORDER BY i.to_ms IS NOT NULL, i.from_ms DESC, i.number DESC"
    query = f"SELECT {COLUMNS} FROM {FROM} WHERE {' AND '.join(where)} {order}"
    with ledger.read() as connection:
        found = all_rows(connection, query, **named, **values)
        found = [row for row in found if endpoints is None or row.endpoint_id in endpoints]
        return tuple(recorded(connection, row) for row in found[:limit])


def outage(ledger: Ledger, id: str) -> Recorded | None:
    """The one with that id, in upper or lower case; None where there is none."""
    with ledger.read() as connection:
        return outage_in(connection, id)


def outage_in(connection: Connection, id: str) -> Recorded | None:
    """The same within a transaction of the caller's."""
    row = first_row(connection, f"SELECT {COLUMNS} FROM {FROM} WHERE i.id = :id", id=id.upper())
    return None if row is None else recorded(connection, row)


def recorded(connection: Connection, row: Row[Any], *, until_ms: int | None = None) -> Recorded:
    """The value of a row of COLUMNS. While it lasts its last bad check is looked up (up to `until_ms`)."""
    last_bad_ms, failed_checks = row.last_bad_ms, row.failed_checks
    if row.to_ms is None:
        last_bad_ms, failed_checks = _so_far(connection, row, until_ms)
    value = Outage(
        id=row.id,
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        last_good_ms=row.last_good_ms,
        first_bad_ms=row.first_bad_ms,
        confirmed_ms=row.confirmed_ms,
        last_bad_ms=last_bad_ms,
        first_good_ms=row.first_good_ms,
        cause=row.cause or row.error or "",
        text=row.text or "",
        endpoints=(row.endpoint_id,),
        failed_checks=failed_checks,
    )
    return Recorded(value, row.endpoint_id, row.location_id, row.kind, row.source, row.error, row.end_reason)


def _so_far(connection: Connection, row: Row[Any], until_ms: int | None) -> tuple[int | None, int | None]:
    """(last bad check, failed checks) of one that lasts; as at its confirmation where the checks are gone."""
    query = f"""SELECT MAX(at_ms) AS last_bad_ms, COUNT(*) AS failed FROM raw_check WHERE endpoint = :endpoint
AND location = :location AND verdict <> 0 AND verdict = :bad AND at_ms >= :from_ms
{"" if until_ms is None else "AND at_ms <= :until_ms"}"""
    limit = {} if until_ms is None else {"until_ms": until_ms}
    values = {"endpoint": row.endpoint, "location": row.location, "bad": VERDICTS.index(row.kind)}
    found = first_row(connection, query, **values, from_ms=row.from_ms, **limit)
    if found is None or found.last_bad_ms is None:
        return row.confirmed_ms, row.failed_checks
    return found.last_bad_ms, max(found.failed, row.failed_checks or 0)
