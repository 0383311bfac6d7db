"""Credit rules as written: a table is tiers on availability, a list is rules. Odd tables are refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from config import units
from config.problems import At, unknown_key
from sla.terms import Edge, Tier, Tiers

_EXAMPLE = "{< 99.9: 10 %, < 99.0: 25 %}"
_LATER = (
    "per_unit",
    "steps",
    "lost_fee",
    "missed_periods",
    "severity",
    "per_day",
    "late_tickets",
    "event",
    "clock_hours",
)


def credits_of(value: object) -> tuple[Tiers, ...]:
    """`{< 99.9: 10 %}` or `[{tiers: availability, rows: {...}}]`. Raises ValueError (At, where a row is at fault)."""
    if isinstance(value, dict):
        return (_tiers(value),)
    if not isinstance(value, list | tuple):
        raise ValueError(f"is no table of tiers; write e.g. {_EXAMPLE}")
    if all(isinstance(item, Tiers) for item in value):
        return tuple(value)
    if len(value) > 1:
        raise At(1, "is a second rule; this version computes one rule per contract: leave it out")
    return tuple(_rule(item, number) for number, item in enumerate(value))


def as_json(rules: tuple[Tiers, ...]) -> list[dict[str, Any]]:
    """What a stored definition holds; reads back with `credits_of`."""
    return [{"tiers": "availability", "rows": _rows_json(rule)} for rule in rules]


def _rows_json(rule: Tiers) -> list[list[str]]:
    return [[units.edge_text(row.edge), f"{row.percent} %"] for row in rule.rows]


def row_text(edge: Edge, percent: Decimal) -> str:
    return f"{units.edge_text(edge)}: {percent} %"


def _rule(item: object, number: int) -> Tiers:
    if not isinstance(item, Mapping) or "tiers" not in item:
        kind = next((key for key in item if key in _LATER), None) if isinstance(item, Mapping) else None
        if kind:
            raise At(number, f"rule {kind} is not computed by this version; leave it out, or write tiers: availability")
        raise At(number, f"is no rule; write e.g. {{tiers: availability, rows: {_EXAMPLE}}}")
    for key in item:
        if key not in ("tiers", "rows"):
            raise At(number, f"{key}: {unknown_key(key, ('tiers', 'rows'))}")
    if item["tiers"] != "availability":
        raise At(number, f"tiers on {item['tiers']!r} are not computed by this version; write tiers: availability")
    rows = item.get("rows")
    if isinstance(rows, list):
        rows = {str(row[0]): row[1] for row in rows}
    if not isinstance(rows, Mapping):
        raise At(number, f"has no table of rows; write e.g. rows: {_EXAMPLE}")
    return _tiers(rows)


def _tiers(table: Mapping[str, Any]) -> Tiers:
    if not table:
        raise ValueError(f"has no row; write e.g. {_EXAMPLE}")
    rows = []
    for key, pay in table.items():
        try:
            rows.append(Tier(_edge(key), units.percent(pay)))
        except ValueError as error:
            raise At(key, str(error)) from None
    rows.sort(key=lambda row: (row.edge.value, row.edge.comparison == "<="), reverse=True)
    _refuse_odd(rows)
    return Tiers(tuple(rows))


def _edge(key: object) -> Edge:
    found = units.edge(key)
    if found.comparison not in ("<", "<="):
        raise ValueError(f"{key!r} pays where the service was good; a tier lies below an edge: write < {found.value}")
    if found.value > 100:
        raise ValueError(f"{found.value} is above 100 %; write e.g. < 99.9")
    return found


def _refuse_odd(rows: list[Tier]) -> None:
    """Rows from the mildest to the deepest: each must be reachable, and none may pay less than a milder one."""
    deepest = rows[-1].edge
    if deepest.value < 0 or (deepest.value == 0 and deepest.comparison == "<"):
        raise ValueError(f"row `{units.edge_text(deepest)}` is never reached: nothing is below 0 %; leave it out")
    for milder, deeper in pairwise(rows):
        if milder.edge == deeper.edge:
            shown = units.edge_text(deeper.edge)
            raise ValueError(f"row `{shown}` stands twice, so one of them is never reached; keep one")
        if deeper.percent < milder.percent:
            raise ValueError(
                f"row `{row_text(deeper.edge, deeper.percent)}` pays less than "
                f"`{row_text(milder.edge, milder.percent)}` though it is worse; "
                f"write e.g. `{row_text(deeper.edge, milder.percent)}`"
            )


def gap_below(target: Decimal, rules: tuple[Tiers, ...]) -> str | None:
    """What is wrong where some availability below the target meets no row: the row to add is in the text."""
    for rule in rules:
        mildest = rule.rows[0].edge
        if mildest.value < target:
            below = "under" if mildest.comparison == "<=" else "at or above"
            missing = row_text(Edge("<", target), Decimal(0))
            left = f"{mildest.value} %, {below} it" if below == "under" else f"{mildest.value} % and above"
            return f"leaves {left} but below the target {target} % without a row; add `{missing}`"
    return None
