"""Imported history judged: what a source says of an endpoint as outages and coverage, and how the record follows it.

The new judgement is laid out in temporary tables of the connection, so that no lock is held meanwhile, and then taken
over in one transaction. An outage that is judged anew keeps the id of the one that it overlaps longest, with its notes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from ledger.identity import short_id
from ledger.query import all_rows, first_row, run, run_many, scalar
from ledger.recording import VERDICTS
from ledger.store import Ledger
from sla.judge import (
    Check,
    Closed,
    CoverageClosed,
    CoverageOpened,
    Method,
    Opened,
    State,
    Transition,
    judge,
    known_off,
    remove,
)

Methods = Sequence[tuple[int, Method]]  # (from_ms, method) ascending; time before the first uses the first
Progress = Callable[[int], object]
CHUNK = 5_000
TABLES = ("judged_interval", "judged_coverage")
FOREVER_MS = 10**15  # longer than any history: a held check reaches to the next one
_COLUMNS = (
    *("from_ms", "to_ms", "last_good_ms", "first_bad_ms", "confirmed_ms", "last_bad_ms", "first_good_ms"),
    *("failed_checks", "reason", "error", "cause", "text"),
)
_TABLES = (
    """CREATE TEMPORARY TABLE judged_interval (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, kind TEXT NOT NULL,
from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL, last_good_ms BIGINT, first_bad_ms BIGINT, confirmed_ms BIGINT,
last_bad_ms BIGINT, first_good_ms BIGINT, failed_checks INTEGER, reason TEXT, error TEXT, cause TEXT, text TEXT)""",
    """CREATE TEMPORARY TABLE judged_coverage (place INTEGER NOT NULL, from_ms BIGINT NOT NULL, to_ms BIGINT NOT NULL,
reach_ms BIGINT NOT NULL)""",
    "CREATE INDEX judged_interval_by_time ON judged_interval (place, kind, from_ms)",
    "CREATE INDEX judged_coverage_by_time ON judged_coverage (place, from_ms)",
)
_LAY_INTERVAL = f"""INSERT INTO judged_interval (place, kind, {", ".join(_COLUMNS)})
VALUES (:place, :kind, :{", :".join(_COLUMNS)})"""
_LAY_COVERAGE = """INSERT INTO judged_coverage (place, from_ms, to_ms, reach_ms)
VALUES (:place, :from_ms, :to_ms, :reach_ms)"""
_SAME = """j.place = :place AND i.endpoint = :endpoint AND i.location = :location AND i.source = :source
AND i.kind = j.kind AND i.from_ms = j.from_ms AND i.to_ms = j.to_ms
AND i.confirmed_ms IS NOT DISTINCT FROM j.confirmed_ms
AND i.last_good_ms IS NOT DISTINCT FROM j.last_good_ms AND i.last_bad_ms IS NOT DISTINCT FROM j.last_bad_ms
AND i.first_good_ms IS NOT DISTINCT FROM j.first_good_ms AND i.failed_checks IS NOT DISTINCT FROM j.failed_checks
AND i.end_reason IS NOT DISTINCT FROM j.reason AND i.error IS NOT DISTINCT FROM j.error"""
_HERE = "endpoint = :endpoint AND location = :location AND source = :source"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose history: endpoint, location and source, by number and by name."""

    number: int  # among the places of this import
    endpoint: int
    location: int
    source: int
    names: tuple[str, str, str]  # endpoint, location, source

    @property
    def key(self) -> dict[str, Any]:
        """As intervals and coverage name it."""
        return {"endpoint": self.endpoint, "location": self.location, "source": self.names[2]}

    @property
    def evidence(self) -> dict[str, int]:
        """As imported checks and outages name it."""
        return {"endpoint": self.endpoint, "location": self.location, "source": self.source}


