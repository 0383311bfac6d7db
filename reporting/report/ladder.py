"""The reconciliation: from the whole period to the printed figure, every step on the page."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reporting.report import reading, wording
from reporting.report.dates import period_days
from reporting.report.reading import Reading
from sla.statement import PrintedOutage, ServiceStatement, TimeClass

SERVICES_PER_TABLE = 3
OTHER_RULES = "By other rules of the contract"
PRECEDENCE: tuple[TimeClass, ...] = ("not_contracted", "outside_service_hours", "excluded", "maintenance", "unknown")


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell pair: an operator and a figure; a zero is set quieter."""

    operator: str
    text: str
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One row over the services of a table. Kinds: plain, sum, gap (first of a block), result, bound."""

    label: str
    figures: tuple[Figure, ...]
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Ladder:
    names: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What a class of time does to base and downtime: taken out of the base, or kept in it under a rule."""

    time_class: TimeClass
    base_label: str
    down_label: str  # "" where the class holds no known downtime
    always: bool  # printed even where every service has none


REMOVED = (
    Removed("not_contracted", "Not under contract", "of it not under contract", always=False),
    Removed("outside_service_hours", "Outside service hours", "of it outside service hours", always=False),
    Removed("maintenance", "Announced maintenance, accepted", "of it inside accepted maintenance", always=True),
    Removed("excluded", "Agreed exclusions", "of it excluded by agreement", always=True),
    Removed("unknown", "Not measured (unknown)", "", always=True),
)


def ladders(page: Reading) -> tuple[Ladder, ...]:
    """Three services to a table. A service with nothing considered has no quotient and is left out."""
    services = [service for service in page.services if service.considered_ms]
    chunks = [services[at : at + SERVICES_PER_TABLE] for at in range(0, len(services), SERVICES_PER_TABLE)]
    return tuple(Ladder(tuple(service.name for service in chunk), _steps(chunk, page)) for chunk in chunks)


def _steps(services: list[ServiceStatement], page: Reading) -> tuple[Step, ...]:
    return (*_time(services, page), *_downtime(services), *_quotient(services))


def _time(services: list[ServiceStatement], page: Reading) -> list[Step]:
    lengths = [sum(stretch.to_ms - stretch.from_ms for stretch in service.timeline) for service in services]
    label = "Period to date" if page.provisional else f"Period, {period_days(page.calendar, page.from_ms, page.to_ms)}"
    steps = [Step(f"{label}, {page.statement.period['tz']}", tuple(_plain(length) for length in lengths))]
    for removed in REMOVED:
        taken = [_taken(service, removed.time_class) for service in services]
        if removed.always or any(taken):
            steps.append(Step(removed.base_label, tuple(_minus(ms) for ms in taken)))
    other = [
        _base(service) - length + sum(_taken(service, removed.time_class) for removed in REMOVED)
        for service, length in zip(services, lengths, strict=True)
    ]
    if any(other):
        steps.append(Step(OTHER_RULES, tuple(_plus(ms) for ms in other)))
    steps.append(Step("Time considered", tuple(_equals(_base(service)) for service in services), "sum"))
    return steps


def _base(service: ServiceStatement) -> int:
    return reading.whole_ms(Fraction(service.measure.base))


def _taken(service: ServiceStatement, time_class: TimeClass) -> int:
    """Time of a class that left the base. Under `count_up`, `up` or `down` it stayed in."""
    rule = {"maintenance": "maintenance", "excluded": "exclusions", "unknown": "unknown"}.get(time_class)
    options = service.parts[0].options if service.parts else {}
    if rule is not None and options.get(rule, "exclude") != "exclude":
        return 0
    return service.split_ms.get(time_class, 0)


