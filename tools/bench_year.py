"""A year of history: what it weighs, and how fast it answers.

    python tools/bench_year.py [--endpoints 200] [--days 365] [--keep DIR]

A seeded generator makes up checks, one a minute from each endpoint, with outages and single failures; the judge of the
daemon judges them, its writer records them, its housekeeping rolls days up and deletes raw checks after 35 days.
Then the statements, the board's queries and a night's pruning are measured, beside the best that raw rows could do.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from time import perf_counter, process_time
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import Connection, event

from config.definitions import changes
from config.load import load
from ledger.definitions import store
from ledger.facts import endpoint_facts
from ledger.journal import PROGRAM
from ledger.live import last_check_ms, live
from ledger.observations import ObservationWriter, Observed
from ledger.retention import Retention, housekeeping
from ledger.slots import DAY_MS
from ledger.store import Ledger, open_ledger
from probes.scheduler import phase_ms
from reporting.board_source import read_board
from reporting.statements import build
from sla.facts import Verdict
from sla.judge import Check, Method, State, judge

MINUTE_MS = 60_000
T0 = 1_767_225_600_000  # 2026-01-01 00:00 UTC
METHOD = Method(interval_ms=MINUTE_MS, timeout_ms=10_000)
RUNS = 5


@dataclass
class Watched:
    """One endpoint as made up: where it is down, how it answers, what the judge remembers of it."""

    id: str
    phase_ms: int
    speed_ms: int
    down: Iterator[tuple[int, int]]
    outage: tuple[int, int] = (0, 0)
    state: State = field(default_factory=State)

    def verdict(self, at_ms: int, draw: Random) -> Verdict:
        while self.outage[1] <= at_ms:
            self.outage = next(self.down)
        if self.outage[0] <= at_ms:
            return "down"
        return "down" if draw.random() < 0.0002 else "up"


def outages(draw: Random) -> Iterator[tuple[int, int]]:
    """Twenty a year, from two minutes to two hours: a service a little short of 99.9 %."""
    at_ms = T0
    while True:
        at_ms += int(draw.expovariate(1 / (18 * DAY_MS)))
        yield at_ms, at_ms + draw.choice((2, 3, 5, 9, 25, 120)) * MINUTE_MS


def write_config(folder: Path, count: int) -> Path:
    """One client with a contract over five services; the other endpoints are watched without one."""
    lines = ["version: 1", "timezone: Europe/Berlin", "clients: {acme: {name: Acme}}", "endpoints:"]
    lines += [f"  e{n:03d}: {{url: 'http://127.0.0.1:9/{n}', interval: 60 s, timeout: 10 s}}" for n in range(count)]
    services = ", ".join(f"e{n:03d}" for n in range(5))
    lines += ["contracts:", "  acme-all:", "    client: acme", f"    services: [{services}]", "    from: 2026-01-01"]
    lines += ["    target: 99.9", "    fee: 2500.00 EUR", "    credits: {< 99.9: 10 %, < 99.0: 25 %, < 95.0: 50 %}"]
    path = folder / "nines.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def make_ledger(folder: Path, count: int) -> Ledger:
    config = load(write_config(folder, count))
    ledger = open_ledger(folder / "nines.db", at_ms=T0, create=True)
    store(ledger, changes(config, {}, at_ms=T0), at_ms=T0, actor=PROGRAM, source_sha256=None)
    return ledger


def checks_of_a_day(watched: list[Watched], day: int, draw: Random) -> Iterator[Observed]:
    """In order of time but for the retries, which follow their own check."""
    for minute in range(1440):
        tick_ms = T0 + day * DAY_MS + minute * MINUTE_MS
        for one in watched:
            at_ms = tick_ms + one.phase_ms + draw.randrange(4)
            yield from _judged(one, at_ms, draw, tick_ms + one.phase_ms + MINUTE_MS)


def _judged(one: Watched, at_ms: int, draw: Random, next_ms: int) -> Iterator[Observed]:
    retry = False
    while at_ms < next_ms:
        verdict = one.verdict(at_ms, draw)
        error = "http_status" if verdict == "down" else None
        check = Check(at_ms, verdict, error, one.speed_ms + int(draw.expovariate(1 / 15)))
        one.state, transitions = judge(one.state, check, METHOD)
        yield Observed(one.id, "local", check, retry=retry, phases_us=PHASES, transitions=transitions)
        if not one.state.unsettled:
            return
        retry, at_ms = True, at_ms + 15_000


PHASES = {"dns": 300, "connect": 900, "tls": 4_200, "first_byte": 31_000, "body": 400}


@dataclass
class Made:
    """What was written, and what it cost: CPU seconds of the generator, judge and writer together."""

    checks: int = 0
    write_cpu_s: float = 0.0
    keep_cpu_s: float = 0.0
    steps: int = 0
    longest_hold_s: float = 0.0  # of the write lock, by housekeeping


def fill(ledger: Ledger, *, count: int, days: int, seed: int = 1) -> Made:
    draw, made = Random(seed), Made()
    watched = [
        Watched(
            f"e{n:03d}", phase_ms(f"e{n:03d}", MINUTE_MS), draw.choice((8, 35, 120, 400)), outages(Random(seed + n))
        )
        for n in range(count)
    ]
    writer = ObservationWriter(ledger, boot_id="year")
    for day in track(range(days), "a year of checks", console=Console(stderr=True)):
        begun = process_time()
        for observed in checks_of_a_day(watched, day, draw):
            writer.put(observed, wait=True)
            made.checks += 1
        writer.life(T0 + (day + 1) * DAY_MS)
        writer.flush(600)
        made.write_cpu_s += process_time() - begun
        _keep(ledger, T0 + (day + 1) * DAY_MS + 2 * 3_600_000, made)
    writer.close()
    return made


def _keep(ledger: Ledger, now_ms: int, made: Made) -> None:
    begun_s: list[float] = []

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("nines_deciding"):
            begun_s.append(perf_counter())

    def commit(connection: Connection) -> None:
        if begun_s:
            made.longest_hold_s = max(made.longest_hold_s, perf_counter() - begun_s.pop())

    cpu = process_time()
    event.listen(ledger.engine, "begin", begin)
    event.listen(ledger.engine, "commit", commit)
    made.steps += sum(1 for _ in housekeeping(ledger, Retention(), now_ms=now_ms))
    event.remove(ledger.engine, "begin", begin)
    event.remove(ledger.engine, "commit", commit)
    made.keep_cpu_s += process_time() - cpu


def milliseconds(work: Callable[[], object]) -> float:
    """The median of a few runs, after one that warms up."""
    work()
    found = []
    for _ in range(RUNS):
        begun = perf_counter()
        work()
        found.append((perf_counter() - begun) * 1000)
    return sorted(found)[len(found) // 2]


def group_by_ms(path: Path, from_ms: int, to_ms: int) -> float:
    """The best that raw rows can do for 100 endpoints over a month: one GROUP BY along the primary key."""
    query = """SELECT endpoint, COUNT(*), SUM(verdict = 2) FROM raw_check WHERE endpoint <= 100 AND location = 1