@dataclass(slots=True)
class Layout:
    """What is judged of one place, on its way into the temporary tables."""

    connection: Connection
    place: Place
    _intervals: list[dict[str, Any]] = field(default_factory=list)
    _coverage: list[dict[str, Any]] = field(default_factory=list)
    _open: dict[str, Opened] = field(default_factory=dict)
    _reach_ms: int = 0

    def take(self, transitions: Iterable[Transition]) -> None:
        for transition in transitions:
            match transition:
                case Opened():
                    self._open[transition.kind] = transition
                case Closed():
                    self._close(self._open.pop(transition.kind), transition)
                case CoverageOpened():
                    self._reach_ms = transition.reach_ms
                case CoverageClosed():
                    self.covered(transition.from_ms, transition.to_ms, self._reach_ms)

    def _close(self, opened: Opened, closed: Closed) -> None:
        self.interval(
            kind=closed.kind,
            from_ms=closed.from_ms,
            to_ms=closed.to_ms,
            last_good_ms=opened.last_good_ms,
            confirmed_ms=opened.confirmed_ms,
            last_bad_ms=closed.last_bad_ms,
            first_good_ms=closed.first_good_ms,
            failed_checks=closed.failed_checks,
            reason="unobserved" if closed.reason == "removed" else closed.reason,  # history ends, nobody saw it end
            error=opened.error,
        )

    def interval(self, **told: Any) -> None:
        self._intervals.append(
            {"place": self.place.number, **dict.fromkeys(_COLUMNS), "first_bad_ms": told["from_ms"], **told}
        )
        if len(self._intervals) >= CHUNK:
            self.flush()

    def covered(self, from_ms: int, to_ms: int, reach_ms: int) -> None:
        self._coverage.append({"place": self.place.number, "from_ms": from_ms, "to_ms": to_ms, "reach_ms": reach_ms})
        if len(self._coverage) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        run_many(self.connection, _LAY_INTERVAL, self._intervals)
        run_many(self.connection, _LAY_COVERAGE, self._coverage)
        self._intervals, self._coverage = [], []


def begin(connection: Connection) -> None:
    """Empty temporary tables for the judgements of one import."""
    for table in TABLES:
        run(connection, f"DROP TABLE IF EXISTS {table}")
    for statement in _TABLES:
        run(connection, statement)


def judge_checks(connection: Connection, place: Place, methods: Methods, progress: Progress) -> None:
    """Lay out what all the source's checks of the place say, in order of time, as live checks would be judged."""
    layout, state, method = Layout(connection, place), State(), methods[0][1]
    starts = [at_ms for at_ms, _ in methods]
    for check in _checks(connection, place, progress):
        if len(methods) > 1:
            method = methods[max(bisect_right(starts, check.at_ms) - 1, 0)][1]
        state, said = judge(state, check, method)
        layout.take(said)
    layout.take(_end(state, method))
    layout.flush()


def _end(state: State, method: Method) -> tuple[Transition, ...]:
    """History is over: its last check reaches as far as a check of that pace does, even where it is held for ever."""
    if state.last_seen_ms is None or state.covered_until_ms is None:
        return ()
    longest = method if state.reach_ms < FOREVER_MS else replace(method, hold_ms=None)
    state, said = known_off(state, min(state.covered_until_ms, state.last_seen_ms + longest.reach_ms))
    assert state.covered_until_ms is not None
    return (*said, *remove(state, state.covered_until_ms)[1])


def _checks(connection: Connection, place: Place, progress: Progress) -> Iterator[Check]:
    query = f"""SELECT at_ms, verdict, error FROM imported_check WHERE {_HERE} AND at_ms > :after
ORDER BY at_ms LIMIT {CHUNK}"""
    after, done = -1, 0
    while rows := all_rows(connection, query, **place.evidence, after=after):
        for row in rows:
            yield Check(row.at_ms, VERDICTS[row.verdict], row.error)
        after, done = rows[-1].at_ms, done + len(rows)
        progress(done)


def figures(connection: Connection, place: Place) -> dict[str, int]:
    """What the record says of the place now: outages, their time, and the time that the source vouches for."""
    down = f"""SELECT COUNT(*) AS outages, COALESCE(SUM(to_ms - from_ms), 0) AS down_ms FROM "interval"
WHERE {_HERE} AND kind = 'down'"""
    row = first_row(connection, down, **place.key)
    assert row is not None
    covered = f"SELECT COALESCE(SUM(to_ms - from_ms), 0) FROM coverage WHERE {_HERE}"
    covered_ms = int(scalar(connection, covered, **place.key))
    return {"outages": row.outages, "down_ms": row.down_ms, "covered_ms": covered_ms}


def take_over(connection: Connection, ledger: Ledger, place: Place) -> int:
    """Make the record of the place what was laid out, in a deciding transaction; how many of its rows changed."""
    return _take_coverage(connection, place) + _take_intervals(connection, ledger, place)


def _take_coverage(connection: Connection, place: Place) -> int:
    same = "j.place = :place AND c.from_ms = j.from_ms AND c.to_ms = j.to_ms AND c.reach_ms = j.reach_ms"
    key = {**place.key, "place": place.number}
    judged = f"SELECT 1 FROM judged_coverage AS j WHERE {same}"
    gone = run(connection, f"DELETE FROM coverage AS c WHERE {_HERE} AND NOT EXISTS ({judged})", **key)
    insert = f"""INSERT INTO coverage (endpoint, location, source, from_ms, to_ms, reach_ms)
SELECT :endpoint, :location, :source, j.from_ms, j.to_ms, j.reach_ms FROM judged_coverage AS j WHERE j.place = :place
AND NOT EXISTS (SELECT 1 FROM coverage AS c WHERE {_HERE} AND {same}) ORDER BY j.from_ms"""
    return gone.rowcount + run(connection, insert, **key).rowcount


