"""What a check on record costs the writer: CPU per raw check, beside plain executemany of the same rows.

    python tools/bench_writer.py [--checks 200000] [--batch 1000] [--drain 100000]

The writer's figure is its thread's CPU and that of whoever puts: from `put` to the commit. The floor is sqlite3 alone:
one table of the same form, the same rows in the same order, the same batches, synchronous=FULL, sorted beforehand.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from ledger.observations import ObservationWriter, Observed
from ledger.recording import Life, Recorder
from ledger.spool import Batch, Spool
from ledger.store import Ledger, open_ledger
from sla.judge import Check

T0 = 1_790_000_040_000
ENDPOINTS = 200
RUNS = 3  # the best of them: what disturbs a run only ever makes it slower


@dataclass(frozen=True)
class Measured:
    """Microseconds of CPU per raw check."""

    writer_us: float
    floor_us: float

    @property
    def ratio(self) -> float:
        return self.writer_us / self.floor_us


def made_up(count: int) -> list[Observed]:
    return [
        Observed(f"e{n % ENDPOINTS:04d}", "local", Check(T0 + n * 5 + n % 7, "up", None, 20 + n * 7919 % 300))
        for n in range(count)
    ]


def measure_writer(*, count: int = 200_000, batch: int = 1_000) -> Measured:
    """The best of a few runs of both, one after the other."""
    observed = made_up(count)
    with TemporaryDirectory(prefix="nines-bench-") as folder:
        runs = [
            (_writer_us(Path(folder), n, observed, batch), _floor_us(Path(folder), n, observed, batch))
            for n in range(RUNS)
        ]
    return Measured(min(writer for writer, _ in runs), min(floor for _, floor in runs))


def _writer_us(folder: Path, run: int, observed: list[Observed], batch: int) -> float:
    with open_ledger(folder / f"writer-{run}.db", at_ms=T0, create=True) as ledger:
        with ledger.decide() as connection:
            connection.exec_driver_sql("INSERT INTO location (id) VALUES ('local')")
            connection.exec_driver_sql(
                "INSERT INTO endpoint (id) VALUES (?)", [(f"e{n:04d}",) for n in range(ENDPOINTS)]
            )
        spool = Spool(folder / f"writer-{run}.spool", ledger.id)
        writer = ObservationWriter(ledger, boot_id="bench", batch_every_s=3600, spool=spool)
        writer.life(T0)
        writer.flush()
        began = process_time()
        for start in range(0, len(observed), batch):
            for one in observed[start : start + batch]:
                writer.put(one)
            writer.flush()
        spent = process_time() - began
        writer.close()
        spool.close()
    return spent / len(observed) * 1e6


def _floor_us(folder: Path, run: int, observed: list[Observed], batch: int) -> float:
    rows = [
        (int(one.endpoint[1:]) + 1, 1, one.check.at_ms, 0, 0, one.check.latency_ms)
        for one in observed
        if one.check and one.endpoint
    ]
    batches = [sorted(rows[start : start + batch]) for start in range(0, len(rows), batch)]
    plain = sqlite3.connect(folder / f"floor-{run}.db", isolation_level=None)
    plain.execute("PRAGMA journal_mode = WAL")
    plain.execute("PRAGMA synchronous = FULL")
    columns = "endpoint INT, location INT, at_ms INT, verdict INT, retry INT, latency_ms INT"
    plain.execute(f"CREATE TABLE raw_check ({columns}, PRIMARY KEY (endpoint, location, at_ms)) WITHOUT ROWID")
    began = process_time()
    for part in batches:
        plain.execute("BEGIN IMMEDIATE")
        plain.executemany("INSERT INTO raw_check VALUES (?, ?, ?, ?, ?, ?)", part)
        plain.execute("COMMIT")
    spent = process_time() - began
    plain.close()
    return spent / len(rows) * 1e6


def measure_drain(count: int) -> float:
    """Seconds from a ledger that is back until all that waited is on record."""
    observed = made_up(count)
    with (
        TemporaryDirectory(prefix="nines-bench-") as folder,
        open_ledger(Path(folder) / "nines.db", at_ms=T0, create=True) as ledger,
    ):
        _fill(ledger, Path(folder) / "spool", observed)
        spool = Spool(Path(folder) / "spool", ledger.id)
        began = perf_counter()
        writer = ObservationWriter(ledger, boot_id="next", spool=spool)
        writer.settle(600)
        spent = perf_counter() - began
        writer.close()
        spool.close()
    return spent


def _fill(ledger: Ledger, folder: Path, observed: list[Observed]) -> None:
    Recorder(ledger).record([], Life("bench", "local", T0))
    spool = Spool(folder, ledger.id)
    for start in range(0, len(observed), 1_000):
        spool.append(Batch(start + 1, observed[start : start + 1_000], Life("bench", "local", T0 + start)))
    spool.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--drain", type=int, default=100_000)
    asked = parser.parse_args()
    found = measure_writer(count=asked.checks, batch=asked.batch)
    lines = [f"writer {found.writer_us:.2f} us of CPU per raw check, from put to commit, batches of {asked.batch}"]
    lines += [f"floor  {found.floor_us:.2f} us: sqlite3 executemany of the same rows", f"ratio  {found.ratio:.2f}"]
    if asked.drain:
        lines.append(f"drain  {measure_drain(asked.drain):.2f} s for {asked.drain} checks that waited in a spool")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
