"""Where the history of each endpoint stopped, read from the ledger when its watch begins. Blocks: for a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from yarl import URL

from ledger.resume import open_endpoints, resume_point
from ledger.store import Ledger
from probes.target import Target
from sla.judge import Method, State, Transition, resume

Resumed: TypeAlias = tuple[State, tuple[Transition, ...]]


@dataclass(frozen=True, slots=True)
class Past:
    """The ledger, read; `clock` says when."""

    ledger: Ledger
    clock: Callable[[], int]

    def of(self, targets: Sequence[Target]) -> list[Resumed]:
        """The state of each, and what the restart itself decided."""
        return [self._resumed(target, self.clock()) for target in targets]

    def left_open(self, watched: set[tuple[str, str]]) -> list[tuple[Target, Resumed]]:
        """What is open of endpoints that left the config while no prober ran."""
        found = []
        for endpoint, location in set(open_endpoints(self.ledger)) - watched:
            point = resume_point(self.ledger, endpoint, location)
            gone = Target(endpoint, "tcp", URL(), Method(point.reach_ms or 60_000, 0), location)
            found.append((gone, self._resumed(gone, self.clock())))
        return found

    def _resumed(self, target: Target, at_ms: int) -> Resumed:
        """Checks later than now were made before the clock was set back: they decide nothing any more."""
        point = resume_point(self.ledger, target.id, target.location)
        return resume(
            target.judged,
            at_ms=at_ms,
            checks=[check for check in point.checks if check.at_ms <= at_ms],
            open_outage=point.open_outage,
            open_degraded=point.open_degraded,
            coverage_from_ms=point.coverage_from_ms,
            reach_ms=point.reach_ms,
            covered_until_ms=point.covered_until_ms,
            off_from_ms=point.off_from_ms,
        )
