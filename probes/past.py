"""Where the history of each endpoint stopped, read from the ledger when its watch begins. Blocks: for a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from yarl import URL

from ledger.resume import is_blind, open_endpoints, resumed
from ledger.store import Ledger
from probes.target import Target
from sla.judge import Method, State, Transition

Resumed: TypeAlias = tuple[State, tuple[Transition, ...]]


@dataclass(frozen=True, slots=True)
class Past:
    """The ledger, read; `clock` says when."""

    ledger: Ledger
    clock: Callable[[], int]

    def of(self, targets: Sequence[Target]) -> list[Resumed]:
        """The state of each, and what the restart itself decided."""
        return [
            resumed(self.ledger, target.id, target.location, method=target.judged, at_ms=self.clock())
            for target in targets
        ]

    def is_blind(self, location: str) -> bool:
        """Whether a blind spell is open there."""
        return is_blind(self.ledger, location)

    def left_open(self, watched: set[tuple[str, str]]) -> list[tuple[Target, Resumed]]:
        """What is open of endpoints that left the config while no prober ran."""
        found = []
        for endpoint, location in set(open_endpoints(self.ledger)) - watched:
            gone = Target(endpoint, "tcp", URL(), Method(60_000, 0), location)
            found.append((gone, resumed(self.ledger, endpoint, location, method=None, at_ms=self.clock())))
        return found