def _take_intervals(connection: Connection, ledger: Ledger, place: Place) -> int:
    key = {**place.key, "place": place.number}
    stale = all_rows(
        connection,
        f"""SELECT i.number, i.kind, i.from_ms, i.to_ms FROM "interval" AS i WHERE i.{_HERE.replace("AND ", "AND i.")}
AND NOT EXISTS (SELECT 1 FROM judged_interval AS j WHERE {_SAME}) ORDER BY i.kind, i.from_ms""",
        **key,
    )
    fresh = f"""SELECT j.* FROM judged_interval AS j WHERE j.place = :place AND j.number > :after
AND NOT EXISTS (SELECT 1 FROM "interval" AS i WHERE {_SAME}) ORDER BY j.number
LIMIT {CHUNK}"""
    keeps = _keepers(connection, key, fresh, stale) if stale else {}
    kept = set(keeps.values())
    changed = 0
    for row in stale:
        if row.number not in kept:
            changed += run(connection, 'DELETE FROM "interval" WHERE number = :number', number=row.number).rowcount
    after = 0
    while rows := all_rows(connection, fresh, **key, after=after):
        for row in rows:
            told = {name: getattr(row, name) for name in ("kind", *_COLUMNS)}
            if row.number in keeps:
                _update(connection, keeps[row.number], told)
            else:
                _insert(connection, ledger, place, told)
            changed += 1
        after = rows[-1].number
    return changed


def _keepers(connection: Connection, key: dict[str, Any], fresh: str, stale: Sequence[Any]) -> dict[int, int]:
    """Number of what was judged -> number of the row on record that it goes on as: the longest overlaps first."""
    found = []
    by_kind = {kind: [row for row in stale if row.kind == kind] for kind in ("down", "degraded")}
    ends = {kind: [row.to_ms for row in rows] for kind, rows in by_kind.items()}
    starts = {kind: [row.from_ms for row in rows] for kind, rows in by_kind.items()}
    after = 0
    while rows := all_rows(connection, fresh, **key, after=after):
        for row in rows:
            old = by_kind[row.kind]
            first = bisect_left(ends[row.kind], row.from_ms)
            for other in old[first : bisect_right(starts[row.kind], row.to_ms)]:
                shared_ms = min(other.to_ms, row.to_ms) - max(other.from_ms, row.from_ms)
                found.append((-shared_ms, row.from_ms, row.number, other.number))
        after = rows[-1].number
    keeps: dict[int, int] = {}
    used: set[int] = set()
    for _, _, new, kept in sorted(found):
        if new not in keeps and kept not in used:
            keeps[new] = kept
            used.add(kept)
    return keeps


def _update(connection: Connection, number: int, told: dict[str, Any]) -> None:
    """Cause and text stay: a person may have written them."""
    update = """UPDATE "interval" SET from_ms = :from_ms, to_ms = :to_ms, last_good_ms = :last_good_ms,
first_bad_ms = :first_bad_ms, confirmed_ms = :confirmed_ms, last_bad_ms = :last_bad_ms, first_good_ms = :first_good_ms,
failed_checks = :failed_checks, end_reason = :reason, error = :error, cause = COALESCE(cause, :cause),
text = COALESCE(text, :text) WHERE number = :number"""
    run(connection, update, **told, number=number)


def _insert(connection: Connection, ledger: Ledger, place: Place, told: dict[str, Any]) -> None:
    def taken(id: str) -> bool:
        return scalar(connection, 'SELECT 1 FROM "interval" WHERE id = :id', id=id) is not None

    endpoint, location, source = place.names
    id = short_id("O", ledger.id, endpoint, location, told["kind"], source, told["from_ms"], taken=taken)
    insert = """INSERT INTO "interval" (id, endpoint, location, source, kind, from_ms, to_ms, last_good_ms,
first_bad_ms, confirmed_ms, last_bad_ms, first_good_ms, failed_checks, end_reason, error, cause, text)
VALUES (:id, :endpoint, :location, :source, :kind, :from_ms, :to_ms, :last_good_ms, :first_bad_ms,
:confirmed_ms, :last_bad_ms, :first_good_ms, :failed_checks, :reason, :error, :cause, :text)"""
    run(connection, insert, **place.key, **told, id=id)
