"""The parts of the board's page: symbols, bars as inline SVG, and the words of each cell, escaped by construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from reporting.board import Board, Bucket, Row, lead
from reporting.wording import (
    NARROW,
    at_zone,
    clock_time,
    day,
    iso_utc,
    left,
    near_time,
    share_up,
    used,
    weekday,
    whole_percent,
    zone_name,
)

BUCKET_WORDS = {
    "red": "over budget",
    "orange": f"75 to 100{NARROW}%",
    "yellow": f"50 to 75{NARROW}%",
    "green": f"under 50{NARROW}%",
    "no budget": "no target or no data",
}
_WORDS = {"down": "Down", "degraded": "Degraded", "unknown": "Unknown", "up": "Up", "no data": "No data"}
BAR_WIDTH, BAR_100, BAR_HEIGHT = 84, 63, 14  # the scale ends at 133 %
_PIE = (
    '<circle cx="7" cy="7" r="5.5" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="{}" fill="currentColor"/>'
)
_CROSS = '<path d="M3 3l8 8M11 3l-8 8" stroke="currentColor" stroke-width="2" fill="none"/>'
_DASH = '<path d="M3 7h8" stroke="currentColor" stroke-width="2"/>'
_SYMBOLS = {
    "up": '<circle cx="7" cy="7" r="4" fill="currentColor"/>',
    "down": _CROSS,
    "degraded": '<path d="M7 2l5.5 10h-11z" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="M7 5.5v3M7 9.6v1.1" stroke="currentColor" stroke-width="1.4"/>',
    "unknown": '<circle cx="7" cy="7" r="5.5" fill="none" stroke="currentColor" stroke-width="1.4" '
    'stroke-dasharray="2 1.6"/><path d="M5.4 5.6a1.7 1.7 0 1 1 1.7 2v.8M7.1 9.7v1" fill="none" '
    'stroke="currentColor" stroke-width="1.2"/>',
    "maintenance": '<path d="M7 1.5L12.5 7 7 12.5 1.5 7z" fill="none" stroke="currentColor" stroke-width="1.5"/>',
    "no data": _DASH,
    "no budget": _DASH,
    "red": _CROSS,
    "orange": _PIE.format("M7 7V1.5A5.5 5.5 0 1 1 1.5 7z"),
    "yellow": _PIE.format("M7 7V1.5A5.5 5.5 0 0 1 7 12.5z"),
    "green": _PIE.format("M7 7V1.5A5.5 5.5 0 0 1 12.5 7z"),
}


@dataclass(frozen=True, slots=True)
class LeadParts:
    """The lead in the page's three sizes: the one big figure, what it is of, when and at what cost."""

    figure: str
    first: str
    second: str
    urgent: bool


def lead_parts(board: Board) -> LeadParts | None:
    """None where nothing breaks; the sentence of the lead then stands alone."""
    words = lead(board)
    figure, found, rest = words.partition(" until ")
    if not found:
        return None
    first, _, second = rest.rpartition(" Red ")
    return LeadParts(_narrow(figure), f"until {first}", f"Red {second}", urgent="if it stays down" in second)


def _narrow(figure: str) -> str:
    """`8 min 35 s` with narrow spaces inside each amount."""
    words = figure.split()
    return " ".join(NARROW.join(words[number : number + 2]) for number in range(0, len(words), 2))


def symbol(name: str) -> Markup:
    """A 14 px symbol; the word always stands beside it."""
    return Markup(  # the drawings are ours, nothing foreign is in them
        f'<svg class="symbol" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">{_SYMBOLS[name]}</svg>'
    )


