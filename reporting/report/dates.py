"""Local time as it is printed. Integer milliseconds UTC in, text in the period's zone out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from reporting.report.wording import DASH, FIXED, hours

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
QUARTERS = ("First", "Second", "Third", "Fourth")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The zone in which a statement speaks."""

    zone: ZoneInfo

    def local(self, ms: int) -> datetime:
        return _at(ms, self.zone)

    def day(self, ms: int, *, year: bool = False) -> str:
        """`6 October`, with the year on request."""
        at = self.local(ms)
        return f"{at.day}{FIXED}{MONTHS[at.month - 1]}" + (f" {at.year}" if year else "")

    def days(self, from_ms: int, to_ms: int) -> str:
        """`6 October`, or `6–8 October` for a span over several local days; no year."""
        first, last = self.local(from_ms), self.local(to_ms - 1)
        if first.date() == last.date():
            return self.day(from_ms)
        start = str(first.day) if (first.year, first.month) == (last.year, last.month) else f"{self.day(from_ms)} "
        return f"{start}{DASH}{'' if start.isdigit() else ' '}{self.day(to_ms - 1)}"

    def short_day(self, ms: int) -> str:
        """`Tue 6 Oct`."""
        at = self.local(ms)
        return f"{DAYS[at.weekday()]}{FIXED}{at.day}{FIXED}{MONTHS[at.month - 1][:3]}"

    def clock(self, ms: int) -> str:
        return _clock(self.local(ms), ms)

    def minute(self, ms: int) -> str:
        """`6 October 2026, 08:00 CET`."""
        at = self.local(ms)
        return f"{self.day(ms, year=True)}, {at:%H:%M}{FIXED}{at.tzname()}"

    def short_minute(self, ms: int) -> str:
        """`Tue 6 Oct 02:00`."""
        return f"{self.short_day(ms)} {self.local(ms):%H:%M}"

    def span(self, from_ms: int, to_ms: int | None, *, whole_minutes: bool = False) -> str:
        """`10:17:30 – 11:04:04`; the end carries its day across midnight, both their zone across a clock change.

        With `whole_minutes` the seconds are left out where both ends have none.
        """
        short = whole_minutes and from_ms % 60_000 == 0 and to_ms is not None and to_ms % 60_000 == 0
        start = self.local(from_ms)
        if to_ms is None:
            return f"{_clock(start, from_ms)} {DASH} not ended"
        end = self.local(to_ms)
        shifted = start.utcoffset() != end.utcoffset()
        first, last = (_clock(at, ms, short=short) + _zone(at, shifted) for at, ms in ((start, from_ms), (end, to_ms)))
        if start.date() != end.date():
            last = f"{end.day}{FIXED}{MONTHS[end.month - 1][:3]} {last}"
        return f"{first} {DASH} {last}"

    def span_utc(self, from_ms: int, to_ms: int | None) -> str:
        last = "" if to_ms is None else f" {DASH} {_clock(_at(to_ms, UTC), to_ms)}"
        return f"{_clock(_at(from_ms, UTC), from_ms)}{last} UTC"


def _at(ms: int, zone: tzinfo) -> datetime:
    seconds, rest = divmod(ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000).astimezone(zone)


def _clock(at: datetime, ms: int, *, short: bool = False) -> str:
    return f"{at:%H:%M}" if short else f"{at:%H:%M:%S}" + (f".{ms % 1000:03d}" if ms % 1000 else "")


def _zone(at: datetime, shifted: bool) -> str:
    return f" {at.tzname()}" if shifted else ""


def period_title(calendar: Calendar, from_ms: int, to_ms: int) -> str:
    """The period as a heading: `October 2026`, `Fourth quarter 2026`, `2026`, or its days."""
    first, end = calendar.local(from_ms), calendar.local(to_ms)
    months = (end.year - first.year) * 12 + end.month - first.month
    if _begins_a_month(first) and _begins_a_month(end):
        if months == 1:
            return f"{MONTHS[first.month - 1]} {first.year}"
        if months == 3 and first.month % 3 == 1:
            return f"{QUARTERS[first.month // 3]} quarter {first.year}"
        if months == 12 and first.month == 1:
            return str(first.year)
    return period_days(calendar, from_ms, to_ms)


def period_key(calendar: Calendar, from_ms: int, to_ms: int) -> str:
    """The period in a file's name: `2026-10` for a month, else `2026-10-05_2026-10-12` (end exclusive)."""
    first, end = calendar.local(from_ms), calendar.local(to_ms)
    months = (end.year - first.year) * 12 + end.month - first.month
    if _begins_a_month(first) and _begins_a_month(end) and months == 1:
        return f"{first:%Y-%m}"
    return f"{first:%Y-%m-%d}_{end:%Y-%m-%d}"


def _begins_a_month(at: datetime) -> bool:
    return (at.day, at.hour, at.minute, at.second) == (1, 0, 0, 0)


def period_days(calendar: Calendar, from_ms: int, to_ms: int) -> str:
    """`1–31 October 2026`: first and last local day."""
    first, last = calendar.local(from_ms), calendar.local(to_ms - 1)
    if first.date() == last.date():
        return calendar.day(from_ms, year=True)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{DASH}{calendar.day(to_ms - 1, year=True)}"
    return f"{calendar.day(from_ms, year=first.year != last.year)} {DASH} {calendar.day(to_ms - 1, year=True)}"


def period_line(calendar: Calendar, from_ms: int, to_ms: int) -> str:
    return f"{period_days(calendar, from_ms, to_ms)}, {hours(to_ms - from_ms)}"
