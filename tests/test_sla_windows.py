"""Which announced windows a contract accepts, and what it tells the client."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sla_builders import HOUR, contract, judged, measured, ms, outage, spans, terms, window

from sla.facts import Window
from sla.terms import WindowTerms
from sla.windows import accept, judge_windows

STRICT = terms(windows=WindowTerms(notice_ms=72 * HOUR))
TOLD_LATE = window("2026-11-10 02:00", "2026-11-10 04:00", entered="2026-11-10 01:00")


@pytest.mark.parametrize(
    ("ahead_ms", "notice_ms", "accepted", "why"),
    [
        (72 * HOUR, 72 * HOUR, True, "announced 72 h 00 min before its start, 72 h 00 min agreed"),
        (72 * HOUR - 1, 72 * HOUR, False, "announced 71 h 59 min 59 s before its start, 72 h 00 min agreed"),
        (0, 0, True, "announced 0 s before its start"),
        (-1, 0, False, "announced 1 s after its start"),
        (-HOUR, 72 * HOUR, False, "announced 1 h 00 min after its start"),
    ],
)
def test_exactly_the_notice_is_enough(ahead_ms: int, notice_ms: int, accepted: bool, why: str) -> None:
    assert accept(Window(None, 10 * HOUR, 12 * HOUR, 10 * HOUR - ahead_ms), WindowTerms(notice_ms), "UTC") == (
        accepted,
        why,
    )


def test_a_window_given_as_a_fact_is_accepted() -> None:
    assert accept(Window(None, 0, HOUR, None), WindowTerms(HOUR), "UTC") == (True, "given as accepted")


def test_a_decision_on_record_is_read_and_never_made_again() -> None:
    granted = replace(TOLD_LATE, accepted=True, why="accepted by both sides")
    (found,) = judge_windows([granted], [STRICT], as_of_ms=ms("2026-12-01"))
    assert (found.accepted, found.why) == (True, "accepted by both sides")
    refused = replace(granted, accepted=False, why=None)
    assert judge_windows([refused], [terms()], as_of_ms=ms("2026-12-01"))[0].accepted is False


def test_what_was_entered_after_the_instant_of_asking_is_not_known_yet() -> None:
    assert judge_windows([TOLD_LATE], [terms()], as_of_ms=ms("2026-11-10 00:59")) == ()


def test_the_terms_in_force_at_the_start_of_a_window_judge_it() -> None:
    later = replace(STRICT, from_ms=ms("2026-11-15"))
    early, late = TOLD_LATE, window("2026-11-20 02:00", "2026-11-20 04:00", entered="2026-11-20 01:00")
    found = judge_windows([late, early], [terms(), later], as_of_ms=ms("2026-12-01"))
    assert [each.accepted for each in found] == [True, False]


@pytest.mark.parametrize(
    ("effect", "down_h", "maintenance_h"), [("exclude", 0, 2), ("count_up", 0, 2), ("ignore", 1, 0)]
)
def test_an_accepted_window_acts_as_agreed(effect: str, down_h: int, maintenance_h: int) -> None:
    facts = measured(
        outage("2026-11-10 02:00", "2026-11-10 03:00"), windows=(window("2026-11-10 02:00", "2026-11-10 04:00"),)
    )
    found = judged(facts, agreed=contract(terms(maintenance=effect)))
    assert (found.split_ms["down"], found.split_ms["maintenance"]) == (down_h * HOUR, maintenance_h * HOUR)
    assert found.considered_ms == (718 if effect == "exclude" else 720) * HOUR


def test_what_was_not_measured_is_never_counted_up_but_spares_the_coverage() -> None:
    facts = measured(
        unknown=spans(("2026-11-10 02:00", "2026-11-10 03:00")),
        windows=(window("2026-11-10 02:00", "2026-11-10 04:00", id="M-1"),),
    )
    out = judged(facts)
    assert (out.split_ms["maintenance"], out.split_ms["unknown"], out.coverage_pct) == (2 * HOUR, 0, "100.000")
    up = judged(facts, agreed=contract(terms(maintenance="count_up")))
    assert (up.split_ms["maintenance"], up.split_ms["unknown"], up.coverage_pct) == (HOUR, HOUR, "100.000")
    assert [line.ref for line in up.timeline if line.time_class == "unknown"] == ["M-1"]
    ignored = judged(facts, agreed=contract(terms(maintenance="ignore")))
    assert (ignored.split_ms["unknown"], ignored.coverage_pct) == (HOUR, "99.861")
