"""Weekly hours as contracts write them: `{mon-fri: "08:00-18:00", sat: ["08:00-12:00"], holidays: DE-BE}`.

Read into one list per day, `{"mon": ["08:00-18:00"], ...}`, and that into minutes of the local day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from config import units
from config.problems import At
from sla.hours import DAYS
from sla.terms import Hours, ServiceHours

_EXAMPLE = '{mon-fri: "08:00-18:00"}'
_DAY_MIN = 24 * 60
Written = dict[str, list[str]]


def service_hours(value: object) -> str | Written:
    """`always`, or weekly hours with the holidays on which there is no service: calendars (DE-BE) and days."""
    if value == "always":
        return "always"
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not known here; write always, or e.g. {_EXAMPLE}")
    week = _week({key: part for key, part in value.items() if key != "holidays"})
    holidays = [_holiday(item) for item in units.listed(value.get("holidays"))]
    return week | ({"holidays": holidays} if holidays else {})


def allowed_hours(value: object) -> Written | None:
    """The weekly hours in which maintenance is allowed; or `none`: at any hour."""
    if value in (None, "none"):
        return None
    if not isinstance(value, Mapping):
        raise ValueError('are no hours; write e.g. {sun: "00:00-06:00"}')
    return _week(value)


def _week(value: Mapping[str, Any]) -> Written:
    found: Written = {}
    for key, spans in value.items():
        for day in _days(str(key)):
            if day in found:
                raise At(str(key), f"names {day} a second time; write each day once")
            found[day] = [_span_text(units.text_of(span), str(key)) for span in units.listed(spans)]
            _apart(found[day], str(key))
    if not any(found.values()):
        raise ValueError(f"names no hours; write e.g. {_EXAMPLE}")
    return {day: found[day] for day in DAYS if found.get(day)}


def _days(key: str) -> Iterator[str]:
    """`mon`, or `mon-fri`, in the order of the week, round its end."""
    first, _, last = key.strip().lower().partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        raise At(key, f"{key!r} is no day; write mon, tue, wed, thu, fri, sat, sun, or e.g. mon-fri")
    at = DAYS.index(first)
    while True:
        yield DAYS[at]
        if DAYS[at] == (last or first):
            return
        at = (at + 1) % 7


def _span_text(text: str, key: str) -> str:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(([01]\d|2[0-3]):([0-5]\d)|24:00)", text)
    if match is None:
        raise At(key, f'{text!r} are no hours; write hh:mm-hh:mm, e.g. "08:00-18:00" (24:00 is the end of the day)')
    found = f"{match[1]}:{match[2]}-{match[3]}"
    if found[:5] == found[6:]:
        raise At(key, f'{text!r} is empty; the whole day is "00:00-24:00"')
    return found


def _apart(spans: list[str], key: str) -> None:
    read = sorted(minutes_of(span) for span in spans)
    if any(earlier[1] > later[0] for earlier, later in pairwise(read)):
        raise At(key, "has hours that overlap; write each hour once")


def _holiday(item: object) -> str:
    """A calendar, checked with the library that expands it, or one day."""
    text = units.text_of(item)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return units.day(text).isoformat()
    calendar_days(text, 2026, 2026)
    return text


def calendar_days(calendar: str, first: int, last: int) -> list[date]:
    """The public holidays of a country or its region in the years first to last, in order. Raises ValueError."""
    from holidays import country_holidays  # here, for its import takes long and few contracts need it

    country, _, region = calendar.partition("-")
    try:
        return sorted(country_holidays(country, subdiv=region or None, years=range(first, last + 1)))
    except NotImplementedError:
        raise At(
            "holidays",
            f"{calendar!r} is no calendar of holidays; write a country and, where it has them, a region, "
            "e.g. DE-BE or AT, or a day, e.g. 2026-12-24",
        ) from None


def minutes_of(span: str) -> tuple[int, int]:
    """Minutes of the local day; an end at or before the start is the next day's."""
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
    return start, end if end > start else end + _DAY_MIN


def week_of(written: Mapping[str, Any]) -> tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]:
    """Monday first."""
    mon, tue, wed, thu, fri, sat, sun = (
        tuple(sorted(minutes_of(span) for span in written.get(day, ()))) for day in DAYS
    )
    return mon, tue, wed, thu, fri, sat, sun


def service_hours_of(written: str | Mapping[str, Any]) -> ServiceHours | None:
    """The hours of a stored version, with the days recorded in it."""
    if isinstance(written, str):
        return None
    days = frozenset(date.fromisoformat(day) for day in written.get("days", ()))
    return ServiceHours(week_of(written), tuple(written.get("holidays", ())), days)
