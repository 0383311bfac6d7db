"""One batch of observations as one transaction: checks, the transitions they caused, their events, the life stamp."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from ledger.identity import short_id
from ledger.incidents import agreed_now, meanwhile
from ledger.journal import canonical
from ledger.numbers import Numbers
from ledger.phases import write_phases
from ledger.query import first_row, run, scalar
from ledger.sight import Moved, Notice, SeenAgain, Sight, Unseen, write_sight
from ledger.store import Ledger
from sla.facts import Verdict
from sla.judge import Check, Closed, CoverageClosed, CoverageOpened, Opened, Transition

log = logging.getLogger("nines.ledger")

LIVE = "live"  # the source of what this program saw itself; imports bring rows of their own
VERDICTS: tuple[Verdict, ...] = ("up", "degraded", "down", "unknown")  # raw_check.verdict is the index
_NUMBER_OF = {verdict: number for number, verdict in enumerate(VERDICTS)}
# For the driver as they are, without a dictionary or a statement object per row.
_INSERT_CHECK = """INSERT INTO raw_check (endpoint, location, at_ms, verdict, retry, latency_ms)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (endpoint, location, at_ms) DO NOTHING"""
_INSERT_EVIDENCE = """INSERT INTO check_evidence (endpoint, location, at_ms, error, phases, detail)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (endpoint, location, at_ms) DO NOTHING"""
PARENT_DOWN = "parent_down"
_BY_KEY = itemgetter(0, 1, 2)
Row = tuple[Any, ...]
_INSERT_INTERVAL = """INSERT INTO "interval"
(id, endpoint, location, kind, source, from_ms, last_good_ms, first_bad_ms, confirmed_ms, failed_checks, error, cause)
VALUES (:id, :endpoint, :location, :kind, :source, :from_ms, :last_good_ms, :from_ms, :confirmed_ms, :failed_checks,
:error, :cause)"""
_OPEN = """SELECT number, id, from_ms, last_good_ms, confirmed_ms, error FROM "interval" WHERE endpoint = :endpoint
AND location = :location AND kind = :kind AND source = :source AND to_ms IS NULL"""
_CLOSE = """UPDATE "interval" SET to_ms = :to_ms, last_bad_ms = :last_bad_ms, first_good_ms = :first_good_ms,
failed_checks = :failed_checks, end_reason = :reason, cause = COALESCE(cause, :cause) WHERE number = :number"""


@dataclass(frozen=True, slots=True)
class Observed:
    """One check and what the judge made of it. `check` is None for a decision without one (restart, removal).

    `endpoint` None: it concerns the whole location (blind, suspended, a clock step, a notice).
    """

    endpoint: str | None
    location: str
    check: Check | None
    retry: bool = False
    phases_us: Mapping[str, int] | None = None
    detail: str | None = None
    transitions: tuple[Transition | Sight, ...] = ()

    @property
    def at_ms(self) -> int:
        """When it was decided; for a decision without a check the latest instant that it names."""
        if self.check is not None:
            return self.check.at_ms
        return max((_told_ms(transition) for transition in self.transitions), default=0)


def _told_ms(transition: Transition | Sight) -> int:
    match transition:
        case Opened():
            return transition.confirmed_ms
        case Closed() | CoverageClosed():
            return transition.to_ms
        case CoverageOpened():
            return transition.from_ms
        case Unseen() | SeenAgain() | Moved() | Notice():
            return transition.at_ms


@dataclass(slots=True)
class Life:
    """The daemon's life as far as it is to be written: when it was last known alive, and a clean stop.

    `written` counts the observations of this life that are on record with this batch; None where nobody counts.
    """

    boot: str
    location: str
    stamp_ms: int | None = None
    stopped_ms: int | None = None
    written: int | None = None


@dataclass(slots=True)
class Recorder:
    """Writes batches. What it remembers between them is only to save work, and is dropped when a batch fails."""

    ledger: Ledger
    _numbers: Numbers = field(default_factory=Numbers)
    _before: dict[tuple[int, int], Observed] = field(default_factory=dict)

    def record(self, batch: Sequence[Observed], life: Life | None) -> tuple[str, ...]:
        """All of it in one transaction, on disk when this returns. The ids of the events that it made."""
        try:
            with self.ledger.decide() as connection:
                return self.write(connection, batch, life)
        except BaseException:
            self.forget()
            raise

    def write(self, connection: Connection, batch: Sequence[Observed], life: Life | None) -> tuple[str, ...]:
        """The same within a transaction of the caller's, who calls `forget` where it is rolled back."""
        events = self._write(connection, batch)
        if life is not None:
            self._stamp(connection, life, batch)
        return events

    def forget(self) -> None:
        """What was written last may not be there."""
        self._numbers.forget()
        self._before.clear()

    def _write(self, connection: Connection, batch: Sequence[Observed]) -> tuple[str, ...]:
        """This loop is run for each check there ever is: a few microseconds, no object but the row itself."""
        checks: list[Row] = []
        evidence: list[Row] = []
        events: list[str] = []
        known, before = self._numbers.pairs, self._before
        for observed in batch:
            if observed.endpoint is None:
                events += self._of_location(connection, observed)
                continue
            key = known.get((observed.endpoint, observed.location)) or self._key(connection, observed)
            check = observed.check
            if check is not None:
                verdict = _NUMBER_OF[check.verdict]
                checks.append((*key, check.at_ms, verdict, observed.retry, check.latency_ms))
                last = before.get(key)
                before[key] = observed
                if verdict or (last is not None and last.check is not None and last.check.verdict != "up"):
                    evidence += _evidence(key, last, observed)
            for transition in observed.transitions:
                where = {"endpoint": key[0], "location": key[1], "source": LIVE}
                events += _apply(connection, self.ledger.id, observed, transition, where)
        _insert_many(connection, _INSERT_CHECK, checks)
        _insert_many(connection, _INSERT_EVIDENCE, evidence)
        return tuple(events)

    def _key(self, connection: Connection, observed: Observed) -> tuple[int, int]:
        assert observed.endpoint is not None
        return self._numbers.pair(connection, observed.endpoint, observed.location)

    def _of_location(self, connection: Connection, observed: Observed) -> list[str]:
        """What concerns no endpoint of its own; the ids of its events."""
        location = self._numbers.get(connection, "location", observed.location)
        key = {"endpoint": None, "location": location, "source": LIVE}
        told = [one for one in observed.transitions if isinstance(one, Unseen | SeenAgain | Moved | Notice)]
        return [event for one in told for event in write_sight(connection, self.ledger.id, one, key)]

    def _stamp(self, connection: Connection, life: Life, batch: Iterable[Observed]) -> None:
        """A check at an instant is a sign of life too, and one that may come before the first stamp."""
        seen = [observed.check.at_ms for observed in batch if observed.check is not None]
        alive = [*seen, *([] if life.stamp_ms is None else [life.stamp_ms])]
        if alive:
            insert = """INSERT INTO life (boot, location, started_ms, stamp_ms)
VALUES (:boot, :location, :started_ms, :stamp_ms) ON CONFLICT (boot) DO UPDATE SET stamp_ms = excluded.stamp_ms"""
            location = self._numbers.get(connection, "location", life.location)
            run(connection, insert, boot=life.boot, location=location, started_ms=min(alive), stamp_ms=max(alive))
        if life.stopped_ms is not None:
            update = "UPDATE life SET stamp_ms = :at_ms, stopped_ms = :at_ms WHERE boot = :boot"
            run(connection, update, boot=life.boot, at_ms=life.stopped_ms)
        if life.written is not None:
            update = "UPDATE life SET written = :written WHERE boot = :boot"
            run(connection, update, boot=life.boot, written=life.written)


