"""The board from a real ledger: states, budgets, what is at stake, what is coming, and the daemon's own pulse."""

from __future__ import annotations

from pathlib import Path

from ledger_scenes import checks, watch, writing
from reporting_ledgers import CONFIG, HOUR, LOADED, METHOD, MINUTE, apply, at, ledger_with, observe

from reporting.board import Forecast, bad_news, lead
from reporting.board_source import read_board, read_pulse
from reporting.response_times import response_times
from reporting.statements import build


def test_before_the_daemon_ever_ran_there_is_no_data(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        board = read_board(ledger, now_ms=LOADED + MINUTE)
    assert {(row.name, row.client, row.state) for row in board.rows} == {
        ("Shop", "Sample Client", "no data"),
        ("API", "Second Client", "no data"),
        ("spare", "", "no data"),
    }
    assert not board.monitor.alive
    assert bad_news(board)


def test_a_running_outage_says_when_it_turns_red_and_what_it_will_cost(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger, writing(ledger) as writer:
        for endpoint in ("web", "spare"):
            watch(writer, checks("u" * 61, from_ms=LOADED), endpoint=endpoint, method=METHOD)
        watch(writer, checks("u" * 57 + "d" * 4, from_ms=LOADED), endpoint="api", method=METHOD)
        now_ms = at("13:00:00")
        board = read_board(ledger, now_ms=now_ms)
    shop = next(row for row in board.rows if row.name == "Shop")
    assert (shop.state, shop.since_ms, shop.at_stake) == ("down", at("12:57:00"), "EUR 250.00")
    assert shop.budget is not None
    assert shop.budget.used_ms == 3 * MINUTE
    assert shop.forecast == Forecast("if_down", now_ms + shop.budget.remaining_ms)
    assert board.monitor.alive
    assert lead(board).endswith("if it stays down: EUR 250.00.")
    assert "until Shop (Sample Client) breaks 99.9 %." in lead(board)
    states = {row.name: row.state for row in board.rows}
    assert states == {"Shop": "down", "API": "down", "spare": "up"}


def test_maintenance_that_comes_and_that_is_on_stands_under_next(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        before = read_board(ledger, now_ms=at("13:00:00"))
        during = read_board(ledger, now_ms=at("18:30:00"))
    assert [(event.at_ms, event.text) for event in before.coming] == [(at("18:00:00"), "maintenance Shop")]
    assert [(event.at_ms, event.text) for event in during.coming] == [(at("19:00:00"), "Shop maintenance ends")]


def test_what_was_removed_leaves_the_board(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        apply(ledger, tmp_path, CONFIG.replace('  spare: {url: "http://127.0.0.1:8103/"}\n', ""), at_ms=LOADED + HOUR)
        board = read_board(ledger, now_ms=LOADED + 2 * HOUR)
    assert {row.name for row in board.rows} == {"Shop", "API"}


def test_an_empty_ledger_is_an_empty_board(tmp_path: Path) -> None:
    with ledger_with(tmp_path, "version: 1\n") as ledger:
        assert read_board(ledger, now_ms=LOADED).rows == ()


def test_the_pulse_is_the_last_stamp_and_the_newest_check(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        assert read_pulse(ledger, now_ms=LOADED).last_check_ms is None
        last_ms = observe(ledger, "api", "uuu", from_ms=LOADED)
        pulse = read_pulse(ledger, now_ms=last_ms + 500)
    assert (pulse.stamp_ms, pulse.last_check_ms) == (last_ms, last_ms)


def test_response_times_are_cut_at_local_days_and_keyed_for_the_chart(tmp_path: Path) -> None:
    with ledger_with(tmp_path) as ledger:
        for endpoint in ("web", "api"):
            observe(ledger, endpoint, "u" * 10, from_ms=LOADED)
        [shop] = build(ledger, "sample", "2026-09", now_ms=at("13:00:00"), version="x")
        [api] = build(ledger, "second", "2026-09", now_ms=at("13:00:00"), version="x")
        by_endpoint, by_service = response_times(ledger, shop), response_times(ledger, api)
    assert (list(by_endpoint), list(by_service)) == (["API", "Web"], ["api"])
    timed = [day for day in by_service["api"] if day.p50_ms is not None]
    assert [(day.day.day, day.p50_ms, day.p99_ms) for day in timed] == [(21, 120, 120)]
    assert len(by_service["api"]) == 30
