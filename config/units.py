"""Text to exact values: durations, percents, edges, dates, sizes. Every refusal says what a right value looks like.

Each reader takes what YAML gave (text) or what a stored definition holds (already typed), and raises ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sla.rules import Edge

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
_UNITS = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "second", "seconds"), SECOND_MS),
    **dict.fromkeys(("m", "min", "minute", "minutes"), MINUTE_MS),
    **dict.fromkeys(("h", "hour", "hours"), HOUR_MS),
    **dict.fromkeys(("d", "day", "days"), DAY_MS),
    **dict.fromkeys(("w", "week", "weeks"), 7 * DAY_MS),
}
_SIZES = {"B": 1, "KB": 1000, "KIB": 1024, "MB": 10**6, "MIB": 2**20}
DECIMAL = r"-?\d+(?:\.\d+)?"


def text_of(value: object) -> str:
    """The value itself, which must be text (quotes and numbers alike)."""
    if not isinstance(value, str):
        shape = {dict: "a mapping", list: "a list", type(None): "empty"}.get(type(value), f"{value!r}")
        raise ValueError(f"is {shape}; write one plain value")
    return value.strip()


def duration_ms(value: object) -> int:
    """`60 s`, `1 min`, `2h`, `1 h 30 min` to milliseconds; never negative."""
    if isinstance(value, int):
        return value
    text = text_of(value)
    if re.fullmatch(DECIMAL, text):
        raise ValueError(f"{text} has no unit; write e.g. {text.lstrip('-')} s, {text.lstrip('-')} min or 2 h")
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text)
    if not parts or re.sub(r"(\d+(?:\.\d+)?)\s*([a-z]+)", "", text).strip() or any(u not in _UNITS for _, u in parts):
        raise ValueError(f"{text!r} is no duration; write e.g. 30 s, 5 min, 2 h or 1 h 30 min")
    total = sum((Decimal(number) * _UNITS[unit] for number, unit in parts), Decimal(0))
    if total != int(total):
        raise ValueError(f"{text!r} is finer than a millisecond; write e.g. 500 ms")
    return int(total)


def duration_text(ms: int) -> str:
    """`60 s`, `2 h`, `1500 ms`: the largest unit that divides, days from four on; reads back with `duration_ms`."""
    for unit, size, least in (("d", DAY_MS, 4), ("h", HOUR_MS, 1), ("min", MINUTE_MS, 2), ("s", SECOND_MS, 0)):
        if ms % size == 0 and ms // size >= least:
            return f"{ms // size} {unit}"
    return f"{ms} ms"


def number(value: object) -> Decimal:
    """`99.90` as it was written, exactly."""
    if isinstance(value, Decimal):
        return value
    text = text_of(value)
    if not re.fullmatch(DECIMAL, text):
        raise ValueError(f"{text!r} is no decimal number; write e.g. 99.9")
    return Decimal(text)


def whole(value: object) -> int:
    """A whole number, not negative."""
    if isinstance(value, int):
        return value
    text = text_of(value)
    if not re.fullmatch(r"\d{1,12}", text):
        raise ValueError(f"{text!r} is no whole number; write e.g. 2")
    return int(text)


def flag(value: object) -> bool:
    """`true` or `false`, nothing else: `no` is a word, and a country."""
    if isinstance(value, bool):
        return value
    text = text_of(value)
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false; write true or false")
    return text == "true"


def percent(value: object) -> Decimal:
    """`10 %` to Decimal("10"); the sign is required. Never negative."""
    if isinstance(value, Decimal):
        return value
    text = text_of(value)
    if not text.endswith("%"):
        shown = f"{text} %" if re.fullmatch(DECIMAL, text) else "10 %"
        raise ValueError(f"{text!r} has no percent sign; write e.g. {shown}")
    found = number(text[:-1].strip())
    if found < 0:
        raise ValueError(f"{text} is below zero; write e.g. {str(found).lstrip('-')} %")
    return found


def share(value: object) -> Decimal:
    """A percentage between 0 and 100, with or without its sign: `95 %`, `99.9`."""
    if isinstance(value, Decimal):
        return value
    found = number(text_of(value).removesuffix("%").strip())
    if found > 100:
        raise ValueError(f"{found} is above 100 %; write e.g. 99.9")
    if found < 0:
        raise ValueError(f"{found} is below 0 %; write e.g. 99.9")
    return found


def edge(value: object) -> Edge:
    """`< 99.9` or `< 99.9 %`: a comparison and a decimal."""
    if isinstance(value, Edge):
        return value
    text = text_of(value)
    if re.fullmatch(DECIMAL + r"\s*%?", text):
        raise ValueError(f"{text} is a bare number where an edge is meant; write < {text} (below it) or <= {text}")
    match = re.fullmatch(rf"(<=|>=|<|>)\s*({DECIMAL})\s*%?", text)
    if match is None:
        raise ValueError(f"{text!r} is no edge; write a comparison and a decimal, e.g. < 99.9")
    return Edge(match[1], Decimal(match[2]))  # type: ignore[arg-type]


def edge_text(found: Edge) -> str:
    return f"{found.comparison} {found.value}"


def day(value: object) -> date:
    """`2026-01-31`."""
    if isinstance(value, date):
        return value
    text = text_of(value)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date ({error}); write e.g. 2026-01-31") from None
    raise ValueError(f"{text!r} is no date; write e.g. 2026-01-31")


def day_range(value: object) -> tuple[date, date]:
    """`2026-11-20/2026-11-22`: local midnights, the end exclusive."""
    if isinstance(value, tuple | list) and len(value) == 2:
        first, after = day(value[0]), day(value[1])
    else:
        text = text_of(value)
        if text.count("/") != 1:
            raise ValueError(f"{text!r} is no span of days; write e.g. 2026-11-20/2026-11-22 (end exclusive)")
        first, after = (day(part) for part in text.split("/"))
    if after <= first:
        raise ValueError(f"{first}/{after} ends before it starts; write e.g. 2026-11-20/2026-11-22 (end exclusive)")
    return first, after


def wall_time(value: object) -> datetime:
    """`2026-11-25 02:00` or `2026-11-25T02:00:30`: what a clock on the wall shows, without a zone."""
    text = text_of(value)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?", text):
            return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date and time ({error}); write e.g. 2026-11-25 02:00") from None
    raise ValueError(f"{text!r} is no local date and time; write e.g. 2026-11-25 02:00, and the zone in timezone:")


def clock(value: object) -> str:
    """`04:00`, kept as text."""
    text = text_of(value)
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f'{text!r} is no time of day; write hh:mm between 00:00 and 23:59, e.g. "04:00"')
    return text


def zone_name(value: object) -> str:
    """The name of an IANA zone that exists here."""
    text = text_of(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is no time zone; write an IANA name, e.g. Europe/Berlin or UTC") from None
    return text


def size_bytes(value: object) -> int:
    """`1 MiB`, `512 KiB`, `2 MB`."""
    if isinstance(value, int):
        return value
    text = text_of(value)
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]+)", text)
    if match is None or match[2].upper() not in _SIZES:
        raise ValueError(f"{text!r} is no size; write e.g. 1 MiB or 512 KiB")
    return int(match[1]) * _SIZES[match[2].upper()]


def size_text(count: int) -> str:
    """`4 MB`; reads back with `size_bytes`."""
    sizes = (("MiB", 2**20), ("MB", 10**6), ("KiB", 1024), ("KB", 1000), ("B", 1))
    return next(f"{count // size} {unit}" for unit, size in sizes if count % size == 0)


def network(value: object) -> str:
    """`10.0.0.0/8` or one address, in canonical text."""
    text = text_of(value)
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} is no network; write e.g. 10.0.0.0/8 or fd00::/8") from None


def listed(value: object) -> list[Any]:
    """A list, or one value standing for a list of one."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


def statuses(value: object) -> frozenset[int]:
    """`200`, `200-299`, or a list of them: the answers that are good."""
    if isinstance(value, frozenset | set):
        return frozenset(value)
    found: set[int] = set()
    for item in listed(value):
        for part in text_of(str(item) if isinstance(item, int) else item).split(","):
            match = re.fullmatch(r"\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*", part)
            if match is None or int(match[2] or match[1]) < int(match[1]):
                raise ValueError(f"{part.strip()!r} is no HTTP status; write e.g. 200, 200-299 or [200, 204]")
            found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    if not found:
        raise ValueError("names no status; write e.g. 200-299")
    return frozenset(found)


def statuses_text(found: Iterable[int]) -> str:
    """`200-299, 304`: ascending, runs joined."""
    runs: list[list[int]] = []
    for code in sorted(found):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return ", ".join(f"{first}-{last}" if first != last else str(first) for first, last in runs)


def one_of(value: object, choices: Sequence[str]) -> str:
    """A word of a closed list."""
    text = text_of(value)
    if text not in choices:
        raise ValueError(f"{text!r} is not known here; write {', '.join(choices[:-1])} or {choices[-1]}")
    return text
