"""What the judge remembers between checks: the verdict now, the pace of the next check, what a restart finds."""

from __future__ import annotations

import pytest
from test_sla_judge import MINUTE, OPEN, at, history, run

from sla.judge import Closed, Method, Opened, State, resume

TWO_GOOD = Method(interval_ms=60_000, timeout_ms=10_000, recover=2)


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        ("10:00 up", "up"),
        ("10:00 bad", "up"),
        ("10:00 bad, 10:01 bad", "down"),
        ("10:00 bad, 10:01 bad, 10:02 up", "up"),
        ("10:00 slow", "up"),
        ("10:00 slow, 10:01 slow", "degraded"),
        ("10:00 slow, 10:01 slow, 10:02 bad", "degraded"),
        ("10:00 slow, 10:01 slow, 10:02 bad, 10:03 bad", "down"),
        ("10:00 blind", "unknown"),
        ("10:00 up, 10:01 blind", "unknown"),
        ("10:00 bad, 10:01 bad, 10:02 blind", "unknown"),
    ],
)
def test_the_verdict_now_is_the_confirmed_one(story: str, verdict: str) -> None:
    assert run(story, MINUTE)[0].verdict == verdict


def test_before_the_first_check_there_is_no_verdict() -> None:
    assert State().verdict is None


@pytest.mark.parametrize(
    ("story", "unsettled"),
    [
        ("10:00 up", False),
        ("10:00 bad", True),
        ("10:00 up, 10:01 blind", True),
        ("10:00 bad, 10:01 bad, 10:02 up", True),
        ("10:00 bad, 10:01 bad, 10:02 up, 10:03 up", False),
        ("10:00 slow", True),
        ("10:00 slow, 10:01 slow", False),
        ("10:00 slow, 10:01 slow, 10:02 up", True),
        ("10:00 slow, 10:01 slow, 10:02 up, 10:03 up", False),
    ],
)
def test_the_next_check_is_due_at_the_retry_pace_until_it_is_sure(story: str, unsettled: bool) -> None:
    state, _ = run(story, TWO_GOOD)
    assert state.unsettled is unsettled
    assert state.pace_ms(TWO_GOOD) == (15_000 if unsettled else 60_000)


def test_a_hold_stands_for_the_reach() -> None:
    method = Method(interval_ms=60_000, timeout_ms=10_000, hold_ms=3_600_000)
    assert method.reach_ms == 3_600_000
    assert run("10:00 up", method)[0].covered_until_ms == at("11:00")


def test_a_check_in_the_last_instant_of_the_reach_leaves_no_gap() -> None:
    state, said = run("10:00 up, 10:02:10 up", MINUTE)
    assert (state.coverage_from_ms, said[1:]) == (at("10:00"), [])


def test_the_last_good_check_before_a_degraded_stretch_is_one_that_was_up() -> None:
    _, said = run("10:00 up, 10:01 bad, 10:02 bad, 10:03 slow, 10:04 slow", MINUTE)
    [slow] = [one for one in said if isinstance(one, Opened) and one.kind == "degraded"]
    assert (slow.from_ms, slow.last_good_ms) == (at("10:03"), at("10:00"))


def test_a_failure_breaks_the_recovery_of_a_degraded_stretch() -> None:
    story = "10:00 slow, 10:01 slow, 10:02 up, 10:03 bad, 10:04 up"
    state, said = run(story, TWO_GOOD)
    assert [one for one in said if isinstance(one, Closed)] == []
    _, said = run("10:05 up", TWO_GOOD, state)
    assert [(one.kind, one.to_ms) for one in said if isinstance(one, Closed)] == [("degraded", at("10:04"))]


def test_a_restart_at_the_very_tick_misses_none() -> None:
    _, said = resume(
        MINUTE,
        at_ms=at("10:01"),
        checks=history("10:00 up"),
        coverage_from_ms=at("8:00"),
        off_from_ms=at("10:00:10"),
    )
    assert said == ()


def test_an_outage_on_record_is_open_though_its_checks_are_gone() -> None:
    state, _ = resume(TWO_GOOD, at_ms=at("10:00:30"), checks=history("10:00 up"), open_outage=OPEN)
    assert state.down is not None
    assert (state.down.from_ms, state.down.confirmed_ms) == (at("10:01"), at("10:02"))
    _, said = run("10:03 up", TWO_GOOD, state)  # the good check before it is none of the two that end it
    assert [one for one in said if isinstance(one, Closed)] == []
    state, _ = run("10:03 up", TWO_GOOD, state)
    _, said = run("10:04 up", TWO_GOOD, state)
    assert [(one.kind, one.to_ms) for one in said if isinstance(one, Closed)] == [("down", at("10:02:10"))]
