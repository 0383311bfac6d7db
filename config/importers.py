"""Rows of history as values: checks and outages that others saw, each cell exact or refused with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from config.history import Cells, HistoryFile, Refusal
from sla.facts import Verdict
from sla.judge import Check
from sla.spans import Span

CHECK_COLUMNS = ("endpoint", "at", "verdict", "latency_ms", "error", "location")
OUTAGE_COLUMNS = ("endpoint", "start", "end", "cause", "text", "note", "location")
VERDICTS: tuple[Verdict, ...] = ("up", "degraded", "down", "unknown")
Unit = Literal["ms", "s"]
_PER_UNIT = {"ms": 1, "s": 1000}
_EARLIEST_MS = 631_152_000_000  # 1990: before it a number of seconds was taken for one of milliseconds
_LONGEST_LATENCY_MS = 86_400_000
_LONGEST_TEXT = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file says things: what it calls columns and verdicts, its zone and units, and for whom it speaks."""

    columns: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    zone: ZoneInfo | None = None
    unit: Unit = "ms"
    latency_unit: Unit = "ms"
    no_verdict: Literal["refuse", "unknown"] = "refuse"
    endpoint: str | None = None
    location: str = "local"


@dataclass(frozen=True, slots=True)
class CheckSeen:
    """One row of a file of checks."""

    line: int
    endpoint: str
    location: str
    check: Check


@dataclass(frozen=True, slots=True)
class OutageSeen:
    """One row of a file of outages: [from_ms, to_ms). `cause` and `text` are for the client, `note` is internal."""

    line: int
    endpoint: str
    location: str
    from_ms: int
    to_ms: int
    cause: str
    text: str
    note: str


def checks_file(path: Path, shape: Shape) -> HistoryFile:
    """The file of checks at `path`, to be read by `read_checks`."""
    required = ("at", *(() if shape.no_verdict == "unknown" else ("verdict",)), *_endpoint_column(shape))
    return HistoryFile(path, CHECK_COLUMNS, required, shape.columns)


def outages_file(path: Path, shape: Shape) -> HistoryFile:
    """The file of outages at `path`, to be read by `read_outages`."""
    return HistoryFile(path, OUTAGE_COLUMNS, ("start", "end", *_endpoint_column(shape)), shape.columns)


def _endpoint_column(shape: Shape) -> tuple[str, ...]:
    return () if shape.endpoint is not None else ("endpoint",)


def read_checks(file: HistoryFile, shape: Shape, *, now_ms: int) -> Iterator[CheckSeen | Refusal]:
    """Every row as a check, or why it is none."""
    for cells in file.rows():
        if isinstance(cells, Refusal):
            yield cells
            continue
        try:
            yield _check(cells, shape, now_ms)
        except ValueError as error:
            yield Refusal(str(file.path), cells.line, str(error))


def read_outages(
    file: HistoryFile, shape: Shape, *, now_ms: int, observed: Span | None
) -> Iterator[OutageSeen | Refusal]:
    """Every row as an outage that is over and lies in `observed`, or why it is none."""
    for cells in file.rows():
        if isinstance(cells, Refusal):
            yield cells
            continue
        try:
            yield _outage(cells, shape, now_ms, observed)
        except ValueError as error:
            yield Refusal(str(file.path), cells.line, str(error))


def _check(cells: Cells, shape: Shape, now_ms: int) -> CheckSeen:
    endpoint, at, verdict, latency, error, location = cells.values
    seen = _verdict(verdict, shape)
    check = Check(
        _past_ms("at", at, shape, now_ms),
        seen,
        _text("error", error) if seen != "up" else None,
        None if latency is None else _latency_ms(latency, shape),
    )
    return CheckSeen(cells.line, _endpoint(endpoint, shape), _location(location, shape), check)


def _outage(cells: Cells, shape: Shape, now_ms: int, observed: Span | None) -> OutageSeen:
    endpoint, start, end, cause, text, note, location = cells.values
    if end is None:
        raise ValueError("has no end; only outages that are over can be imported: write when it ended, or leave it out")
    from_ms, to_ms = _past_ms("start", start, shape, now_ms), _past_ms("end", end, shape, now_ms)
    if to_ms < from_ms:
        raise ValueError(f"ends at {end}, before it starts at {start}; swap them")
    if to_ms == from_ms:
        raise ValueError(f"ends at {end}, the instant it starts: it lasts no time; leave it out")
    if observed is not None and not (observed[0] <= from_ms and to_ms <= observed[1]):
        raise ValueError(f"{start} to {end} is not all inside what was --observed; widen that, or leave the row out")
    words = [_text(name, value) or "" for name, value in (("cause", cause), ("text", text), ("note", note))]
    return OutageSeen(cells.line, _endpoint(endpoint, shape), _location(location, shape), from_ms, to_ms, *words)


