"""Every option of ACCOUNTING.md section 3 that decides which downtime counts, by the figure that it changes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

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
    statement,
    terms,
    window,
)

from sla.explain import explain
from sla.facts import AtLeast, Member, Outage, ServiceFacts
from sla.period import parse
from sla.spans import Spans
from sla.statement import ServiceStatement
from sla.terms import Comparing, Edge, Least

MINUTES = {"bucket_ms": MINUTE}
TEN_PERCENT = {"bucket_ms": MINUTE, "bad": Edge(">", Decimal(10)), "min_run": 10}


def under(
    facts: ServiceFacts, target: str | None = "99.9", period: str = "2026-11", **options: Any
) -> ServiceStatement:
    return judged(facts, period, contract(terms(target, **options)))


def counted_s(found: ServiceStatement) -> Fraction:
    """Seconds that count; the classes must sum to the period and the timeline be without a gap."""
    lines = found.timeline
    assert sum(found.split_ms.values()) == lines[-1].to_ms - lines[0].from_ms
    assert all(a.to_ms == b.from_ms for a, b in pairwise(lines))
    assert all(sum(line.to_ms - line.from_ms for line in lines if line.time_class == name) == total
               for name, total in found.split_ms.items())  # fmt: skip
    return Fraction(found.measure.counted) / SECOND


def down(*lengths_s: int, at: str = "2026-11-10 00:00") -> ServiceFacts:
    """Outages of these lengths, an hour apart."""
    start = ms(at)
    return measured(
        *(Outage(f"O-{n}", start + n * HOUR, start + n * HOUR + s * SECOND) for n, s in enumerate(lengths_s))
    )


SEEN = Outage(
    "O-1", ms("2026-11-10 10:00"), ms("2026-11-10 10:10"),
    last_good_ms=ms("2026-11-10 09:59"), first_bad_ms=ms("2026-11-10 10:00"), confirmed_ms=ms("2026-11-10 10:01"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "seconds"), [("first_failure", 600), ("last_success", 660), ("midpoint", 630), ("confirmation", 540)]
)
def test_outage_start_says_where_an_outage_begins(rule: str, seconds: int) -> None:
    found = under(measured(SEEN), outage_start=rule)
    assert counted_s(found) == seconds
    assert found.outages[0].to_ms == SEEN.to_ms
    assert found.outages[0].first_bad_ms == SEEN.first_bad_ms


@pytest.mark.parametrize("rule", ["last_success", "midpoint"])
def test_an_outage_never_begins_across_unknown_time(rule: str) -> None:
    blind = spans(("2026-11-10 09:59:05", "2026-11-10 09:59:50"))
    assert counted_s(under(measured(SEEN, unknown=blind), outage_start=rule)) == 610


def test_the_outage_start_is_that_of_the_version_at_the_first_failure() -> None:
    versions = (terms(outage_start="last_success"), terms(start=ms("2026-11-10"), outage_start="confirmation"))
    at_midnight = replace(
        SEEN, from_ms=ms("2026-11-10"), to_ms=ms("2026-11-10 00:10"), confirmed_ms=ms("2026-11-10 00:01"),
        last_good_ms=ms("2026-11-09 23:59"),
    )  # fmt: skip
    assert counted_s(judged(measured(at_midnight), agreed=contract(*versions))) == 540


def test_case_31_a_minimum_of_60_s_leaves_121_of_180_s() -> None:
    found = under(down(59, 60, 61), min_outage=Least(">=", 60 * SECOND))
    assert counted_s(found) == 121
    assert [each.counted_ms for each in found.outages] == [0, 60_000, 61_000]
    assert counted_s(under(down(59, 60, 61), min_outage=Least(">", 60 * SECOND))) == 61
    assert counted_s(under(down(59, 60, 61))) == 180


def test_an_outage_that_does_not_count_is_up_and_told() -> None:
    found = statement(down(59, 61), agreed=contract(terms(min_outage=Least(">=", 60 * SECOND))))
    (only,) = found.services
    assert [(line.time_class, line.ref) for line in only.timeline if line.ref] == [("up", "O-0"), ("down", "O-1")]
    assert only.split_ms["down"] == 61 * SECOND
    rule = "outages count that last >= 1 min, after exclusions"
    assert [(line.ref, line.text) for line in explain(found) if line.topic == "outage"] == [
        ("O-0", f"outage: 0 s counts; 59 s of downtime does not count: {rule}"),
        ("O-1", f"outage: 1 min 1 s counts; {rule}"),
    ]


def test_the_minimum_is_tested_on_each_piece_that_exclusions_leave_or_before_them() -> None:
    out = outage("2026-11-10 10:00", "2026-11-10 10:12", "O-1")
    facts = measured(out, exclusions=(exclusion("2026-11-10 10:05", "2026-11-10 10:08"),))
    least = Least(">=", 5 * MINUTE)
    assert counted_s(under(facts, min_outage=least)) == 5 * 60
    assert counted_s(under(facts, min_outage=least, min_outage_before_exclusions=True)) == 9 * 60


@pytest.mark.parametrize(("period", "seconds"), [("2026-11", 180), ("2026-12", 180)])
def test_the_minimum_is_tested_whole_across_the_periods_edge(period: str, seconds: int) -> None:
    facts = measured(outage("2026-11-30 23:57", "2026-12-01 00:03", "O-1"))
    assert counted_s(under(facts, period=period, min_outage=Least(">", 5 * MINUTE))) == seconds
    assert counted_s(under(facts, period=period, min_outage=Least(">", 6 * MINUTE))) == 0


def test_a_part_tests_the_whole_outage_under_its_own_minimum() -> None:
    facts = measured(outage("2026-11-15 23:58", "2026-11-16 00:04", "O-1"))
    versions = (
        terms("99.5", min_outage=Least(">", 6 * MINUTE)),
        terms("99.9", start=ms("2026-11-16"), min_outage=Least(">=", 6 * MINUTE)),
    )
    found = judged(facts, agreed=contract(*versions))
    assert [Fraction(part.measure.counted) / SECOND for part in found.parts] == [0, 240]


def test_unknown_time_does_not_cut_a_piece_and_the_bounds_try_both() -> None:
    blind = spans(("2026-11-10 10:00:40", "2026-11-10 10:01:00"))
    facts = measured(outage("2026-11-10 10:00", "2026-11-10 10:01:40", "O-1"), unknown=blind)
    found = under(facts, "99.999", min_outage=Least(">=", 60 * SECOND), min_coverage=Decimal(0))
    assert (counted_s(found), found.bounds_pct) == (80, ("99.996", "100.000"))
    assert (found.verdict, found.reason) == ("UNDETERMINED", "bounds")
    agreed_down = under(facts, min_outage=Least(">=", 101 * SECOND), unknown="down")
    assert counted_s(agreed_down) == 20  # what is agreed as down counts whole, the outage of 100 s is too short


def test_unknown_time_beside_a_short_outage_may_make_it_count() -> None:
    blind = spans(("2026-11-10 10:00:59", "2026-11-10 10:01:09"))
    facts = measured(outage("2026-11-10 10:00", "2026-11-10 10:00:59", "O-1"), unknown=blind)
    found = under(facts, "99.998", min_outage=Least(">=", 60 * SECOND))
    assert (counted_s(found), found.bounds_pct) == (0, ("99.997", "100.000"))
    assert found.reason == "bounds"
    assert counted_s(under(facts, min_outage=Least(">=", 60 * SECOND), unknown="down")) == 69


def test_outages_a_merge_gap_apart_are_one_and_the_gap_counts() -> None:
    first, second = (
        outage("2026-11-10 10:00", "2026-11-10 10:10", "O-1"),
        outage("2026-11-10 10:15", "2026-11-10 10:20"),
    )
    found = under(measured(first, second), merge_gap_ms=5 * MINUTE)
    assert (counted_s(found), found.outages[0].counted_ms) == (1200, 15 * MINUTE)
    assert counted_s(under(measured(first, second), merge_gap_ms=5 * MINUTE - 1)) == 900
    wrong = exclusion("2026-11-10 10:11", "2026-11-10 10:12", category="false_positive")
    assert counted_s(under(measured(first, second, exclusions=(wrong,)), merge_gap_ms=5 * MINUTE)) == 1140


def test_gaps_are_joined_before_the_minimum_is_tested() -> None:
    facts = measured(*(lasting(f"2026-11-10 10:0{n}", 40 * SECOND, f"O-{n}") for n in (0, 1)))
    assert counted_s(under(facts, merge_gap_ms=20 * SECOND, min_outage=Least(">=", 100 * SECOND))) == 100
    assert counted_s(under(facts, min_outage=Least(">=", 41 * SECOND))) == 0


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-11-10 06:00:00", "2026-11-10 06:43:06", 2580),  # exactly 10 % of the next minute
        ("2026-11-10 06:00:00", "2026-11-10 06:43:06.100", 2640),
        ("2026-11-03 00:00:30", "2026-11-03 00:10:30", 660),  # nine whole and two half minutes
        ("2026-11-02 00:00:00", "2026-11-02 00:09:06", 0),
        ("2026-11-02 00:00:00", "2026-11-02 00:09:59", 600),
        ("2026-11-30 23:55:00", "2026-12-01 00:05:00", 300),  # a run of ten across the period's edge
        ("2026-11-30 23:55:00", "2026-12-01 00:04:00", 0),
        ("2026-10-31 23:55:00", "2026-11-01 00:05:00", 300),
    ],
)
def test_bad_minutes_in_runs_of_ten(start: str, end: str, seconds: int) -> None:
    assert counted_s(under(measured(outage(start, end, "O-1")), **TEN_PERCENT)) == seconds


def test_an_exclusion_breaks_a_run_and_unknown_time_does_not() -> None:
    out = outage("2026-11-10 06:00", "2026-11-10 06:12", "O-1")
    cut = ("2026-11-10 06:05", "2026-11-10 06:08")
    assert counted_s(under(measured(out, exclusions=(exclusion(*cut),)), **TEN_PERCENT)) == 0
    nine = {**TEN_PERCENT, "min_run": 9}
    assert counted_s(under(measured(out, unknown=spans(cut)), **nine)) == 9 * 60
    assert counted_s(under(measured(out, unknown=spans(cut)), **TEN_PERCENT)) == 0


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [(Edge(">", Decimal(1)), 3060), (Edge(">", Decimal(5)), 3000), (Edge(">=", Decimal(100)), 3000)],
)
def test_a_bucket_counts_whole_from_its_share_on(limit: Edge, seconds: int) -> None:
    facts = measured(outage("2026-11-10 06:00", "2026-11-10 06:50:03", "O-1"))
    found = under(facts, bucket_ms=MINUTE, bad=limit)
    assert counted_s(found) == seconds
    assert found.outages[0].counted_ms == seconds * SECOND
    assert counted_s(under(facts)) == 3003


def test_only_the_considered_part_of_a_bad_bucket_counts() -> None:
    out = lasting("2026-11-10 06:00:30", 15 * SECOND)
    planned = (window("2026-11-10 06:00", "2026-11-10 06:00:30"),)
    half = {"bucket_ms": MINUTE, "bad": Edge(">=", Decimal(50))}
    assert counted_s(under(measured(out, windows=planned), **half)) == 30  # 15 of 30 s
    assert counted_s(under(measured(out, windows=planned), maintenance="count_up", **half)) == 0  # 15 of 60 s
    assert counted_s(under(measured(out, windows=planned), maintenance="ignore", **half)) == 0
    blind = spans(("2026-11-10 06:00", "2026-11-10 06:00:30"))
    assert counted_s(under(measured(out, unknown=blind), **half)) == 30


def test_a_bucket_under_way_is_judged_on_what_has_passed() -> None:
    facts = measured(outage("2026-11-10 06:00", None, "O-1"))
    found = judged(facts, agreed=contract(terms(**MINUTES)), as_of="2026-11-10 06:01:20")
    assert counted_s(found) == 80


def test_buckets_lie_on_the_grid_of_the_periods_start_by_elapsed_time() -> None:
    """The hours of Berlin's October go on by elapsed time through the night of 25 hours."""
    facts = measured(outage("2026-10-26 07:30", "2026-10-26 08:30", "O-1"))
    found = judged(facts, parse("2026-10", "Europe/Berlin"), contract(terms(tz="Europe/Berlin", bucket_ms=HOUR)))
    assert counted_s(found) == 0
    half = terms(tz="Europe/Berlin", bucket_ms=HOUR, bad=Edge(">=", Decimal(50)))
    assert counted_s(judged(facts, parse("2026-10", "Europe/Berlin"), contract(half))) == 7200


