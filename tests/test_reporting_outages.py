"""The outage list: open first, evidence shown, foreign text harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reporting_statements import DAY, MINUTE, NOVEMBER, outage

from ledger.outages import Recorded
from reporting.causes import cause_words
from reporting.outages import as_data, detail_lines, table_rows
from sla.incidents import Incident, Spell

UTC = ZoneInfo("UTC")
NOW = NOVEMBER.from_ms + DAY + 5 * MINUTE


def recorded(length_ms: int | None, *, error: str = "answered 503", end_reason: str | None = None) -> Recorded:
    value = outage(DAY, length_ms, failed_checks=2, cause=error)
    return Recorded(value, "api", "local", "down", "live", error, end_reason)


def alone(found: Recorded) -> Incident:
    return Incident((Spell(found.outage.id or "", found.outage.from_ms, found.outage.to_ms),))


def data_of(found: Recorded) -> dict[str, Any]:
    [data] = as_data([found], now_ms=NOW, incidents={found.outage.id or "": alone(found)})
    return data


def test_an_open_outage_runs_until_now() -> None:
    [row] = table_rows([recorded(None)], now_ms=NOW, zone=UTC, names={"api": "Tracking API"})
    assert row == ("O-7K3F2", "down", "Tracking API", "2026-11-02 00:00:00 UTC", "", "5 min 0 s", "answered 503")
    data = data_of(recorded(None))
    assert (data["state"], data["to"], data["lasted_ms"], data["incident"]) == ("open", None, 5 * MINUTE, "O-7K3F2")


def test_one_that_is_over_keeps_its_length() -> None:
    [row] = table_rows([recorded(MINUTE)], now_ms=NOW, zone=UTC, names={})
    assert row[1:6] == ("was down", "api", "2026-11-02 00:00:00 UTC", "2026-11-02 00:01:00 UTC", "1 min 0 s")


def test_foreign_text_stays_on_one_line() -> None:
    [row] = table_rows([recorded(None, error="a\n\x1b[31mb")], now_ms=NOW, zone=UTC, names={})
    assert row[-1] == "a  [31mb"


def test_the_details_say_what_proves_it_and_what_nobody_saw() -> None:
    found = recorded(MINUTE, end_reason="unobserved")
    text = "\n".join(detail_lines(found, now_ms=NOW, zone=UTC, name="Tracking API", incident=alone(found)))
    assert "O-7K3F2: Tracking API was down, 1 min 0 s" in text
    assert "last good      Sun 1 Nov 2026 23:59:00 UTC" in text
    assert "first good     not on record" in text
    assert "Its recovery was not seen" in text
    assert "incident" not in text


def test_the_details_say_that_it_flapped_and_what_caused_it() -> None:
    found = recorded(MINUTE)
    found = replace(found, outage=replace(found.outage, cause="parent_down"))
    spells = tuple(Spell(f"O-{number}", DAY + number * MINUTE, DAY + number * MINUTE + 9) for number in range(4))
    text = "\n".join(detail_lines(found, now_ms=NOW, zone=UTC, name="API", incident=Incident(spells)))
    assert "  cause          what it is reached through was down\n" in text
    assert "  incident       O-0: it flapped, 4 outages since Fri 2 Jan 1970 00:00:00 UTC" in text


def test_error_classes_are_told_in_words_and_kept_as_classes_for_programs() -> None:
    found = recorded(None, error="connect_refused")
    [row] = table_rows([found], now_ms=NOW, zone=UTC, names={})
    assert row[-1] == "connection refused"
    assert data_of(found)["error"] == "connect_refused"


def test_every_error_class_of_a_check_has_words() -> None:
    source = Path(__file__).resolve().parent.parent / "probes"
    classes = {
        name
        for path in source.glob("*.py")
        for name in re.findall(r'"((?:dns|connect|tls|http|timeout|content)_[a-z_]+)"', path.read_text())
    }
    assert {name for name in classes if cause_words(name) == name} == set()
