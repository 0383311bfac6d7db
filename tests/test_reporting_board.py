"""The board's model: buckets, order, forecasts and the first line, from real statements."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from reporting_boards import NOW, bare_row, row, specimen
from reporting_statements import DAY, HOUR, MINUTE, NOVEMBER, contract, outage, service, statement, terms

from reporting.board import Bucket, Forecast, Monitor, Row, bad_news, lead, make_board, row_of, stale_warning
from reporting.board_data import as_data
from sla.facts import Outage, Window
from sla.spans import Spans
from sla.terms import Options

ALLOWED = 2_592_000  # of 99.9 % in November


def board_row(*outages: Outage, at: int, unknown: Spans | None = None, windows: tuple[Window, ...] = ()) -> Row:
    """The row of the sample service, `at` ms after the start of November."""
    now_ms = NOVEMBER.from_ms + at
    future = Spans.of([(now_ms, NOVEMBER.to_ms)])
    facts = service(outages, unknown=(unknown or Spans()) | future, windows=windows)
    built = statement(facts, as_of_ms=now_ms)
    return row_of(built, built.services[0])


@pytest.mark.parametrize(
    ("used_ms", "bucket"),
    [
        (0, "green"),
        (ALLOWED * 499 // 1000, "green"),
        (ALLOWED // 2, "yellow"),
        (ALLOWED * 3 // 4 - 1, "yellow"),
        (ALLOWED * 3 // 4, "orange"),
        (ALLOWED, "orange"),
        (ALLOWED + 1, "red"),
    ],
)
def test_the_bucket_goes_by_the_exact_share(used_ms: int, bucket: Bucket) -> None:
    outages = [outage(DAY, used_ms)] if used_ms else []
    assert board_row(*outages, at=20 * DAY).bucket == bucket


def test_a_service_that_is_down_turns_red_when_what_is_left_has_passed() -> None:
    found = board_row(outage(20 * DAY - MINUTE, None), at=20 * DAY)
    assert (found.state, found.outage, found.since_ms) == ("down", "O-7K3F2", NOVEMBER.from_ms + 20 * DAY - MINUTE)
    assert found.forecast == Forecast("if_down", NOVEMBER.from_ms + 20 * DAY + ALLOWED - MINUTE)


def test_a_service_that_is_up_turns_red_at_the_pace_so_far() -> None:
    found = board_row(outage(DAY, 30 * MINUTE), at=10 * DAY)
    # 1 800 s in ten days: the other 792 s last 4.4 days.
    assert found.forecast == Forecast("pace", NOVEMBER.from_ms + 10 * DAY + 44 * DAY // 10)


def test_a_pace_that_ends_within_the_budget_says_how_much_will_be_used() -> None:
    found = board_row(outage(DAY, 6 * MINUTE), at=10 * DAY)
    assert found.forecast == Forecast("pace", None, Fraction(3 * 360, 2592))


def test_over_the_budget_since_the_millisecond_it_was_used_up() -> None:
    found = board_row(outage(DAY, 40 * MINUTE), outage(2 * DAY, HOUR, id="O-00002"), at=10 * DAY)
    assert found.forecast == Forecast("since", NOVEMBER.from_ms + 2 * DAY + ALLOWED - 40 * MINUTE)


def test_a_weight_counts_by_its_share_towards_the_day_it_turned_red() -> None:
    half = contract(versions=(terms(options=Options(timezone="UTC", degraded=Decimal("0.5"))),))
    slow = outage(DAY, 2 * HOUR, id="O-00003")
    now_ms = NOVEMBER.from_ms + 10 * DAY
    facts = service(unknown=Spans.of([(now_ms, NOVEMBER.to_ms)]))
    facts = replace(facts, endpoints={"api": replace(facts.endpoints["api"], degraded=(slow,))})
    built = statement(facts, as_of_ms=now_ms, agreed=half)
    found = row_of(built, built.services[0])
    assert (found.bucket, found.forecast) == ("red", Forecast("since", NOVEMBER.from_ms + DAY + 2 * ALLOWED))


def test_without_anything_measured_there_is_no_budget_to_show() -> None:
    nothing = Spans.of([(NOVEMBER.from_ms, NOVEMBER.to_ms)])
    found = board_row(at=DAY, unknown=nothing)
    assert (found.bucket, found.budget, found.share, found.forecast) == ("no budget", None, None, None)
    monitor = Monitor(seen_ms=NOW, alive=True)
    board = make_board([found], at_ms=NOW, tz="UTC", label="November 2026", monitor=monitor)
    assert lead(board) == "Nothing is measured yet: 1 unknown."


def test_a_target_of_100_is_exhausted_by_one_second() -> None:
    all_of_it = contract(versions=(terms(target=Decimal(100), credits=()),))
    now_ms = NOVEMBER.from_ms + 10 * DAY
    facts = service([outage(DAY, 1_000)], unknown=Spans.of([(now_ms, NOVEMBER.to_ms)]))
    built = statement(facts, as_of_ms=now_ms, agreed=all_of_it)
    found = row_of(built, built.services[0])
    assert (found.bucket, found.share) == ("red", None)
    assert found.forecast == Forecast("since", NOVEMBER.from_ms + DAY)


def test_time_that_nobody_measures_any_more_is_unknown_not_up() -> None:
    gap = Spans.of([(NOVEMBER.from_ms + 9 * DAY, NOVEMBER.from_ms + 10 * DAY)])
    found = board_row(at=10 * DAY, unknown=gap)
    assert (found.state, found.since_ms) == ("unknown", NOVEMBER.from_ms + 9 * DAY)


def test_a_window_that_is_on_says_until_when() -> None:
    start = NOVEMBER.from_ms + 10 * DAY - HOUR
    window = Window("M-00001", start, start + 2 * HOUR, entered_ms=start - DAY, scope=frozenset({("service", "api")}))
    found = board_row(at=10 * DAY, windows=(window,))
    assert (found.state, found.until_ms) == ("maintenance", start + 2 * HOUR)


def test_rows_stand_red_to_green_and_by_time_to_red_inside() -> None:
    names = [found.name for found in specimen(bare_row("probe"), bare_row("edge", state="down")).rows]
    assert names[:5] == ["Checkout", "Tracking API", "Card gateway", "HL7 feed", "Webshop"]
    assert names[-2:] == ["edge", "probe"]


def test_the_lead_names_what_breaks_next_when_and_the_cost() -> None:
    assert lead(specimen()) == (
        "8 min 35 s until Tracking API (Acme) breaks 99.9 %. Red at 12:27:15 if it stays down: EUR 450.00."
    )


def test_the_lead_looks_for_the_smallest_time_to_red_in_any_bucket() -> None:
    soon = row("Tiny", allowed=100_000, used=10_000, state="down", forecast=Forecast("if_down", NOW + 90_000))
    assert lead(specimen(soon)).startswith("1 min 30 s until Tiny (Acme)")


def test_the_lead_gives_the_hour_when_the_pace_breaks_it_today() -> None:
    today = row("Tiny", allowed=100_000, used=10_000, forecast=Forecast("pace", NOW + 90_000))
    assert "Red at 12:20:10 at this pace" in lead(specimen(today))


def test_the_lead_says_so_when_nothing_breaks() -> None:
    monitor = Monitor(seen_ms=NOW, alive=True)
    calm = make_board([row("A", allowed=10, used=0)], at_ms=NOW, tz="UTC", label="November 2026", monitor=monitor)
    assert lead(calm) == "Nothing breaks in November at this pace."
    calm = make_board(
        [row("A", allowed=10, used=0), bare_row("b", state="down")],
        at_ms=NOW, tz="UTC", label="November 2026", monitor=monitor)  # fmt: skip
    assert lead(calm) == "Nothing breaks in November at this pace. Down, without a target: b."
    bare = make_board([bare_row("a", state="down"), bare_row("b")], at_ms=NOW, tz="UTC", label="", monitor=monitor)
    assert lead(bare) == "No target is agreed: 1 down, 1 up."
    assert lead(make_board([], at_ms=NOW, tz="UTC", label="", monitor=monitor)) == "Nothing is watched yet."


@pytest.mark.parametrize(
    ("rows", "alive", "bad"),
    [
        ([bare_row("a")], True, False),
        ([bare_row("a")], False, True),
        ([bare_row("a", state="down")], True, True),
        ([row("a", allowed=10, used=11)], True, True),
        ([row("a", allowed=10, used=10)], True, False),
    ],
)
def test_bad_news_is_down_or_over_budget_or_a_daemon_that_is_off(rows: list[Row], alive: bool, bad: bool) -> None:
    monitor = Monitor(seen_ms=NOW, alive=alive)
    assert bad_news(make_board(rows, at_ms=NOW, tz="UTC", label="", monitor=monitor)) is bad


def test_a_daemon_that_is_off_is_said_with_what_it_means() -> None:
    board = specimen(monitor=Monitor(seen_ms=NOW - 60_000, alive=False))
    assert stale_warning(board) == (
        "The daemon is off, last seen 12:17. Time since then is booked as unknown, not as downtime."
    )


def test_coverage_of_all_is_pooled_and_floored() -> None:
    assert Monitor(seen_ms=0, alive=True, known_ms=2, unknown_ms=1).coverage_pct == "66.666"
    assert Monitor(seen_ms=0, alive=True).coverage_pct is None


def test_the_json_holds_every_row_and_its_figures_as_text() -> None:
    data = as_data(specimen(bare_row("edge")))
    assert data["counts"] == {"red": 1, "orange": 2, "yellow": 3, "green": 8, "no_budget": 1}
    tracking = data["services"][1]
    assert (tracking["used_pct"], tracking["state"], tracking["at_stake"]) == ("80.1", "down", "EUR 450.00")
    assert data["services"][-1]["budget"] is None
