"""What the board tells a metrics registry: the budget that is left of every service with a target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reporting.board import Row

WORDS = "Downtime that the target of the running period still allows; negative when overspent."


class BoardMetrics(Collector):
    """Registers itself, and tells of the rows that it was handed last."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rows: Sequence[Row] = ()
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        left = GaugeMetricFamily("nines_budget_remaining_seconds", WORDS, labels=("contract", "service"))
        for row in self.rows:
            if row.budget is not None:
                left.add_metric((row.contract or "", row.service), row.budget.remaining_ms / 1000)
        yield left