def test_what_is_filled_in_weighs_as_its_stretch_does() -> None:
    slow = (Outage("S-1", ms("2026-11-10 06:00"), ms("2026-11-10 06:00:30")),)
    half = {"bucket_ms": MINUTE, "bad": Edge(">", Decimal(10)), "degraded": Decimal("0.5")}
    assert counted_s(under(measured(degraded=slow), **half)) == 30
    assert counted_s(under(measured(degraded=slow), degraded=Decimal("0.5"))) == 15
    assert counted_s(under(measured(degraded=slow), **half | {"degraded": "up"})) == 0


def test_degraded_time_that_counts_makes_one_outage_with_down_time() -> None:
    slow = (Outage("S-1", ms("2026-11-10 06:00"), ms("2026-11-10 06:04")),)
    facts = measured(lasting("2026-11-10 06:04", 4 * MINUTE), degraded=slow)
    least = Least(">", 5 * MINUTE)
    assert counted_s(under(facts, degraded="down", min_outage=least)) == 480
    assert counted_s(under(facts, degraded="up", min_outage=least)) == 0


def test_the_figure_without_an_exclusion_joins_the_outage_again() -> None:
    out = outage("2026-11-10 10:00", "2026-11-10 10:10", "O-1")
    facts = measured(out, exclusions=(exclusion("2026-11-10 10:04", "2026-11-10 10:06"),))
    found = under(facts, min_outage=Least(">=", 10 * MINUTE))
    assert (counted_s(found), found.availability_pct) == (0, "100.000000")
    assert found.exclusions[0].without_pct == under(measured(out), min_outage=Least(">=", 10 * MINUTE)).availability_pct


