"""What the board tells a metrics registry: the budget that is left of every service with a target."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reporting.board import Board

WORDS = "Downtime that the target of the running period still allows; negative when overspent."


class BoardMetrics(Collector):
    """Registers itself, and tells of the board that it was handed last; None: of nothing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.board: Board | None = None
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        left = GaugeMetricFamily("nines_budget_remaining_seconds", WORDS, labels=("contract", "service"))
        board = self.board
        for row in () if board is None else board.rows:
            if row.budget is not None:
                left.add_metric((row.contract or "", row.service), row.budget.remaining_ms / 1000)
        yield left