def _endpoint(value: Any, shape: Shape) -> str:
    if value is None:
        if shape.endpoint is None:
            raise ValueError("names no endpoint; write its id, or give --endpoint ID for the whole file")
        return shape.endpoint
    text = _id("endpoint", value)
    if shape.endpoint is not None and text != shape.endpoint:
        raise ValueError(f"is of endpoint {text!r}, and --endpoint says {shape.endpoint!r}; leave one of them out")
    return text


def _location(value: Any, shape: Shape) -> str:
    return shape.location if value is None else _id("location", value)


def _id(name: str, value: Any) -> str:
    text = _scalar(name, value)
    if _ID.fullmatch(text) is None:
        raise ValueError(f"{name} {text[:64]!r} is no id; write letters, digits, dots and dashes, e.g. shop-web")
    return text


def _scalar(name: str, value: Any) -> str:
    """A cell as text; numbers and flags of JSON as they were written."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    raise ValueError(f"{name} is a {'list' if isinstance(value, list) else 'mapping'}; write one plain value")


def _text(name: str, value: Any) -> str | None:
    """One line of words, cut to 500 characters; None for nothing."""
    return None if value is None else " ".join(_scalar(name, value).split())[:_LONGEST_TEXT] or None


def _verdict(value: Any, shape: Shape) -> Verdict:
    if value is None:
        if shape.no_verdict == "unknown":
            return "unknown"
        raise ValueError("has no verdict; write up, degraded, down or unknown, or give --no-verdict unknown")
    text = _scalar("verdict", value)
    if text in shape.verdicts:
        return shape.verdicts[text]
    if text.lower() in VERDICTS:
        return cast(Verdict, text.lower())
    known = ", ".join(VERDICTS[:-1])
    raise ValueError(
        f"verdict {text[:64]!r} is not known; write {known} or unknown, or give --verdict {text[:32]}=down"
    )


def _latency_ms(value: Any, shape: Shape) -> int:
    """Whole milliseconds, half up: a response time is never a figure of the accounting."""
    text = _scalar("latency", value)
    try:
        found = Decimal(text) * _PER_UNIT[shape.latency_unit]
        if not 0 <= found <= _LONGEST_LATENCY_MS:
            raise ValueError
    except (ArithmeticError, ValueError):
        raise ValueError(f"latency {text[:64]!r} is no time between 0 and a day; write e.g. 120") from None
    return int(found.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _past_ms(name: str, value: Any, shape: Shape, now_ms: int) -> int:
    if value is None:
        raise ValueError(f"has no {name}; write e.g. 2026-10-05T10:00:00Z")
    at_ms = instant_ms(name, value, unit=shape.unit, zone=shape.zone)
    if at_ms < _EARLIEST_MS:
        hint = "; are these seconds? Then --unit s" if not isinstance(value, str) or value.isdigit() else ""
        raise ValueError(f"{name} {value} lies before 1990{hint}")
    if at_ms > now_ms:
        hint = "; are these milliseconds? Then --unit ms" if shape.unit == "s" else ""
        raise ValueError(f"{name} {value} lies in the future: nobody has seen it yet{hint}")
    return at_ms


def instant_ms(name: str, value: Any, *, unit: Unit = "ms", zone: ZoneInfo | None = None) -> int:
    """A number of ms (or s) since 1970, or ISO 8601 with an offset; without one what clocks in `zone` showed.

    Digits of a second beyond the millisecond are cut off a written time; a number must be exact. Raises ValueError.
    """
    text = _scalar(name, value)
    if 8 < len(text) <= 20 and text.isascii() and text.isdigit():
        return int(text) * _PER_UNIT[unit]
    example = "write e.g. 2026-10-05T10:00:00Z"
    if re.fullmatch(r"[+-]?[\d.]+([eE][+-]?\d+)?|nan|[+-]?inf(inity)?", text, re.IGNORECASE):
        return _number_ms(name, text, unit, example)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} {text[:64]!r} is no instant; {example}") from None
    if found.tzinfo is None:
        if zone is None:
            raise ValueError(f"{name} {text!r} has no zone; {example}, or give --zone UTC")
        found = _in_zone(name, text, found, zone)
    try:
        return (found - _EPOCH) // _MILLISECOND
    except OverflowError:
        raise ValueError(f"{name} {text!r} is no instant; {example}") from None


def _number_ms(name: str, text: str, unit: Unit, example: str) -> int:
    try:
        found = Decimal(text) * _PER_UNIT[unit]
        if not abs(found) < 2**53 or found != int(found):
            raise ValueError
    except (ArithmeticError, ValueError):
        words = f"{name} {text[:64]} is no exact number of milliseconds since 1970"
        raise ValueError(f"{words}; {example}, or a whole number") from None
    return int(found)


def _in_zone(name: str, text: str, wall: datetime, zone: ZoneInfo) -> datetime:
    """The one instant at which clocks in `zone` showed it; none or two of them decide nothing."""
    early, late = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        exists = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
        words = "stands on the clock twice" if exists else "never stood on the clock"
        raise ValueError(f"{name} {text!r} {words} in {zone.key}; write the offset, e.g. {wall.isoformat()}+01:00")
    return early