def _downtime(services: list[ServiceStatement]) -> list[Step]:
    counted = [reading.whole_ms(reading.counted_ms(service)) for service in services]
    measured = [sum(outage.down_ms for outage in service.outages) for service in services]
    inside = [_down_inside(service) for service in services]
    rest = [counted[at] - measured[at] + sum(inside[at].values()) for at in range(len(services))]
    steps = [Step("Down, as measured", tuple(_plain(ms) for ms in measured), "gap")]
    for removed in REMOVED:
        taken = [of.get(removed.time_class, 0) for of in inside]
        if removed.down_label and (removed.always or any(taken)):
            steps.append(Step(removed.down_label, tuple(_minus(ms) for ms in taken)))
    if any(rest):
        steps.append(Step(_rest_label(services), tuple(_plus(ms) for ms in rest)))
    steps.append(Step("Downtime counted", tuple(_equals(ms) for ms in counted), "sum"))
    return steps


def _rest_label(services: list[ServiceStatement]) -> str:
    weighted = any(outage.kind == "degraded" for service in services for outage in service.outages)
    return "Degraded, counted in part" if weighted else OTHER_RULES


def _down_inside(service: ServiceStatement) -> dict[TimeClass, int]:
    """Measured downtime that does not count, by the class of time that it lies in, strongest class first."""
    inside: dict[TimeClass, int] = {}
    classes = [removed.time_class for removed in REMOVED if removed.down_label]
    for outage in service.outages:
        missing = outage.down_ms - outage.counted_ms
        for time_class in sorted(classes, key=PRECEDENCE.index):
            part = min(missing, _overlap(outage, service, time_class))
            inside[time_class] = inside.get(time_class, 0) + part
            missing -= part
    return inside


def _overlap(outage: PrintedOutage, service: ServiceStatement, time_class: TimeClass) -> int:
    return reading.class_spans(service, time_class).clip(outage.from_ms, _end(outage.to_ms, service)).total_ms


def _end(to_ms: int | None, service: ServiceStatement) -> int:
    return service.timeline[-1].to_ms if to_ms is None else to_ms


def _quotient(services: list[ServiceStatement]) -> list[Step]:
    bases = [_base(service) for service in services]
    counted = [reading.counted_ms(service) for service in services]
    lost = [reading.whole_ms(ms) for ms in counted]
    exact = zip(counted, bases, strict=True)
    return [
        Step(
            f"Considered {wording.MINUS} counted, in seconds",
            tuple(Figure("", wording.seconds(base - ms)) for base, ms in zip(bases, lost, strict=True)),
            "gap",
        ),
        Step("Considered, in seconds", tuple(Figure("÷", wording.seconds(base)) for base in bases)),
        Step(
            "Quotient, first six decimals",
            tuple(Figure("=", wording.quotient(ms, Fraction(base))) for ms, base in exact),
        ),
        Step("Availability, rounded down", tuple(Figure("", reading.achieved(s)) for s in services), "result"),
        *_bounds(services),
    ]


def _bounds(services: list[ServiceStatement]) -> list[Step]:
    """Printed for information: what unmeasured time, and what the evidence of the outages, leaves open."""
    unmeasured = [service.bounds_pct for service in services]
    evidence = [service.evidence_pct for service in services]
    steps = [
        Step("All unmeasured time down, rounded down", _ends(unmeasured, 0), "bound"),
        Step("All unmeasured time up, rounded up", _ends(unmeasured, 1), "bound"),
    ]
    if any(evidence):
        steps.append(Step("Between the evidence bounds of the outages", tuple(map(_between, evidence)), "bound"))
    return steps


def _between(bounds: tuple[str, str] | None) -> Figure:
    return Figure("", wording.DASH if bounds is None else f"{bounds[0]} {wording.DASH} {wording.percent(bounds[1])}")


def _ends(bounds: list[tuple[str, str] | None], end: int) -> tuple[Figure, ...]:
    return tuple(Figure("", wording.percent(None if bound is None else bound[end])) for bound in bounds)


def _plain(ms: int) -> Figure:
    return Figure("", wording.column_duration(ms), zero=ms == 0)


def _minus(ms: int) -> Figure:
    return Figure(wording.MINUS, wording.column_duration(ms), zero=ms == 0)


def _plus(ms: int) -> Figure:
    return Figure("+" if ms >= 0 else wording.MINUS, wording.column_duration(abs(ms)), zero=ms == 0)


def _equals(ms: int) -> Figure:
    return Figure("=", wording.column_duration(ms))
