"""The kinds of credit rules as written: one key names the kind, its keys are read here (CONTRACTS.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from config import units
from config.pay import count_edge, edge_on, if_of, length_edge, pay_of, size_of, subject_of
from config.problems import unknown_key
from sla.rules import (
    ClockHours,
    Counting,
    Edge,
    Event,
    GreatestOf,
    If,
    LateTickets,
    Lost,
    MissedPeriods,
    Pay,
    PerDay,
    PerUnit,
    Rule,
    Scope,
    Severity,
    Steps,
)
from sla.rules_text import pay_text

Key = TypeVar("Key")
Value = TypeVar("Value")
_EXAMPLES = {
    "per_unit": "{unit: 30 min, count: started, pay: 5 %}",
    "lost_fee": "{times: 10}",
    "steps": "{step: 0.3 %, count: started, pay: 1 day}",
    "greatest_of": "[10 %, lost fee]",
    "missed_periods": "{window: 6, rows: {1: 0 %, 2: 10 %}}",
    "severity": "{points: {< 99.9: 1, < 99.0: 3}, pay: 2 %}",
    "per_day": '{outage: ">= 15 min", pay: 1 day}',
    "late_tickets": "{over: 4 h, pay: 2 %}",
    "event": '{outage: "> 15 min", count: "> 1", pay: 20.00 each}',
    "clock_hours": '{over: "> 6 min", pay: hourly rate}',
}
KINDS = tuple(_EXAMPLES)


def kind_example(kind: str) -> str:
    return f"{kind}: {_EXAMPLES[kind]}"


class Keys:
    """The keys of one rule, each read once; what nobody read is unknown."""

    def __init__(self, kind: str, value: object, known: Sequence[str]) -> None:
        self.kind = kind
        if not isinstance(value, Mapping):
            raise ValueError(f"{kind} is no mapping; write e.g. {kind_example(kind)}")
        self.value = value
        for key in value:
            if key not in known:
                raise ValueError(f"{kind}.{key}: {unknown_key(str(key), known)}")

    def read(self, key: str, reader: Callable[[Any], Value], default: Value | None = None) -> Value:
        """Raises ValueError with the key before what is wrong; a key without a default is needed."""
        if self.value.get(key) is None:
            if default is None:
                raise ValueError(f"{self.kind} has no {key}; write e.g. {kind_example(self.kind)}")
            return default
        return self._at(key, reader)

    def maybe(self, key: str, reader: Callable[[Any], Value]) -> Value | None:
        return None if self.value.get(key) is None else self._at(key, reader)

    def _at(self, key: str, reader: Callable[[Any], Value]) -> Value:
        try:
            return reader(self.value[key])
        except ValueError as error:
            raise ValueError(f"{self.kind}.{key}: {error}") from None


def rule_of(kind: str, value: object, condition: object) -> Rule:
    """The rule of one kind. Raises ValueError."""
    try:
        when = None if condition is None else if_of(condition)
    except ValueError as error:
        raise ValueError(f"if: {error}") from None
    readers: dict[str, Callable[[object, If | None], Rule]] = {
        "per_unit": _per_unit,
        "lost_fee": _lost_fee,
        "steps": _steps,
        "greatest_of": _greatest_of,
        "missed_periods": _missed_periods,
        "severity": _severity,
        "per_day": _per_day,
        "late_tickets": _late_tickets,
        "event": _event,
        "clock_hours": _clock_hours,
    }
    return readers[kind](value, when)


def _counting(value: object) -> Counting:
    return "started" if units.one_of(value, ("started", "completed")) == "started" else "completed"


def scope_of(value: object) -> Scope:
    return "outage" if units.one_of(value, ("period", "outage")) == "outage" else "period"


def _positive_ms(value: object) -> int:
    found = units.duration_ms(value)
    if not found:
        raise ValueError(f"{units.text_of(value)} is no length; write e.g. 30 min")
    return found


def _positive(value: object) -> Decimal:
    found = units.number(units.text_of(value).removesuffix("%").strip())
    if found <= 0:
        raise ValueError(f"{found} is not above zero; write e.g. 0.5")
    return found


def _per_unit(value: object, when: If | None) -> Rule:
    keys = Keys("per_unit", value, ("unit", "count", "of", "after", "first", "pay"))
    after = keys.maybe("after", _allowance) or (Decimal(0), 0)
    return PerUnit(
        unit_ms=keys.read("unit", _positive_ms),
        count=keys.read("count", _counting),
        pay=keys.read("pay", pay_of),
        of=keys.read("of", scope_of, "period"),
        after_percent=after[0],
        after_ms=after[1],
        first=keys.maybe("first", pay_of),
        when=when,
    )


def _allowance(value: object) -> tuple[Decimal, int]:
    """`0.01 %` of the base, or `15 min`."""
    text = units.text_of(value)
    return (units.percent(text), 0) if text.endswith("%") else (Decimal(0), units.duration_ms(text))


def _lost_fee(value: object, when: If | None) -> Rule:
    keys = Keys("lost_fee", value, ("times", "of", "cap"))
    of: Scope = keys.read("of", scope_of, "period")
    cap = keys.maybe("cap", units.percent)
    if cap is not None and of == "period":
        raise ValueError("lost_fee.cap: is of each outage; write of: outage beside it, or the contract's own cap:")
    return Lost(keys.read("times", _positive, Decimal(1)), of, cap, when)


def _steps(value: object, when: If | None) -> Rule:
    keys = Keys("steps", value, ("step", "count", "below", "pay"))
    return Steps(
        step=keys.read("step", _positive),
        count=keys.read("count", _counting),
        pay=keys.read("pay", pay_of),
        below=keys.maybe("below", units.share),
        when=when,
    )


def _greatest_of(value: object, when: If | None) -> Rule:
    items = value if isinstance(value, list | tuple) else []
    if len(items) < 2:
        raise ValueError(f"greatest_of compares at least two pays; write e.g. {kind_example('greatest_of')}")
    try:
        return GreatestOf(tuple(map(pay_of, items)), when)
    except ValueError as error:
        raise ValueError(f"greatest_of: {error}") from None


def _missed_periods(value: object, when: If | None) -> Rule:
    keys = Keys("missed_periods", value, ("window", "rows"))
    window = keys.read("window", units.whole)
    if not 1 <= window <= 60:
        raise ValueError(f"missed_periods.window: {window} is not between 1 and 60 periods; write e.g. 6")
    rows = sorted(keys.read("rows", lambda table: _table(table, units.whole, pay_of)), key=lambda row: row[0])
    for count, _ in rows:
        if not 1 <= count <= window:
            raise ValueError(
                f"missed_periods.rows: row `{count}` is never reached among {window} periods; leave it out"
            )
    refuse_less([(str(count), pay) for count, pay in rows], "missed_periods.rows: ")
    return MissedPeriods(window, tuple(rows), when)


def _table(
    table: object, key_of: Callable[[object], Key], value_of: Callable[[object], Value]
) -> list[tuple[Key, Value]]:
    if not isinstance(table, Mapping) or not table:
        raise ValueError("is no table of rows; write e.g. {1: 0 %, 2: 10 %}")
    return [(key_of(str(key)), value_of(item)) for key, item in table.items()]


def _severity(value: object, when: If | None) -> Rule:
    keys = Keys("severity", value, ("on", "points", "pay", "repeat"))
    on = keys.read("on", subject_of, "availability")
    rows = keys.read("points", lambda table: _table(table, lambda key: edge_on(key, on), units.whole))
    return Severity(
        rows=tuple(mildest_first(rows, on)),
        pay=keys.read("pay", pay_of),
        on=on,
        repeat=keys.read("repeat", _positive, Decimal(2)),
        when=when,
    )


def _per_day(value: object, when: If | None) -> Rule:
    keys = Keys("per_day", value, ("outage", "pay"))
    return PerDay(keys.read("pay", pay_of), keys.maybe("outage", length_edge), when)


def _late_tickets(value: object, when: If | None) -> Rule:
    keys = Keys("late_tickets", value, ("over", "of", "pay"))
    return LateTickets(
        keys.read("over", units.duration_ms), keys.read("pay", pay_of), keys.maybe("of", units.text_of), when
    )


def _event(value: object, when: If | None) -> Rule:
    keys = Keys("event", value, ("outage", "count", "pay"))
    outage, count = keys.maybe("outage", length_edge), keys.maybe("count", count_edge)
    if outage is None and count is None:
        raise ValueError(f"event has neither outage nor count; write e.g. {kind_example('event')}")
    return Event(keys.read("pay", pay_of), outage, count, when)


def _clock_hours(value: object, when: If | None) -> Rule:
    keys = Keys("clock_hours", value, ("over", "pay"))
    return ClockHours(keys.read("over", length_edge), keys.read("pay", pay_of), when)


def mildest_first(rows: Sequence[tuple[Edge, Value]], on: str) -> list[tuple[Edge, Value]]:
    """Rows in the order in which it gets worse. Raises ValueError where they look in several directions."""
    upward = [edge.comparison in (">", ">=") for edge, _ in rows]
    if len(set(upward)) > 1:
        raise ValueError("rows look both up and down; write all of them with <, or all with >")
    if upward[0] and on == "availability":
        edge = next(edge for edge, _ in rows)
        shown = units.edge_text(edge)
        raise ValueError(f"{shown!r} pays where the service was good; a tier lies below an edge: write < {edge.value}")
    if not upward[0] and on == "downtime":
        raise ValueError("rows pay for little downtime; a tier lies above an edge: write e.g. >= 5 min")
    if upward[0]:
        return sorted(rows, key=lambda row: (row[0].value, row[0].comparison == ">"))
    return sorted(rows, key=lambda row: (row[0].value, row[0].comparison == "<="), reverse=True)


def refuse_less(rows: Sequence[tuple[str, Pay]], at: str = "") -> None:
    """None of the rows, from the mildest on, may pay less than a milder one of its kind."""
    for (mild, less), (deep, more) in pairwise(rows):
        sizes = size_of(less), size_of(more)
        if sizes[0] is None or sizes[1] is None or sizes[0][0] != sizes[1][0]:
            continue
        if sizes[1][1] < sizes[0][1]:
            raise ValueError(
                f"{at}row `{deep}: {pay_text(more)}` pays less than `{mild}: {pay_text(less)}` though it is worse; "
                f"write e.g. `{deep}: {pay_text(less)}`"
            )
