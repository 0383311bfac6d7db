"""A statement told step by step: every stretch with the rule that places it, then the arithmetic down to the credit.

It reads nothing but the statement, so what it says is what the statement says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from sla.figures import duration_text, exact_text, floored
from sla.statement import Budget, Credit, Part, PrintedExclusion, PrintedWindow, ServiceStatement, Statement, Stretch

Topic = Literal[
    "stretch",
    "window",
    "outage",
    "class",
    "base",
    "figure",
    "bounds",
    "coverage",
    "verdict",
    "budget",
    "credit",
    "claim",
    "chronic",
]


@dataclass(frozen=True, slots=True)
class Line:
    """One step. Stretches carry their time; `value` is the result of the step, `text` says why."""

    service: str
    topic: Topic
    text: str
    value: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    ref: str | None = None
    part: int | None = None  # which part of the period, where there are several


def explain(statement: Statement) -> tuple[Line, ...]:
    """Every step of every service, in the order in which the figure comes about."""
    terms = terms_at_end(statement)
    return tuple(line for service in statement.services for line in explain_service(service, terms))


def terms_at_end(statement: Statement) -> Mapping[str, Any]:
    """The terms in force at the period's end; empty where the statement names none."""
    versions: Sequence[Mapping[str, Any]] = statement.contract.get("versions") or ({},)
    return versions[-1].get("terms") or {}


def explain_service(service: ServiceStatement, terms: Mapping[str, Any] | None = None) -> Iterator[Line]:
    """`terms` say what the smallest amount is that is paid."""
    yield from _stretches(service)
    yield from _refused(service)
    yield from _decided(service)
    for index, part in enumerate(service.parts):
        number = index if len(service.parts) > 1 else None
        yield from _arithmetic(service, part, number)
    if service.credit is not None:
        yield from _credit(service, service.credit, (terms or {}).get("minimum"))
        if is_owed(service.credit):
            yield from _claim(service, service.credit)
    yield from _chronic(service)


def is_owed(credit: Credit) -> bool:
    """Whether there is anything to claim, or may be: money, service days, or a credit that waits for a decision."""
    return bool(Fraction(credit.amount or 0) or Fraction(credit.service_days or 0)) or credit.state in (
        "needs_decision",
        "fee_missing",
    )


def _claim(service: ServiceStatement, credit: Credit) -> Iterator[Line]:
    """Until when it must be asked for; the deadline is the first instant that is too late."""
    words = {"on_request": "to be claimed before", "past_deadline": "was to be claimed before, which has passed"}
    state, notice = credit.claim.get("state"), credit.claim.get("notice_ms")
    if state in words:
        deadline = credit.claim.get("deadline_ms")
        text = words[state] if deadline is not None else "to be claimed, without a deadline"
        yield Line(service.name, "claim", text, None, None, deadline)
    if notice is not None:
        yield Line(service.name, "claim", "the incident to be told before", None, None, notice)


def _chronic(service: ServiceStatement) -> Iterator[Line]:
    reached = {True: "reached", False: "not reached", None: "not decided"}
    for rule in service.chronic:
        yield Line(service.name, "chronic", f"chronic breach, missed {rule['rule']}", reached[rule.get("reached")])


def _stretches(service: ServiceStatement) -> Iterator[Line]:
    reasons = {window.id: _told(window) for window in service.maintenance if window.accepted}
    reasons |= {entry.id: _agreed(entry) for entry in service.exclusions}
    for stretch in service.timeline:
        part = _part_at(service, stretch.from_ms)
        reason = f" ({reasons[stretch.ref]})" if stretch.ref in reasons else ""
        yield Line(
            service=service.name,
            topic="stretch",
            text=_rule(stretch, part.options, part.measure.by) + reason,
            value=duration_text(stretch.to_ms - stretch.from_ms, rounding="exact"),
            from_ms=stretch.from_ms,
            to_ms=stretch.to_ms,
            ref=stretch.ref,
        )


def _refused(service: ServiceStatement) -> Iterator[Line]:
    for window in service.maintenance:
        if not window.accepted:
            text = f"window not accepted: {window.why}"
            yield Line(service.name, "window", text, None, window.from_ms, window.to_ms, window.id)


def _decided(service: ServiceStatement) -> Iterator[Line]:
    """The outages of which an option decided what counts."""
    for outage in service.outages:
        if outage.why is not None:
            counts = duration_text(outage.counted_ms, rounding="exact")
            text = f"outage: {counts} counts; {outage.why}"
            yield Line(service.name, "outage", text, None, outage.from_ms, outage.to_ms, outage.id)


def _told(window: PrintedWindow) -> str:
    return f"accepted: {window.why}"


def _agreed(entry: PrintedExclusion) -> str:
    clause = f", clause {entry.clause}" if entry.clause else ""
    return f"{entry.category.replace('_', ' ')}{clause}"


