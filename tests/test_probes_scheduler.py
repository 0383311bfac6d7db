"""When checks are due: on the grid, without drift, without bursts, retries on their own clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.scheduler import first_due, next_due, next_tick, phase_ms
from sla.judge import Check, Method, State, judge

MINUTE = Method(interval_ms=60_000, timeout_ms=10_000)
T0 = 1_800_000_000_000


def after(*verdicts: str, at_ms: int = T0, every_ms: int = 15_000) -> State:
    """The state after these checks, the last one at `at_ms`."""
    state = State()
    for back, verdict in zip(range(len(verdicts) - 1, -1, -1), verdicts, strict=True):
        state, _ = judge(state, Check(at_ms - back * every_ms, verdict), MINUTE)  # type: ignore[arg-type]
    return state


@given(st.integers(0, 2**45), st.integers(1_000, 86_400_000), st.text(min_size=1, max_size=20))
def test_the_next_tick_is_later_within_one_interval_and_on_the_grid(now_ms: int, interval_ms: int, name: str) -> None:
    phase = phase_ms(name, interval_ms)
    tick = next_tick(now_ms, phase_ms=phase, interval_ms=interval_ms)
    assert now_ms < tick <= now_ms + interval_ms
    assert (tick - phase) % interval_ms == 0


def test_phases_spread_evenly_and_never_change() -> None:
    phases = [phase_ms(f"endpoint-{n}", 60_000) for n in range(6_000)]
    per_second = [sum(1 for phase in phases if phase // 1_000 == second) for second in range(60)]
    assert max(per_second) < 160
    assert phase_ms("acme-api", 60_000) == 7_117


def test_ticks_do_not_drift_with_the_time_that_attempts_take() -> None:
    due, state = T0 + 7_117, after("up")
    first = next_due("acme-api", state, MINUTE, due_ms=due, now_ms=due + 4_321)
    assert first % 60_000 == next_due("acme-api", state, MINUTE, due_ms=first, now_ms=first + 9_999) % 60_000


def test_ticks_missed_in_a_stall_are_not_made_up_for() -> None:
    due = next_tick(T0, phase_ms=phase_ms("a", 60_000), interval_ms=60_000)
    assert next_due("a", after("up"), MINUTE, due_ms=due, now_ms=due + 600_001) == due + 660_000


def test_an_early_wake_up_does_not_check_the_same_tick_twice() -> None:
    due = next_tick(T0, phase_ms=phase_ms("a", 60_000), interval_ms=60_000)
    assert next_due("a", after("up"), MINUTE, due_ms=due, now_ms=due - 3) == due + 60_000


@pytest.mark.parametrize(
    ("late_ms", "wait_ms"), [(0, 15_000), (9_000, 15_000), (15_000, 15_000), (15_001, 30_000), (50_000, 60_000)]
)
def test_a_retry_is_due_at_the_retry_pace_and_never_twice_at_once(late_ms: int, wait_ms: int) -> None:
    assert next_due("a", after("up", "down"), MINUTE, due_ms=T0, now_ms=T0 + late_ms) == T0 + wait_ms


def test_down_is_checked_at_the_retry_pace_until_it_has_recovered() -> None:
    assert after("up", "down", "down", "down").unsettled
    assert not after("up", "down", "down", "up").unsettled
    assert not after("up", "down", "up").unsettled


def test_a_lasting_degraded_stretch_is_checked_at_the_normal_pace() -> None:
    assert after("up", "degraded").unsettled
    assert not after("up", "degraded", "degraded").unsettled


def test_what_could_not_be_seen_is_looked_at_again_soon() -> None:
    assert after("up", "unknown").unsettled


def test_a_new_endpoint_is_checked_at_once() -> None:
    assert first_due("a", State(), MINUTE, now_ms=T0) == T0


def test_after_a_missed_tick_an_endpoint_is_checked_at_once() -> None:
    assert first_due("a", after("up"), MINUTE, now_ms=T0 + 60_001) == T0 + 60_001


def test_a_restart_between_two_ticks_goes_on_with_the_grid() -> None:
    tick = next_tick(T0, phase_ms=phase_ms("a", 60_000), interval_ms=60_000)
    assert first_due("a", after("up", at_ms=tick), MINUTE, now_ms=tick + 1_000) == tick + 60_000


def test_a_restart_between_two_retries_goes_on_with_the_retries() -> None:
    assert first_due("a", after("up", "down"), MINUTE, now_ms=T0 + 1_000) == T0 + 15_000


@pytest.mark.parametrize("last", ["up", "down"])
def test_after_the_wall_clock_was_set_back_an_hour_checks_go_on(last: str) -> None:
    due = next_due("a", after("up", last), MINUTE, due_ms=T0, now_ms=T0 - 3_600_000)
    assert T0 - 3_600_000 < due <= T0 - 3_540_000
