"""Rules in the words of contracts: as a statement prints them, and as `config` reads them back (CONTRACTS.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sla.rules import (
    Amount,
    Cap,
    Chronic,
    Claim,
    ClockHours,
    DaysOfFee,
    Deadline,
    Edge,
    Event,
    GreatestOf,
    HourlyRate,
    HoursOfFee,
    If,
    LateTickets,
    Lost,
    LostFee,
    MissedPeriods,
    NoCredit,
    Pay,
    Percent,
    PercentPlusSteps,
    PerDay,
    PerUnit,
    Rule,
    ServiceDays,
    Severity,
    Steps,
    Tiers,
)

_LENGTHS = (("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1))


def length_text(ms: int) -> str:
    """`30 min`, `1 h`, `1860 s`: in the largest unit that divides."""
    if not ms:
        return "0 s"
    return next(f"{ms // size} {unit}" for unit, size in _LENGTHS if ms % size == 0)


def edge_text(edge: Edge, on: str = "availability") -> str:
    """`< 99.9`; of downtime `>= 5 min`."""
    value = length_text(int(edge.value)) if on == "downtime" else f"{edge.value:f}"
    return f"{edge.comparison} {value}"


def pay_text(pay: Pay) -> str:
    """`10 %`, `1 day of 30`, `20.00 EUR each`: reads back."""
    if isinstance(pay, Percent):
        return f"{pay.value:f} %"
    if isinstance(pay, Amount):
        return " ".join(filter(None, (f"{pay.amount:f}", pay.currency, "each" if pay.each else "")))
    if isinstance(pay, PercentPlusSteps):
        most = f" at most {pay.at_most:f} %" if pay.at_most is not None else ""
        return f"{pay.value:f} % plus {pay.more:f} % per {pay.count} {pay.step:f} % below {pay.below:f}{most}"
    if isinstance(pay, LostFee):
        return "lost fee" if pay.times == 1 else f"{pay.times:f} x lost fee"
    if isinstance(pay, HourlyRate):
        return "hourly rate"
    return _time_text(pay)


def _time_text(pay: DaysOfFee | HoursOfFee | ServiceDays) -> str:
    many = "" if pay.count == 1 else "s"
    if isinstance(pay, DaysOfFee):
        return f"{pay.count:f} day{many}" + {"period": "", "30": " of 30", "year": " of the year"}[pay.of]
    return f"{pay.count:f} " + (f"hour{many}" if isinstance(pay, HoursOfFee) else f"service day{many}")


def if_text(when: If) -> str:
    if when.edge is not None:
        return f"{when.quantity} {edge_text(when.edge, when.quantity)}"
    return "missed" if when.missed == 1 else f"missed {when.missed} in a row"


def cap_text(cap: Cap) -> str:
    """`100 % of period`, `10 % of rolling year`, `remaining NAME`."""
    if cap.of == "remaining" or cap.limit is None:
        return f"remaining {cap.name}"
    over = " over all services" if cap.over == "services" else ""
    return f"{pay_text(cap.limit)} of {cap.of.replace('_', ' ')}{over}"


def caps_json(caps: Sequence[Cap]) -> str | list[str]:
    """One cap as text, several as a list, `none` without any."""
    texts = [cap_text(cap) for cap in caps]
    return "none" if not texts else texts[0] if len(texts) == 1 else texts


def deadline_text(deadline: Deadline) -> str:
    unit = deadline.unit.removesuffix("s") if deadline.count == 1 else deadline.unit
    return f"{deadline.count} {unit} after {deadline.anchor}"


def claim_json(claim: Claim) -> dict[str, str]:
    found: dict[str, str] = {"by": claim.by}
    found |= {} if claim.deadline is None else {"deadline": deadline_text(claim.deadline)}
    return found | ({} if claim.notice is None else {"notice": deadline_text(claim.notice)})


def chronic_text(chronic: Chronic) -> str:
    often = f"{chronic.missed} in a row" if chronic.missed == chronic.of else f"{chronic.missed} of {chronic.of}"
    return often if chronic.below is None else f"{often} below {chronic.below:f}"


def subject_text(on: str) -> str:
    return on if on in ("availability", "downtime") else f"value {on}"


def rule_json(rule: Rule) -> dict[str, Any] | str:
    """One rule with every key that is not at its default, as a contract writes it."""
    if isinstance(rule, NoCredit):
        return "none"
    found = _tables(rule) if isinstance(rule, Tiers | MissedPeriods | Severity | GreatestOf) else _keys(rule)
    return found if rule.when is None else found | {"if": if_text(rule.when)}


def _tables(rule: Tiers | MissedPeriods | Severity | GreatestOf) -> dict[str, Any]:
    if isinstance(rule, Tiers):
        rows = {edge_text(row.edge, rule.on): pay_text(row.pay) for row in rule.rows}
        of = {} if rule.of == "period" else {"of": rule.of}
        return {"tiers": subject_text(rule.on), "rows": rows, **of}
    if isinstance(rule, GreatestOf):
        return {"greatest_of": [pay_text(pay) for pay in rule.pays]}
    if isinstance(rule, MissedPeriods):
        missed = {str(count): pay_text(pay) for count, pay in rule.rows}
        return {"missed_periods": {"window": str(rule.window), "rows": missed}}
    points = {edge_text(edge, rule.on): str(count) for edge, count in rule.rows}
    on = {} if rule.on == "availability" else {"on": subject_text(rule.on)}
    return {"severity": {**on, "points": points, "pay": pay_text(rule.pay), "repeat": f"{rule.repeat:f}"}}


_Plain = PerUnit | Lost | Steps | PerDay | LateTickets | Event | ClockHours


def _keys(rule: _Plain) -> dict[str, Any]:
    if isinstance(rule, PerUnit):
        return {"per_unit": _per_unit(rule)}
    if isinstance(rule, Lost):
        cap = {} if rule.cap_percent is None else {"cap": f"{rule.cap_percent:f} %"}
        return {"lost_fee": {"times": f"{rule.times:f}", "of": rule.of, **cap}}
    if isinstance(rule, Steps):
        below = {} if rule.below is None else {"below": f"{rule.below:f}"}
        return {"steps": {"step": f"{rule.step:f} %", "count": rule.count, **below, "pay": pay_text(rule.pay)}}
    if isinstance(rule, LateTickets):
        of = {} if rule.of is None else {"of": rule.of}
        return {"late_tickets": {"over": length_text(rule.over_ms), **of, "pay": pay_text(rule.pay)}}
    if isinstance(rule, ClockHours):
        return {"clock_hours": {"over": edge_text(rule.over, "downtime"), "pay": pay_text(rule.pay)}}
    long = {} if rule.outage is None else {"outage": edge_text(rule.outage, "downtime")}
    if isinstance(rule, PerDay):
        return {"per_day": {**long, "pay": pay_text(rule.pay)}}
    count = {} if rule.count is None else {"count": edge_text(rule.count)}
    return {"event": {**long, **count, "pay": pay_text(rule.pay)}}


def _per_unit(rule: PerUnit) -> dict[str, str]:
    found = {"unit": length_text(rule.unit_ms), "count": rule.count, "of": rule.of}
    if rule.after_ms or rule.after_percent:
        found["after"] = length_text(rule.after_ms) if rule.after_ms else f"{rule.after_percent:f} %"
    if rule.first is not None:
        found["first"] = pay_text(rule.first)
    return found | {"pay": pay_text(rule.pay)}


def name_of(rule: Rule) -> str:
    """The rule in one line, for the lines of a credit that no row of a table names."""
    written = rule_json(rule)
    if isinstance(written, str):
        return written
    ((kind, inner), *_) = written.items()
    if isinstance(inner, dict):
        inner = ", ".join(f"{key} {value}" for key, value in inner.items() if not isinstance(value, dict))
    return f"{kind.replace('_', ' ')}: {', '.join(inner) if isinstance(inner, list) else inner}"
