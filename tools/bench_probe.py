"""What a check costs: CPU of the whole probe process, beside a bare aiohttp loop and blackbox_exporter in the same run.

    python tools/bench_probe.py [--rounds 5] [--only saturated|paced|scale] [--seconds 6]

The target runs on loopback in a process of its own and counts what it answered; CPU is read from /proc. The rounds of
the contenders are interleaved, medians are shown, and only ratios within one run mean anything: the machine's own
speed and whatever else runs on it disturb all contenders alike. `paced` and `scale` run the real `probe` child of the
daemon with a real ledger; `saturated` runs attempt, judge and writer as fast as they go.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench_probe_roles import Aim, Process, blackbox_program, started
from rich.console import Console
from rich.table import Table

from ledger.store import open_ledger
from nines.clock import now_ms
from probes.scheduler import phase_ms

INTERVAL_MS = 10_000
WARM_UP_S = 3.0
CONTENDERS = ("nines", "aiohttp", "blackbox")
SCALES = ((1_000, 50, 95), (5_000, 50, 105), (10_000, 100, 125))  # endpoints, lateness p99 in ms, RSS in MB
LIMITS = {"aiohttp": "1.2", "blackbox": "0.8 http, 1.3 https"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One row of the table; `rate_per_s` None: as fast as it goes."""

    name: str
    scheme: str
    host: str
    rate_per_s: int | None


SATURATED = (
    Scene("http by address", "http", "127.0.0.1", None),
    Scene("http by name", "http", "localhost", None),
    Scene("https by address", "https", "127.0.0.1", None),
    Scene("https by name", "https", "localhost", None),
)
PACED = (
    Scene("http, 100/s", "http", "127.0.0.1", 100),
    Scene("http, 500/s", "http", "127.0.0.1", 500),
    Scene("http by name, 500/s", "http", "localhost", 500),
    Scene("https, 100/s", "https", "127.0.0.1", 100),
    Scene("http, 1000/s", "http", "127.0.0.1", 1_000),
    Scene("https, 250/s", "https", "127.0.0.1", 250),
)


@dataclass(frozen=True, slots=True)
class Measured:
    cpu_ms: float  # of one check
    rate_per_s: float
    load: float  # of one core


def measure(contender: str, scene: Scene, folder: Path, seconds: float) -> Measured:
    """Start the target and the contender, let them warm up, and look at both for so long."""
    with ExitStack() as stack:
        target = stack.enter_context(started("target", scene.scheme, str(folder)))
        aim = Aim(scene.scheme, scene.host, int(target.line()), folder)
        process = stack.enter_context(contending(contender, scene, aim))
        while target.count() == 0:
            time.sleep(0.2)
        time.sleep(WARM_UP_S)
        began_s, count, cpu_s = time.monotonic(), target.count(), process.cpu_s()
        time.sleep(seconds)
        elapsed_s, made, used_s = time.monotonic() - began_s, target.count() - count, process.cpu_s() - cpu_s
    return Measured(used_s / max(made, 1) * 1000, made / elapsed_s, used_s / elapsed_s)


@contextmanager
def contending(contender: str, scene: Scene, aim: Aim) -> Iterator[Process]:
    """The process whose CPU is counted; what drives blackbox_exporter runs beside it and is not counted."""
    rate = str(scene.rate_per_s or 0)
    if contender == "blackbox":
        with started("blackbox", aim) as process, started("driver", *aim.words(), rate, str(process.port)):
            yield process
    elif contender == "nines" and scene.rate_per_s is not None:
        with probe_child(aim, endpoints=scene.rate_per_s, interval_ms=1_000) as process:
            yield process
    else:
        with started(contender, *aim.words(), rate) as process:
            yield process


