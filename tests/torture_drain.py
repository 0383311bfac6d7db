"""The prober killed while what waited in the spool is written out: in the end all is on record, in order and once.

Its checks are put without a server: what the ledger must hold is what a second ledger holds that was never away.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from killing import Jobs, jobs
from ledger_scenes import METHOD, MINUTE, T0, new_ledger, writing
from torture_daemon import copied
from torture_record import Record, read, unsound

from ledger import keeping
from ledger.observations import ObservationWriter, Observed
from ledger.soundness import check
from ledger.spool import Spool
from ledger.store import Ledger, open_ledger
from sla.facts import Verdict
from sla.judge import Check, State, judge

ENDPOINTS = [f"e{number}" for number in range(6)]
PORTION = 2 * len(ENDPOINTS)  # observations written out in one transaction: many moments between two of them
SPOOL_BYTES = 2**20
AFTER = 3  # checks after the prober came home
JOB = """
    sys.path.insert(0, "tests")
    from torture_drain import observe as job
"""
_COVERAGE = """SELECT e.id, from_ms, to_ms, reach_ms FROM coverage JOIN endpoint AS e ON e.number = endpoint
ORDER BY e.id, from_ms"""


class Watch:
    """One endpoint, check after check: up and down in spells, and now and then not looked at for a while."""

    def __init__(self, endpoint: str, seed: int) -> None:
        self.endpoint = endpoint
        self._chance = random.Random(f"{seed} {endpoint}")
        self._verdict: Verdict = "up"
        self._state, self._at_ms, self._left = State(), T0, 5

    def next(self) -> Observed:
        if self._left == 0:
            self._verdict = "down" if self._verdict == "up" else "up"
            self._left = self._chance.choice((1, 2, 3, 10))
        self._left -= 1
        self._at_ms += self._chance.choice((*[MINUTE] * 40, 10 * MINUTE))
        error = "http_status" if self._verdict == "down" else None
        made = Check(self._at_ms, self._verdict, error, 120)
        self._state, said = judge(self._state, made, METHOD)
        return Observed(self.endpoint, "local", made, transitions=said, phases_us={"dns": 1})


def observe(database: str, boot: str, seed: str) -> None:
    """What is killed: a prober that finds a full spool, and observes an endpoint of its own all the while."""
    keeping.LARGEST_BATCH = PORTION
    path, watch = Path(database), Watch(boot, int(seed))
    acknowledged = os.open(_acknowledged(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open_ledger(path, at_ms=T0) as ledger:
        writer = _spooling(ledger, boot)
        after = 0
        while after < AFTER:
            after += not writer.away
            _put(writer, [watch.next()])
            os.write(acknowledged, f"{boot}\n".encode())
        writer.close()


def _acknowledged(database: Path) -> Path:
    return database.with_name("acknowledged")


def _spooling(ledger: Ledger, boot: str) -> ObservationWriter:
    spool = Spool(ledger.path.with_name("nines.db.spool"), ledger.id, size=SPOOL_BYTES)
    return ObservationWriter(ledger, boot_id=boot, batch_every_s=0.01, spool=spool)


def _put(writer: ObservationWriter, observations: Iterable[Observed]) -> None:
    for observed in observations:
        writer.life(observed.at_ms)
        writer.put(observed)
    writer.flush()


class Drains:
    """Rounds of a ledger that is away, comes back, and whose prober is killed at what follows."""

    def __init__(self, folder: Path, *, seed: int, minutes: int) -> None:
        self.findings: list[str] = []
        self.struck: Counter[str] = Counter()
        self._seed, self._minutes, self._folder = seed, minutes, folder
        self._chance = random.Random(f"{seed} drains")
        self._house, never_away = folder / "house", folder / "never away"
        for home in (self._house, never_away):
            home.mkdir()
        new_ledger(self._house).close()
        self._path, self._reference = self._house / "nines.db", new_ledger(never_away)
        self._watches = [Watch(endpoint, seed) for endpoint in ENDPOINTS]
        self._number, self._lasts_s = 0, dict[int, float]()

    def round(self, kills: int, prober: Jobs) -> None:
        """Away for a while, then so many kills of who writes it out, each going on where the last one was killed."""
        minutes = self._chance.choice((self._minutes // 5, self._minutes))
        self._wait(minutes)
        if minutes not in self._lasts_s:
            measured = shutil.copytree(self._house, self._folder / f"measured {minutes}")
            _, self._lasts_s[minutes] = prober.run(measured / "nines.db", "life-0", self._seed)
        for _ in range(kills):
            before = self._on_record(self._path)
            status, _ = prober.run(*self._life(), kill_after_s=self._chance.uniform(0, self._lasts_s[minutes]))
            self._inspect(before, killed=status != 0)
        status, _ = prober.run(*self._life())
        if status != 0:
            self._found(f"the prober after {kills} kills ended with {status}")

    def _life(self) -> tuple[Path, str, int]:
        self._number += 1
        return self._path, f"life-{self._number}", self._seed

    def _wait(self, minutes: int) -> None:
        """What is seen while another process holds the ledger; and the same in the one that is never away."""
        seen = [watch.next() for _ in range(minutes) for watch in self._watches]
        with closing(sqlite3.connect(self._path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with open_ledger(self._path, at_ms=T0, busy_timeout_ms=20) as ledger:
                writer = _spooling(ledger, f"away-{self._number}")
                for start in range(0, len(seen), PORTION):
                    _put(writer, seen[start : start + PORTION])
                writer.close()
                if writer.waiting != len(seen) or writer.dropped_checks:
                    self._found(f"{writer.waiting} of {len(seen)} wait, {writer.dropped_checks} were dropped")
            other.execute("ROLLBACK")
        with writing(self._reference, None) as writer:
            _put(writer, seen)

    def _inspect(self, before: int, *, killed: bool) -> None:
        """A copy, so that the next prober is the one that recovers the ledger."""
        copy = copied(self._path, self._folder / "copy")
        self.struck["kills"] += 1
        self.struck["hit"] += killed
        self.struck["midway"] += before < self._on_record(copy) < self._on_record(self._reference.path)
        for fault in unsound(copy):
            self._found(f"after a kill: {fault}")
        there, whole = read(copy), read(self._reference.path)
        for endpoint in ENDPOINTS:
            for what, rows, all_rows in _of(endpoint, there, whole):
                if rows != all_rows[: len(rows)]:
                    self._found(f"after a kill: the {what} of {endpoint} are not the first of what was seen")

    def _on_record(self, path: Path) -> int:
        return sum(len(rows) for endpoint, rows in read(path).checks.items() if endpoint in ENDPOINTS)

    def end(self) -> None:
        """All that was acknowledged is there, and nothing else but the last words of those killed."""
        there = read(self._path)
        acknowledged = Counter(_acknowledged(self._path).read_text().split())
        lives = [f"life-{number}" for number in range(1, self._number + 1)]
        for boot in lives:
            seen = len(there.checks.get(boot, ()))
            if not acknowledged[boot] <= seen <= acknowledged[boot] + 1:
                self._found(f"{boot} was acknowledged {acknowledged[boot]} checks, {seen} are on record")
            watch = Watch(boot, self._seed)
            with writing(self._reference, None) as writer:
                _put(writer, [watch.next() for _ in range(seen)])
        self.struck["acknowledged"] = acknowledged.total()
        whole = read(self._reference.path)
        for endpoint in (*ENDPOINTS, *lives):
            for what, rows, all_rows in _of(endpoint, there, whole):
                if rows != all_rows:
                    self._found(f"the {what} of {endpoint} are not what was seen, in order and once")
        if _asked(self._path, _COVERAGE) != _asked(self._reference.path, _COVERAGE):
            self._found("coverage is not that of a ledger that was never away")
        with open_ledger(self._path, at_ms=T0) as ledger:
            for finding in check(ledger, at_ms=T0 + 10**12):
                if finding.state != "ok":
                    self._found(f"db check: {finding.subject}: {finding.found}")
        self._reference.close()

    def _found(self, fault: str) -> None:
        if fault not in self.findings:
            self.findings.append(fault)


def _of(endpoint: str, there: Record, whole: Record) -> list[tuple[str, list[Any], list[Any]]]:
    """(what, as it is there, as it was seen). Of an outage that goes on more is known later: its events tell of it."""
    return [
        ("checks", there.checks.get(endpoint, []), whole.checks.get(endpoint, [])),
        ("transitions", there.told.get(endpoint, []), whole.told.get(endpoint, [])),
    ]


def _asked(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def kill_drains(folder: Path, *, kills: int, seed: int, minutes: int, say: Callable[[str], None]) -> Drains:
    """So many kills in rounds of one to three; `minutes` is how many checks of each endpoint wait in a round."""
    made = Drains(folder, seed=seed, minutes=minutes)
    chance = random.Random(f"{seed} rounds")
    with jobs(JOB) as prober:
        while (left := kills - made.struck["kills"]) > 0:
            made.round(min(left, chance.randint(1, 3)), prober)
    made.end()
    say(f"seed {seed}: {dict(made.struck)}, {len(made.findings)} faults")
    return made
