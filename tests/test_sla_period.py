"""Periods and local time: cut by wall clock in a named zone, never by adding 86 400 s."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sla_builders import DAY, HOUR, ms

from sla.period import PeriodError, days, local, parse, wall_to_ms, zone


@pytest.mark.parametrize(
    ("text", "start", "end", "label"),
    [
        ("2026-10", "2026-09-30 22:00", "2026-10-31 23:00", "October 2026"),
        ("2026-Q4", "2026-09-30 22:00", "2026-12-31 23:00", "Quarter 4 of 2026"),
        ("2026-W01", "2025-12-28 23:00", "2026-01-04 23:00", "Week 1 of 2026"),
        ("2026", "2025-12-31 23:00", "2026-12-31 23:00", "2026"),
        ("2026-11-20/2026-11-22", "2026-11-19 23:00", "2026-11-21 23:00", "2026-11-20 to 2026-11-21"),
    ],
)
def test_a_period_is_cut_at_local_midnights(text: str, start: str, end: str, label: str) -> None:
    found = parse(text, "Europe/Berlin")
    assert (found.from_ms, found.to_ms, found.label, found.code) == (ms(start), ms(end), label, text)


@pytest.mark.parametrize(("month", "hours"), [("2026-10", 745), ("2026-03", 743), ("2026-11", 720)])
def test_a_month_has_the_hours_its_clocks_show(month: str, hours: int) -> None:
    found = parse(month, "Europe/Berlin")
    assert found.to_ms - found.from_ms == hours * HOUR


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oct",
        "2026-13",
        "2026-Q5",
        "2026-W54",
        "2026-10-01",
        "2026-11-22/2026-11-20",
        "2026-02-30/2026-03-01",
        "0001",
    ],
)
def test_what_is_no_period_is_refused_with_examples(text: str) -> None:
    with pytest.raises(PeriodError, match=r"write e.g. 2026-10, 2026-Q4") as refused:
        parse(text, "UTC")
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("tz", ["Europe/Berlim", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused_with_an_example(tz: str) -> None:
    with pytest.raises(PeriodError, match=r"is no IANA time zone; write e.g. Europe/Berlin"):
        parse("2026-10", tz)


@pytest.mark.parametrize(
    ("wall", "tz", "instant"),
    [
        ("2026-03-29 02:00", "Europe/Berlin", "2026-03-29 01:00"),  # does not exist: the first instant that does
        ("2026-03-29 02:59:59.999", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-03-29 03:00", "Europe/Berlin", "2026-03-29 01:00"),
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25 00:30"),  # exists twice: the first
        ("2026-10-25 03:00", "Europe/Berlin", "2026-10-25 02:00"),
        ("2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-03 15:30"),  # a jump of half an hour
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 10:00"),  # a whole day that was skipped
    ],
)
def test_wall_times_that_do_not_exist_or_exist_twice(wall: str, tz: str, instant: str) -> None:
    assert wall_to_ms(datetime.fromisoformat(wall), zone(tz)) == ms(instant)


@given(
    st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2036-01-01")),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo"]),
)
def test_every_wall_time_is_an_instant_that_shows_it_or_the_first_after_the_gap(naive: datetime, tz: str) -> None:
    naive = naive.replace(microsecond=naive.microsecond // 1000 * 1000)
    shown = local(wall_to_ms(naive, zone(tz)), tz).replace(tzinfo=None)
    assert shown >= naive
    if shown != naive:
        before = local(wall_to_ms(naive, zone(tz)) - 1, tz).replace(tzinfo=None)
        assert before < naive


@given(
    st.integers(1990, 2035),
    st.integers(1, 12),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia"]),
)
def test_days_partition_the_period(year: int, month: int, tz: str) -> None:
    period = parse(f"{year}-{month:02d}", tz)
    found = days(period)
    assert [start for _, start, _ in found] == [period.from_ms, *(end for _, _, end in found[:-1])]
    assert found[-1][2] == period.to_ms


def test_the_days_of_a_period_that_begins_within_one_are_clipped() -> None:
    found = days(parse("2026-10-25/2026-10-26", "Europe/Berlin"))
    assert [(day.isoformat(), end - start) for day, start, end in found] == [("2026-10-25", 25 * HOUR)]
    assert [end - start for _, start, end in days(parse("2026-11-01/2026-11-03", "UTC"))] == [DAY, DAY]


def test_local_time_is_aware() -> None:
    assert local(0, "UTC") == datetime(1970, 1, 1, tzinfo=UTC)
