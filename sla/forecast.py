"""When the budget of a running period is used up: since when, if it stays down, at the pace so far (section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from sla.burn import breach_after_ms
from sla.statement import Budget, ServiceStatement, Stretch


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a budget is used up. `since`: it was, then; `if_down`: should it stay down; `pace`: as it went so far.

    `at_ms` is None where the period ends first; `end_share` then says how much will be used by its end.
    """

    kind: Literal["since", "if_down", "pace", "never"]
    at_ms: int | None
    end_share: Fraction | None = None


def if_it_stays_down(budget: Budget, *, now_ms: int, end_ms: int) -> Forecast:
    """Every millisecond from now on counts."""
    at_ms = now_ms + max(0, budget.remaining_ms)
    return Forecast("if_down", at_ms if at_ms < end_ms else None)


def at_this_pace(budget: Budget, considered_ms: int, *, now_ms: int, end_ms: int) -> Forecast:
    """As much of the time to come is down as was of the time considered so far."""
    if not budget.used_ms or not considered_ms or not budget.allowed_ms:
        return Forecast("never", None, Fraction(0))
    pace = Fraction(budget.used_ms, considered_ms)
    after_ms = breach_after_ms(budget.remaining_ms, pace)
    if after_ms is not None and now_ms + int(after_ms) < end_ms:
        return Forecast("pace", now_ms + int(after_ms))
    at_end = (budget.used_ms + pace * max(0, end_ms - now_ms)) / budget.allowed_ms
    return Forecast("pace", None, at_end)


def used_up_since(service: ServiceStatement, budget: Budget) -> Forecast:
    """The instant at which what counts passed the budget, read from the timeline; None where it does not show."""
    rest = Fraction(budget.allowed_ms)
    for stretch in service.timeline:
        weight = _weight(stretch, str(service.parts[-1].options["unknown"]))
        counted = (stretch.to_ms - stretch.from_ms) * weight
        if counted > rest:
            return Forecast("since", stretch.from_ms + int(rest / weight))
        rest -= counted
    return Forecast("since", None)


def _weight(stretch: Stretch, unknown: str) -> Fraction:
    """The share of a stretch that counts as downtime."""
    if stretch.time_class == "unknown":
        return Fraction(unknown == "down")
    if stretch.time_class not in ("down", "degraded"):
        return Fraction(0)
    return Fraction(1) if stretch.weight is None else Fraction(stretch.weight)
