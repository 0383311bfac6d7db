"""Ledgers with a config taken in and checks recorded by the real judge and writer, for the bridge's tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from ledger_scenes import checks, new_ledger, watch, writing

from config.definitions import changes
from config.load import load
from ledger.definitions import in_force, store
from ledger.journal import PROGRAM
from ledger.observations import ObservationWriter
from ledger.store import Ledger
from sla.judge import Method, State

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
METHOD = Method(interval_ms=MINUTE, timeout_ms=10_000)

CONFIG = """
version: 1
timezone: UTC
issuer: {legal_entity: Sample Hosting Ltd}
endpoints:
  web: {url: "http://127.0.0.1:8101/", name: Web}
  api: {url: "http://127.0.0.1:8102/", name: API}
  spare: {url: "http://127.0.0.1:8103/"}
services:
  shop: {name: Shop, all: [web, api]}
clients:
  sample: {name: Sample Client}
  second: {name: Second Client}
contracts:
  sample-shop:
    client: sample
    service: shop
    from: 2026-09-21
    target: 99.9
    fee: 2500.00 EUR
    credits: {< 99.9: 10 %, < 99.0: 25 %, < 95.0: 50 %}
    measure: {before_first_check: not_contracted}
  second-api:
    client: second
    service: api
    from: 2026-09-21
    target: 99.0
    measure: {before_first_check: not_contracted}
maintenance:
  deploy: {title: Deploy, for: [shop], start: "2026-09-21 18:00", duration: 1 h}
"""


def at(clock: str, *, day: int = 21, month: int = 9) -> int:
    """An instant of 2026, UTC, in ms."""
    hour, minute, second = (int(part) for part in clock.split(":"))
    return int(datetime(2026, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1000


LOADED = at("12:00:00")


def apply(ledger: Ledger, folder: Path, text: str, *, at_ms: int) -> None:
    """Take a config in as `config apply` does."""
    path = folder / "nines.yaml"
    path.write_text(text)
    path.chmod(0o600)
    fresh = changes(load(path), in_force(ledger, at_ms), at_ms=at_ms)
    store(ledger, fresh, at_ms=at_ms, actor=PROGRAM, source_sha256=None)


def observe(ledger: Ledger, endpoint: str, verdicts: str, *, from_ms: int) -> int:
    """One check a minute, `u` up, `d` down, `g` degraded, `-` none; the instant of the last one."""
    with writing(ledger, boot=f"boot-{endpoint}-{from_ms}") as writer:
        made = checks(verdicts, from_ms=from_ms)
        watch(writer, made, endpoint=endpoint, method=METHOD)
    return made[-1].at_ms


@contextmanager
def ledger_with(folder: Path, text: str = CONFIG, *, at_ms: int = LOADED) -> Iterator[Ledger]:
    with new_ledger(folder) as ledger:
        apply(ledger, folder, text, at_ms=at_ms)
        yield ledger


class Play:
    """Checks of several endpoints, minute by minute, by the real judge and writer; letters as in `observe`."""

    def __init__(self, ledger: Ledger, verdicts: Mapping[str, str], *, confirm: int = 2) -> None:
        self._writer = ObservationWriter(ledger, boot_id="play", batch_every_s=0.01)
        self._verdicts = verdicts
        self._states = dict.fromkeys(verdicts, State())
        self._method = replace(METHOD, confirm=confirm)

    def check(self, minute: int) -> None:
        """What each endpoint says in that minute, on record when this returns."""
        for endpoint, letters in self._verdicts.items():
            made = checks(letters[minute : minute + 1], from_ms=LOADED + minute * MINUTE)
            state = self._states[endpoint]
            self._states[endpoint] = watch(self._writer, made, endpoint=endpoint, state=state, method=self._method)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
