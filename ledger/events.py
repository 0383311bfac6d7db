"""Events and their deliveries: each event once to each channel, claimed before it is sent, tried again until given up.

A claim runs out by itself: a worker that dies while it sends leaves the delivery to be claimed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.query import all_rows, run, scalar
from ledger.store import Ledger

CLAIM_MS = 120_000  # longer than any attempt to deliver takes
WITHHELD = "withheld: "
OLDEST_MS = 86_400_000  # a channel that is new, or was away for longer, is not told of older events


@dataclass(frozen=True, slots=True)
class Happened:
    """One event. `id` is stable (`O-7K3F2.opened`); `body` says what happened, with opaque ids and no texts."""

    id: str
    kind: str
    at_ms: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claimed:
    """One event to tell one channel, ours until the claim runs out. `attempts` counts this one."""

    number: int
    event: Happened
    channel: str
    attempts: int


def events(ledger: Ledger, *, ids: Sequence[str] | None = None, since_ms: int | None = None) -> tuple[Happened, ...]:
    """Events in the order in which they were written; only those named, only those since then."""
    with ledger.read() as connection:
        if ids is None:
            query = "SELECT * FROM event WHERE at_ms >= :since_ms ORDER BY number"
            return tuple(_happened(row) for row in all_rows(connection, query, since_ms=since_ms or 0))
        query = "SELECT * FROM event WHERE id = :id AND at_ms >= :since_ms"
        rows = [row for id in ids for row in all_rows(connection, query, id=id, since_ms=since_ms or 0)]
    return tuple(_happened(row) for row in sorted(rows, key=lambda row: int(row.number)))


def _happened(row: Any) -> Happened:
    return Happened(row.id, row.kind, row.at_ms, json.loads(row.body))


def claim_deliveries(
    ledger: Ledger, channels: Sequence[str], *, at_ms: int, limit: int = 50, oldest_ms: int = OLDEST_MS
) -> tuple[Claimed, ...]:
    """What is due on these channels, oldest first, claimed for this caller alone.

    Of one outage a channel is told in order: what closed it waits until its opening was sent or given up.
    """
    if not channels or not _anything_due(ledger, channels, at_ms - oldest_ms, at_ms):
        return ()
    with ledger.decide() as connection:
        _make_rows(connection, channels, at_ms - oldest_ms, at_ms)
        due = [row for row in all_rows(connection, _DUE, at_ms=at_ms) if row.channel in channels][:limit]
        for row in due:
            update = "UPDATE delivery SET attempts = attempts + 1, next_ms = :until WHERE number = :number"
            run(connection, update, number=row.number, until=at_ms + CLAIM_MS)
        found = [all_rows(connection, "SELECT * FROM event WHERE number = :number", number=row.event)[0] for row in due]
    return tuple(
        Claimed(row.number, _happened(event), row.channel, row.attempts + 1)
        for row, event in zip(due, found, strict=True)
    )


# A prober that stood still for a moment is on record and in the log; a busy machine would tell it all day.
_MISSING = """SELECT e.number FROM event AS e WHERE e.kind <> 'prober.stalled' AND e.at_ms >= :since_ms AND NOT EXISTS
(SELECT 1 FROM delivery AS d WHERE d.event = e.number AND d.channel = :channel)"""
_DUE = """SELECT d.number, d.event, d.channel, d.attempts FROM delivery AS d
WHERE d.state = 'pending' AND d.next_ms <= :at_ms AND NOT EXISTS (SELECT 1 FROM delivery AS b
JOIN event AS eb ON eb.number = b.event JOIN event AS ed ON ed.number = d.event WHERE b.channel = d.channel
AND b.state = 'pending' AND b.event < d.event AND eb.outage IS NOT NULL AND eb.outage = ed.outage)
ORDER BY d.event, d.number"""


def _anything_due(ledger: Ledger, channels: Sequence[str], since_ms: int, at_ms: int) -> bool:
    """Looked at without the write lock: mostly there is nothing to do."""
    with ledger.read() as connection:
        if any(row.channel in channels for row in all_rows(connection, _DUE, at_ms=at_ms)):
            return True
        return any(scalar(connection, _MISSING, since_ms=since_ms, channel=one) is not None for one in channels)


def _make_rows(connection: Connection, channels: Sequence[str], since_ms: int, at_ms: int) -> None:
    for channel in channels:
        insert = f"""INSERT INTO delivery (event, channel, state, attempts, next_ms)
SELECT m.number, :channel, 'pending', 0, :at_ms FROM ({_MISSING}) AS m"""
        run(connection, insert, channel=channel, since_ms=since_ms, at_ms=at_ms)


def mark_sent(ledger: Ledger, delivery: Claimed, *, at_ms: int) -> None:
    """The receiver took it."""
    with ledger.decide() as connection:
        update = "UPDATE delivery SET state = 'sent', sent_ms = :at_ms, error = NULL WHERE number = :number"
        run(connection, update, number=delivery.number, at_ms=at_ms)


def postpone(ledger: Ledger, delivery: Claimed, *, until_ms: int) -> None:
    """It is not clear yet whether it is worth telling: claimed again then, and not counted as an attempt."""
    with ledger.decide() as connection:
        update = "UPDATE delivery SET attempts = attempts - 1, next_ms = :until_ms WHERE number = :number"
        run(connection, update, number=delivery.number, until_ms=until_ms)


def withhold(ledger: Ledger, delivery: Claimed, *, why: str) -> None:
    """It is not told, on record with the reason."""
    with ledger.decide() as connection:
        update = """UPDATE delivery SET state = 'given_up', attempts = attempts - 1, error = :error
WHERE number = :number"""
        run(connection, update, number=delivery.number, error=WITHHELD + why)


def all_withheld(connection: Connection, channel: str, outages: Sequence[str]) -> bool:
    """Whether the channel was told of the beginning of none of these outages, because that was withheld."""
    query = """SELECT d.error FROM delivery AS d JOIN event AS e ON e.number = d.event
WHERE d.channel = :channel AND e.id = :id AND d.state <> 'pending'"""
    found = [row for id in outages for row in all_rows(connection, query, channel=channel, id=f"{id}.opened")]
    return bool(found) and all((row.error or "").startswith(WITHHELD) for row in found)


def mark_failed(ledger: Ledger, delivery: Claimed, *, error: str, next_ms: int | None) -> None:
    """It was not taken: try again at `next_ms`, or None: give up, on record with the reason."""
    with ledger.decide() as connection:
        state = "given_up" if next_ms is None else "pending"
        update = """UPDATE delivery SET state = :state, error = :error, next_ms = COALESCE(:next_ms, next_ms)
WHERE number = :number AND state = 'pending'"""
        run(connection, update, number=delivery.number, state=state, error=error, next_ms=next_ms)
