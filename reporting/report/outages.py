"""The outages, grouped by service, worst counted first, with both subtotals in the head of the group."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.causes import cause_words
from reporting.report import reading, wording
from reporting.report.dates import Calendar
from reporting.report.reading import Reading
from sla.statement import PrintedOutage, ServiceStatement

MOST_ROWS = 300  # about eleven pages; beyond, the longest are printed and the rest is summed


@dataclass(frozen=True, slots=True)
class OutageRow:
    number: str
    began: str
    span: str
    utc: str
    down: str
    counted: str
    none_counted: bool
    category: str
    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class OutageGroup:
    """One service with its outages; `rest` sums up the rows that are not printed."""

    name: str
    down: str
    counted: str
    number: str
    rows: tuple[OutageRow, ...]
    rest: str


def outage_groups(page: Reading) -> tuple[OutageGroup, ...]:
    printed, fine = _longest(page), outages_are_fine(page)
    return tuple(_group(service, printed, page, fine=fine) for service in page.services if service.outages)


def outage_total(page: Reading) -> int:
    return sum(len(service.outages) for service in page.services)


def outages_are_fine(page: Reading) -> bool:
    """True where instants or durations hold milliseconds, so that the columns must be wider."""
    outages = [outage for service in page.services for outage in service.outages]
    values = [value for o in outages for value in (o.from_ms, o.to_ms, o.down_ms, o.counted_ms)]
    return reading.is_fine(values)


def _longest(page: Reading) -> set[int]:
    """Identities of the outages that are printed: all, or the longest 300."""
    outages = [outage for service in page.services for outage in service.outages]
    return {id(outage) for outage in sorted(outages, key=_worst_first)[:MOST_ROWS]}


def _worst_first(outage: PrintedOutage) -> tuple[int, int, int]:
    return (-outage.counted_ms, -outage.down_ms, outage.from_ms)


def _group(service: ServiceStatement, printed: set[int], page: Reading, *, fine: bool) -> OutageGroup:
    ranked = sorted(service.outages, key=_worst_first)
    shown = [outage for outage in ranked if id(outage) in printed]
    rest = [outage for outage in ranked if id(outage) not in printed]
    return OutageGroup(
        name=service.name,
        down=wording.column_duration(sum(outage.down_ms for outage in ranked), fine=fine),
        counted=wording.column_duration(sum(outage.counted_ms for outage in ranked), fine=fine),
        number=f"{wording.thousands(len(ranked))} outage{'' if len(ranked) == 1 else 's'}",
        rows=tuple(_row(outage, page, fine=fine) for outage in shown),
        rest=_rest(rest),
    )


def _rest(outages: list[PrintedOutage]) -> str:
    if not outages:
        return ""
    together = wording.column_duration(sum(outage.counted_ms for outage in outages))
    return f"and {wording.thousands(len(outages))} more, together {together}, in the attached statement.json"


def _row(outage: PrintedOutage, page: Reading, *, fine: bool) -> OutageRow:
    calendar = page.calendar
    return OutageRow(
        number=outage.id or wording.DASH,
        began=calendar.short_day(outage.from_ms),
        span=calendar.span(outage.from_ms, outage.to_ms),
        utc=calendar.span_utc(outage.from_ms, outage.to_ms),
        down=wording.column_duration(outage.down_ms, fine=fine),
        counted=wording.column_duration(outage.counted_ms, fine=fine),
        none_counted=outage.counted_ms == 0,
        category=wording.sentence(_category(outage.cause)),
        text=wording.sentence(outage.text),
        evidence=_evidence(outage, calendar),
    )


def _category(cause: str) -> str:
    words = cause_words(cause).replace("_", " ")
    return words[:1].upper() + words[1:]


def _evidence(outage: PrintedOutage, calendar: Calendar) -> str:
    good = outage.last_good_ms
    parts = (
        wording.listed(outage.endpoints) if len(outage.endpoints) <= 2 else f"{len(outage.endpoints)} endpoints",
        "" if good is None else f"last good {_at(good, outage.from_ms, calendar)}",
        "" if outage.failed_checks is None else _failed(outage.failed_checks),
        _why(outage),
    )
    return " · ".join(part for part in parts if part)


def _why(outage: PrintedOutage) -> str:
    """What of it does not count; the rule itself stands under Method."""
    if outage.why is None or outage.counted_ms == outage.down_ms:
        return ""
    spared, colon, _ = outage.why.partition(": ")
    return spared if colon else "counted by the agreed rule"


def _at(good_ms: int, from_ms: int, calendar: Calendar) -> str:
    same_day = calendar.local(good_ms).date() == calendar.local(from_ms).date()
    return calendar.clock(good_ms) if same_day else f"{calendar.short_day(good_ms)} {calendar.clock(good_ms)}"


def _failed(number: int) -> str:
    return f"{wording.thousands(number)} failed check{'' if number == 1 else 's'}"


def lead(page: Reading) -> str:
    """How to read the table."""
    total = outage_total(page)
    several = sum(bool(service.outages) for service in page.services) > 1
    missed = any(service.verdict == "NOT_MET" for service in page.services)
    order = "the missed target first, then longest counted first" if several and missed else "longest counted first"
    everyone = "Both" if total == 2 else f"All {wording.counted(total, 'outage').split(' ')[0]}"
    many = f"{everyone}; {order}. " if total > 1 else ""
    measures = {service.measure.by for service in page.services} - {"time", "users"}
    told = f"Told for information: {wording.listed(sorted(measures))} are judged, not time. " if measures else ""
    return f"{told}{many}Local time with UTC below, from the first failed check to the first good one."
