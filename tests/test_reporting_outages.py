"""The outage list: open first, evidence shown, foreign text harmless."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

from reporting_statements import DAY, MINUTE, NOVEMBER, outage

from ledger.outages import Recorded
from reporting.causes import cause_words
from reporting.outages import as_data, detail_lines, table_rows

UTC = ZoneInfo("UTC")
NOW = NOVEMBER.from_ms + DAY + 5 * MINUTE


def recorded(length_ms: int | None, *, error: str = "answered 503", end_reason: str | None = None) -> Recorded:
    value = outage(DAY, length_ms, failed_checks=2, cause=error)
    return Recorded(value, "api", "local", "down", "live", error, end_reason)


def test_an_open_outage_runs_until_now() -> None:
    [row] = table_rows([recorded(None)], now_ms=NOW, zone=UTC, names={"api": "Tracking API"})
    assert row == ("O-7K3F2", "down", "Tracking API", "2026-11-02 00:00:00 UTC", "", "5 min 0 s", "answered 503")
    [data] = as_data([recorded(None)], now_ms=NOW)
    assert (data["state"], data["to"], data["lasted_ms"]) == ("open", None, 5 * MINUTE)


def test_one_that_is_over_keeps_its_length() -> None:
    [row] = table_rows([recorded(MINUTE)], now_ms=NOW, zone=UTC, names={})
    assert row[1:6] == ("was down", "api", "2026-11-02 00:00:00 UTC", "2026-11-02 00:01:00 UTC", "1 min 0 s")


def test_foreign_text_stays_on_one_line() -> None:
    [row] = table_rows([recorded(None, error="a\n\x1b[31mb")], now_ms=NOW, zone=UTC, names={})
    assert row[-1] == "a  [31mb"


def test_the_details_say_what_proves_it_and_what_nobody_saw() -> None:
    text = "\n".join(detail_lines(recorded(MINUTE, end_reason="unobserved"), now_ms=NOW, zone=UTC, name="Tracking API"))
    assert "O-7K3F2: Tracking API was down, 1 min 0 s" in text
    assert "last good      Sun 1 Nov 2026 23:59:00 UTC" in text
    assert "first good     not on record" in text
    assert "Its recovery was not seen" in text


def test_error_classes_are_told_in_words_and_kept_as_classes_for_programs() -> None:
    found = recorded(None, error="connect_refused")
    [row] = table_rows([found], now_ms=NOW, zone=UTC, names={})
    assert row[-1] == "connection refused"
    assert as_data([found], now_ms=NOW)[0]["error"] == "connect_refused"


def test_every_error_class_of_a_check_has_words() -> None:
    source = Path(__file__).resolve().parent.parent / "probes"
    classes = {
        name
        for path in source.glob("*.py")
        for name in re.findall(r'"((?:dns|connect|tls|http|timeout|content)_[a-z_]+)"', path.read_text())
    }
    assert {name for name in classes if cause_words(name) == name} == set()
