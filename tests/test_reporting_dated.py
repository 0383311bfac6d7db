"""Definitions that change in the middle of a month, through config loads into a real ledger: the past stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ledger_scenes import watch, writing
from reporting_ledgers import CONFIG, HOUR, MINUTE, apply, ledger_with

from ledger.store import Ledger
from reporting.maintenance import decide_ended
from reporting.statements import build
from sla.judge import Check, Method
from sla.statement import ServiceStatement

EVERY_HALF_HOUR = Method(interval_ms=30 * MINUTE, timeout_ms=10_000)
FIRST = CONFIG[: CONFIG.index("maintenance:")].replace("2026-09-21", "2026-09-01").replace("[web, api]", "[web]") + (
    'maintenance:\n  nightly: {for: [shop], cron: "0 2 * * *", duration: 1 h}\n'
)
JOINED = FIRST.replace("[web]", "[web, api]")
MOVED = JOINED.replace('"0 2 * * *", duration: 1 h', '"0 5 * * *", duration: 2 h')
TYPED_LATE = MOVED + '  urgent: {for: [shop], start: "2026-09-22 13:00", duration: 1 h}\n'


def on(day: int, clock: str = "00:00") -> int:
    """September 2026, UTC; day 0 is the last of August."""
    hour, minute = (int(part) for part in clock.split(":"))
    start = int(datetime(2026, 9, 1, hour, minute, tzinfo=UTC).timestamp()) * 1000
    return start + (day - 1) * 24 * HOUR


def watched(ledger: Ledger, endpoint: str, *out: tuple[int, int]) -> None:
    """A month of checks, every half hour, bad within the given spans."""
    instants = range(on(1), on(31) + 1, 30 * MINUTE)
    made = [Check(at, "down" if any(a <= at < b for a, b in out) else "up") for at in instants]
    with writing(ledger, boot=f"boot-{endpoint}") as writer:
        watch(writer, made, endpoint=endpoint, method=EVERY_HALF_HOUR)


def hour_from(day: int, clock: str) -> tuple[int, int]:
    return on(day, clock), on(day, clock) + HOUR


def september(ledger: Ledger, *, now_ms: int) -> ServiceStatement:
    [found] = build(ledger, "sample", "2026-09", now_ms=now_ms, version="x")
    [shop] = found.services
    return shop


def test_case_49_a_month_whose_definitions_changed_is_judged_by_what_held_at_each_instant(tmp_path: Path) -> None:
    with ledger_with(tmp_path, FIRST, at_ms=on(0)) as ledger:
        apply(ledger, tmp_path, JOINED, at_ms=on(16))
        decide_ended(ledger, now_ms=on(19))
        apply(ledger, tmp_path, MOVED, at_ms=on(20, "12:00"))
        apply(ledger, tmp_path, TYPED_LATE, at_ms=on(22, "13:30"))
        in_old_window, before_the_change = hour_from(10, "02:00"), hour_from(20, "05:00")
        in_new_window, after_the_change = hour_from(21, "05:00"), hour_from(21, "02:00")
        typed_late = hour_from(22, "13:00")
        not_yet_a_member, a_member = hour_from(12, "10:00"), hour_from(18, "10:00")
        watched(ledger, "web", in_old_window, before_the_change, in_new_window, after_the_change, typed_late)
        watched(ledger, "api", not_yet_a_member, a_member)
        found = september(ledger, now_ms=on(31))
        decide_ended(ledger, now_ms=on(31))
        on_record = september(ledger, now_ms=on(31))
    counted = [(outage.from_ms, outage.to_ms) for outage in found.outages if outage.counted_ms]
    assert counted == [a_member, before_the_change, after_the_change, typed_late]
    assert found.split_ms["down"] == 4 * HOUR
    nightly = [(w.from_ms, w.to_ms) for w in found.maintenance if w.accepted]
    assert nightly[:20] == [(on(day, "02:00"), on(day, "03:00")) for day in range(1, 21)]
    assert nightly[20:] == [(on(day, "05:00"), on(day, "07:00")) for day in range(21, 31)]
    [refused] = [w for w in found.maintenance if not w.accepted]
    assert (refused.from_ms, refused.why) == (on(22, "13:00"), "announced 30 min after its start")
    assert found.split_ms["maintenance"] == (20 * 1 + 10 * 2) * HOUR
    assert (found.considered_ms, found.availability_pct) == ((720 - 40) * HOUR, "99.411764")
    assert (found.verdict, found.credit and found.credit.amount) == ("NOT_MET", "250.00")
    assert on_record == found