def written_of(connection: Connection, boot: str) -> int:
    """How many observations of that life are on record; 0 where it is not."""
    return int(scalar(connection, "SELECT written FROM life WHERE boot = :boot", boot=boot) or 0)


def _insert_many(connection: Connection, sql: str, rows: list[Row]) -> None:
    """In the order of the key, so that neighbours go into the same page."""
    if rows:
        rows.sort(key=_BY_KEY)
        connection.exec_driver_sql(sql, rows)


def _evidence(key: tuple[int, int], before: Observed | None, observed: Observed) -> list[Row]:
    """Kept where a check was not up; of the one before and the one after its phases."""
    rows = [_evidence_row(key, observed)]
    if before is not None and before.check is not None and before.check.verdict == "up":
        rows.insert(0, _evidence_row(key, before))
    return rows


def _evidence_row(key: tuple[int, int], observed: Observed) -> Row:
    check = observed.check
    assert check is not None
    detail = observed.detail if check.verdict != "up" else None
    return (*key, check.at_ms, check.error, write_phases(observed.phases_us), detail)


def _apply(
    connection: Connection, ledger_id: str, observed: Observed, transition: Transition | Sight, key: dict[str, Any]
) -> list[str]:
    """Write one transition; the ids of its events."""
    match transition:
        case Opened():
            return _open(connection, ledger_id, observed, transition, key)
        case Closed():
            return _close(connection, ledger_id, observed, transition, key)
        case CoverageOpened():
            _close_coverage(connection, transition.from_ms, key)  # no more than one is ever open
            insert = """INSERT INTO coverage (endpoint, location, source, from_ms, reach_ms)
VALUES (:endpoint, :location, :source, :from_ms, :reach_ms)"""
            run(connection, insert, **key, from_ms=transition.from_ms, reach_ms=transition.reach_ms)
        case CoverageClosed():
            _close_coverage(connection, transition.to_ms, key)
        case _:
            return write_sight(connection, ledger_id, transition, key)
    return []