AND at_ms >= ? AND at_ms < ? GROUP BY endpoint"""
    with sqlite3.connect(path) as connection:
        return milliseconds(lambda: connection.execute(query, (from_ms, to_ms)).fetchall())


def answers(ledger: Ledger, *, count: int, days: int) -> Iterator[tuple[str, float, str]]:
    """(what, milliseconds, what is asked for)."""
    now_ms = T0 + days * DAY_MS
    months = sorted({_month(T0 + day * DAY_MS) for day in range(0, max(days - 31, 1), 30)})
    for month in {months[0], months[-1]}:
        found = milliseconds(lambda m=month: build(ledger, "acme", m, now_ms=now_ms, version="bench"))  # type: ignore[misc]
        yield f"statement of {month}, five services", found, "100"
    running = _month(now_ms - 1)
    found = milliseconds(lambda: build(ledger, "acme", running, now_ms=now_ms, version="bench"))
    yield f"statement of the running {running}", found, "100"
    if days >= 365:
        found = milliseconds(lambda: build(ledger, "acme", "2026", now_ms=now_ms, version="bench"))
        yield "statement of the year, five services", found, "300"
    names = [f"e{n:03d}" for n in range(count)]
    yield f"the board, {count} endpoints", milliseconds(lambda: read_board(ledger, now_ms=now_ms)), ""
    yield f"states of {count} endpoints", milliseconds(lambda: live(ledger, names, now_ms=now_ms)), ""
    yield "the newest check of all", milliseconds(lambda: last_check_ms(ledger)), ""
    from_ms = now_ms - 30 * DAY_MS
    mine = milliseconds(
        lambda: endpoint_facts(ledger, names[:100], from_ms=from_ms, to_ms=now_ms, now_ms=now_ms, sampled=False)
    )
    rows = group_by_ms(ledger.path, from_ms, now_ms)
    yield "30 days of 100 endpoints, from intervals", mine, f"25, and {rows / 30:.1f} = 1/30 of GROUP BY"
    yield "30 days of 100 endpoints, GROUP BY of raw rows", rows, ""


def _month(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m")


def sizes(path: Path) -> dict[str, int]:
    """Bytes of each table with its indexes, from the pages that they take."""
    with sqlite3.connect(path) as connection:
        query = """SELECT m.tbl_name, SUM(d.pgsize) FROM dbstat AS d JOIN sqlite_master AS m ON m.name = d.name
