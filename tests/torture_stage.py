"""The stage of every crash test: servers that keep their own log, the real daemon, and the comparison at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon_rig import wait_for
from torture_compare import Comparison
from torture_daemon import Daemon
from torture_plan import Load, config, watched
from torture_record import events, is_made, read, unsound
from torture_server import Servers, now_ms, served

from ledger.facts import endpoint_facts
from ledger.store import open_ledger

LASTING_S = 3_600


class Stage:
    """`folder` takes the logs; the daemon lives in `house`, which may be a disk of its own."""

    def __init__(self, seed: int, load: Load, folder: Path, *, house: Path | None = None) -> None:
        self.seed, self.load, self.folder = seed, load, folder
        self.findings: list[str] = []
        self.endpoints = watched(seed, load, lasting_s=LASTING_S)
        self._log = folder / "served.log"
        self._servers = Servers(seed, load, lasting_s=LASTING_S, log=self._log)
        self.daemon = Daemon(house or folder, log=folder / "daemon.log")
        self.daemon.write(config(self.endpoints, self._servers.url))

    def close(self) -> None:
        self.daemon.close()
        self._servers.close()

    def start(self) -> None:
        if not self.daemon.running:
            self.daemon.start()

    def served(self) -> int:
        """How many requests the servers answered so far."""
        return self._log.read_bytes().count(b"\n")

    def wait_for_checks(self, count: int = 1) -> None:
        """Until the prober of now asked for something."""
        before = self.served()
        wait_for(lambda: self.served() >= before + count, within_s=60, every_s=0.02)

    def wait_for_news(self) -> None:
        """Until one more transition was acknowledged."""
        before = len(self.daemon.acknowledged())
        wait_for(lambda: len(self.daemon.acknowledged()) > before, within_s=60)

    def found(self, fault: str) -> None:
        if fault not in self.findings:
            self.findings.append(fault)

    def inspect(self, copy: Path, when: str, acknowledged: list[str] | None = None) -> None:
        """A copy, so that the daemon itself is the one that recovers the ledger. By default all acknowledged so far."""
        expected = self.daemon.acknowledged() if acknowledged is None else acknowledged
        if not is_made(copy):
            if expected:
                self.found(f"{when}: there is no ledger")
            return
        for fault in unsound(copy):
            self.found(f"{when}: {fault}")
        there = events(copy)
        for event in expected:
            if there.get(event) != 1:
                self.found(f"{when}: {event} was acknowledged and is there {there.get(event, 0)} times")

    def end(self) -> Comparison:
        """Stop cleanly, and compare all that the ledger says with all that the servers say."""
        code = self.daemon.end()
        if code != 0:
            self.found(f"the clean stop at the end returned {code}")
        until_ms = now_ms()
        log = served(self._log)
        from_ms = min(requests[0].received_ms for requests in log.values()) - 60_000
        with open_ledger(self.daemon.database, at_ms=until_ms) as ledger:
            facts = endpoint_facts(ledger, self.endpoints, from_ms=from_ms, to_ms=until_ms, now_ms=until_ms)
        unknown = {id: tuple(one.unknown) for id, one in facts.items()}
        record = read(self.daemon.database)
        made = Comparison(self.endpoints, log, record, self.daemon.deaths, until_ms, list(self.findings))
        made.findings += [f"at the end: {fault}" for fault in unsound(self.daemon.database)]
        return made.run(self.daemon.acknowledged(), unknown)


@contextmanager
def stage(seed: int, load: Load, folder: Path, *, house: Path | None = None) -> Iterator[Stage]:
    """A stage that leaves no process behind."""
    made = Stage(seed, load, folder, house=house)
    try:
        yield made
    finally:
        made.close()


def let_pass(seconds: float) -> None:
    """The moment of a blow is drawn by the seed, and a fault lasts as long as it is told to: nothing is waited for."""
    time.sleep(seconds)
