"""Keeping the ledger small: days rolled up, old raw checks and old messages deleted, space given back, in small steps.

What is kept for good, whatever the retention: intervals, coverage, roll-ups, definitions, decisions, the journal; and
of the raw checks every one that was not up with the good one on either side, for they are the evidence of outages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ledger.query import all_rows, first_row, run, run_many, scalar
from ledger.rolls import Key, day_of, keep, roll
from ledger.slots import DAY_MS, HOUR_MS
from ledger.store import Ledger
from sla.spans import Span

ROLL_AFTER_MS = HOUR_MS  # a day is over for good when late records of it have had time to arrive
YOUNG_DAYS = 5  # so long a day is looked at again: what waited out a lost database comes late
ROWS_AT_ONCE = 2_000
PAGES_AT_ONCE = 100
GONE, GOING = 1, 2  # rolled_day.pruned
SPARE_PAGES = 1_000  # what is written next takes them: giving everything back would only move the end of the file


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what may go is kept; None: for good."""

    checks_ms: int | None = 35 * DAY_MS
    messages_ms: int | None = 400 * DAY_MS


@dataclass(frozen=True, slots=True)
class EndpointDay:
    """One day of one endpoint from one location."""

    endpoint: str
    key: Key
    day: int

    @property
    def span(self) -> Span:
        return (self.day * DAY_MS, (self.day + 1) * DAY_MS)


@dataclass(frozen=True, slots=True)
class Step:
    """One short piece of work that was done: a day rolled up, or so many rows deleted or pages given back."""

    what: str  # rolled, checks, days, events, pages
    count: int


def in_words(done: Mapping[str, int]) -> str:
    """`3 days rolled up, 4,320 raw checks deleted`; "nothing was due" where nothing was."""
    words = {
        "rolled": "days rolled up",
        "checks": "raw checks deleted",
        "events": "old events deleted",
        "pages": "pages given back",
    }
    told = [f"{done[what]:,} {text}" for what, text in words.items() if done.get(what)]
    return ", ".join(told) or "nothing was due"


def housekeeping(ledger: Ledger, retention: Retention, *, now_ms: int) -> Iterator[Step]:
    """Everything that is due, one short transaction after the other; whoever iterates may rest in between."""
    for day in _unrolled(ledger, now_ms=now_ms):
        roll_up(ledger, day)
        yield Step("rolled", 1)
    if retention.checks_ms is not None:
        yield from prune_checks(ledger, before_ms=now_ms - retention.checks_ms, now_ms=now_ms)
    if retention.messages_ms is not None:
        yield from _prune_messages(ledger, before_ms=now_ms - retention.messages_ms)
    yield from give_back(ledger)


def roll_up(ledger: Ledger, day: EndpointDay) -> None:
    """Put one day on record as it stands in its raw checks: read from a snapshot, written in a moment."""
    with ledger.read() as connection:
        rolled = roll(connection, day.endpoint, day.key, day.day)
    if rolled is not None:
        with ledger.decide() as connection:
            keep(connection, day.key, day.day, rolled)


def _unrolled(ledger: Ledger, *, now_ms: int) -> Iterator[EndpointDay]:
    """Days that are over and not rolled up, or rolled up before their last check came."""
    until_day = day_of(now_ms - ROLL_AFTER_MS)
    for endpoint, key in _watched(ledger):
        with ledger.read() as connection:
            days = [*_young_and_wrong(connection, key, until_day), *_missing(connection, key, until_day)]
        yield from (EndpointDay(endpoint, key, day) for day in days)


def _watched(ledger: Ledger) -> list[tuple[str, Key]]:
    """Every endpoint and location that checks are on record of, with their numbers."""
    query = """SELECT e.id, e.number AS endpoint, l.number AS location FROM endpoint AS e CROSS JOIN location AS l
WHERE EXISTS (SELECT 1 FROM raw_check AS r WHERE r.endpoint = e.number AND r.location = l.number) ORDER BY 2, 3"""
    with ledger.read() as connection:
        rows = all_rows(connection, query)
    return [(row.id, {"endpoint": row.endpoint, "location": row.location}) for row in rows]


def _missing(connection: Connection, key: Key, until_day: int) -> Iterator[int]:
    """Days with raw checks behind the last one rolled up, and before `until_day`."""
    where = "endpoint = :endpoint AND location = :location"
    last = scalar(connection, f"SELECT MAX(day) FROM rolled_day WHERE {where}", **key)
    day = 0 if last is None else last + 1
    query = f"SELECT MIN(at_ms) FROM raw_check WHERE {where} AND at_ms >= :from_ms"
    while (at_ms := scalar(connection, query, **key, from_ms=day * DAY_MS)) is not None and day_of(at_ms) < until_day:
        day = day_of(at_ms)
        yield day
        day += 1


def _young_and_wrong(connection: Connection, key: Key, until_day: int) -> list[int]:
    query = f"""SELECT day FROM rolled_day AS d WHERE endpoint = :endpoint AND location = :location AND pruned = 0
AND day >= :first AND checks <> (SELECT COUNT(*) FROM raw_check AS r WHERE r.endpoint = d.endpoint
AND r.location = d.location AND r.at_ms >= d.day * {DAY_MS} AND r.at_ms < (d.day + 1) * {DAY_MS})"""
    return [row.day for row in all_rows(connection, query, **key, first=until_day - YOUNG_DAYS)]


