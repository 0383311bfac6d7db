"""Explaining: every stretch with its rule, then the arithmetic down to the credit."""

from __future__ import annotations

from sla_builders import (
    HOUR,
    SECOND,
    USUAL_TIERS,
    contract,
    exclusion,
    lasting,
    measured,
    ms,
    outage,
    spans,
    statement,
    terms,
    window,
)

from sla.explain import Line, explain
from sla.facts import ServiceFacts
from sla.terms import WindowTerms

PROMISED = contract(terms("99.9", fee="2500.00 EUR", credits=USUAL_TIERS, windows=WindowTerms(notice_ms=72 * HOUR)))


def told(facts: ServiceFacts, topic: str | None = None, as_of: str | None = None) -> list[tuple[str, str | None]]:
    lines = explain(statement(facts, agreed=PROMISED, as_of=as_of))
    return [(line.text, line.value) for line in lines if topic in (None, line.topic)]


def test_every_stretch_is_told_with_the_rule_that_places_it() -> None:
    facts = measured(
        outage("2026-11-10 01:00", "2026-11-10 05:00", "O-1"),
        unknown=spans(("2026-11-11 00:00", "2026-11-11 01:00")),
        windows=(window("2026-11-10 02:00", "2026-11-10 04:00", entered="2026-11-07 02:00"),),
        exclusions=(exclusion("2026-11-10 04:00", "2026-11-10 04:30", category="force_majeure", clause="9"),),
    )
    assert told(facts, "stretch") == [
        ("up: in the base", "217 h 00 min"),
        ("down: counts whole as downtime", "1 h 00 min"),
        (
            "accepted maintenance: left out of the base (accepted: announced 72 h 00 min before its start, "
            "72 h 00 min agreed)",
            "2 h 00 min",
        ),
        ("excluded: left out of the base (force majeure, clause 9)", "30 min"),
        ("down: counts whole as downtime", "30 min"),
        ("up: in the base", "19 h 00 min"),
        ("not measured: left out of the base, printed as bounds", "1 h 00 min"),
        ("up: in the base", "479 h 00 min"),
    ]


def test_the_stretches_are_the_timeline() -> None:
    asked = statement(measured(lasting("2026-11-20 10:00", 2_602 * SECOND)), agreed=PROMISED)
    lines: list[Line] = [line for line in explain(asked) if line.topic == "stretch"]
    assert [(line.from_ms, line.to_ms, line.ref) for line in lines] == [
        (each.from_ms, each.to_ms, each.ref) for each in asked.services[0].timeline
    ]


def test_the_arithmetic_goes_down_to_the_credit() -> None:
    found = told(measured(lasting("2026-11-20 10:00", 2_602 * SECOND)))
    for step in [
        ("considered, 720 h 00 min", "2592000000 ms"),
        ("counted as downtime, 43 min 22 s", "2602000 ms"),
        ("(2592000000 - 2602000) / 2592000000, rounded down", "99.899614 %"),
        ("99.899614197530... % < 99.9 %", "NOT_MET"),
        ("allowed 43 min 12 s, used 43 min 22 s", "−10 s"),
        ("availability < 99.9: 10 % of 2500.00 EUR, at 99.899614 %: 250 exact", "250.00"),
        ("credit in EUR, rounded once", "250.00"),
    ]:
        assert step in found


def test_a_window_that_was_told_too_late_is_named_with_the_reason() -> None:
    late = window("2026-11-10 02:00", "2026-11-10 04:00", entered="2026-11-09 16:00")
    reason = "window not accepted: announced 10 h 00 min before its start, 72 h 00 min agreed"
    assert told(measured(windows=(late,)), "window") == [(reason, None)]


def test_a_late_first_check_is_met_with_a_hint() -> None:
    facts = measured(unknown=spans(("2026-11-01", "2026-11-29")), first_check_ms=ms("2026-11-29"))
    hint = "measuring began late: date the contract from there, or agree on not_contracted before"
    assert (hint, None) in told(facts, "coverage")
    assert ("less was measured than the contract asks for", "UNDETERMINED") in told(facts, "verdict")
    assert ("between 0.00 and 1250.00 EUR: a person has to decide", "0.00") in told(facts, "credit")


def test_a_running_period_is_explained_as_such() -> None:
    found = told(measured(), as_of="2026-11-02")
    assert ("so far, used against allowed until the end of the period, target 99.9 %", "MET") in found
    assert ("no amount: the period is running", None) in found


def test_a_month_without_checks_is_explained() -> None:
    facts = measured(unknown=spans(("2026-11-01", "2026-12-01")), first_check_ms=None)
    assert ("nothing was measured", "NO_DATA") in told(facts, "verdict")
    assert ("nothing was considered, so there is no figure", None) in told(facts, "figure")
