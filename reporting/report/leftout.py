"""What is not in the figures: time taken out of the base, time nobody measured, failures that are no downtime."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.report import reading, wording
from reporting.report.reading import Reading
from sla.spans import Spans
from sla.statement import TimeClass


@dataclass(frozen=True, slots=True)
class LeftOut:
    label: str
    figure: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class of time with the words for it; `days` names the days in the label."""

    time_class: TimeClass
    words: str
    share: bool = False


KINDS = (
    _Kind("maintenance", "Announced maintenance"),
    _Kind("excluded", "Excluded by agreement"),
    _Kind("outside_service_hours", "Outside service hours"),
    _Kind("not_contracted", "Not under contract"),
    _Kind("unknown", "Not measured", share=True),
)
MOST_DAYS = 2  # more days than this are a number, not a list


def left_out(page: Reading) -> tuple[LeftOut, ...]:
    """One line where all services agree, else one per service; unconfirmed failures last, as a plain number."""
    lines = [line for kind in KINDS for line in _lines(kind, page)]
    failures = sum(service.checks.get("unconfirmed") or 0 for service in page.services)
    if failures:
        lines.append(LeftOut("Unconfirmed single failures, no downtime", wording.thousands(failures)))
    return tuple(lines)


def _lines(kind: _Kind, page: Reading) -> list[LeftOut]:
    """Services with the same spans share a line; where all of them do, it names none."""
    by_spans: dict[Spans, list[str]] = {}
    for service in page.services:
        by_spans.setdefault(reading.class_spans(service, kind.time_class), []).append(service.name)
    everyone = len(by_spans) == 1
    return [
        _line(kind, spans, page, names="" if everyone else wording.listed(names))
        for spans, names in by_spans.items()
        if spans
    ]


def _line(kind: _Kind, spans: Spans, page: Reading, *, names: str) -> LeftOut:
    days = list(dict.fromkeys(page.calendar.days(start, end) for start, end in spans))
    when = wording.listed(days) if len(days) <= MOST_DAYS else f"{len(spans.spans)} times"
    share = f" ({_share(spans.total_ms, page)})" if kind.share else ""
    kept = reading.kept_words(page.statement.options, kind.time_class)
    label = ", ".join(part for part in (kind.words, names, when, kept) if part)
    return LeftOut(label + share, wording.prose_duration(spans.total_ms, round_window=True))


def _share(ms: int, page: Reading) -> str:
    """Unmeasured time as a share of the period, rounded up: what is missing is never made smaller."""
    length = page.to_ms - page.from_ms
    thousandths = -(-ms * 100_000 // length)
    return f"{thousandths // 1000}.{thousandths % 1000:03d}{wording.NARROW}%"


def bounds_note(page: Reading) -> str:
    """What the unmeasured time could have changed, for the first service that has any."""
    open_services = [s for s in page.services if s.split_ms.get("unknown") and s.bounds_pct is not None]
    if not open_services:
        return ""
    undecided = [service for service in open_services if service.verdict == "UNDETERMINED"]
    first = (undecided or open_services)[0]
    lies = f"{first.name} lies between {reading.bounds(first)}."
    if undecided:
        return f"The unmeasured time can change a verdict: {lies}"
    if page.provisional or not any(service.target_pct for service in open_services):
        return lies
    return f"{_verdicts(page)} whether the unmeasured time was up or down: {lies}"


def _verdicts(page: Reading) -> str:
    number = len(page.services)
    return "The verdict holds" if number == 1 else f"The {wording.counted(number, 'verdict')} hold"
