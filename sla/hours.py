"""Weekly hours by wall clock as instants: service hours, and the hours in which maintenance is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import date, datetime, time, timedelta

from sla.period import local, wall_to_ms, zone
from sla.spans import Spans
from sla.terms import Hours

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


def hours_within(
    week: Sequence[Hours], tz: str, from_ms: int, to_ms: int, *, without: Set[date] = frozenset()
) -> Spans:
    """The weekly hours (Monday first) that lie in [from_ms, to_ms), but for those of the days left out.

    Hours are what clocks in the zone show: a day on which they jump is shorter or longer. Hours past midnight belong to
    the day they begin on.
    """
    if from_ms >= to_ms:
        return Spans()
    day, last = local(from_ms, tz).date() - _DAY, local(to_ms, tz).date()
    place, found = zone(tz), []
    while day <= last:
        for start, end in () if day in without else week[day.weekday()]:
            at = [wall_to_ms(datetime.combine(day, time()) + timedelta(minutes=m), place) for m in (start, end)]
            found.append((at[0], max(at)))
        day += _DAY
    return Spans.of(found).clip(from_ms, to_ms)


def week_json(week: Sequence[Hours]) -> dict[str, list[str]]:
    """`{"mon": ["08:00-18:00"]}`: the days that have hours."""
    return {day: [_span_text(span) for span in hours] for day, hours in zip(DAYS, week, strict=True) if hours}


def week_text(week: Sequence[Hours]) -> str:
    """`mon-fri 08:00-18:00, sat 09:00-12:00`, for people."""
    runs: list[tuple[list[str], Hours]] = []
    for day, hours in zip(DAYS, week, strict=True):
        if runs and runs[-1][1] == hours:
            runs[-1][0].append(day)
        else:
            runs.append(([day], hours))
    return ", ".join(f"{_days_text(days)} {_hours_text(hours)}" for days, hours in runs if hours)


def _days_text(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"


def _hours_text(hours: Iterable[tuple[int, int]]) -> str:
    return " and ".join(_span_text(span) for span in hours)


def _span_text(span: tuple[int, int]) -> str:
    """`08:00-18:00`; `24:00` is the end of the day, an earlier end is the next day's."""
    start, end = span
    shown = end if end <= 24 * 60 else end - 24 * 60
    return f"{start // 60:02d}:{start % 60:02d}-{shown // 60:02d}:{shown % 60:02d}"
