"""What the prober counts of itself: verdicts, times of the phases, lateness, the loop's lag, the last check."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from probes.attempt import Attempt

PHASE_S = (0.005, 0.025, 0.1, 0.5, 2.0, 10.0)  # few: each is a line of every scrape
LATE_S = (0.01, 0.025, 0.05, 0.1, 0.5, 2.0)


@dataclass(slots=True)
class Buckets:
    """A histogram: how many values were at most each bound, and their sum. Bounds and values in seconds."""

    bounds_s: Sequence[float]
    counts: list[int] = field(default_factory=list)
    sum_s: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds_s) + 1)

    def add(self, value_s: float) -> None:
        self.counts[bisect_left(self.bounds_s, value_s)] += 1
        self.sum_s += value_s

    def cumulative(self) -> list[tuple[str, float]]:
        """(bound as text, how many at most that), the last one for all."""
        total, found = 0, []
        for bound, count in zip((*self.bounds_s, "+Inf"), self.counts, strict=True):
            total += count
            found.append((str(bound), float(total)))
        return found


@dataclass(slots=True)
class Meters:
    """Counted in the loop, read from any thread."""

    checks: Counter[tuple[str, str]] = field(default_factory=Counter)  # by verdict and error class
    phases: dict[str, Buckets] = field(default_factory=dict)
    late: Buckets = field(default_factory=lambda: Buckets(LATE_S))
    lag_s: float = 0.0  # by how much the loop's last beat was late
    missed: int = 0  # ticks that came and went unkept
    running: int = 0
    watched: int = 0
    last_check_ms: int | None = None
    blind: bool = False
    steps: int = 0
    stalls: int = 0
    config_ok: bool = True
    clock_offset_ms: int | None = None  # how far our clock is ahead of the servers' dates; None: too few are known

    def began(self, at_ms: int, *, late_ms: int) -> None:
        """An attempt begins, so long after its tick."""
        self.last_check_ms = at_ms
        self.late.add(max(late_ms, 0) / 1000)

    def ended(self, found: Attempt) -> None:
        """An attempt was judged."""
        self.checks[found.verdict, found.error or ""] += 1
        for phase, taken_us in found.phases_us.items():
            if phase not in self.phases:
                self.phases[phase] = Buckets(PHASE_S)
            self.phases[phase].add(taken_us / 1e6)
