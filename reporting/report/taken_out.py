"""Exclusions and maintenance: what was announced or agreed, by whom, what was decided, and what it took out."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.report import reading, wording
from reporting.report.dates import Calendar
from reporting.report.reading import Reading
from sla.figures import printed_pct
from sla.statement import PrintedExclusion, PrintedWindow, ServiceStatement, TimeClass

HOUR_MS = 3_600_000
KINDS: tuple[TimeClass, ...] = ("maintenance", "excluded")
COMPUTED = "announced "  # how the accounting begins a reason that only repeats the notice
CATEGORIES = {
    "force_majeure": "Force majeure",
    "client": "Client-caused",
    "client_caused": "Client-caused",
    "third_party": "Third party",
    "agreed": "Agreed",
}


@dataclass(frozen=True, slots=True)
class TakenRow:
    number: str
    what: str
    scope: str
    when: str
    reason: str
    decision: str
    taken: str
    without: str


def taken_rows(page: Reading) -> tuple[TakenRow, ...]:
    """Windows shared by several services stand once; exclusions belong to one service each. In order of time."""
    windows = [(rows[0][1].from_ms, _window_row(rows, page)) for rows in _shared_windows(page).values()]
    exclusions = [
        (exclusion.from_ms, _exclusion_row(service, exclusion, page))
        for service in page.services
        for exclusion in service.exclusions
    ]
    return tuple(row for _, row in sorted((*windows, *exclusions), key=lambda pair: pair[0]))


def head(page: Reading) -> str:
    """The head of the last column: where some of the time stays in the base, nothing was taken out of it."""
    kept = any(reading.stays(page.statement.options, time_class) for time_class in KINDS)
    return "Covered" if kept else "Taken out"


Covered = list[tuple[ServiceStatement, PrintedWindow]]


def _shared_windows(page: Reading) -> dict[tuple[object, ...], Covered]:
    shared: dict[tuple[object, ...], Covered] = {}
    for service in page.services:
        for window in service.maintenance:
            key = (window.id, window.from_ms, window.to_ms, window.accepted, window.why)
            shared.setdefault(key, []).append((service, window))
    return shared


def _window_row(covered: Covered, page: Reading) -> TakenRow:
    window = covered[0][1]
    taken = [reading.taken_by(service, window.id, "maintenance") for service, _ in covered]
    return TakenRow(
        number=window.id or wording.DASH,
        what=wording.sentence(window.title) or "Maintenance.",
        scope=_scope([service for service, _ in covered], page),
        when=_when(window.from_ms, window.to_ms, page.calendar),
        reason=_notice(window, page),
        decision=_decision(window, [service for service, _ in covered], page),
        taken=_taken(taken),
        without=_kept("maintenance", page) if any(taken) else "",
    )


def _scope(services: list[ServiceStatement], page: Reading) -> str:
    if len(services) == len(page.services) > 1:
        return "all services"
    return wording.listed([service.name for service in services])


def _when(from_ms: int, to_ms: int, calendar: Calendar) -> str:
    length = wording.prose_duration(to_ms - from_ms, round_window=True)
    return f"{calendar.short_day(from_ms)} {calendar.span(from_ms, to_ms, whole_minutes=True)}, {length}"


def _notice(window: PrintedWindow, page: Reading) -> str:
    """When it was entered and how long before; a decision on record speaks in its own words."""
    if window.entered_ms is None or not window.why.startswith(COMPUTED):
        return f"{wording.capital(window.why.strip().rstrip('.')) or 'Given as accepted'}{_clause(page, 'maintenance')}"
    entered, ahead = page.calendar.short_minute(window.entered_ms), window.from_ms - window.entered_ms
    notice = reading.notice_ms(page.statement)
    required = f"; {wording.hours(notice)} required" if notice else ""
    when = f"{_length(ahead)} before" if ahead >= 0 else f"{_length(-ahead)} after it began"
    return f"Entered {entered}, {when}{required}{_clause(page, 'maintenance')}"


def _length(ms: int) -> str:
    """Whole hours as `120 h`, else to the minute or finer."""
    return wording.hours(ms) if ms % HOUR_MS == 0 else wording.prose_duration(ms // 1000 * 1000, round_window=True)


def _clause(page: Reading, subject: str) -> str:
    clause = reading.clause(page, subject)
    return f" ({clause})" if clause else ""


def _decision(window: PrintedWindow, services: list[ServiceStatement], page: Reading) -> str:
    """The decision, and what it means for downtime in or after the window."""
    if window.accepted:
        return f"Accepted.{_overrun(window, services, page.calendar)}"
    inside = max(_down_in(window, service) for service in services)
    if not inside:
        return "Not accepted. No downtime in it."
    return f"Not accepted. {wording.column_duration(inside)} down in it counts."


def _down_in(window: PrintedWindow, service: ServiceStatement) -> int:
    return reading.class_spans(service, "down").clip(window.from_ms, window.to_ms).total_ms


def _overrun(window: PrintedWindow, services: list[ServiceStatement], calendar: Calendar) -> str:
    """Work that went on after the announced end, where it was counted as downtime."""
    ends = [
        outage.to_ms
        for service in services
        for outage in service.outages
        if outage.to_ms is not None and outage.from_ms < window.to_ms < outage.to_ms and outage.counted_ms
    ]
    return f" Overrun to {calendar.clock(max(ends))} counts." if ends else ""


def _taken(durations: list[int]) -> str:
    if not any(durations):
        return "none"
    if len(set(durations)) == 1:
        return wording.column_duration(durations[0])
    return f"{wording.column_duration(min(durations))} to {wording.column_duration(max(durations))}"


def _exclusion_row(service: ServiceStatement, exclusion: PrintedExclusion, page: Reading) -> TakenRow:
    reason = CATEGORIES.get(exclusion.category, exclusion.category.replace("_", " ").capitalize())
    return TakenRow(
        number=exclusion.id or wording.DASH,
        what="Exclusion.",
        scope=service.name,
        when=_when(exclusion.from_ms, exclusion.to_ms, page.calendar),
        reason=f"{reason}: {exclusion.text}" if exclusion.text else reason,
        decision=f"Excluded, clause {exclusion.clause}." if exclusion.clause else "Excluded.",
        taken=_taken([reading.taken_by(service, exclusion.id, "excluded")]),
        without=", ".join(filter(None, (_kept("excluded", page), _without(service, exclusion)))),
    )


def _kept(time_class: TimeClass, page: Reading) -> str:
    """Time that is not taken out of the base says so."""
    words = reading.kept_words(page.statement.options, time_class)
    return f"in the base, {words}" if words else ""


def _without(service: ServiceStatement, exclusion: PrintedExclusion) -> str:
    """The availability had it not been excluded."""
    if exclusion.without_pct is None:
        return ""
    return f"{wording.percent(printed_pct(exclusion.without_pct, target_pct=service.target_pct))} without"
