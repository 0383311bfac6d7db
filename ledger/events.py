"""Events and their deliveries: each event once to each channel, claimed before it is sent, tried again until given up.

A claim runs out by itself: a worker that dies while it sends leaves the delivery to be claimed again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ledger.query import all_rows, run, scalar
from ledger.store import Ledger

log = logging.getLogger("nines.ledger")

LOOKED_AT = 10  # at once, under the write lock: others wait for no longer than that takes
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


@dataclass(frozen=True, slots=True)
class Later:
    """Whether it is worth telling is not clear yet; ask again at that instant."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Never:
    """Not worth telling; why."""

    why: str


Worth = Callable[[Connection, "Happened", str], Later | Never | None]
"""Of an event and a channel: None where it is to be told now. Asked under the write lock, for a few at a time."""


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
    ledger: Ledger,
    channels: Sequence[str],
    *,
    at_ms: int,
    limit: int = 50,
    oldest_ms: int = OLDEST_MS,
    worth: Worth | None = None,
) -> tuple[Claimed, ...]:
    """What is due on these channels and worth telling, oldest first, claimed for this caller alone.

    Of one outage a channel is told in order: what closed it waits until its opening was sent, withheld or given up.
    """
    claimed: tuple[Claimed, ...] = ()
    while channels and not claimed and _anything_due(ledger, channels, at_ms - oldest_ms, at_ms):
        with ledger.decide() as connection:
            _make_rows(connection, channels, at_ms - oldest_ms, at_ms)
            due = [row for row in all_rows(connection, _DUE, at_ms=at_ms) if row.channel in channels]
            claimed = tuple(_claim(connection, due, worth, limit=limit, at_ms=at_ms))
    return claimed


def _claim(
    connection: Connection, due: Sequence[Row[Any]], worth: Worth | None, *, limit: int, at_ms: int
) -> Iterator[Claimed]:
    """The first of them that are worth telling; what is not, of those looked at, is put off."""
    claimed = 0
    for row in due[: limit if worth is None else LOOKED_AT]:
        event = _happened(all_rows(connection, "SELECT * FROM event WHERE number = :number", number=row.event)[0])
        verdict = None if worth is None else worth(connection, event, row.channel)
        if verdict is not None:
            _put_off(connection, row, event.id, verdict)
            continue
        update = "UPDATE delivery SET attempts = attempts + 1, next_ms = :until WHERE number = :number"
        run(connection, update, number=row.number, until=at_ms + CLAIM_MS)
        yield Claimed(row.number, event, row.channel, row.attempts + 1)
        claimed += 1
        if claimed == limit:
            return


def _put_off(connection: Connection, row: Row[Any], event: str, found: Later | Never) -> None:
    if isinstance(found, Later):
        update = "UPDATE delivery SET next_ms = :at_ms WHERE number = :number"
        run(connection, update, number=row.number, at_ms=found.at_ms)
        return
    log.info("%s is not told to %s: %s", event, row.channel, found.why)
    update = "UPDATE delivery SET state = 'given_up', error = :error WHERE number = :number"
    run(connection, update, number=row.number, error=WITHHELD + found.why)


# A prober that stood still for a moment is on record and in the log; a busy machine would tell it all day.
_MISSING = """SELECT e.number FROM event AS e WHERE e.kind <> 'prober.stalled' AND e.at_ms >= :since_ms AND NOT EXISTS
(SELECT 1 FROM delivery AS d WHERE d.event = e.number AND d.channel = :channel)"""
_DUE = """SELECT d.number, d.event, d.channel, d.attempts FROM delivery AS d JOIN event AS e ON e.number = d.event
WHERE d.state = 'pending' AND d.next_ms <= :at_ms AND NOT EXISTS (SELECT 1 FROM event AS o JOIN delivery AS b
ON b.event = o.number WHERE o.id = e.outage || '.opened' AND o.number < e.number AND b.channel = d.channel
AND b.state = 'pending')
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
