"""`make torture KILLS=200`: the real daemon under load, killed again and again; its ledger against the servers' log.

`python tests/torture.py [--kills 200] [--seed 1] [--short] [--keep FOLDER]`. What happens when is in the seed; exit 1
when anything was found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from daemon_rig import wait_for
from torture_compare import Comparison
from torture_daemon import Daemon, copied, sleep_s
from torture_plan import LONG, SHORT, Blow, Load, blows, config, watched
from torture_record import events, is_made, read, unsound
from torture_server import Servers, now_ms, served

from ledger.facts import endpoint_facts
from ledger.store import open_ledger

LASTING_S = 3_600
LAST_WORDS_S = 8  # the daemon runs so long after the last blow, and stops cleanly


@dataclass
class Crash:
    """One run: its folder, its servers, its daemon, and what was found on the way."""

    seed: int
    load: Load
    folder: Path

    def __post_init__(self) -> None:
        self.endpoints = watched(self.seed, self.load, lasting_s=LASTING_S)
        self.servers = Servers(self.seed, self.load, lasting_s=LASTING_S, log=self.folder / "served.log")
        self.daemon = Daemon(self.folder)
        self.daemon.write(config(self.endpoints, self.servers.url))
        self.findings: list[str] = []
        self.struck: Counter[str] = Counter()

    def run(self, kills: int) -> Comparison:
        for blow in blows(self.seed, kills):
            self._round(blow, kills)
        self._last_words()
        return self._compare()

    def close(self) -> None:
        self.daemon.close()
        self.servers.close()

    def _round(self, blow: Blow, kills: int) -> None:
        if not self.daemon.running:
            self.daemon.start()
        if blow.under_load:
            self._wait_for_checks()
        sleep_s(blow.after_s)
        if blow.victim == "frozen":
            self._copy_frozen()
        else:
            self.daemon.strike(blow.victim)
        self.struck[blow.victim] += 1
        if blow.victim == "group":
            self._inspect(copied(self.daemon.database, self.folder / "copy"), "after a SIGKILL")
        self._tell(blow, kills)
        sleep_s(blow.pause_s)

    def _wait_for_checks(self) -> None:
        """Until the prober of now asked for something."""
        log = self.folder / "served.log"
        before = log.stat().st_size
        wait_for(lambda: log.stat().st_size > before, within_s=60, every_s=0.01)

    def _copy_frozen(self) -> None:
        with self.daemon.frozen():
            copy = copied(self.daemon.database, self.folder / "copy")
            acknowledged = self.daemon.acknowledged()
        self._inspect(copy, "copied while frozen", acknowledged)

    def _inspect(self, copy: Path, when: str, acknowledged: list[str] | None = None) -> None:
        """A copy, so that the daemon itself is the one that recovers the ledger."""
        if not is_made(copy):
            if self.daemon.acknowledged():
                self._found(f"{when}: there is no ledger")
            return
        for fault in unsound(copy):
            self._found(f"{when}: {fault}")
        there = events(copy)
        for event in self.daemon.acknowledged() if acknowledged is None else acknowledged:
            if there.get(event) != 1:
                self._found(f"{when}: {event} was acknowledged and is there {there.get(event, 0)} times")

    def _found(self, fault: str) -> None:
        if fault not in self.findings:
            self.findings.append(fault)
            _say(f"FOUND {fault}")

    def _tell(self, blow: Blow, kills: int) -> None:
        done = self.struck.total() - self.struck["frozen"]
        lines = (self.folder / "served.log").read_bytes().count(b"\n")
        since = "its first checks" if blow.under_load else "its start"
        _say(
            f"{done:4d}/{kills} {blow.victim:10} {blow.after_s:4.2f} s after {since:16} dead {blow.pause_s:3.1f} s: "
            f"{lines} served, {len(self.daemon.acknowledged())} transitions acknowledged, {len(self.findings)} faults"
        )

    def _last_words(self) -> None:
        if not self.daemon.running:
            self.daemon.start()
        before = len(self.daemon.acknowledged())
        sleep_s(LAST_WORDS_S)
        wait_for(lambda: len(self.daemon.acknowledged()) > before)
        code = self.daemon.end()
        if code != 0:
            self._found(f"the clean stop at the end returned {code}")

    def _compare(self) -> Comparison:
        until_ms = now_ms()
        log = served(self.folder / "served.log")
        from_ms = min(requests[0].received_ms for requests in log.values()) - 60_000
        with open_ledger(self.daemon.database, at_ms=until_ms) as ledger:
            facts = endpoint_facts(ledger, self.endpoints, from_ms=from_ms, to_ms=until_ms, now_ms=until_ms)
        unknown = {id: tuple(one.unknown) for id, one in facts.items()}
        record = read(self.daemon.database)
        made = Comparison(self.endpoints, log, record, self.daemon.deaths, until_ms, list(self.findings))
        made.findings += [f"at the end: {fault}" for fault in unsound(self.daemon.database)]
        return made.run(self.daemon.acknowledged(), unknown)


def report(crash: Crash, made: Comparison) -> None:
    figures = made.figures
    _say(f"\nseed {crash.seed}: {dict(crash.struck)}")
    for name, value in asdict(figures).items():
        _say(f"  {name.replace('_', ' '):20} {value}")
    _say(f"  {'faults':20} {len(made.findings)}")
    for fault in made.findings[:40]:
        _say(f"FOUND {fault}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--short", action="store_true", help="few endpoints")
    parser.add_argument("--keep", type=Path, help="a folder that stays, for looking into it")
    asked = parser.parse_args()
    load = SHORT if asked.short else LONG
    _say(f"seed {asked.seed}: {asked.kills} kills, {load.per_s:g} checks a second")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        crash = Crash(asked.seed, load, folder)
        try:
            made = crash.run(asked.kills)
        finally:
            crash.close()
    report(crash, made)
    return 1 if made.findings else 0


if __name__ == "__main__":
    sys.exit(main())
