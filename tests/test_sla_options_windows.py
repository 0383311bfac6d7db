"""Allowed hours and caps of maintenance, categories of exclusions, service hours, periods: what the base is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from sla_builders import HOUR, contract, exclusion, judged, lasting, measured, ms, statement, terms, window

from config.calendars import outside_hours
from sla.facts import Window
from sla.hours import hours_within, week_json, week_text
from sla.period import Period, days, parse, running
from sla.spans import Spans
from sla.terms import Hours, ServiceHours, WindowCap, WindowTerms
from sla.windows import judge_windows

NONE: Hours = ()
NIGHT: tuple[Hours, ...] = (*[NONE] * 5, ((22 * 60, 24 * 60),), ((0, 6 * 60),))  # Saturday 22:00 to Sunday 06:00
OFFICE = ((8 * 60, 18 * 60),)
WEEK = (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, NONE, NONE)
CAP = WindowTerms(cap=WindowCap(3 * HOUR, "month"))


def told(start: str, end: str, id: str = "M-1") -> Window:
    return window(start, end, entered="2026-01-01", on=(("service", "api"),), id=id)


@pytest.mark.parametrize(
    ("start", "end", "accepted"),
    [
        ("2026-11-08 00:00", "2026-11-08 06:00", True),
        ("2026-11-07 23:00", "2026-11-08 01:00", True),
        ("2026-11-08 05:00", "2026-11-08 06:00:01", False),
        ("2026-11-09 02:00", "2026-11-09 03:00", False),
    ],
)
def test_a_window_is_accepted_only_wholly_inside_the_allowed_hours(start: str, end: str, *, accepted: bool) -> None:
    agreed = terms(windows=WindowTerms(allowed=NIGHT))
    found = judged(measured(lasting(start, HOUR), windows=(told(start, end),)), agreed=contract(agreed))
    (printed,) = found.maintenance
    assert printed.accepted is accepted
    assert (found.split_ms["maintenance"] > 0, found.split_ms["down"] > 0) == (accepted, not accepted)
    if not accepted:
        assert printed.why == "not inside the agreed hours, sat 22:00-24:00, sun 00:00-06:00"


def test_allowed_hours_are_those_of_the_contracts_clocks() -> None:
    agreed = terms(tz="Europe/Berlin", windows=WindowTerms(allowed=NIGHT))
    inside = told("2026-11-07 21:00", "2026-11-08 05:00")  # 22:00 to 06:00 in Berlin
    assert judge_windows([inside], [agreed], as_of_ms=ms("2026-12-01"))[0].accepted
    late = replace(inside, to_ms=inside.to_ms + 1)
    assert not judge_windows([late], [agreed], as_of_ms=ms("2026-12-01"))[0].accepted


def test_windows_use_up_the_cap_in_order_of_start_and_what_lies_beyond_counts() -> None:
    windows = (
        told("2026-11-20 00:00", "2026-11-20 02:00", "M-3"),
        told("2026-11-05 00:00", "2026-11-05 02:00", "M-1"),
        told("2026-11-10 00:00", "2026-11-10 02:00", "M-2"),
    )
    found = judged(
        measured(lasting("2026-11-10 00:00", 2 * HOUR), windows=windows), agreed=contract(terms(windows=CAP))
    )
    assert [(each.id, each.accepted) for each in found.maintenance] == [("M-1", True), ("M-2", True), ("M-3", False)]
    assert found.maintenance[1].why.endswith("; 1 h 00 min of it, 3 h 00 min per month agreed")
    assert found.maintenance[2].why == "3 h 00 min per month agreed, used up before it"
    assert (found.split_ms["maintenance"], found.split_ms["down"]) == (3 * HOUR, HOUR)


def test_a_window_that_is_not_accepted_uses_none_of_the_cap_and_overlaps_count_once() -> None:
    late = window(
        "2026-11-05 00:00", "2026-11-05 02:00", entered="2026-11-05 01:00", on=(("service", "api"),), id="M-0"
    )
    twice = (told("2026-11-10 00:00", "2026-11-10 02:00"), told("2026-11-10 01:00", "2026-11-10 03:00", "M-2"))
    found = judged(measured(windows=(late, *twice)), agreed=contract(terms(windows=CAP)))
    assert [each.accepted for each in found.maintenance] == [False, True, True]
    assert found.split_ms["maintenance"] == 3 * HOUR


def test_a_window_across_midnight_uses_the_cap_of_each_month() -> None:
    across = told("2026-10-31 20:00", "2026-11-01 02:00")
    agreed = contract(terms(windows=WindowTerms(cap=WindowCap(2 * HOUR, "month"))))
    assert judged(measured(windows=(across,)), "2026-10", agreed).split_ms["maintenance"] == 2 * HOUR
    assert judged(measured(windows=(across,)), "2026-11", agreed).split_ms["maintenance"] == 2 * HOUR


def test_windows_of_earlier_months_use_up_a_cap_per_year_and_are_not_listed() -> None:
    earlier = told("2026-02-01 00:00", "2026-02-01 09:00", "M-1")
    now = told("2026-11-05 00:00", "2026-11-05 02:00", "M-2")
    agreed = contract(terms(windows=WindowTerms(cap=WindowCap(10 * HOUR, "year"))))
    found = judged(measured(windows=(earlier, now)), agreed=agreed)
    assert ([each.id for each in found.maintenance], found.split_ms["maintenance"]) == (["M-2"], HOUR)


def test_a_decision_on_record_uses_the_cap_and_keeps_its_words() -> None:
    decided = replace(told("2026-11-05 00:00", "2026-11-05 02:00"), accepted=True, why="on record")
    more = told("2026-11-10 00:00", "2026-11-10 02:00", "M-2")
    first, second = judge_windows([decided, more], [terms(windows=CAP)], as_of_ms=ms("2026-12-01"))
    assert (first.why, first.covers) == ("on record", None)
    assert second.covers == Spans.of([(more.from_ms, more.from_ms + HOUR)])


def test_only_exclusions_of_a_category_that_the_contract_names_take_time_out() -> None:
    entries = (
        exclusion("2026-11-10 00:00", "2026-11-10 01:00", "X-1", category="force_majeure"),
        exclusion("2026-11-11 00:00", "2026-11-11 01:00", "X-2", category="third_party"),
        exclusion("2026-11-12 00:00", "2026-11-12 01:00", "X-3", category="false_positive"),
    )
    facts = measured(*(lasting(f"2026-11-1{n} 00:00", HOUR, f"O-{n}") for n in range(3)), exclusions=entries)
    assert judged(facts).split_ms["excluded"] == 2 * HOUR
    agreed = contract(terms(exclusion_categories=("force_majeure", "client")))
    found = judged(facts, agreed=agreed)
    assert (found.split_ms["excluded"], found.split_ms["down"]) == (HOUR, HOUR)
    printed = statement(facts, agreed=agreed).contract["versions"][0]["terms"]
    assert printed["exclusion_categories"] == ["force_majeure", "client"]


def within(*, tz: str, period: str, off: frozenset[date] = frozenset()) -> int:
    asked = parse(period, tz)
    return hours_within(WEEK, tz, asked.from_ms, asked.to_ms, without=off).total_ms


def test_service_hours_go_by_the_clocks_of_the_zone() -> None:
    every_day = ((((0, 24 * 60),)),) * 7
    for period, hours in (("2026-10", 745), ("2026-03", 743)):
        asked = parse(period, "Europe/Berlin")
        assert hours_within(every_day, "Europe/Berlin", asked.from_ms, asked.to_ms).total_ms == hours * HOUR
    night = (((0, 4 * 60),),) * 7
    for day, hours in (("2026-03-29/2026-03-30", 3), ("2026-10-25/2026-10-26", 5)):
        asked = parse(day, "Europe/Berlin")
        assert hours_within(night, "Europe/Berlin", asked.from_ms, asked.to_ms).total_ms == hours * HOUR
    assert within(tz="Europe/Berlin", period="2026-12") == 23 * 10 * HOUR
    assert within(tz="Europe/Berlin", period="2026-12", off=frozenset([date(2026, 12, 25)])) == 22 * 10 * HOUR


def test_hours_past_midnight_belong_to_the_day_they_begin_on() -> None:
    friday_night = (*[NONE] * 4, ((22 * 60, 30 * 60),), NONE, NONE)
    asked = parse("2026-11-14/2026-11-15", "UTC")  # a Saturday
    assert hours_within(friday_night, "UTC", asked.from_ms, asked.to_ms).total_ms == 6 * HOUR
    off = frozenset([date(2026, 11, 13)])
    assert not hours_within(friday_night, "UTC", asked.from_ms, asked.to_ms, without=off)
    assert week_json(friday_night) == {"fri": ["22:00-06:00"]}
    assert week_text(WEEK) == "mon-fri 08:00-18:00"


def test_downtime_outside_the_service_hours_counts_nothing_and_they_follow_the_version() -> None:
    office = ServiceHours(WEEK, ("DE-BE",), frozenset([date(2026, 11, 4)]))
    agreed = contract(terms(service_hours=office), terms(start=ms("2026-11-16")))
    facts = measured(
        lasting("2026-11-03 06:00", 4 * HOUR, "O-1"), lasting("2026-11-04 09:00", HOUR, "O-2"),
        outside_hours=outside_hours(agreed, ms("2026-11-01"), ms("2026-12-01")),
    )  # fmt: skip
    found = judged(facts, agreed=agreed)
    assert found.split_ms["down"] == 2 * HOUR
    assert [part.considered_ms for part in found.parts] == [9 * 10 * HOUR, 15 * 24 * HOUR]
    assert found.parts[0].options["service_hours"]["holidays"] == ["DE-BE"]
    assert found.parts[1].options["service_hours"] == "always"


@pytest.mark.parametrize(
    ("agreed", "code", "start", "end"),
    [
        ("month", "2026-11", "2026-11-01", "2026-12-01"),
        ("week", "2026-W47", "2026-11-16", "2026-11-23"),
        ("quarter", "2026-Q4", "2026-10-01", "2027-01-01"),
        ("year", "2026", "2026-01-01", "2027-01-01"),
        ("billing month from day 15", "2026-11", "2026-11-15", "2026-12-15"),
        ("billing month from day 19", "2026-10", "2026-10-19", "2026-11-19"),
    ],
)
def test_the_running_period_is_the_agreed_one(agreed: str, code: str, start: str, end: str) -> None:
    found = running(ms("2026-11-18 12:00"), "UTC", agreed)
    assert (found.code, found.from_ms, found.to_ms) == (code, ms(start), ms(end))
    assert parse(code, "UTC", agreed) == found


def test_a_billing_month_begins_on_the_last_day_of_a_shorter_month() -> None:
    agreed = "billing month from day 31"
    months = [parse(f"2026-{month:02d}", "UTC", agreed) for month in (1, 2, 3, 4)]
    assert [days(each)[0][0].isoformat() for each in months] == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    assert all(a.to_ms == b.from_ms for a, b in pairwise(months))
    assert months[1].label == "Month from 28 February 2026"


def test_case_21_february_and_march_together_pool_their_seconds_in_a_quarter() -> None:
    agreed = contract(terms(period="quarter", start=ms("2026-02-01")))
    found = judged(
        measured(lasting("2026-02-10 00:00", 10 * HOUR)),
        Period(ms("2026-01-01"), ms("2026-04-01"), "UTC", "Q1"),
        agreed,
    )
    assert (found.considered_ms, str(found.availability_pct)[:6]) == ((672 + 744) * HOUR, "99.293")


def test_a_partial_first_period_may_count_up_what_was_not_contracted() -> None:
    facts = measured(lasting("2026-11-20 10:00", HOUR))
    prorated = judged(facts, agreed=contract(terms(start=ms("2026-11-16"))))
    counted_up = judged(facts, agreed=contract(terms(start=ms("2026-11-16"), partial_period="counts_up")))
    assert (prorated.considered_ms, counted_up.considered_ms) == (360 * HOUR, 720 * HOUR)


def test_the_objective_is_never_shown_to_the_client() -> None:
    agreed = contract(replace(terms(), objective=terms("99.95").target))
    found = statement(measured(), agreed=agreed)
    assert "objective" not in found.contract["versions"][0]["terms"]
    assert "99.95" not in repr(found)
