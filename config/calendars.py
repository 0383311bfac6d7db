"""Windows of maintenance and service hours as plain intervals: the only place where recurrences meet wall clocks.

Cron is expanded on wall-clock time without a zone, and each start is then placed by `sla.period.wall_to_ms`: a start
that does not exist moves to the first instant that does, one that exists twice is the first. So each start that a
recurrence names fires once a local day; only an hour field of `*` or a step runs through both autumn hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from croniter import croniter

from config.hours import calendar_days
from sla.facts import Definition, Window
from sla.hours import hours_within
from sla.period import local, wall_to_ms, zone
from sla.spans import Span, Spans
from sla.terms import Contract

WindowBody: TypeAlias = Mapping[str, Any]  # {"title", "for", "timezone", "start" | "cron", "duration_ms" | "until"}
YEARS_RECORDED = 20  # of holidays, with each version of a contract: one that runs longer needs a version
_FOREVER = 2**46  # the year 4199: what has no end yet
_DAY = timedelta(days=1)


def occurrences(window: WindowBody, from_ms: int, to_ms: int) -> tuple[Span, ...]:
    """Every (start_ms, end_ms) of the window that overlaps [from_ms, to_ms), in order of start."""
    place = zone(window["timezone"])
    longest = timedelta(milliseconds=window.get("duration_ms") or 0) + 2 * _DAY  # an end by the clock is within a day
    starts = _starts(window, place, first=_wall(from_ms, place) - longest, last=_wall(to_ms, place) + _DAY)
    found = {(start, _end(window, wall, start, place)) for wall, start in starts}
    return tuple(sorted((start, end) for start, end in found if start < to_ms and end > from_ms and start < end))


def _wall(at_ms: int, place: ZoneInfo) -> datetime:
    return local(min(max(at_ms, 0), _FOREVER), place.key).replace(tzinfo=None)


def _starts(window: WindowBody, place: ZoneInfo, *, first: datetime, last: datetime) -> Iterator[tuple[datetime, int]]:
    if window.get("cron") is None:
        wall = datetime.fromisoformat(window["start"])
        yield wall, wall_to_ms(wall, place)
        return
    expression = window["cron"]
    both = expression.split()[1].startswith("*") or "/" in expression.split()[1]
    walls = croniter(expression, first)
    while (wall := walls.get_next(datetime)) < last:
        yield wall, (start := wall_to_ms(wall, place))
        again = _second(wall, place)
        if both and again is not None and again > start:
            yield wall, again


def _second(wall: datetime, place: ZoneInfo) -> int | None:
    """The instant at which clocks show `wall` for the second time, where they do."""
    instant = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    shown = instant.astimezone(place)
    return int(instant.timestamp()) * 1000 if shown.fold and shown.replace(tzinfo=None) == wall else None


def _end(window: WindowBody, wall: datetime, start_ms: int, place: ZoneInfo) -> int:
    if window.get("duration_ms") is not None:
        return start_ms + int(window["duration_ms"])
    until: str = window["until"]
    if len(until) > 5:
        return wall_to_ms(datetime.fromisoformat(until), place)
    hour, minute = (int(part) for part in until.split(":"))
    end = wall.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return wall_to_ms(end if end > wall else end + _DAY, place)


def windows_between(history: Sequence[Definition], from_ms: int, to_ms: int) -> tuple[Window, ...]:
    """Every occurrence that overlaps [from_ms, to_ms), by the version of its definition in force at its start.

    `history` holds all versions of all windows. `entered_ms` is the first instant from which the ledger knew of this
    very occurrence without a break. A one-off that was entered after its start is listed with that later instant.
    """
    windows = sorted((d for d in history if d.kind == "window"), key=lambda d: (d.id, d.known_from_ms))
    found = [
        window
        for _, versions in groupby(windows, key=lambda definition: definition.id)
        for window in _of_one(tuple(versions), from_ms, to_ms)
    ]
    return tuple(sorted(found, key=lambda window: (window.from_ms, window.to_ms, sorted(window.scope))))


def _of_one(versions: tuple[Definition, ...], from_ms: int, to_ms: int) -> Iterator[Window]:
    ends = [*(version.known_from_ms for version in versions[1:]), _FOREVER]
    seen: set[Span] = set()  # a one-off taken out and put back later is still one occurrence
    for number, (version, superseded_ms) in enumerate(zip(versions, ends, strict=True)):
        body = version.body
        if body is None:
            continue
        late = body.get("cron") is None  # a one-off stays on record however late it was entered
        first_ms = from_ms if late else max(from_ms, version.known_from_ms)
        for span in occurrences(body, first_ms, min(to_ms, superseded_ms)):
            if span not in seen and span[0] < superseded_ms and (late or span[0] >= version.known_from_ms):
                seen.add(span)
                entered_ms = _entered(versions[: number + 1], span)
                yield Window(
                    id=None,
                    from_ms=span[0],
                    to_ms=span[1],
                    entered_ms=entered_ms,
                    scope=scope_of(body),
                    title=str(body.get("title", "")),
                    definition=version.id,
                )


def _entered(versions: Sequence[Definition], span: Span) -> int:
    """How far back, version by version, the same occurrence for the same things was already announced."""
    body = versions[-1].body
    entered_ms = versions[-1].known_from_ms
    for earlier in reversed(versions[:-1]):
        if body is None or earlier.body is None or not scope_of(body) <= scope_of(earlier.body):
            break
        if span not in occurrences(earlier.body, span[0], span[1]):
            break
        entered_ms = earlier.known_from_ms
    return entered_ms


def scope_of(body: WindowBody) -> frozenset[tuple[str, str]]:
    return frozenset((str(kind), str(name)) for kind, name in body["for"])


def days_off(holidays: Sequence[str], starts: date) -> list[str]:
    """The holidays of a version from the year it begins on, for so many years as are recorded, as days in order.

    `holidays` are calendars (DE-BE) and single days. Raises ValueError for a calendar that is not known.
    """
    days = {day for calendar in holidays if not calendar[:1].isdigit() for day in _recorded(calendar, starts.year)}
    named = {date.fromisoformat(day) for day in holidays if day[:1].isdigit()}
    return [day.isoformat() for day in sorted(days | named)]


def _recorded(calendar: str, year: int) -> list[date]:
    return calendar_days(calendar, year, year + YEARS_RECORDED - 1)


def outside_hours(contract: Contract, from_ms: int, to_ms: int) -> Spans:
    """The time in [from_ms, to_ms) outside the service hours of the version in force, by wall clock in its zone."""
    ends = [*(terms.from_ms for terms in contract.versions[1:]), to_ms]
    starts = [from_ms, *(terms.from_ms for terms in contract.versions[1:])]
    found: list[Span] = []
    for terms, begin, end in zip(contract.versions, starts, ends, strict=True):
        agreed, here = terms.options.service_hours, (max(begin, from_ms), min(end, to_ms))
        if agreed is not None and here[0] < here[1]:
            served = hours_within(agreed.week, terms.options.timezone, *here, without=agreed.days)
            found += Spans.of([here]) - served
    return Spans.of(found)


def concerning(windows: Iterable[Window], names: Iterable[tuple[str, str]]) -> tuple[Window, ...]:
    """The windows whose scope names one of these ("endpoint" or "service", id)."""
    wanted = set(names)
    return tuple(window for window in windows if wanted & window.scope)
