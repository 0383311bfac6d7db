"""How figures are said to people: durations, shares, times of day, foreign text made harmless.

Durations take two units. What is left is rounded down, what is used or late is rounded up, so that no figure flatters.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

NARROW = "\u202f"  # narrow no-break space: before % and units on pages
LONG_UNITS = ("d", "h", "min", "s")
SHORT_UNITS = ("d", "h", "m", "s")  # the terminal's
_UNIT_MS = (86_400_000, 3_600_000, 60_000, 1_000)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - one spelling for all supported versions
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def left(duration_ms: int, *, units: tuple[str, ...] = LONG_UNITS, space: str = " ") -> str:
    """`8 min 35 s`, rounded down to the smaller of two units."""
    return _two_units(duration_ms, units=units, space=space, up=False)


def used(duration_ms: int, *, units: tuple[str, ...] = LONG_UNITS, space: str = " ") -> str:
    """`8 min 35 s`, rounded up to the smaller of two units."""
    return _two_units(duration_ms, units=units, space=space, up=True)


def _two_units(duration_ms: int, *, units: tuple[str, ...], space: str, up: bool) -> str:
    if duration_ms < 0:
        raise ValueError(f"a duration is not negative: {duration_ms} ms")
    for large in range(3):
        small_ms = _UNIT_MS[large + 1]
        rounded = (-(-duration_ms // small_ms) if up else duration_ms // small_ms) * small_ms
        if rounded >= _UNIT_MS[large]:
            first, rest = divmod(rounded, _UNIT_MS[large])
            return f"{first}{space}{units[large]} {rest // small_ms}{space}{units[large + 1]}"
    seconds = -(-duration_ms // 1_000) if up else duration_ms // 1_000
    return f"{seconds}{space}{units[3]}"


def share_up(share: Fraction, *, space: str = " ") -> str:
    """A used share as percent, rounded up to 0.1: `80.1 %`."""
    tenths = -(-share.numerator * 1000 // share.denominator)
    return f"{tenths // 10}.{tenths % 10}{space}%"


def whole_percent(share: Fraction, *, space: str = " ") -> str:
    """A forecast as whole percent, rounded up: `76 %`."""
    return f"{-(-share.numerator * 100 // share.denominator)}{space}%"


def at_zone(at_ms: int, zone: ZoneInfo) -> datetime:
    """The wall clock of an instant. Added to the epoch, for `fromtimestamp` would round through a float."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)


def clock_time(at_ms: int, zone: ZoneInfo) -> str:
    """`12:27:15`."""
    return at_zone(at_ms, zone).strftime("%H:%M:%S")


def zone_name(at_ms: int, zone: ZoneInfo) -> str:
    """`CET`, or `+05` where the zone has no letters."""
    return at_zone(at_ms, zone).tzname() or "UTC"


def day(at_ms: int, zone: ZoneInfo) -> str:
    """`26 Nov`."""
    local = at_zone(at_ms, zone)
    return f"{local.day} {_MONTHS[local.month - 1]}"


def weekday(at_ms: int, zone: ZoneInfo) -> str:
    """`Thu`."""
    return _WEEKDAYS[at_zone(at_ms, zone).weekday()]


def full_time(at_ms: int, zone: ZoneInfo) -> str:
    """`Mon 23 Nov 2026 12:27:15 CET`: an instant that needs no context."""
    local = at_zone(at_ms, zone)
    return f"{weekday(at_ms, zone)} {day(at_ms, zone)} {local.year} {local:%H:%M:%S} {local.tzname()}"


def near_time(at_ms: int, zone: ZoneInfo, *, now_ms: int) -> str:
    """Time of day today, weekday and time within six days, else the date: `14:00`, `Tue 02:00`, `9 Dec`."""
    then, today = at_zone(at_ms, zone), at_zone(now_ms, zone).date()
    distance = abs((then.date() - today).days)
    if distance == 0:
        return f"{then:%H:%M}"
    return f"{weekday(at_ms, zone)} {then:%H:%M}" if distance <= 6 else day(at_ms, zone)


def iso_utc(at_ms: int) -> str:
    """`2026-11-23T11:27:15.000Z`."""
    return f"{_EPOCH + timedelta(milliseconds=at_ms):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def plain(text: str) -> str:
    """Foreign text made fit for one line: control characters become spaces, marks that turn the line round go."""
    kept = (" " if unicodedata.category(char) == "Cc" else char for char in text if char not in _BIDI)
    return "".join(kept).strip()
