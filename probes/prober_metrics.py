"""What the prober tells a metrics registry: verdicts, phases, lateness, its loop, its sight. Nothing per endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from probes.meters import Meters


class ProberMetrics(Collector):
    """Registers itself; figures are read when they are asked for, in whatever thread asks."""

    def __init__(self, meters: Meters, registry: CollectorRegistry) -> None:
        self._meters = meters
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        meters = self._meters
        checks = CounterMetricFamily("nines_checks", "Checks judged.", labels=("verdict", "error"))
        for (verdict, error), count in sorted(meters.checks.items()):
            checks.add_metric((verdict, error), count)
        yield checks
        phases = HistogramMetricFamily("nines_phase_seconds", "Time of each phase of an attempt.", labels=("phase",))
        for phase, buckets in sorted(meters.phases.items()):
            phases.add_metric((phase,), buckets.cumulative(), buckets.sum_s)
        yield phases
        late = HistogramMetricFamily("nines_late_seconds", "How long after its tick an attempt began.")
        late.add_metric((), meters.late.cumulative(), meters.late.sum_s)
        yield late
        yield from self._gauges()
        yield _counter("nines_missed_ticks", "Ticks that came and went unkept: unmeasured.", meters.missed)
        yield _counter("nines_clock_steps", "How often the wall clock was set.", meters.steps)
        yield _counter("nines_stalls", "How often the event loop stood still.", meters.stalls)

    def _gauges(self) -> Iterator[Metric]:
        meters = self._meters
        yield _gauge("nines_endpoints", "Endpoints watched.", meters.watched)
        yield _gauge("nines_attempts_running", "Attempts under way, those at a gate included.", meters.running)
        yield _gauge("nines_loop_lag_seconds", "By how much the event loop's last beat was late.", meters.lag_s)
        yield _gauge("nines_blind", "1 while no reference host can be reached.", int(meters.blind))
        yield _gauge("nines_config_in_force", "0 while the file is bad: the old one holds.", int(meters.config_ok))
        if meters.clock_offset_ms is not None:
            words = "How far our clock is ahead of the Dates of answers (median over networks)."
            yield _gauge("nines_clock_offset_seconds", words, meters.clock_offset_ms / 1000)
        if meters.last_check_ms is not None:
            seconds = meters.last_check_ms / 1000
            yield _gauge("nines_last_check_timestamp_seconds", "When the newest attempt began.", seconds)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)