GROUP BY 1 ORDER BY 2 DESC"""
        return {str(name): int(size) for name, size in connection.execute(query)}


def report(ledger: Ledger, made: Made, *, count: int, days: int) -> None:
    console = Console()
    of_table = sizes(ledger.path)
    with ledger.read() as connection:
        raw = int(connection.exec_driver_sql("SELECT COUNT(*) FROM raw_check").scalar_one())
    whole = sum(of_table.values())
    without = whole - of_table["raw_check"]
    table = Table("what", "found", "asked for", title=f"{count} endpoints, {days} days, {made.checks:,} checks")
    table.add_row("the ledger with its raw checks", f"{whole / 1e6:,.1f} MB", "")
    table.add_row("without raw checks, for 365 days", f"{without / 1e6 * 365 / days:,.1f} MB", "100 MB for 200")
    table.add_row(f"a raw check ({raw:,} kept)", f"{of_table['raw_check'] / raw:.1f} bytes", "25 bytes")
    for name, size in list(of_table.items())[:6]:
        table.add_row(f"  {name}", f"{size / 1e6:,.2f} MB", "")
    table.add_row("made up, judged and written, a check", f"{made.write_cpu_s / made.checks * 1e6:.1f} us CPU", "")
    table.add_row("a night of housekeeping", f"{made.keep_cpu_s / days:.2f} s CPU, {made.steps // days} steps", "")
    table.add_row("the write lock held at most, before its sync", f"{made.longest_hold_s * 1000:.1f} ms", "50 ms")
    for what, found, asked in answers(ledger, count=count, days=days):
        table.add_row(what, f"{found:.1f} ms", asked)
    console.print(table)


def plans(ledger: Ledger) -> None:
    """Every query that a statement and a board make, as SQLite means to answer it: no table is read whole."""
    seen: dict[str, Any] = {}
    event.listen(
        ledger.engine, "before_cursor_execute", lambda c, cur, sql, values, ctx, many: seen.update({sql: values})
    )
    now_ms = T0 + 60 * DAY_MS
    build(ledger, "acme", "2026-02", now_ms=now_ms, version="bench")
    read_board(ledger, now_ms=now_ms)
    with sqlite3.connect(ledger.path) as connection:
        for sql, values in seen.items():
            if sql.lstrip().upper().startswith("SELECT"):
                for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values):
                    sys.stdout.write(f"{row[3]:<90} {' '.join(sql.split())[:80]}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--endpoints", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument(
        "--keep", type=Path, help="the folder for the ledger, which stays; one that is there is only measured"
    )
    parser.add_argument("--plans", action="store_true", help="how SQLite answers each query")
    asked = parser.parse_args()
    if asked.endpoints < 5:
        parser.error("the contract is over five services: --endpoints 5 or more")
    folder = asked.keep or Path(mkdtemp(prefix="nines-year-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        fresh = not (folder / "nines.db").exists()
        ledger = make_ledger(folder, asked.endpoints) if fresh else open_ledger(folder / "nines.db", at_ms=T0)
        with ledger:
            made = fill(ledger, count=asked.endpoints, days=asked.days) if fresh else Made(checks=1)
            report(ledger, made, count=asked.endpoints, days=asked.days)
            if asked.plans:
                plans(ledger)
    finally:
        if asked.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