def _part_at(service: ServiceStatement, at_ms: int) -> Part:
    return next((part for part in service.parts if part.from_ms <= at_ms < part.to_ms), service.parts[-1])


def _rule(stretch: Stretch, options: dict[str, Any], by: str) -> str:
    """What the class does to the figure under the options in force."""
    if by not in ("time", "users"):
        return f"{stretch.time_class.replace('_', ' ')}: told for information, {by} are judged and not time"
    if stretch.time_class in ("down", "degraded"):
        counts = "counts whole" if stretch.weight is None else f"counts {stretch.weight} of its time"
        return f"{stretch.time_class}: {counts} as downtime"
    effects = {
        "up": "up: in the base" if stretch.ref is None else "down, but does not count: in the base as up",
        "unknown": f"not measured: {_unknown_effect(options['unknown'])}",
        "maintenance": f"accepted maintenance: {_effect(options['maintenance'])}",
        "excluded": f"excluded: {_effect(options['exclusions'])}",
        "outside_service_hours": "outside the agreed service hours: left out of the base",
        "not_contracted": f"not under contract: {_effect(_partial(options))}",
    }
    return effects[stretch.time_class]


def _partial(options: dict[str, Any]) -> str:
    return "exclude" if options["partial_period"] == "prorate" else "count_up"


def _effect(option: str) -> str:
    return "left out of the base" if option == "exclude" else "in the base, counted up"


def _unknown_effect(option: str) -> str:
    effects = {"exclude": "left out of the base, printed as bounds", "up": "agreed as up"}
    return effects.get(option, "agreed as down")


def _arithmetic(service: ServiceStatement, part: Part, number: int | None) -> Iterator[Line]:
    def line(topic: Topic, text: str, value: str | None = None) -> Line:
        return Line(service.name, topic, text, value, part.from_ms, part.to_ms, part=number)

    for time_class, length_ms in part.split_ms.items():
        if length_ms:
            words = time_class.replace("_", " ") + _left_out(part, time_class)
            yield line("class", words, duration_text(length_ms, rounding="exact"))
    if part.options["base"] != "actual":
        length = duration_text(part.options["base"])
        yield line("base", f"a base of {length} stands for the whole period: its share, less what is out")
    unit, timed = part.measure.unit.replace("_", " "), part.measure.unit == "ms"
    base, lost = Fraction(part.measure.base), Fraction(part.measure.counted)
    yield line("base", f"considered{_in_units(base, timed)}", f"{part.measure.base} {unit}")
    if part.measure.by == "time" and part.options["unknown"] == "down" and part.split_ms.get("unknown"):
        yield line("base", "of what was not measured, counted as down", f"{part.split_ms['unknown']} ms")
    against = "counted as downtime" if part.measure.by in ("time", "users") else "counted against the service"
    yield line("base", f"{against}{_in_units(lost, timed)}", f"{part.measure.counted} {unit}")
    yield line("figure", _quotient(part), _percent(part.availability_pct))
    if part.bounds_pct is not None:
        text = "all unmeasured time counted down, all of it up"
        yield line("bounds", text, f"{part.bounds_pct[0]} to {part.bounds_pct[1]} %")
    text = f"measured share; at least {part.options['min_coverage']} % is needed"
    yield line("coverage", text, _percent(part.coverage_pct))
    if part.reason == "coverage" and _begins_blind(service, part):
        yield line("coverage", "measuring began late: date the contract from there, or agree on not_contracted before")
    yield line("verdict", _verdict(part, provisional=service.provisional), part.verdict)
    if part.budget is not None:
        yield line("budget", _budget(part.budget), duration_text(part.budget.remaining_ms))


def _left_out(part: Part, time_class: str) -> str:
    """Why the class is not in the base, where it is not; nothing where something else than time is measured."""
    options = part.options
    out = {
        "not_contracted": options["partial_period"] == "prorate",
        "outside_service_hours": True,
        "excluded": options["exclusions"] == "exclude",
        "maintenance": options["maintenance"] == "exclude",
        "unknown": options["unknown"] == "exclude",
    }
    return ", left out of the base" if part.measure.by == "time" and out.get(time_class, False) else ""


def _in_units(ms: Fraction, timed: bool) -> str:
    return f", {duration_text(int(ms), rounding='exact')}" if timed and ms.denominator == 1 else ""


def _begins_blind(service: ServiceStatement, part: Part) -> bool:
    first = next((stretch for stretch in service.timeline if stretch.from_ms >= part.from_ms), None)
    return first is not None and first.time_class == "unknown" and part.options["before_first_check"] == "unknown"


def _percent(text: str | None) -> str | None:
    return None if text is None else f"{text} %"


def _quotient(part: Part) -> str:
    if part.availability_pct is None:
        return "nothing was considered, so there is no figure"
    return f"({part.measure.base} - {part.measure.counted}) / {part.measure.base}, rounded down"


