"""How fast a budget burns, and which rules look at it (ACCOUNTING.md section 5): exact fractions, compared exactly.

Burn is the share of considered time that was down over the share that the target allows: at 1 the budget lasts just
for the period. A rule looks at a long window, which must matter, and at a short one, which says that it still goes on.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from sla.availability import Measured, measure, tally
from sla.figures import exact_text, floored
from sla.spans import Span
from sla.terms import Options
from sla.timeline import Piece

Severity: TypeAlias = Literal["page", "ticket"]
State: TypeAlias = Literal["firing", "quiet", "muted", "not_covered"]
_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000


class BurnError(ValueError):
    """A rule that somebody wrote can never fire, or is none; the message says how to write it."""


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Fires while the burn over both windows is above the factor."""

    severity: Severity
    long_ms: int
    short_ms: int
    factor: Fraction

    def __str__(self) -> str:
        windows = f"{_length(self.long_ms)} and {_length(self.short_ms)}"
        return f"{self.severity} at {_short(self.factor)} times over {windows}"


@dataclass(frozen=True, slots=True)
class Burning:
    """What a rule sees at an instant. A burn is None where nothing was considered, or nothing is allowed."""

    rule: BurnRule
    state: State
    long: Fraction | None
    short: Fraction | None


# The share of the budget that is gone when the long window has burned at the factor; the windows.
_DEFAULTS: tuple[tuple[Severity, Fraction, int, int], ...] = (
    ("page", Fraction(2, 100), _HOUR_MS, 5 * _MINUTE_MS),
    ("page", Fraction(5, 100), 6 * _HOUR_MS, 30 * _MINUTE_MS),
    ("ticket", Fraction(10, 100), 72 * _HOUR_MS, 6 * _HOUR_MS),
)


def factor_of(budget_share: Fraction, *, period_ms: int, long_ms: int) -> Fraction:
    """The burn at which the long window takes that share of the period's budget (1 = all of it)."""
    return budget_share * period_ms / long_ms


def default_rules(period_ms: int) -> tuple[BurnRule, ...]:
    """The rules for a period; for 30 days: 14.4 over 1 h, 6 over 6 h, 1 over 3 d."""
    return tuple(
        BurnRule(severity, long_ms, short_ms, factor_of(share, period_ms=period_ms, long_ms=long_ms))
        for severity, share, long_ms, short_ms in _DEFAULTS
    )


def can_fire(rule: BurnRule, target: Decimal) -> bool:
    """Whether all time down would exceed the factor. Never at a target of 100: no budget, no burn."""
    return target < 100 and rule.factor * _allowed_share(target) < 1


def rules_for(target: Decimal, period_ms: int) -> tuple[BurnRule, ...]:
    """The default rules that can fire for a target in percent."""
    return tuple(rule for rule in default_rules(period_ms) if can_fire(rule, target))


def left_out(target: Decimal, period_ms: int) -> tuple[BurnRule, ...]:
    """The default rules that cannot fire for a target below 100, to be named. At 100 there is no burn at all."""
    return tuple(rule for rule in default_rules(period_ms) if target < 100 and not can_fire(rule, target))


def written_rule(rule: BurnRule, target: Decimal) -> BurnRule:
    """A rule that somebody wrote for a target in percent. Raises BurnError where it is none, or can never fire."""
    if target >= 100:
        raise BurnError("a target of 100 % allows no downtime, so nothing burns; leave the rule out")
    if rule.factor <= 0:
        raise BurnError(f"a factor of {_short(rule.factor)} always fires; write e.g. 14.4")
    if not 0 < rule.short_ms < rule.long_ms:
        windows = f"{_length(rule.long_ms)} and {_length(rule.short_ms)}"
        raise BurnError(f"{windows}: the first window must be the longer one; write e.g. 1h and 5m")
    if not can_fire(rule, target):
        most = 1 / _allowed_share(target)
        raise BurnError(
            f"{rule} can never fire: at {target} % all time down burns {_short(most)} times; "
            f"write a factor below {_short(most)}"
        )
    return rule


