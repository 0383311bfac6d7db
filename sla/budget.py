"""The error budget: what the target allows, what is used, what remains (ACCOUNTING.md 1.5 and 5)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from sla.statement import Budget


def allowance(target: Decimal, base_ms: int) -> Fraction:
    """The downtime that a target (percent) allows in a base, exact, in milliseconds. Used at most this much is met."""
    return (100 - Fraction(target)) * base_ms / 100


def budget(target: Decimal, base_ms: int, counted_ms: Fraction) -> Budget:
    """Allowed rounded down to the millisecond, used up, remaining their difference: the three add up."""
    allowed, used = floor(allowance(target, base_ms)), ceil(counted_ms)
    return Budget(allowed, used, allowed - used)


def summed(budgets: list[Budget]) -> Budget | None:
    """The budget of several parts together; None where no part has one."""
    if not budgets:
        return None
    return Budget(*(sum(getattr(each, name) for each in budgets) for name in ("allowed_ms", "used_ms", "remaining_ms")))


def used_share(part: Budget) -> Fraction | None:
    """Used of allowed (1 = all of it). None where nothing is allowed: no share, `exhausted` says it."""
    return Fraction(part.used_ms, part.allowed_ms) if part.allowed_ms else None


def exhausted(part: Budget) -> bool:
    """Nothing is left: used up, or any counted downtime where none is allowed."""
    return part.used_ms > part.allowed_ms or (part.used_ms == part.allowed_ms and part.used_ms > 0)
