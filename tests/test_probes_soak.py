"""One minute of the soak (`make soak` runs it for half an hour with many endpoints)."""

from __future__ import annotations

from pathlib import Path

from probe_world import now_ms
from soak import Plan, soak

from ledger.store import open_ledger


async def test_a_minute_of_everything_books_exactly_what_was(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "nines.db", at_ms=now_ms(), create=True)
    assert await soak(Plan(minutes=1.0, endpoints=30, interval_s=1.0, slack_s=2.0), ledger) == []
