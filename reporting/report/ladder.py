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
TIMED = "From the whole period to the printed figure, h:mm:ss"
BY_RULE = "By the agreed rule on which downtime counts"
BY_WEIGHT = "Counted in part, by weight"
AS_DOWN = "Not measured, counted as down"
OTHER = "From the base to the printed figure"
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
    lead: str


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
    timed = [service for service in page.services if service.considered_ms]
    others = [service for service in page.services if _has_other_base(service)]
    return (
        *(_ladder(TIMED, chunk, _steps(chunk, page)) for chunk in _chunks(timed)),
        *(_ladder(OTHER, chunk, _other_steps(chunk)) for chunk in _chunks(others)),
    )


def _has_other_base(service: ServiceStatement) -> bool:
    """Judged by something else than time: users, requests, periods, a value."""
    return service.considered_ms is None and bool(Fraction(service.measure.base))


def _chunks(services: list[ServiceStatement]) -> list[list[ServiceStatement]]:
    return [services[at : at + SERVICES_PER_TABLE] for at in range(0, len(services), SERVICES_PER_TABLE)]


def _ladder(lead: str, chunk: list[ServiceStatement], steps: tuple[Step, ...]) -> Ladder:
    return Ladder(tuple(service.name for service in chunk), steps, lead)


def _steps(services: list[ServiceStatement], page: Reading) -> tuple[Step, ...]:
    return (*_time(services, page), *_downtime(services), *_quotient(services))


def _other_steps(services: list[ServiceStatement]) -> tuple[Step, ...]:
    """What is judged by another measure than time has no time to add up: its own base and what counts against it."""
    units = wording.listed(list(dict.fromkeys(wording.unit(service.measure.unit) for service in services)))
    bases = [Fraction(service.measure.base) for service in services]
    counted = [Fraction(service.measure.counted) for service in services]
    exact = list(zip(counted, bases, strict=True))
    return (
        Step(f"Base, {units}", tuple(Figure("", wording.exact_number(base)) for base in bases)),
        Step(
            f"Counted against the service, {units}",
            tuple(Figure(wording.MINUS, wording.exact_number(lost), zero=not lost) for lost in counted),
        ),
        Step("Good", tuple(Figure("=", wording.exact_number(base - lost)) for lost, base in exact), "sum"),
        Step("Base", tuple(Figure("÷", wording.exact_number(base)) for base in bases)),
        *_result(services, exact),
    )


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
        steps.append(Step(_base_label(services), tuple(_plus(ms) for ms in other)))
    steps.append(Step("Time considered", tuple(_equals(_base(service)) for service in services), "sum"))
    return steps


def _base(service: ServiceStatement) -> int:
    return reading.whole_ms(Fraction(service.measure.base))


def _base_label(services: list[ServiceStatement]) -> str:
    """A fixed base stands for the length of the period, whatever that is."""
    bases = {str(part.options.get("base", "actual")) for service in services for part in service.parts}
    if len(bases) == 1 and (fixed := bases.pop()) != "actual":
        return f"To the fixed base of {wording.hours(int(fixed))}"
    return OTHER_RULES


def _taken(service: ServiceStatement, time_class: TimeClass) -> int:
    """Time of a class that left the base. Under `count_up`, `up`, `down` or `counts_up` it stayed in."""
    return sum(
        part.split_ms.get(time_class, 0) for part in service.parts if not reading.stays(part.options, time_class)
    )


def _downtime(services: list[ServiceStatement]) -> list[Step]:
    counted = [reading.whole_ms(reading.counted_ms(service)) for service in services]
    measured = [sum(outage.down_ms for outage in service.outages) for service in services]
    inside = [_down_inside(service) for service in services]
    steps = [Step("Down, as measured", tuple(_plain(ms) for ms in measured), "gap")]
    for removed in REMOVED:
        taken = [of.get(removed.time_class, 0) for of in inside]
        if removed.down_label and (removed.always or any(taken)):
            steps.append(Step(removed.down_label, tuple(_minus(ms) for ms in taken)))
    changed = [_changed(service) for service in services]
    for label in (BY_RULE, BY_WEIGHT, AS_DOWN):
        if any(of[label] for of in changed):
            steps.append(Step(label, tuple(_plus(of[label]) for of in changed)))
    rest = [
        counted[at] - measured[at] + sum(inside[at].values()) - sum(changed[at].values()) for at in range(len(services))
    ]
    if any(rest):
        steps.append(Step(OTHER_RULES, tuple(_plus(ms) for ms in rest)))
    steps.append(Step("Downtime counted", tuple(_equals(ms) for ms in counted), "sum"))
    return steps


def _changed(service: ServiceStatement) -> dict[str, int]:
    """What counts more or less than was down outside the classes: by rules on outages, by weight, as unmeasured."""
    changed = {BY_RULE: 0, BY_WEIGHT: 0, AS_DOWN: 0}
    for outage in service.outages:
        left = outage.down_ms - sum(_classes_of(outage, service).values())
        changed[BY_WEIGHT if outage.why is None else BY_RULE] += outage.counted_ms - left
    changed[AS_DOWN] = sum(
        part.split_ms.get("unknown", 0) for part in service.parts if part.options.get("unknown") == "down"
    )
    return changed


def _down_inside(service: ServiceStatement) -> dict[TimeClass, int]:
    """Measured downtime that does not count, by the class of time that it lies in, strongest class first."""
    inside: dict[TimeClass, int] = {}
    for outage in service.outages:
        for time_class, part in _classes_of(outage, service).items():
            inside[time_class] = inside.get(time_class, 0) + part
    return inside


def _classes_of(outage: PrintedOutage, service: ServiceStatement) -> dict[TimeClass, int]:
    """The same for one outage."""
    classes = [removed.time_class for removed in REMOVED if removed.down_label]
    missing, found = max(0, outage.down_ms - outage.counted_ms), {}
    for time_class in sorted(classes, key=PRECEDENCE.index):
        found[time_class] = min(missing, _overlap(outage, service, time_class))
        missing -= found[time_class]
    return found


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
        *_result(services, [(ms, Fraction(base)) for ms, base in exact]),
    ]


def _result(services: list[ServiceStatement], exact: list[tuple[Fraction, Fraction]]) -> list[Step]:
    return [
        Step(
            "Quotient, first six decimals",
            tuple(Figure("=", wording.quotient(min(lost, base), base)) for lost, base in exact),
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
