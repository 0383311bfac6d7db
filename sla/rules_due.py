"""Each rule kind applied to the quantities of a part, or of the whole period: what is due, exact, before any cap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from sla.figures import exact_text
from sla.inputs import Inputs, PeriodBefore, value_of
from sla.pay import Basis, MissingInput, Worth, counted_units, summed, worth
from sla.period import Period, days, local
from sla.quantities import Downtime, Quantities
from sla.rules import (
    ClockHours,
    Edge,
    Event,
    GreatestOf,
    If,
    LateTickets,
    Lost,
    MissedPeriods,
    Pay,
    Percent,
    PerDay,
    PerUnit,
    Rule,
    Severity,
    Steps,
    Tiers,
)
from sla.rules_text import edge_text, name_of, pay_text, subject_text

HOUR_MS = 3_600_000
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class View:
    """What a rule sees: one part of the period, or the period as a whole."""

    part: int
    read: Quantities
    basis: Basis
    tz: str
    missed: bool  # this period, at this point

    @property
    def inputs(self) -> Inputs:
        return self.basis.inputs


@dataclass(frozen=True, slots=True)
class Due:
    """What one rule owes for one part. `by_event` names the share of each outage, where it is owed by outage."""

    part: int
    rule: int  # its place in the contract
    text: str
    worth: Worth
    inputs: Mapping[str, str] = field(default_factory=dict)
    by_event: tuple[tuple[int, Fraction], ...] = ()  # (start of the outage, minor units)
    fee_minor: int | None = None  # that it was taken of
    percent: Decimal | None = None  # of the fee, where that is all


def reads_whole(rule: Rule) -> bool:
    """Whether the rule looks at the period as a whole, whatever its parts."""
    if isinstance(rule, MissedPeriods | LateTickets | Event):
        return True
    if isinstance(rule, Tiers | Severity) and rule.on not in ("availability", "downtime"):
        return True
    return getattr(rule, "of", "period") == "outage"


def due(rule: Rule, number: int, view: View) -> Due | None:
    """None where the rule pays nothing. Raises MissingInput."""
    if view.read.availability is None and not reads_whole(rule):
        return None
    if rule.when is not None and not holds(rule.when, view, own_target=not reads_whole(rule)):
        return None
    kinds: dict[type, Callable[[Rule, int, View], Due | None]] = {
        Tiers: _tiers,
        PerUnit: _per_unit,
        Lost: _lost,
        Steps: _steps,
        GreatestOf: _greatest,
        MissedPeriods: _missed_periods,
        Severity: _severity,
        PerDay: _per_day,
        LateTickets: _late_tickets,
        Event: _event,
        ClockHours: _clock_hours,
    }
    apply = kinds.get(type(rule))
    found = None if apply is None else apply(rule, number, view)
    if found is None or found.worth == Worth():
        return None
    return replace(found, fee_minor=view.basis.fee_minor)


def holds(when: If, view: View, *, own_target: bool = True) -> bool:
    """Whether a condition is met. Raises MissingInput for periods before that nobody entered."""
    if when.edge is not None:
        if when.quantity == "downtime":
            return matches(when.edge, view.read.downtime_ms)
        compared = view.read.compared
        return compared is not None and matches(when.edge, compared)
    if not (view.read.missed if own_target else view.missed):
        return False
    return when.missed == 1 or missed_in_a_row(view.inputs, view.read) + 1 >= when.missed


def missed_in_a_row(inputs: Inputs, read: Quantities) -> int:
    """How many periods right before this one were missed."""
    count = 0
    for before in reversed(history(inputs)):
        if not was_missed(before, read):
            break
        count += 1
    return count


def history(inputs: Inputs) -> tuple[PeriodBefore, ...]:
    if inputs.history is None:
        raise MissingInput("history")
    return inputs.history


def was_missed(before: PeriodBefore, read: Quantities) -> bool:
    """A period before by its verdict, or its availability against the target in force now."""
    if isinstance(before, str):
        return before == "missed"
    return read.target is not None and before < read.target


def matches(edge: Edge, value: Fraction) -> bool:
    limit = Fraction(edge.value)
    answers = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}
    return answers[edge.comparison]


def deepest(rows: Sequence[tuple[Edge, Row]], value: Fraction) -> tuple[Edge, Row] | None:
    """Of the rows that match the deepest; it counts once. Rows stand from the mildest to the deepest."""
    matching = [row for row in rows if matches(row[0], value)]
    return matching[-1] if matching else None


def _measured(on: str, view: View) -> Fraction:
    if on == "downtime":
        return view.read.downtime_ms
    if on == "availability":
        return view.read.compared or Fraction(0)
    found = value_of(view.inputs, on)
    if found is None:
        raise MissingInput(on)
    return found


def _tiers(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, Tiers)
    rows = [(row.edge, row.pay) for row in rule.rows]
    if rule.of == "outage":
        return _by_outage(rule, number, view, lambda each: _row_worth(rows, each, view))
    value = _measured(rule.on, view)
    row = deepest(rows, value)
    if row is None:
        return None
    edge, pay = row
    text = f"{subject_text(rule.on)} {edge_text(edge, rule.on)}: {pay_text(pay)}"
    percent = pay.value if isinstance(pay, Percent) else None
    found = worth(pay, view.basis, view.read)
    return Due(view.part, number, text, found, _named(rule.on, value), percent=percent)


def _named(on: str, value: Fraction) -> dict[str, str]:
    if on == "availability":
        return {}
    return {"downtime_ms" if on == "downtime" else on: exact_text(value)}


def _row_worth(rows: Sequence[tuple[Edge, Pay]], outage: Downtime, view: View) -> Worth:
    row = deepest(rows, outage.counted_ms)
    return Worth() if row is None else worth(row[1], view.basis, view.read)


def _by_outage(rule: Rule, number: int, view: View, of: Callable[[Downtime], Worth]) -> Due:
    each = [(outage.pieces[0][0], of(outage)) for outage in view.read.outages]
    paid = [(start, found) for start, found in each if found != Worth()]
    events = tuple((start, found.minor) for start, found in paid)
    inputs = {"outages": str(len(paid))}
    return Due(view.part, number, name_of(rule), summed(found for _, found in paid), inputs, events)


def _per_unit(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, PerUnit)
    allowance = Fraction(rule.after_percent) * view.read.time_base_ms / 100
    if rule.of == "period":
        left = max(Fraction(0), view.read.downtime_ms - allowance - rule.after_ms)
        units = counted_units(left, rule.unit_ms, rule.count)
        inputs = {"downtime_ms": exact_text(view.read.downtime_ms), "units": str(units)}
        return Due(view.part, number, name_of(rule), _units_worth(rule, left, view), inputs)
    remaining = _after(view.read.outages, allowance, rule.after_ms)
    found = _by_outage(rule, number, view, lambda outage: _units_worth(rule, remaining[outage.pieces[0][0]], view))
    each = [counted_units(left, rule.unit_ms, rule.count) for left in remaining.values()]
    return replace(found, inputs={**found.inputs, "units": " + ".join(str(count) for count in each) or "0"})


def _after(outages: Sequence[Downtime], allowance: Fraction, each_ms: int) -> dict[int, Fraction]:
    """What of each outage is left after the allowances, by its start."""
    left = {}
    for outage in outages:
        counted = outage.counted_ms
        used = min(allowance, counted)
        allowance -= used
        left[outage.pieces[0][0]] = max(Fraction(0), counted - used - each_ms)
    return left


def _units_worth(rule: PerUnit, left: Fraction, view: View) -> Worth:
    units = worth(rule.pay, view.basis, view.read).times(counted_units(left, rule.unit_ms, rule.count))
    return units + worth(rule.first, view.basis, view.read) if rule.first is not None and left else units


def _lost(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, Lost)
    times = Fraction(rule.times)
    if rule.of == "outage":
        return _by_outage(rule, number, view, lambda outage: _lost_by(rule, outage, view))
    exact = view.basis.fee() * times * view.read.lost
    inputs = {"counted": exact_text(view.read.counted), "base": exact_text(view.read.base)}
    return Due(view.part, number, name_of(rule), Worth(exact), inputs)


def _lost_by(rule: Lost, outage: Downtime, view: View) -> Worth:
    base = view.read.time_base_ms
    exact = view.basis.fee() * Fraction(rule.times) * outage.counted_ms / base if base else Fraction(0)
    most = None if rule.cap_percent is None else view.basis.fee() * Fraction(rule.cap_percent) / 100
    return Worth(exact if most is None else min(exact, most))


def _steps(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, Steps)
    below = rule.below if rule.below is not None else view.read.target
    if below is None or view.read.compared is None:
        return None
    short = max(Fraction(0), Fraction(below) - view.read.compared)
    steps = counted_units(short, Fraction(rule.step), rule.count)
    found = worth(rule.pay, view.basis, view.read).times(steps)
    return Due(view.part, number, name_of(rule), found, {"below": f"{below:f}", "steps": str(steps)})


def _greatest(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, GreatestOf)
    found = [(worth(pay, view.basis, view.read), pay) for pay in rule.pays]
    best, pay = max(found, key=lambda each: each[0].rank)
    return Due(view.part, number, name_of(rule), best, {"greatest": pay_text(pay)})


def _missed_periods(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, MissedPeriods)
    if not view.missed:
        return None
    before = history(view.inputs)[-(rule.window - 1) :] if rule.window > 1 else ()
    missed = 1 + sum(was_missed(each, view.read) for each in before)
    reached = [pay for count, pay in rule.rows if missed >= count]
    if not reached:
        return None
    text = f"{missed} of the last {rule.window} periods missed: {pay_text(reached[-1])}"
    return Due(view.part, number, text, worth(reached[-1], view.basis, view.read), {"missed": str(missed)})


def _severity(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, Severity)
    value = _measured(rule.on, view)
    row = deepest(rule.rows, value)
    if row is None or not row[1]:
        return None
    repeated = bool(missed_in_a_row(view.inputs, view.read)) and view.missed
    points = row[1] * (Fraction(rule.repeat) if repeated else Fraction(1))
    text = f"{subject_text(rule.on)} {edge_text(row[0], rule.on)}: {row[1]} points, {pay_text(rule.pay)} each"
    inputs = {"points": exact_text(points), "repeated": "yes" if repeated else "no", **_named(rule.on, value)}
    return Due(view.part, number, text, worth(rule.pay, view.basis, view.read).times(points), inputs)


def _per_day(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, PerDay)
    long = [each for each in view.read.outages if rule.outage is None or matches(rule.outage, each.counted_ms)]
    found = {day for outage in long for start, end, _ in outage.pieces for day in _days(start, end, view)}
    inputs = {"days": str(len(found))}
    return Due(view.part, number, name_of(rule), worth(rule.pay, view.basis, view.read).times(len(found)), inputs)


def _days(start: int, end: int, view: View) -> Iterator[str]:
    for day, _, _ in days(Period(start, end, view.tz, "")):
        yield day.isoformat()


def _late_tickets(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, LateTickets)
    if view.inputs.tickets is None:
        raise MissingInput("tickets")
    meant = [each for each in view.inputs.tickets if rule.of is None or each.kind == rule.of]
    late = [each for each in meant if each.took_ms > rule.over_ms]
    inputs = {"late": str(len(late)), "tickets": ", ".join(each.id for each in late if each.id)}
    return Due(view.part, number, name_of(rule), worth(rule.pay, view.basis, view.read).times(len(late)), inputs)


def _event(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, Event)
    outages = view.read.outages
    long = rule.outage is not None and any(matches(rule.outage, each.counted_ms) for each in outages)
    many = rule.count is not None and matches(rule.count, Fraction(len(outages)))
    if not long and not many:
        return None
    inputs = {"outages": str(len(outages))}
    return Due(view.part, number, name_of(rule), worth(rule.pay, view.basis, view.read), inputs)


def _clock_hours(rule: Rule, number: int, view: View) -> Due | None:
    assert isinstance(rule, ClockHours)
    down: dict[int, Fraction] = {}
    for outage in view.read.outages:
        for start, end, weight in outage.pieces:
            for hour, length in _hours(start, end, view.tz):
                down[hour] = down.get(hour, Fraction(0)) + length * weight
    free = sum(matches(rule.over, length) for length in down.values())
    inputs = {"hours": str(free)}
    return Due(view.part, number, name_of(rule), worth(rule.pay, view.basis, view.read).times(free), inputs)


def _hours(start: int, end: int, tz: str) -> Iterator[tuple[int, int]]:
    """The hours of the local clock that a piece touches: (start of the hour, ms of the piece in it)."""
    at = start
    while at < end:
        shown = local(at, tz)
        begun = at - (shown.minute * 60_000 + shown.second * 1_000 + shown.microsecond // 1_000)
        until = min(end, begun + HOUR_MS)
        yield begun, until - at
        at = until
