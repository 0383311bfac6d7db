"""Credit rules as written: a table is tiers on availability, a list is rules. Odd tables are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from config import units
from config.pay import edge_on, if_of, in_currency, pay_of, subject_of, with_pays
from config.problems import At, path_text, unknown_key
from config.rules import KINDS, kind_example, mildest_first, refuse_less, rule_of, scope_of
from sla.rules import Edge, If, MissedPeriods, NoCredit, Rule, Scope, Steps, Tier, Tiers
from sla.rules_text import edge_text, pay_text, rule_json

_EXAMPLE = "{< 99.9: 10 %, < 99.0: 25 %}"
_RULE = f"{{tiers: availability, rows: {_EXAMPLE}}}"
_SHORTEST_MONTH_MS = 28 * units.DAY_MS


def credits_of(value: object) -> tuple[Rule, ...]:
    """`{< 99.9: 10 %}`, or a list of rules. Raises ValueError (At, where a row or a rule is at fault)."""
    if isinstance(value, dict):
        if word := next((key for key in value if key in ("tiers", "rows", "if", *KINDS)), None):
            raise ValueError(f"{word} stands in no list; write each rule as an entry of one, e.g. [{_RULE}]")
        return (_tiers(value, "availability"),)
    if not isinstance(value, list | tuple):
        raise ValueError(f"is no table of tiers; write e.g. {_EXAMPLE}, or a list of rules, e.g. [none]")
    rules = tuple(_rule(item, number) for number, item in enumerate(value))
    if len(rules) > 1 and any(isinstance(rule, NoCredit) for rule in rules):
        raise ValueError("says none beside other rules; leave one of them out")
    return rules


def as_json(rules: Sequence[Rule], currency: str | None = None) -> list[dict[str, Any] | str]:
    """What a stored definition holds, amounts with their currency; reads back with `credits_of`. Raises MoneyError."""
    return [_stored(with_pays(rule, lambda pay: in_currency(pay, currency))) for rule in rules]


def _stored(rule: Rule) -> dict[str, Any] | str:
    found = rule_json(rule)
    if isinstance(rule, Tiers) and isinstance(found, dict):
        found["rows"] = [list(row) for row in found["rows"].items()]
    return found


def shown(rules: Sequence[Rule]) -> Any:
    """As a contract writes it: one plain table as that table, anything else as a list of rules."""
    if len(rules) == 1 and isinstance(rules[0], Tiers) and rules[0] == Tiers(rules[0].rows):
        return {edge_text(row.edge): pay_text(row.pay) for row in rules[0].rows}
    return [rule_json(rule) for rule in rules]


def _rule(item: object, number: int) -> Rule:
    if isinstance(item, str) and item.strip() == "none":
        return NoCredit()
    if not isinstance(item, Mapping):
        raise At(number, f"is no rule; write e.g. {_RULE}")
    kinds = [key for key in item if key in ("tiers", *KINDS)]
    if len(kinds) != 1:
        raise At(number, _no_kind(item, kinds))
    kind = kinds[0]
    known = ("tiers", "rows", "of", "if") if kind == "tiers" else (kind, "if")
    for key in item:
        if key not in known:
            raise At(number, f"{key}: {unknown_key(str(key), known)}")
    try:
        return _table_rule(item) if kind == "tiers" else rule_of(kind, item[kind], item.get("if"))
    except At as fault:
        raise At(number, f"rows.{path_text(fault.path)}: {fault}") from None
    except ValueError as error:
        raise At(number, str(error)) from None


def _no_kind(item: Mapping[Any, Any], kinds: Sequence[str]) -> str:
    if kinds:
        return f"is two rules, {' and '.join(kinds)}; write each as an entry of its own"
    if not item:
        return f"is no rule; write e.g. {_RULE}"
    if all(key in ("rows", "of", "if") for key in item):
        return f"has no word for what it is; write e.g. {_RULE}, or {kind_example('per_unit')}"
    word = next(str(key) for key in item if key not in ("rows", "of", "if"))
    return f"{word}: {unknown_key(word, ('tiers', *KINDS))}; write e.g. {kind_example('per_unit')}"


def _table_rule(item: Mapping[Any, Any]) -> Tiers:
    if isinstance(item["tiers"], Mapping):
        raise ValueError(f"tiers: says what is measured, and rows what is paid; write e.g. {_RULE[1:-1]}")
    try:
        on = subject_of(item["tiers"])
    except ValueError as error:
        raise ValueError(f"tiers: {error}") from None
    rows = item.get("rows")
    if isinstance(rows, list) and all(isinstance(row, list) and len(row) == 2 for row in rows):
        rows = {str(row[0]): row[1] for row in rows}
    if not isinstance(rows, Mapping):
        raise ValueError(f"has no table of rows; write e.g. rows: {_EXAMPLE}")
    of = _scope(item, on)
    return _tiers(rows, on, of=of, when=None if item.get("if") is None else if_of(item["if"]))


def _scope(item: Mapping[Any, Any], on: str) -> Scope:
    of = "period" if item.get("of") is None else scope_of(item["of"])
    if of == "outage" and on != "downtime":
        raise ValueError("of: only downtime is known of each outage; write tiers: downtime beside of: outage")
    return "outage" if of == "outage" else "period"


def _tiers(table: Mapping[str, Any], on: str, *, of: Scope = "period", when: If | None = None) -> Tiers:
    if not table:
        raise ValueError(f"has no row; write e.g. {_EXAMPLE}")
    rows = []
    for key, pay in table.items():
        try:
            rows.append((_edge(key, on), pay_of(pay)))
        except ValueError as error:
            raise At(key, str(error)) from None
    ordered = mildest_first(rows, on)
    _refuse_odd([edge for edge, _ in ordered], on)
    refuse_less([(edge_text(edge, on), pay) for edge, pay in ordered])
    return Tiers(tuple(Tier(edge, pay) for edge, pay in ordered), on, of, when)


def _edge(key: object, on: str) -> Edge:
    if on == "availability" and len(span := re.findall(r"\d+(?:\.\d+)?", str(key))) == 2:
        upper = max(span, key=Decimal)
        raise ValueError(f"{key!r} is a span, but the deepest row that matches counts; write its upper edge, < {upper}")
    found = edge_on(key, on)
    if on == "availability" and found.comparison not in ("<", "<="):
        raise ValueError(f"{key!r} pays where the service was good; a tier lies below an edge: write < {found.value}")
    if on == "availability" and found.value > 100:
        raise ValueError(f"{found.value} is above 100 %; write e.g. < 99.9")
    return found


def _refuse_odd(edges: list[Edge], on: str) -> None:
    """Each row, from the mildest to the deepest, must be reachable."""
    deepest = edges[-1]
    if on == "availability" and (deepest.value < 0 or (deepest.value == 0 and deepest.comparison == "<")):
        raise ValueError(f"row `{edge_text(deepest)}` is never reached: nothing is below 0 %; leave it out")
    for milder, deeper in pairwise(edges):
        if milder == deeper:
            raise ValueError(f"row `{edge_text(deeper, on)}` stands twice, so one of them is never reached; keep one")


def gap_below(target: Decimal, rules: Sequence[Rule]) -> str | None:
    """What is wrong where some time below the target meets no row of a table: the row to add is in the text."""
    gaps = (
        _gap(target, rule.rows[0].edge, rule.on) for rule in rules if isinstance(rule, Tiers) and rule.of == "period"
    )
    return next((gap for gap in gaps if gap), None)


def _gap(target: Decimal, mildest: Edge, on: str) -> str | None:
    if on == "availability" and mildest.value < target:
        left = f"more than {mildest.value} %" if mildest.comparison == "<=" else f"{mildest.value} % and above"
        return f"leaves {left} but below the target {target} % without a row; add `< {target}: 0 %`"
    allowed = (100 - target) * _SHORTEST_MONTH_MS / 100
    if on == "downtime" and (mildest.value > allowed or (mildest.value == allowed and mildest.comparison == ">")):
        if mildest == Edge(">", Decimal(0)):
            return None
        return (
            f"leaves downtime up to {edge_text(mildest, on).split(' ', 1)[1]} without a row, "
            f"though the target {target} % may be missed by less; add `> 0 s: 0 %`"
        )
    return None


def without_target(rules: Sequence[Rule]) -> str | None:
    """What a rule asks of a target that the contract does not have."""
    for rule in rules:
        if isinstance(rule, MissedPeriods):
            return "counts missed periods, but there is no target to miss; write target: 99.9"
        if rule.when is not None and rule.when.missed:
            return "has a rule with if: missed, but no target to miss; write target: 99.9, or availability < 99.9"
        if isinstance(rule, Steps) and rule.below is None:
            return "has steps below the target, but no target; write target: 99.9, or below: 99.9 in the rule"
    return None
