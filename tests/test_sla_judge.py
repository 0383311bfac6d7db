"""The judge: confirmation, recovery, evidence bounds. Checks are written as `second verdict` pairs."""

from __future__ import annotations

from sla.facts import Outage
from sla.judge import (
    Check,
    Closed,
    CoverageClosed,
    CoverageOpened,
    Method,
    Opened,
    State,
    Transition,
    judge,
    remove,
    resume,
    stepped,
)
from sla.spans import Spans

MINUTE = Method(interval_ms=60_000, timeout_ms=10_000)
VERDICTS = {"up": "up", "slow": "degraded", "bad": "down", "blind": "unknown"}


def at(clock: str) -> int:
    """Milliseconds of "10:00" or "10:00:20" since midnight."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return ((hours * 60 + minutes) * 60 + (seconds[0] if seconds else 0)) * 1000


def check(clock: str, word: str) -> Check:
    verdict = VERDICTS[word]
    return Check(at(clock), verdict, None if word == "up" else f"class_{word}")  # type: ignore[arg-type]


def run(story: str, method: Method, state: State | None = None) -> tuple[State, list[Transition]]:
    """Judge "10:00 up, 10:01 bad" and gather what was decided."""
    state, said = state or State(), []
    for line in story.split(","):
        clock, word = line.split()
        state, transitions = judge(state, check(clock, word), method)
        said.extend(transitions)
    return state, said


def told(transitions: list[Transition], *kinds: type) -> list[Transition]:
    return [one for one in transitions if isinstance(one, kinds or (Opened, Closed))]


def down_spans(said: list[Transition]) -> list[tuple[int, int]]:
    return [(one.from_ms, one.to_ms) for one in said if isinstance(one, Closed) and one.kind == "down"]


def known(state: State, said: list[Transition], *, now: str) -> Spans:
    closed = [(one.from_ms, one.to_ms) for one in said if isinstance(one, CoverageClosed)]
    if state.coverage_from_ms is not None and state.covered_until_ms is not None:
        closed.append((state.coverage_from_ms, min(state.covered_until_ms, at(now))))
    return Spans.of(closed)


def test_case_04_an_outage_begins_at_the_first_bad_check_and_ends_at_the_first_good_one() -> None:
    story = "9:59 up, " + ", ".join(f"10:{m:02} bad" for m in range(10)) + ", 10:10 up"
    _, said = run(story, Method(interval_ms=60_000, timeout_ms=10_000, confirm=3))
    assert told(said) == [
        Opened("down", at("10:00"), at("9:59"), at("10:02"), "class_bad", 3),
        Closed("down", at("10:00"), at("10:10"), at("10:09"), at("10:10"), 10, "recovered"),
    ]


def test_case_02_retries_shape_an_outage_but_never_weigh_more_than_time() -> None:
    method = Method(interval_ms=300_000, timeout_ms=10_000, retry_every_ms=30_000)
    state, said, now = State(), [], at("0:05")
    while now <= at("24:00"):
        bad = at("12:00") <= now < at("13:00")
        state, more = judge(state, Check(now, "down" if bad else "up"), method)
        said.extend(more)
        now += state.pace_ms(method)
    assert down_spans(said) == [(at("12:00"), at("13:00"))]
    assert 1 - 3_600_000 / 86_400_000 == 0.9583333333333334


def test_case_03_one_failed_check_a_day_is_no_outage() -> None:
    method = Method(interval_ms=60_000, timeout_ms=10_000, confirm=3)
    story = ", ".join(f"{24 * day + 3}:00 bad, {24 * day + 3}:00:15 up, {24 * day + 3}:01 up" for day in range(30))
    state, said = run("0:00 up, " + story, method)
    assert told(said) == []
    assert state.down is None


def test_case_26_a_clock_set_back_moves_the_open_outage_with_it() -> None:
    down = "9:59 up, " + ", ".join(f"10:{minute:02} bad" for minute in range(11))
    state, said = run(down, MINUTE)
    moved = stepped(state, -30 * 60_000)
    assert (moved.verdict, moved.last_check_ms) == ("down", at("9:40"))
    _, more = run(", ".join(f"9:{minute} bad" for minute in range(41, 50)) + ", 9:50 up", MINUTE, moved)
    (found,) = down_spans([*said, *more])
    assert found == (at("9:30"), at("9:50"))  # 20 real minutes
    assert stepped(moved, 30 * 60_000) == state


def test_case_28_checks_that_fail_on_our_own_lost_link_are_unknown() -> None:
    state, said = run("12:00 up, 12:00:20 blind, 12:00:35 blind, 12:00:55 blind, 12:01:15 up", MINUTE)
    assert told(said) == []
    assert known(state, said, now="12:02") == Spans.of([(at("12:00"), at("12:00:20")), (at("12:01:15"), at("12:02"))])


def test_case_29_a_heartbeat_is_down_from_what_was_expected_plus_grace() -> None:
    day, grace = 86_400_000, 3_600_000
    daily = Method(interval_ms=day, timeout_ms=0, confirm=1, hold_ms=day + grace)
    state, said = State(), list[Transition]()
    for number in range(30):
        state, more = judge(state, Check(number * day, "up"), daily)
        said.extend(more)
    assert (told(said), state.verdict) == ([], "up")
    assert state.covered_until_ms == 29 * day + day + grace  # the whole month is vouched for
    late = 29 * day + day + grace
    state, more = judge(state, Check(late, "down"), daily)
    (opened,) = told(list(more))
    assert isinstance(opened, Opened)
    assert (opened.from_ms, opened.last_good_ms) == (late, 29 * day)


def test_case_30_flapping_counts_only_the_bad_minutes() -> None:
    method = Method(interval_ms=60_000, timeout_ms=10_000, confirm=1)
    story = ", ".join(f"10:{2 * n:02} bad, 10:{2 * n + 1:02} up" for n in range(10))
    _, said = run("9:59 up, " + story, method)
    assert sum(to - start for start, to in down_spans(said)) == 600_000


def test_case_43_an_outage_between_two_ticks_is_booked_from_the_tick_at_the_retry_pace() -> None:
    method = Method(interval_ms=300_000, timeout_ms=10_000, retry_every_ms=20_000)
    state, said, now = State(), [], at("10:00")
    while now <= at("10:20"):
        bad = at("10:04:59") <= now < at("10:11:09")
        state, more = judge(state, Check(now, "down" if bad else "up"), method)
        said.extend(more)
        now = now + 20_000 if state.unsettled else (now // 300_000 + 1) * 300_000
    assert down_spans(said) == [(at("10:05"), at("10:11:20"))]
    opened = told(said, Opened)[0]
    assert isinstance(opened, Opened)
    assert opened.last_good_ms == at("10:00")


def test_unknown_checks_neither_count_for_nor_break_a_run() -> None:
    _, said = run("10:00 up, 10:01 bad, 10:02 blind, 10:03 bad, 10:04 up", MINUTE)
    assert told(said, Opened) == [Opened("down", at("10:01"), at("10:00"), at("10:03"), "class_bad", 2)]
    assert down_spans(said) == [(at("10:01"), at("10:04"))]


def test_a_good_check_breaks_an_unconfirmed_run() -> None:
    _, said = run("10:00 up, 10:01 bad, 10:02 up, 10:03 bad, 10:04 up", MINUTE)
    assert told(said) == []


def test_with_recover_above_one_the_outage_ends_at_the_first_good_check_of_the_run() -> None:
    method = Method(interval_ms=60_000, timeout_ms=10_000, recover=3)
    story = "10:00 up, 10:01 bad, 10:02 bad, 10:03 up, 10:04 bad, 10:05 up, 10:06 up, 10:07 up"
    _, said = run(story, method)
    assert told(said, Closed) == [Closed("down", at("10:01"), at("10:05"), at("10:04"), at("10:05"), 3, "recovered")]


def test_a_degraded_check_ends_an_outage_and_begins_a_degraded_stretch() -> None:
    _, said = run("10:00 up, 10:01 bad, 10:02 bad, 10:03 slow, 10:04 slow, 10:05 up", MINUTE)
    assert [(type(one).__name__, one.kind, one.from_ms) for one in told(said) if isinstance(one, Opened | Closed)] == [
        ("Opened", "down", at("10:01")),
        ("Closed", "down", at("10:01")),
        ("Opened", "degraded", at("10:03")),
        ("Closed", "degraded", at("10:03")),
    ]


def test_one_degraded_check_alone_is_not_a_degraded_stretch() -> None:
    _, said = run("10:00 up, 10:01 slow, 10:02 up", MINUTE)
    assert told(said) == []


def test_a_degraded_stretch_ends_where_the_outage_begins() -> None:
    _, said = run("10:00 up, 10:01 slow, 10:02 slow, 10:03 bad, 10:04 bad", MINUTE)
    assert told(said)[1:] == [
        Closed("degraded", at("10:01"), at("10:03"), at("10:03"), None, 2, "worsened"),
        Opened("down", at("10:03"), at("10:02"), at("10:04"), "class_bad", 2),
    ]


def test_a_single_failure_does_not_break_a_degraded_stretch() -> None:
    _, said = run("10:00 up, 10:01 slow, 10:02 slow, 10:03 bad, 10:04 slow, 10:05 up", MINUTE)
    assert told(said, Closed) == [
        Closed("degraded", at("10:01"), at("10:05"), at("10:04"), at("10:05"), 3, "recovered")
    ]


def test_a_check_vouches_until_the_next_one_within_its_reach() -> None:
    state, said = run("10:00 up, 10:01 up, 10:02 up", MINUTE)
    assert said == [CoverageOpened(at("10:00"), 130_000)]
    assert known(state, said, now="10:30").spans == ((at("10:00"), at("10:04:10")),)


def test_a_gap_beyond_the_reach_is_unknown() -> None:
    state, said = run("10:00 up, 10:10 up", MINUTE)
    assert known(state, said, now="10:11").spans == ((at("10:00"), at("10:02:10")), (at("10:10"), at("10:11")))


def test_long_intervals_reach_five_minutes_beyond_the_next_tick() -> None:
    assert Method(interval_ms=3_600_000, timeout_ms=10_000).reach_ms == 3_910_000


def test_an_unknown_check_ends_what_is_vouched_for_at_once() -> None:
    state, said = run("10:00 up, 10:01 blind, 10:02 up", MINUTE)
    assert known(state, said, now="10:03").spans == ((at("10:00"), at("10:01")), (at("10:02"), at("10:03")))


def test_an_outage_interrupted_by_unknown_and_going_on_is_one_outage() -> None:
    state, said = run("10:00 up, 10:01 bad, 10:02 bad, 12:00 bad, 12:01 up", MINUTE)
    assert down_spans(said) == [(at("10:01"), at("12:01"))]
    assert known(state, said, now="12:01").spans == ((at("10:00"), at("10:04:10")), (at("12:00"), at("12:01")))


def test_an_outage_that_nobody_saw_end_ends_at_the_last_bad_checks_reach() -> None:
    _, said = run("10:00 up, 10:01 bad, 10:02 bad, 12:00 up", MINUTE)
    assert told(said, Closed) == [
        Closed("down", at("10:01"), at("10:04:10"), at("10:02"), at("12:00"), 2, "unobserved")
    ]


def test_an_outage_that_nobody_saw_end_is_cut_by_what_is_known_blind() -> None:
    _, said = run("10:00 up, 10:01 bad, 10:02 bad, 10:02:30 blind, 10:03 up", MINUTE)
    assert down_spans(said) == [(at("10:01"), at("10:02:30"))]


def test_a_run_of_failures_is_confirmed_across_a_gap() -> None:
    _, said = run("10:00 up, 10:01 bad, 12:00 bad", MINUTE)
    assert told(said) == [Opened("down", at("10:01"), at("10:00"), at("12:00"), "class_bad", 2)]


def test_late_and_repeated_checks_change_nothing() -> None:
    state, _ = run("10:00 up, 10:01 bad, 10:02 bad", MINUTE)
    for clock, word in [("10:02", "up"), ("10:02", "bad"), ("10:01:30", "up"), ("9:00", "blind")]:
        assert judge(state, check(clock, word), MINUTE) == (state, ())


def test_a_longer_reach_after_a_reload_begins_its_own_stretch_of_coverage() -> None:
    state, _ = run("10:00 up, 10:01 up", MINUTE)
    slower = Method(interval_ms=300_000, timeout_ms=10_000)
    _, more = run("10:02 up", slower, state)
    assert more == [CoverageClosed(at("10:00"), at("10:02")), CoverageOpened(at("10:02"), 610_000)]


def test_removing_an_endpoint_ends_its_outage_as_removed() -> None:
    state, _ = run("10:00 up, 10:01 bad, 10:02 bad", MINUTE)
    after, said = remove(state, at("10:03"))
    assert said == (
        CoverageClosed(at("10:00"), at("10:03")),
        Closed("down", at("10:01"), at("10:03"), at("10:02"), None, 2, "removed"),
    )
    assert after.down is None


def test_removing_an_endpoint_long_after_its_last_check_ends_the_outage_at_the_reach() -> None:
    state, _ = run("10:00 up, 10:01 bad, 10:02 bad", MINUTE)
    _, said = remove(state, at("20:00"))
    assert down_spans(list(said)) == [(at("10:01"), at("10:04:10"))]


def history(story: str) -> list[Check]:
    return [check(*line.split()) for line in story.split(",")]


OPEN = Outage("O-1", at("10:01"), None, last_good_ms=at("10:00"), confirmed_ms=at("10:02"), cause="class_bad")


def test_resuming_from_the_record_gives_the_state_that_was_interrupted() -> None:
    for story, outage in [
        ("10:00 up", None),
        ("10:00 up, 10:01 bad", None),
        ("10:00 up, 10:01 bad, 10:02 bad, 10:03 bad", OPEN),
        ("10:00 up, 10:01 slow", None),
    ]:
        before, _ = run(story, MINUTE)
        after, said = resume(
            MINUTE,
            at_ms=before.last_check_ms or 0,
            checks=history(story),
            open_outage=outage,
            coverage_from_ms=before.coverage_from_ms,
            off_from_ms=before.last_check_ms,
        )
        assert (after, said) == (before, ())


def test_a_restart_that_misses_no_tick_leaves_no_gap() -> None:
    state, said = resume(
        MINUTE,
        at_ms=at("10:00:59"),
        checks=history("10:00 up"),
        coverage_from_ms=at("8:00"),
        off_from_ms=at("10:00:10"),
    )
    assert said == ()
    assert run("10:01 up", MINUTE, state)[1] == []


def test_a_restart_that_misses_a_tick_is_unknown_from_the_last_sign_of_life() -> None:
    _, said = resume(
        MINUTE,
        at_ms=at("10:01:30"),
        checks=history("10:00 up"),
        coverage_from_ms=at("8:00"),
        off_from_ms=at("10:00:10"),
    )
    assert said == (CoverageClosed(at("8:00"), at("10:00:10")),)


def test_while_failing_a_restart_misses_a_tick_at_the_retry_pace() -> None:
    _, said = resume(
        MINUTE,
        at_ms=at("10:02:30"),
        checks=history("10:00 up, 10:01 bad, 10:02 bad"),
        open_outage=OPEN,
        coverage_from_ms=at("8:00"),
        off_from_ms=at("10:02:05"),
    )
    assert said == (CoverageClosed(at("8:00"), at("10:02:05")),)


def killed_in_an_outage() -> State:
    state, _ = resume(
        MINUTE,
        at_ms=at("11:00"),
        checks=history("10:00 up, 10:01 bad, 10:02 bad"),
        open_outage=OPEN,
        coverage_from_ms=at("8:00"),
        off_from_ms=at("10:02:07"),
    )
    return state


def test_after_a_kill_an_outage_that_goes_on_is_the_same_outage() -> None:
    _, said = run("11:00 bad, 11:01 up", MINUTE, killed_in_an_outage())
    assert told(said) == [Closed("down", at("10:01"), at("11:01"), at("11:00"), at("11:01"), 3, "recovered")]


def test_after_a_kill_an_outage_found_over_ends_at_the_last_life_stamp() -> None:
    _, said = run("11:00 up", MINUTE, killed_in_an_outage())
    assert told(said) == [Closed("down", at("10:01"), at("10:02:07"), at("10:02"), at("11:00"), 2, "unobserved")]


def test_a_second_kill_does_not_lengthen_what_the_first_one_cut() -> None:
    state, _ = resume(
        MINUTE,
        at_ms=at("12:00"),
        checks=history("10:00 up, 10:01 bad, 10:02 bad"),
        open_outage=OPEN,
        coverage_from_ms=None,
        covered_until_ms=at("10:02:07"),
        off_from_ms=at("11:59"),
    )
    assert down_spans(run("12:00 up", MINUTE, state)[1]) == [(at("10:01"), at("10:02:07"))]


def test_a_recovery_half_seen_before_the_restart_is_counted_on() -> None:
    method = Method(interval_ms=60_000, timeout_ms=10_000, recover=2)
    story = "10:00 up, 10:01 bad, 10:02 bad, 10:03 up"
    state, _ = resume(
        method, at_ms=at("10:03:01"), checks=history(story), open_outage=OPEN, coverage_from_ms=at("8:00"),
        off_from_ms=at("10:03"),
    )  # fmt: skip
    assert down_spans(run("10:03:20 up", method, state)[1]) == [(at("10:01"), at("10:03"))]


def test_the_retry_pace_has_a_floor_and_never_exceeds_the_interval() -> None:
    paces = [Method(interval_ms=ms, timeout_ms=1).retry_ms for ms in (1_000, 12_000, 60_000, 600_000)]
    assert paces == [1_000, 5_000, 15_000, 20_000]
