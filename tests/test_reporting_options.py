"""Options that look beyond the period or the clock, through the ledger: hours, whole outages, caps, billing months."""

from __future__ import annotations

from pathlib import Path

from reporting_ledgers import CONFIG, HOUR, MINUTE, at, ledger_with, observe

from reporting.maintenance import decide_ended
from reporting.statements import build, build_all
from sla.period import parse
from sla.statement import ServiceStatement

TERMS = "    measure: {before_first_check: not_contracted}\n"


def agreed(measure: str = "", more: str = "") -> str:
    """The sample config with more options for the contract of the shop."""
    with_options = TERMS.replace("}", f", {measure}}}" if measure else "}") + more
    return CONFIG.replace(TERMS, with_options, 1)


def shop(folder: Path, text: str, period: str, verdicts: str, *, from_ms: int, now_ms: int) -> ServiceStatement:
    """The shop's statement after one check a minute of both its endpoints."""
    with ledger_with(folder, text) as ledger:
        observe(ledger, "web", verdicts, from_ms=from_ms)
        observe(ledger, "api", "u" * len(verdicts), from_ms=from_ms)
        [statement] = build(ledger, "sample", period, now_ms=now_ms, version="x")
    (only,) = statement.services
    return only


def test_service_hours_leave_the_night_out(tmp_path: Path) -> None:
    hours = 'service_hours: {mon-fri: "08:00-20:30", holidays: DE-BE}'
    found = shop(
        tmp_path, agreed(hours), "2026-09", "u" * 420 + "d" * 60 + "u" * 20, from_ms=at("13:00:00"),
        now_ms=at("21:15:00"),
    )  # fmt: skip
    assert found.split_ms["down"] == 30 * MINUTE
    assert found.split_ms["outside_service_hours"] == 45 * MINUTE
    assert found.parts[0].options["service_hours"]["holidays"] == ["DE-BE"]


def test_an_outage_across_the_months_edge_is_tested_whole(tmp_path: Path) -> None:
    """Four minutes in September and five in October: neither is long enough alone."""
    night, asked = at("23:30:00", day=30), at("00:30:00", day=1, month=10)
    for number, (least, counted) in enumerate((('"> 8 min"', 4 * MINUTE), ('"> 9 min"', 0))):
        folder = tmp_path / str(number)
        folder.mkdir()
        text = agreed(f"min_outage: {least}")
        found = shop(
            folder,
            text,
            "2026-09",
            "u" * 26 + "d" * 9 + "u" * 20,
            from_ms=night,
            now_ms=asked,
        )
        assert (found.split_ms["down"], len(found.outages)) == (counted, 1)
        assert (found.checks["due"], found.checks["made"]) == (60, 60)  # of the month alone


def test_a_run_of_bad_minutes_goes_on_beyond_the_months_edge(tmp_path: Path) -> None:
    """Two outages with one good check between them are bad minutes in a row, half a minute of each being enough."""
    options = 'bucket: 2 min, bad: ">= 50 %", min_run: 5'
    night = at("23:50:00", day=30)
    found = shop(
        tmp_path, agreed(options), "2026-09", "uu" + "ddd" + "u" + "dddddd" + "u" * 30, from_ms=night,
        now_ms=at("00:30:00", day=1, month=10),
    )  # fmt: skip
    assert found.split_ms["down"] == 8 * MINUTE


def test_a_cap_is_decided_with_the_windows_before_and_read_again(tmp_path: Path) -> None:
    more = """
  second: {title: More, for: [shop], start: "2026-09-21 20:00", duration: 2 h}
"""
    text = agreed(more="    maintenance: {cap: 2 h per month}\n") + more.lstrip("\n")
    with ledger_with(tmp_path, text) as ledger:
        [first] = decide_ended(ledger, now_ms=at("19:30:00"))
        [second] = decide_ended(ledger, now_ms=at("22:30:00"))
        [found] = build(ledger, "sample", "2026-09", now_ms=at("22:30:00"), version="x")
    assert (first.accepted, second.accepted) == (True, True)
    assert second.why.endswith("1 h 00 min of it, 2 h 00 min per month agreed")
    assert [window.why for window in found.services[0].maintenance] == [first.why, second.why]
    assert found.services[0].split_ms["maintenance"] == 2 * HOUR


def test_a_month_named_is_the_billing_month_that_begins_in_it(tmp_path: Path) -> None:
    with ledger_with(tmp_path, agreed(more="    period: billing month from day 15\n")) as ledger:
        observe(ledger, "web", "u" * 10, from_ms=at("12:10:00"))
        found = {
            statement.contract["id"]: statement.period
            for statement in build_all(ledger, "2026-09", now_ms=at("13:00:00"), version="x")
        }
    billing = parse("2026-09-15/2026-10-15", "UTC")
    assert (found["sample-shop"]["from_ms"], found["sample-shop"]["to_ms"]) == (billing.from_ms, billing.to_ms)
    assert found["sample-shop"]["label"] == "Month from 15 September 2026"
    assert found["second-api"]["label"] == "September 2026"