def bucket_class(bucket: Bucket) -> str:
    return bucket.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the template calls for one board."""

    board: Board

    def functions(self) -> dict[str, Any]:
        own: tuple[Callable[..., Any], ...] = (self.state_words, self.budget, self.bar, self.used, self.red_at)
        given = {function.__name__: function for function in own}
        zone = self.board.zone
        return given | {
            "symbol": symbol,
            "bucket_class": bucket_class,
            "lead": lead(self.board),
            "zone": zone_name(self.board.at_ms, zone),
            "iso": iso_utc,
            "clock": lambda at_ms: clock_time(at_ms, zone),
            "near": lambda at_ms: near_time(at_ms, zone, now_ms=self.board.at_ms),
            "length": lambda duration_ms: used(duration_ms, space=NARROW),
        }

    def state_words(self, row: Row) -> str:
        if row.state == "maintenance":
            if row.until_ms is None:
                return "Maintenance"
            return f"Maintenance to {near_time(row.until_ms, self.board.zone, now_ms=self.board.at_ms)}"
        word = _WORDS[row.state]
        if row.state in ("down", "unknown") and row.since_ms is not None:
            return f"{word} {used(max(0, self.board.at_ms - row.since_ms), space=NARROW)}"
        return word

    def budget(self, row: Row) -> Markup | str:
        if row.budget is None:
            return "no data yet" if row.target_pct else "no target"
        whole = left(row.budget.allowed_ms, space=NARROW)
        if row.bucket == "red":
            over = used(max(0, -row.budget.remaining_ms), space=NARROW)
            return Markup('<b class="red">{} over</b> <span class="quiet">{}</span>').format(over, whole)
        rest = left(max(0, row.budget.remaining_ms), space=NARROW)
        return Markup('<b>{}</b> <span class="quiet">left of {}</span>').format(rest, whole)

    def used(self, row: Row) -> str:
        if row.budget is None:
            return ""
        return share_up(row.share, space=NARROW) if row.share is not None else f"over 100{NARROW}%"

    def bar(self, row: Row) -> Markup | str:
        """The share used as SVG; its figure stands in the next cell, so the picture is hidden from readers aloud."""
        if row.budget is None:
            return ""
        share = row.share if row.share is not None else Fraction(4, 3)
        filled = int(min(share, Fraction(1)) * BAR_100)
        over = int(min(max(share - 1, Fraction(0)), Fraction(1, 3)) * BAR_100)
        notches = "".join(
            f'<rect class="notch" x="{BAR_100 * quarter // 4}" y="3" width="1" height="8"/>' for quarter in (2, 3)
        )
        return Markup(
            f'<svg class="bar" width="{BAR_WIDTH}" height="{BAR_HEIGHT}" aria-hidden="true">'
            f'<rect class="track" x="0" y="3" width="{BAR_100}" height="8"/>'
            f'<rect class="fill {bucket_class(row.bucket)}" x="0" y="3" width="{filled}" height="8"/>'
            f'<rect class="over" x="{BAR_100}" y="3" width="{over}" height="8"/>{notches}'
            f'<rect class="line" x="{BAR_100 - 1}" y="0" width="2" height="14"/></svg>'
        )

    def red_at(self, row: Row) -> Markup | str:
        forecast, zone = row.forecast, self.board.zone
        if forecast is None:
            return ""
        if forecast.at_ms is None:
            if forecast.end_share is None:
                return "not in this period"
            if not forecast.end_share:
                return "no downtime yet"
            return f"{whole_percent(forecast.end_share, space=NARROW)} on {day(row.period_end_ms - 1, zone)}"
        today = at_zone(forecast.at_ms, zone).date() == at_zone(self.board.at_ms, zone).date()
        when = (
            clock_time(forecast.at_ms, zone)
            if today
            else f"{weekday(forecast.at_ms, zone)} {day(forecast.at_ms, zone)}"
        )
        if forecast.kind == "since":
            return Markup('<b class="red">since {}</b>').format(when)
        if forecast.kind == "if_down":
            return Markup('<b class="red">{}</b> if it stays down').format(when)
        return Markup("<b>{}</b> at this pace").format(when)

    def _when(self, at_ms: int) -> str:
        zone = self.board.zone
        if at_zone(at_ms, zone).date() == at_zone(self.board.at_ms, zone).date():
            return clock_time(at_ms, zone)
        return f"{weekday(at_ms, zone)} {day(at_ms, zone)}"
