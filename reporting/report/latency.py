"""Response times for the chart: one value per local day, drawn later by the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from reporting.report import wording
from reporting.report.dates import MONTHS
from reporting.report.reading import Reading

LONGEST_BY_DAY = 35
MOST_MONTHS = 6  # labels that fit side by side


@dataclass(frozen=True, slots=True)
class DailyLatency:
    """Percentiles of one local day's successful checks in ms; all three None where nothing was timed."""

    day: date
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None


@dataclass(frozen=True, slots=True)
class Panel:
    """One small multiple: its heading, its picture, and the finding in words."""

    title: str
    picture: str
    alt: str


Latency = Mapping[str, Sequence[DailyLatency]]


def panels(page: Reading, latency: Latency | None) -> tuple[Panel, ...]:
    """In reading order. A key is a service's id, or (for anything else) the heading itself."""
    return tuple(
        Panel(title, f"latency-{at}.svg", _finding(title, days))
        for at, (title, days) in enumerate(_titled(page, latency))
    )


def chart_jobs(page: Reading, latency: Latency | None) -> list[dict[str, Any]]:
    """What the worker needs to draw the panels, as JSON data."""
    return [
        {
            "picture": f"latency-{at}.svg",
            "ticks": _ticks(days),
            **{name: [getattr(day, f"{name}_ms") for day in days] for name in ("p50", "p95", "p99")},
        }
        for at, (_, days) in enumerate(_titled(page, latency))
    ]


def _ticks(days: Sequence[DailyLatency]) -> list[tuple[int, str]]:
    """Where the axis is labelled: every seventh day, in a longer period the first of each month."""
    if len(days) <= LONGEST_BY_DAY:
        return [(at, str(days[at].day.day)) for at in range(0, len(days), 7)]
    firsts = [(at, day.day) for at, day in enumerate(days) if day.day.day == 1]
    step = -(-len(firsts) // MOST_MONTHS)
    return [(at, MONTHS[day.month - 1][:3]) for at, day in firsts[::step]]


def _titled(page: Reading, latency: Latency | None) -> list[tuple[str, Sequence[DailyLatency]]]:
    """Headings with their days; what was never timed has no panel."""
    timed = {key: days for key, days in (latency or {}).items() if any(day.p50_ms is not None for day in days)}
    own = [(service.name, timed.pop(service.id)) for service in page.services if service.id in timed]
    return [*own, *timed.items()]


def _finding(title: str, days: Sequence[DailyLatency]) -> str:
    medians = [day.p50_ms for day in days if day.p50_ms is not None]
    slowest = max((day for day in days if day.p99_ms is not None), key=lambda day: day.p99_ms or 0, default=None)
    middle = f"{title}: half of the checks of a day took at most {_range(medians)} ms"
    untimed = sum(day.p50_ms is None for day in days)
    gap = f"; {wording.counted(untimed, 'day')} not timed" if untimed else ""
    if slowest is None:
        return f"{middle}{gap}."
    worst = f"{wording.thousands(slowest.p99_ms or 0)} ms on {slowest.day.day} {MONTHS[slowest.day.month - 1]}"
    return f"{middle}; the highest p99 was {worst}{gap}."


def _range(values: Sequence[int]) -> str:
    low, high = wording.thousands(min(values)), wording.thousands(max(values))
    return low if low == high else f"{low} to {high}"
