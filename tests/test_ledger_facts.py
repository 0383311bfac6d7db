"""What the ledger says of an endpoint: outages, unknown time, checks; killed, stopped and restarted daemons."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_scenes import HOUR, METHOD, MINUTE, SECOND, T0, checks, new_ledger, watch, writing

from ledger.definitions import store
from ledger.facts import endpoint_facts
from ledger.journal import PROGRAM
from ledger.observations import ObservationWriter, Observed
from ledger.resume import ResumePoint, open_endpoints, resume_point
from ledger.store import Ledger
from sla.facts import Definition, EndpointFacts
from sla.judge import Method, State, judge, resume
from sla.spans import Spans


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return new_ledger(tmp_path)


def facts(ledger: Ledger, *, now_ms: int, from_ms: int = T0, to_ms: int = T0 + 24 * HOUR) -> EndpointFacts:
    return endpoint_facts(ledger, ["api"], from_ms=from_ms, to_ms=to_ms, now_ms=now_ms)["api"]


def restarted(ledger: Ledger, writer: ObservationWriter, *, at_ms: int, method: Method = METHOD) -> State:
    """What the prober does at its start."""
    point = resume_point(ledger, "api", "local")
    state, said = resume(
        method,
        at_ms=at_ms,
        checks=point.checks,
        open_outage=point.open_outage,
        open_degraded=point.open_degraded,
        coverage_from_ms=point.coverage_from_ms,
        reach_ms=point.reach_ms,
        covered_until_ms=point.covered_until_ms,
        off_from_ms=point.off_from_ms,
    )
    writer.life(at_ms)
    if said:
        writer.put(Observed("api", "local", None, transitions=said))
    writer.flush()
    return state


def test_an_endpoint_that_was_never_heard_of_is_all_unknown_up_to_now(ledger: Ledger) -> None:
    found = facts(ledger, now_ms=T0 + HOUR)
    assert found == EndpointFacts("api", None, unknown=Spans(((T0, T0 + HOUR),)))


def test_a_watched_endpoint_is_known_from_its_first_check_to_now(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uuu", from_ms=T0 + MINUTE))
    found = facts(ledger, now_ms=T0 + 3 * MINUTE + 2 * SECOND)
    assert found.first_check_ms == T0 + MINUTE
    assert found.unknown == Spans(((T0, T0 + MINUTE),))
    assert found.outages == ()


def test_a_confirmed_outage_has_its_evidence_bounds_and_an_id(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uudddu"))
    (outage,) = facts(ledger, now_ms=T0 + 6 * MINUTE).outages
    assert (outage.from_ms, outage.to_ms) == (T0 + 2 * MINUTE, T0 + 5 * MINUTE)
    assert (outage.last_good_ms, outage.first_bad_ms, outage.confirmed_ms) == (
        T0 + MINUTE,
        T0 + 2 * MINUTE,
        T0 + 3 * MINUTE,
    )
    assert (outage.last_bad_ms, outage.first_good_ms, outage.failed_checks) == (T0 + 4 * MINUTE, T0 + 5 * MINUTE, 3)
    assert outage.id is not None
    assert outage.id.startswith("O-")
    assert outage.cause == "http_status"


def test_an_outage_that_lasts_has_no_end_but_its_last_bad_check(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uuddd"))
    (outage,) = facts(ledger, now_ms=T0 + 4 * MINUTE).outages
    assert outage.to_ms is None
    assert (outage.last_bad_ms, outage.failed_checks) == (T0 + 4 * MINUTE, 3)


def test_unconfirmed_failures_are_counted_and_are_no_outage(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uduuduudduu"))
    found = facts(ledger, now_ms=T0 + 11 * MINUTE)
    assert len(found.outages) == 1
    assert found.unconfirmed == 2


def test_degraded_stretches_are_facts_of_their_own(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("ugggu"))
    found = facts(ledger, now_ms=T0 + 5 * MINUTE)
    assert [(one.from_ms, one.to_ms) for one in found.degraded] == [(T0 + MINUTE, T0 + 4 * MINUTE)]
    assert found.outages == ()


def test_time_that_the_prober_could_not_see_is_unknown(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uu??u"))
    assert facts(ledger, now_ms=T0 + 4 * MINUTE).unknown == Spans(((T0 + 2 * MINUTE, T0 + 4 * MINUTE),))


def test_a_missed_stretch_is_unknown_from_the_last_reach_on(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uu------u"))
    assert facts(ledger, now_ms=T0 + 8 * MINUTE).unknown == Spans(((T0 + MINUTE + 130 * SECOND, T0 + 8 * MINUTE),))


def test_after_a_kill_time_is_known_to_the_last_life_stamp_only(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uu"))
        writer.life(T0 + MINUTE + 31 * SECOND)
        writer.flush()
    found = facts(ledger, now_ms=T0 + HOUR)
    assert found.unknown == Spans(((T0 + MINUTE + 31 * SECOND, T0 + HOUR),))


def test_a_clean_stop_is_where_knowledge_ends(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uu"))
        writer.stopped(T0 + MINUTE + 12 * SECOND)
        writer.flush()
    found = facts(ledger, now_ms=T0 + MINUTE + 14 * SECOND)
    assert found.unknown == Spans(((T0 + MINUTE + 12 * SECOND, T0 + MINUTE + 14 * SECOND),))


def test_an_open_outage_of_a_dead_daemon_stays_open_and_its_tail_is_unknown(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uddd"))
        writer.life(T0 + 3 * MINUTE + 5 * SECOND)
        writer.flush()
    found = facts(ledger, now_ms=T0 + 2 * HOUR)
    assert found.outages[0].to_ms is None
    assert found.unknown == Spans(((T0 + 3 * MINUTE + 5 * SECOND, T0 + 2 * HOUR),))


def test_past_the_reach_nothing_is_known_even_while_the_daemon_lives(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("udd"))
        writer.life(T0 + HOUR)
        writer.flush()
    found = facts(ledger, now_ms=T0 + HOUR)
    assert found.unknown == Spans(((T0 + 2 * MINUTE + 130 * SECOND, T0 + HOUR),))


def test_a_restart_that_misses_no_tick_leaves_no_gap(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uu"))
        writer.stopped(T0 + MINUTE + 20 * SECOND)
    with writing(ledger, "boot-2") as writer:
        state = restarted(ledger, writer, at_ms=T0 + MINUTE + 40 * SECOND)
        watch(writer, checks("uu", from_ms=T0 + 2 * MINUTE), state=state)
    assert not facts(ledger, now_ms=T0 + 3 * MINUTE).unknown


def test_a_kill_in_an_outage_and_a_bad_check_after_it_is_one_outage_with_a_gap(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uddd"))
        writer.life(T0 + 3 * MINUTE + 7 * SECOND)
        writer.flush()
    with writing(ledger, "boot-2") as writer:
        state = restarted(ledger, writer, at_ms=T0 + 30 * MINUTE)
        watch(writer, checks("ddu", from_ms=T0 + 30 * MINUTE), state=state)
    found = facts(ledger, now_ms=T0 + 32 * MINUTE)
    assert [(one.from_ms, one.to_ms) for one in found.outages] == [(T0 + MINUTE, T0 + 32 * MINUTE)]
    assert found.unknown == Spans(((T0 + 3 * MINUTE + 7 * SECOND, T0 + 30 * MINUTE),))


def test_a_kill_in_an_outage_and_a_good_check_after_it_ends_at_the_last_life_stamp(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uddd"))
        writer.life(T0 + 3 * MINUTE + 7 * SECOND)
        writer.flush()
    with writing(ledger, "boot-2") as writer:
        state = restarted(ledger, writer, at_ms=T0 + 30 * MINUTE)
        watch(writer, checks("uu", from_ms=T0 + 30 * MINUTE), state=state)
    found = facts(ledger, now_ms=T0 + 31 * MINUTE)
    assert [(one.from_ms, one.to_ms) for one in found.outages] == [(T0 + MINUTE, T0 + 3 * MINUTE + 7 * SECOND)]
    assert found.unknown == Spans(((T0 + 3 * MINUTE + 7 * SECOND, T0 + 30 * MINUTE),))


def test_a_daemon_that_dies_again_before_its_first_check_vouches_for_nothing_more(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uu"))
        writer.life(T0 + MINUTE + 9 * SECOND)
        writer.flush()
    with writing(ledger, "boot-2") as writer:
        writer.life(T0 + 2 * MINUTE)
        writer.flush()
    found = facts(ledger, now_ms=T0 + 20 * MINUTE)
    assert found.unknown == Spans(((T0 + MINUTE + 9 * SECOND, T0 + 20 * MINUTE),))
    assert resume_point(ledger, "api", "local").off_from_ms == T0 + MINUTE + 9 * SECOND


def test_an_outage_across_the_edges_is_given_whole(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("udddddu"))
    found = facts(ledger, from_ms=T0 + 2 * MINUTE, to_ms=T0 + 3 * MINUTE, now_ms=T0 + HOUR)
    assert [(one.from_ms, one.to_ms) for one in found.outages] == [(T0 + MINUTE, T0 + 6 * MINUTE)]
    assert not found.unknown


def test_what_came_later_is_not_known_before(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uddduuuu"))
    assert facts(ledger, now_ms=T0 + MINUTE + 1).outages == ()
    (outage,) = facts(ledger, now_ms=T0 + 3 * MINUTE).outages
    assert (outage.to_ms, outage.first_good_ms) == (None, None)


def test_checks_due_and_made_are_ticks_and_retries_do_not_add(ledger: Ledger) -> None:
    agreed = Definition("endpoint", "api", T0, {"url": "http://127.0.0.1/", "interval_ms": MINUTE})
    store(ledger, [agreed], at_ms=T0, actor=PROGRAM, source_sha256=None)
    with writing(ledger) as writer:
        state = watch(writer, checks("uuuuu", from_ms=T0 + 7_000))
        state = watch(writer, checks("ddd", from_ms=T0 + 5 * MINUTE + 7_000, every_ms=15_000), state=state)
        watch(writer, checks("uu", from_ms=T0 + 8 * MINUTE + 7_000), state=state)
    found = facts(ledger, to_ms=T0 + 10 * MINUTE, now_ms=T0 + HOUR)
    assert found.checks_due == 10
    assert found.checks_made == 5 + 2 + 2  # the tick at 6 min was looked at by a retry, the one at 7 min by nobody


def test_a_changed_interval_changes_what_is_due_from_then_on(ledger: Ledger) -> None:
    versions = [
        Definition("endpoint", "api", T0, {"interval_ms": MINUTE}),
        Definition("endpoint", "api", T0 + 12 * HOUR, {"interval_ms": 5 * MINUTE}),
    ]
    store(ledger, versions, at_ms=T0, actor=PROGRAM, source_sha256=None)
    assert facts(ledger, now_ms=T0 + 48 * HOUR).checks_due == 720 + 144


def test_a_resume_point_reaches_back_to_the_last_good_check_before_the_outage(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uudddd"))
    point = resume_point(ledger, "api", "local")
    assert [check.at_ms for check in point.checks] == [T0 + MINUTE * place for place in range(1, 6)]
    assert point.open_outage is not None
    assert point.open_outage.from_ms == T0 + 2 * MINUTE
    assert (point.coverage_from_ms, point.reach_ms) == (T0, METHOD.reach_ms)


def test_an_endpoint_without_history_resumes_from_nothing(ledger: Ledger) -> None:
    assert resume_point(ledger, "api", "local") == ResumePoint()


@pytest.mark.parametrize("history", ["u", "uud", "uudd", "udddu", "ugg", "ugud", "u?", "ud-d", "uddgg", "uuu---u"])
def test_a_state_that_was_read_back_is_the_state_that_was_left(ledger: Ledger, history: str) -> None:
    with writing(ledger) as writer:
        left = watch(writer, checks(history))
        back = restarted(ledger, writer, at_ms=checks(history)[-1].at_ms + 1)
    following = checks("ddgguu", from_ms=checks(history)[-1].at_ms + MINUTE)
    for check in following:
        left, said_left = judge(left, check, METHOD)
        back, said_back = judge(back, check, METHOD)
        assert said_left == said_back
        assert left.verdict == back.verdict


def test_what_is_open_is_listed_for_endpoints_that_left_the_config(ledger: Ledger) -> None:
    with writing(ledger) as writer:
        watch(writer, checks("uu"), endpoint="api")
        watch(writer, checks("uu?"), endpoint="blind")
    assert open_endpoints(ledger) == (("api", "local"),)
