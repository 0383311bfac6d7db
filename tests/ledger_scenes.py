"""Ledgers and histories for the ledger's tests: real files, the real judge, made-up instants."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from ledger.observations import ObservationWriter, Observed
from ledger.store import Ledger, open_ledger
from sla.facts import Verdict
from sla.judge import Check, Method, State, judge

T0 = 1_790_000_040_000  # a whole minute: 2026-09-21 14:14:00 UTC
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
METHOD = Method(interval_ms=MINUTE, timeout_ms=10 * SECOND)  # confirm 2, reach 130 s


@cache
def _blank() -> Path:
    """A ledger as it is made; copied, for making one costs Alembic's import."""
    folder = mkdtemp(prefix="nines-blank-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "nines.db"
    open_ledger(path, at_ms=T0, create=True).close()
    return path


def new_ledger(folder: Path, name: str = "nines.db") -> Ledger:
    path = folder / name
    shutil.copy(_blank(), path)
    return open_ledger(path, at_ms=T0)


@contextmanager
def writing(ledger: Ledger, boot: str | None = "boot-1") -> Iterator[ObservationWriter]:
    writer = ObservationWriter(ledger, boot_id=boot, batch_every_s=0.01)
    try:
        yield writer
    finally:
        writer.close()


def checks(verdicts: str, *, from_ms: int = T0, every_ms: int = MINUTE) -> list[Check]:
    """`uuddu?`: one check each interval; `-` is a check that was not made, `?` one that saw nothing."""
    names: dict[str, Verdict] = {"u": "up", "d": "down", "g": "degraded", "?": "unknown"}
    errors = {"d": "http_status", "g": "slow", "?": "prober_error"}
    return [
        Check(from_ms + place * every_ms, names[letter], errors.get(letter), 120 if letter in "ug" else None)
        for place, letter in enumerate(verdicts)
        if letter != "-"
    ]


def watch(
    writer: ObservationWriter,
    made: Iterable[Check],
    *,
    endpoint: str = "api",
    state: State | None = None,
    method: Method = METHOD,
    alive: bool = True,
) -> State:
    """Judge and record each check, and stamp the daemon's life at it."""
    state = state or State()
    for check in made:
        retry = state.unsettled and state.last_check_ms is not None
        state, transitions = judge(state, check, method)
        if alive:
            writer.life(check.at_ms)
        writer.put(Observed(endpoint, "local", check, retry=retry, transitions=transitions))
    writer.flush()
    return state
