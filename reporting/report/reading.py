"""A statement as a reader meets it: services in reading order, sums over the timeline, the figure as printed.

Everything printed is derived from the `Statement` alone; nothing is measured or judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from reporting.report import wording
from reporting.report.dates import Calendar, period_title
from sla.figures import printed_pct
from sla.spans import Spans
from sla.statement import ServiceStatement, Statement, TimeClass

RANK = {"NOT_MET": 0, "UNDETERMINED": 1, "NO_DATA": 2, "MET": 3, "NO_TARGET": 4}
OUT_OF_BASE: tuple[TimeClass, ...] = (
    "not_contracted",
    "outside_service_hours",
    "excluded",
    "maintenance",
    "unknown",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The statement, its calendar, and its services in the order used everywhere in the document."""

    statement: Statement
    calendar: Calendar
    services: tuple[ServiceStatement, ...]
    title: str  # "October 2026"

    @property
    def from_ms(self) -> int:
        return int(self.statement.period["from_ms"])

    @property
    def to_ms(self) -> int:
        return int(self.statement.period["to_ms"])

    @property
    def provisional(self) -> bool:
        return any(service.provisional for service in self.services)

    @property
    def currency(self) -> str | None:
        return next((s.credit.currency for s in self.services if s.credit and s.credit.currency), None)


def version_in_force(statement: Statement) -> Mapping[str, Any]:
    """The contract's version at the period's end; empty where the statement names none."""
    versions = statement.contract.get("versions") or ()
    return versions[-1] if versions else {}


def terms_in_force(statement: Statement) -> Mapping[str, Any]:
    """The client-visible terms at the period's end; empty where the statement names none."""
    return version_in_force(statement).get("terms") or {}


def notice_ms(statement: Statement) -> int:
    """The agreed notice of maintenance; 0 where none is asked for."""
    windows = statement.options.get("windows")
    return int(windows.get("notice") or 0) if isinstance(windows, Mapping) else 0


def clause(page: Reading, subject: str) -> str:
    """The number of the contract's clause on a subject, as agreed; empty where none is named."""
    return str(dict(terms_in_force(page.statement).get("clauses") or {}).get(subject, ""))


def read(statement: Statement) -> Reading:
    period = statement.period
    calendar = Calendar(ZoneInfo(period["tz"]))
    title = period_title(calendar, period["from_ms"], period["to_ms"])
    return Reading(statement, calendar, in_reading_order(statement.services), title)


def in_reading_order(services: Sequence[ServiceStatement]) -> tuple[ServiceStatement, ...]:
    """Missed first, then by share of budget used, falling."""
    return tuple(sorted(services, key=lambda service: (RANK[service.verdict], -used_share(service))))


def used_share(service: ServiceStatement) -> Fraction:
    """Used over allowed; a budget of nothing counts as far overdrawn as soon as anything is used."""
    budget = service.budget
    if budget is None:
        return Fraction(-1)
    return Fraction(budget.used_ms, budget.allowed_ms) if budget.allowed_ms else Fraction(budget.used_ms * 10**6)


def is_narrow(service: ServiceStatement) -> bool:
    """Met with under a quarter of the budget left."""
    budget = service.budget
    return service.verdict == "MET" and budget is not None and 4 * budget.remaining_ms < budget.allowed_ms


def achieved(service: ServiceStatement) -> str:
    """The availability as printed: floored, and never below a target that it met."""
    if service.availability_pct is None:
        return wording.DASH
    return wording.percent(printed_pct(service.availability_pct, target_pct=service.target_pct))


def bounds(service: ServiceStatement) -> str:
    """`99.850 and 99.871 %`."""
    if service.bounds_pct is None:
        return wording.DASH
    low, high = service.bounds_pct
    return f"{low} and {wording.percent(high)}"


def class_spans(service: ServiceStatement, *classes: TimeClass) -> Spans:
    """The time of the period that is in one of these classes."""
    return Spans.of((s.from_ms, s.to_ms) for s in service.timeline if s.time_class in classes)


KEEPING = {
    "maintenance": ("maintenance", ("count_up",)),
    "excluded": ("exclusions", ("count_up",)),
    "unknown": ("unknown", ("up", "down")),
    "not_contracted": ("partial_period", ("counts_up",)),
}  # class: the option and its values under which time of the class stays in the base


def stays(options: Mapping[str, Any], time_class: TimeClass) -> bool:
    """Whether time of a class stays in the base under these options."""
    option, values = KEEPING.get(time_class, ("", ()))
    return options.get(option) in values


def kept_words(options: Mapping[str, Any], time_class: TimeClass) -> str:
    """`counts as up` for time that stays in the base; empty for time that leaves it."""
    if not stays(options, time_class):
        return ""
    return "counts as down" if options.get(KEEPING[time_class][0]) == "down" else "counts as up"


def by_time(service: ServiceStatement) -> bool:
    """Whether time was judged: not users, requests, periods or a value."""
    return service.measure.by == "time"


def taken_by(service: ServiceStatement, ref: str | None, time_class: TimeClass) -> int:
    """Milliseconds of a class that one window or exclusion accounts for."""
    return sum(
        stretch.to_ms - stretch.from_ms
        for stretch in service.timeline
        if stretch.time_class == time_class and stretch.ref == ref
    )


def counted_ms(service: ServiceStatement) -> Fraction:
    """What was judged to count against the service, in milliseconds."""
    return Fraction(service.measure.counted)


def whole_ms(value: Fraction) -> int:
    """Milliseconds for print; weights may leave a part of one, which is rounded up as used budget is."""
    return -(-value.numerator // value.denominator)


def is_fine(values: Sequence[int | None]) -> bool:
    """True where any instant or duration holds milliseconds, so that columns must be wider."""
    return any(value is not None and value % 1000 for value in values)