def _close_coverage(connection: Connection, to_ms: int, key: dict[str, Any]) -> None:
    update = """UPDATE coverage SET to_ms = CASE WHEN from_ms > :to_ms THEN from_ms ELSE :to_ms END
WHERE endpoint = :endpoint AND location = :location AND source = :source AND to_ms IS NULL"""
    run(connection, update, **key, to_ms=to_ms)


def _open(connection: Connection, ledger_id: str, observed: Observed, opened: Opened, key: dict[str, Any]) -> list[str]:
    if (found := first_row(connection, _OPEN, **key, kind=opened.kind)) is not None:
        log.error("%s: %s is still open, nothing is opened over it", observed.endpoint, found.id)
        return []
    outage = _insert(connection, ledger_id, observed, opened, key)
    body = {
        "endpoint": observed.endpoint,
        "location": observed.location,
        "kind": opened.kind,
        "outage": outage,
        "from_ms": opened.from_ms,
        "to_ms": None,
        "last_good_ms": opened.last_good_ms,
        "confirmed_ms": opened.confirmed_ms,
        "end_reason": None,
        "error": opened.error,
        "failed_checks": opened.failed_checks,
    }
    return [_tell(connection, "opened", observed.at_ms, body)]


def _insert(connection: Connection, ledger_id: str, observed: Observed, opened: Opened, key: dict[str, Any]) -> str:
    def taken(id: str) -> bool:
        return scalar(connection, 'SELECT 1 FROM "interval" WHERE id = :id', id=id) is not None

    what = (observed.endpoint, observed.location, opened.kind, key["source"], opened.from_ms)
    outage = short_id("O", ledger_id, *what, taken=taken)
    run(
        connection,
        _INSERT_INTERVAL,
        **key,
        id=outage,
        kind=opened.kind,
        from_ms=opened.from_ms,
        last_good_ms=opened.last_good_ms,
        confirmed_ms=opened.confirmed_ms,
        failed_checks=opened.failed_checks,
        error=opened.error,
        cause=_cause(connection, observed, opened.from_ms),
    )
    return outage


def _cause(connection: Connection, observed: Observed, from_ms: int) -> str | None:
    """What is reached through something that is down is down because of it."""
    assert observed.endpoint is not None
    parent = agreed_now(connection, observed.endpoint).get("parent")
    if parent is None or meanwhile(connection, parent, at_ms=from_ms) is None:
        return None
    return PARENT_DOWN


def _close(
    connection: Connection, ledger_id: str, observed: Observed, closed: Closed, key: dict[str, Any]
) -> list[str]:
    found = first_row(connection, _OPEN, **key, kind=closed.kind)
    if found is None:
        log.error("%s: no open row for what ended at %d; it is written whole", observed.endpoint, closed.to_ms)
        whole = Opened(closed.kind, closed.from_ms, None, closed.from_ms, None, closed.failed_checks)
        _insert(connection, ledger_id, observed, whole, key)
        found = first_row(connection, _OPEN, **key, kind=closed.kind)
        assert found is not None
    to_ms = max(closed.to_ms, found.from_ms)
    run(
        connection,
        _CLOSE,
        number=found.number,
        to_ms=to_ms,
        last_bad_ms=closed.last_bad_ms,
        first_good_ms=closed.first_good_ms,
        failed_checks=closed.failed_checks,
        reason=closed.reason,
        cause=_cause(connection, observed, found.from_ms),  # the parent's may have been confirmed later than its own
    )
    body = {
        "endpoint": observed.endpoint,
        "location": observed.location,
        "kind": closed.kind,
        "outage": found.id,
        "from_ms": found.from_ms,
        "to_ms": to_ms,
        "last_good_ms": found.last_good_ms,
        "confirmed_ms": found.confirmed_ms,
        "end_reason": closed.reason,
        "error": found.error,
        "failed_checks": closed.failed_checks,
    }
    return [_tell(connection, "closed", observed.at_ms, body)]


def _tell(connection: Connection, what: str, at_ms: int, body: dict[str, Any]) -> str:
    """An event has its outage's id and what became of it: the same for whoever hears of it twice."""
    id = f"{body['outage']}.{what}"
    insert = "INSERT INTO event (id, kind, at_ms, outage, body) VALUES (:id, :kind, :at_ms, :outage, :body)"
    run(connection, insert, id=id, kind=f"outage.{what}", at_ms=at_ms, outage=body["outage"], body=canonical(body))
    return id
