"""Terms that look back: how many periods before this one they need, and what is known of those."""

from __future__ import annotations

from collections.abc import Sequence

from sla.inputs import PeriodBefore
from sla.rules import MissedPeriods, Rule, Severity
from sla.statement import ServiceStatement
from sla.terms import Terms


def periods_needed(terms: Terms) -> int:
    """How many periods right before this one decide about credits or chronic breach; 0: none."""
    looks_back = [_needed_by(rule) for rule in terms.credits] + [rule.of - 1 for rule in terms.chronic]
    return max(looks_back, default=0)


def _needed_by(rule: Rule) -> int:
    in_a_row = 0 if rule.when is None else max(0, rule.when.missed - 1)
    if isinstance(rule, MissedPeriods):
        return max(in_a_row, rule.window - 1)
    return max(in_a_row, 1) if isinstance(rule, Severity) else in_a_row


def history_of(before: Sequence[ServiceStatement]) -> tuple[PeriodBefore, ...] | None:
    """Whether each period, oldest first, was met or missed; None where one of them is not decided.

    A period of which nothing was considered by agreement, or in which nothing was promised, was not missed.
    """
    found: list[PeriodBefore] = []
    for service in before:
        if service.verdict == "UNDETERMINED" or (service.verdict == "NO_DATA" and service.reason != "all_excluded"):
            return None
        found.append("missed" if service.verdict == "NOT_MET" else "met")
    return tuple(found)
