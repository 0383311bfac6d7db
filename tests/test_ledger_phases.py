"""Phases in few bytes come back as they were, from a ledger of an earlier version too."""

from __future__ import annotations

import json
import sqlite3

import pytest

from ledger.migrations.versions.r0003_years_of_history import _shorter
from ledger.phases import read_phases, write_phases

SEEN = [
    {"dns": 300, "connect": 900, "tls": 4_200, "first_byte": 31_000, "body": 400},
    {"connect": 7},
    {"name_server": 12, "answer": 0, "dns": 1},
    {},
]


@pytest.mark.parametrize("phases_us", SEEN, ids=lambda phases: "-".join(phases) or "none")
def test_they_come_back_in_their_order(phases_us: dict[str, int]) -> None:
    text = write_phases(phases_us)
    assert list(read_phases(text).items()) == list(phases_us.items())
    assert (text is None) == (not phases_us)


@pytest.mark.parametrize("phases_us", SEEN[:3], ids="-".join)
def test_the_migration_writes_them_alike(phases_us: dict[str, int]) -> None:
    before = json.dumps(phases_us, separators=(",", ":"))
    [(after,)] = sqlite3.connect(":memory:").execute(f"SELECT {_shorter('?1')}", (before,))
    assert after == write_phases(phases_us)
