"""From classes to a figure and a verdict (ACCOUNTING.md 1.4 to 1.8): exact integers and fractions, compared exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sla.budget import allowance
from sla.figures import rounded
from sla.statement import StatementVerdict, TimeClass
from sla.terms import Options
from sla.timeline import Piece, counted, split

Reason = str  # bounds | coverage | no_checks | all_excluded
_WORST_FIRST: tuple[StatementVerdict, ...] = ("NOT_MET", "UNDETERMINED", "NO_DATA", "MET", "NO_TARGET")


@dataclass(frozen=True, slots=True)
class Tally:
    """What a stretch of time adds up to, in milliseconds. Tallies of disjoint stretches add."""

    split: dict[TimeClass, int]
    counted: Fraction  # down and degraded time, weighted
    spared: int = 0  # unknown time under maintenance or an exclusion that counts up: left out of the coverage

    def __add__(self, other: Tally) -> Tally:
        return self._with(other, 1)

    def __sub__(self, other: Tally) -> Tally:
        return self._with(other, -1)

    def _with(self, other: Tally, sign: int) -> Tally:
        both = {name: length + sign * other.split[name] for name, length in self.split.items()}
        return Tally(both, self.counted + sign * other.counted, self.spared + sign * other.spared)


def tally(pieces: Sequence[Piece]) -> Tally:
    spared = sum(piece.length_ms for piece in pieces if piece.time_class == "unknown" and piece.spared)
    return Tally(split(pieces), counted(pieces), spared)


def together(tallies: Iterable[Tally]) -> Tally:
    whole = tally(())
    for part in tallies:
        whole += part
    return whole


@dataclass(frozen=True, slots=True)
class Measured:
    """The base that was judged and what counted against it, in milliseconds. Those of parts of a period add.

    The shares are fractions of 1, None without a base; never below 0, though more may count than a fixed base has.
    """

    span_ms: int
    considered_ms: int
    counted_ms: Fraction
    known_base_ms: int  # the base without any unknown time
    best_counted_ms: Fraction  # of the known time, had all unknown time been up,
    worst_counted_ms: Fraction  # and had it been down
    unknown_ms: int
    watched_ms: int  # coverage: what was seen,
    blind_ms: int  # and what should have been

    @property
    def availability(self) -> Fraction | None:
        return _share(self.considered_ms, self.counted_ms)

    @property
    def bounds(self) -> tuple[Fraction, Fraction] | None:
        """All unknown time counted down, all of it up."""
        base = self.known_base_ms + self.unknown_ms
        low = _share(base, self.worst_counted_ms + self.unknown_ms)
        high = _share(base, self.best_counted_ms)
        return None if low is None or high is None or not self.considered_ms else (low, high)

    @property
    def coverage(self) -> Fraction | None:
        due = self.watched_ms + self.blind_ms
        return Fraction(self.watched_ms, due) if due else None


def _share(base_ms: int, counted_ms: Fraction) -> Fraction | None:
    return max(base_ms - counted_ms, Fraction(0)) / base_ms if base_ms else None


def measure(
    sums: Tally,
    options: Options,
    *,
    base_ms: int | None = None,
    at_best: Fraction | None = None,
    at_worst: Fraction | None = None,
) -> Measured:
    """What the options make of the classes.

    `base_ms` stands for the contracted time where the contract fixes it; what is taken out shrinks it all the same.
    `at_best` and `at_worst` are what of the known time would count, had all unknown time been up, or down, where that
    differs from what does: a piece may be long enough only with the unknown time beside it.
    """
    time = sums.split
    watched = time["up"] + time["degraded"] + time["down"]
    base = watched
    base += time["maintenance"] if options.maintenance == "count_up" else 0
    base += time["excluded"] if options.exclusions == "count_up" else 0
    base += time["not_contracted"] if options.partial_period == "counts_up" else 0
    unknown, span = time["unknown"], sum(time.values())
    if base_ms is not None and base:
        prorated = time["not_contracted"] if options.partial_period == "prorate" else 0
        base = max(0, base_ms - (span - prorated - base))
    return Measured(
        span_ms=span,
        considered_ms=base if options.unknown == "exclude" else base + unknown,
        counted_ms=sums.counted + (unknown if options.unknown == "down" else 0),
        known_base_ms=base,
        best_counted_ms=sums.counted if at_best is None else at_best,
        worst_counted_ms=sums.counted if at_worst is None else at_worst,
        unknown_ms=unknown,
        watched_ms=watched,
        blind_ms=unknown - sums.spared,
    )


def pooled(parts: Sequence[Measured]) -> Measured:
    """Several parts together: sums, never a mean of means."""
    first, *rest = parts
    for part in rest:
        first = Measured(*(getattr(first, name) + getattr(part, name) for name in Measured.__slots__))
    return first


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: StatementVerdict
    reason: Reason | None = None


def judge_target(measured: Measured, target: Decimal | None, options: Options, *, ahead_ms: int = 0) -> Judgement:
    """The verdict in the order of ACCOUNTING.md 1.7. `target` in percent.

    `ahead_ms` is the rest of a running period that will be considered: while it lasts, used is compared with what is
    allowed until its end.
    """
    if not measured.considered_ms:
        return Judgement("NO_DATA", "no_checks" if measured.unknown_ms or not measured.span_ms else "all_excluded")
    if target is None:
        return Judgement("NO_TARGET")
    if options.unknown == "exclude":
        if measured.coverage is not None and measured.coverage * 100 < Fraction(options.min_coverage):
            return Judgement("UNDETERMINED", "coverage")
        at_best, at_worst = _at_bounds(measured, target, options, ahead_ms)
        if at_best != at_worst:
            return Judgement("UNDETERMINED", "bounds")
    met = meets(target, measured.counted_ms, measured.considered_ms + ahead_ms, options)
    return Judgement("MET" if met else "NOT_MET")


def _at_bounds(measured: Measured, target: Decimal, options: Options, ahead_ms: int) -> tuple[bool, bool]:
    """Is it met with all unknown time up, and with all of it down?"""
    base = measured.known_base_ms + measured.unknown_ms + ahead_ms
    return (
        meets(target, measured.best_counted_ms, base, options),
        meets(target, measured.worst_counted_ms + measured.unknown_ms, base, options),
    )


def meets(target: Decimal, counted_ms: Fraction, base_ms: int, options: Options) -> bool:
    """Whether that much downtime of a base keeps the target: exactly, or rounded as the contract compares."""
    if options.compare is None:
        return counted_ms <= allowance(target, base_ms)
    share = _share(base_ms, counted_ms)
    return share is None or compared(share, options) >= Fraction(target)


def compared(share: Fraction, options: Options) -> Fraction:
    """A share of 1 as the percentage that is compared with targets and tiers: exact, or rounded as agreed."""
    if options.compare is None:
        return share * 100
    return rounded(share * 100, options.compare.digits, options.compare.mode)


def worst(judgements: Sequence[Judgement]) -> Judgement:
    """The verdict of a service over its parts."""
    return min(judgements, key=lambda judgement: _WORST_FIRST.index(judgement.verdict))
