"""Periods and local time: the one place where wall clocks become instants (ACCOUNTING.md section 1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_EXAMPLES = "write e.g. 2026-10, 2026-Q4, 2026-W07, 2026 or 2026-10-01/2026-10-15 (end exclusive)"


class PeriodError(ValueError):
    """A period or zone that cannot be read; the message says what a right one looks like."""


@dataclass(frozen=True, slots=True)
class Period:
    """[from_ms, to_ms) cut at local midnights of `tz`. `label` is for people, `code` reads back with `parse`."""

    from_ms: int
    to_ms: int
    tz: str
    label: str
    code: str = ""


def parse(text: str, tz: str) -> Period:
    """`2026-10`, `2026-Q4`, `2026-W07`, `2026` or `FROM/TO` (dates, TO exclusive) in zone `tz`. Raises PeriodError."""
    written = text.strip()
    zone(tz)
    try:
        first, after, label = _dates(written)
    except ValueError as error:
        raise PeriodError(f"{written!r} is not a period ({error}); {_EXAMPLES}") from None
    if after <= first:
        raise PeriodError(f"{written!r} ends before it starts; {_EXAMPLES}")
    if not 1900 <= first.year < after.year + 1 <= 9000:
        raise PeriodError(f"{written!r} lies outside the years 1900 to 8999; {_EXAMPLES}")
    return Period(local_midnight_ms(first, tz), local_midnight_ms(after, tz), tz, label, written)


def _dates(text: str) -> tuple[date, date, str]:
    if match := re.fullmatch(r"(\d{4})-(\d{2})", text):
        first = date(int(match[1]), int(match[2]), 1)
        return first, _months_later(first, 1), f"{_MONTHS[first.month - 1]} {first.year}"
    if match := re.fullmatch(r"(\d{4})-Q([1-4])", text):
        first = date(int(match[1]), 3 * int(match[2]) - 2, 1)
        return first, _months_later(first, 3), f"Quarter {match[2]} of {first.year}"
    if match := re.fullmatch(r"(\d{4})-W(\d{2})", text):
        first = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        return first, first + timedelta(days=7), f"Week {int(match[2])} of {match[1]}"
    if re.fullmatch(r"\d{4}", text):
        first = date(int(text), 1, 1)
        return first, _months_later(first, 12), text
    if match := re.fullmatch(r"(\d{4}-\d{2}-\d{2})/(\d{4}-\d{2}-\d{2})", text):
        first, after = date.fromisoformat(match[1]), date.fromisoformat(match[2])
        return first, after, f"{first.isoformat()} to {(after - timedelta(days=1)).isoformat()}"
    raise ValueError("no form that is known")


def _months_later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def zone(tz: str) -> ZoneInfo:
    """The IANA zone of that name. Raises PeriodError."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of the zone files
        raise PeriodError(f"{tz!r} is no IANA time zone; write e.g. Europe/Berlin or UTC") from None


def wall_to_ms(naive: datetime, zone: ZoneInfo) -> int:
    """The instant at which clocks in `zone` show `naive`.

    A wall time that does not exist (spring) is the first instant that does; one that exists twice (autumn) the first.
    """
    instant = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != naive:
        instant = _first_after_gap(naive, zone)
    return (instant - _EPOCH) // _MILLISECOND


def _first_after_gap(naive: datetime, zone: ZoneInfo) -> datetime:
    """Where the clocks jump over `naive`: by halving, for the jump lies between the two readings of `naive`."""
    before = naive.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(microsecond=0)
    after = naive.replace(tzinfo=zone, fold=0).astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    new_offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == new_offset:
            after = middle
        else:
            before = middle
    return after


def local_midnight_ms(day: date, tz: str) -> int:
    """The first instant of the local day."""
    return wall_to_ms(datetime(day.year, day.month, day.day), zone(tz))  # noqa: DTZ001 (wall time on purpose)


def local(at_ms: int, tz: str) -> datetime:
    """What clocks in `tz` show at an instant (aware; never subtract two of them)."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone(tz))


@lru_cache(maxsize=128)  # the months of many contracts are the same days
def days(period: Period) -> tuple[tuple[date, int, int], ...]:
    """The local days that touch the period, as (date, from_ms, to_ms) clipped to it; a day a zone skipped is absent."""
    day, last = local(period.from_ms, period.tz).date(), local(period.to_ms - 1, period.tz).date()
    found, midnight_ms = [], local_midnight_ms(day, period.tz)
    while day <= last:
        after = day + timedelta(days=1)
        next_ms = local_midnight_ms(after, period.tz)
        start, end = max(midnight_ms, period.from_ms), min(next_ms, period.to_ms)
        if start < end:
            found.append((day, start, end))
        day, midnight_ms = after, next_ms
    return tuple(found)