def test_evidence_is_counted_by_the_same_options() -> None:
    out = replace(SEEN, last_bad_ms=ms("2026-11-10 10:09"), first_good_ms=ms("2026-11-10 10:10"))
    found = under(measured(out), min_outage=Least(">=", 10 * MINUTE))
    assert (found.availability_pct, found.evidence_pct) == ("99.976851", ("99.974", "100.000"))


def test_a_fixed_base_is_what_availability_is_a_share_of() -> None:
    facts = measured(lasting("2026-11-10 06:00", 1314 * SECOND))
    found = under(facts, "99.95", base_ms=43_800 * MINUTE)
    assert (found.considered_ms, found.availability_pct, found.verdict) == (2_628_000_000, "99.950000", "MET")
    february = under(measured(lasting("2027-02-10 06:00", 1314 * SECOND)), "99.95", "2027-02", base_ms=43_800 * MINUTE)
    assert (february.considered_ms, february.verdict) == (2_628_000_000, "MET")
    assert under(facts, "99.95").verdict == "NOT_MET"


def test_what_is_taken_out_shrinks_a_fixed_base_too() -> None:
    facts = measured(
        windows=(window("2026-11-10 00:00", "2026-11-10 10:00"),), unknown=spans(("2026-11-12", "2026-11-12 05:00"))
    )
    assert under(facts, base_ms=730 * HOUR).considered_ms == 715 * HOUR
    assert under(facts, base_ms=730 * HOUR, maintenance="count_up").considered_ms == 725 * HOUR
    assert under(measured(unknown=Spans.of([(0, ms("2027-01-01"))])), base_ms=730 * HOUR).verdict == "NO_DATA"


