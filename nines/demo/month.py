"""The sample month in a ledger of its own: through the real definitions, judge and writer, at made-up instants."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from string import Template

from config.changes import changes
from config.load import load
from config.model import Config
from ledger.definitions import in_force, store
from ledger.journal import PROGRAM
from ledger.recording import Life, Observed, Recorder
from ledger.store import Ledger, open_ledger
from nines.demo.story import PACE, Month, Watched
from sla.judge import State, judge

AGREED_MS = 10 * 86_400_000  # everything was entered ten days before the month began
WARM_UP_MS = 3_600_000  # checks begin an hour before it
BATCH = 5_000
LATE_ENTERED = (24, "11:00:00")  # twelve hours before it starts; the contract asks for 72
LATE_WINDOW = """  payments-update:
    {{title: Card gateway update, for: [payments], start: "{month}-24 23:00", duration: 1 h}}"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was written: the month, and where its config and its ledger lie."""

    month: Month
    config: Path
    database: Path

    @property
    def as_of_ms(self) -> int:
        """When its statements are made: an hour after the month's end."""
        return self.month.to_ms + 3_600_000


def write_month(folder: Path, month: Month, *, until_ms: int | None = None) -> Sample:
    """Agreements and checks of the month, in a new ledger in `folder`. With `until_ms` the month stops there."""
    end_ms = month.to_ms + 600_000 if until_ms is None else until_ms
    sample = Sample(month, folder / "nines.yaml", folder / "nines.db")
    with open_ledger(sample.database, at_ms=month.from_ms - AGREED_MS, create=True) as ledger:
        config = _agree(ledger, sample, late_window="", at_ms=month.from_ms - AGREED_MS)
        late_ms = month.instant_ms(*LATE_ENTERED)
        if late_ms < end_ms:
            _agree(ledger, sample, late_window=LATE_WINDOW.format(month=month.label), at_ms=late_ms)
        _watch(ledger, config, month, to_ms=end_ms, stopped=until_ms is None)
    return sample


def _agree(ledger: Ledger, sample: Sample, *, late_window: str, at_ms: int) -> Config:
    """The config is written, read by the real reader, and stored as known from `at_ms` on."""
    text = resources.files("nines.demo").joinpath("sample.yaml").read_text()
    values = {"year": sample.month.year, "month": sample.month.label, "late_window": late_window}
    sample.config.write_text(Template(text).substitute(values))
    config = load(sample.config)
    fresh = changes(config, in_force(ledger, at_ms), at_ms=at_ms)
    store(ledger, fresh, at_ms=at_ms, actor=PROGRAM, source_sha256=config.sources.sha256)
    return config


def _watch(ledger: Ledger, config: Config, month: Month, *, to_ms: int, stopped: bool) -> None:
    """Every check of the month through the judge into the ledger, in the order of time, some thousands at once."""
    recorder = Recorder(ledger)
    boot = f"sample-{month.label}"
    checks = _observed(config, month, from_ms=month.from_ms - WARM_UP_MS, to_ms=to_ms)
    while batch := list(islice(checks, BATCH)):
        recorder.record(batch, Life(boot, "local"))
    recorder.record([], Life(boot, "local", stamp_ms=to_ms, stopped_ms=to_ms if stopped else None))


def _observed(config: Config, month: Month, *, from_ms: int, to_ms: int) -> Iterator[Observed]:
    streams = (_judged(config, endpoint, month, from_ms=from_ms, to_ms=to_ms) for endpoint in PACE)
    return heapq.merge(*streams, key=lambda observed: observed.at_ms)


def _judged(config: Config, endpoint: str, month: Month, *, from_ms: int, to_ms: int) -> Iterator[Observed]:
    method = config.endpoints[endpoint].judge_method()
    state = State()
    for check, retry in Watched(endpoint, month, method).checks(from_ms=from_ms, to_ms=to_ms):
        state, transitions = judge(state, check, method)
        yield Observed(endpoint, "local", check, retry, None, None, transitions)