def _verdict(part: Part, *, provisional: bool) -> str:
    if part.verdict in ("MET", "NOT_MET"):
        if provisional:
            return f"so far, used against allowed until the end of the period, target {part.target_pct} %"
        share = 1 - Fraction(part.measure.counted) / Fraction(part.measure.base)
        sign = ">=" if part.verdict == "MET" else "<"
        return f"{_short(max(share, Fraction(0)) * 100)} % {_as_compared(part)}{sign} {part.target_pct} %"
    reasons = {
        "bounds": "the target lies between the bounds: what was not measured decides",
        "coverage": "less was measured than the contract asks for",
        "no_checks": "nothing was measured",
        "all_excluded": "all time was excluded or not under contract",
    }
    return reasons.get(part.reason or "", "no target was agreed")


def _as_compared(part: Part) -> str:
    """How the contract rounds the figure before it compares it."""
    compare = part.options["compare"]
    if compare == "exact":
        return ""
    return f"rounded to {compare['digits']} digits ({compare['mode'].replace('_', ' ')}) "


def _short(value: Fraction) -> str:
    """Exact where that is short, else the fraction cut after twelve digits."""
    text = exact_text(value)
    return text if len(text) <= 14 and "/" not in text else f"{floored(value, 12)}..."


def _budget(budget: Budget) -> str:
    allowed = duration_text(budget.allowed_ms, rounding="exact")
    return f"allowed {allowed}, used {duration_text(budget.used_ms, rounding='exact')}"


def _credit(service: ServiceStatement, credit: Credit, minimum: Mapping[str, str] | None) -> Iterator[Line]:
    for owed in credit.lines:
        text = f"part {owed.part + 1}, {owed.rule}" if len(service.parts) > 1 else owed.rule
        share = " of" if owed.rule.endswith(" %") else "; fee"
        text += f"{share} {owed.inputs['fee']} {credit.currency}" if "fee" in owed.inputs else ""
        text += "".join(f", {_input(key, value)}" for key, value in owed.inputs.items() if key not in _SAID)
        text += f", at {owed.inputs['availability_pct']} %" if "availability_pct" in owed.inputs else ""
        days_only = "service_days" in owed.inputs and not Fraction(owed.exact)
        value = f"{owed.inputs['service_days']} service days" if days_only else owed.amount
        exact = "" if days_only else f": {_both(owed.exact)} exact"
        yield Line(service.name, "credit", text + exact, value, part=owed.part)
    if len(credit.lines) > 1 and credit.currency is not None:
        total = sum((Fraction(owed.exact) for owed in credit.lines), Fraction(0))
        yield Line(service.name, "credit", f"together, exact, in {credit.currency}", _both(exact_text(total)))
    for cap in credit.caps:
        reached = "reached" if cap["reached"] else "not reached"
        in_days = "service day" in str(cap["cap"])
        limit = f"{_both(str(cap['exact']))} {'service days' if in_days else credit.currency or ''}".rstrip()
        yield Line(service.name, "credit", f"cap {cap['cap']}: {limit}", reached)
    if any("printed" in owed.inputs for owed in credit.lines):
        text = "lines are printed after the caps and the one rounding, so that they sum to the credit"
        yield Line(service.name, "credit", text)
    if minimum is not None:
        edge = "more than" if minimum["more_than"] == ">" else "at least"
        text = f"paid only where the rounded amount is {edge}"
        yield Line(service.name, "credit", text, f"{minimum['amount']} {minimum['currency']}")
    if credit.service_days is not None:
        yield Line(service.name, "credit", "service days added to the term", credit.service_days)
    yield Line(service.name, "credit", _credit_state(credit), credit.amount)


def _both(exact: str) -> str:
    """Decimal text as it is; a fraction with its first digits."""
    return f"{exact} = {floored(Fraction(exact), 6)}..." if "/" in exact else exact


_SAID = ("fee", "availability_pct", "percent", "printed", "service_days")


def _input(key: str, value: str) -> str:
    """`units 3`, `downtime 3 h 34 min`: what a rule was applied to."""
    if key == "downtime_ms":
        return f"downtime {value} ms"
    return f"by outage {value}" if key == "by_outage" else f"{key} {value}"


def _credit_state(credit: Credit) -> str:
    if credit.state == "fee_missing":
        return "the fee of the period is not known: no amount"
    if "missing" in credit.inputs:
        return f"no amount: {credit.inputs['missing']} is not known"
    if credit.state == "needs_decision":
        return f"between {credit.low} and {credit.high} {credit.currency}: a person has to decide"
    if credit.currency is None and credit.state == "calculated":
        return "no money: the contract pays none"
    if credit.amount is None:
        return "no amount: the period is running" if "exposure" in credit.inputs else "no amount: nothing was measured"
    return f"credit in {credit.currency}, rounded once"