@contextmanager
def probe_child(aim: Aim, *, endpoints: int, interval_ms: int) -> Iterator[Process]:
    """The daemon's own child with a ledger in the folder and so many endpoints."""
    config, database = aim.folder / "nines.yaml", aim.folder / "nines.db"
    for left in aim.folder.glob("nines.db*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    open_ledger(database, at_ms=now_ms(), create=True).close()
    settings = f"interval: {interval_ms} ms, timeout: 1 s" + (f", ca_file: {aim.ca}" if aim.scheme == "https" else "")
    lines = [f'  e{number}: {{url: "{aim.url}", {settings}}}' for number in range(endpoints)]
    head = "version: 1\nrates: {per_host_per_s: 100000, global_per_s: 100000}\nendpoints:\n"
    config.write_text(head + "\n".join(lines) + "\n")
    with started("child", config, database) as process:
        yield process


def compare(scenes: tuple[Scene, ...], folder: Path, *, rounds: int, seconds: float) -> Table:
    """CPU per check of each contender and the ratio of ours to theirs, medians of interleaved rounds."""
    rivals = [name for name in CONTENDERS if name != "blackbox" or blackbox_program()]
    table = Table("check", *(f"{name} ms" for name in rivals), "ours a second", "core", *(f"/ {n}" for n in rivals[1:]))
    for scene in scenes:
        found: dict[str, list[Measured]] = {name: [] for name in rivals}
        for _ in range(rounds):
            for name in rivals:
                found[name].append(measure(name, scene, folder, seconds))
        costs = {name: statistics.median(one.cpu_ms for one in found[name]) for name in rivals}
        rate = statistics.median(one.rate_per_s for one in found["nines"])
        load = statistics.median(one.load for one in found["nines"])
        ratios = [
            statistics.median(
                ours.cpu_ms / theirs.cpu_ms for ours, theirs in zip(found["nines"], found[name], strict=True)
            )
            for name in rivals[1:]
        ]
        shown = (
            *(f"{costs[name]:.2f}" for name in rivals),
            f"{rate:.0f}",
            f"{load:.0%}",
            *(f"{r:.2f}" for r in ratios),
        )
        table.add_row(scene.name, *shown)
    return table


def scale(folder: Path, *, seconds: float) -> Table:
    """Lateness, drift, memory and cost by the number of endpoints, each checked every 10 s."""
    table = Table(
        "endpoints", "late p50 ms", "late p99 ms", "asked", "drift ms", "RSS MB", "asked", "checks/s", "CPU ms"
    )
    for endpoints, late_ms, rss_mb in SCALES:
        with ExitStack() as stack:
            target = stack.enter_context(started("target", "http", str(folder)))
            aim = Aim("http", "127.0.0.1", int(target.line()), folder)
            process = stack.enter_context(probe_child(aim, endpoints=endpoints, interval_ms=INTERVAL_MS))
            _settle(target, endpoints)
            since_ms, began_s, count, cpu_s = now_ms(), time.monotonic(), target.count(), process.cpu_s()
            time.sleep(seconds)
            made, used_s = target.count() - count, process.cpu_s() - cpu_s
            elapsed_s, rss = time.monotonic() - began_s, process.rss_mb()
        late = lateness(folder / "nines.db", since_ms)
        third = len(late) // 3
        drift = statistics.median(late[-third:]) - statistics.median(late[:third])
        p99 = statistics.quantiles(late, n=100)[98]
        shown = (
            f"{statistics.median(late):.0f}",
            f"{p99:.0f}",
            f"< {late_ms}",
            f"{drift:+.0f}",
            f"{rss:.0f}",
            f"< {rss_mb}",
        )
        table.add_row(str(endpoints), *shown, f"{made / elapsed_s:.0f}", f"{used_s / made * 1000:.2f}")
    return table


def _settle(target: Process, endpoints: int) -> None:
    """Until every endpoint was checked once, and one more interval."""
    while target.count() < endpoints:
        time.sleep(0.5)
    time.sleep(INTERVAL_MS / 1000)


def lateness(database: Path, since_ms: int) -> list[int]:
    """How long after its tick each check began, in the order of the checks."""
    query = """SELECT e.id, r.at_ms FROM raw_check AS r JOIN endpoint AS e ON e.number = r.endpoint
WHERE r.at_ms >= ? ORDER BY r.at_ms"""
    with sqlite3.connect(database) as connection:
        return [(at - phase_ms(id, INTERVAL_MS)) % INTERVAL_MS for id, at in connection.execute(query, (since_ms,))]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    parser.add_argument("--only", choices=("saturated", "paced", "scale"))
    asked = parser.parse_args()
    console = Console(width=110)
    if not blackbox_program():
        console.print("blackbox_exporter is not installed (Debian: prometheus-blackbox-exporter): compared without it")
    parts: dict[str, Callable[[Path], Table]] = {
        "saturated": lambda folder: compare(SATURATED, folder, rounds=asked.rounds, seconds=asked.seconds),
        "paced": lambda folder: compare(PACED, folder, rounds=asked.rounds, seconds=asked.seconds),
        "scale": lambda folder: scale(folder, seconds=max(asked.seconds * 5, 30.0)),
    }
    with tempfile.TemporaryDirectory(prefix="bench-probe-") as folder:
        for name, part in parts.items():
            if asked.only in (None, name):
                console.print(f"\n{name}; asked for: / aiohttp {LIMITS['aiohttp']}, / blackbox {LIMITS['blackbox']}")
                console.print(part(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