def prune_checks(ledger: Ledger, *, before_ms: int, now_ms: int) -> Iterator[Step]:
    """Delete the raw checks of whole days before that instant, but for the evidence; each is rolled up once more."""
    before_day = min(day_of(before_ms), day_of(now_ms - ROLL_AFTER_MS))
    query = """SELECT e.id, d.endpoint, d.location, d.day FROM rolled_day AS d
JOIN endpoint AS e ON e.number = d.endpoint WHERE d.pruned <> 1 AND d.day < :before ORDER BY d.day, d.endpoint"""
    with ledger.read() as connection:
        rows = all_rows(connection, query, before=before_day)
    for row in rows:
        day = EndpointDay(row.id, {"endpoint": row.endpoint, "location": row.location}, row.day)
        roll_up(ledger, day)
        yield from _prune_day(ledger, day)


def prunable_days(ledger: Ledger, *, before_ms: int) -> int:
    """How many days of endpoints `prune_checks` would go through."""
    query = "SELECT COUNT(*) FROM rolled_day WHERE pruned <> 1 AND day < :before"
    with ledger.read() as connection:
        return int(scalar(connection, query, before=day_of(before_ms)))


def _prune_day(ledger: Ledger, day: EndpointDay) -> Iterator[Step]:
    """First it is marked as going: were this stopped half way, what is left must never be rolled up again."""
    with ledger.read() as connection:
        runs = _going(_with_neighbours(connection, day))
    mark = "UPDATE rolled_day SET pruned = :pruned WHERE endpoint = :endpoint AND location = :location AND day = :day"
    delete = """DELETE FROM raw_check WHERE endpoint = :endpoint AND location = :location AND verdict = 0
AND at_ms >= :first AND at_ms <= :last"""
    for first, last in runs:
        with ledger.decide() as connection:
            run(connection, mark, **day.key, day=day.day, pruned=GOING)
            count = run(connection, delete, **day.key, first=first, last=last).rowcount
        yield Step("checks", count)
    with ledger.decide() as connection:
        run(connection, mark, **day.key, day=day.day, pruned=GONE)
    yield Step("days", 1)


def _with_neighbours(connection: Connection, day: EndpointDay) -> list[Row[Any] | None]:
    """The day's checks in order, between the one before (None: there is none) and the one after."""
    where = "endpoint = :endpoint AND location = :location"
    before = f"SELECT at_ms, verdict FROM raw_check WHERE {where} AND at_ms < :start ORDER BY at_ms DESC LIMIT 1"
    own = f"SELECT at_ms, verdict FROM raw_check WHERE {where} AND at_ms >= :start AND at_ms < :end ORDER BY at_ms"
    after = f"SELECT at_ms, verdict FROM raw_check WHERE {where} AND at_ms >= :end ORDER BY at_ms LIMIT 1"
    start, end = day.span
    return [
        first_row(connection, before, **day.key, start=start),
        *all_rows(connection, own, **day.key, start=start, end=end),
        first_row(connection, after, **day.key, end=end),
    ]


def _going(rows: Sequence[Row[Any] | None]) -> list[tuple[int, int]]:
    """(first, last) instants of runs of checks that may go, each at most ROWS_AT_ONCE long.

    Those that were up and stand between two that were. The newest check of all stays: it says how far time is known.
    """
    runs: list[tuple[int, int]] = []
    length = 0
    for before, row, after in zip(rows, rows[1:], rows[2:], strict=False):
        goes = row is not None and row.verdict == 0 and (before is None or before.verdict == 0)
        if row is None or not goes or after is None or after.verdict != 0:
            length = 0
        elif 0 < length < ROWS_AT_ONCE:
            runs[-1] = (runs[-1][0], row.at_ms)
            length += 1
        else:
            runs.append((row.at_ms, row.at_ms))
            length = 1
    return runs


def _prune_messages(ledger: Ledger, *, before_ms: int) -> Iterator[Step]:
    """Delete events before that instant with their deliveries; one that is still to be delivered stays."""
    old = """SELECT number FROM event AS e WHERE at_ms < :before AND NOT EXISTS (SELECT 1 FROM delivery AS d
WHERE d.event = e.number AND d.state = 'pending') ORDER BY at_ms LIMIT :most"""
    while True:
        with ledger.read() as connection:
            numbers = [{"number": row.number} for row in all_rows(connection, old, before=before_ms, most=500)]
        if not numbers:
            return
        with ledger.decide() as connection:
            run_many(connection, "DELETE FROM delivery WHERE event = :number", numbers)
            run_many(connection, "DELETE FROM event WHERE number = :number", numbers)
        yield Step("events", len(numbers))


def give_back(ledger: Ledger, *, spare_pages: int = SPARE_PAGES) -> Iterator[Step]:
    """Give free pages back to the file system, but for some that the next days will take."""
    while (count := min(ledger.free_pages() - spare_pages, PAGES_AT_ONCE)) > 0:
        before = ledger.free_pages()
        ledger.give_back_pages(count)
        if ledger.free_pages() >= before:
            return  # a ledger of an earlier version, whose file cannot shrink
        yield Step("pages", count)
