"""What the writer of observations tells a metrics registry: its queue, its batches, its spool, its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.observations import ObservationWriter

SECONDS = (0.01, 0.05, 0.25, 1.0, 5.0)
OBSERVATIONS = (1, 10, 100, 1_000, 5_000)


class WriterMetrics(Collector):
    """Registers itself; figures are read when they are asked for, in whatever thread asks."""

    def __init__(self, writer: ObservationWriter, registry: CollectorRegistry) -> None:
        self._writer = writer
        self._seconds = Histogram(
            "nines_writer_batch_seconds", "How long a batch took to be on disk.", registry=registry, buckets=SECONDS
        )
        self._sizes = Histogram(
            "nines_writer_batch_observations", "Observations in a batch.", registry=registry, buckets=OBSERVATIONS
        )
        registry.register(self)
        writer.on_batch = self._batch

    def collect(self) -> Iterator[Metric]:
        writer = self._writer
        yield _gauge("nines_writer_queue_observations", "Observations that wait for the writer.", writer.queued)
        yield _counter("nines_writer_observations", "Observations on disk, in the ledger or the spool.", writer.done)
        yield _counter("nines_writer_lost_checks", "Checks that could be kept nowhere.", writer.lost)
        yield _gauge("nines_spool_bytes", "Bytes that wait in the spool for the ledger.", writer.waiting_bytes)
        yield _gauge("nines_spool_records", "Observations that wait in the spool for the ledger.", writer.waiting)
        yield _counter("nines_spool_dropped_checks", "Checks dropped from a full spool.", writer.dropped_checks)
        yield _gauge("nines_ledger_available", "1 while the ledger takes what is written.", int(not writer.away))
        yield _gauge("nines_ledger_bytes", "Size of the database and its log.", ledger_bytes(writer.path))

    def _batch(self, seconds: float, observations: int) -> None:
        self._seconds.observe(seconds)
        self._sizes.observe(observations)


def ledger_bytes(path: Path) -> int:
    """Of the database and its write-ahead log; 0 where it is not there."""
    return sum(_size(one) for one in (path, path.with_name(f"{path.name}-wal")))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)
