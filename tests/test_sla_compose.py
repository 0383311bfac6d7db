"""Services of several endpoints: the three-valued rule, their outages and ids, windows on members, degraded time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from sla_builders import (
    HOUR,
    MINUTE,
    contract,
    endpoint,
    exclusion,
    judged,
    measured,
    ms,
    outage,
    service,
    spans,
    terms,
    window,
)

from sla.compose import described
from sla.facts import All, Any_, AtLeast, EndpointFacts, Expression, Member, Outage

A, B, C = Member("a"), Member("b"), Member("c")
TEN = ms("2026-11-10 10:00")


def state(name: str, verdict: str) -> EndpointFacts:
    """An endpoint that is in one state from 10:00 to 11:00."""
    hour = ("2026-11-10 10:00", "2026-11-10 11:00")
    if verdict == "down":
        return endpoint(name, outages=(outage(*hour, f"O-{name}"),))
    return endpoint(name, unknown=spans(hour)) if verdict == "blind" else endpoint(name)


@pytest.mark.parametrize(
    ("expression", "verdicts", "found"),
    [
        (All((A, B, C)), "up up up", "up"),
        (All((A, B, C)), "up down blind", "down"),
        (All((A, B, C)), "up up blind", "unknown"),
        (Any_((A, B, C)), "up down blind", "up"),
        (Any_((A, B, C)), "down down blind", "unknown"),
        (Any_((A, B, C)), "down down down", "down"),
        (AtLeast(2, (A, B, C)), "up blind blind", "unknown"),  # case 42: a quorum of 2 says down
        (AtLeast(2, (A, B, C)), "down blind down", "down"),
        (AtLeast(2, (A, B, C)), "down blind up", "unknown"),
        (All((A, Any_((B, C)))), "up down blind", "unknown"),
        (All((A, Any_((B, C)))), "down up up", "down"),
        (Any_((A, All((B, C)))), "down up down", "down"),
    ],
)
def test_case_42_unknown_members_leave_it_unknown_unless_the_known_ones_decide(
    expression: Expression, verdicts: str, found: str
) -> None:
    facts = [state(name, verdict) for name, verdict in zip("abc", verdicts.split(), strict=True)]
    whole = judged(service(*facts, of=expression))
    told = next(line.time_class for line in whole.timeline if line.from_ms <= TEN < line.to_ms)
    assert told == found


def test_an_endpoint_that_nobody_knows_is_unknown() -> None:
    found = judged(service(endpoint("a"), of=All((A, B))))
    assert (found.verdict, found.split_ms["up"]) == ("NO_DATA", 0)


def test_unknown_time_inside_an_outage_does_not_split_it() -> None:
    blind = spans(("2026-11-10 10:20", "2026-11-10 10:40"))
    out = endpoint("a", outages=(outage("2026-11-10 10:00", "2026-11-10 11:00", "O-A"),), unknown=blind)
    for facts in (service(out), service(out, endpoint("b"))):
        found = judged(facts)
        (only,) = found.outages
        assert (only.from_ms, only.to_ms, only.down_ms) == (TEN, TEN + HOUR, 40 * MINUTE)
        assert found.split_ms["unknown"] == 20 * MINUTE


def test_a_composed_outage_has_an_id_of_its_own_that_later_outages_do_not_change() -> None:
    first = outage("2026-11-10 10:00", "2026-11-10 11:00", "O-A")
    later = outage("2026-11-20 10:00", "2026-11-20 11:00", "O-B")
    before = judged(service(endpoint("a", outages=(first,)), endpoint("b")))
    after = judged(service(endpoint("a", outages=(first,)), endpoint("b", outages=(later,))))
    assert before.outages[0].id == after.outages[0].id == "O-TXSG2"
    assert len({each.id for each in after.outages}) == 2


def test_two_outages_of_a_service_within_one_of_its_member_have_two_ids() -> None:
    long = endpoint("a", outages=(outage("2026-11-10 00:00", "2026-11-11 00:00", "O-A"),))
    short = endpoint(
        "b",
        outages=(
            outage("2026-11-10 10:00", "2026-11-10 10:10", "O-B1"),
            outage("2026-11-10 12:00", "2026-11-10 12:10", "O-B2"),
        ),
    )
    found = judged(service(long, short, of=Any_((A, B)))).outages
    assert [each.counted_ms for each in found] == [10 * MINUTE, 10 * MINUTE]
    assert len({each.id for each in found}) == 2
    later = replace(short, outages=short.outages[1:])  # as the facts of a later month know it
    assert judged(service(long, later, of=Any_((A, B)))).outages[0].id == found[1].id


def test_a_composed_outage_takes_its_evidence_from_the_members_at_its_edges() -> None:
    a = Outage("O-A", TEN, TEN + HOUR, TEN - 60, TEN, TEN + 20, TEN + HOUR - 60, TEN + HOUR, "network", failed_checks=5)
    b = Outage(
        "O-B",
        TEN + 100,
        TEN + 2 * HOUR,
        TEN,
        TEN + 100,
        TEN + 120,
        TEN + 2 * HOUR - 60,
        TEN + 2 * HOUR,
        "disk",
        failed_checks=7,
    )
    (found,) = judged(service(endpoint("a", outages=(a,)), endpoint("b", outages=(b,)))).outages
    assert (found.last_good_ms, found.first_bad_ms, found.confirmed_ms) == (TEN - 60, TEN, TEN + 20)
    assert (found.last_bad_ms, found.first_good_ms) == (TEN + 2 * HOUR - 60, TEN + 2 * HOUR)
    assert (found.cause, found.failed_checks, found.endpoints) == ("disk", 12, ("a", "b"))


def test_evidence_prints_how_long_and_how_short_the_outages_may_have_been() -> None:
    told = Outage("O-1", TEN, TEN + HOUR, TEN - MINUTE, TEN, TEN, TEN + HOUR - MINUTE, TEN + HOUR + MINUTE)
    found = judged(measured(told), agreed=contract(terms(digits=6)))
    month = 30 * 24 * 60
    expected = [Fraction(month - minutes, month) * 100 for minutes in (62, 59)]
    assert found.evidence_pct is not None
    assert [
        abs(Fraction(text) - value) < Fraction(1, 10**6)
        for text, value in zip(found.evidence_pct, expected, strict=True)
    ] == [True, True]
    assert judged(measured(Outage("O-1", TEN, TEN + HOUR))).evidence_pct is None


def test_a_window_naming_the_service_covers_it_and_one_naming_another_does_not() -> None:
    hour = ("2026-11-10 10:00", "2026-11-10 11:00")
    facts = [state("a", "down"), endpoint("b")]
    whole = judged(service(*facts, windows=(window(*hour, on=[("service", "api")]),)))
    other = judged(service(*facts, windows=(window(*hour, on=[("service", "portal"), ("endpoint", "c")]),)))
    assert (whole.split_ms["maintenance"], len(whole.maintenance)) == (HOUR, 1)
    assert (other.split_ms["maintenance"], other.split_ms["down"], other.maintenance) == (0, HOUR, ())


def test_a_window_on_one_member_of_a_series_covers_it_while_the_other_is_up() -> None:
    win = window("2026-11-10 10:00", "2026-11-10 12:00", on=[("endpoint", "a")])
    found = judged(service(endpoint("a"), state("b", "down"), windows=(win,)))
    assert (found.split_ms["maintenance"], found.split_ms["down"]) == (HOUR, HOUR)


def test_windows_already_announced_shrink_what_a_running_month_allows() -> None:
    ahead = window("2026-11-20 00:00", "2026-11-21 00:00", entered="2026-11-01", on=[("endpoint", "a")])
    series = service(endpoint("a"), endpoint("b"), windows=(ahead,))
    redundant = service(endpoint("a"), endpoint("b"), of=Any_((A, B)), windows=(ahead,))
    allowed = [
        found.budget.allowed_ms for facts in (series, redundant) if (found := judged(facts, as_of="2026-11-10")).budget
    ]
    assert allowed == [29 * 24 * HOUR // 1000, 30 * 24 * HOUR // 1000]


@pytest.mark.parametrize(
    ("option", "counted", "weight"), [("up", "0", "0"), ("down", "3600000", None), (Decimal("0.5"), "1800000", "0.5")]
)
def test_degraded_time_has_its_class_and_counts_as_agreed(option: str, counted: str, weight: str | None) -> None:
    slow = outage("2026-11-10 10:00", "2026-11-10 11:00", "D-1")
    found = judged(measured(degraded=(slow,)), agreed=contract(terms(degraded=option)))
    line = next(each for each in found.timeline if each.time_class == "degraded")
    assert (found.split_ms["degraded"], found.measure.counted, line.weight, line.ref) == (HOUR, counted, weight, "D-1")
    assert [each.kind for each in found.outages] == ([] if option == "up" else ["degraded"])


def test_weights_of_their_own_win_and_the_largest_counts_where_they_overlap() -> None:
    half = outage("2026-11-10 10:00", "2026-11-10 11:00", weight=Fraction(1, 2))
    tenth = outage("2026-11-10 10:30", "2026-11-10 11:30", weight=Fraction(1, 10))
    found = judged(measured(half, degraded=(tenth,)), agreed=contract(terms(degraded="down")))
    assert found.measure.counted == str(30 * MINUTE + 3 * MINUTE)
    assert (found.split_ms["down"], found.split_ms["degraded"]) == (HOUR, 30 * MINUTE)


def test_a_false_positive_turns_its_span_to_up_and_keeps_the_base() -> None:
    wrong = exclusion("2026-11-10 10:00", "2026-11-10 11:00", category="false_positive")
    found = judged(measured(outage("2026-11-10 10:00", "2026-11-10 11:00", "O-1"), exclusions=(wrong,)))
    assert (found.split_ms["down"], found.split_ms["excluded"], found.considered_ms) == (0, 0, 720 * HOUR)
    assert found.exclusions[0].without_pct == "99.861111"


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (A, "1 endpoint"),
        (All((A, B)), "2 endpoints, all up"),
        (Any_((A, B)), "2 endpoints, at least 1 up"),
        (AtLeast(2, (A, B, C)), "3 endpoints, at least 2 up"),
        (All((A, Any_((B, C)))), "2 groups, all up: 1 endpoint; 2 endpoints, at least 1 up"),
    ],
)
def test_a_composition_is_told_in_one_line(expression: Expression, told: str) -> None:
    assert described(expression) == told
