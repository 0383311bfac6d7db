"""The made-up month: placed in real time, the same on every run, at the pace of a real daemon."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from nines.demo.story import PACE, ZONE, Month, Watched, last_full_month, monitor_off, spells
from sla.judge import Method

OCTOBER = Month(2026, 10)
METHOD = Method(60_000, 10_000)


def _local_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


def test_the_month_is_cut_at_local_midnights() -> None:
    assert OCTOBER.to_ms - OCTOBER.from_ms == 745 * 3_600_000
    assert OCTOBER.label == "2026-10"
    assert Month(2026, 12).following() == Month(2027, 1)
    assert Month(2027, 1).preceding() == Month(2026, 12)


def test_a_month_counts_as_full_an_hour_after_its_end() -> None:
    assert last_full_month(_local_ms("2026-11-01T00:59:59")) == Month(2026, 9)
    assert last_full_month(_local_ms("2026-11-01T01:00:00")) == OCTOBER
    assert last_full_month(_local_ms("2027-01-15T12:00:00")) == Month(2026, 12)


def test_two_runs_make_the_same_checks() -> None:
    day = OCTOBER.instant_ms(6, "00:00:00")
    runs = [list(Watched("orders-api", OCTOBER, METHOD).checks(from_ms=day, to_ms=day + 86_400_000)) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 1440


def test_checks_ascend_and_keep_the_pace_of_the_daemon() -> None:
    day = OCTOBER.instant_ms(6, "00:00:00")
    checks = list(Watched("orders-api", OCTOBER, METHOD).checks(from_ms=day, to_ms=day + 86_400_000))
    for (earlier, _), (later, retry) in pairwise(checks):
        assert later.at_ms > earlier.at_ms
        if earlier.verdict == "down":
            assert retry
            assert later.at_ms - earlier.at_ms == METHOD.retry_ms
        else:
            assert not retry
            assert later.at_ms - earlier.at_ms <= METHOD.interval_ms


def test_every_failed_check_lies_in_a_spell_or_is_a_single_one() -> None:
    for endpoint in PACE:
        watched = Watched(endpoint, OCTOBER, METHOD)
        bad = [c for c, _ in watched.checks(from_ms=OCTOBER.from_ms, to_ms=OCTOBER.to_ms) if c.verdict != "up"]
        inside = [c for c in bad if any(s.from_ms <= c.at_ms < s.to_ms for s in spells(endpoint, OCTOBER))]
        assert len(bad) - len(inside) <= 1


def test_nothing_is_checked_while_the_monitor_is_off() -> None:
    ((from_ms, to_ms),) = monitor_off(OCTOBER)
    checks = Watched("shop", OCTOBER, METHOD).checks(from_ms=from_ms - 600_000, to_ms=to_ms + 600_000)
    instants = [check.at_ms for check, _ in checks]
    assert instants
    assert not [at for at in instants if from_ms <= at < to_ms]
