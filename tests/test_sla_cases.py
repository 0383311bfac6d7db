"""The worked cases of the accounting: classes, figures, verdicts, budgets. One test per numbered case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import pytest
from sla_builders import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    contract,
    endpoint,
    exclusion,
    judged,
    lasting,
    measured,
    ms,
    outage,
    service,
    spans,
    terms,
    window,
)

from sla.budget import exhausted, used_share
from sla.facts import All, Any_, Member, ServiceFacts
from sla.figures import duration_text, floored, printed_pct
from sla.period import parse, wall_to_ms, zone
from sla.statement import ServiceStatement
from sla.terms import WindowTerms

WHOLE_MONTH_BLIND = spans(("2026-11-01", "2026-12-01"))


def printed(found: ServiceStatement) -> str:
    assert found.availability_pct is not None
    return printed_pct(found.availability_pct, target_pct=found.target_pct)


def exact_pct(found: ServiceStatement) -> Fraction:
    return (1 - Fraction(found.measure.counted) / Fraction(found.measure.base)) * 100


def five_hours_blind(**options: str) -> ServiceStatement:
    facts = measured(lasting("2026-11-20 10:00", 30 * MINUTE), unknown=spans(("2026-11-10 00:00", "2026-11-10 05:00")))
    return judged(facts, agreed=contract(terms("99.9", **options)))


def test_case_05_a_gap_of_five_hours_leaves_the_month_undetermined() -> None:
    found = five_hours_blind()
    assert (printed(found), found.coverage_pct, found.bounds_pct) == ("99.930", "99.305", ("99.236", "99.931"))
    assert (found.verdict, found.reason) == ("UNDETERMINED", "bounds")
    assert found.split_ms["unknown"] == 5 * HOUR


def test_case_06_a_month_without_one_check_has_no_figure_and_no_credit_decision() -> None:
    facts = measured(unknown=WHOLE_MONTH_BLIND, first_check_ms=None)
    found = judged(facts, agreed=contract(terms(fee="2500.00 EUR", credits={"< 99.9": "10"})))
    assert (found.verdict, found.reason, found.coverage_pct) == ("NO_DATA", "no_checks", "0.000")
    assert (found.availability_pct, found.bounds_pct, found.considered_ms) == (None, None, 0)
    assert found.credit is not None
    assert (found.credit.amount, found.credit.determined, found.credit.state) == (None, False, "none")


@pytest.mark.parametrize(("month", "down_s", "pct"), [("2026-10", 1800, "99.932"), ("2026-11", 2700, "99.895")])
def test_case_07_an_outage_across_midnight_is_split_between_the_months(month: str, down_s: int, pct: str) -> None:
    found = judged(measured(outage("2026-10-31 23:30", "2026-11-01 00:45", "O-1")), month)
    assert (found.measure.counted, printed(found)) == (str(down_s * SECOND), pct)
    assert (found.outages[0].from_ms, found.outages[0].to_ms) == (ms("2026-10-31 23:30"), ms("2026-11-01 00:45"))
    assert found.outages[0].counted_ms == down_s * SECOND


def test_case_08_a_running_outage_is_counted_until_now_and_the_month_is_provisional() -> None:
    found = judged(measured(outage("2026-11-20 00:00", None, "O-1")), as_of="2026-11-22 00:00")
    assert (printed(found), found.considered_ms) == ("90.476", 1_814_400 * SECOND)
    assert (found.verdict, found.provisional) == ("NOT_MET", True)
    assert found.budget is not None
    assert (found.budget.used_ms, found.budget.allowed_ms) == (172_800 * SECOND, 2_592 * SECOND)
    assert found.outages[0].to_ms is None
    assert found.timeline[-1].to_ms == ms("2026-11-22 00:00")


def test_case_09_a_past_month_stays_what_it_was_whenever_it_is_asked_for() -> None:
    facts = measured(outage("2026-07-01 08:00", "2026-07-01 09:00"))
    found = judged(facts, "2026-07", as_of="2026-08-01 00:00")
    assert (printed(found), found.provisional) == ("99.865", False)
    assert judged(facts, "2026-07", as_of="2026-11-01 00:00") == found


def test_case_10_october_in_berlin_has_745_hours() -> None:
    found = judged(
        measured(lasting("2026-10-10 10:00", 2_680 * SECOND)),
        parse("2026-10", "Europe/Berlin"),
        contract(terms("99.9", tz="Europe/Berlin")),
    )
    assert (found.considered_ms, found.verdict, printed(found)) == (745 * HOUR, "MET", "99.900")
    assert found.availability_pct == "99.900074"


def test_case_11_accepted_maintenance_leaves_the_base() -> None:
    facts = measured(
        lasting("2026-11-20 00:00", 432 * MINUTE), windows=(window("2026-11-05 00:00", "2026-11-09 04:00"),)
    )
    found = judged(facts, agreed=contract(terms("99")))
    assert (found.split_ms["maintenance"], printed(found), found.verdict) == (100 * HOUR, "98.838", "NOT_MET")


def test_case_12_of_an_outage_around_a_window_only_the_rest_counts() -> None:
    facts = measured(
        outage("2026-11-10 01:30", "2026-11-10 04:30", "O-7K3F2"),
        windows=(window("2026-11-10 02:00", "2026-11-10 04:00", id="M-1"),),
    )
    found = judged(facts)
    (only,) = found.outages
    assert (only.id, only.counted_ms, only.down_ms) == ("O-7K3F2", HOUR, 3 * HOUR)
    assert [(line.time_class, line.ref) for line in found.timeline] == [
        ("up", None),
        ("down", "O-7K3F2"),
        ("maintenance", "M-1"),
        ("down", "O-7K3F2"),
        ("up", None),
    ]


def test_case_13_overlapping_outages_and_windows_are_unions() -> None:
    facts = measured(
        outage("2026-11-10 10:00", "2026-11-10 11:00", "O-1"),
        outage("2026-11-10 10:30", "2026-11-10 11:30", "O-2"),
        windows=(
            window("2026-11-12 02:00", "2026-11-12 04:00", id="M-1"),
            window("2026-11-12 03:00", "2026-11-12 05:00", id="M-2"),
        ),
    )
    found = judged(facts)
    assert (found.split_ms["down"], found.split_ms["maintenance"]) == (90 * MINUTE, 3 * HOUR)
    assert [each.counted_ms for each in found.outages] == [60 * MINUTE, 30 * MINUTE]


def test_case_14_work_that_overruns_its_window_is_downtime() -> None:
    facts = measured(
        outage("2026-11-10 02:00", "2026-11-10 05:00"), windows=(window("2026-11-10 02:00", "2026-11-10 04:00"),)
    )
    found = judged(facts)
    assert (found.split_ms["maintenance"], found.split_ms["down"]) == (2 * HOUR, HOUR)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 1), ((2026, 10, 25), 3)])
def test_case_16_from_two_to_four_by_the_clock_is_as_long_as_the_night_makes_it(
    day: tuple[int, int, int], hours: int
) -> None:
    start, end = (wall_to_ms(datetime(*day, hour), zone("Europe/Berlin")) for hour in (2, 4))  # noqa: DTZ001
    assert end - start == hours * HOUR


def test_case_18_a_window_told_too_late_counts_and_says_why() -> None:
    asked = contract(terms(windows=WindowTerms(notice_ms=72 * HOUR)))
    down = outage("2026-11-10 02:00", "2026-11-10 03:00")
    late = window("2026-11-10 02:00", "2026-11-10 04:00", entered="2026-11-09 16:00")
    in_time = replace(late, entered_ms=ms("2026-11-07 02:00"))
    counts = judged(measured(down, windows=(late,)), agreed=asked)
    assert (counts.split_ms["down"], counts.maintenance[0].accepted) == (HOUR, False)
    assert counts.maintenance[0].why == "announced 10 h 00 min before its start, 72 h 00 min agreed"
    taken = judged(measured(down, windows=(in_time,)), agreed=asked)
    assert (taken.split_ms["down"], taken.split_ms["maintenance"], taken.maintenance[0].accepted) == (0, 2 * HOUR, True)


def test_case_19_a_missed_target_never_prints_as_met() -> None:
    found = judged(measured(lasting("2026-11-20 10:00", 2_602 * SECOND)))
    assert (printed(found), found.verdict) == ("99.899", "NOT_MET")
    quarter = judged(measured(lasting("2026-11-20 10:00", 60 * SECOND)), parse("2026-09-01/2026-11-30", "UTC"))
    assert (quarter.considered_ms, printed(quarter)) == (90 * DAY, "99.999")


def test_case_20_exactly_the_target_is_met() -> None:
    found = judged(measured(lasting("2026-11-20 10:00", 2_592 * SECOND)))
    assert (exact_pct(found), found.verdict, printed(found)) == (Fraction("99.9"), "MET", "99.900")
    assert found.budget is not None
    assert (found.budget.remaining_ms, exhausted(found.budget)) == (0, True)


def test_case_21_two_months_together_pool_their_seconds() -> None:
    found = judged(measured(outage("2026-02-10 00:00", "2026-02-10 10:00")), parse("2026-02-01/2026-04-01", "UTC"))
    assert printed(found) == "99.293"


@pytest.mark.parametrize(("rule", "down_min"), [(All, 90), (Any_, 30)])
def test_case_22_series_and_redundant_services(rule: type[All] | type[Any_], down_min: int) -> None:
    a = endpoint("a", outages=(outage("2026-11-10 10:00", "2026-11-10 11:00", "O-A"),))
    b = endpoint("b", outages=(outage("2026-11-10 10:30", "2026-11-10 11:30", "O-B"),))
    found = judged(service(a, b, of=rule((Member("a"), Member("b")))))
    assert found.split_ms["down"] == down_min * MINUTE
    assert [(each.endpoints, each.counted_ms) for each in found.outages] == [(("a", "b"), down_min * MINUTE)]


def test_case_23_a_contract_that_begins_within_the_month_is_judged_on_its_own_time() -> None:
    facts = measured(outage("2026-11-20 08:00", "2026-11-20 09:00"))
    begun = contract(terms(start=ms("2026-11-15")))
    found = judged(facts, agreed=begun)
    assert (found.considered_ms, printed(found)) == (16 * DAY, "99.739")
    paused = judged(facts, agreed=replace(begun, paused=spans(("2026-11-25", "2026-11-27"))))
    assert (paused.considered_ms, printed(paused)) == (14 * DAY, "99.702")
    assert paused.split_ms["not_contracted"] == 16 * DAY


def test_case_24_the_first_hour_of_a_month_is_judged_against_the_whole_budget() -> None:
    found = judged(measured(outage("2026-11-01 00:15", "2026-11-01 00:45")), as_of="2026-11-01 01:00")
    assert (printed(found), found.verdict, found.provisional) == ("50.000", "MET", True)
    assert found.budget is not None
    assert (found.budget.used_ms, found.budget.allowed_ms) == (1_800 * SECOND, 2_592 * SECOND)


@pytest.mark.parametrize(("tz", "told"), [("UTC", "44 min 38.4 s"), ("Europe/Amsterdam", "44 min 42 s")])
def test_case_35_the_budget_follows_the_contracts_zone(tz: str, told: str) -> None:
    found = judged(measured(), parse("2026-10", tz), contract(terms("99.9", tz=tz)))
    assert found.budget is not None
    assert duration_text(found.budget.allowed_ms, rounding="exact") == told


@pytest.mark.parametrize(("effect", "pct"), [("exclude", "99.9099"), ("count_up", "99.9103")])
def test_case_36_maintenance_may_leave_the_base_or_count_up(effect: str, pct: str) -> None:
    facts = measured(
        lasting("2026-10-20 10:00", 40 * MINUTE), windows=(window("2026-10-10 00:00", "2026-10-10 04:00"),)
    )
    found = judged(facts, "2026-10", contract(terms("99.9", maintenance=effect)))
    assert floored(exact_pct(found), 4) == pct
    assert found.split_ms["maintenance"] == 4 * HOUR


def test_case_39_unknown_time_may_be_agreed_to_count_down() -> None:
    found = five_hours_blind(unknown="down")
    assert (printed(found), found.verdict, found.reason) == ("99.236", "NOT_MET", None)
    assert found.split_ms["unknown"] == 5 * HOUR
    assert five_hours_blind(unknown="up").verdict == "MET"


def test_case_40_low_coverage_leaves_the_month_undetermined_whatever_the_figure() -> None:
    blind = spans(("2026-11-01 00:00", "2026-11-02 19:12"))  # 6 % of 720 h
    found = judged(measured(unknown=blind), agreed=contract(terms("50")))
    assert (found.coverage_pct, found.availability_pct) == ("94.000", "100.000000")
    assert found.bounds_pct == ("94.000", "100.000")
    assert (found.verdict, found.reason) == ("UNDETERMINED", "coverage")


def redundant(*, b_down: bool) -> ServiceFacts:
    out = (outage("2026-11-10 02:00", "2026-11-10 04:00", "O-B"),) if b_down else ()
    return service(
        endpoint("a"),
        endpoint("b", outages=out),
        of=Any_((Member("a"), Member("b"))),
        windows=(window("2026-11-10 02:00", "2026-11-10 04:00", on=[("endpoint", "a")]),),
    )


def test_case_41_a_window_on_a_member_covers_the_service_where_that_member_decides() -> None:
    decides = judged(redundant(b_down=True))
    assert (decides.split_ms["maintenance"], decides.split_ms["down"]) == (2 * HOUR, 0)
    idle = judged(redundant(b_down=False))
    assert (idle.split_ms["maintenance"], idle.considered_ms) == (0, 30 * DAY)


def test_case_44_a_first_check_late_in_the_month_decides_nothing() -> None:
    facts = measured(unknown=spans(("2026-11-01", "2026-11-29")), first_check_ms=ms("2026-11-29"))
    found = judged(facts)
    assert (found.verdict, found.reason, found.coverage_pct) == ("UNDETERMINED", "coverage", "6.666")
    dated = judged(facts, agreed=contract(terms(before_first_check="not_contracted")))
    assert (dated.verdict, dated.considered_ms, dated.coverage_pct) == ("MET", 2 * DAY, "100.000")


def test_case_46_a_target_of_100_has_no_budget_and_one_second_exhausts_it() -> None:
    found = judged(measured(lasting("2026-11-20 10:00", SECOND)), agreed=contract(terms("100")))
    assert (found.verdict, printed(found)) == ("NOT_MET", "99.999")
    assert found.budget is not None
    assert (found.budget.allowed_ms, found.budget.used_ms, found.budget.remaining_ms) == (0, SECOND, -SECOND)
    assert (used_share(found.budget), exhausted(found.budget)) == (None, True)
    kept = judged(measured(), agreed=contract(terms("100")))
    assert kept.budget is not None
    assert (kept.verdict, exhausted(kept.budget)) == ("MET", False)


def test_case_47_an_idle_hour_taken_out_lowers_the_figure_a_little_but_never_under_count_up() -> None:
    down = lasting("2026-11-20 10:00", 30 * MINUTE)
    idle = exclusion("2026-11-10 00:00", "2026-11-10 01:00")
    plain = exact_pct(judged(measured(down)))
    excluded = judged(measured(down, exclusions=(idle,)))
    counted_up = judged(measured(down, exclusions=(idle,)), agreed=contract(terms(exclusions="count_up")))
    assert exact_pct(excluded) < plain
    assert exact_pct(counted_up) == plain
    assert excluded.exclusions[0].without_pct == judged(measured(down)).availability_pct


def test_case_49_an_endpoint_joins_the_service_from_the_day_it_was_added() -> None:
    broken = (
        outage("2026-11-10 10:00", "2026-11-10 11:00", "O-B1"),
        outage("2026-11-20 10:00", "2026-11-20 11:00", "O-B2"),
    )
    b = endpoint("b", outages=broken, unknown=spans(("2026-11-01", "2026-11-05")))
    a = endpoint("a", outages=(outage("2026-11-12 10:00", "2026-11-12 10:30", "O-A1"),))
    both = All((Member("a"), Member("b")))
    found = judged(service(a, b, composition=((ms("2026-11-01"), Member("a")), (ms("2026-11-16"), both))))
    assert (found.split_ms["down"], found.split_ms["unknown"]) == (90 * MINUTE, 0)
    assert [(each.id == "O-A1", each.endpoints) for each in found.outages] == [(True, ("a",)), (False, ("b",))]
    assert found.composition == "2 endpoints, all up"


def test_case_49_a_window_typed_in_after_it_began_is_not_accepted() -> None:
    late = window("2026-11-10 02:00", "2026-11-10 04:00", entered="2026-11-10 02:30")
    found = judged(measured(outage("2026-11-10 02:00", "2026-11-10 03:00"), windows=(late,)))
    assert (found.split_ms["maintenance"], found.split_ms["down"]) == (0, HOUR)
    assert found.maintenance[0].why == "announced 30 min after its start"


def test_case_50_as_many_digits_as_the_target_has() -> None:
    down_ms = 12_700  # 99.99951 % of 30 days
    found = judged(measured(lasting("2026-11-20 10:00", down_ms)), agreed=contract(terms("99.9995")))
    assert (printed(found), found.verdict) == ("99.9995", "MET")


def test_unknown_time_under_an_exclusion_that_counts_up_is_no_gap_of_coverage() -> None:
    half_a_day = ("2026-11-10 00:00", "2026-11-10 12:00")
    facts = measured(unknown=spans(half_a_day), exclusions=(exclusion(*half_a_day),))
    found = judged(facts, agreed=contract(terms(exclusions="count_up")))
    assert (found.split_ms["unknown"], found.split_ms["excluded"], found.coverage_pct) == (12 * HOUR, 0, "100.000")
    assert [line.ref for line in found.timeline if line.time_class == "unknown"] == ["X-1"]