def test_the_parts_of_a_period_share_a_fixed_base_and_sum_to_it() -> None:
    versions = (terms("99.5", base_ms=730 * HOUR), terms("99.9", base_ms=730 * HOUR, start=ms("2026-10-16")))
    found = judged(measured(), "2026-10", contract(*versions))
    assert [part.considered_ms for part in found.parts] == [730 * HOUR * 15 // 31, 730 * HOUR - 730 * HOUR * 15 // 31]
    late = contract(terms(base_ms=730 * HOUR, start=ms("2026-11-16")))
    assert judged(measured(), agreed=late).considered_ms == 365 * HOUR
    assert judged(measured(), agreed=contract(replace(late.versions[0], options=replace(
        late.versions[0].options, partial_period="counts_up")))).considered_ms == 730 * HOUR  # fmt: skip


def test_a_running_period_has_its_share_of_a_fixed_base_and_the_whole_budget() -> None:
    found = judged(measured(), agreed=contract(terms("99", base_ms=730 * HOUR)), as_of="2026-11-16")
    assert found.considered_ms == 365 * HOUR
    assert found.budget is not None
    assert found.budget.allowed_ms == 73 * HOUR // 10


def test_more_downtime_than_a_fixed_base_is_no_negative_figure() -> None:
    found = under(measured(outage("2026-10-01", "2026-11-01", "O-1")), period="2026-10", base_ms=730 * HOUR)
    assert (found.availability_pct, counted_s(found)) == ("0.000000", 744 * 3600)


@pytest.mark.parametrize(
    ("compare", "verdict"),
    [
        (None, "NOT_MET"),
        (Comparing(2, "half_up"), "MET"),
        (Comparing(2, "half_even"), "MET"),  # half way between 99.89 and 99.90, and 90 is even
        (Comparing(2, "down"), "NOT_MET"),
        (Comparing(2, "up"), "MET"),
        (Comparing(3, "half_up"), "NOT_MET"),
    ],
)
def test_compare_rounds_before_the_target_is_compared(compare: Comparing | None, verdict: str) -> None:
    exactly = measured(lasting("2026-11-10 06:00", 30 * DAY * 105 // 100_000))  # 99.895 %
    found = under(exactly, "99.9", compare=compare)
    assert (found.availability_pct, found.verdict) == ("99.895000", verdict)


def test_a_rounded_comparison_is_told() -> None:
    facts = measured(lasting("2026-11-10 06:00", 2_700 * SECOND))
    found = statement(facts, agreed=contract(terms(compare=Comparing(2))))
    (said,) = [line.text for line in explain(found) if line.topic == "verdict"]
    assert said == "99.895833333333... % rounded to 2 digits (half up) >= 99.9 %"


@pytest.mark.parametrize(
    ("verdicts", "of_all", "voting"),
    [("down blind up", "unknown", "up"), ("up blind blind", "unknown", "unknown"), ("down down blind", "down", "down")],
)
def test_a_quorum_may_leave_out_those_that_have_no_vote(verdicts: str, of_all: str, voting: str) -> None:
    hour = ("2026-11-10 10:00", "2026-11-10 11:00")
    made = {
        "down": lambda name: endpoint(name, outages=(outage(*hour, f"O-{name}"),)),
        "blind": lambda name: endpoint(name, unknown=spans(hour)),
        "up": endpoint,
    }
    members = [made[verdict](name) for name, verdict in zip("abc", verdicts.split(), strict=True)]
    facts = service(*members, of=AtLeast(2, tuple(Member(name) for name in "abc")))
    for quorum_of, expected in (("all", of_all), ("voting", voting)):
        lines = under(facts, quorum_of=quorum_of).timeline
        assert next(line.time_class for line in lines if line.to_ms > ms(hour[0])) == expected


@pytest.mark.parametrize("change", [{"digits": 5}, {"rounding": "half_even"}])
def test_how_figures_are_printed_cuts_no_period(change: dict[str, Any]) -> None:
    found = judged(measured(), agreed=contract(terms(), terms(start=ms("2026-11-16"), **change)))
    assert len(found.parts) == 1
    assert {**found.parts[0].options, **change} == found.parts[0].options


@pytest.mark.parametrize(
    "change",
    [{"base_ms": 730 * HOUR}, {"min_outage": Least(">=", MINUTE)}, {"bucket_ms": MINUTE}, {"compare": Comparing(2)},
     {"degraded": "down"}, {"period": "quarter"}],
)  # fmt: skip
def test_a_change_of_base_or_measure_cuts_the_period(change: dict[str, Any]) -> None:
    found = judged(measured(), agreed=contract(terms(), terms(start=ms("2026-11-16"), **change)))
    assert [part.to_ms - part.from_ms for part in found.parts] == [15 * DAY, 15 * DAY]


def test_every_option_is_printed_in_the_statement_and_its_parts() -> None:
    options = {
        "outage_start": "midpoint", "min_outage": Least(">", 5 * MINUTE), "min_outage_before_exclusions": True,
        "merge_gap_ms": 30_000, "bucket_ms": MINUTE, "bad": Edge(">", Decimal("5.0")), "min_run": 10,
        "base_ms": 730 * HOUR, "compare": Comparing(2, "half_even"), "quorum_of": "voting",
        "period": "billing month from day 15",
    }  # fmt: skip
    found = statement(measured(), agreed=contract(terms(**options)))
    printed = {
        "outage_start": "midpoint", "min_outage": "> 300000 ms", "min_outage_before_exclusions": True,
        "merge_gap": 30_000, "bucket": 60_000, "bad": "> 5.0 %", "min_run": 10, "base": 2_628_000_000,
        "compare": {"digits": 2, "mode": "half_even"}, "quorum_of": "voting", "period": "billing month from day 15",
    }  # fmt: skip
    for told in (found.options, found.services[0].parts[0].options):
        assert {**told, **printed} == told


def test_the_outages_of_a_composed_service_are_joined_and_tested_as_its_own() -> None:
    a = endpoint("a", outages=(lasting("2026-11-10 10:00", 40 * SECOND, "O-A"),))
    b = endpoint("b", outages=(lasting("2026-11-10 10:00:40", 40 * SECOND, "O-B"),))
    series = service(a, b)
    assert counted_s(under(series, min_outage=Least(">=", 60 * SECOND))) == 80
    assert counted_s(under(measured(a.outages[0]), min_outage=Least(">=", 60 * SECOND))) == 0
    assert counted_s(under(series, **MINUTES)) == 60


def test_a_fixed_base_is_told() -> None:
    found = statement(measured(), agreed=contract(terms(base_ms=730 * HOUR)))
    told = [line.text for line in explain(found) if line.topic == "base"]
    assert told[0] == "a base of 730 h 00 min stands for the whole period: its share, less what is out"


def test_a_month_of_seconds_is_counted_at_once() -> None:
    out = outage("2026-11-01", "2026-12-01", "O-1")
    assert counted_s(under(measured(out), bucket_ms=SECOND, min_run=2)) == 30 * DAY // SECOND


@pytest.mark.parametrize(("seconds", "counts"), [(300, 0), (301, 301)])
def test_longer_than_five_minutes_is_not_five_minutes(seconds: int, counts: int) -> None:
    assert counted_s(under(down(seconds), min_outage=Least(">", 5 * MINUTE))) == counts


@pytest.mark.parametrize(("end", "seconds"), [("06:43:03", 2580), ("06:43:03.100", 2640)])
def test_more_than_five_percent_of_a_minute_is_a_bad_minute(end: str, seconds: int) -> None:
    facts = measured(outage("2026-11-10 06:00", f"2026-11-10 {end}", "O-1"))
    assert counted_s(under(facts, bucket_ms=MINUTE, bad=Edge(">", Decimal(5)))) == seconds