def _length(ms: int) -> str:
    """`3 d`, `1 h`, `90 min`: the largest unit that says it whole."""
    units = (("d", 24 * _HOUR_MS), ("h", _HOUR_MS), ("min", _MINUTE_MS), ("s", 1000))
    return next((f"{ms // unit} {name}" for name, unit in units if ms and ms % unit == 0), f"{ms} ms")


def _short(number: Fraction) -> str:
    text = exact_text(number)
    return text if "/" not in text and len(text) < 8 else floored(number, 2)


def _allowed_share(target: Decimal) -> Fraction:
    return 1 - Fraction(target) / 100


def burn(down_ms: Fraction | int, considered_ms: int, target: Decimal) -> Fraction | None:
    """How many times faster than allowed: (down / considered) / (1 - target). None where either has no base."""
    allowed = _allowed_share(target)
    return Fraction(down_ms) / considered_ms / allowed if considered_ms and allowed else None


def over(pieces: Sequence[Piece], span: Span, options: Options) -> Measured:
    """What the timeline measures over a window. `pieces` in order, without gaps."""
    return measure(tally(_cut(pieces, span)), options)


def _cut(pieces: Sequence[Piece], span: Span) -> list[Piece]:
    inside = pieces[
        bisect_right(pieces, span[0], key=lambda piece: piece.to_ms) : bisect_left(
            pieces, span[1], key=lambda piece: piece.from_ms
        )
    ]
    return [replace(piece, from_ms=max(piece.from_ms, span[0]), to_ms=min(piece.to_ms, span[1])) for piece in inside]


def burn_over(pieces: Sequence[Piece], span: Span, options: Options, target: Decimal) -> Fraction | None:
    """The burn over a window of the timeline; None where nothing was considered in it, or nothing is allowed."""
    found = over(pieces, span, options)
    return burn(found.counted_ms, found.considered_ms, target)


def look(
    rules: Iterable[BurnRule], pieces: Sequence[Piece], at_ms: int, options: Options, target: Decimal
) -> tuple[Burning, ...]:
    """What every rule sees at an instant, its windows ending there.

    `pieces` reach back to the first that was ever watched, or at least to the last that was before the longest window.
    """
    return tuple(_seen(rule, pieces, at_ms, options, target) for rule in rules)


def _seen(rule: BurnRule, pieces: Sequence[Piece], at_ms: int, options: Options, target: Decimal) -> Burning:
    long_span = (at_ms - rule.long_ms, at_ms)
    long = burn_over(pieces, long_span, options, target)
    short = burn_over(pieces, (at_ms - rule.short_ms, at_ms), options, target)
    if not is_covered(pieces, long_span, options):
        return Burning(rule, "not_covered", long, short)
    if _in_maintenance(pieces, at_ms):
        return Burning(rule, "muted", long, short)
    firing = long is not None and short is not None and min(long, short) > rule.factor
    return Burning(rule, "firing" if firing else "quiet", long, short)


def is_covered(pieces: Sequence[Piece], span: Span, options: Options) -> bool:
    """Whether a window may be judged: watched from its very start on, and as much of it known as the contract asks."""
    begun_ms = next((p.from_ms for p in pieces if p.time_class in ("up", "degraded", "down")), None)
    if begun_ms is None or begun_ms > span[0] or pieces[-1].to_ms < span[1]:
        return False
    coverage = over(pieces, span, options).coverage
    return coverage is None or coverage * 100 >= Fraction(options.min_coverage)


def _in_maintenance(pieces: Sequence[Piece], at_ms: int) -> bool:
    """Whether the last instant before `at_ms` is accepted maintenance, or unknown time that such a window spares."""
    last = _cut(pieces, (at_ms - 1, at_ms))
    return any(piece.time_class == "maintenance" or piece.spared for piece in last)


def breach_after_ms(remaining_ms: Fraction | int, pace: Fraction) -> Fraction | None:
    """How long until what remains is used up, at `pace` ms of downtime per ms; None at no pace, 0 where none is left.

    A burn is a pace of burn x (1 - target).
    """
    return max(Fraction(0), Fraction(remaining_ms)) / pace if pace > 0 else None


def pace_of(burn_rate: Fraction, target: Decimal) -> Fraction:
    """The downtime per considered time that a burn means for a target in percent."""
    return burn_rate * _allowed_share(target)
