"""Recurring and one-off windows as plain intervals, over DST and over changes of their definitions."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.calendars import occurrences, windows_between
from sla.facts import Definition
from sla.terms import WindowTerms
from sla.windows import accept

ORACLE = Path(__file__).parents[2] / "shared" / "data" / "maintenance" / "windows" / "oracle.json"
HOUR = 3_600_000


def at(text: str, tz: str = "Europe/Berlin", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz), fold=fold).timestamp() * 1000)


def local(ms: int, tz: str = "Europe/Berlin") -> str:
    return f"{datetime.fromtimestamp(ms / 1000, ZoneInfo(tz)):%Y-%m-%d %H:%M}"


def window(**given: Any) -> dict[str, Any]:
    return {
        "title": "Work",
        "for": [["service", "api"]],
        "timezone": "Europe/Berlin",
        "start": None,
        "cron": None,
        "duration_ms": None,
        "until": None,
        **given,
    }


def version(id: str, known_from: str, body: dict[str, Any] | None) -> Definition:
    return Definition("window", id, at(known_from), body)


def test_case_15_weekly_at_two_in_berlin_keeps_its_wall_clock_all_year() -> None:
    weekly = window(cron="0 2 * * sun", duration_ms=HOUR)
    found = occurrences(weekly, at("2026-03-01 00:00"), at("2026-11-02 00:00"))
    starts = [local(start) for start, _ in found]
    assert len(starts) == len(set(starts)) == 36
    assert starts[:2] == ["2026-03-01 02:00", "2026-03-08 02:00"]
    assert "2026-03-29 03:00" in starts  # 02:00 does not exist
    assert [start for start in starts if start.startswith("2026-10-25")] == ["2026-10-25 02:00"]  # once
    assert all(start.endswith("02:00") for start in starts if start != "2026-03-29 03:00")
    assert found[starts.index("2026-10-25 02:00")][0] == at("2026-10-25 02:00", fold=0)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-29 02:00", {"until": "04:00"}, 1),
        ("2026-10-25 02:00", {"until": "04:00"}, 3),
        ("2026-03-29 02:00", {"duration_ms": 2 * HOUR}, 2),
        ("2026-10-25 02:00", {"duration_ms": 2 * HOUR}, 2),
    ],
)
def test_case_16_until_goes_by_the_clock_and_duration_by_elapsed_time(
    start: str, end: dict[str, Any], hours: int
) -> None:
    [once] = occurrences(window(start=f"{start}:00", **end), 0, at("2027-01-01 00:00"))
    [weekly] = occurrences(window(cron="0 2 * * sun", **end), at(f"{start[:10]} 00:00"), at(f"{start[:10]} 23:00"))
    assert once == weekly
    assert once[1] - once[0] == hours * HOUR


def test_case_17_a_long_window_is_found_from_inside_it() -> None:
    daily = window(cron="30 23 * * *", duration_ms=24 * HOUR)
    asked = at("2026-11-11 23:10")
    assert (at("2026-11-10 23:30"), at("2026-11-11 23:30")) in occurrences(daily, asked, asked + 1)
    weekend = window(cron="0 18 * * fri", duration_ms=48 * HOUR)
    noon = at("2026-11-14 12:00")
    assert occurrences(weekend, noon, noon + 1) == ((at("2026-11-13 18:00"), at("2026-11-15 18:00")),)


def test_case_18_ten_hours_ahead_is_too_late_and_exactly_the_notice_is_enough() -> None:
    body = window(start="2026-11-20 02:00:00", duration_ms=2 * HOUR)
    late = version("a", "2026-11-19 16:00", body)
    exact = version("b", "2026-11-17 02:00", body)
    found = {w.definition: accept(w, WindowTerms(72 * HOUR), "UTC") for w in windows_between([late, exact], 0, 2**42)}
    assert found["a"] == (False, "announced 10 h 00 min before its start, 72 h 00 min agreed")
    assert found["b"][0] is True


def test_case_49_a_window_changed_on_the_20th_leaves_the_days_before_as_they_were() -> None:
    history = [
        version("patches", "2026-10-01 00:00", window(cron="0 2 * * *", duration_ms=HOUR)),
        version("patches", "2026-11-20 12:00", window(cron="0 5 * * *", duration_ms=2 * HOUR)),
    ]
    found = windows_between(history, at("2026-11-01 00:00"), at("2026-12-01 00:00"))
    assert [local(w.from_ms) for w in found[:20]] == [f"2026-11-{day:02} 02:00" for day in range(1, 21)]
    assert [local(w.from_ms) for w in found[20:]] == [f"2026-11-{day:02} 05:00" for day in range(21, 31)]
    assert {w.entered_ms for w in found[:20]} == {at("2026-10-01 00:00")}
    assert {w.entered_ms for w in found[20:]} == {at("2026-11-20 12:00")}


def test_case_49_a_window_typed_in_after_it_began_is_listed_and_not_accepted() -> None:
    typed = version("emergency", "2026-11-20 10:30", window(start="2026-11-20 10:00:00", duration_ms=HOUR))
    [found] = windows_between([typed], at("2026-11-20 00:00"), at("2026-11-21 00:00"))
    assert accept(found, WindowTerms(), "UTC") == (False, "announced 30 min after its start")


def test_a_recurrence_has_no_occurrence_before_it_was_known() -> None:
    history = [version("patches", "2026-11-10 12:00", window(cron="0 2 * * *", duration_ms=HOUR))]
    assert local(windows_between(history, 0, at("2026-11-20 00:00"))[0].from_ms) == "2026-11-11 02:00"


def test_a_window_removed_before_it_began_is_gone_and_one_removed_later_stays() -> None:
    body = window(start="2026-11-20 02:00:00", duration_ms=HOUR)
    before = [version("a", "2026-11-01 00:00", body), version("a", "2026-11-19 00:00", None)]
    after = [version("a", "2026-11-01 00:00", body), version("a", "2026-11-21 00:00", None)]
    assert windows_between(before, 0, 2**42) == ()
    assert len(windows_between(after, 0, 2**42)) == 1


def test_a_new_title_does_not_shorten_the_notice_but_a_new_time_does() -> None:
    first = version("a", "2026-11-01 00:00", window(start="2026-11-20 02:00:00", duration_ms=HOUR))
    retitled = version("a", "2026-11-19 00:00", window(start="2026-11-20 02:00:00", duration_ms=HOUR, title="New"))
    moved = version("a", "2026-11-19 00:00", window(start="2026-11-20 03:00:00", duration_ms=HOUR))
    [same] = windows_between([first, retitled], 0, 2**42)
    [other] = windows_between([first, moved], 0, 2**42)
    assert (same.entered_ms, same.title) == (at("2026-11-01 00:00"), "New")
    assert (other.entered_ms, local(other.from_ms)) == (at("2026-11-19 00:00"), "2026-11-20 03:00")


def test_a_window_that_now_covers_more_was_announced_only_now() -> None:
    first = version("a", "2026-11-01 00:00", window(start="2026-11-20 02:00:00", duration_ms=HOUR))
    wider = window(start="2026-11-20 02:00:00", duration_ms=HOUR) | {"for": [["service", "api"], ["endpoint", "db"]]}
    [found] = windows_between([first, version("a", "2026-11-19 00:00", wider)], 0, 2**42)
    assert found.entered_ms == at("2026-11-19 00:00")


def test_every_hour_runs_through_both_autumn_hours_and_over_the_spring_gap() -> None:
    hourly = window(cron="30 * * * *", duration_ms=HOUR // 2)
    autumn = occurrences(hourly, at("2026-10-25 00:00"), at("2026-10-26 00:00"))
    spring = occurrences(hourly, at("2026-03-29 00:00"), at("2026-03-30 00:00"))
    assert len(autumn) == 25
    assert [local(start) for start, _ in autumn[2:4]] == ["2026-10-25 02:30"] * 2
    assert [local(start) for start, _ in spring[:4]] == [
        f"2026-03-29 0{time}" for time in ("0:30", "1:30", "3:00", "3:30")
    ]


def test_an_end_by_the_clock_before_the_start_is_on_the_next_day() -> None:
    night = window(cron="0 22 * * *", until="04:00")
    found = occurrences(night, at("2026-11-10 00:00"), at("2026-11-10 23:59"))
    assert [(local(start), local(end)) for start, end in found] == [
        ("2026-11-09 22:00", "2026-11-10 04:00"),
        ("2026-11-10 22:00", "2026-11-11 04:00"),
    ]


def test_occurrences_touch_the_asked_span_and_nothing_more() -> None:
    daily = window(cron="0 2 * * *", duration_ms=HOUR)
    start, end = at("2026-11-10 02:00"), at("2026-11-10 03:00")
    assert occurrences(daily, end, end + HOUR) == ()
    assert occurrences(daily, start - HOUR, start) == ()
    assert occurrences(daily, end - 1, end) == ((start, end),)


@pytest.mark.skipif(not ORACLE.exists(), reason="the awkward recurrences and their oracle are not in this checkout")
@pytest.mark.parametrize(
    ("name", "cron", "until", "tz"),
    [
        ("patch_tuesday_2TU_newyork", "0 22 * * tue#2", "02:00", "America/New_York"),
        ("dst_span_sunday_berlin", "0 0 * * sun", "06:00", "Europe/Berlin"),
        ("last_day_of_month", "0 22 l * *", "00:00", "Asia/Kolkata"),
    ],
)
def test_awkward_recurrences_agree_with_an_icalendar_oracle(name: str, cron: str, until: str, tz: str) -> None:
    expected = json.loads(ORACLE.read_text())[name]["occurrences"]
    found = occurrences(
        window(cron=cron, until=until, timezone=tz), at("2026-01-01 00:00", tz), at("2027-01-01 00:00", tz)
    )
    assert [[utc(start), utc(end)] for start, end in found] == [occurrence[:2] for occurrence in expected]


def utc(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, ZoneInfo('UTC')):%Y-%m-%dT%H:%M:%SZ}"
